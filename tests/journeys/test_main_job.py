"""The main job from the telephone call to the paper, and a clash on the way."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from sqlalchemy import text
from typer.testing import CliRunner

from clinicdesk.cli import app
from clinicdesk.services import finding, prescriptions
from tests.clinics import Practice
from tests.journeys.hands import PRINTER, own_office, prescribe, spooler
from tests.screens.office import Office
from tests.screens.test_front_desk import block, choose, place, tomorrow
from tests.screens.test_two_desks import consulting
from tests.services.test_importing import folder
from ui.dialogs.booking import BookingSheet
from ui.dialogs.paper import PrescriptionWindow
from ui.main_window import MainWindow
from ui.theme import Theme


def book(office: Office, window: MainWindow, typed: str, doctor: int, hour: int) -> int:
    """By double click on a free place; the new appointment's id."""
    desk = tomorrow(office, window)
    office.front(window)
    office.click(desk.calendar.viewport(), place(desk, doctor, office.practice.at(hour)), double=True)
    sheet = office.sheet(BookingSheet)
    choose(office, sheet, typed)
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: desk.calendar.block is not None, "the booking is selected")
    return int(desk.calendar.block.id)


def from_booking_to_paper(office: Office, practice: Practice, typed: str, jobs: Any) -> str:
    """Book, check in, consult, complete, print twice; the patient's id."""
    rita, dora = office.open("rita"), office.open("dora")
    made = book(office, rita, typed, practice.doctors["dora"], 10)
    desk = office.panel(rita, "front-desk")
    desk._check_in()
    office.until(lambda: block(desk, made).status == "arrived", "she is checked in")
    office.front(dora)
    room = consulting(office, dora, made)
    office.click(room.start_button)
    office.until(lambda: room.editor is not None, "the consultation opens")
    office.settle()
    office.fill(room.editor.notes.editor("subjective"), "Headache since yesterday.")
    office.fill(room.editor.vitals.editor("pulse"), "72")
    prescribe(office, room)
    office.click(room.editor.complete_button)
    office.until(lambda: room.editor is None, "the visit is completed")
    office.until(lambda: block(desk, made) is not None and block(desk, made).status == "completed", "reception sees it completed")

    office.click(room.paper_button)
    paper = office.sheet(PrescriptionWindow)
    office.until(lambda: paper.stored is not None and paper.preview.pdf, "the paper is read")
    issued = paper.stored.content
    office.click(paper.preview.print_button)
    office.until(lambda: paper.stored.printed == 1, "the print is noted")
    assert jobs() == [issued]
    with practice.read("dora") as session:
        row = prescriptions.of_patient(session, block(desk, made).patient_id)[0]
        stored = prescriptions.stored_pdf(session, row.id)
        assert stored.content == jobs()[0], "what was printed is not what is stored"
        expected = prescriptions.copy_pdf(session, row.id).content
    assert b"COPY" not in issued
    office.settle()
    office.click(paper.preview.print_button)
    office.until(lambda: paper.stored.printed == 2, "the second print is noted")
    assert jobs() == [issued, expected]
    assert expected.startswith(issued) and expected != issued
    office.until(lambda: PRINTER in paper.preview.words.text() or "copy" in paper.state.text())
    paper.close()
    return str(block(desk, made).patient_id)


def says_copy(pdf: bytes) -> bool:
    """Whether somebody who reads the pages finds the word."""
    return any("COPY" in page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def test_from_the_booking_to_the_paper(office: Office, practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    jobs = spooler(tmp_path, monkeypatch)
    from_booking_to_paper(office, practice, "adler", jobs)
    assert [says_copy(job) for job in jobs()] == [False, True]


def test_two_desks_want_the_same_place(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    practice.patient(first_name="Bo", last_name="Berg")
    rita, sam = office.open("rita"), office.open("sam")
    doctor = practice.doctors["dora"]
    slow = tomorrow(office, rita)
    office.front(rita)
    office.click(slow.calendar.viewport(), place(slow, doctor, practice.at(9)), double=True)
    sheet = office.sheet(BookingSheet)
    choose(office, sheet, "adler")
    quick = tomorrow(office, sam)
    office.front(sam)
    office.click(quick.calendar.viewport(), place(quick, doctor, practice.at(9)), double=True)
    office.until(lambda: quick.sheet is not None and quick.sheet.isVisible(), "the other sheet opens")
    other = quick.sheet
    choose(office, other, "berg")
    office.click(other.verb_button)
    office.gone(other)
    office.until(lambda: any(b.patient_name == "Berg, Bo" for b in slow.schedule.blocks), "the slower desk sees it by itself")

    office.front(sheet)
    office.click(sheet.verb_button)
    office.until(sheet._clash.isVisible, "the clash is explained")
    assert "Berg, Bo" in sheet._clash.words.text() and len(sheet._clash.offers) == 3
    assert sheet.patient.last_name == "Adler", "what was chosen stays"
    office.click(sheet._clash.offers[0])
    office.settle()
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: len(quick.schedule.blocks) == 2, "the quicker desk sees the other booking")
    with practice.clinic.as_owner() as session:
        overlaps = session.scalar(text("select count(*) from clinic.appointments a join clinic.appointments b on a.id < b.id"
                                       " and a.doctor_id = b.doctor_id and a.during && b.during"))
    assert overlaps == 0


def test_the_main_job_on_an_imported_patient(clinic_folder: Path, theme: Theme, qtbot: Any, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    files = folder(tmp_path / "synthea")
    jobs = spooler(tmp_path, monkeypatch)

    def bring_in() -> None:
        done = CliRunner().invoke(app, ["import", "synthea", str(files), "--json", "--data-dir", str(clinic_folder)])
        assert json.loads(done.stdout)["patients"]["added"] == 2, done.output

    with own_office(clinic_folder, theme, qtbot, prepare=bring_in) as (office, practice):
        patient_id = from_booking_to_paper(office, practice, "oneil ann", jobs)
        with practice.read("rita") as session:
            assert [row.id for row in finding.search(session, "o'neil")] == [patient_id]
        room = next(panel for panel in office.windows[1].panels if panel.key == "consulting")
        assert room.banner.banner.family_name == "O'Neil"
        assert room.banner.banner.allergy_title == "Known allergies", "the imported allergy is before the doctor's eyes"
