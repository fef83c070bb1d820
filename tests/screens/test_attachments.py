"""The Documents tab: several files at once each told apart, dropped, pasted, previewed, withdrawn, annotated; keys alone suffice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from clinicdesk.errors import Unavailable
from clinicdesk.services import annotating, attachments, file_kinds
from clinicdesk.services.attachments import NewAttachment
from tests.clinics import Practice
from tests.files import pdf, picture
from tests.screens.office import LEFT, NONE, Office
from tests.screens.test_two_desks import consulting
from ui.consultation.attachments_view import AttachmentsView
from ui.dialogs.annotating import AnnotateSheet, RemarkSheet
from ui.dialogs.files import FilesSheet, Source
from ui.dialogs.withdrawing import LeavesTheSafeSheet, WithdrawSheet
from ui.main_window import MainWindow


@pytest.fixture
def opened(office: Office, practice: Practice) -> tuple[MainWindow, AttachmentsView, str]:
    """Dora's window with the Documents tab of a patient."""
    patient = practice.patient(first_name="Ana", last_name="Adler")
    made = practice.book(patient, practice.at(9))
    window = office.open("dora")
    room = consulting(office, window, made)
    room.chart.tabs.setCurrentWidget(room.chart.attachments)
    office.settle()
    return window, room.chart.attachments, patient


def put(practice: Practice, patient: str, content: bytes, title: str = "Report") -> Any:
    with practice.write("dora") as session:
        return attachments.add(session, NewAttachment(patient, title, content))


def drop(view: AttachmentsView, *paths: Path) -> None:
    """Files carried from the file manager onto the chart, not only onto the list."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    chart: QWidget = view
    while not chart.acceptDrops():
        chart = chart.parentWidget()
    entering = QDragEnterEvent(QPoint(5, 5), Qt.DropAction.CopyAction, mime, LEFT, NONE)
    QApplication.sendEvent(chart, entering)
    assert entering.isAccepted()
    QApplication.sendEvent(chart, QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, mime, LEFT, NONE))


def states(sheet: FilesSheet) -> list[str]:
    return [line.state for line in sheet.lines]


def test_several_files_at_once_and_each_is_told_apart(office: Office, practice: Practice, opened: Any, tmp_path: Path) -> None:
    window, view, patient = opened
    large = tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.truncate(file_kinds.MOST_BYTES + 1)
    (tmp_path / "letter.pdf").write_bytes(pdf())
    (tmp_path / "wound.png").write_bytes(picture("JPEG"))
    (tmp_path / "trick.pdf").write_bytes(b"MZ\x90\x00" + b"\0" * 200)
    (tmp_path / "empty.txt").write_bytes(b"")
    names = ("large.pdf", "letter.pdf", "trick.pdf", "wound.png", "empty.txt")
    drop(view, *(tmp_path / name for name in names))
    sheet = office.sheet(FilesSheet)
    assert states(sheet) == ["refused", "waiting", "waiting", "waiting", "refused"], "size is said before anything is read"
    assert "25 MB" in sheet.lines[0].words.text() and "empty" in sheet.lines[4].words.text()
    office.fill(sheet.lines[1].title, "Letter of the eye clinic")
    office.click(sheet.verb_button)
    office.until(lambda: states(sheet) == ["refused", "stored", "refused", "stored", "refused"])
    assert "none of them" in sheet.lines[2].words.text()
    assert "2 of 5 documents were stored" in sheet.problem.words.text()
    office.until(lambda: {r.title for r in view.table.rows} == {"Letter of the eye clinic", "wound"}, "the list shows them by itself")
    assert {r.kind for r in view.table.rows} == {"pdf", "jpeg"}, "by content"
    office.click(sheet.cancel_button)
    office.gone(sheet)
    with practice.read("dora") as session:
        assert len(attachments.of_patient(session, patient)) == 2
    assert window.isVisible()


@pytest.mark.parametrize("stored", [True, False])
def test_an_answer_lost_on_its_way_is_asked_for(office: Office, opened: Any, monkeypatch: pytest.MonkeyPatch, *, stored: bool) -> None:
    """The trap of other systems: an error is shown although the file was stored."""
    _, view, _ = opened
    clinic: Any = office.windows[0].desk._clinic
    real = type(clinic).perform

    def lost(self: Any, token: str, work: Any) -> Any:
        if stored:
            real(self, token, work)
        raise Unavailable("documents", "The connection was lost.")

    monkeypatch.setattr(type(clinic), "perform", lost)
    view.add([Source("note.txt", 5, None, b"hello")])
    sheet = office.sheet(FilesSheet)
    office.click(sheet.verb_button)
    office.until(lambda: states(sheet) == ["stored" if stored else "refused"])
    monkeypatch.undo()
    if not stored:
        office.click(sheet.verb_button)
        office.until(lambda: states(sheet) == ["stored"])
    office.gone(sheet)
    office.until(lambda: len(view.table.rows) == 1)


def test_a_large_file_can_be_stopped_and_nothing_of_it_stays(office: Office, opened: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, view, _ = opened
    content = b"x" * (3 * attachments.PIECE)
    view.add([Source("long.txt", len(content), None, content), Source("next.txt", 4, None, b"next")])
    sheet = office.sheet(FilesSheet)
    meter = sheet.lines[0].meter
    real = type(meter).__call__

    def pressed(self: Any, done: int, total: int) -> None:
        real(self, done, total)
        if done >= total // 2:
            for line in sheet.lines:
                line.meter.stopped = True  # what Stop sets, at a known moment

    monkeypatch.setattr(type(meter), "__call__", pressed)
    office.click(sheet.verb_button)
    office.until(lambda: states(sheet) == ["stopped", "stopped"])
    office.settle()
    assert list(view.table.rows) == []
    assert "nothing of it was stored" in sheet.lines[0].words.text()
    monkeypatch.undo()
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: len(view.table.rows) == 2)


def test_a_picture_is_pasted_and_shown(office: Office, opened: Any) -> None:
    _, view, _ = opened
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkCyan)
    QGuiApplication.clipboard().setImage(image)
    view.table.setFocus()
    QTest.keyClick(view.table, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    sheet = office.sheet(FilesSheet)
    office.keys(Qt.Key.Key_Return)
    office.gone(sheet)
    office.until(lambda: view.preview.stack.currentWidget() is view.preview.picture, "the new one is chosen and shown")
    assert view.preview.picture.picture.size().width() == 64
    before = view.preview.picture._scale
    view.preview.picture.area.setFocus()
    QTest.keyClick(view.preview.picture, "-")
    assert view.preview.picture._scale < before
    QGuiApplication.clipboard().clear()


def test_each_kind_has_its_reader_and_nothing_of_another_patient_stays(office: Office, practice: Practice, opened: Any) -> None:
    window, view, patient = opened
    numbers = [put(practice, patient, content, title) for content, title in
               ((pdf("Hello", 3), "Paper"), (picture(), "Picture"), ("Grüße".encode(), "Words"))]
    office.until(lambda: len(view.table.rows) == 3)
    for number, widget in zip(numbers, (view.preview.pdf, view.preview.picture, view.preview.text), strict=True):
        view.table.select(number)
        office.until(lambda widget=widget: view.preview.stack.currentWidget() is widget)
    assert view.preview.text.toPlainText() == "Grüße"
    assert not view.preview.annotate_button.isEnabled(), "a text has no page to mark"
    other = practice.book(practice.patient(last_name="Berg"), practice.at(10))
    day = office.panel(window, "my-day")
    office.until(lambda: day.table.select(other))
    day.open_selected()
    office.settle()
    assert list(view.table.rows) == [] and view.preview.row is None and view.preview.content == b""
    assert view.preview.text.toPlainText() == ""


def test_withdrawing_closes_the_document_until_it_is_asked_for(office: Office, practice: Practice, opened: Any) -> None:
    _, view, patient = opened
    number = put(practice, patient, b"belongs elsewhere")
    office.until(lambda: view.table.select(number))
    office.until(lambda: view.preview.stack.currentWidget() is view.preview.text)
    office.click(view.preview.withdraw_button)
    sheet = office.sheet(WithdrawSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form is not None and sheet.form.error("reason"))
    office.fill(sheet.form.editor("reason"), "belongs to another patient")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: view.preview.row is not None and view.preview.row.withdrawn_at is not None)
    assert view.preview.text.toPlainText() == "" and view.preview.stack.currentWidget() is not view.preview.text
    assert "belongs to another patient" in view.preview.words.text()
    office.click(view.preview.stack.currentWidget().action)  # type: ignore[attr-defined]
    office.until(lambda: view.preview.text.toPlainText() == "belongs elsewhere")


def test_a_saved_copy_is_warned_about_and_is_the_file(office: Office, practice: Practice, opened: Any, tmp_path: Path) -> None:
    _, view, patient = opened
    content = pdf("Take me home")
    number = put(practice, patient, content, "Letter: eye/ear")
    office.until(lambda: view.table.select(number))
    office.until(lambda: view.preview.content == content)
    office.click(view.preview.save_button)
    sheet = office.sheet(LeavesTheSafeSheet)
    office.click(sheet.verb_button)
    office.until(lambda: view.preview.dialog is not None)
    assert view.preview.dialog.selectedFiles()[0].endswith("Letter_ eye_ear.pdf")
    view.preview.dialog.reject()
    view.preview.save_to(tmp_path / "copy.pdf", content, view.preview.row)
    office.until(lambda: (tmp_path / "copy.pdf").exists() and (tmp_path / "copy.pdf").read_bytes() == content)


def test_a_copy_is_annotated_by_mouse_and_by_keys(office: Office, practice: Practice, opened: Any) -> None:
    _, view, patient = opened
    original = pdf("Original", 2)
    number = put(practice, patient, original, "Letter")
    office.until(lambda: view.table.select(number))
    office.until(lambda: view.preview.content == original)
    office.click(view.preview.annotate_button)
    sheet = office.sheet(AnnotateSheet)
    board = sheet.board
    office.until(lambda: not board.picture.isNull())
    office.click(sheet.verb_button)
    office.until(sheet.problem.isVisible)
    assert "at least one mark" in sheet.problem.words.text()
    board.setFocus()
    office.keys("a")
    assert [m.kind for m in board.marks] == ["arrow"]
    before = board.marks[0].points[0]
    office.keys(Qt.Key.Key_Right, Qt.Key.Key_Down)
    assert board.marks[0].points[0][0] > before[0] and board.marks[0].points[0][1] > before[1]
    office.keys("r")
    remark = office.sheet(RemarkSheet)
    office.fill(remark.form.editor("words"), "Compare with May")
    office.click(remark.verb_button)
    office.gone(remark)
    office.click(sheet.findChild(QWidget, "box"))
    start, end = board.point_at((0.2, 0.2)).toPoint(), board.point_at((0.6, 0.4)).toPoint()
    QTest.mousePress(board, LEFT, NONE, start)
    QTest.mouseMove(board, end)
    QTest.mouseRelease(board, LEFT, NONE, end)
    assert [m.kind for m in board.marks] == ["arrow", "text", "box"]
    sheet.go_to(1)
    office.until(lambda: board.page == 1)
    office.keys("b")
    office.keys(Qt.Key.Key_Delete)
    assert len(board.marks) == 3
    sheet.reject()
    assert sheet.isVisible() and "not saved" in sheet.problem.words.text(), "marks are not lost by Esc"
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: len(view.table.rows) == 2)
    copy = view.table.rows[0]
    assert copy.copy_of == number and copy.title == "Letter, annotated"
    with practice.read("dora") as session:
        assert attachments.content(session, number) == original
    assert annotating.MOST == 200
    assert office.theme.font().pixelSize() == office.theme.px("body"), "drawing a remark leaves the application's font alone"


def test_a_list_that_cannot_be_read_never_says_there_is_nothing(office: Office, opened: Any) -> None:
    _, view, _ = opened
    view.say_unreadable(Unavailable("documents", "The list cannot be read now."))
    assert "No documents yet" not in view.table._empty._sentence.text()  # type: ignore[union-attr]
