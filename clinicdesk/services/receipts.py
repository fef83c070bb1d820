"""The paper of a payment: facts out of the tables, bytes out of the facts. No PDF is stored; printing again gives the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased

from clinicdesk.errors import NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.money import Charge, Payment, Receipt, WalletEntry
from clinicdesk.models.people import Patient
from clinicdesk.pdf.copies import mark_copy
from clinicdesk.pdf.page import PaperName
from clinicdesk.pdf.receipt import ReceiptSheet, render_receipt
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.money import KINDS, ZERO
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class ReceiptPaper:
    """A receipt to look at and print; `printed` times before, and then it says COPY."""

    id: int
    number: str
    kind: str
    content: bytes
    page: str
    printed: int


def facts(session: ClinicSession, receipt_id: int) -> ReceiptSheet:
    """What stands on a receipt. NotAllowed when it does not exist for whoever asks."""
    found = session.execute(
        select(Receipt, Patient.last_name, Patient.first_name, Patient.address, func.coalesce(User.name, ""))
        .join(Patient, Patient.id == Receipt.patient_id)
        .outerjoin(User, User.id == Receipt.taken_by)
        .where(Receipt.id == receipt_id)
    ).one_or_none()
    if found is None:
        raise NotAllowed
    receipt, family, given, address, taken_by = found
    refunded = aliased(Payment)
    rows = session.rows(
        select(Payment.method, Payment.amount, Charge.id, Charge.what, WalletEntry.balance_after, Receipt.number)
        .outerjoin(Charge, Charge.id == Payment.charge_id)
        .outerjoin(WalletEntry, WalletEntry.payment_id == Payment.id)
        .outerjoin(refunded, refunded.id == Payment.refunded_id)
        .outerjoin(Receipt, Receipt.id == refunded.receipt_id)
        .where(Payment.receipt_id == receipt_id)
        .order_by(Payment.id)
    )
    lines: dict[tuple[int | None, str], Decimal] = {}  # a charge each: two certificates are two lines
    methods: dict[str, Decimal] = {}
    for method, amount, charge_id, what, _after, _number in rows:
        line = (charge_id, what or KINDS[receipt.kind])
        lines[line] = lines.get(line, ZERO) + amount
        methods[method] = methods.get(method, ZERO) + amount
    clinic = clinic_settings(session)
    return ReceiptSheet(
        letterhead=Letterhead(clinic.name, clinic.address, clinic.phone, clinic.email),
        number=receipt.number,
        kind=receipt.kind,
        at=receipt.taken_at.astimezone(session.zone),
        family_name=family,
        given_name=given,
        record_id=receipt.patient_id,
        address=address,
        lines=tuple((words, amount) for (_charge, words), amount in lines.items()),
        methods=tuple(methods.items()),
        currency=receipt.currency,
        taken_by=taken_by,
        reason=receipt.reason,
        of_number=next((row[5] for row in rows if row[5]), ""),
        wallet_after=next((row[4] for row in reversed(rows) if row[4] is not None), None),
    )


def paper(session: ClinicSession, receipt_id: int, page: str = "") -> ReceiptPaper:
    """The receipt as PDF on the clinic's paper (or `page`): the original before the first print, a copy afterwards."""
    sheet = facts(session, receipt_id)
    name = page or clinic_settings(session).page
    content = render_receipt(sheet, cast("PaperName", name))
    printed = session.scalar(select(Receipt.printed).where(Receipt.id == receipt_id)) or 0
    return ReceiptPaper(receipt_id, sheet.number, sheet.kind, mark_copy(content) if printed else content, name, printed)


def printed(session: ClinicSession, receipt_id: int) -> int:
    """Count a print; from now on it is a copy."""
    with session.attempt():
        return int(session.execute(text("select clinic.receipt_printed(:id)"), {"id": receipt_id}).scalar_one() or 0)
