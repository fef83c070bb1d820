"""The close of a day, and the papers of money: what they say, and that the same facts are the same bytes."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.services import day_close, money, receipts
from clinicdesk.services.money import Part
from tests.clinics import Practice
from tests.paying import consistent, key, owing, pay, refund, text_of, top_up
from tests.reliability.test_races import together
from tests.visiting import as_owner


def test_a_day_closes_when_it_matches_or_is_explained_and_then_takes_no_money(practice: Practice) -> None:
    patient, charge = owing(practice)
    pay(practice, patient, charge, "20")
    pay(practice, patient, charge, "25", "card")
    today = practice.at(9, day=0).date()
    close = (today, Decimal(100), Decimal(119), Decimal(25))
    for words in ("", "short  "):
        with pytest.raises(Invalid, match="does not match") as refusal, practice.write("rita") as session:
            day_close.close(session, *close, words)
        assert refusal.value.field == "explanation"
    with practice.write("rita") as session:
        done = day_close.close(session, *close, "one euro fell behind the desk")
    with practice.read("rita") as session:
        row = day_close.till(session, today).closed
    assert row and (row.expected_cash, row.expected_card, row.difference) == (Decimal(120), Decimal(25), Decimal(-1))
    for again in (lambda: pay(practice, patient, charge, "5"), lambda: top_up(practice, patient, "5")):
        with pytest.raises(ClinicError, match="closed"):
            again()
    with pytest.raises(ClinicError, match="closed already"), practice.write("rita") as session:
        day_close.close(session, *close, "one euro fell behind the desk")
    with pytest.raises(NotAllowed), practice.write("rita") as session:
        day_close.reopen(session, done, "one more payment")
    with pytest.raises(Invalid), practice.write("ada") as session:
        day_close.reopen(session, done, " ")
    with practice.write("ada") as session:
        day_close.reopen(session, done, "one more payment")
    pay(practice, patient, charge, "5")
    with practice.write("rita") as session:
        day_close.close(session, today, Decimal(100), Decimal(125), Decimal(25))
        assert [c.matches for c in day_close.closes(session)] == [True, False], "the reopened close is kept"
    with pytest.raises(ClinicError, match="not come yet"), practice.write("rita") as session:
        day_close.close(session, today + timedelta(days=1), Decimal(0), Decimal(0), Decimal(0))
    consistent(practice)


def test_money_taken_while_the_day_closes_is_in_the_close_or_refused(practice: Practice) -> None:
    patient, charge = owing(practice)
    token, today = practice.token("rita"), practice.at(9, day=0).date()

    def take() -> int:
        with practice.clinic.write(token) as session:
            return money.pay(session, patient, [Part(charge, "cash", Decimal(5))], key())

    def shut() -> int:
        with practice.clinic.write(token) as session:
            return day_close.close(session, today, Decimal(0), Decimal(0), Decimal(0), "counted while people pay")

    together(take, take, take, shut, take, take, take)
    assert as_owner(practice, "select c.expected_cash = (select coalesce(sum(amount), 0) from clinic.payments)"
                              " from clinic.day_closes c") == [(True,)]


@pytest.mark.parametrize("page", ["A4", "A5", "Letter"])
def test_receipts_say_everything_and_are_the_same_bytes_again(practice: Practice, page: str) -> None:
    patient, charge = owing(practice)
    top_up(practice, patient, "80", "card")
    paid = pay(practice, patient, charge, "50", "wallet")
    back = refund(practice, patient, paid, "20", "cash")
    with practice.read("rita") as session:
        first, again, refunded = (receipts.paper(session, one, page) for one in (paid, paid, back))
    assert first.content == again.content
    words = text_of(first.content)
    for part in ("RECEIPT", first.number, "EXAMPLE1, Maria", "Consultation, Dr Dora Kim", "50.00 EUR", "Wallet", "Wallet now holds",
                 "30.00 EUR", "Taken by Rita Reception", "Test Clinic", patient):
        assert part in words, part
    words = text_of(refunded.content)
    for part in ("REFUND", f"of receipt {first.number}", "20.00 EUR", "Cash", "Reason: did not take place"):
        assert part in words, part
    assert "Wallet now holds" not in words
    with practice.write("rita") as session:
        receipts.printed(session, paid)
    with practice.read("rita") as session:
        copy = receipts.paper(session, paid, page)
    assert copy.content.startswith(first.content) and "COPY" in text_of(copy.content)
    with pytest.raises(NotAllowed), practice.read("dora") as session:
        receipts.paper(session, paid, page)


def test_a_receipt_over_many_charges_has_every_one_of_them(practice: Practice) -> None:
    patient, first = owing(practice)
    with practice.write("rita") as session:
        made = [money.charge(session, patient, f"Laboratory test number {n}, sent to the laboratory at the other end of town", Decimal(n),
                             key()) for n in range(1, 41)]
        paid = money.pay(session, patient, [Part(first, "card", Decimal(50)),
                                            *(Part(charge, "cash", Decimal(n)) for n, charge in enumerate(made, 1))], key())
        content = receipts.paper(session, paid, "A5").content
    words = text_of(content)
    assert all(f"Laboratory test number {n}," in words for n in range(1, 41))
    with practice.write("rita") as session:
        twins = [money.charge(session, patient, "Certificate", Decimal(3), key()) for _ in range(2)]
        paid = money.pay(session, patient, [Part(twin, "cash", Decimal(3)) for twin in twins], key())
        assert receipts.facts(session, paid).lines == (("Certificate", Decimal(3)), ("Certificate", Decimal(3)))
    assert words.count("RECEIPT") == words.count("EXAMPLE1, Maria") > 2 and "870.00 EUR" in words


@pytest.mark.parametrize("typed", ["ใบรับรอง", "Certificate 🙂", "x\x00y" * 120, "'; drop table clinic.receipts; --"])
def test_what_stands_on_paper_can_be_printed_or_is_refused_at_its_field(practice: Practice, typed: str) -> None:
    patient = practice.patient()
    top_up(practice, patient, "5")
    refusals = []
    for field, write in (
        ("what", lambda s: money.charge(s, patient, typed, Decimal(5), key())),
        ("reason", lambda s: money.pay_out(s, patient, "cash", Decimal(1), typed, key())),
        ("explanation", lambda s: day_close.close(s, practice.at(9, day=0).date(), Decimal(0), Decimal(9), Decimal(0), typed)),
    ):
        try:
            with practice.write("rita") as session:
                write(session)
        except Invalid as refusal:
            refusals.append((field, refusal.field))
    assert all(field == said for field, said in refusals)
    expected = [] if typed.startswith("'") else ["what"] if typed.startswith("x") else ["what", "reason", "explanation"]
    assert [field for field, _said in refusals] == expected


def test_the_sheet_of_a_day_shows_both_sides(practice: Practice) -> None:
    patient, charge = owing(practice)
    pay(practice, patient, charge, "20")
    with practice.write("rita") as session:
        done = day_close.close(session, practice.at(9, day=0).date(), Decimal(100), Decimal(119), Decimal(0), "one euro is missing")
        name, content = day_close.paper(session, done)
        assert (name, content) == day_close.paper(session, done)
    words = text_of(content)
    for part in ("DAY CLOSE", "The day does not match.", "120.00", "119.00", "-1.00", "one euro is missing", "Rita Reception"):
        assert part in words, part
