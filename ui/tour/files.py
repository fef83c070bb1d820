"""Documents and immunizations: a letter and a photo are attached, looked at, annotated on a copy; a vaccination and a refused one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QBuffer, QIODevice, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QRadialGradient
from PySide6.QtWidgets import QLineEdit, QPushButton

from clinicdesk.pdf.plain import text_sheet
from clinicdesk.services import attachments
from ui.dialogs.annotating import AnnotateSheet, RemarkSheet
from ui.dialogs.files import FilesSheet, Source
from ui.dialogs.immunization import ImmunizationSheet
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "doctor"
LETTER = ("City Hospital, eye clinic\n\nDear colleague,\n\nthank you for sending us this patient. The fundus is unremarkable on both sides;"
          " the pressure is 14 and 15 millimetres of mercury.\n\nWe suggest another look in twelve months.\n\nDr Eva Braun-Lund")


def walk(w: Walk) -> None:
    """All steps; the chart of the last consultation is open."""
    step = w.guide.step
    step(ROLE, "attaches a letter and a photo; a program that calls itself a PDF is refused by its content", lambda: _attach(w))
    step(ROLE, "looks at the photo and puts marks over a copy of the letter; the original stays as it was", lambda: _annotate(w))
    step(ROLE, "records a vaccination by its year and one that was refused", lambda: _immunize(w))


def _photo() -> bytes:
    """Skin with a red mark: painted, of nobody."""
    image = QImage(900, 640, QImage.Format.Format_RGB32)
    image.fill(QColor("#E3B59A"))
    painter = QPainter(image)
    glow = QRadialGradient(QPointF(470, 300), 150)
    glow.setColorAt(0, QColor("#A8443C"))
    glow.setColorAt(1, QColor("#E3B59A"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(glow)
    painter.drawEllipse(QPointF(470, 300), 170, 120)
    painter.end()
    room = QBuffer()
    room.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(room, "PNG")  # type: ignore[call-overload]
    return bytes(room.data().data())


def _view(w: Walk) -> Any:
    room = w.panel("dora", "consulting")
    room.chart.tabs.setCurrentWidget(room.chart.attachments)
    w.guide.settle()
    return room.chart.attachments


def _attach(w: Walk) -> None:
    view = _view(w)
    letter, photo, trick = text_sheet(LETTER), _photo(), b"MZ\x90\x00" + b"\0" * 400
    view.add([Source(name, len(content), None, content)
              for name, content in (("eye-clinic.pdf", letter), ("forearm.png", photo), ("invoice.pdf", trick))])
    sheet = w.guide.dialog(FilesSheet)
    w.guide.fill(sheet.lines[0].title, "Letter of the eye clinic")
    w.guide.fill(sheet.lines[1].title, "Redness of the left forearm")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: [line.state for line in sheet.lines] == ["stored", "stored", "refused"], "each file says what became of it")
    w.guide.picture(sheet, "documents-added")
    w.guide.click(sheet.cancel_button)
    w.guide.until(lambda: len(view.table.rows) == 2, "both are listed")
    w.guide.until(lambda: all(row.delivered for row in view.table.rows), "both are in the document server", patience=60)


def _annotate(w: Walk) -> None:
    view = _view(w)
    photo = next(row for row in view.table.rows if row.kind == "png")
    letter = next(row for row in view.table.rows if row.kind == "pdf")
    view.table.select(photo.id)
    w.guide.until(lambda: view.preview.stack.currentWidget() is view.preview.picture, "the photo is shown")
    w.guide.picture(w.windows["dora"], "document-photo")
    view.table.select(letter.id)
    w.guide.until(lambda: view.preview.content.startswith(b"%PDF"), "the letter is shown")
    before = view.preview.content
    w.guide.click(view.preview.annotate_button)
    sheet = w.guide.dialog(AnnotateSheet)
    w.guide.until(lambda: not sheet.board.picture.isNull(), "its page is shown")
    sheet.board.words_wanted.emit((0.45, 0.32))
    remark = w.guide.dialog(RemarkSheet)
    if remark.form is None:
        raise TourFailed("the remark has no form")
    w.guide.fill(remark.form.editor("words"), "Appointment made for next November.")
    w.guide.click(remark.verb_button)
    w.guide.until(lambda: len(sheet.board.marks) == 1, "the remark is on the page")
    sheet.board.put("arrow", ((0.46, 0.31), (0.36, 0.19)))
    sheet.board.put("box", ((0.06, 0.16), (0.45, 0.187)))
    w.guide.picture(sheet, "document-annotated")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: any(row.copy_of == letter.id for row in view.table.rows), "the copy stands beside it")
    copy = next(row for row in view.table.rows if row.copy_of == letter.id)
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        if attachments.content(session, letter.id) != before:
            raise TourFailed("the original changed")
        w.guide.pdf(attachments.content(session, copy.id), "annotated-copy")
    view.table.select(copy.id)
    w.guide.until(lambda: view.preview.row is not None and view.preview.row.id == copy.id and view.preview.content, "the copy opens")
    w.guide.picture(w.windows["dora"], "documents")


def _immunize(w: Walk) -> None:
    room = w.panel("dora", "consulting")
    room.chart.tabs.setCurrentIndex(0)
    for vaccine, given, reason in (("Tetanus and diphtheria, adult", "2021", ""), ("Influenza", "", "refused")):
        found = room.chart.findChildren(QPushButton, "add-immunization")
        w.guide.click(found[-1])
        sheet = w.guide.dialog(ImmunizationSheet)
        if sheet.form is None:
            raise TourFailed("the immunization has no form")
        w.guide.fill(sheet.form.editor("vaccine"), vaccine)
        editor = sheet.form.editor("given")
        if given and isinstance(editor, QLineEdit):
            w.guide.fill(editor, given)
            sheet.form.set_value("source", "reported")
        sheet.form.set_value("reason", reason)
        w.guide.picture(sheet, "immunization-refused" if reason else "immunization")
        w.guide.click(sheet.verb_button)
        w.guide.gone(sheet, "it is recorded")
        w.guide.settle()
    room.chart.findChildren(QPushButton, "add-immunization")[-1].setFocus()
    w.guide.settle()
    w.guide.picture(w.windows["dora"], "immunizations")
