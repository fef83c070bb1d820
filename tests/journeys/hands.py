"""What several journeys do with their hands, and an office on a clinic with servers of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from clinicdesk.clinic import open_clinic
from tests.clinics import Practice, fill_template, test_settings
from tests.screens.office import Office
from ui.dialogs.medicine import MedicineSheet
from ui.tasks import CollectOnGuiThread
from ui.theme import Theme
from ui.widgets import pdf_preview

PRINTER = "Front desk"


@contextmanager
def own_office(folder: Path, theme: Theme, qtbot: Any, *, prepare: Callable[[], object] | None = None) -> Iterator[tuple[Office, Practice]]:
    """An office on a clinic in a folder of its own, with its worker; `prepare` runs while nobody has it open."""
    settings = test_settings(folder).model_copy(update={"mongodb_collection_name": "visit_history"})
    clinic = open_clinic(settings, worker=False)
    doctors = fill_template(clinic)
    if prepare is not None:
        clinic.close()
        prepare()
        clinic = open_clinic(settings)
    else:
        clinic.start_worker()
        clinic.keep_servers_alive()
    collector = CollectOnGuiThread()
    practice = Practice(clinic, doctors)
    office = Office(practice, theme, qtbot)
    try:
        yield office, practice
    finally:
        office.close()
        collector.close()
        clinic.close()


def prescribe(office: Office, room: Any) -> None:
    """Paracetamol, complete enough to be issued."""
    room.editor.prescription.add_button.click()
    sheet = office.sheet(MedicineSheet)
    office.fill(sheet.form.editor("medicine"), "paracetamol")
    sheet._chosen("paracetamol")
    office.fill(sheet.form.editor("dose_value"), "1")
    box = sheet.form.editor("frequency")
    box.setCurrentIndex(box.findText("three times a day"))
    office.fill(sheet.form.editor("duration_days"), "5")
    office.fill(sheet.form.editor("indication"), "pain")
    office.click(sheet.verb_button)
    office.gone(sheet)


def spooler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[bytes]]:
    """A printer: an `lp` in front of the PATH that keeps what it is sent. Gives the jobs so far, oldest first."""
    tray = folder / "tray"
    tray.mkdir()
    program = folder / "lp"
    program.write_text(f"#!/bin/sh\ncat > {tray}/job$(ls {tray} | wc -l)\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setattr(pdf_preview, "printers", lambda: [PRINTER])
    return lambda: [job.read_bytes() for job in sorted(tray.iterdir())]
