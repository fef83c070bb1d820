"""Icons from one set (Material Design Icons 6, through qtawesome), named after what they mean here, drawn in the theme's ink.

An icon asks the theme for its colour each time it is painted, so a change of scheme needs no new icons.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QIconEngine, QPainter, QPixmap
from qtawesome.iconic_font import IconicFont

if TYPE_CHECKING:
    from ui.theme import Theme

#: What an icon means → its glyph. Panels use the left side only; one glyph never has two meanings on one screen.
NAMES: Mapping[str, str] = {
    "day": "calendar-today-outline", "calendar": "calendar-month-outline", "book": "calendar-plus", "move": "calendar-arrow-right",
    "slots": "calendar-clock-outline", "waiting": "sofa-outline", "patients": "account-multiple-outline", "patient": "account-outline",
    "add_patient": "account-plus-outline", "doctor": "stethoscope", "doctors": "stethoscope", "staff": "badge-account-horizontal-outline",
    "chart": "clipboard-text-outline", "consultation": "clipboard-pulse-outline", "prescription": "prescription", "medicine": "pill",
    "vitals": "heart-pulse", "note": "text-box-edit-outline", "history": "history", "visits": "file-document-multiple-outline",
    "allergy": "alert-octagon", "none_known": "shield-check-outline", "not_recorded": "help-circle-outline",
    "unavailable": "cloud-off-outline", "numbers": "chart-box-outline", "sessions": "monitor-account", "audit": "shield-search",
    "settings": "cog-outline", "home": "home-outline", "command": "apple-keyboard-command", "find": "magnify", "lock": "lock-outline",
    "unlock": "lock-open-variant-outline", "sign_out": "logout", "sign_in": "login", "light": "white-balance-sunny",
    "dark": "weather-night", "person": "account-circle-outline", "show": "eye-outline", "hide": "eye-off-outline",
    "print": "printer-outline", "save": "content-save-outline", "pdf": "file-pdf-box", "copy": "content-copy", "export": "export-variant",
    "add": "plus", "edit": "pencil-outline", "remove": "trash-can-outline", "archive": "archive-outline",
    "restore": "archive-arrow-up-outline", "undo": "undo", "redo": "redo", "refresh": "refresh", "close": "close", "check": "check",
    "more": "dots-horizontal", "filter": "filter-variant", "left": "chevron-left", "right": "chevron-right", "up": "chevron-up",
    "down": "chevron-down", "pin": "pin-outline", "tag": "tag-outline", "phone": "phone-outline", "mail": "email-outline",
    "place": "map-marker-outline", "clock": "clock-outline", "key": "key-outline", "info": "information-outline",
    "warning": "alert-outline", "danger": "alert-octagon-outline", "success": "check-circle-outline", "high": "arrow-up-bold",
    "low": "arrow-down-bold", "connected": "database-check-outline", "disconnected": "database-off-outline", "outbox": "tray-arrow-up",
    "work": "progress-clock", "empty": "tray", "zoom_in": "magnify-plus-outline", "zoom_out": "magnify-minus-outline",
    "fit_width": "arrow-expand-horizontal", "fit_page": "fit-to-page-outline", "deceased": "ribbon", "import": "import",
    "lab": "test-tube", "diagnosis": "tag-text-outline", "billing": "receipt-text-outline", "kiosk": "hand-wave-outline",
    "start": "play-circle-outline", "finish": "check-decagram-outline", "call": "bullhorn-outline", "bell": "bell-outline",
    "attachment": "paperclip", "drag": "drag-vertical", "scheduled": "calendar-blank-outline", "confirmed": "calendar-check-outline",
    "arrived": "sofa", "in_progress": "play-circle", "completed": "check-circle", "cancelled": "cancel", "no_show": "account-off-outline",
    "overbook": "layers-plus", "receptionist": "desk", "administrator": "shield-account-outline",
    "till": "cash-register", "cash": "cash", "card": "credit-card-outline", "wallet": "wallet-outline", "refund": "cash-refund",
    "top_up": "wallet-plus-outline",
    "backup": "database-arrow-down-outline",
    "favourite": "star-outline", "merge": "call-merge", "separate": "call-split", "photo": "account-box-outline",
}

_FONT = ("mdi6", "materialdesignicons6-webfont-6.9.96.ttf", "materialdesignicons6-webfont-charmap-6.9.96.json")


class _Engine(QIconEngine):
    """Draws one glyph in the current ink of a token or status."""

    def __init__(self, icons: Icons, glyph: str, ink: str) -> None:
        super().__init__()
        self._icons, self._glyph, self._ink = icons, glyph, ink

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, _state: QIcon.State) -> None:
        self._icons.draw(painter, rect, self._glyph, self._icons.ink("text_faint" if mode == QIcon.Mode.Disabled else self._ink))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        pixmap = QPixmap(size)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(QPoint(0, 0), size), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        return _Engine(self._icons, self._glyph, self._ink)


class Icons:
    """Makes icons by meaning. `ink` is a token (`text_soft`) or `status:arrived`."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._source = IconicFont(_FONT)
        self._glyphs: dict[str, str] = self._source.charmap["mdi6"]
        self._fonts: dict[int, QFont] = {}
        self._icons: dict[tuple[str, str], QIcon] = {}

    def icon(self, name: str, ink: str = "text_soft") -> QIcon:
        """The icon for a meaning, in an ink that follows the theme. Raises KeyError for a name not in NAMES."""
        key = (name, ink)
        if key not in self._icons:
            self._icons[key] = QIcon(_Engine(self, self._glyphs[NAMES[name]], ink))
        return self._icons[key]

    def pixmap(self, name: str, size: int, ink: str = "text_soft", ratio: float = 1.0) -> QPixmap:
        """The icon as a picture of `size` logical pixels."""
        pixmap = QPixmap(round(size * ratio), round(size * ratio))
        pixmap.fill(Qt.GlobalColor.transparent)
        pixmap.setDevicePixelRatio(ratio)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size, size), name, self.ink(ink))
        painter.end()
        return pixmap

    def paint(self, painter: QPainter, rect: QRect, name: str, ink: QColor) -> None:
        """Draw the icon for a meaning into `rect`."""
        self.draw(painter, rect, self._glyphs[NAMES[name]], ink)

    def draw(self, painter: QPainter, rect: QRect, glyph: str, ink: QColor) -> None:
        """Draw a glyph of the icon font centred in `rect`."""
        size = min(rect.width(), rect.height())
        font = self._fonts.get(size)
        if font is None:
            font = self._fonts[size] = self._source.font("mdi6", size)
            font.setPixelSize(max(1, size))
        painter.save()
        painter.setFont(font)
        painter.setPen(ink)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextDontClip), glyph)
        painter.restore()

    def ink(self, ink: str) -> QColor:
        """A token or `status:…` as the current colour."""
        return self._theme.ink(ink.removeprefix("status:")) if ink.startswith("status:") else self._theme.color(ink)
