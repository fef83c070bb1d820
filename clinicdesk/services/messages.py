"""Messages to patients: what waits until the undo window is over, and letting it go. Sending is somebody else's business; a message that
was released counts as told, so that only what changes afterwards is said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update

from clinicdesk.models.desk import Message
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class Waiting:
    """One message that waits: about which appointment, what it will say, and until when it can be taken back."""

    appointment_id: int
    patient_id: str
    kind: str
    starts_at: datetime
    hold_until: datetime


def waiting(session: ClinicSession) -> list[Waiting]:
    """What was not said yet, the next to go first."""
    m = Message
    rows = session.rows(select(m.appointment_id, m.patient_id, m.kind, m.starts_at, m.hold_until)
                        .where(m.released_at.is_(None)).order_by(m.hold_until, m.id))
    return [Waiting(*row) for row in rows]


def release(session: ClinicSession) -> int:
    """Let go of every message whose undo window is over, each once; how many. Harmless when nothing is due. For the worker.

    What was to be said of an appointment that has begun meanwhile is dropped. A message that a desk is changing right now is left alone.
    """
    m = Message
    idle = select(m.id).where(m.released_at.is_(None)).with_for_update(skip_locked=True)
    over = delete(m).where(m.id.in_(idle.where(m.starts_at <= func.now())))
    session.execute(over.execution_options(synchronize_session=False))
    due = update(m).where(m.id.in_(idle.where(m.hold_until <= func.now()))).values(released_at=func.now())
    return session.changed(due.execution_options(synchronize_session=False))
