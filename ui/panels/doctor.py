"""The doctor's panels and how they lead to each other."""

from __future__ import annotations

from clinicdesk.services.schedule import AppointmentRow
from ui.desk import Desk
from ui.panel import Panel
from ui.panels.availability import MyHoursPanel
from ui.panels.consulting import ConsultingPanel
from ui.panels.my_day import MyDayPanel


def doctor_panels(desk: Desk) -> list[Panel]:
    """Day, consultation, and her own hours."""
    day, room = MyDayPanel(desk), ConsultingPanel(desk)

    def open_room(row: AppointmentRow) -> None:
        room.open(row)
        go_to(room)

    day.open_requested.connect(open_room)
    room.next_requested.connect(lambda: go_to(day))
    return [day, room, MyHoursPanel(desk)]


def go_to(panel: Panel) -> None:
    """Bring a panel to the front of its window."""
    window = panel.window()
    panels = getattr(window, "panels", None)
    if panels is not None:
        window.show_panel(panels.index(panel))  # type: ignore[attr-defined]
