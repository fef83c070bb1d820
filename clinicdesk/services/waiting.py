"""The waiting list: wishes, the places that become free, whom to offer them, and holding a place while the telephone rings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import func, insert, select, text, update

from clinicdesk.errors import ChangedElsewhere, FreePlace, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.models.scheduling import Appointment
from clinicdesk.models.waiting import Offer as OfferTable
from clinicdesk.models.waiting import Wish as WishTable
from clinicdesk.rules.matching import Place, Wanted, fit, wish_words
from clinicdesk.rules.slots import Range
from clinicdesk.rules.steps import ACTIVE
from clinicdesk.services import appointments, undoing
from clinicdesk.services.availability import calendars, open_on
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.storage.database import ClinicSession

#: How long a place is held unless something else is said: long enough for a telephone call, short enough for the next in line.
HOLD_MINUTES: Final = 30
#: How far back a place may have become free and still be looked at.
LOOK_BACK: Final = timedelta(days=7)
_NAME = Patient.last_name + ", " + Patient.first_name


@dataclass(frozen=True, slots=True)
class WishForm:
    """What a person types; units as in `rules.matching.Wanted`. `gives_up` is the appointment she would give up for an earlier one."""

    patient_id: str
    doctor_id: int | None = None
    specialization: str = ""
    minutes: int = 20
    weekdays: int = 127
    from_minute: int = 0
    to_minute: int = 1440
    first_day: date | None = None
    last_day: date | None = None
    notice_minutes: int = 0
    urgency: int = 1
    note: str = ""
    gives_up: int | None = None


@dataclass(frozen=True, slots=True)
class WishRow:
    """One wish in the list. `wants` is what she waits for in words; `held` the place held for her now, if any."""

    id: int
    patient_id: str
    patient_name: str
    patient_born: date
    phone: str
    wants: str
    urgency: int
    note: str
    since: datetime
    status: str
    version: int
    form: WishForm
    held: OfferRow | None = None


@dataclass(frozen=True, slots=True)
class OfferRow:
    """A place held for somebody until `expires_at`."""

    id: int
    wish_id: int
    patient_id: str
    patient_name: str
    phone: str
    doctor_id: int
    doctor_name: str
    starts_at: datetime
    ends_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody who fits a place, and why."""

    wish: WishRow
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Freed:
    """A place that became free, still is, and fits at least one wish: the best one first."""

    place: FreePlace
    doctor_name: str
    freed_at: datetime
    best: Match
    count: int


def add(session: ClinicSession, form: WishForm) -> int:
    """Put somebody on the list; gives the wish."""
    _check(form)
    _own(session, form)
    statement = insert(WishTable).values(**_columns(form), patient_id=form.patient_id, made_by=session.my_id).returning(WishTable.id)
    with session.attempt():
        return session.execute(statement).scalar_one()


def change(session: ClinicSession, wish_id: int, form: WishForm, version: int) -> None:
    """Change what somebody waits for."""
    _check(form)
    _own(session, form)
    _update(session, wish_id, version, _columns(form))


def withdraw(session: ClinicSession, wish_id: int, version: int) -> None:
    """Take somebody off the list; a place held for her is free again."""
    _update(session, wish_id, version, {"status": "withdrawn"})
    session.execute(update(OfferTable).where(OfferTable.wish_id == wish_id, OfferTable.status == "held").values(status="withdrawn"))


def put_back(session: ClinicSession, wish_id: int, version: int) -> None:
    """Back on the list after it was taken off by mistake, with the time she has waited."""
    _update(session, wish_id, version, {"status": "waiting", "booked_id": None})


def wishes(session: ClinicSession, *, waiting_only: bool = True) -> list[WishRow]:
    """The list: the most urgent first, then who waits longest."""
    w = WishTable
    query = (
        select(w, _NAME, Patient.born, Patient.phone, User.name)
        .join(Patient, Patient.id == w.patient_id)
        .outerjoin(Doctor, Doctor.id == w.doctor_id)
        .outerjoin(User, User.id == Doctor.user_id)
        .where(Patient.archived_at.is_(None), Patient.died.is_(None))
        .order_by(w.urgency.desc(), w.created_at, w.id)
    )
    if waiting_only:
        query = query.where(w.status == "waiting")
    held = {offer.wish_id: offer for offer in offers(session)}
    return [
        WishRow(row.id, row.patient_id, name, born, phone or "", wish_words(_wanted(row), doctor or ""), row.urgency, row.note,
                row.created_at, row.status, row.version, _form(row), held.get(row.id))
        for row, name, born, phone, doctor in session.execute(query)
    ]


def offers(session: ClinicSession) -> list[OfferRow]:
    """The places held now, the one that runs out first in front."""
    o = OfferTable
    rows = session.rows(
        select(
            o.id,
            o.wish_id,
            o.patient_id,
            _NAME,
            func.coalesce(Patient.phone, ""),
            o.doctor_id,
            User.name,
            o.starts_at,
            o.ends_at,
            o.expires_at,
        )
        .join(Patient, Patient.id == o.patient_id)
        .join(Doctor, Doctor.id == o.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .where(o.status == "held", o.expires_at > session.now())
        .order_by(o.expires_at)
    )
    return [OfferRow(*row) for row in rows]


def matches(session: ClinicSession, place: FreePlace, limit: int = 8) -> list[Match]:
    """Who fits a place, best first. Left out: who was offered this place already, holds another offer, or is booked at that time."""
    return _matches(session, [place], wishes(session))[0][:limit]


def _matches(session: ClinicSession, places: Sequence[FreePlace], waiting: Sequence[WishRow]) -> list[list[Match]]:
    """Of each place who fits it, best first. Four queries whatever their number."""
    if not places or not waiting:
        return [[] for _ in places]
    o, a = OfferTable, Appointment
    fields = dict(session.rows(select(Doctor.id, Doctor.specialization).where(Doctor.id.in_({place.doctor_id for place in places}))))
    asked = set(session.rows(
        select(o.wish_id, o.doctor_id, o.starts_at)
        .where(o.wish_id.in_([wish.id for wish in waiting]), o.status.in_(("refused", "expired")), o.starts_at > session.now())
    ))
    first, last = min(place.starts_at for place in places), max(place.ends_at for place in places)
    booked: dict[str, list[tuple[int, datetime, datetime]]] = {}
    for patient_id, *held in session.rows(
        select(a.patient_id, a.id, a.starts_at, a.ends_at).where(
            a.patient_id.in_({wish.patient_id for wish in waiting}), a.starts_at < last, a.ends_at > first,
            a.starts_at > first - timedelta(hours=12), a.status.in_(ACTIVE),
        )
    ):
        booked.setdefault(patient_id, []).append((held[0], held[1], held[2]))
    later = dict(session.rows(select(a.id, a.starts_at).where(a.id.in_([w.form.gives_up for w in waiting if w.form.gives_up]))))
    offered = {wish.patient_id for wish in waiting if wish.held is not None}
    known = [(wish, _wanted(wish.form, wish.since)) for wish in waiting if wish.patient_id not in offered]
    now, found = session.now(), []
    for place in places:
        where = Place(place.doctor_id, fields.get(place.doctor_id) or "", place.starts_at, place.ends_at)
        fitting = []
        for wish, wants in known:
            how = fit(wants, where, now, session.zone)
            if how is None or (wish.id, place.doctor_id, place.starts_at) in asked:
                continue
            if wish.form.gives_up is not None and later.get(wish.form.gives_up, place.starts_at) <= place.starts_at:
                continue  # it would not be earlier than what she has
            if any(number != wish.form.gives_up and begin < place.ends_at and end > place.starts_at
                   for number, begin, end in booked.get(wish.patient_id, ())):
                continue
            fitting.append((how, wish))
        fitting.sort(key=lambda pair: (pair[0].score, -pair[1].id), reverse=True)
        found.append([Match(wish, how.reasons) for how, wish in fitting])
    return found


_FREED = text("""
    with steps as (
        select e.appointment_id, e.id, e.at, e.what, lag(e.doctor_id) over w as doctor_id, lag(e.starts_at) over w as starts_at,
               lag(e.ends_at) over w as ends_at, lag(e.lane) over w as lane
          from clinic.appointment_events e
         where e.appointment_id in (select x.appointment_id from clinic.appointment_events x
                                     where x.at > :since and x.what in ('cancelled', 'no_show', 'moved', 'taken back'))
        window w as (partition by e.appointment_id order by e.id)),
    places as (
        select doctor_id, starts_at, ends_at, max(at) as at from steps
         where at > :since and what in ('cancelled', 'no_show', 'moved', 'taken back') and lane = 0 and starts_at > :now
         group by 1, 2, 3)
    select p.doctor_id, p.starts_at, p.ends_at, p.at from places p
     where (select a.id from clinic.appointments a  -- one look into the index for each, where an anti-join would read them all
             where a.doctor_id = p.doctor_id and a.lane = 0 and a.starts_at < p.ends_at
               and a.starts_at > p.starts_at - interval '12 hours' and a.ends_at > p.starts_at
               and a.status not in ('cancelled', 'no_show') limit 1) is null
       and (select o.id from clinic.offers o
             where o.doctor_id = p.doctor_id and o.starts_at < p.ends_at and o.ends_at > p.starts_at
               and o.status = 'held' and o.expires_at > :now limit 1) is null
     order by p.at desc limit 60""")


def freed(session: ClinicSession, limit: int = 6) -> list[Freed]:
    """Places of the last week's cancellations and moves that are still free, open, not held, and wanted by somebody; soonest first.

    As many queries for one place as for sixty.
    """
    now = session.now()
    rows = session.execute(_FREED, {"since": now - LOOK_BACK, "now": now}).all()
    waiting = wishes(session) if rows else []
    if not waiting:
        return []
    ids = sorted({row[0] for row in rows})
    first, last = min(row[1] for row in rows), max(row[2] for row in rows)
    known = calendars(session, ids, first - timedelta(days=1), last + timedelta(days=1), busy_times=False)
    names = dict(session.rows(select(Doctor.id, User.name).join(User, User.id == Doctor.user_id).where(Doctor.id.in_(ids))))
    open_days: dict[tuple[int, date], tuple[Range, ...]] = {}
    places = []
    for doctor_id, starts_at, ends_at, at in sorted(rows, key=lambda row: row[1]):
        day = starts_at.astimezone(session.zone).date()
        if (doctor_id, day) not in open_days:
            open_days[doctor_id, day] = open_on(known[doctor_id], day, session)
        if any(span.contains(Range(starts_at, ends_at)) for span in open_days[doctor_id, day]):
            places.append((FreePlace(doctor_id, starts_at, ends_at), at))
    matched = zip(places, _matches(session, [place for place, _ in places], waiting), strict=True)
    found = [Freed(place, str(names[place.doctor_id]), at, fitting[0], len(fitting)) for (place, at), fitting in matched if fitting]
    return found[:limit]


def offer(session: ClinicSession, wish_id: int, place: FreePlace, minutes: int = HOLD_MINUTES) -> int:
    """Hold a place for somebody; gives the offer. SlotTaken when it is booked or held already, and nobody gets two at once."""
    wish = session.get(WishTable, wish_id)
    if wish is None:
        raise NotAllowed
    if not 1 <= minutes <= 3 * 24 * 60:
        raise Invalid("expires_at", "A place is held for 1 minute to 3 days.")
    ends_at = place.starts_at + timedelta(minutes=wish.minutes)
    statement = (
        insert(OfferTable)
        .values(
            wish_id=wish_id,
            patient_id=wish.patient_id,
            doctor_id=place.doctor_id,
            starts_at=place.starts_at,
            ends_at=min(ends_at, place.ends_at),
            offered_by=session.my_id,
            expires_at=func.now() + timedelta(minutes=minutes),
        )
        .returning(OfferTable.id)
    )
    with session.attempt():
        return session.execute(statement).scalar_one()


def accept(session: ClinicSession, offer_id: int) -> int:
    """She takes it: books the place (or moves the appointment she gives up) and settles the wish; gives the appointment."""
    held = _held(session, offer_id)
    wish = session.get_one(WishTable, held.wish_id)
    with session.attempt():
        undoing.hold(session, [wish.gives_up] if wish.gives_up else [], [held.doctor_id], [wish.id])
        _settle(session, offer_id, "accepted")
        with undoing.one_action(session, "offer", wish=wish.id):
            given = session.get(Appointment, wish.gives_up) if wish.gives_up else None
            if given is not None and given.status in {"scheduled", "confirmed"}:
                appointments.move(session, given.id, held.doctor_id, held.starts_at, held.ends_at, given.version)
                booked = given.id
            else:
                booked = appointments.book(
                    session, NewAppointment(held.doctor_id, held.patient_id, held.starts_at, held.ends_at, wish.note)
                )
        _update(session, wish.id, wish.version, {"status": "booked", "booked_id": booked})
    return booked


def refuse(session: ClinicSession, offer_id: int) -> list[Match]:
    """She does not want it: the place is free again; gives who is next."""
    held = _held(session, offer_id)
    _settle(session, offer_id, "refused")
    return matches(session, FreePlace(held.doctor_id, held.starts_at, held.ends_at))


def expire(session: ClinicSession) -> int:
    """Let go of places whose time ran out; how many. For the worker; at the desks such a place counts as free from its minute on."""
    return int(session.execute(select(func.clinic.expire_offers())).scalar_one())


def _held(session: ClinicSession, offer_id: int) -> OfferTable:
    row = session.get(OfferTable, offer_id)
    if row is None:
        raise NotAllowed
    return row


def _settle(session: ClinicSession, offer_id: int, status: str) -> None:
    with session.attempt():
        session.execute(
            update(OfferTable).where(OfferTable.id == offer_id).values(status=status).execution_options(synchronize_session=False)
        )


def _update(session: ClinicSession, wish_id: int, version: int, values: dict[str, object]) -> None:
    statement = update(WishTable).where(WishTable.id == wish_id, WishTable.version == version).values(**values, version=version + 1)
    with session.attempt():
        if session.changed(statement.execution_options(synchronize_session=False)) != 1:
            raise ChangedElsewhere("Somebody else changed this wish in the meantime.")


def _check(form: WishForm) -> None:
    if not form.patient_id:
        raise Invalid("patient_id", "Choose the patient first.")
    if form.first_day and form.last_day and form.last_day < form.first_day:
        raise Invalid("last_day", "The last day lies before the first.")
    if form.to_minute - form.from_minute < form.minutes:
        raise Invalid("to_minute", "The hours are shorter than the appointment.")


def _own(session: ClinicSession, form: WishForm) -> None:
    """The appointment she gives up is her own: accepting a place moves it."""
    whose = select(Appointment.patient_id).where(Appointment.id == form.gives_up)
    if form.gives_up is not None and session.scalar(whose) != form.patient_id:
        raise Invalid("gives_up", "This is not an appointment of this patient.")


_FIELDS: Final = ("doctor_id", "specialization", "minutes", "weekdays", "from_minute", "to_minute", "first_day", "last_day",
                  "notice_minutes", "urgency", "note", "gives_up")


def _columns(form: WishForm) -> dict[str, object]:
    return {name: getattr(form, name) for name in _FIELDS} | {"note": form.note.strip()}


def _form(row: WishTable) -> WishForm:
    return WishForm(row.patient_id, **{name: getattr(row, name) for name in _FIELDS})


def _wanted(row: WishTable | WishForm, since: datetime | None = None) -> Wanted:
    at = row.created_at if isinstance(row, WishTable) else since
    assert at is not None  # noqa: S101  a form is asked about together with its row's moment
    return Wanted(row.minutes, at, row.urgency, row.doctor_id, row.specialization, row.weekdays, row.from_minute, row.to_minute,
                  row.first_day, row.last_day, row.notice_minutes)
