"""Booking and everything that happens to an appointment until the doctor starts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, func, insert, select, text, update

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed, SlotTaken
from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Consultation
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.models.scheduling import Appointment
from clinicdesk.models.scheduling import AppointmentEvent as EventTable
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.rules.steps import ACTIVE, check_step
from clinicdesk.services import undoing
from clinicdesk.services.availability import calendars, day_bounds, nearest_places, open_on
from clinicdesk.services.finding import search
from clinicdesk.services.person import of_person, records_of
from clinicdesk.services.schedule import AppointmentBlock, AppointmentEvent, AppointmentRow, DaySchedule, DoctorColumn, NewAppointment
from clinicdesk.storage.database import ClinicSession

PATIENT_NAME = Patient.last_name + ", " + Patient.first_name
_BOOKED = cast("Table", Appointment.__table__)
#: What a booking looks up first, in one question: the same request booked already, and whether the patient may be booked at all.
_BEFORE_BOOKING = text("select (select id from clinic.appointments where request_key = :key), archived_at, died"
                       " from (select 1) as one left join clinic.patients on id = :patient")
_BOOK = insert(_BOOKED).returning(_BOOKED.c.id, *(_BOOKED.c[name] for name in undoing.KEPT))


def day(session: ClinicSession, on: date, doctor_ids: Sequence[int] | None = None) -> DaySchedule:
    """One day: a column for each doctor (all active ones, by name, or those asked for) and every appointment. Five queries."""
    query = select(Doctor.id, User.name, Doctor.specialization).join(User, User.id == Doctor.user_id)
    query = query.where(Doctor.id.in_(doctor_ids)) if doctor_ids is not None else query.where(User.active, Doctor.available)
    people = session.execute(query.order_by(func.lower(User.name), Doctor.id)).all()
    start, end = day_bounds(session, on)
    ids = [p.id for p in people]
    open_times = calendars(session, ids, start, end, busy_times=False)
    columns = tuple(
        DoctorColumn(
            p.id,
            p.name,
            p.specialization,
            on,
            open_on(open_times[p.id], on, session),
            next((reason for r, reason in open_times[p.id].closed_reasons if r.starts_at < end and r.ends_at > start), ""),
        )
        for p in people
    )
    return DaySchedule(on, columns, tuple(blocks(session, start, end, ids)))


def blocks(session: ClinicSession, starts_at: datetime, ends_at: datetime, doctor_ids: Sequence[int]) -> list[AppointmentBlock]:
    """Every appointment of some doctors that begins in a stretch of time, by start."""
    a = Appointment
    rows = session.execute(
        select(
            a.id,
            a.doctor_id,
            a.patient_id,
            PATIENT_NAME,
            Patient.born,
            a.starts_at,
            a.ends_at,
            a.status,
            a.lane,
            a.reason,
            a.overbook_reason,
            a.status_since,
            a.version,
            a.series_id,
        )
        .join(Patient, Patient.id == a.patient_id)
        .where(a.starts_at >= starts_at, a.starts_at < ends_at, a.doctor_id.in_(doctor_ids))
        .order_by(a.starts_at, a.lane, a.id)
    )
    return [AppointmentBlock(*tuple(row)) for row in rows]


def _rows(session: ClinicSession, *conditions: ColumnElement[bool], newest_first: bool = False, limit: int = 500) -> list[AppointmentRow]:
    a = Appointment
    query = (
        select(
            a.id,
            a.doctor_id,
            User.name,
            a.patient_id,
            PATIENT_NAME,
            Patient.born,
            Patient.sex,
            a.starts_at,
            a.ends_at,
            a.status,
            a.status_since,
            a.reason,
            a.cancel_reason,
            Consultation.id,
            a.version,
        )
        .join(Patient, Patient.id == a.patient_id)
        .join(Doctor, Doctor.id == a.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .outerjoin(Consultation, Consultation.appointment_id == a.id)
        .where(*conditions)
        .order_by(a.starts_at.desc() if newest_first else a.starts_at, a.id)
        .limit(limit)
    )
    return [AppointmentRow(*tuple(row)) for row in session.execute(query)]


def list_day(session: ClinicSession, on: date, doctor_id: int | None = None) -> list[AppointmentRow]:
    """Appointments of a day, of one doctor or of all."""
    start, end = day_bounds(session, on)
    conditions = [Appointment.starts_at >= start, Appointment.starts_at < end]
    if doctor_id is not None:
        conditions.append(Appointment.doctor_id == doctor_id)
    return _rows(session, *conditions)


def of_patient(session: ClinicSession, patient_id: str) -> list[AppointmentRow]:
    """All appointments of a patient that the reader may see, newest first."""
    return _rows(session, of_person(Appointment.patient_id, patient_id), newest_first=True)


def upcoming(session: ClinicSession, *, doctor_id: int | None = None, limit: int = 200) -> list[AppointmentRow]:
    """What is still to come, soonest first."""
    conditions = [Appointment.starts_at >= session.now(), Appointment.status.in_(("scheduled", "confirmed"))]
    if doctor_id is not None:
        conditions.append(Appointment.doctor_id == doctor_id)
    return _rows(session, *conditions, limit=limit)


def past(session: ClinicSession, *, doctor_id: int | None = None, limit: int = 200) -> list[AppointmentRow]:
    """What has been, latest first."""
    conditions = [Appointment.starts_at < session.now()]
    if doctor_id is not None:
        conditions.append(Appointment.doctor_id == doctor_id)
    return _rows(session, *conditions, newest_first=True, limit=limit)


def listed(session: ClinicSession, when: str, *, doctor_id: int | None = None, status: str = "", typed: str = "",
           limit: int = 300) -> list[AppointmentRow]:
    """Appointments of `when` (today, upcoming, past), of a doctor, in a status, of patients found by what was typed.

    Upcoming begins now, soonest first; past ends now, latest first; today is the whole day in the clinic's zone.
    """
    a, now = Appointment, session.now()
    start, end = day_bounds(session, now.astimezone(session.zone).date())
    spans = {"today": (a.starts_at >= start, a.starts_at < end), "upcoming": (a.starts_at >= now,), "past": (a.starts_at < now,)}
    conditions = list(spans[when])
    if doctor_id is not None:
        conditions.append(a.doctor_id == doctor_id)
    if status:
        conditions.append(a.status == status)
    if typed.strip():
        conditions.append(records_of(a.patient_id, [row.id for row in search(session, typed, 100, archived=True)]))
    return _rows(session, *conditions, newest_first=when == "past", limit=limit)


def rows_where(
    session: ClinicSession, *conditions: ColumnElement[bool], newest_first: bool = False, limit: int = 500
) -> list[AppointmentRow]:
    """Appointments that fulfil all conditions, soonest first; for services with a question of their own."""
    return _rows(session, *conditions, newest_first=newest_first, limit=limit)


def one(session: ClinicSession, appointment_id: int) -> AppointmentRow:
    """One appointment."""
    rows = _rows(session, Appointment.id == appointment_id)
    if not rows:
        raise NotAllowed
    return rows[0]


def clashes_of_patient(
    session: ClinicSession, patient_id: str, starts_at: datetime, ends_at: datetime, but: int = 0
) -> list[AppointmentRow]:
    """Other appointments of the patient at the same time: a warning before booking, not a refusal."""
    a = Appointment
    return _rows(
        session,
        of_person(a.patient_id, patient_id),
        a.starts_at < ends_at,
        a.ends_at > starts_at,
        a.starts_at > starts_at - timedelta(hours=12),
        a.status.in_(ACTIVE),
        a.id != but,
    )


def book(session: ClinicSession, wish: NewAppointment, rule: str = "") -> int:
    """Book; gives the appointment's id. Repeating a request with the same `key` gives the same appointment.

    `rule` are the words of the wish's series, if any. Raises SlotTaken with who is there and the three nearest free places; Invalid for a
    past time or a missing overbook reason.
    """
    known, archived_at, died = session.execute(_BEFORE_BOOKING, {"key": wish.key or None, "patient": wish.patient_id}).one()
    if known is not None:
        return int(known)
    if wish.ends_at <= wish.starts_at:
        raise Invalid("ends_at", "An appointment ends after it starts.")
    if archived_at is not None:
        raise Invalid("patient_id", "This patient is archived. Restore the record first.")
    if died is not None:
        raise Invalid("patient_id", f"This patient died on {clinical_date(died)}.")
    values = {
        "doctor_id": wish.doctor_id,
        "patient_id": wish.patient_id,
        "starts_at": wish.starts_at,
        "ends_at": wish.ends_at,
        "reason": wish.reason.strip(),
        "lane": wish.lane,
        "overbook_reason": wish.overbook_reason.strip(),
        "request_key": wish.key or None,
        "booked_by": session.my_id,
        "series_id": wish.series_id,
    }
    try:
        with session.attempt():
            row = session.execute(_BOOK, values).one()
    except SlotTaken as taken:
        raise _explained(session, taken, wish.doctor_id, wish.starts_at, wish.ends_at) from taken
    undoing.note(session, "book", row.id, None, undoing.state_of(row), rule)
    return int(row.id)


def _explained(session: ClinicSession, taken: SlotTaken, doctor_id: int, starts_at: datetime, ends_at: datetime, but: int = 0) -> SlotTaken:
    a = Appointment
    holder = session.execute(
        select(PATIENT_NAME.label("name"), a.starts_at, a.ends_at)
        .join(Patient, Patient.id == a.patient_id)
        .where(
            a.doctor_id == doctor_id,
            a.starts_at < ends_at,
            a.ends_at > starts_at,
            a.starts_at > starts_at - timedelta(hours=12),
            a.status.in_(ACTIVE),
            a.id != but,
        )
        .order_by(a.starts_at)
        .limit(1)
    ).one_or_none()
    minutes = max(5, int((ends_at - starts_at).total_seconds() // 60))
    nearest = nearest_places(session, doctor_id, starts_at, min(minutes, 480))
    if holder is None:
        return SlotTaken(taken.sentence, nearest=nearest)
    until = f"{clinical_time(holder.starts_at, session.zone)}–{clinical_time(holder.ends_at, session.zone)}"
    return SlotTaken(f"{holder.name} is booked there, {until}.", f"{holder.name}, {until}", nearest)


def free_lane(session: ClinicSession, doctor_id: int, starts_at: datetime, ends_at: datetime) -> int:
    """The lowest lane above the ordinary one that is free then: where an overbook goes."""
    a = Appointment
    used = set(
        session.scalars(
            select(a.lane).where(
                a.doctor_id == doctor_id,
                a.starts_at < ends_at,
                a.ends_at > starts_at,
                a.starts_at > starts_at - timedelta(hours=12),
                a.status.in_(ACTIVE),
            )
        )
    )
    free = next((lane for lane in range(1, 10) if lane not in used), None)
    if free is None:
        raise SlotTaken("Nine appointments are already booked on top of each other.")
    return free


def _expect(session: ClinicSession, appointment_id: int, version: int) -> Appointment:
    row = session.get(Appointment, appointment_id)
    if row is None:
        raise NotAllowed
    if row.version != version:
        raise ChangedElsewhere("Somebody else changed this appointment in the meantime.")
    return row


def step(session: ClinicSession, appointment_id: int, to: str, version: int, reason: str = "") -> int:
    """Confirm, check in, cancel (needs a reason), did not attend, or take one of these back; gives the new version.

    Starting and completing belong to `consultations`. Raises Invalid for an illegal step, ChangedElsewhere for a stale version.
    """
    row = _expect(session, appointment_id, version)
    check_step(row.status, to, session.me.role if session.me else None)
    if to in {"in_progress", "completed"}:
        raise Invalid("status", "A visit is started and completed in the consultation.")
    if to == "cancelled" and len(reason.strip()) < 3:
        raise Invalid("cancel_reason", "Say why the appointment is cancelled.")
    before = undoing.state_of(row)
    try:
        with session.attempt():
            row.status = to
            if to == "cancelled":
                row.cancel_reason = reason.strip()
            session.flush()
    except SlotTaken as taken:
        raise _explained(session, taken, row.doctor_id, row.starts_at, row.ends_at, row.id) from taken
    session.refresh(row)
    undoing.note(session, "step", row.id, before, undoing.state_of(row))
    return row.version


def move(session: ClinicSession, appointment_id: int, doctor_id: int, starts_at: datetime, ends_at: datetime, version: int, *,
         lane: int = 0, overbook_reason: str = "") -> int:
    """Move to another time or doctor, or resize; gives the new version. SlotTaken like `book`; the history keeps the old place.

    A `lane` above 0 puts it on top of others and needs `overbook_reason`. Without one an overbook becomes ordinary again, except where it
    only shifts within the time it already has: there it stays on top.
    """
    row = _expect(session, appointment_id, version)
    before = undoing.state_of(row)
    shifts = row.lane > 0 and lane == 0 and row.doctor_id == doctor_id and row.starts_at < ends_at and starts_at < row.ends_at
    place = {"doctor_id": doctor_id, "starts_at": starts_at, "ends_at": ends_at, "lane": lane, "overbook_reason": overbook_reason.strip()}
    if all(getattr(row, key) == value for key, value in place.items()):
        return version
    try:
        _put(session, row.id, version, place)
    except SlotTaken as taken:
        if not shifts:
            raise _explained(session, taken, doctor_id, starts_at, ends_at, appointment_id) from taken
        place |= {"lane": row.lane, "overbook_reason": row.overbook_reason}
        if all(getattr(row, key) == value for key, value in place.items()):
            return version
        try:
            _put(session, row.id, version, place)
        except SlotTaken as still:
            raise _explained(session, still, doctor_id, starts_at, ends_at, appointment_id) from still
    after = {**before, **place, "starts_at": starts_at.isoformat(), "ends_at": ends_at.isoformat()}
    undoing.note(session, "move", row.id, before, after)
    return version + 1


def _put(session: ClinicSession, appointment_id: int, version: int, place: dict[str, Any]) -> None:
    changed = (update(Appointment).where(Appointment.id == appointment_id, Appointment.version == version)
               .values(**place, version=version + 1).returning(Appointment.id).execution_options(synchronize_session=False))
    with session.attempt():
        if session.scalar(changed) is None:
            raise ChangedElsewhere("Somebody else changed this appointment in the meantime.")


def history(session: ClinicSession, appointment_id: int) -> list[AppointmentEvent]:
    """Every step of an appointment with who and when, oldest first."""
    e = EventTable
    rows = session.execute(
        select(e.at, User.name, e.what, e.status, e.starts_at, e.detail)
        .outerjoin(User, User.id == e.user_id)
        .where(e.appointment_id == appointment_id)
        .order_by(e.id)
    )
    return [
        AppointmentEvent(r.at, r.name or "", r.what, _detail(r.what, r.detail, r.starts_at, session))
        for r in rows
    ]


def _detail(what: str, detail: str, starts_at: datetime, session: ClinicSession) -> str:
    if what == "taken back":  # whose booking it was is kept there for making it again
        return ""
    return detail or (clinical_time(starts_at, session.zone) if what == "moved" else "")
