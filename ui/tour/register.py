"""The register: found with slips, who it might be while typing, merge and separate, a photo, tags on many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter
from PySide6.QtWidgets import QPushButton

from ui.dialogs.duplicates import DuplicatesSheet
from ui.dialogs.merging import ConfirmMerge, MergeSheet, SeparateSheet
from ui.dialogs.patient import PatientSheet
from ui.dialogs.tagging import TagSheet
from ui.tour.guide import TourFailed
from ui.widgets.likeness import LikelyPeople

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "receptionist"


def walk(w: Walk) -> None:
    """All steps in order; they leave the clinic as they found it but for a photo and a tag."""
    step = w.guide.step
    step(ROLE, "finds a patient although two letters are wrong", lambda: _find_with_slips(w))
    step(ROLE, "is told while typing who it might be already, and why", lambda: _who_it_might_be(w))
    step(ROLE, "sees who looks registered twice, and what a merge would show together", lambda: _merge_preview(w))
    step(ROLE, "merges the two records; one patient is shown, the old record points to it", lambda: _merge(w))
    step(ROLE, "separates them again: both are as they were", lambda: _separate(w))
    step(ROLE, "pastes a photo; it stands beside the name", lambda: _photo(w))
    step(ROLE, "tags several patients at once and narrows the list to the tag", lambda: _tag_many(w))


def _panel(w: Walk) -> Any:
    panel = w.panel("rita", "patients")
    panel.find_box.clear()
    panel.refresh()
    w.guide.settle()
    return panel


def _find_with_slips(w: Walk) -> None:
    window, patient = w.windows["rita"], w.found["patient"]
    window.find_box.setFocus()
    w.guide.keys(window.find_box, "Teztta auroa")
    w.guide.until(lambda: [hit.record.id for hit in window.find_box.hits.shown if hit.record] == [patient.id], "she is found all the same")
    w.guide.picture(window, "find-with-slips")
    window.find_box.clear()
    window.find_box.hits.close_list()


def _type_her_again(w: Walk, panel: Any) -> PatientSheet:
    w.guide.click(panel.register_button)
    sheet = w.guide.dialog(PatientSheet)
    if sheet.form is None:
        raise TourFailed("the registration has no form")
    for field, text in (("first_name", "Aurora"), ("last_name", "Tesda"), ("born", "5 March 1984"), ("phone", "+44 7700 955132")):
        w.guide.fill(sheet.form.editor(field), text)
    sheet.form.set_value("sex", "F")
    w.guide.until(sheet.likely.isVisible, "who it might be appears")
    w.guide.until(lambda: _shown(sheet.likely, "Day and month of birth are swapped"), "the reasons are in words")
    return sheet


def _shown(card: LikelyPeople, words: str) -> bool:
    return any(words in reason for candidate in card.candidates for reason in candidate.reasons)


def _who_it_might_be(w: Walk) -> None:
    panel = _panel(w)
    sheet = _type_her_again(w, panel)
    w.guide.picture(w.windows["rita"], "might-be-the-same")
    w.guide.fact("score", sheet.likely.candidates[0].score)
    w.guide.click(sheet.verb_button)  # she is in a hurry and registers her all the same
    w.guide.gone(sheet, "the sheet closes")
    w.guide.until(lambda: panel.card is not None and panel.card.last_name == "Tesda", "the second record is shown")
    w.found["twice"] = panel.card.id
    bar = w.windows["rita"].find_box  # and books her, so that there is something to move
    w.guide.fill(bar, "book tesda in 2 days 11:20 dr elena")
    w.guide.until(lambda: bar.hits.isVisible() and bar.hits.shown and bar.hits.shown[0].title.startswith(("Book Tesda", "Instead: Tesda")),
                  "the booking is shown first")
    if bar.hits.shown[0].icon == "warning":  # somebody has that time: the nearest one
        w.guide.keys(bar, Qt.Key.Key_Down)
    w.guide.keys(bar, Qt.Key.Key_Return)
    w.guide.until(lambda: "Tesda, Aurora is booked" in w.windows["rita"].toasts.sentence, "she is booked by the command bar")


def _merge_preview(w: Walk) -> None:
    panel = _panel(w)
    kept = w.found["patient"].id
    w.guide.click(panel.duplicates_button)
    listed = w.guide.dialog(DuplicatesSheet)
    pair = sorted((kept, w.found["twice"]))
    w.guide.until(lambda: listed.table.select(tuple(pair)), "the two are listed")
    w.guide.picture(w.windows["rita"], "possible-duplicates")
    w.guide.click(listed.verb_button)
    sheet = w.guide.dialog(MergeSheet)
    w.guide.until(lambda: sheet.preview is not None, "the preview is read")
    if sheet.preview is not None and sheet.preview.kept.id != kept:
        w.guide.click(sheet.swap_button)
        w.guide.until(lambda: sheet.preview is not None and sheet.preview.kept.id == kept, "the other one is kept")
    w.guide.picture(w.windows["rita"], "merge-preview")
    w.found["merging"] = sheet


def _merge(w: Walk) -> None:
    panel, sheet = w.panel("rita", "patients"), w.found["merging"]
    w.guide.click(sheet.verb_button)
    confirm = w.guide.dialog(ConfirmMerge)
    w.guide.picture(confirm, "merge-confirm")
    w.guide.click(confirm.verb_button)
    w.guide.gone(sheet, "the records are merged")
    w.guide.until(lambda: panel.card is not None and panel.card.id == w.found["patient"].id, "the kept record is shown")
    w.guide.picture(w.windows["rita"], "merged")
    panel.show_topic("patient", w.found["twice"])
    w.guide.until(lambda: panel.card is not None and panel.card.id == w.found["twice"], "the old record opens")
    w.guide.picture(w.windows["rita"], "merged-old-record")


def _separate(w: Walk) -> None:
    panel = w.panel("rita", "patients")
    w.guide.click(next(b for b in panel.findChildren(QPushButton) if b.text() == "Separate …" and b.isVisible()))
    sheet = w.guide.dialog(SeparateSheet)
    w.guide.until(lambda: sheet.plan is not None, "what happened since is read")
    w.guide.picture(w.windows["rita"], "separate")
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "they are separated")
    w.guide.until(lambda: panel.card is not None and panel.edit_button.isEnabled(), "the second record can be changed again")
    w.guide.picture(w.windows["rita"], "separated")


def _photo(w: Walk) -> None:
    panel = _panel(w)
    panel.show_topic("patient", w.found["patient"].id)
    w.guide.until(lambda: panel.card is not None and panel.card.id == w.found["patient"].id, "she is shown")
    w.guide.settle()
    QGuiApplication.clipboard().setImage(_drawn_face())
    w.guide.click(panel.photo)
    w.guide.until(panel.photo.menu.isVisible, "the photo offers where it may come from")
    panel.photo.menu.close()
    panel.photo.paste()
    w.guide.until(lambda: not panel.photo.picture.isNull(), "the photo is kept")
    w.guide.picture(w.windows["rita"], "photo")


def _drawn_face() -> QImage:
    """Nobody's face, drawn."""
    image = QImage(800, 800, QImage.Format.Format_RGB32)
    image.fill(0xFFB9CBD6)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for colour, box in (("#5B4636", QRectF(210, 120, 380, 430)), ("#2F6F73", QRectF(130, 590, 540, 420)),
                        ("#E9C3A3", QRectF(250, 180, 300, 380))):
        painter.setPen(QColor(colour))
        painter.setBrush(QColor(colour))
        painter.drawEllipse(box)
    painter.setPen(QColor("#3A2D24"))
    painter.setBrush(QColor("#3A2D24"))
    for x in (340, 460):
        painter.drawEllipse(QPointF(x, 350), 16, 20)
    painter.drawArc(QRectF(340, 400, 120, 80), 200 * 16, 140 * 16)
    painter.end()
    return image


def _tag_many(w: Walk) -> None:
    panel = _panel(w)
    panel.table.selectRow(0)
    shift = Qt.KeyboardModifier.ShiftModifier
    w.guide.keys(panel.table, (Qt.Key.Key_Down, shift), (Qt.Key.Key_Down, shift))
    rows = panel.table.selection()
    if len(rows) != 3:
        raise TourFailed(f"three patients are selected, not {len(rows)}")
    panel.bulk.tag([row.id for row in rows])
    sheet = w.guide.dialog(TagSheet)
    if sheet.form is None:
        raise TourFailed("there is no field for the tag")
    w.guide.fill(sheet.form.editor("tags"), "flu letter 2026")
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "they are tagged")
    panel.tag_filter.choose("flu letter 2026")
    w.guide.until(lambda: len(panel.table.rows) == len(rows), "the list is narrowed to the tag")
    w.guide.picture(w.windows["rita"], "tagged")
    panel.tag_filter.choose("")
    w.guide.settle()

