"""Annotate a copy: remarks, arrows, boxes and strokes over the pages of a document, kept as a new document beside it."""

from __future__ import annotations

from functools import partial
from typing import cast

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QButtonGroup, QPushButton, QWidget

from clinicdesk.rules.marks import LONGEST, MarkKind, Point
from clinicdesk.services import annotating
from clinicdesk.services.annotating import NewCopy
from clinicdesk.services.attachments import AttachmentRow
from ui.desk import Desk
from ui.printing import page_sizes, render_pages
from ui.widgets.form import Form
from ui.widgets.mark_board import MarkBoard
from ui.widgets.picture_preview import picture_of
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, icon_button, label, row

_TOOLS: tuple[tuple[MarkKind, str, str], ...] = (
    ("text", "Remark", "Click where it shall stand  (R)"), ("arrow", "Arrow", "Drag from its tail to its point  (A)"),
    ("box", "Box", "Drag from corner to corner  (B)"), ("stroke", "Pen", "Draw freely with the mouse"))
_DPI = 130


class AnnotateSheet(Sheet):
    """Shows the pages of `content`, which is the document of `row`."""

    def __init__(self, desk: Desk, document: AttachmentRow, content: bytes, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Annotate a copy", "Keep the copy", parent=parent, key="annotate", size=QSize(900, 740))
        self._row, self._content, self._pages = document, content, 1
        self._kept = NewCopy(document.id, "", ())
        self.board = MarkBoard(desk.theme)
        self.board.words_wanted.connect(self._ask_words)
        self.board.changed.connect(self.problem.clear)
        self.tools = QButtonGroup(self)
        buttons: list[QWidget | int | None] = []
        for kind, words, tip in _TOOLS:
            tool = button(words, partial(self._take, kind), tip=tip)
            tool.setCheckable(True)
            tool.setObjectName(kind)
            tool.setChecked(kind == "text")
            self.tools.addButton(tool)
            buttons.append(tool)
        self.take_away_button = button("Take away", self.board.take_away, variant="quiet", icon="undo", theme=desk.theme,
                                       tip="The chosen mark, else the last  (Del)")
        self.back = icon_button(desk.theme, "left", "Page before", lambda: self.go_to(self.board.page - 1), shortcut="PgUp")
        self.forth = icon_button(desk.theme, "right", "Next page", lambda: self.go_to(self.board.page + 1), shortcut="PgDown")
        self.place = label("", "soft")
        self.body.addLayout(row(*buttons, 8, self.take_away_button, None, self.back, self.place, self.forth, spacing=4))
        self.body.addWidget(self.board, 1)
        form = self.set_form(Form())
        form.text("title", "Title of the copy", limit=200)
        form.set_values({"title": f"{document.title[:188]}, annotated"})
        self.board.setFocus()
        if document.kind == "pdf":
            desk.pool.run(self, lambda: len(page_sizes(content)), self._counted, self.show_problem)
        else:
            desk.pool.run(self, lambda: picture_of(content), partial(self._show, 0), self.show_problem, replaces="page")

    @property
    def dirty(self) -> bool:
        """Marks are lost by closing."""
        return bool(self.board.marks)

    def go_to(self, page: int) -> None:
        """Show another page, from 0."""
        if 0 <= page < self._pages and self._row.kind == "pdf":
            content = self._content
            self.desk.pool.run(self, lambda: render_pages(content, _DPI, range(page, page + 1))[0], partial(self._show, page),
                               self.show_problem, replaces="page")

    def submit(self) -> None:
        """Keep the copy; the same one again is not kept twice."""
        assert self.form is not None  # noqa: S101  built in __init__
        new = NewCopy(self._row.id, self.form.value("title"), tuple(self.board.marks), self._kept.id)
        self.desk.do(self, annotating.keep_copy, new, done=lambda _id: self._done(), failed=self.show_problem)

    def _done(self) -> None:
        self.board.marks.clear()
        self.desk.tell("The annotated copy is kept beside the original.")
        self.accept()

    def _counted(self, pages: int) -> None:
        self._pages = pages
        self.go_to(0)

    def _show(self, page: int, picture: QImage) -> None:
        self.board.show_page(page, picture)
        self.place.setText(f"Page {page + 1} of {self._pages}")
        self.back.setEnabled(page > 0)
        self.forth.setEnabled(page + 1 < self._pages)

    def _take(self, kind: MarkKind) -> None:
        self.board.tool = kind
        cast("QPushButton", self.findChild(QPushButton, kind)).setChecked(True)
        self.board.setFocus(Qt.FocusReason.OtherFocusReason)

    def _ask_words(self, place: Point) -> None:
        RemarkSheet(self.desk, self.board, place, parent=self).open()


class RemarkSheet(Sheet):
    """The words of one remark."""

    def __init__(self, desk: Desk, board: MarkBoard, place: Point, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Remark", "Put it there", parent=parent, key="remark", size=QSize(420, 260))
        self._board, self._place = board, place
        form = self.set_form(Form())
        form.paragraph("words", "Words", limit=LONGEST)
        form.mark_clean()
        form.editor("words").setFocus()

    def submit(self) -> None:
        """Put it on the page."""
        assert self.form is not None  # noqa: S101  built in __init__
        words = self.form.value("words").strip()
        if not 1 <= len(words) <= LONGEST:
            self.set_busy(False)
            self.form.show_error("words", f"A remark has 1 to {LONGEST} characters.")
            return
        self._board.put("text", (self._place,), words)
        self.accept()
        self._board.setFocus()
