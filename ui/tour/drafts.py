"""Nothing typed is lost: a killed process and the choice it leaves, two windows on one draft, the signature, an addendum below it."""

from __future__ import annotations

import json
import select
import subprocess
from functools import partial
from typing import TYPE_CHECKING, Any

from clinicdesk.paths import own_program
from clinicdesk.services import appointments, drafts
from clinicdesk.services.drafts import ConsultationDraft
from ui.dialogs.addendum import AddendumSheet
from ui.dialogs.two_versions import TwoVersionsSheet
from ui.tour.consulting_room import editor_of, expect, in_light, look_at, open_in, room_of
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "doctor"
FELL = "Crackles at the right base. Throat red, no swelling."
STANDS = "Crackles on the right side. Oxygen saturation 95 % at rest."


def walk(w: Walk) -> None:
    """All steps in order; the consultation of Margaret Ellery is open."""
    step = partial(in_light, w)
    step(ROLE, "types in a process that is killed; what it typed is offered beside what was saved since: mine, saved or both",
         lambda: _crash(w))
    step(ROLE, "writes in two windows at once; both texts are put together", lambda: _two_windows(w))
    step(ROLE, "signs the visit and adds an addendum below it", lambda: _addendum(w))


def _stored(w: Walk) -> ConsultationDraft:
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        return drafts.load(session, editor_of(w).sheet.id).draft


def _fall(w: Walk) -> None:
    """A ClinicDesk of its own types and dies before its text reaches the server."""
    account = w.accounts["dora"]
    job = {"folder": str(w.clinic.settings.data_dir), "username": "dora", "password": account.password,
           "appointment": w.found["margaret"], "words": FELL}
    with subprocess.Popen([*own_program(), "tour-fallen"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdin is None or process.stdout is None:
                raise TourFailed("the other process has no pipes")
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            stdout = process.stdout
            w.guide.until(lambda: select.select([stdout], [], [], 0)[0], "the other process types", patience=60)
            expect(stdout.readline().strip() == "typed", "the other process did not type")
        finally:
            process.kill()


def _crash(w: Walk) -> None:
    _fall(w)
    editor = editor_of(w)
    w.guide.keys(editor.notes.editor("objective"), STANDS)
    w.guide.until(lambda: not editor.unsaved and _stored(w).notes.get("objective") == STANDS, "what stands here is saved")
    room, other = room_of(w), w.found["patient"].id
    room.show_topic("patient", other)  # to another chart and back: the consultation is opened again
    w.guide.settle()
    open_in(w, w.found["margaret"])
    sheet = w.guide.dialog(TwoVersionsSheet)
    expect([part.name for part in sheet.parts] == ["notes.objective"], f"the parts are {[part.name for part in sheet.parts]}")
    expect(set(sheet.choices["notes.objective"]) == {"mine", "theirs", "both"}, "all three choices are offered")
    sheet.choose_all("both")
    w.guide.picture(w.windows["dora"], "two-versions", dark=False)
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "it is decided")
    w.guide.until(lambda: not editor_of(w).unsaved, "the decision is on the server")
    notes = _stored(w).notes["objective"]
    expect(all(words in notes for words in ("right base", "95 %")), f"the note reads {notes}")


def _two_windows(w: Walk) -> None:
    second = w.second_desk("dora")
    open_in(w, w.found["margaret"], second)
    w.guide.until(lambda: room_of(w, second).editor is not None, "the second window opens the same consultation")
    w.guide.settle()
    there, here = editor_of(w, second), editor_of(w)
    w.guide.keys(there.notes.editor("plan"), "Fluids and rest, X-ray of the chest today.")
    w.guide.until(lambda: not there.unsaved, "the second window is saved")
    w.windows["dora"].activateWindow()
    w.guide.keys(here.notes.editor("assessment"), "Pneumonia, mild. Able to stay at home.")
    w.guide.until(lambda: here.state.text().startswith("Put together"), "both are put together")
    look_at(here, here.notes.editor("assessment"))
    w.guide.picture(w.windows["dora"], "put-together", dark=False)
    w.guide.until(lambda: not here.unsaved, "and saved")
    expect({"assessment", "plan"} <= set(_stored(w).notes), "nothing of either is lost")
    w.leave(second)


def _addendum(w: Walk) -> None:
    room = room_of(w)
    w.guide.click(editor_of(w).complete_button)
    w.guide.until(lambda: room.editor is None, "the visit is signed")
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        expect(appointments.one(session, w.found["margaret"]).status == "completed", "the visit is completed")
    room.chart.tabs.setCurrentWidget(room.chart.visits)
    view = room.chart.visits
    w.guide.until(lambda: view.texts and view.texts[0].notes.get("plan", "").startswith("Fluids"), "the visit is in the chart")
    w.guide.settle()
    view._add(view.texts[0])  # noqa: SLF001  its link "Add an addendum"
    sheet: Any = w.guide.dialog(AddendumSheet)
    w.guide.fill(sheet.editor, "X-ray: small infiltrate at the right base. The patient was told by telephone.")
    w.guide.picture(w.windows["dora"], "addendum", dark=False)
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "the addendum is signed")
    w.guide.until(lambda: view.texts and view.texts[0].addenda, "it stands below the visit")
    w.guide.settle()
    expect("infiltrate" in view.texts[0].addenda[0].text, "the addendum reads otherwise")
    bar = view._area.verticalScrollBar()  # noqa: SLF001
    bar.setValue(max(0, view._cards[view.texts[0].id].geometry().bottom() - view._area.viewport().height() + 12))  # noqa: SLF001
    w.guide.picture(w.windows["dora"], "addendum-signed", dark=False)
