"""The till of a day, and its close: what the database expects against what was counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import cast

from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased

from clinicdesk.errors import NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.money import DayClose, Receipt
from clinicdesk.pdf.page import PaperName
from clinicdesk.pdf.receipt import DaySheet, render_day
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.money import METHODS, ZERO
from clinicdesk.rules.texts import tidy
from clinicdesk.services.money import ReceiptRow, receipt_rows, words
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class MethodSum:
    """What came in and went out by one method, over how many receipts."""

    method: str
    came: Decimal
    went: Decimal
    receipts: int

    @property
    def sum(self) -> Decimal:
        """What is left of it."""
        return self.came - self.went


@dataclass(frozen=True, slots=True)
class CloseRow:
    """A close of a day, also one that was reopened since."""

    id: int
    day: date
    opening: Decimal
    expected_cash: Decimal
    expected_card: Decimal
    counted_cash: Decimal
    card_total: Decimal
    explanation: str
    closed_by: str
    closed_at: datetime
    reopened_by: str
    reopened_at: datetime | None
    reopen_reason: str

    @property
    def difference(self) -> Decimal:
        """Cash and card together: counted less expected."""
        return self.counted_cash - self.expected_cash + self.card_total - self.expected_card

    @property
    def matches(self) -> bool:
        """Whether cash and card each came out right."""
        return self.counted_cash == self.expected_cash and self.card_total == self.expected_card


@dataclass(frozen=True, slots=True)
class Till:
    """A day's receipts, sums by method, and its close if it is closed. `opening` is what the drawer held at the last close's start."""

    day: date
    currency: str
    receipts: tuple[ReceiptRow, ...]
    sums: tuple[MethodSum, ...]
    closed: CloseRow | None
    opening: Decimal
    unclosed: tuple[date, ...]

    def sum_of(self, method: str) -> Decimal:
        """What the day expects of a method, the opening cash not counted."""
        return next((one.sum for one in self.sums if one.method == method), ZERO)


def sums(session: ClinicSession, day: date) -> tuple[MethodSum, ...]:
    """What came and went by each method, in the order of the screen; computed by the database."""
    found = {row[0]: MethodSum(*row) for row in session.rows(
        text("select method, came, went, receipts from clinic.day_money(:day)").bindparams(day=day)
    )}
    return tuple(found[method] for method in METHODS)


def closes(session: ClinicSession, *, day: date | None = None, limit: int = 60) -> list[CloseRow]:
    """Closes, newest day first."""
    c, closer, opener = DayClose, aliased(User), aliased(User)
    query = (
        select(c.id, c.day, c.opening, c.expected_cash, c.expected_card, c.counted_cash, c.card_total, c.explanation,
               func.coalesce(closer.name, ""), c.closed_at, func.coalesce(opener.name, ""), c.reopened_at, c.reopen_reason)
        .outerjoin(closer, closer.id == c.closed_by)
        .outerjoin(opener, opener.id == c.reopened_by)
        .order_by(c.day.desc(), c.id.desc())
        .limit(limit)
    )
    if day is not None:
        query = query.where(c.day == day)
    return [CloseRow(*row) for row in session.rows(query)]


def till(session: ClinicSession, day: date) -> Till:
    """Everything the till shows of a day."""
    closed = next((row for row in closes(session, day=day) if row.reopened_at is None), None)
    opening = session.scalar(select(DayClose.opening).where(DayClose.day < day).order_by(DayClose.day.desc(), DayClose.id.desc()).limit(1))
    done = select(DayClose.day).where(DayClose.reopened_at.is_(None))
    unclosed = session.scalars(
        select(Receipt.day).where(Receipt.day < day, Receipt.day.not_in(done)).distinct().order_by(Receipt.day.desc()).limit(5)
    )
    return Till(day, clinic_settings(session).currency, tuple(receipt_rows(session, Receipt.day == day)), sums(session, day), closed,
                opening or ZERO, tuple(unclosed))


def close(session: ClinicSession, day: date, opening: Decimal, counted_cash: Decimal, card_total: Decimal, explanation: str = "") -> int:
    """Close a day: the database computes what is expected. Invalid `explanation` when it does not match and nobody explains it."""
    call = "select clinic.close_day(:day, :opening, :counted, :card, :why)"
    values = {"day": day, "opening": opening, "counted": counted_cash, "card": card_total, "why": words("explanation", explanation)}
    with session.attempt():
        return int(session.execute(text(call), values).scalar_one())


def reopen(session: ClinicSession, close_id: int, reason: str) -> None:
    """An administrator opens a closed day again; the close and the reason stay."""
    with session.attempt():
        session.execute(text("select clinic.reopen_day(:id, :why)"), {"id": close_id, "why": tidy(reason)})


def paper(session: ClinicSession, close_id: int) -> tuple[str, bytes]:
    """File name and bytes of the sheet of a close."""
    day = session.scalar(select(DayClose.day).where(DayClose.id == close_id))
    row = next((row for row in closes(session, day=day) if row.id == close_id), None) if day else None
    if row is None:
        raise NotAllowed
    clinic = clinic_settings(session)
    sheet = DaySheet(
        letterhead=Letterhead(clinic.name, clinic.address, clinic.phone, clinic.email),
        day=row.day,
        currency=clinic.currency,
        rows=tuple((one.method, one.came, one.went, one.receipts) for one in sums(session, row.day)),
        opening=row.opening,
        expected_cash=row.expected_cash,
        counted_cash=row.counted_cash,
        expected_card=row.expected_card,
        card_total=row.card_total,
        explanation=row.explanation,
        closed_by=row.closed_by,
        closed_at=row.closed_at.astimezone(session.zone),
    )
    return f"day-close-{row.day.isoformat()}.pdf", render_day(sheet, cast("PaperName", clinic.page))
