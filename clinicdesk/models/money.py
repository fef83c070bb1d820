"""Schema `clinic`: what is owed, what was paid and how, the wallet, and the close of a day. Written only through the functions of
migration 0003 (`clinic.take_money` and its neighbours); services read here."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Words

MONEY = Numeric(12, 2)
NONE = text("0")


class Charge(Base):
    """Something a patient owes. A visit's `usual` is the doctor's fee then; another amount carries a reason. Voided, never deleted."""

    __tablename__ = "charges"
    __table_args__ = (
        UniqueConstraint("request_key"),
        CheckConstraint("char_length(what) between 2 and 200", name="what"),
        CheckConstraint("amount between 0 and 1000000", name="amount"),
        CheckConstraint("usual is null or amount = usual or char_length(btrim(reason)) >= 3", name="reason"),
        CheckConstraint("(voided_at is not null) = (char_length(btrim(void_reason)) >= 3)", name="void"),
        CheckConstraint("char_length(reason) <= 300 and char_length(void_reason) <= 300", name="texts"),
        Index("uq_charges_open", "appointment_id", unique=True, postgresql_where=text("voided_at is null")),
        Index("ix_charges_patient_id", "patient_id", "id"),
        Index("ix_charges_appointment_id", "appointment_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.appointments.id"))
    what: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    usual: Mapped[Decimal | None] = mapped_column(MONEY)
    reason: Mapped[Words]
    request_key: Mapped[str | None]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    made_at: Mapped[Created]
    voided_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[Words]


class ReceiptCounter(Base):
    """The last receipt number of a year; its row is held while a receipt is written, so that no number is skipped."""

    __tablename__ = "receipt_counters"
    __table_args__ = {"schema": "clinic"}
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(Integer, server_default=NONE)


class Receipt(Base):
    """One handing over of money: payment, refund, top-up or payout of the wallet, with one line or more in `payments`."""

    __tablename__ = "receipts"
    __table_args__ = (
        UniqueConstraint("number"),
        UniqueConstraint("request_key"),
        CheckConstraint("number ~ '^[0-9]{4}-[0-9]{6}$'", name="number"),
        CheckConstraint("kind in ('payment', 'refund', 'top_up', 'payout')", name="kind"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        CheckConstraint(
            "(kind in ('payment', 'top_up') or char_length(btrim(reason)) >= 3) and char_length(reason) <= 300", name="reason"
        ),
        CheckConstraint("printed >= 0", name="printed"),
        Index("ix_receipts_patient_id", "patient_id", "id"),
        Index("ix_receipts_day", "day"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    number: Mapped[str]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    kind: Mapped[str]
    day: Mapped[date] = mapped_column(Date)
    currency: Mapped[str]
    reason: Mapped[Words]
    request_key: Mapped[str]
    taken_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    taken_at: Mapped[Moment]
    printed: Mapped[int] = mapped_column(Integer, server_default=NONE)


class Payment(Base):
    """A line of a receipt: one method, one amount, for one charge. A refund names the payment it gives back; `owed_again` leaves the
    refunded amount owed."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("kind in ('payment', 'refund', 'top_up', 'payout')", name="kind"),
        CheckConstraint("method in ('cash', 'card', 'wallet')", name="method"),
        CheckConstraint("amount > 0 and amount <= 1000000", name="amount"),
        CheckConstraint("(charge_id is not null) = (kind in ('payment', 'refund'))", name="charge"),
        CheckConstraint("(refunded_id is not null) = (kind = 'refund') and (not owed_again or kind = 'refund')", name="refunded"),
        CheckConstraint("kind in ('payment', 'refund') or method <> 'wallet'", name="till"),
        Index("ix_payments_receipt_id", "receipt_id"),
        Index("ix_payments_charge_id", "charge_id"),
        Index("ix_payments_refunded_id", "refunded_id"),
        Index("ix_payments_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    receipt_id: Mapped[int] = mapped_column(ForeignKey("clinic.receipts.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    kind: Mapped[str]
    method: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    charge_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.charges.id"))
    refunded_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.payments.id"))
    owed_again: Mapped[bool] = mapped_column(server_default=text("false"))


class Wallet(Base):
    """What a patient's wallet holds: the sum of its entries, kept by their trigger. Its row is what money of one patient waits for."""

    __tablename__ = "wallets"
    __table_args__ = (CheckConstraint("balance >= 0", name="balance"), {"schema": "clinic"})
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    balance: Mapped[Decimal] = mapped_column(MONEY, server_default=NONE)


class WalletEntry(Base):
    """Money into (positive) or out of a wallet, with what it held afterwards. Only a correction has no line of a receipt."""

    __tablename__ = "wallet_entries"
    __table_args__ = (
        UniqueConstraint("payment_id"),
        UniqueConstraint("request_key"),
        CheckConstraint("kind in ('top_up', 'payment', 'refund', 'payout', 'correction')", name="kind"),
        CheckConstraint(
            "amount <> 0 and (kind not in ('top_up', 'refund') or amount > 0) and (kind not in ('payment', 'payout') or amount < 0)",
            name="amount",
        ),
        CheckConstraint("balance_after >= 0", name="balance_after"),
        CheckConstraint("(payment_id is null) = (kind = 'correction')", name="payment"),
        CheckConstraint("(kind <> 'correction' or char_length(btrim(reason)) >= 3) and char_length(reason) <= 300", name="reason"),
        Index("ix_wallet_entries_patient_id", "patient_id", "id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    kind: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(MONEY)
    balance_after: Mapped[Decimal] = mapped_column(MONEY)
    payment_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.payments.id"))
    reason: Mapped[Words]
    request_key: Mapped[str | None]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    made_at: Mapped[Created]


class DayClose(Base):
    """A counted day. Expected amounts are the database's own sums; a difference carries an explanation. Reopened, never deleted."""

    __tablename__ = "day_closes"
    __table_args__ = (
        CheckConstraint("opening between 0 and 1000000", name="opening"),
        CheckConstraint("counted_cash between 0 and 100000000", name="counted_cash"),
        CheckConstraint(
            "(counted_cash = expected_cash and card_total = expected_card) or char_length(btrim(explanation)) >= 10", name="difference"
        ),
        CheckConstraint("(reopened_at is not null) = (char_length(btrim(reopen_reason)) >= 3)", name="reopened"),
        CheckConstraint("char_length(explanation) <= 500 and char_length(reopen_reason) <= 300", name="texts"),
        Index("uq_day_closes_day", "day", unique=True, postgresql_where=text("reopened_at is null")),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    day: Mapped[date] = mapped_column(Date)
    opening: Mapped[Decimal] = mapped_column(MONEY, server_default=NONE)
    expected_cash: Mapped[Decimal] = mapped_column(MONEY)
    expected_card: Mapped[Decimal] = mapped_column(MONEY)
    expected_wallet: Mapped[Decimal] = mapped_column(MONEY)
    counted_cash: Mapped[Decimal] = mapped_column(MONEY)
    card_total: Mapped[Decimal] = mapped_column(MONEY)
    explanation: Mapped[Words]
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    closed_at: Mapped[Created]
    reopened_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    reopened_at: Mapped[datetime | None]
    reopen_reason: Mapped[Words]
