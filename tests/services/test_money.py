"""Money on a real database: what a patient owes, every refusal in the database itself, the wallet under random use and under a race."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal

import psycopg
import pytest

from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.services import merging, money, patients, receipts, settings
from clinicdesk.services.money import Part
from tests.clinics import Practice
from tests.paying import FEE, account, consistent, key, owing, pay, refund, text_of, till, top_up
from tests.reliability.test_races import together
from tests.visiting import as_owner, completed, counted, raw


def test_a_visit_is_charged_once_when_reception_looks_and_at_the_latest_when_it_is_completed(practice: Practice) -> None:
    patient = practice.patient()
    booked = practice.book(patient, practice.at(9))
    with pytest.raises(ClinicError, match="who has arrived"), practice.write("rita") as session:
        money.charge_visit(session, booked)
    practice.step(booked, "arrived")
    for _ in range(2):
        with practice.write("rita") as session:
            assert money.open_account(session, patient, booked).owed == FEE
    other = practice.patient()
    completed(practice, other, hour=11)
    seen = account(practice, other)
    assert [row.amount for row in seen.charges] == [FEE]
    assert seen.charges[0].what.startswith("Consultation, Dr Dora Kim, ")
    assert as_owner(practice, "select count(*) from clinic.charges") == [(2,)]
    practice.step(booked, "cancelled", reason="went home")
    assert account(practice, patient).owed == 0, "who did not get her visit owes nothing for it"
    practice.step(booked, "scheduled")
    practice.step(booked, "arrived")
    with practice.write("rita") as session:
        assert money.open_account(session, patient, booked).owed == FEE


def test_the_amount_changes_with_a_reason_and_a_waived_visit_is_not_charged_again(practice: Practice) -> None:
    patient, charge = owing(practice)
    with pytest.raises(Invalid), practice.write("rita") as session:
        money.change_charge(session, charge, Decimal(20), "")
    assert account(practice, patient).owed == FEE
    with practice.write("rita") as session:
        changed = money.change_charge(session, charge, Decimal(20), "student")
    row = account(practice, patient).charges[0]
    assert (row.id, row.amount, row.usual, row.reason) == (changed, Decimal(20), FEE, "student")
    with practice.write("rita") as session:
        money.void_charge(session, changed, "free of charge today")
        assert money.open_account(session, patient, row.appointment_id).owed == 0
    with pytest.raises(ClinicError, match="not open"):
        pay(practice, patient, changed, "1")


def test_two_equal_payments_count_twice_and_a_double_click_counts_once(practice: Practice) -> None:
    patient, charge = owing(practice)
    request = key()
    first = pay(practice, patient, charge, "20", request=request)
    assert pay(practice, patient, charge, "20", request=request) == first
    assert pay(practice, patient, charge, "20") != first
    assert account(practice, patient).owed == Decimal(10)
    assert till(practice)["cash"] == (Decimal(40), Decimal(0))
    with pytest.raises(ClinicError, match="another amount"):
        pay(practice, patient, charge, "10", request=request)
    token, request = practice.token("rita"), key()

    def click() -> int:
        with practice.clinic.write(token) as session:
            return money.pay(session, patient, [Part(charge, "card", Decimal(5))], request)

    answers = together(*[click] * 6)
    assert len(set(answers)) == 1 and isinstance(answers[0], int), answers
    assert account(practice, patient).owed == Decimal(5)
    consistent(practice)


@pytest.mark.parametrize(("amount", "method", "words"), [
    ("50.01", "cash", "more than is owed"), ("0", "cash", "above 0"), ("-5", "card", "above 0"), ("10", "wallet", "not enough money"),
    ("1.005", "cash", "two digits"),
])
def test_a_payment_that_cannot_be_is_refused_and_leaves_nothing(practice: Practice, amount: str, method: str, words: str) -> None:
    patient, charge = owing(practice)
    with pytest.raises(Invalid, match=words) as refusal:
        pay(practice, patient, charge, amount, method)
    assert refusal.value.field == "amount"
    assert as_owner(practice, "select (select count(*) from clinic.receipts), (select count(*) from clinic.receipt_counters)") == [(0, 0)]
    with pytest.raises(ClinicError, match="not open"):
        pay(practice, practice.patient(), charge, "5")


def test_money_can_be_split_over_methods_on_one_receipt(practice: Practice) -> None:
    patient, charge = owing(practice)
    top_up(practice, patient, "30", "card")
    with practice.write("rita") as session:
        receipt = money.pay(session, patient, [Part(charge, "wallet", Decimal(30)), Part(charge, "cash", Decimal(20))], key())
    seen = account(practice, patient)
    assert (seen.owed, seen.wallet) == (0, 0)
    row = next(r for r in seen.receipts if r.id == receipt)
    assert dict(row.methods) == {"wallet": Decimal(30), "cash": Decimal(20)} and row.total == FEE == row.refundable
    assert till(practice) == {"cash": (Decimal(20), 0), "card": (Decimal(30), 0), "wallet": (Decimal(30), 0)}
    consistent(practice)


def test_a_refund_in_cash_is_not_credited_to_the_wallet_and_one_to_the_wallet_is_no_cash(practice: Practice) -> None:
    patient, charge = owing(practice)
    receipt = pay(practice, patient, charge)
    refund(practice, patient, receipt, "20", "cash")
    assert account(practice, patient).wallet == 0
    assert till(practice)["cash"] == (Decimal(50), Decimal(20))
    refund(practice, patient, receipt, "10", "wallet")
    seen = account(practice, patient)
    assert seen.wallet == Decimal(10)
    assert till(practice)["cash"] == (Decimal(50), Decimal(20))
    assert seen.owed == 0, "a refund is no debt"
    with pytest.raises(Invalid, match="more than can be given back"):
        refund(practice, patient, receipt, "20.01", "card")
    refund(practice, patient, receipt, "20", "card", owed_again=True)
    assert account(practice, patient).owed == Decimal(20), "unless it is owed again"
    with practice.read("rita") as session:
        assert money.refundable_lines(session, receipt) == []
    consistent(practice)


def test_a_charge_somebody_paid_for_cannot_fall_away(practice: Practice) -> None:
    patient, charge = owing(practice)
    receipt = pay(practice, patient, charge, "10")
    for change in (lambda s: money.void_charge(s, charge, "mistake"), lambda s: money.change_charge(s, charge, Decimal(5), "mistake")):
        with pytest.raises(ClinicError, match="refund it first"), practice.write("rita") as session:
            change(session)
    refund(practice, patient, receipt, "10", "cash")
    with practice.write("rita") as session:
        money.void_charge(session, charge, "mistake")
    assert account(practice, patient).owed == 0


def test_the_wallet_is_the_sum_of_its_entries_whatever_people_do(practice: Practice) -> None:
    chance, refused = random.Random(7), 0
    people = [owing(practice, 8 + number)[0] for number in range(3)]
    for _ in range(120):
        patient = chance.choice(people)
        amount = Decimal(chance.randrange(1, 6000)) / 100
        seen = account(practice, patient)
        try:
            match chance.randrange(6):
                case 0:
                    top_up(practice, patient, str(amount), chance.choice(("cash", "card")))
                case 1:
                    with practice.write("rita") as session:
                        money.pay_out(session, patient, "cash", amount, "wants it back", key())
                case 2:
                    with practice.write("rita") as session:
                        money.charge(session, patient, "Certificate", amount, key())
                case 3 | 4 if seen.open:
                    pay(practice, patient, seen.open[0].id, str(amount), chance.choice(("wallet", "wallet", "cash", "card")))
                case 5 if paid := [r for r in seen.receipts if r.refundable]:
                    refund(practice, patient, paid[0].id, str(amount), chance.choice(("wallet", "cash")), owed_again=chance.random() < 0.5)
        except Invalid:
            refused += 1
    assert refused > 10
    consistent(practice)
    assert as_owner(practice, "select count(*) > 40 from clinic.receipts") == [(True,)]


def test_32_desks_pay_from_one_wallet(practice: Practice) -> None:
    patient = practice.patient()
    top_up(practice, patient, "100")
    with practice.write("rita") as session:
        charge = money.charge(session, patient, "Course of treatment", Decimal(1000), key())
    token, chance = practice.token("rita"), random.Random(3)
    amounts = [Decimal(chance.randrange(100, 900)) / 100 for _ in range(32)]

    def spend(amount: Decimal) -> int:
        with practice.clinic.write(token) as session:
            return money.pay(session, patient, [Part(charge, "wallet", amount)], key())

    outcomes = together(*(lambda a=a: spend(a) for a in amounts))
    paid = sum((a for a, o in zip(amounts, outcomes, strict=True) if isinstance(o, int)), Decimal(0))
    refusals = [o for o in outcomes if not isinstance(o, int)]
    assert refusals and all(isinstance(o, Invalid) and "not enough" in o.sentence for o in refusals), refusals
    seen = account(practice, patient)
    assert seen.wallet == 100 - paid >= 0
    assert seen.owed == 1000 - paid
    assert min(a for a, o in zip(amounts, outcomes, strict=True) if not isinstance(o, int)) > seen.wallet
    consistent(practice)


def test_corrections_and_payments_race_for_one_wallet(practice: Practice) -> None:
    """A correction takes no receipt number, so that nothing but the wallet's own row makes it wait."""
    patient = practice.patient()
    top_up(practice, patient, "100")
    with practice.write("rita") as session:
        charge = money.charge(session, patient, "Course of treatment", Decimal(1000), key())
    rita, ada = practice.token("rita"), practice.token("ada")

    def spend() -> int:
        with practice.clinic.write(rita) as session:
            return money.pay(session, patient, [Part(charge, "wallet", Decimal(7))], key())

    def correct() -> int:
        with practice.clinic.write(ada) as session:
            return money.correct_wallet(session, patient, Decimal(-7), "counted twice", key())

    outcomes = together(*[spend, correct] * 12)
    assert sum(isinstance(o, int) for o in outcomes) == 14, outcomes
    assert all(isinstance(o, (int, Invalid)) for o in outcomes), outcomes
    assert account(practice, patient).wallet == Decimal(2)
    consistent(practice)


@pytest.mark.parametrize("who", ["dora", "kim", None])
def test_nobody_but_the_desk_moves_money(practice: Practice, who: str | None) -> None:
    patient, charge = owing(practice)
    if who == "kim":
        who = "hugo"
    calls = (f"clinic.take_money('payment', '{patient}', 'k', '[{{\"charge\": {charge}, \"method\": \"cash\", \"amount\": 5}}]', '')",
             f"clinic.take_money('top_up', '{patient}', 'k', '[{{\"method\": \"cash\", \"amount\": 5}}]', '')",
             f"clinic.add_charge('{patient}', 'Certificate', 5, 'k')", f"clinic.void_charge({charge}, 'because')",
             f"clinic.change_charge({charge}, 1, 'because')", f"clinic.correct_wallet('{patient}', 5, 'because', 'k')",
             "clinic.close_day(current_date, 0, 0, 0, '')", "clinic.reopen_day(1, 'because')", "clinic.receipt_printed(1)",
             f"clinic.charge_visit((select appointment_id from clinic.charges where id = {charge}))",
             f"clinic.book_money('top_up', '{patient}', 'k', '[]', '', 1, now())", "clinic.book_close(current_date, 0, 0, 0, '', 1, now())",
             "clinic.charge_for_visit(1, 1)")
    for call in calls:
        with raw(practice, who) as connection, pytest.raises(psycopg.Error) as refusal:
            connection.execute(f"select {call}")
        assert refusal.value.sqlstate in {"42501", "CD001"}, call
    for statement in ("update clinic.wallets set balance = 99", "delete from clinic.payments", "insert into clinic.wallets values ('x', 9)",
                      "update clinic.receipt_counters set last = 0", "update clinic.charges set amount = 0"):
        with raw(practice, "ada") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)
    with pytest.raises(psycopg.Error) as kept:
        as_owner(practice, "update clinic.charges set amount = 0")
    assert kept.value.sqlstate == "CD010", "not even the owner changes what was booked"


def test_the_currency_is_chosen_before_the_first_amount(practice: Practice) -> None:
    with practice.write("ada") as session:
        settings.change_settings(session, replace(settings.clinic_settings(session), currency="gbp"))
    patient, charge = owing(practice)
    receipt = pay(practice, patient, charge)
    with practice.read("rita") as session:
        assert "50.00 GBP" in text_of(receipts.paper(session, receipt).content)
    with pytest.raises(Invalid, match="stays") as refusal, practice.write("ada") as session:
        settings.change_settings(session, replace(settings.clinic_settings(session), currency="EUR"))
    assert refusal.value.field == "currency"


def test_only_an_administrator_corrects_a_wallet_and_never_below_zero(practice: Practice) -> None:
    patient = practice.patient()
    top_up(practice, patient, "10")
    with pytest.raises(NotAllowed), practice.write("rita") as session:
        money.correct_wallet(session, patient, Decimal(5), "because", key())
    for amount, words in ((Decimal("-10.01"), "not enough"), (Decimal(0), "zero")):
        with pytest.raises(Invalid, match=words), practice.write("ada") as session:
            money.correct_wallet(session, patient, amount, "counted twice", key())
    with practice.write("ada") as session:
        money.correct_wallet(session, patient, Decimal(-4), "counted twice", key())
    assert account(practice, patient).wallet == Decimal(6)
    assert till(practice)["cash"] == (Decimal(10), 0), "a correction is no money of the till"
    consistent(practice)


def test_the_account_is_read_with_the_same_number_of_queries_whatever_is_in_it(practice: Practice) -> None:
    patient, charge = owing(practice)
    sent = []
    for _ in range(2):
        with practice.read("rita") as session, counted(session) as statements:
            money.account(session, patient)
        sent.append(len(statements))
        for _n in range(3):
            pay(practice, patient, charge, "5")
    assert sent[0] == sent[1] <= 7


def test_a_merged_person_pays_what_stands_under_either_record_and_each_keeps_its_wallet(practice: Practice) -> None:
    kept, lost = practice.patient(), practice.patient()
    with practice.write("rita") as session:
        money.top_up(session, lost, "cash", Decimal(20), "t")
        money.charge(session, lost, "Plaster", Decimal(8), "c")
        versions = (patients.card(session, kept).version, patients.card(session, lost).version)
        merging.merge(session, kept, lost, versions)
    with practice.write("rita") as session:
        account = money.account(session, kept)
        assert (account.owed, account.wallet, account.other_wallets) == (Decimal(8), Decimal(0), Decimal(20))
        money.pay(session, kept, [money.Part(account.open[0].id, "card", Decimal(8))], "p")
        assert money.account(session, lost).owed == 0
        assert money.account(session, lost).wallet == Decimal(20)
