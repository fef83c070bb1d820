"""Which doctors are shown: a button with a list to tick."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from clinicdesk.services.schedule import DoctorColumn
from ui.theme import Theme


class DoctorFilter(QToolButton):
    """Signal `changed(ids | None)`, None meaning all."""

    changed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._doctors: dict[int, QAction] = {}
        self._wanted: tuple[int, ...] | None = None
        self.setProperty("framed", "true")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIcon(theme.icon("filter"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._menu = _StayOpenMenu(self)
        self.setMenu(self._menu)
        self._name()

    def set_doctors(self, doctors: Sequence[DoctorColumn]) -> None:
        """The doctors one can choose among; those shown stay shown."""
        if [(d.doctor_id, d.name) for d in doctors] == [(n, a.text()) for n, a in self._doctors.items()]:
            return
        self._menu.clear()
        self._menu.addAction(self.tr("All doctors"), lambda: self.choose(None))
        only = self._menu.addMenu(self.tr("Only"))
        for doctor in doctors:
            only.addAction(doctor.name, partial(self.choose, (doctor.doctor_id,)))
        self._menu.addSeparator()
        self._doctors = {}
        for doctor in doctors:
            action = self._menu.addAction(doctor.name)
            action.setCheckable(True)
            action.setChecked(self._wanted is None or doctor.doctor_id in self._wanted)
            action.toggled.connect(self._ticked)
            self._doctors[doctor.doctor_id] = action
        self._name()

    @property
    def chosen(self) -> tuple[int, ...] | None:
        """The chosen doctors; None when all are."""
        return self._wanted

    def choose(self, doctors: Collection[int] | None) -> None:
        """Show these (None: all), and say so if it is a change."""
        before = self._wanted
        self._wanted = None if doctors is None else tuple(doctors)
        for number, action in self._doctors.items():
            action.blockSignals(True)  # noqa: FBT003  Qt's signature; one answer for all of them
            action.setChecked(self._wanted is None or number in self._wanted)
            action.blockSignals(False)  # noqa: FBT003
        self._name()
        if before != self._wanted:
            self.changed.emit(self._wanted)

    def _ticked(self) -> None:
        ticked = tuple(number for number, action in self._doctors.items() if action.isChecked())
        self._wanted = None if len(ticked) == len(self._doctors) else ticked
        self._name()
        self.changed.emit(self._wanted)

    def _name(self) -> None:
        if self._wanted is None:
            words = self.tr("All doctors")
        elif len(self._wanted) == 1:
            action = self._doctors.get(self._wanted[0])
            words = action.text() if action is not None else self.tr("1 doctor")
        else:
            words = self.tr("{0} doctors").format(len(self._wanted))
        self.setText(words)
        self.setToolTip(self.tr("Which doctors are shown"))
        self.setAccessibleName(self.tr("Doctors shown: {0}").format(words))


class _StayOpenMenu(QMenu):
    """Ticking several doctors does not close the menu."""

    def mouseReleaseEvent(self, event: object) -> None:
        action = self.activeAction()
        if action is not None and action.isCheckable():
            action.toggle()
        else:
            super().mouseReleaseEvent(event)  # type: ignore[arg-type]
