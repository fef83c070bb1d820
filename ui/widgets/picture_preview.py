"""A picture to look at: as wide as its place or at its own size. Keys: + and - zoom · W whole width · P whole picture."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QKeyEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from ui.theme import Theme
from ui.widgets.text import icon_button, label, row

_LEAST, _MOST = 0.05, 8.0


def picture_of(content: bytes) -> QImage:
    """The picture upright, as its camera meant it; a null image when it cannot be read. Any thread."""
    room = QBuffer()
    room.setData(QByteArray(content))
    room.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(room)
    reader.setAutoTransform(True)
    return reader.read()


class PicturePreview(QWidget):
    """`show_picture(QImage)`."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture, self._scale, self._fit = QImage(), 1.0, "page"
        self._shown = QLabel()
        self._shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.area = QScrollArea()
        self.area.setWidget(self._shown)
        self.area.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.area.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.area.setAccessibleName("Picture")
        self.place = label("", "soft")
        tools = row(
            icon_button(theme, "zoom_out", "Smaller  (-)", lambda: self.zoom(1 / 1.25)),
            icon_button(theme, "zoom_in", "Larger  (+)", lambda: self.zoom(1.25)),
            icon_button(theme, "fit_width", "Whole width  (W)", lambda: self.fit("width")),
            icon_button(theme, "fit_page", "Whole picture  (P)", lambda: self.fit("page")),
            8, self.place, None, spacing=4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(tools)
        layout.addWidget(self.area, 1)
        self.setFocusProxy(self.area)

    def show_picture(self, picture: QImage) -> None:
        """Show this one whole."""
        self.picture, self._fit = picture, "page"
        self._lay_out()

    def fit(self, what: str) -> None:
        """`width` or `page`."""
        self._fit = what
        self._lay_out()

    def zoom(self, factor: float) -> None:
        """Larger or smaller."""
        self._fit = ""
        self._scale = max(_LEAST, min(_MOST, self._scale * factor))
        self._lay_out()

    def _lay_out(self) -> None:
        if self.picture.isNull():
            self._shown.clear()
            self.place.setText("")
            return
        room, size = self.area.maximumViewportSize(), self.picture.size()
        if self._fit:
            wide, high = room.width() / size.width(), room.height() / size.height()
            self._scale = max(_LEAST, min(1.0, wide if self._fit == "width" else min(wide, high)))
        wanted = QSize(max(1, round(size.width() * self._scale)), max(1, round(size.height() * self._scale)))
        ratio = self.devicePixelRatioF()
        drawn = QPixmap.fromImage(self.picture.scaled(wanted * ratio, Qt.AspectRatioMode.IgnoreAspectRatio,
                                                      Qt.TransformationMode.SmoothTransformation))
        drawn.setDevicePixelRatio(ratio)
        self._shown.setPixmap(drawn)
        self._shown.resize(wanted)
        self.place.setText(f"{size.width()} × {size.height()}, {self._scale * 100:.0f} %")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = event.text().lower()
        if text in ("+", "=", "-"):
            self.zoom(1 / 1.25 if text == "-" else 1.25)
        elif text in ("w", "p"):
            self.fit("width" if text == "w" else "page")
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fit:
            self._lay_out()
