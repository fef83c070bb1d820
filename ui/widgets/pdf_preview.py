"""A PDF to look at: pages below each other, drawn as they come into sight, zoom, page x of y, and Print and Save beside them.

Keys: PgUp/PgDn a page · Home/End first and last · + and - zoom · W whole width · P whole page · Ctrl+P print · Ctrl+S save.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from clinicdesk.whole_files import write_whole
from ui.printing import PRINT_DPI, PageSize, draw_on_printer, page_sizes, printers, render_pages, send_to_spooler, spooler
from ui.problems import explain
from ui.tasks import Pool
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.text import button, icon_button, label

_GAP, _LEAST, _MOST = 14, 0.25, 4.0


class PdfPreview(QWidget):
    """`show_pdf(bytes, file name)`. Signals: `printed(printer)`, `saved(path)`, `refused(sentence)`; the sentence is shown here too."""

    printed = Signal(str)
    saved = Signal(object)
    refused = Signal(str)

    def __init__(self, theme: Theme, pool: Pool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._pool = theme, pool
        self.pdf, self.file_name = b"", "document.pdf"
        self.secret = False  #: a saved file can be read by its owner alone
        self._sizes: list[PageSize] = []
        self._fit: Literal["width", "page", ""] = "width"
        self._scale = 1.0
        self._pages = _Pages(theme)
        self.area = QScrollArea()
        self.area.setWidget(self._pages)
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # so that its coming does not change the width
        self.area.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.area.setAccessibleName(self.tr("Document"))
        self.area.verticalScrollBar().valueChanged.connect(self._scrolled)
        self.place = label("", "soft")
        self.words = label("", "warning", wrap=True)
        self.print_button = button(self.tr("Print"), self.print_it, variant="primary", icon="print", theme=theme, shortcut="Ctrl+P")
        self.save_button = button(self.tr("Save as…"), self.save_as, icon="save", theme=theme, shortcut="Ctrl+S")
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(80)
        self._again.timeout.connect(self._render)
        top = QHBoxLayout()
        top.setContentsMargins(4, 4, 4, 0)
        top.setSpacing(4)
        for name, words, act in (("zoom_out", self.tr("Smaller  (-)"), lambda: self.zoom(1 / 1.25)),
                                 ("zoom_in", self.tr("Larger  (+)"), lambda: self.zoom(1.25)),
                                 ("fit_width", self.tr("Whole width  (W)"), lambda: self.fit("width")),
                                 ("fit_page", self.tr("Whole page  (P)"), lambda: self.fit("page"))):
            top.addWidget(icon_button(theme, name, words, act))
        top.addSpacing(8)
        top.addWidget(self.place)
        top.addWidget(self.words, 1)
        top.addWidget(self.save_button)
        top.addSpacing(4)
        top.addWidget(self.print_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(self.area, 1)
        self.setFocusProxy(self.area)
        self.area.installEventFilter(self)

    def show_pdf(self, pdf: bytes, file_name: str = "document.pdf") -> None:
        """Show these bytes; `file_name` is offered for saving."""
        self.pdf, self.file_name = pdf, file_name
        self._sizes = []
        self._pages.show_pictures({})
        self._say("")
        self._pool.run(self, lambda: page_sizes(pdf), self._measured, self._refused, replaces="sizes")

    def fit(self, what: Literal["width", "page"]) -> None:
        """Make the page as wide as the window, or wholly visible."""
        self._fit = what
        self._lay_out()

    def zoom(self, factor: float) -> None:
        """Larger or smaller."""
        self._fit = ""
        self._scale = max(_LEAST, min(_MOST, self._scale * factor))
        self._lay_out()

    @property
    def page(self) -> int:
        """The page in the middle of the window, from 1."""
        middle = self.area.verticalScrollBar().value() + self.area.viewport().height() // 2
        return sum(1 for rect in self._pages.rects if rect.top() <= middle) or 1

    def go_to(self, page: int) -> None:
        """Scroll to a page, from 1."""
        if self._pages.rects:
            rect = self._pages.rects[max(0, min(len(self._pages.rects), page) - 1)]
            self.area.verticalScrollBar().setValue(rect.top() - _GAP)

    def print_it(self) -> None:
        """Print on the only printer, or offer the printers; with none say so and point to saving."""
        found = printers()
        if not found:
            self._say(self.tr("No printer is set up on this computer. Save the document instead."))
            self.save_button.setFocus()
        elif len(found) == 1:
            self.print_on(found[0])
        else:
            menu = QMenu(self)
            for name in found:
                menu.addAction(self._theme.icon("print"), name, lambda name=name: self.print_on(name))
            menu.aboutToHide.connect(lambda: QTimer.singleShot(0, menu, menu.deleteLater))
            menu.popup(self.print_button.mapToGlobal(QPoint(0, self.print_button.height())))

    def print_on(self, printer: str) -> None:
        """Send the document to a printer: the bytes as they are where there is a spooler, else drawn."""
        pdf, sizes = self.pdf, self._sizes
        self.print_button.setEnabled(False)
        self._say(self.tr("Sending to {0}…").format(printer))
        if spooler() is not None:
            self._pool.run(self, lambda: send_to_spooler(pdf, printer), lambda _r: self._sent(printer), self._refused, keep=True)
        else:
            def drawn(pictures: list[QImage]) -> None:
                try:
                    draw_on_printer(pictures, sizes, printer)
                except Exception as error:  # noqa: BLE001  explained like any other
                    self._refused(error)
                else:
                    self._sent(printer)

            self._pool.run(self, lambda: render_pages(pdf, PRINT_DPI), drawn, self._refused)

    def save_as(self) -> None:
        """Ask where, and write the bytes there."""
        dialog = QFileDialog(self, self.tr("Save document"), self.file_name, self.tr("PDF documents (*.pdf)"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("pdf")
        dialog.fileSelected.connect(lambda path: self.save_to(Path(path)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def save_to(self, path: Path) -> None:
        """Write the bytes to a file."""
        try:
            if self.secret:
                write_whole(path, self.pdf)
            else:
                path.write_bytes(self.pdf)
        except OSError as error:
            sentence = self.tr("The document could not be saved there: {0}.").format(error.strerror or type(error).__name__)
            self._say(sentence)
            self.refused.emit(sentence)
            return
        self._say(self.tr("Saved as {0}.").format(path.name))
        self.saved.emit(path)

    def _measured(self, sizes: list[PageSize]) -> None:
        self._sizes = sizes
        self.area.verticalScrollBar().setValue(0)
        self._lay_out()

    def _lay_out(self) -> None:
        if not self._sizes:
            return
        room = self.area.viewport().size()
        widest = max(size.width for size in self._sizes) * 96 / 72
        tallest = max(size.height for size in self._sizes) * 96 / 72
        if self._fit:
            wide = (room.width() - 2 * _GAP) / widest
            self._scale = max(_LEAST, min(_MOST, wide if self._fit == "width" else min(wide, (room.height() - 2 * _GAP) / tallest)))
        self._pages.lay_out(self._sizes, self._scale, room.width())
        self._say_page()
        self._again.start()

    @Slot()
    def _render(self) -> None:
        """Pages in sight and one on either side: a scan of 300 pages would fill the memory at once."""
        pdf, dpi, wanted = self.pdf, 96 * self._scale * self.devicePixelRatioF(), self._in_sight()

        def drawn(pictures: list[QImage]) -> None:
            if pdf is self.pdf:
                self._pages.show_pictures(dict(zip(wanted, pictures, strict=True)))

        if wanted:
            self._pool.run(self, lambda: render_pages(pdf, dpi, wanted), drawn, self._refused, replaces="render")

    def _in_sight(self) -> range:
        top = self.area.verticalScrollBar().value()
        bottom = top + self.area.viewport().height()
        seen = [number for number, rect in enumerate(self._pages.rects) if rect.bottom() >= top and rect.top() <= bottom] or [0]
        return range(max(0, seen[0] - 1), min(len(self._sizes), seen[-1] + 2))

    @Slot(int)
    def _scrolled(self, _value: int) -> None:
        self._say_page()
        if not all(number in self._pages.pictures for number in self._in_sight()):
            self._again.start()

    def _sent(self, printer: str) -> None:
        self.print_button.setEnabled(True)
        self._say(self.tr("Sent to {0}.").format(printer))
        self.printed.emit(printer)

    def _refused(self, error: Exception) -> None:
        self.print_button.setEnabled(True)
        self._say(explain(error).text)
        self.refused.emit(self.words.text())

    def _say(self, sentence: str) -> None:
        self.words.setText(sentence)
        if sentence:
            announce(self, sentence)

    def _say_page(self) -> None:
        self.place.setText(self.tr("Page {0} of {1}").format(self.page, len(self._sizes)) if self._sizes else "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, text = event.key(), event.text().lower()
        pages = {Qt.Key.Key_PageDown: self.page + 1, Qt.Key.Key_PageUp: self.page - 1, Qt.Key.Key_Home: 1, Qt.Key.Key_End: len(self._sizes)}
        if Qt.Key(key) in pages:
            self.go_to(pages[Qt.Key(key)])
        elif text in ("+", "="):
            self.zoom(1.25)
        elif text == "-":
            self.zoom(1 / 1.25)
        elif text in ("w", "p"):
            self.fit("width" if text == "w" else "page")
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: object, event: object) -> bool:
        if watched is self.area and isinstance(event, QKeyEvent) and event.type() == QKeyEvent.Type.KeyPress and event.key() in (
                Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_Home, Qt.Key.Key_End):
            self.keyPressEvent(event)
            return True
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()


class _Pages(QWidget):
    """The pages, white on the canvas; blank until their picture is there."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.rects: list[QRect] = []
        self.pictures: dict[int, QImage] = {}

    def lay_out(self, sizes: list[PageSize], scale: float, room: int) -> None:
        """Place pages of these sizes below each other."""
        zoom = scale * 96 / 72
        shapes = [QSize(round(size.width * zoom), round(size.height * zoom)) for size in sizes]
        width = max(room, max(shape.width() for shape in shapes) + 2 * _GAP)
        top = _GAP
        self.rects = []
        for shape in shapes:
            self.rects.append(QRect(QPoint((width - shape.width()) // 2, top), shape))
            top += shape.height() + _GAP
        self.setFixedSize(width, top)
        self.update()

    def show_pictures(self, pictures: dict[int, QImage]) -> None:
        """The rendered pages, by number, are there; others are let go."""
        self.pictures = pictures
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(event.rect(), self._theme.color("sunken"))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        for number, rect in enumerate(self.rects):
            if rect.intersects(event.rect()):
                painter.fillRect(rect, Qt.GlobalColor.white)
                if number in self.pictures:
                    painter.drawImage(rect, self.pictures[number])
                painter.setPen(self._theme.color("line"))
                painter.drawRect(rect.adjusted(-1, -1, 0, 0))
        painter.end()
