"""The bell: what others did that concerns me, as it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, update

from clinicdesk.models.accounts import User
from clinicdesk.models.desk import Notification
from clinicdesk.models.people import Patient
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.storage.database import ClinicSession

#: Kind → words; {name} is the patient, {when} the appointment.
WORDS: Final = {
    "booked": "{name} is booked for {when}",
    "moved": "{name} is moved to {when}",
    "moved_away": "{name}, {when}, is moved to another doctor",
    "cancelled": "{name}, {when}, is cancelled",
    "no_show": "{name}, {when}, did not attend",
    "arrived": "{name} has arrived for {when}",
    "assigned": "{name} is now your patient",
    "unassigned": "{name} is no longer assigned to you",
    "glass": "The record of {name} was opened as an emergency",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the bell."""

    id: int
    at: datetime
    kind: str
    words: str
    who: str
    patient_id: str
    appointment_id: int | None
    starts_at: datetime | None
    read: bool


def unread(session: ClinicSession) -> int:
    """How many I have not read."""
    return session.scalar(select(func.count()).where(Notification.user_id == session.my_id, Notification.read_at.is_(None))) or 0


def notices(session: ClinicSession, limit: int = 50) -> list[Notice]:
    """The newest first."""
    n = Notification
    rows = session.execute(
        select(n, Patient.last_name + ", " + Patient.first_name, User.name)
        .join(Patient, Patient.id == n.patient_id)
        .outerjoin(User, User.id == n.by_user)
        .where(n.user_id == session.my_id)
        .order_by(n.id.desc())
        .limit(limit)
    )
    return [
        Notice(
            row.id,
            row.at,
            row.kind,
            WORDS[row.kind].format(name=name, when=_when(session, row.starts_at)),
            who or "",
            row.patient_id,
            row.appointment_id,
            row.starts_at,
            row.read_at is not None,
        )
        for row, name, who in rows
    ]


def mark_read(session: ClinicSession, ids: Sequence[int] | None = None) -> int:
    """These (or all) are read; how many were not. A line that another desk is replacing right now stays unread."""
    n = Notification
    mine = select(n.id).where(n.user_id == session.my_id, n.read_at.is_(None)).with_for_update(skip_locked=True)
    if ids is not None:
        mine = mine.where(n.id.in_(ids))
    statement = update(n).where(n.id.in_(mine)).values(read_at=func.now())
    return session.changed(statement.execution_options(synchronize_session=False))


def _when(session: ClinicSession, moment: datetime | None) -> str:
    if moment is None:
        return ""
    local = moment.astimezone(session.zone)
    today = session.now().astimezone(session.zone).date()
    return clinical_time(local) if local.date() == today else f"{clinical_date(local.date(), weekday=True)} {clinical_time(local)}"
