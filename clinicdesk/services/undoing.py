"""What a person at a desk did, and taking it back: booking, moving, steps, series. Each such service notes itself in its own transaction.

A thing can be taken back when the appointments still stand as it left them, whatever happened in between; otherwise it says who changed
them. Versions only ever rise and the history keeps every step.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Integer, Row, func, insert, or_, select, text, update

from clinicdesk.errors import ChangedElsewhere, ClinicError, Collision, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.desk import DeskAction as ActionTable
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.models.scheduling import Appointment, Series
from clinicdesk.models.scheduling import AppointmentEvent as EventTable
from clinicdesk.models.waiting import Offer, Wish
from clinicdesk.rules.desk_words import PAST_WORDS, Names, action_words
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.steps import ACTIVE, PATIENT
from clinicdesk.services.schedule import DeskAction, Settled
from clinicdesk.storage.database import ClinicSession

State = dict[str, Any]
#: {"id": appointment, "before": State | None, "after": State | None, "rule": words of its series, "wish": the wish it settled, if any}
Change = dict[str, Any]

TAKEN_BACK: Final = "Booked by mistake"
#: Where an appointment stands; compared before anything is taken back.
_PLACE: Final = ("doctor_id", "starts_at", "ends_at", "lane", "overbook_reason")
_COMPARED: Final = (*_PLACE, "status", "cancel_reason", "series_id")
#: What is remembered of an appointment.
KEPT: Final = (*_COMPARED, "patient_id", "reason", "request_key", "booked_by", "created_at", "status_since")
_GROUP: Final = "desk_action"
_MOMENTS: Final = ("starts_at", "ends_at", "created_at", "status_since")


def state_of(row: Appointment | Row[Any]) -> State:
    """How an appointment stands, as JSON."""
    return {key: value.isoformat() if isinstance(value := getattr(row, key), datetime) else value for key in KEPT}


def note(session: ClinicSession, kind: str, appointment_id: int, before: State | None, after: State | None, rule: str = "") -> None:
    """Remember one change of one appointment, alone or as part of the `one_action` around it. Owner's tools and patients leave no list."""
    if session.me is None or session.me.role == PATIENT:
        return
    change: Change = {"id": appointment_id, "before": before, "after": after, "rule": rule}
    group = session.info.get(_GROUP)
    if group is None:
        session.execute(insert(ActionTable).values(user_id=session.my_id, kind=kind, changes=[change]))
    else:
        group.append(change)


@contextmanager
def one_action(session: ClinicSession, kind: str, wish: int | None = None) -> Iterator[None]:
    """Everything noted inside is one thing to take back; `wish` of the waiting list waits again then."""
    changes: list[Change] = []
    session.info[_GROUP] = changes
    try:
        yield
    finally:
        del session.info[_GROUP]
    if changes:
        if wish is not None:
            changes[0]["wish"] = wish
        session.execute(insert(ActionTable).values(user_id=session.my_id, kind=kind, changes=changes))


def newest(session: ClinicSession) -> int:
    """The number of what was done last, for an Undo button that means just that."""
    found = session.scalar(select(func.max(ActionTable.id)).where(ActionTable.user_id == session.my_id, ActionTable.state == "done"))
    return found or 0


def actions(session: ClinicSession, limit: int = 40) -> list[DeskAction]:
    """What I did, newest first, with what can be taken back or done again."""
    mine = select(ActionTable).where(ActionTable.user_id == session.my_id)
    rows = session.scalars(mine.order_by(ActionTable.id.desc()).limit(limit)).all()
    names = _names(session, rows)
    last = max((row.at for row in rows), default=None)
    return [DeskAction(row.id, row.at, action_words(row.changes, names), row.state, row.note,
                       again=row.state == "undone" and row.settled_at is not None and last is not None and row.settled_at >= last)
            for row in rows]


def undo(session: ClinicSession, action_id: int | None = None) -> Settled:
    """Take back one thing (the newest that can be, when None is named), all of it or nothing.

    When somebody changed the same appointments since, nothing happens and `refused` says who and what; Ctrl+Z then goes on to the thing
    before. NotAllowed when there is nothing to take back.
    """
    a = ActionTable
    _alone(session)
    query = select(a).where(a.user_id == session.my_id, a.state.in_(("done",) if action_id is None else ("done", "refused")))
    query = query.where(a.id == action_id) if action_id is not None else query
    return _settle(session, session.scalar(query.order_by(a.id.desc()).limit(1).with_for_update(key_share=True)), back=True)


def redo(session: ClinicSession, action_id: int | None = None) -> Settled:
    """Do again what was taken back last; like `undo` in everything else. Over as soon as something new is done."""
    a = ActionTable
    _alone(session)
    last = select(func.max(a.at)).where(a.user_id == session.my_id).scalar_subquery()
    query = select(a).where(a.user_id == session.my_id, a.state == "undone", a.settled_at >= last)
    query = query.where(a.id == action_id) if action_id is not None else query
    return _settle(session, session.scalar(query.order_by(a.settled_at.desc(), a.id).limit(1).with_for_update(key_share=True)), back=False)


def _settle(session: ClinicSession, action: ActionTable | None, *, back: bool) -> Settled:
    if action is None:
        raise NotAllowed("There is nothing to undo." if back else "There is nothing to do again.")
    words = action_words(action.changes, _names(session, [action]))
    days = frozenset(datetime.fromisoformat(state["starts_at"]).astimezone(session.zone).date()
                     for change in action.changes for state in (change["before"], change["after"]) if state)
    refused = ""
    try:
        with session.attempt():
            _hold(session, action.changes, back=back)
            steps = [(change, *((change["after"], change["before"]) if back else (change["before"], change["after"])))
                     for change in (reversed(action.changes) if back else action.changes)]
            _may_stand(session, [(old, new) for _, old, new in steps])
            for change, old, new in steps:
                _apply(session, change, old, new, action.at)
                if change.get("wish"):
                    _settle_wish(session, change["wish"], change["id"], waits=back)
    except Collision:
        raise
    except ClinicError as error:
        refused = error.sentence
    state = ("refused" if refused else "undone") if back else ("undone" if refused else "done")
    values = {"state": state, "note": refused[:400], "settled_at": func.clock_timestamp()}
    session.execute(update(ActionTable).where(ActionTable.id == action.id).values(**values))
    ids = tuple(change["id"] for change in action.changes)
    return Settled(action.id, words, refused, ids, days)


def _alone(session: ClinicSession) -> None:
    """One window of a person after the other, so that the second sees what the first took back and goes on to the thing before."""
    session.execute(select(func.pg_advisory_xact_lock(7044, func.mod(session.my_id, 2147483647).cast(Integer))))


def hold(session: ClinicSession, appointment_ids: Iterable[int], doctor_ids: Iterable[int] = (), wish_ids: Iterable[int] = ()) -> None:
    """Lock what will be changed together before anything is: appointments, doctors, wishes, each by number, and offers after them.

    Everybody does it in this order, so that no two desks wait for each other.
    """
    rows = select(Appointment.id).where(Appointment.id.in_(set(appointment_ids))).order_by(Appointment.id)
    session.execute(rows.with_for_update(key_share=True))
    for doctor_id in sorted(set(doctor_ids)):
        session.execute(select(func.clinic.one_at_a_time(doctor_id)))
    if wishes := set(wish_ids):
        session.execute(select(Wish.id).where(Wish.id.in_(wishes)).order_by(Wish.id).with_for_update(key_share=True))


def _hold(session: ClinicSession, changes: Sequence[Change], *, back: bool) -> None:
    wishes = {change["wish"] for change in changes if change.get("wish")}
    wanted = (change["before" if back else "after"] for change in changes)
    hold(session, (change["id"] for change in changes), (state["doctor_id"] for state in wanted if state), wishes)
    if wishes and not back:  # she gets what she was given before; nothing is held for her besides
        session.execute(update(Offer).where(Offer.wish_id.in_(wishes), Offer.status == "held").values(status="withdrawn")
                        .execution_options(synchronize_session=False))


def _may_stand(session: ClinicSession, steps: Sequence[tuple[State | None, State | None]]) -> None:
    """Invalid when a place would be taken for a patient or with a doctor nobody may be booked for any more."""
    begins = [(old, new) for old, new in steps if new is not None and new["status"] in ACTIVE
              and (old is None or old["status"] not in ACTIVE or old["doctor_id"] != new["doctor_id"])]
    for archived_at, died in session.rows(select(Patient.archived_at, Patient.died).where(
            Patient.id.in_({new["patient_id"] for old, new in begins if old is None or old["status"] not in ACTIVE}))):
        if archived_at is not None or died is not None:
            raise Invalid("patient_id", "This patient is archived." if died is None else f"This patient died on {clinical_date(died)}.")
    doctors = select(User.name).join(Doctor, Doctor.user_id == User.id).where(
        Doctor.id.in_({new["doctor_id"] for _, new in begins}), or_(User.active.is_(False), Doctor.available.is_(False)))
    if gone := session.scalar(doctors.limit(1)):
        raise Invalid("doctor_id", f"{gone} does not see patients at present.")


def _settle_wish(session: ClinicSession, wish_id: int, appointment_id: int, *, waits: bool) -> None:
    """Undone, the wish waits again (unless somebody gave it something else since); redone, it is settled again."""
    settled = {"status": "booked", "booked_id": appointment_id}
    before, after = (settled, {"status": "waiting", "booked_id": None}) if waits else ({"status": "waiting"}, settled)
    changed = session.changed(update(Wish).where(Wish.id == wish_id, *(getattr(Wish, key) == value for key, value in before.items()))
                              .values(**after, version=Wish.version + 1).execution_options(synchronize_session=False))
    if not changed and not waits:
        raise ChangedElsewhere("The wish on the waiting list was settled in another way since. Everything stays as it is.")


def _apply(session: ClinicSession, change: Change, old: State | None, new: State | None, since: datetime) -> None:
    """Bring one appointment, which is locked, from `old` to `new`."""
    number = change["id"]
    row = session.scalar(select(Appointment).where(Appointment.id == number).execution_options(populate_existing=True))
    now = state_of(row) if row is not None else None
    if old is None and row is not None and new is not None and row.status == "cancelled" and row.cancel_reason == TAKEN_BACK:
        old = {**new, "status": "cancelled", "cancel_reason": TAKEN_BACK}  # its booking could only be cancelled, not unmade
    if not _same(now, old):
        raise ChangedElsewhere(_who_changed(session, number, since))
    if new is None and row is not None:
        if not session.scalar(select(func.clinic.take_back(number))):
            _set(session, row, {"status": "cancelled", "cancel_reason": TAKEN_BACK})
        session.expunge(row)
    elif row is None and new is not None:
        session.execute(text("select clinic.book_again(cast(:id as bigint), cast(:row as jsonb), cast(:rule as text))"),
                        {"id": number, "row": json.dumps(new), "rule": change["rule"]})
    elif row is not None and new is not None:
        place = {key: new[key] for key in _PLACE if new[key] != (now or {})[key]}
        if place:
            _set(session, row, place)
        if new["status"] != row.status:
            _set(session, row, {key: new[key] for key in ("status", "cancel_reason", "status_since")})


def _set(session: ClinicSession, row: Appointment, values: State) -> None:
    known = {key: datetime.fromisoformat(value) if key in _MOMENTS else value for key, value in values.items()}
    session.execute(update(Appointment).where(Appointment.id == row.id).values(**known, version=Appointment.version + 1)
                    .execution_options(synchronize_session=False))
    session.refresh(row)


def _same(now: State | None, then: State | None) -> bool:
    if now is None or then is None:
        return now is then
    return all(_plain(key, now[key]) == _plain(key, then.get(key)) for key in _COMPARED)


def _plain(key: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if key in _MOMENTS and value else value


def _who_changed(session: ClinicSession, appointment_id: int, since: datetime) -> str:
    e = EventTable
    found = session.execute(
        select(e.at, e.what, e.user_id, User.name).outerjoin(User, User.id == e.user_id)
        .where(e.appointment_id == appointment_id, e.at > since - timedelta(milliseconds=1)).order_by(e.id.desc()).limit(1)).one_or_none()
    if found is None:
        return "This appointment is not as it was left. It stays as it is."
    who = "You" if found.user_id == session.my_id else found.name or "Somebody"
    what = PAST_WORDS.get(found.what, found.what)
    moment = found.at.astimezone(session.zone)
    return f"{who} changed this appointment since ({what} at {moment:%H:%M}). It stays as it is."


def _names(session: ClinicSession, rows: Sequence[ActionTable]) -> Names:
    states = [state for row in rows for change in row.changes for state in (change["before"], change["after"]) if state]
    patients = {state["patient_id"] for state in states}
    doctors = {state["doctor_id"] for state in states}
    found = session.rows(select(Patient.id, Patient.last_name + ", " + Patient.first_name).where(Patient.id.in_(patients)))
    known = session.rows(select(Doctor.id, User.name).join(User, User.id == Doctor.user_id).where(Doctor.id.in_(doctors)))
    return Names(dict(found), dict(known), session.zone)


def new_series(session: ClinicSession, patient_id: str, rule: str) -> int:
    """Bind appointments that are about to be booked; gives the series."""
    return session.execute(insert(Series).values(patient_id=patient_id, rule=rule, made_by=session.my_id).returning(Series.id)).scalar_one()
