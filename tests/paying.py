"""What tests about money share: somebody who owes, ways to pay, and what must hold whatever happened."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from uuid import uuid4

from pypdf import PdfReader

from clinicdesk.services import day_close, money
from clinicdesk.services.money import Account, Part, RefundPart
from tests.clinics import Practice
from tests.visiting import arrived, as_owner

FEE = Decimal("50.00")


def key() -> str:
    return uuid4().hex


def account(practice: Practice, patient: str, who: str = "rita") -> Account:
    with practice.read(who) as session:
        return money.account(session, patient)


def owing(practice: Practice, hour: int = 9) -> tuple[str, int]:
    """A patient in the waiting room whose visit is charged; her charge."""
    patient = practice.patient()
    booked = arrived(practice, patient, hour)
    with practice.write("rita") as session:
        charge = money.charge_visit(session, booked)
    assert charge is not None
    return patient, charge


def pay(practice: Practice, patient: str, charge: int, amount: str = "50", method: str = "cash", request: str = "") -> int:
    with practice.write("rita") as session:
        return money.pay(session, patient, [Part(charge, method, Decimal(amount))], request or key())


def top_up(practice: Practice, patient: str, amount: str, method: str = "cash") -> int:
    with practice.write("rita") as session:
        return money.top_up(session, patient, method, Decimal(amount), key())


def refund(practice: Practice, patient: str, receipt: int, amount: str, method: str, *, owed_again: bool = False) -> int:
    with practice.write("rita") as session:
        line = money.refundable_lines(session, receipt)[0]
        return money.refund(session, patient, [RefundPart(line[0], method, Decimal(amount))], "did not take place", key(),
                            owed_again=owed_again)


def till(practice: Practice) -> dict[str, tuple[Decimal, Decimal]]:
    with practice.read("rita") as session:
        today = practice.at(9, day=0).date()
        return {one.method: (one.came, one.went) for one in day_close.till(session, today).sums}


def consistent(practice: Practice) -> None:
    """What must hold whatever happened: read by the owner, past every policy."""
    assert as_owner(practice, """
        select w.patient_id from clinic.wallets w left join clinic.wallet_entries e using (patient_id) group by w.patient_id, w.balance
        having w.balance <> coalesce(sum(e.amount), 0) or w.balance < 0""") == [], "a balance is the sum of its entries"
    assert as_owner(practice, """
        select id from (select id, balance_after, sum(amount) over (partition by patient_id order by id) as so_far
                          from clinic.wallet_entries) x where balance_after <> so_far or so_far < 0""") == []
    assert as_owner(practice, """
        select c.id from clinic.charges c join clinic.payments p on p.charge_id = c.id group by c.id
        having sum(case when p.kind = 'payment' then p.amount when p.owed_again then -p.amount else 0 end) > c.amount""") == []
    assert as_owner(practice, """
        select p.id from clinic.payments p join clinic.payments r on r.refunded_id = p.id group by p.id having sum(r.amount) > p.amount
        """) == []
    assert as_owner(practice, """
        select p.id from clinic.payments p left join clinic.wallet_entries e on e.payment_id = p.id
         where (e.id is not null) <> (p.method = 'wallet' or p.kind in ('top_up', 'payout'))""") == [], "cash and card never touch a wallet"
    numbers = [row[0] for row in as_owner(practice, "select number from clinic.receipts order by number")]
    assert [int(number[5:]) for number in numbers] == list(range(1, len(numbers) + 1)), "receipt numbers have no gap"


def text_of(content: bytes) -> str:
    return " ".join("\n".join(page.extract_text() for page in PdfReader(BytesIO(content)).pages).replace("\u00a0", " ").split())
