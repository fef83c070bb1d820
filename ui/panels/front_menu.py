"""What a right click in the calendar offers: for every drag a word."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QMenu

from clinicdesk.services.schedule import AppointmentBlock
from ui.panels.front_side import PAYABLE, possible_steps
from ui.schedule.model import MOVABLE

if TYPE_CHECKING:
    from ui.panels.front_desk import FrontDeskPanel


def calendar_menu(panel: FrontDeskPanel, block: AppointmentBlock | None) -> QMenu:
    """The menu of an appointment, or of the free time under the cursor."""
    menu = QMenu(panel)
    icon, area = panel.desk.theme.icon, panel.area
    if block is None:
        menu.addAction(icon("book"), "New appointment here\tEnter", panel.calendar.activate)
        for pin in area.pinboard.pins:
            key = "\tCtrl+V" if pin.block == area.pinboard.chosen else ""
            menu.addAction(icon("pin"), f"Place {pin.block.patient_name} here{key}", partial(area.place, pin.block))
        return menu
    for one in possible_steps(block.status, panel.desk.me.role):
        menu.addAction(icon(one.new), one.verb, partial(panel.step, block, one.new))
    if block.status in PAYABLE:
        menu.addAction(icon("cash"), "Take payment\tF8", partial(panel.take_payment, block))
    if block.status in MOVABLE:
        menu.addSeparator()
        menu.addAction(icon("move"), "Move …\tCtrl+arrows", panel.move_selected)
        menu.addAction("Longer\tShift+↓", partial(area.resize_block, 1))
        menu.addAction("Shorter\tShift+↑", partial(area.resize_block, -1))
        if block.id in area.pinboard.ids:
            menu.addAction(icon("pin"), "Take off the pinboard", partial(area.pinboard.unpin, block.id))
        else:
            menu.addAction(icon("pin"), "Pin\tCtrl+X", partial(area.pinboard.park, block))
    menu.addSeparator()
    menu.addAction(icon("patient"), "Show the patient", lambda: panel.desk.show("patient", block.patient_id))
    return menu
