"""What a patient owes, pays and has in the wallet. Every change is one call of a database function, which decides (migration 0003)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, case, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.money import Charge, Payment, Receipt, Wallet, WalletEntry
from clinicdesk.models.people import Patient
from clinicdesk.pdf.shaping import check_coverage
from clinicdesk.rules.money import ZERO
from clinicdesk.rules.texts import tidy
from clinicdesk.services.person import of_person
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """A charge with what was paid (refunds taken off) and what is still owed. `usual` is the doctor's fee where it is a visit's."""

    id: int
    appointment_id: int | None
    what: str
    amount: Decimal
    usual: Decimal | None
    reason: str
    made_at: datetime
    void_reason: str
    paid: Decimal
    owed: Decimal


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt in a list. `methods` are the ways it was paid with their sums; `total` is positive whichever way the money went."""

    id: int
    number: str
    kind: str
    taken_at: datetime
    taken_by: str
    patient_id: str
    patient_name: str
    what: str
    methods: tuple[tuple[str, Decimal], ...]
    total: Decimal
    refundable: Decimal
    printed: int

    @property
    def out(self) -> bool:
        """Whether the clinic gave money."""
        return self.kind in {"refund", "payout"}


@dataclass(frozen=True, slots=True)
class WalletRow:
    """An entry of a wallet: signed amount, and what the wallet held afterwards."""

    id: int
    kind: str
    amount: Decimal
    balance_after: Decimal
    reason: str
    made_at: datetime
    made_by: str


@dataclass(frozen=True, slots=True)
class Account:
    """Everything about one patient's money that fits a card; `charges` newest first, voided ones left out unless something was paid."""

    patient_id: str
    family_name: str
    given_name: str
    born: date
    currency: str
    wallet: Decimal
    charges: tuple[ChargeRow, ...]
    receipts: tuple[ReceiptRow, ...]
    entries: tuple[WalletRow, ...]
    other_wallets: Decimal = ZERO  #: what lies in the wallets of records merged with this one; each keeps its own

    @property
    def open(self) -> tuple[ChargeRow, ...]:
        """What is owed still, newest first."""
        return tuple(row for row in self.charges if row.owed > 0)

    @property
    def owed(self) -> Decimal:
        """The sum of it."""
        return sum((row.owed for row in self.charges), ZERO)


@dataclass(frozen=True, slots=True)
class Part:
    """Of a payment: how much of which charge by which method."""

    charge_id: int
    method: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class RefundPart:
    """Of a refund: how much of which line of a receipt goes back, and how."""

    payment_id: int
    method: str
    amount: Decimal


_PAID = func.coalesce(func.sum(case((Payment.kind == "payment", Payment.amount), else_=-Payment.amount)), ZERO)
_SETTLED = func.coalesce(
    func.sum(case((Payment.kind == "payment", Payment.amount), (Payment.owed_again, -Payment.amount), else_=ZERO)), ZERO
)


def charges(session: ClinicSession, patient_id: str) -> tuple[ChargeRow, ...]:
    """Charges of a patient with what was paid, newest first."""
    c = Charge
    owed = case((c.voided_at.is_(None), c.amount - _SETTLED), else_=ZERO)
    rows = session.rows(
        select(c.id, c.appointment_id, c.what, c.amount, c.usual, c.reason, c.made_at, c.void_reason, _PAID, owed)
        .outerjoin(Payment, Payment.charge_id == c.id)
        .where(of_person(c.patient_id, patient_id))
        .group_by(c.id)
        .order_by(c.made_at.desc(), c.id.desc())
    )
    found = (ChargeRow(*row) for row in rows)
    return tuple(row for row in found if not row.void_reason or row.paid)


def _given_back(session: ClinicSession, receipt_ids: Sequence[int]) -> dict[int, Decimal]:
    """Of the lines of these receipts: how much of each was refunded so far."""
    lines = select(Payment.id).where(Payment.receipt_id.in_(receipt_ids))
    query = select(Payment.refunded_id, func.sum(Payment.amount)).where(Payment.refunded_id.in_(lines)).group_by(Payment.refunded_id)
    return {row[0]: row[1] for row in session.rows(query)}


def receipt_rows(session: ClinicSession, *conditions: Any, limit: int = 500) -> list[ReceiptRow]:
    """Receipts that fit, newest first. Two queries."""
    r = Receipt
    heads = session.rows(
        select(r.id, r.number, r.kind, r.taken_at, func.coalesce(User.name, ""), r.patient_id,
               Patient.last_name + ", " + Patient.first_name, r.printed)
        .join(Patient, Patient.id == r.patient_id)
        .outerjoin(User, User.id == r.taken_by)
        .where(*conditions)
        .order_by(r.taken_at.desc(), r.id.desc())
        .limit(limit)
    )
    ids = [head[0] for head in heads]
    refunded = _given_back(session, ids)
    lines: dict[int, list[tuple[Any, ...]]] = {}
    for line in session.rows(
        select(Payment.receipt_id, Payment.id, Payment.method, Payment.amount, Charge.what)
        .outerjoin(Charge, Charge.id == Payment.charge_id)
        .where(Payment.receipt_id.in_(ids))
        .order_by(Payment.id)
    ):
        lines.setdefault(line[0], []).append(line)
    made = []
    for receipt_id, receipt_number, kind, at, by, patient_id, name, printed in heads:
        own = lines.get(receipt_id, [])
        methods: dict[str, Decimal] = {}
        for line in own:
            methods[line[2]] = methods.get(line[2], ZERO) + line[3]
        what = "; ".join(dict.fromkeys(line[4] for line in own if line[4]))
        total = sum(methods.values(), ZERO)
        left = total - sum((refunded.get(line[1], ZERO) for line in own), ZERO) if kind == "payment" else ZERO
        made.append(
            ReceiptRow(receipt_id, receipt_number, kind, at, by, patient_id, name, what, tuple(methods.items()), total, left, printed)
        )
    return made


def wallet_entries(session: ClinicSession, patient_id: str, limit: int = 50) -> tuple[WalletRow, ...]:
    """Entries of a wallet, newest first."""
    e = WalletEntry
    return tuple(WalletRow(*row) for row in session.rows(
        select(e.id, e.kind, e.amount, e.balance_after, e.reason, e.made_at, func.coalesce(User.name, ""))
        .outerjoin(User, User.id == e.made_by)
        .where(e.patient_id == patient_id)
        .order_by(e.id.desc())
        .limit(limit)
    ))


def account(session: ClinicSession, patient_id: str, limit: int = 8) -> Account:
    """The money of a patient: everything charged, the last receipts and wallet entries. NotAllowed for who may not see it."""
    w = aliased(Wallet)
    others = select(func.sum(w.balance)).where(of_person(w.patient_id, patient_id), w.patient_id != patient_id).scalar_subquery()
    head = session.execute(
        select(Patient.last_name, Patient.first_name, Patient.born, Wallet.balance, others)
        .outerjoin(Wallet, Wallet.patient_id == Patient.id)
        .where(Patient.id == patient_id)
    ).one_or_none()
    if head is None:
        raise NotAllowed
    return Account(
        patient_id, head[0], head[1], head[2], clinic_settings(session).currency, head[3] or ZERO, charges(session, patient_id),
        tuple(receipt_rows(session, of_person(Receipt.patient_id, patient_id), limit=limit)), wallet_entries(session, patient_id, limit),
        head[4] or ZERO,
    )


def open_account(session: ClinicSession, patient_id: str, appointment_id: int | None = None) -> Account:
    """The account, after the visit was charged with the doctor's fee if it was not yet; a visit is never charged twice."""
    if appointment_id is not None:
        charge_visit(session, appointment_id)
    return account(session, patient_id)


def _call(session: ClinicSession, call: str, **values: Any) -> Any:
    """One database function; its refusal leaves the rest of the transaction as it was."""
    statement = text(f"select {call}")
    if "lines" in values:
        statement = statement.bindparams(bindparam("lines", type_=JSONB))
    with session.attempt():
        return session.execute(statement, values).scalar_one()


def words(field: str, typed: str) -> str:
    """What will stand on paper, tidied; Invalid `field` for letters no font of the paper has."""
    kept = tidy(typed)
    try:
        check_coverage([("text", kept)])
    except ClinicError as refusal:
        raise Invalid(field, refusal.sentence) from refusal
    return kept


def charge_visit(session: ClinicSession, appointment_id: int) -> int | None:
    """Charge the doctor's fee of a visit whose patient has arrived, once; None when the doctor takes no fee or it was waived."""
    found = _call(session, "clinic.charge_visit(:id)", id=appointment_id)
    return None if found is None else int(found)


def charge(session: ClinicSession, patient_id: str, what: str, amount: Decimal, key: str) -> int:
    """Charge something else (a certificate, a vaccine); the same `key` again charges nothing more."""
    call = "clinic.add_charge(:p, :what, :amount, :key)"
    return int(_call(session, call, p=patient_id, what=words("what", what), amount=amount, key=key))


def change_charge(session: ClinicSession, charge_id: int, amount: Decimal, reason: str) -> int:
    """Another amount, with a reason, for a charge nothing was paid for yet; the new charge's id."""
    return int(_call(session, "clinic.change_charge(:id, :amount, :reason)", id=charge_id, amount=amount, reason=tidy(reason)))


def void_charge(session: ClinicSession, charge_id: int, reason: str) -> None:
    """Take a charge away nothing was paid for, with a reason."""
    _call(session, "clinic.void_charge(:id, :reason)", id=charge_id, reason=tidy(reason))


def _take(session: ClinicSession, kind: str, patient_id: str, lines: Sequence[dict[str, Any]], key: str, reason: str = "") -> int:
    sent = json.loads(json.dumps(lines, default=str))  # amounts as text: JSON numbers would pass through float
    call = "clinic.take_money(:kind, :p, :key, :lines, :reason)"
    return int(_call(session, call, kind=kind, p=patient_id, key=key, lines=sent, reason=words("reason", reason)))


def pay(session: ClinicSession, patient_id: str, parts: Sequence[Part], key: str) -> int:
    """Take a payment, split over charges and methods as given; the receipt's id. The same `key` again gives the same receipt."""
    lines = [{"charge": part.charge_id, "method": part.method, "amount": part.amount} for part in parts]
    return _take(session, "payment", patient_id, lines, key)


def refund(session: ClinicSession, patient_id: str, parts: Sequence[RefundPart], reason: str, key: str, *, owed_again: bool = False) -> int:
    """Give back lines of a payment, never more than was paid; `owed_again` leaves what they paid for owed. The receipt's id."""
    lines = [{"payment": p.payment_id, "method": p.method, "amount": p.amount, "owed_again": owed_again} for p in parts]
    return _take(session, "refund", patient_id, lines, key, reason)


def top_up(session: ClinicSession, patient_id: str, method: str, amount: Decimal, key: str) -> int:
    """Money into the wallet by cash or card, which is money of the till too. The receipt's id."""
    return _take(session, "top_up", patient_id, [{"method": method, "amount": amount}], key)


def pay_out(session: ClinicSession, patient_id: str, method: str, amount: Decimal, reason: str, key: str) -> int:
    """Money of the wallet back to the patient, never more than it holds. The receipt's id."""
    return _take(session, "payout", patient_id, [{"method": method, "amount": amount}], key, reason)


def correct_wallet(session: ClinicSession, patient_id: str, amount: Decimal, reason: str, key: str) -> int:
    """An administrator puts a wallet right (signed amount, reason); no money of the till. The entry's id."""
    call = "clinic.correct_wallet(:p, :amount, :reason, :key)"
    return int(_call(session, call, p=patient_id, amount=amount, reason=tidy(reason), key=key))


def refundable_lines(session: ClinicSession, receipt_id: int) -> list[tuple[int, str, str, Decimal]]:
    """Lines of a payment of which something can go back: id, method, what for, how much at most."""
    taken = _given_back(session, [receipt_id])
    rows = session.rows(
        select(Payment.id, Payment.method, Charge.what, Payment.amount)
        .join(Charge, Charge.id == Payment.charge_id)
        .where(Payment.receipt_id == receipt_id, Payment.kind == "payment")
        .order_by(Payment.id)
    )
    lines = [(row[0], row[1], row[2], row[3] - taken.get(row[0], ZERO)) for row in rows]
    return [line for line in lines if line[3] > 0]
