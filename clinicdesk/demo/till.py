"""The demo clinic's money: the completed visits paid, a few wallets, and every past day closed. The same every time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from clinicdesk.clinic import Clinic
from clinicdesk.demo.days import Progress, patients_all
from clinicdesk.models.money import Charge
from clinicdesk.models.scheduling import Appointment
from clinicdesk.services import accounts
from clinicdesk.storage.database import ClinicSession

OPENING = Decimal(100)
_BOOK = text("select clinic.book_money(:kind, :patient, :key, :lines, :reason, :by, :at)").bindparams(bindparam("lines", type_=JSONB))
_CLOSE = text("select clinic.book_close(:day, :opening, :counted, :card, :why, :by, :at)")
_SUMS = text("select method, came - went from clinic.day_money(:day)")


def money(clinic: Clinic, source: random.Random, progress: Progress) -> None:
    """Pay what the past visits were charged, oldest first, and close each day; three visits of the newest stay owed."""
    with clinic.as_owner() as session:
        rita = accounts.by_username(session, "rita").user_id
        visits = session.execute(
            select(Charge.id, Charge.patient_id, Charge.amount, Appointment.ends_at)
            .join(Appointment, Appointment.id == Charge.appointment_id)
            .order_by(Appointment.ends_at, Charge.id)
        ).all()
        today = session.now().astimezone(clinic.zone).date()
        steps = [(row.ends_at + timedelta(minutes=4), _visit(row, source)) for row in visits[:-3]]
        steps += [(at, _top_up(patient, source)) for at, patient in _toppings(clinic, session, today)]
        steps.sort(key=lambda step: step[0])
        day: date | None = None
        for number, (at, call) in enumerate(steps):
            progress("Payments", number, len(steps))
            on = at.astimezone(clinic.zone).date()
            if day is not None and on != day:
                _close(clinic, session, source, day, rita)
            day = on
            session.execute(_BOOK, {"by": rita, "at": at, "reason": "", "key": f"demo {number}", **call})
        if day is not None and day < today:
            _close(clinic, session, source, day, rita)


def _visit(row: Any, source: random.Random) -> dict[str, Any]:
    method = source.choices(("cash", "card"), (2, 3))[0]
    return {"kind": "payment", "patient": row.patient_id, "lines": [{"charge": row.id, "method": method, "amount": str(row.amount)}]}


def _top_up(patient_id: str, source: random.Random) -> dict[str, Any]:
    lines = [{"method": source.choice(("cash", "card")), "amount": str(source.choice((50, 80, 120)))}]
    return {"kind": "top_up", "patient": patient_id, "lines": lines}


def _toppings(clinic: Clinic, session: ClinicSession, today: date) -> Iterator[tuple[datetime, str]]:
    """Some wallets filled last week."""
    for number, patient_id in enumerate(patients_all(session)[5:45:4]):
        yield datetime.combine(today - timedelta(days=7 - number % 6), time(9 + number % 7, 5 * number), tzinfo=clinic.zone), patient_id


def _close(clinic: Clinic, session: ClinicSession, source: random.Random, day: date, by: int) -> None:
    sums = {row[0]: row[1] for row in session.execute(_SUMS, {"day": day})}
    off = source.choice((Decimal("-2.00"), Decimal("5.00"))) if source.random() < 0.04 else Decimal(0)
    why = "Counted twice, the coins do not add up." if off else ""
    values = {"opening": OPENING, "counted": OPENING + sums["cash"] + off, "card": sums["card"], "why": why}
    session.execute(_CLOSE, {"day": day, "by": by, "at": datetime.combine(day, time(18, 5), tzinfo=clinic.zone), **values})
