"""The patient banner: who this is, on top of every screen about one patient, full width, never covered.

Rules R1–R12 of reference clinical-safety § 1.1 (origin: NHS CUI patient banner). Identity first, then the allergy slot with exactly four
titles; a role without clinical sight gets identity only; a title that is none of the four is shown as "Allergies unavailable".
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time

from PySide6.QtCore import QPointF, QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.ages import age_text
from clinicdesk.rules.formats import SEXES
from clinicdesk.rules.moments import clinical_date
from clinicdesk.services.people import Banner
from ui.theme import Theme
from ui.widgets.text import label

KNOWN, NONE_KNOWN = "Known allergies", "No known allergies"
NOT_RECORDED, UNAVAILABLE = "Allergies not recorded", "Allergies unavailable"
_ICONS = {KNOWN: ("allergy", "danger"), NONE_KNOWN: ("none_known", "text_soft"), NOT_RECORDED: ("not_recorded", "text_soft"),
          UNAVAILABLE: ("unavailable", "text_soft")}
NOT_KNOWN = "Not known"


def name_text(banner: Banner) -> str:
    """`FAMILY, Given (Title)` (R4)."""
    title = f" ({banner.title})" if banner.title else ""
    return f"{banner.family_name.upper()}, {banner.given_name}{title}"


def _age(banner: Banner, at: datetime) -> str:
    try:
        return age_text(banner.born, at)
    except Invalid:
        return NOT_KNOWN


class PatientBanner(QFrame):
    """Shows a `Banner` record. `micro=True` is for small windows: name, birth and record number, nothing clinical (R12).

    `now` gives the aware present moment (the clinic's zone) for ages; tests pass a fixed one. Signal `changed()`: another patient's.
    """

    changed = Signal()

    def __init__(self, theme: Theme, banner: Banner | None = None, *, micro: bool = False,
                 now: Callable[[], datetime] = lambda: datetime.now().astimezone(), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._micro, self._now = theme, micro, now
        self.banner: Banner | None = None
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        self._name = label("", "body" if micro else "title", wrap=True, selectable=True)
        self._name.setStyleSheet("font-weight: 700;")
        self._items = QHBoxLayout()
        self._items.setSpacing(20)
        left = QVBoxLayout()
        left.setSpacing(2)
        left.addWidget(self._name)
        left.addLayout(self._items)
        self._picture = QLabel()
        self._picture.setFixedSize(QSize(26, 26))
        self._title = label("", "heading")
        self._names = label("", "body", wrap=True, selectable=True)
        self._allergies = QWidget()
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addStretch(1)
        words.addWidget(self._title)
        words.addWidget(self._names)
        words.addStretch(1)
        slot = QHBoxLayout(self._allergies)
        slot.setContentsMargins(20, 0, 0, 0)
        slot.setSpacing(10)
        slot.addWidget(self._picture)
        slot.addLayout(words, 1)
        self._allergies.setMinimumWidth(230)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6 if micro else 10, 16, 6 if micro else 10)
        layout.addLayout(left, 3)
        layout.addWidget(self._allergies, 2)
        theme.changed.connect(self._fill)
        self.set_banner(banner)

    def set_banner(self, banner: Banner | None) -> None:
        """Show this patient; None empties the banner while another is being read."""
        self.banner = banner
        self._fill()
        self.changed.emit()

    def texts(self) -> list[str]:
        """What it says, in reading order (tests and screen readers)."""
        found = [self._name.text()]
        found += [item.accessibleName() for i in range(self._items.count()) if (item := _widget_at(self._items, i)) is not None]
        if not self._allergies.isHidden():
            found += [self._title.text(), self._names.text()]
        return [text for text in found if text]

    def _fill(self) -> None:
        while (item := self._items.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        banner = self.banner
        self._allergies.setVisible(banner is not None and bool(banner.allergy_title) and not self._micro)
        self._name.setText(name_text(banner) if banner is not None else " ")
        if banner is None:
            self.setAccessibleName(self.tr("No patient"))
            self.update()
            return
        for caption, value in self._identity(banner):
            self._items.addWidget(self._item(caption, value))
        self._items.addStretch(1)
        title = banner.allergy_title if banner.allergy_title in _ICONS else UNAVAILABLE
        icon, ink = _ICONS[title]
        self._picture.setPixmap(self._theme.icons.pixmap(icon, 24, ink, self.devicePixelRatioF()))
        self._title.setText(self.tr(title))
        self._title.setStyleSheet(f"color: {self._theme.tokens.danger};" if title == KNOWN else "")
        self._names.setText(", ".join(banner.allergies) if title == KNOWN else "")
        self._names.setVisible(bool(self._names.text()))
        self.setAccessibleName(self.tr("Patient: {0}").format(". ".join(self.texts())))
        self.update()

    def _identity(self, banner: Banner) -> list[tuple[str, str]]:
        record = (self.tr("Record no."), banner.patient_id)
        if self._micro:
            return [(self.tr("Born"), clinical_date(banner.born)), record]
        now = self._now()
        if banner.died is None:
            items = [(self.tr("Born"), f"{clinical_date(banner.born)} ({_age(banner, now)})")]
        else:
            died_at = datetime.combine(banner.died, time(12), now.tzinfo)
            items = [(self.tr("Born"), clinical_date(banner.born)), (self.tr("Died"), clinical_date(banner.died)),
                     (self.tr("Age at Death"), _age(banner, died_at))]
        return [*items, (self.tr("Gender"), self.tr(SEXES.get(banner.sex, NOT_KNOWN))), record]

    def _item(self, caption: str, value: str) -> QWidget:
        item = QWidget()
        layout = QHBoxLayout(item)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(label(caption, "soft"))
        strong = label(value, "heading", selectable=True)
        layout.addWidget(strong)
        item.setAccessibleName(f"{caption} {value}")
        return item

    def paintEvent(self, _event: QPaintEvent) -> None:
        _paint_ground(self, self._theme, self.banner)


class BannerRow(QWidget):
    """A banner with something beside it (a photo) on one ground: the banner's own content is fixed."""

    def __init__(self, theme: Theme, banner: PatientBanner, beside: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._banner = theme, banner
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 12, 0)
        layout.setSpacing(8)
        layout.addWidget(banner, 1)
        layout.addWidget(beside)
        theme.changed.connect(self.update)
        banner.changed.connect(self.update)

    def paintEvent(self, _event: QPaintEvent) -> None:
        _paint_ground(self, self._theme, self._banner.banner)


def _paint_ground(widget: QWidget, theme: Theme, banner: Banner | None) -> None:
    """Surface with a line below; for the deceased a darker ground with diagonal lines, so that it differs in colour and pattern."""
    painter = QPainter(widget)
    width, height = widget.width(), widget.height()
    deceased = banner is not None and banner.died is not None
    painter.fillRect(widget.rect(), theme.color("line" if deceased else "surface"))
    if deceased:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("outline", 0.38), 1.5))
        for x in range(-height, width, 12):
            painter.drawLine(QPointF(x, height), QPointF(x + height, 0))
    painter.setPen(QPen(theme.color("outline" if deceased else "line"), 1))
    painter.drawLine(0, height - 1, width, height - 1)
    painter.end()


def _widget_at(layout: QHBoxLayout, index: int) -> QWidget | None:
    item = layout.itemAt(index)
    return item.widget() if item is not None else None
