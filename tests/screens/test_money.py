"""Money at the desk through the real windows: few keys for a payment, the till that follows, the close that must match."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

from PySide6.QtCore import Qt
from shiboken6 import isValid

from clinicdesk.services import money
from tests.clinics import Practice
from tests.screens.office import Office
from tests.visiting import arrived, as_owner
from ui.dialogs.charging import ChargeSheet
from ui.dialogs.payment import PaymentSheet, payment_for
from ui.dialogs.receipt import DaySheetWindow, ReceiptWindow
from ui.dialogs.refund import RefundSheet
from ui.dialogs.wallet import CorrectionSheet, WalletSheet
from ui.panels.account_section import AccountSection
from ui.panels.till_side import ReopenSheet


def top_up(practice: Practice, patient: str, amount: int) -> None:
    with practice.write("rita") as session:
        money.top_up(session, patient, "card", Decimal(amount), uuid4().hex)


def payments(practice: Practice) -> list[tuple[str, Decimal]]:
    return [(row[0], row[1]) for row in as_owner(practice, "select method, amount from clinic.payments where kind = 'payment' order by id")]


def test_f8_takes_a_visit_by_card_with_two_keys_and_p_shows_the_receipt(office: Office, practice: Practice) -> None:
    booked = arrived(practice, practice.patient(), hour=9)
    window = office.open("rita")
    desk = office.panel(window, "front-desk")
    office.click(desk.bar.forth)
    office.until(lambda: desk.schedule and any(b.id == booked for b in desk.schedule.blocks))
    assert desk.calendar.select(booked)
    office.settle()
    assert desk.detail.buttons["payment"].isVisible()
    desk.calendar.setFocus()
    office.keys(Qt.Key.Key_F8)
    sheet = office.sheet(PaymentSheet)
    office.until(lambda: sheet.account is not None)
    assert sheet.amount.hasFocus() and sheet.amount.text() == "50.00"
    assert not sheet.dirty, "Esc closes it as long as nothing was typed"
    office.keys("k")
    assert sheet.method.method == "card" and sheet.amount.text() == "50.00"
    assert not sheet.given.isVisible()
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.receipt_id is not None, "Enter takes it")
    assert payments(practice) == [("card", Decimal(50))]
    office.keys("p")
    paper = office.sheet(ReceiptWindow)
    office.until(lambda: paper.paper is not None)
    assert paper.preview.pdf == paper.paper.content and not isValid(sheet)
    paper.close()


def test_cash_shows_the_change_and_the_wallet_takes_the_rest_in_cash(office: Office, practice: Practice) -> None:
    patient = practice.patient()
    booked = arrived(practice, patient)
    window = office.open("rita")
    sheet = payment_for(window.desk, window, patient, booked)
    office.front(sheet)
    office.until(lambda: sheet.account is not None)
    office.fill(sheet.amount, "20")
    assert sheet.verb_button.text() == "Take 20.00\u00a0EUR"
    office.fill(sheet.given, "10")
    office.click(sheet.verb_button)
    assert "less than" in sheet.form.error("given") and payments(practice) == []
    office.fill(sheet.given, "50")
    assert sheet.form.hint_label("given").text() == "Change: 30.00\u00a0EUR"
    office.click(sheet.verb_button)
    office.until(lambda: sheet.receipt_id is not None)
    assert sheet.outcome.change.text() == "Change: 30.00\u00a0EUR" and "30.00\u00a0EUR of it" in sheet.outcome.left.text()
    office.keys(Qt.Key.Key_Return)
    office.gone(sheet)
    top_up(practice, patient, 12)
    sheet = payment_for(window.desk, window, patient, booked)
    office.front(sheet)
    office.until(lambda: sheet.account is not None)
    assert sheet.amount.text() == "30.00"
    office.keys("w")
    assert sheet.rest.isVisible() and "18.00" in sheet.rest_words.text()
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.receipt_id is not None)
    assert payments(practice) == [("cash", Decimal(20)), ("wallet", Decimal(12)), ("cash", Decimal(18))]


def test_what_another_desk_took_meanwhile_is_said_and_shown(office: Office, practice: Practice) -> None:
    patient = practice.patient()
    booked = arrived(practice, patient)
    window = office.open("rita")
    sheet = payment_for(window.desk, window, patient, booked)
    office.front(sheet)
    office.until(lambda: sheet.account is not None)
    charge = sheet.account.open[0].id
    with practice.write("sam") as session:
        money.pay(session, patient, [money.Part(charge, "card", Decimal(30))], uuid4().hex)
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.form.error("amount"), "the refusal stands at the amount")
    assert sheet.receipt_id is None and sheet.account.owed == Decimal(20)
    office.fill(sheet.amount, "20")
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.receipt_id is not None)


def test_another_amount_needs_a_reason_and_something_else_can_be_charged(office: Office, practice: Practice) -> None:
    patient = practice.patient()
    booked = arrived(practice, patient)
    window = office.open("rita")
    sheet = payment_for(window.desk, window, patient, booked)
    office.front(sheet)
    office.until(lambda: sheet.account is not None)
    office.settle()  # the charge that opening made comes back as a notice and draws the lines anew
    office.until(lambda: next(iter(sheet.owed.changes.values())).isVisible())
    office.click(next(iter(sheet.owed.changes.values())))
    change = office.sheet(ChargeSheet)
    office.fill(change.form.editor("amount"), "35,50")
    office.click(change.verb_button)
    assert change.form.error("reason")
    office.fill(change.form.editor("reason"), "student")
    office.click(change.verb_button)
    office.gone(change)
    office.until(lambda: sheet.amount.text() == "35.50")
    office.click(sheet.charge_button)
    more = office.sheet(ChargeSheet)
    office.fill(more.form.editor("what"), "Medical certificate")
    office.fill(more.form.editor("amount"), "10")
    office.click(more.verb_button)
    office.gone(more)
    office.until(lambda: sheet.amount.text() == "45.50", "it is added to what is taken")


def test_the_till_follows_other_desks_refunds_and_closes_only_what_is_explained(office: Office, practice: Practice) -> None:
    patient = practice.patient(first_name="Ana", last_name="García")
    booked = arrived(practice, patient)
    window = office.open("rita")
    till = office.panel(window, "till")
    assert till.table._empty.isVisible()
    with practice.write("sam") as session:
        charge = money.charge_visit(session, booked)
        money.pay(session, patient, [money.Part(charge or 0, "cash", Decimal(50))], uuid4().hex)
    office.until(lambda: len(till.table.rows) == 1, "another desk's payment comes in by itself")
    office.click(till.top_up_button)
    sheet = office.sheet(WalletSheet)
    office.click(sheet.verb_button)
    assert sheet.problem.isVisible()
    office.keys("garc")
    office.until(lambda: sheet.find_box.hits.isVisible() and sheet.find_box.hits.shown)
    office.settle()
    office.keys(Qt.Key.Key_Down, Qt.Key.Key_Return)
    office.until(lambda: sheet.account is not None and sheet.amount.hasFocus())
    office.keys("80", "k", Qt.Key.Key_Return)
    office.gone(sheet)
    office.until(lambda: len(till.table.rows) == 2)
    row = next(r for r in till.table.rows if r.kind == "payment")
    till.table.select(row.id)
    office.click(till.refund_button)
    back = office.sheet(RefundSheet)
    assert back.method.method == "cash" and back.form.value("amount") == "50.00"
    office.fill(back.form.editor("amount"), "20")
    office.click(back.verb_button)
    assert back.form.error("reason")
    office.fill(back.form.editor("reason"), "shorter than booked")
    office.click(back.verb_button)
    office.gone(back)
    office.until(lambda: len(till.table.rows) == 3)
    closing = till.closing
    office.fill(closing.form.editor("opening"), "100")
    office.fill(closing.form.editor("counted_cash"), "129")
    office.fill(closing.form.editor("card_total"), "80")
    assert closing.difference.text() == "Cash: 1.00\u00a0EUR missing."
    assert closing.form.editor("explanation").isVisible()
    top_up(practice, patient, 5)
    office.until(lambda: len(till.table.rows) == 4)
    assert closing.form.value("counted_cash") == "129", "what is being counted stays when the till changes"
    office.fill(closing.form.editor("card_total"), "85")
    office.click(closing.close_button)
    office.until(lambda: closing.form.error("explanation"), "a difference must be explained")
    office.fill(closing.form.editor("counted_cash"), "130")
    assert closing.difference.text() == "Everything matches." and not closing.form.editor("explanation").isVisible()
    office.click(closing.close_button)
    office.until(lambda: till.till.closed is not None)
    office.sheet(DaySheetWindow).close()
    assert not closing.entry.isVisible() and not hasattr(closing, "reopen_button")
    refused = payment_for(window.desk, window, patient, None)
    office.front(refused)
    assert not refused.verb_button.isEnabled(), "nothing is owed"
    refused.reject()
    other = office.panel(office.open("ada"), "till")
    office.until(lambda: other.till is not None)
    office.click(other.closing.reopen_button)
    reopen = office.sheet(ReopenSheet)
    office.fill(reopen.form.editor("reason"), "one more payment")
    office.click(reopen.verb_button)
    office.gone(reopen)
    office.until(lambda: till.till.closed is None, "the other desk sees that it is open again")
    office.until(lambda: till.closes.rows[0].reopened_by == "Ada Admin", "and by whom")


def test_the_patients_card_shows_her_money_and_follows(office: Office, practice: Practice) -> None:
    patient = practice.patient()
    booked = arrived(practice, patient)
    window = office.open("rita")
    panel = office.panel(window, "patients")
    panel.show_topic("patient", patient)
    office.until(lambda: panel.card is not None)
    office.settle()

    def section() -> AccountSection:
        return next(one for one in panel.findChildren(AccountSection) if one.isVisible())

    office.until(lambda: section().owed.text() == "Nothing is owed")
    with practice.write("sam") as session:
        money.charge_visit(session, booked)
    office.until(lambda: section().owed.text() == "Owes 50.00\u00a0EUR")
    office.click(section().pay_button)
    sheet = office.sheet(PaymentSheet)
    office.until(lambda: sheet.account is not None and sheet.amount.text() == "50.00")
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.receipt_id is not None)
    office.keys(Qt.Key.Key_Return)
    office.gone(sheet)
    office.until(lambda: len(section().table.rows) == 1)
    assert not section().refund_button.isEnabled()
    section().table.select_first()
    assert section().refund_button.isEnabled()


def test_an_administrator_puts_a_wallet_right_and_reception_cannot(office: Office, practice: Practice) -> None:
    patient = practice.patient()
    top_up(practice, patient, 10)
    for who in ("rita", "ada"):
        window = office.open(who)
        panel = office.panel(window, "patients")
        panel.show_topic("patient", patient)
        office.until(lambda: panel.card is not None)  # noqa: B023  run at once
        office.settle()
        section = next(one for one in panel.findChildren(AccountSection) if one.isVisible())
        office.until(lambda: section.account is not None)  # noqa: B023  run at once
        assert section.correct_button.isVisible() == (who == "ada")
    section.correct_button.click()
    sheet = office.sheet(CorrectionSheet)
    sheet.form.set_value("direction", -1)
    office.fill(sheet.form.editor("amount"), "10.50")
    office.fill(sheet.form.editor("reason"), "counted twice")
    office.click(sheet.verb_button)
    office.until(lambda: "not enough" in sheet.form.error("amount"))
    office.fill(sheet.form.editor("amount"), "4")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: section.wallet.text() == "Wallet 6.00\u00a0EUR")
