"""A patient's photo beside her banner or name, never inside it: the banner's content is fixed (clinical-safety § 1.1)."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QRectF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QFileDialog, QMenu, QSizePolicy, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.services import photos
from ui.desk import Desk


def keep_photo(desk: Desk, owner: QWidget, patient_id: str, content: bytes, words: str = "The photo is kept.") -> None:
    """Keep a picture as the patient's photo; the toast takes it back."""

    def done(before: bytes | None) -> None:
        if before is None:
            desk.tell(words, partial(remove_photo, desk, owner, patient_id))
        else:
            desk.tell(words, partial(keep_photo, desk, owner, patient_id, before, "The earlier photo is back."))

    desk.do(owner, photos.put, patient_id, content, done=done)


def remove_photo(desk: Desk, owner: QWidget, patient_id: str) -> None:
    """Take a patient's photo away; the toast puts it back."""

    def done(before: bytes | None) -> None:
        if before is not None:
            desk.tell("The photo is removed.", partial(keep_photo, desk, owner, patient_id, before, "The photo is back."))

    desk.do(owner, photos.remove, patient_id, done=done)


class PhotoBox(QAbstractButton):
    """Shows the photo of one patient; pressed, it offers to change or remove it when `changeable`. What it changes is written in the name
    of `owner`, which outlives it: a panel makes the box anew each time it reads the patient.

    There is no camera here: the Qt of this application comes without QtMultimedia. A picture taken elsewhere is pasted or chosen.
    """

    def __init__(self, desk: Desk, owner: QWidget, *, side: int = 72, changeable: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._owner = owner
        self.desk, self._side, self._changeable = desk, side, changeable
        self.patient_id = ""
        self.picture = QImage()
        self.dialog: QFileDialog | None = None
        self.menu = QMenu(self)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if changeable else Qt.FocusPolicy.NoFocus)
        self._say()
        if changeable:
            self.clicked.connect(self._offer)
        desk.theme.changed.connect(self.update)

    def show_patient(self, patient_id: str) -> None:
        """Read the photo of this patient; nothing of another one stays meanwhile."""
        if patient_id != self.patient_id:
            self._show(None)
        self.patient_id = patient_id
        if patient_id:
            self.desk.ask(self, photos.of, patient_id, done=self._show, failed=lambda _e: self._show(None), replaces="photo")

    def choose_file(self) -> None:
        """From a PNG or JPEG file."""
        self.dialog = QFileDialog(self.window(), "Choose a photo", "", "Pictures (*.png *.jpg *.jpeg);;All files (*)")
        self.dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self.dialog.fileSelected.connect(self.use_file)
        self.dialog.open()

    def use_file(self, path: str) -> None:
        """Keep the picture in this file."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            self.desk.report(Invalid("photo", f"This file cannot be read: {error.strerror}."))
            return
        self._put(content)

    def paste(self) -> None:
        """Keep the picture on the clipboard."""
        image = QGuiApplication.clipboard().image()
        if image.isNull():
            self.desk.report(Invalid("photo", "There is no picture on the clipboard."))
            return
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload]
        self._put(bytes(buffer.data().data()))

    def remove(self) -> None:
        """Take the photo away; the toast puts it back."""
        remove_photo(self.desk, self._owner, self.patient_id)

    def _put(self, content: bytes) -> None:
        keep_photo(self.desk, self._owner, self.patient_id, content)

    def _offer(self) -> None:
        self.menu.clear()
        theme = self.desk.theme
        self.menu.addAction(theme.icon("photo"), "Photo from a file …", self.choose_file)
        paste = self.menu.addAction(theme.icon("copy"), "Photo from the clipboard", self.paste)
        paste.setEnabled(not QGuiApplication.clipboard().image().isNull())
        if not self.picture.isNull():
            self.menu.addAction(theme.icon("remove"), "Remove the photo", self.remove)
        self.menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _show(self, content: bytes | None) -> None:
        self.picture = QImage.fromData(content) if content else QImage()
        self._say()
        self.update()

    def _say(self) -> None:
        words = "No photo" if self.picture.isNull() else "Photo of the patient"
        self.setAccessibleName(words)
        self.setToolTip(f"{words}. Press to change it" if self._changeable else words)
        wanted = self._changeable or not self.picture.isNull()
        if self.parentWidget() is not None or not wanted:  # shown without a parent it would be a window that takes the focus
            self.setVisible(wanted)

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        theme, box = self.desk.theme, QRectF(self.rect()).adjusted(1, 1, -1, -1)
        path = QPainterPath()
        path.addRoundedRect(box, 8, 8)
        painter.setClipPath(path)
        if self.picture.isNull():
            painter.fillPath(path, theme.color("sunken"))
            inset = self._side // 4
            theme.icons.paint(painter, self.rect().adjusted(inset, inset, -inset, -inset), "patient", theme.color("outline"))
        else:
            side = min(self.picture.width(), self.picture.height())
            middle = QRectF((self.picture.width() - side) / 2, (self.picture.height() - side) / 2, side, side)
            painter.drawImage(box, self.picture, middle)
        painter.setClipping(False)
        focused = self.hasFocus()
        painter.setPen(theme.color("focus" if focused else "line"))
        painter.drawPath(path)
        painter.end()
