"""The session log: a doctor writes a therapy session down in the chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.dialogs.therapy import SessionSheet
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "doctor"


def walk(w: Walk) -> None:
    """One step; the chart of the last consultation is open."""
    w.guide.step(ROLE, "writes a therapy session into the session log", lambda: _log(w))


def _log(w: Walk) -> None:
    room = w.panel("dora", "consulting")
    room.chart.tabs.setCurrentWidget(room.chart.sessions)
    w.guide.settle()
    w.guide.click(room.chart.sessions.new_button)
    sheet = w.guide.dialog(SessionSheet)
    if sheet.form is None:
        raise TourFailed("the session has no form")
    w.guide.fill(sheet.form.editor("title"), "Breathing exercises")
    w.guide.fill(sheet.form.editor("note"), "Slow breathing against resistance, ten minutes at home every evening.")
    w.guide.picture(w.windows["dora"], "session")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: room.chart.sessions.table.rows, "the log shows it without a refresh")
    room.chart.sessions.table.select_first()
    w.guide.picture(w.windows["dora"], "session-log")
