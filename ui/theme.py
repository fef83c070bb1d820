"""Colours, type and spacing for the whole application, read from `resources/theme.toml`.

Fusion with our palette and one style sheet (`ui/style.py`) built from the tokens. Widgets never name a colour: they ask the `Theme` for
a token and repaint when it says `changed`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Qt, QTemporaryDir, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QApplication

from clinicdesk.paths import root
from ui.icons import Icons
from ui.style import marks, style_sheet

RESOURCES = root() / "resources"
Mode = Literal["system", "light", "dark"]
Size = Literal["small", "body", "title", "display"]

SPACE = (4, 8, 12, 16, 24)  #: the 4 px grid; nothing else separates widgets
_SIZES: Mapping[Size, int] = {"small": 12, "body": 13, "title": 17, "display": 26}  # px at 100 %; display only on sign-in and kiosk
_FAMILIES = ("Noto Sans", "Inter", "Segoe UI", "SF Pro Text", "DejaVu Sans")
STATUSES = ("scheduled", "confirmed", "arrived", "in_progress", "completed", "cancelled", "no_show")


@dataclass(frozen=True, slots=True)
class Tokens:
    """One colour scheme: `#RRGGBB` per role; `status` maps an appointment status to (ink, tint)."""

    canvas: str
    surface: str
    sunken: str
    line: str
    outline: str
    text: str
    text_soft: str
    text_faint: str
    accent: str
    accent_soft: str
    on_accent: str
    focus: str
    danger: str
    warning: str
    success: str
    status: Mapping[str, tuple[str, str]]


def read_tokens(path: Path = RESOURCES / "theme.toml") -> dict[str, Tokens]:
    """The light and dark schemes of a theme file. Raises KeyError or TypeError when a token is missing or unknown."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    schemes: dict[str, Tokens] = {}
    for name in ("light", "dark"):
        values = dict(document[name])
        status = {key: (ink, tint) for key, (ink, tint) in values.pop("status").items()}
        schemes[name] = Tokens(**values, status=status)
    return schemes


def contrast(ink: str, ground: str) -> float:
    """WCAG 2.2 contrast ratio of two colours (1 to 21)."""

    def luminance(colour: str) -> float:
        channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (high + 0.05) / (low + 0.05)


class Theme(QObject):
    """The current scheme. `mode` is system, light or dark; `scale` enlarges type (1.0 to 2.0). Signal `changed()` after a switch."""

    changed = Signal()

    def __init__(self, app: QApplication, mode: Mode = "system", scale: float = 1.0) -> None:
        super().__init__(app)
        self._app, self._mode, self._scale = app, mode, scale
        self._schemes = read_tokens()
        self.family = _register_fonts()
        self._marks = QTemporaryDir()  # the check marks and arrows of the style sheet, written from the tokens
        self.icons = Icons(self)
        self._fonts: dict[tuple[str, bool, bool], QFont] = {}
        self.dark = False
        self.tokens = self._schemes["light"]
        app.setStyle("Fusion")
        app.styleHints().colorSchemeChanged.connect(self._system_changed)
        self._apply()

    @property
    def mode(self) -> Mode:
        """What was asked for; `dark` says what is shown."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Follow the system, or force light or dark."""
        if mode != self._mode:
            self._mode = mode
            self._apply()

    def toggle(self) -> Mode:
        """Switch to the other scheme and stay there; returns the new mode."""
        self.set_mode("light" if self.dark else "dark")
        return self._mode

    def color(self, token: str, alpha: float = 1.0) -> QColor:
        """A token as a colour, optionally see-through."""
        colour = QColor(getattr(self.tokens, token))
        colour.setAlphaF(alpha)
        return colour

    def ink(self, status: str) -> QColor:
        """The ink of an appointment status (text, icon, left bar)."""
        return QColor(self.tokens.status.get(status, self.tokens.status["scheduled"])[0])

    def tint(self, status: str) -> QColor:
        """The ground of an appointment status."""
        return QColor(self.tokens.status.get(status, self.tokens.status["scheduled"])[1])

    def px(self, size: Size) -> int:
        """A type size in logical pixels at the current scale."""
        return round(_SIZES[size] * self._scale)

    def font(self, size: Size = "body", *, bold: bool = False, tabular: bool = False) -> QFont:
        """The one type family in one of its sizes; `tabular` gives figures of equal width."""
        key = (size, bold, tabular)
        if key in self._fonts:
            return self._fonts[key]
        font = QFont(self.family)
        font.setPixelSize(self.px(size))
        font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
        if tabular:
            font.setFeature(QFont.Tag("tnum"), 1)
        self._fonts[key] = font
        return font

    def icon(self, name: str, ink: str = "text_soft") -> QIcon:
        """The icon for a meaning (`ui.icons.NAMES`), in an ink that follows the theme."""
        return self.icons.icon(name, ink)

    @Slot(Qt.ColorScheme)
    def _system_changed(self, _scheme: Qt.ColorScheme) -> None:
        if self._mode == "system":
            self._apply()

    def _apply(self) -> None:
        system_dark = self._app.styleHints().colorScheme() == Qt.ColorScheme.Dark
        self.dark = system_dark if self._mode == "system" else self._mode == "dark"
        self.tokens = self._schemes["dark" if self.dark else "light"]
        self._app.setFont(self.font())
        self._app.setPalette(_palette(self.tokens))
        folder = Path(self._marks.path()) / ("dark" if self.dark else "light")
        folder.mkdir(exist_ok=True)
        for name, svg in marks(self.tokens).items():
            (folder / name).write_text(svg, encoding="utf-8")
        self._app.setStyleSheet(style_sheet(self.tokens, {name: self.px(name) for name in _SIZES}, folder, RESOURCES / "style.qss"))
        self.changed.emit()


def _palette(t: Tokens) -> QPalette:
    role, palette = QPalette.ColorRole, QPalette()
    colours = {
        role.Window: t.canvas, role.WindowText: t.text, role.Base: t.surface, role.AlternateBase: t.sunken, role.Text: t.text,
        role.Button: t.surface, role.ButtonText: t.text, role.BrightText: t.danger, role.Highlight: t.accent_soft,
        role.HighlightedText: t.text, role.ToolTipBase: t.text, role.ToolTipText: t.surface, role.PlaceholderText: t.text_faint,
        role.Link: t.accent, role.LinkVisited: t.accent, role.Accent: t.accent, role.Light: t.surface, role.Midlight: t.line,
        role.Mid: t.line, role.Dark: t.outline, role.Shadow: t.outline,
    }
    for name, colour in colours.items():
        palette.setColor(name, QColor(colour))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(t.text_faint))
    return palette


def _register_fonts() -> str:
    """Register every font in resources/fonts; the best family that now exists."""
    folder = RESOURCES / "fonts"
    for path in sorted((*folder.glob("*.ttf"), *folder.glob("*.otf"))):
        QFontDatabase.addApplicationFont(str(path))
    known = set(QFontDatabase.families())
    return next((family for family in _FAMILIES if family in known), QFont().defaultFamily())
