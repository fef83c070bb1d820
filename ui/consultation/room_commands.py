"""What the command bar and the keys offer for the prescription of the consultation that is open."""

from __future__ import annotations

from collections.abc import Callable

from ui.consultation.prescribing import PrescriptionList
from ui.panel import Action


def prescribing_commands(prescription: Callable[[], PrescriptionList | None]) -> tuple[Action, ...]:
    """`prescription` gives the open one, None while no consultation is."""

    def focus() -> None:
        if (found := prescription()) is not None:
            found.focus_line()

    def renew() -> None:
        if (found := prescription()) is not None:
            found.repeat.renew_all()

    def typed(line: str) -> Action | None:
        found = prescription()
        if found is None:
            return None
        shown = found.quick.described(line)
        return Action(f"Prescribe {shown}", lambda: found.take_typed(line), "prescription")

    return (Action("Prescribe a medicine", focus, "prescription", "F7", "rx", typed),
            Action("Renew all long-term medicines", renew, "history", "Alt+R"))
