"""One line at the bottom of the window that says what was done and offers to undo it; it goes by itself after ten seconds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QWidget

from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.text import label

#: The property of a frame that no toast may lie on, because it says what has to be read.
KEEP_CLEAR = "keep_clear"
_GAP = 8
UNDO_SECONDS, PLAIN_SECONDS = 10.0, 6.0


class Toasts(QObject):
    """The toast of one window: a newer one replaces the older; it waits while the pointer or the focus is on it."""

    def __init__(self, window: QWidget, theme: Theme, *, margin_bottom: int = 40) -> None:
        super().__init__(window)
        self._window, self._theme, self._margin = window, theme, margin_bottom
        self._frame: _Toast | None = None
        self._held: Callable[[], object] | None = None  # while the window is locked: what to say afterwards
        window.installEventFilter(self)

    def show(self, sentence: str, *, undo: Callable[[], object] | None = None, icon: str = "success", seconds: float = 0.0) -> None:
        """Say a sentence; with `undo` a button (and Ctrl+Z through `undo`) takes it back while it is visible."""
        if self._held is not None:
            self._held = partial(self.show, sentence, undo=undo, icon=icon, seconds=seconds)
            return
        self.dismiss()
        wait = seconds or (UNDO_SECONDS if undo else PLAIN_SECONDS)
        self._frame = _Toast(self._window, self._theme, sentence, undo=undo, icon=icon, wait_ms=round(wait * 1_000), dismiss=self.dismiss)
        self._place()
        self._frame.show()
        self._frame.raise_()
        announce(self._window, sentence, assertive=icon != "success")

    def hold(self) -> None:
        """Say nothing until `release`: whoever stands before a locked window is not the one it is meant for."""
        self.dismiss()
        self._held = self._held or _nothing

    def release(self) -> None:
        """Say what was held back last."""
        held, self._held = self._held, None
        if held is not None:
            held()

    def undo(self) -> bool:
        """Take back what the visible toast offers to; False when there is nothing."""
        if self._frame is not None and self._frame.undo_button is not None:
            self._frame.undo_button.click()
            return True
        return False

    def dismiss(self) -> None:
        """Take the toast away."""
        if self._frame is not None:
            frame, self._frame = self._frame, None
            frame.hide()
            frame.deleteLater()

    @property
    def sentence(self) -> str:
        """What is being said now, or ""."""
        return self._frame.sentence.text() if self._frame is not None else ""

    def _place(self) -> None:
        if self._frame is not None:
            self._frame.setMaximumWidth(max(200, self._window.width() - 32))
            self._frame.adjustSize()
            size = self._frame.size()
            place = QRect(QPoint((self._window.width() - size.width()) // 2, self._window.height() - size.height() - self._margin), size)
            for one in self._window.findChildren(QFrame):
                if one.property(KEEP_CLEAR) and one.isVisible():
                    there = QRect(one.mapTo(self._window, QPoint()), one.size())
                    if there.intersects(place):
                        place.moveBottom(there.top() - _GAP)
            self._frame.setGeometry(place)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and watched is self._window:
            self._place()
        return False


def _nothing() -> None:
    """Nothing was held back."""


class _Toast(QFrame):
    def __init__(self, window: QWidget, theme: Theme, sentence: str, *, undo: Callable[[], object] | None, icon: str, wait_ms: int,
                 dismiss: Callable[[], None]) -> None:
        super().__init__(window)
        self.setObjectName("toast")
        self.setAccessibleName(sentence)
        self._theme, self._icon, self._picture = theme, icon, QLabel()
        self._paint_icon()
        self.sentence = label(sentence, wrap=len(sentence) > 90)
        if len(sentence) > 90:  # words that wrap would else be as narrow as they can
            self.sentence.setMinimumWidth(min(560, window.width() - 200))
        self.undo_button: QPushButton | None = None
        layout = QHBoxLayout(self)
        layout.setContentsMargins(14, 9, 12, 9)
        layout.setSpacing(10)
        layout.addWidget(self._picture)
        layout.addWidget(self.sentence, 1)
        if undo is not None:
            def take_back() -> None:
                dismiss()
                undo()

            self.undo_button = QPushButton(self.tr("Undo"))
            self.undo_button.setToolTip(self.tr("Take this back  (Ctrl+Z)"))
            self.undo_button.clicked.connect(take_back)
            layout.addWidget(self.undo_button)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(wait_ms)
        self._timer.timeout.connect(dismiss)
        self._timer.start()
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)

    def _paint_icon(self) -> None:
        self._picture.setPixmap(self._theme.icons.pixmap(self._icon, 18, "surface", self.devicePixelRatioF()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_picture"):
            self._paint_icon()

    def enterEvent(self, _event: object) -> None:
        self._timer.stop()

    def leaveEvent(self, _event: object) -> None:
        self._timer.start()
