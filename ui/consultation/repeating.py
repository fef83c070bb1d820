"""Prescribe again: all long-term medicines, one of them, or an old prescription, from one menu."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.tall_man import tall_man
from clinicdesk.services import medication, prescriptions
from clinicdesk.services.medication import CurrentMedicine
from clinicdesk.services.prescriptions import PrescriptionRow
from ui.desk import Desk
from ui.widgets.text import button

_MOST = 8


class RepeatButton(QWidget):
    """A button with a menu that is read when it opens. Signal `wanted(tuple[ItemDraft, ...])`."""

    wanted = Signal(object)

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._patient_id = desk, patient_id
        self.button: QPushButton = button("Repeat …", self.open, icon="history", theme=desk.theme,
                                          tip="Renew long-term medicines, or repeat an old prescription")
        self.button.setParent(self)
        self.button.adjustSize()
        self.setFixedSize(self.button.sizeHint())
        self.button.resize(self.button.sizeHint())
        self.menu: QMenu | None = None
        self.setFocusProxy(self.button)

    def open(self) -> None:
        """Read what can be repeated and show it."""
        self.desk.ask(self, _repeatable, self._patient_id, done=self._show, replaces="repeat")

    def renew_all(self) -> None:
        """All long-term medicines at once."""
        self.desk.ask(self, medication.current, self._patient_id,
                      done=lambda rows: self.wanted.emit(tuple(m.item for m in rows if m.long_term)), replaces="repeat")

    def _show(self, found: tuple[list[CurrentMedicine], list[PrescriptionRow]]) -> None:
        medicines, old = found
        menu = QMenu(self)
        long_term = [m for m in medicines if m.long_term]
        self._add(menu, f"All long-term medicines ({len(long_term)})", lambda: self.wanted.emit(tuple(m.item for m in long_term)),
                  enabled=bool(long_term))
        if medicines:
            menu.addSeparator()
        for m in medicines:
            self._add(menu, tall_man(m.description), partial(self.wanted.emit, (m.item,)))
        if old:
            menu.addSeparator()
        for row in old[:_MOST]:
            names = ", ".join(item.split(" — ")[0] for item in row.items)
            self._add(menu, f"{clinical_date(row.issued_at, self.desk.zone)}: {tall_man(names)}", partial(self._repeat, row.id))
        self.menu = menu
        menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height())))
        first = menu.actions()[0]
        if first.isEnabled():
            menu.setActiveAction(first)

    def _add(self, menu: QMenu, words: str, run: Callable[[], Any], *, enabled: bool = True) -> None:
        action = menu.addAction(words.replace("&", "&&"))
        action.setEnabled(enabled)
        action.triggered.connect(lambda _checked=False: run())

    def _repeat(self, prescription_id: int) -> None:
        self.desk.ask(self, medication.items_of, prescription_id, done=self.wanted.emit, replaces="repeat")


def _repeatable(session: Any, patient_id: str) -> tuple[list[CurrentMedicine], list[PrescriptionRow]]:
    return medication.current(session, patient_id), prescriptions.of_patient(session, patient_id, _MOST)
