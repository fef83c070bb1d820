"""The register's screens: possible duplicates, merging and separating, photos, bulk actions, the tag filter."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from clinicdesk.services import merging, patients, photos
from tests.clinics import Practice
from tests.screens.office import Office
from ui.dialogs.assigning import AssignSheet
from ui.dialogs.duplicates import DuplicatesSheet
from ui.dialogs.merging import ConfirmMerge, MergeSheet, SeparateSheet
from ui.dialogs.tagging import TagSheet
from ui.panels.patient_bulk import csv_of


def press(office: Office, panel: Any, words: str) -> None:
    office.click(next(b for b in panel.findChildren(QPushButton) if b.text() == words and b.isVisible()))


def shown(panel: Any) -> str:
    return "\n".join(one.text() for one in panel.findChildren(type(panel.heading)) if one.isVisible())


def opened(office: Office, panel: Any, patient_id: str) -> None:
    panel.show_topic("patient", patient_id)
    office.until(lambda: panel.card is not None and panel.card.id == patient_id)
    office.settle()


def select(office: Office, panel: Any, *ids: str) -> None:
    panel.table.clearSelection()
    for patient_id in ids:
        panel.table._select_row(panel.table._rows_model.place(patient_id))
    office.settle()


def test_two_records_are_merged_from_the_list_and_separated_again(office: Office, practice: Practice) -> None:
    kept = practice.patient(first_name="Anna", last_name="Meyer", born="1980-03-05")
    lost = practice.patient(first_name="Ana", last_name="Meier", born="1980-03-05", email="ana@mail.example")
    practice.book(lost, practice.at(10))
    window, other = office.open("rita"), office.open("ada")
    panel, seen = office.panel(window, "patients"), office.panel(other, "patients")
    opened(office, seen, lost)
    office.front(window)
    press(office, panel, "Possible duplicates")
    listed = office.sheet(DuplicatesSheet)
    office.until(lambda: len(listed.table.rows) == 1)
    assert "Same date of birth" in listed.why.text()
    office.click(listed.verb_button)
    sheet = office.sheet(MergeSheet)
    office.until(lambda: sheet.preview is not None)
    if sheet.preview.kept.id != kept:
        office.click(sheet.swap_button)
        office.until(lambda: sheet.preview.kept.id == kept)
    assert "Appointments" in shown_in(sheet) and "with Dr Dora Kim" in shown_in(sheet)
    assert sheet.choices["email"].isChecked(), "what the kept record lacks is proposed"
    sheet.choices["last_name"].click()
    office.click(sheet.verb_button)
    confirm = office.sheet(ConfirmMerge)
    office.click(confirm.cancel_button)
    office.gone(confirm)
    office.click(sheet.verb_button)
    office.click(office.sheet(ConfirmMerge).verb_button)
    office.gone(sheet)
    office.until(lambda: panel.card is not None and panel.card.id == kept and panel.card.last_name == "Meier")
    office.until(lambda: "another name of this patient" in shown(panel))
    assert "Appointments (1)" in shown(panel)
    office.until(lambda: "MERGED" in shown(seen), "the other desk sees it live")
    assert not seen.edit_button.isEnabled()
    office.until(lambda: [r.id for r in panel.table.rows] == [kept])
    press(office, panel, "Separate …")
    apart = office.sheet(SeparateSheet)
    office.until(lambda: apart.plan is not None)
    office.click(apart.verb_button)
    office.gone(apart)
    office.until(lambda: len(panel.table.rows) == 2)
    office.until(lambda: "Separated from" in shown(panel) and panel.card.last_name == "Meyer")
    office.until(lambda: "MERGED" not in shown(seen) and seen.edit_button.isEnabled())


def shown_in(sheet: Any) -> str:
    return "\n".join(one.text() for one in sheet.findChildren(type(sheet.problem.words)))


def test_what_is_in_doubt_is_asked(office: Office, practice: Practice) -> None:
    kept = practice.patient(first_name="Anna", last_name="Meyer")
    lost = practice.patient(first_name="Ana", last_name="Meyer")
    with practice.write("rita") as session:
        versions = patients.card(session, kept).version, patients.card(session, lost).version
        merging.merge(session, kept, lost, versions, ("first_name",))
        card = patients.card(session, kept)
        form = patients.form_of(card)
        patients.edit(session, kept, type(form)(**{n: getattr(form, n) for n in form.__slots__} | {"first_name": "Anke"}), card.version)
    booked = practice.book(kept, practice.at(11))
    panel = office.panel(office.open("rita"), "patients")
    opened(office, panel, kept)
    press(office, panel, "Separate …")
    apart = office.sheet(SeparateSheet)
    office.until(lambda: apart.plan is not None)
    apart.back["first_name"].click()
    apart.given[booked].click()
    office.click(apart.verb_button)
    office.gone(apart)
    with practice.read("rita") as session:
        assert patients.card(session, kept).first_name == "Anna"
        assert [a.status for a in merging.appointments.of_patient(session, lost)] == ["scheduled"]
        assert [a.status for a in merging.appointments.of_patient(session, kept)] == ["cancelled"]


def picture(size: tuple[int, int] = (1800, 1200), kind: str = "JPEG", **more: Any) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, kind, **more)
    return written.getvalue()


def test_photo_from_a_file_from_the_clipboard_and_removed(office: Office, practice: Practice, tmp_path: Path) -> None:
    ana = practice.patient(first_name="Ana", last_name="Adler")
    window = office.open("rita")
    panel = office.panel(window, "patients")
    opened(office, panel, ana)
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "canary-where-she-lives", 6
    path = tmp_path / "photo.txt"
    path.write_bytes(picture(exif=exif.tobytes()))
    panel.photo.use_file(str(path))
    office.until(lambda: not panel.photo.picture.isNull(), "kept by content, whatever the file is called")
    assert (panel.photo.picture.width(), panel.photo.picture.height()) == (341, 512), "small, and upright as the camera was held"
    with practice.read("rita") as session:
        stored = photos.of(session, ana)
    assert stored and b"canary" not in stored and not Image.open(io.BytesIO(stored)).getexif()
    image = QImage(600, 600, QImage.Format.Format_RGB32)
    image.fill(0xFF2040)
    data = QMimeData()
    data.setImageData(image)
    QGuiApplication.clipboard().setMimeData(data)
    panel.photo.paste()
    office.until(lambda: panel.photo.picture.width() == 512)
    panel.photo.remove()
    office.until(lambda: panel.photo.picture.width() == 0, "gone")
    office.until(lambda: "removed" in window.toasts.sentence)
    assert window.undo()
    office.until(lambda: panel.photo.picture.width() == 512, "put back")


@pytest.mark.parametrize("content", [b"", b"GIF89a not a photo", b"\x89PNG\r\n\x1a\n broken", picture()[:300], picture(kind="GIF")],
                         ids=["empty", "text", "broken png", "cut jpeg", "gif"])
def test_what_is_no_picture_is_refused_in_a_sentence(practice: Practice, content: bytes) -> None:
    ana = practice.patient()
    with practice.write("rita") as session, pytest.raises(photos.Invalid, match="not a picture"):
        photos.put(session, ana, content)


def test_bulk_tag_assign_archive_and_their_undo(office: Office, practice: Practice) -> None:
    ids = [practice.patient(last_name=f"Bulk{n}", tags=("early",) if n == 0 else ()) for n in range(3)]
    window = office.open("rita")
    panel = office.panel(window, "patients")
    select(office, panel, *ids)
    menu = QMenu()
    panel._bulk_menu(panel.table.rows[0], menu)
    assert menu.actions()[0].text() == "Tag these 3 patients …"
    panel._tag_selected()
    sheet = office.sheet(TagSheet)
    office.fill(sheet.form.editor("tags"), "early")
    sheet._tags.popup().hide()
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: all(r.tags == ("early",) for r in panel.table.rows), "tagged")
    office.until(lambda: "2 tagged" in window.toasts.sentence, "only two had it not")
    assert window.undo()
    office.until(lambda: sorted(r.tags for r in panel.table.rows) == [(), (), ("early",)], "only those it changed lose it again")
    panel.bulk.assign(ids)
    assign = office.sheet(AssignSheet)
    assign.form.set_value("doctor_id", practice.doctors["hugo"])
    office.click(assign.verb_button)
    office.gone(assign)
    panel.bulk.archive(ids)
    office.until(lambda: "3 archived" in window.toasts.sentence, "archived")
    office.until(lambda: not panel.table.rows, "out of sight")
    assert window.undo()
    office.until(lambda: len(panel.table.rows) == 3, "back")


def test_the_tag_filter_narrows_and_lets_go(office: Office, practice: Practice) -> None:
    tagged = practice.patient(last_name="Tagged", tags=("walks far",))
    practice.patient(last_name="Other")
    panel = office.panel(office.open("rita"), "patients")
    office.until(lambda: len(panel.table.rows) == 2)
    office.click(panel.tag_filter)
    office.until(panel.tag_filter.tags.isVisible)
    panel.tag_filter.tags.actions()[0].trigger()
    panel.tag_filter.tags.hide()
    office.until(lambda: [r.id for r in panel.table.rows] == [tagged])
    assert "walks far" in panel.heading.text()
    office.click(panel.tag_filter)
    office.until(lambda: len(panel.table.rows) == 2)


def test_exported_rows_are_no_formulas(office: Office, practice: Practice, tmp_path: Path) -> None:
    practice.patient(last_name="=cmd|x")
    panel = office.panel(office.open("rita"), "patients")
    office.until(lambda: panel.table.rows)
    panel.bulk.write(tmp_path / "out.csv", panel.table.rows)
    text = (tmp_path / "out.csv").read_text(encoding="utf-8-sig")
    assert "'=cmd|x" in text and "'+49170" in text and text.splitlines()[0].startswith("Record no.")
    assert csv_of(()).count("\n") == 1


def test_showing_a_patient_opens_no_window_of_its_own(office: Office, practice: Practice) -> None:
    ana = practice.patient()
    window = office.open("rita")
    panel = office.panel(window, "patients")
    opened(office, panel, ana)
    assert [w for w in QApplication.topLevelWidgets() if w.isVisible() and w is not window] == []
    assert QApplication.activeWindow() is window
