"""What the command bar and the keys offer for the consultation that is open."""

from __future__ import annotations

from collections.abc import Callable

from ui.consultation.editor import ConsultationEditor
from ui.panel import Action


def editor_commands(editor: Callable[[], ConsultationEditor | None]) -> tuple[Action, ...]:
    """`editor` gives the open one, None while no consultation is: then nothing happens."""

    def on_it(run: Callable[[ConsultationEditor], object]) -> Callable[[], object]:
        def done() -> None:
            if (found := editor()) is not None:
                run(found)

        return done

    def typed(line: str) -> Action | None:
        found = editor()
        if found is None:
            return None
        prescription = found.prescription
        return Action(f"Prescribe {prescription.quick.described(line)}", lambda: prescription.take_typed(line), "prescription")

    return (
        Action("Prescribe a medicine", on_it(lambda e: e.prescription.focus_line()), "prescription", "F7", "rx", typed),
        Action("Renew all long-term medicines", on_it(lambda e: e.prescription.repeat.renew_all()), "history", "Alt+R"),
        Action("Complete the visit", on_it(lambda e: e.complete()), "finish", "F9"),
        Action("Enter vital signs", on_it(lambda e: e.enter_vitals()), "vitals", "Alt+G"),
        Action("Find a diagnosis", on_it(lambda e: e.find_diagnosis()), "chart", "Alt+D"),
    )
