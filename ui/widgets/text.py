"""Labels, buttons and rules that carry the style sheet's names, so that a panel says what a thing is and never how it looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from ui.theme import Theme

Role = Literal["body", "display", "title", "heading", "label", "soft", "faint", "hint", "error", "warning"]
Variant = Literal["", "primary", "quiet", "danger", "link"]


def label(text: str = "", role: Role = "body", *, wrap: bool = False, selectable: bool = False) -> QLabel:
    """A plain-text label in one of the type roles."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setWordWrap(wrap)
    if selectable:
        made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
    return made


def button(text: str, clicked: Callable[[], object] | None = None, *, variant: Variant = "", icon: str = "", theme: Theme | None = None,
           shortcut: str = "", tip: str = "") -> QPushButton:
    """A push button: a verb, its variant, an icon by meaning (needs `theme`), and its shortcut shown in the tool tip."""
    made = QPushButton(text)
    made.setAutoDefault(False)
    made.setCursor(Qt.CursorShape.PointingHandCursor if variant == "link" else Qt.CursorShape.ArrowCursor)
    if variant:
        made.setProperty("variant", variant)
    if icon and theme is not None:
        ink = {"primary": "on_accent", "danger": "surface", "link": "accent"}.get(variant, "text_soft")
        made.setIcon(theme.icon(icon, ink))
        made.setIconSize(QSize(24, 18))  # wider than the glyph: the gap to the word
    _describe(made, tip, shortcut)
    if clicked is not None:
        made.clicked.connect(lambda _checked=False: clicked())
    return made


def icon_button(theme: Theme, icon: str, name: str, clicked: Callable[[], object] | None = None, *, shortcut: str = "") -> QToolButton:
    """A button with only an icon; `name` is its accessible name and tool tip."""
    made = QToolButton()
    made.setIcon(theme.icon(icon))
    made.setIconSize(QSize(18, 18))
    made.setAccessibleName(name)
    made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    _describe(made, name, shortcut)
    if clicked is not None:
        made.clicked.connect(lambda _checked=False: clicked())
    return made


def _describe(made: QPushButton | QToolButton, tip: str, shortcut: str) -> None:
    if shortcut:
        made.setShortcut(shortcut)
    if tip or shortcut:
        words = tip or (made.text() if isinstance(made, QPushButton) else "")
        made.setToolTip(f"{words}  ({shortcut})" if shortcut else words)


def rule() -> QFrame:
    """A quiet horizontal line."""
    made = QFrame()
    made.setProperty("rule", "true")
    made.setFixedHeight(1)
    return made


def row(*items: QWidget | int | None, spacing: int = 8) -> QHBoxLayout:
    """Widgets side by side; None stretches, a number is a gap in px."""
    layout = QHBoxLayout()
    _fill(layout, items, spacing)
    return layout


def column(*items: QWidget | int | None, spacing: int = 8) -> QVBoxLayout:
    """Widgets below each other; None stretches, a number is a gap in px."""
    layout = QVBoxLayout()
    _fill(layout, items, spacing)
    return layout


def _fill(layout: QBoxLayout, items: tuple[QWidget | int | None, ...], spacing: int) -> None:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        else:
            layout.addWidget(item)


def restyle(widget: QWidget, name: str, value: object) -> None:
    """Set a dynamic property the style sheet looks at and have it looked at again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)
        widget.update()


class Elided(QLabel):
    """One line of text that shortens with an ellipsis and shows the whole in its tool tip. Never used for medicines (R22)."""

    def __init__(self, text: str = "", role: Role = "body") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._whole = ""
        self.set_whole(text)

    def set_whole(self, text: str) -> None:
        """Change the text."""
        self._whole = text
        self.setAccessibleName(text)
        self._fit()

    def _fit(self) -> None:
        short = self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, max(0, self.contentsRect().width()))
        self.setText(short)
        self.setToolTip(self._whole if short != self._whole else "")

    def resizeEvent(self, _event: object) -> None:
        self._fit()

    def minimumSizeHint(self) -> QSize:
        return QSize(24, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:
        return QSize(self.fontMetrics().horizontalAdvance(self._whole) + 2, super().sizeHint().height())
