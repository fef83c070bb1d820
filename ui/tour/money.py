"""Money at the desk: a visit paid by card with two keys, a wallet filled and used, a refund, and a day that closes only when it matches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from clinicdesk.rules.money import amount_text, typed_text
from ui.dialogs.charging import ChargeSheet
from ui.dialogs.payment import PaymentSheet, payment_for
from ui.dialogs.receipt import DaySheetWindow, ReceiptWindow
from ui.dialogs.refund import RefundSheet
from ui.dialogs.wallet import WalletSheet
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "receptionist"


def walk(w: Walk) -> None:
    """All steps in order; the doctor has completed the visit before."""
    step = w.guide.step
    step(ROLE, "takes the doctor's fee by card: K, Enter, and P shows the receipt", lambda: _card(w))
    step(ROLE, "tops up a wallet in cash and takes a certificate from it", lambda: _wallet(w))
    step(ROLE, "gives a part back in cash; the wallet is not touched", lambda: _refund(w))
    step(ROLE, "closes the day: it does not match, is counted again, and does", lambda: _close(w))


def _card(w: Walk) -> None:
    desk = w.panel("rita", "front-desk")
    today = w.windows["rita"].desk.now().date()
    desk.bar.set_day(today)
    w.guide.until(lambda: desk.schedule is not None and desk.schedule.day == today, "today is shown")
    w.guide.until(lambda: desk.calendar.select(w.found["today"]), "the completed visit is selected")
    w.guide.settle()
    w.guide.picture(w.windows["rita"], "to-pay")
    w.guide.click(desk.detail.buttons["payment"])
    sheet = _payment(w)
    owed = sheet.amount.text()
    w.guide.picture(w.windows["rita"], "payment")
    w.guide.keys(sheet.amount, "k", Qt.Key.Key_Return)
    w.guide.until(lambda: sheet.receipt_id is not None, "Enter takes it")
    w.guide.fact("taken by card", owed)
    w.guide.picture(w.windows["rita"], "paid")
    w.guide.keys(sheet.verb_button, "p")
    _receipt(w, "receipt")


def _payment(w: Walk) -> PaymentSheet:
    sheet = w.guide.dialog(PaymentSheet)
    w.guide.until(lambda: sheet.account is not None, "what is owed is read")
    w.guide.settle()
    return sheet


def _receipt(w: Walk, name: str) -> None:
    window = w.guide.dialog(ReceiptWindow)
    w.guide.until(lambda: window.paper is not None, "the receipt is made")
    w.guide.settle()
    if window.paper is not None:
        w.guide.pdf(window.paper.content, name)
    w.guide.picture(window, f"{name}-window")
    window.close()


def _till(w: Walk) -> Any:
    till = w.panel("rita", "till")
    w.guide.until(lambda: till.till is not None, "the till is read")
    w.guide.settle()
    return till


def _wallet(w: Walk) -> None:
    till = _till(w)
    w.guide.click(till.top_up_button)
    sheet = w.guide.dialog(WalletSheet)
    w.guide.keys(sheet.find_box, "testa aur")
    w.guide.until(lambda: sheet.find_box.hits.isVisible() and sheet.find_box.hits.shown, "the patient is found")
    w.guide.settle()
    w.guide.keys(sheet.find_box, Qt.Key.Key_Down, Qt.Key.Key_Return)
    w.guide.until(lambda: sheet.account is not None, "her wallet is read")
    w.guide.fill(sheet.amount, "40")
    w.guide.picture(w.windows["rita"], "top-up")
    w.guide.keys(sheet.amount, Qt.Key.Key_Return)
    w.guide.gone(sheet, "it is in the wallet")
    window = w.windows["rita"]
    payment_for(window.desk, window, w.found["patient"].id)
    paying = _payment(w)
    w.guide.click(paying.charge_button)
    charge = w.guide.dialog(ChargeSheet)
    if charge.form is None:
        raise TourFailed("the charge has no form")
    w.guide.fill(charge.form.editor("what"), "Medical certificate")
    w.guide.fill(charge.form.editor("amount"), "12,50")
    w.guide.click(charge.verb_button)
    w.guide.until(lambda: paying.amount.text() == "12.50", "the certificate is owed")
    w.guide.settle()
    w.guide.keys(paying.amount, "w")
    w.guide.picture(window, "pay-from-wallet")
    w.guide.keys(paying.amount, Qt.Key.Key_Return)
    w.guide.until(lambda: paying.receipt_id is not None, "the wallet pays")
    w.guide.keys(paying.verb_button, "p")
    _receipt(w, "wallet-receipt")


def _refund(w: Walk) -> None:
    till = _till(w)
    w.guide.until(lambda: len(till.table.rows) >= 3, "the till lists the three")
    row = next(r for r in till.table.rows if r.kind == "payment" and r.methods[0][0] == "card")
    till.table.select(row.id)
    w.guide.click(till.refund_button)
    sheet = w.guide.dialog(RefundSheet)
    if sheet.form is None:
        raise TourFailed("the refund has no form")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: sheet.form is not None and sheet.form.error("reason"), "a reason is asked for")
    w.guide.fill(sheet.form.editor("amount"), "10")
    w.guide.fill(sheet.form.editor("reason"), "Shorter visit than booked")
    w.guide.click(sheet.method.buttons["cash"])
    w.guide.picture(w.windows["rita"], "refund")
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "it is given back")
    w.guide.until(lambda: till.table.rows[0].kind == "refund", "the till lists the refund")
    till.show_receipt(till.table.rows[0])
    _receipt(w, "refund-receipt")


def _close(w: Walk) -> None:
    till = _till(w)
    form, expected = till.closing.form, till.till.opening + till.till.sum_of("cash")
    w.guide.fill(form.editor("counted_cash"), typed_text(expected - 5))
    w.guide.fill(form.editor("card_total"), typed_text(till.till.sum_of("card")))
    if "missing" not in till.closing.difference.text():
        raise TourFailed(f"the difference says: {till.closing.difference.text()}")
    w.guide.click(till.closing.close_button)
    w.guide.until(lambda: form.error("explanation"), "a difference must be explained")
    w.guide.picture(w.windows["rita"], "close-refused")
    w.guide.fill(form.editor("counted_cash"), typed_text(expected))
    w.guide.picture(w.windows["rita"], "close-matches")
    w.guide.click(till.closing.close_button)
    w.guide.until(lambda: till.till.closed is not None, "the day is closed")
    window = w.guide.dialog(DaySheetWindow)
    w.guide.until(lambda: window.preview.pdf, "the sheet of the day is made")
    w.guide.settle()
    w.guide.pdf(window.preview.pdf, "day-sheet")
    window.close()
    w.guide.fact("cash in the drawer", amount_text(expected))
    w.guide.picture(w.windows["rita"], "closed")
