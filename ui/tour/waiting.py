"""The waiting room with its call screen, and the waiting list with a freed place offered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from clinicdesk.services import appointments, calling
from clinicdesk.services import waiting as waiting_list
from ui.tour.front import SHIFT, book_elsewhere, button_of, doctor_id_of, expect, press, second_desk, show_day, step_elsewhere
from ui.waiting.offering import OfferSheet
from ui.waiting.room import RoomSheet

if TYPE_CHECKING:
    from ui.tour.run import Walk


def call(w: Walk) -> None:
    """Two walk-ins are called by keys; the call screen has their numbers."""
    now = datetime.now(w.clinic.zone).replace(second=0, microsecond=0)
    for name in ("Dr Dora Kim", "Dr Elena Rossi"):
        doctor_id = doctor_id_of(w, name)
        with w.clinic.read(second_desk(w)) as session:
            lane = appointments.free_lane(session, doctor_id, now + timedelta(minutes=2), now + timedelta(minutes=22))
        walk_in = book_elsewhere(w, doctor_id, now + timedelta(minutes=2), lane=lane, why="Walk-in, agreed with the doctor")
        step_elsewhere(w, walk_in, "arrived")
    desk = show_day(w, now)
    room = desk.waiting
    w.guide.until(lambda: sum(p.status == "arrived" and p.called_at is None for p in room.people) >= 2, "both are in the waiting room")
    find_box = w.windows["rita"].find_box
    w.guide.keys(find_box, "open call sc")
    w.guide.until(lambda: [hit.title for hit in find_box.hits.shown] == ["Open the call screen"], "the command is found")
    w.guide.keys(find_box, Qt.Key.Key_Return)
    w.guide.until(lambda: desk.call_screen is not None and desk.call_screen.isVisible(), "the call screen opens")
    known = {p.appointment_id for p in room.people if p.called_at is not None}
    names = []
    for number in (1, 2):
        _call_next(w, room, known, f"Room {number + 3}")
        person = next(p for p in room.people if p.appointment_id in known and p.patient_name not in names and p.called_at is not None)
        names.append(person.patient_name)
    screen = desk.call_screen
    with w.clinic.read(second_desk(w)) as session:
        calls = calling.calls(session)
    w.guide.until(lambda: len(screen.calls) == len(calls) and screen.number.text() == str(calls[0].number), "the newest is the large one")
    shown = " ".join(made.text() for made in screen.findChildren(QLabel) if made.isVisible())
    everybody = [name.split(",")[0] for name in (p.patient_name for p in room.people)]
    expect(calls[1].room in shown and not any(name in shown for name in everybody), f"the screen shows: {shown}")
    w.guide.picture(screen, "call-screen")
    w.guide.picture(w.windows["rita"], "waiting-room-called")
    screen.close()


def _call_next(w: Walk, room: Any, known: set[int], place: str) -> None:
    """Shift+F4, and the room when the doctor has none yet today; `known` gets who was called."""

    def fresh() -> list[int]:
        return [p.appointment_id for p in room.people if p.called_at is not None and p.appointment_id not in known]

    def asked() -> bool:
        return any(isinstance(t, RoomSheet) and t.isVisible() for t in w.guide.app.topLevelWidgets())

    press(w, Qt.Key.Key_F4, SHIFT)
    w.guide.until(lambda: fresh() or asked(), "somebody is called")
    if asked():
        sheet = w.guide.dialog(RoomSheet)
        w.guide.fill(sheet.form.editor("room") if sheet.form is not None else sheet, place)
        if "room asked" not in w.found:
            w.found["room asked"] = True
            w.guide.picture(w.windows["rita"], "room")
        w.guide.click(sheet.verb_button)
        w.guide.gone(sheet, "the room is taken")
    w.guide.until(fresh, "the waiting room shows it")
    known.update(fresh())


def offer(w: Walk) -> None:
    """The soonest freed place: held for the first, refused, held for the next, taken."""
    panel = w.panel("rita", "waiting-list")
    w.guide.until(lambda: len(panel.table.rows) >= 10 and panel.freed.places, "wishes and freed places are listed")
    panel.table.select_first()
    w.guide.picture(w.windows["rita"], "waiting-list")
    w.guide.until(lambda: any(place.count > 1 for place in panel.freed.places[:4]), "one of those shown fits several people")
    number, freed = next((n, place) for n, place in enumerate(panel.freed.places[:4]) if place.count > 1)
    w.guide.click(button_of(w, panel.freed, "Offer", number))
    sheet = w.guide.dialog(OfferSheet)
    w.guide.until(lambda: len(sheet.matches) >= 2, "at least two fit")
    first, second = sheet.matches[0].wish, sheet.matches[1].wish
    w.guide.picture(w.windows["rita"], "offer")
    _hold(w, sheet, first.patient_name)
    w.guide.picture(w.windows["rita"], "offer-held")
    w.guide.click(sheet.refused_button)
    w.guide.until(lambda: sheet.held is None and sheet.matches and sheet.matches[0].wish.id == second.id, "the next one is in front")
    w.guide.settle()
    _hold(w, sheet, second.patient_name)
    w.guide.click(sheet.taken_button)
    w.guide.gone(sheet, "it is taken")
    with w.clinic.read(second_desk(w)) as session:
        booked = [r for r in appointments.of_patient(session, second.patient_id) if r.starts_at == freed.place.starts_at]
        left = {wish.id for wish in waiting_list.wishes(session)}
    expect([r.doctor_id for r in booked] == [freed.place.doctor_id], "the next one is booked")
    expect(second.id not in left and first.id in left, "only the next one is off the list")
    w.guide.until(lambda: second.id not in {row.id for row in panel.table.rows}, "the list shows it without a refresh")
    show_day(w, freed.place.starts_at)
    w.guide.picture(w.windows["rita"], "offer-taken")


def _hold(w: Walk, sheet: OfferSheet, name: str) -> None:
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: sheet.held is not None and sheet.held.patient_name == name, f"the place is held for {name}")
    w.guide.settle()
