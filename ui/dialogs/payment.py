"""Take a payment: what is owed, the amount ready to be taken, one key for the way it is paid, Enter takes it, P shows the receipt.

Keys while the amount has the focus: C cash, K card, W wallet (or the arrows up and down), Enter takes it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.money import METHODS, ZERO, amount_text, parse_amount, spread, typed_text
from clinicdesk.services import money
from clinicdesk.services.money import Account, ChargeRow, Part
from ui.desk import Desk
from ui.dialogs.charging import ChargeSheet
from ui.dialogs.receipt import ReceiptWindow
from ui.widgets.arranging import emptied
from ui.widgets.form import Form
from ui.widgets.method_choice import MethodChoice
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


def payment_for(desk: Desk, window: QWidget, patient_id: str, appointment_id: int | None = None) -> PaymentSheet:
    """Open the sheet over a window; a visit that is not charged yet is charged with the doctor's fee."""
    sheet = PaymentSheet(desk, patient_id, appointment_id, parent=window)
    sheet.open()
    return sheet


class PaymentSheet(Sheet):
    """Signals `taken(receipt id)` as soon as it is booked (the sheet stays to show the change), `receipt_opened(window)`."""

    taken = Signal(int)
    receipt_opened = Signal(object)

    def __init__(self, desk: Desk, patient_id: str, appointment_id: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Take payment", "Take", parent=parent, key="payment", size=QSize(560, 400))
        self._patient_id, self._appointment_id = patient_id, appointment_id
        self._request = uuid.uuid4()
        self.account: Account | None = None
        self.receipt_id: int | None = None
        self._refusal: Exception | None = None
        self._ticks: dict[int, QCheckBox] = {}
        self.who = label("Reading what is owed …", "heading", wrap=True)
        self.owed = _Owed()
        form = Form(columns=2)
        self.form = form
        self.amount = form.text("amount", "Amount")
        self.given = form.text("given", "Given in cash", optional=True)
        form.submitted.connect(self._pressed)
        form.changed.connect(self._follow)
        form.changed.connect(self.problem.clear)
        self.method = MethodChoice(desk.theme)
        self.rest_words = label("", "soft", wrap=True)
        self.rest = MethodChoice(desk.theme, ("cash", "card"), "How the rest is paid")
        self.method.changed.connect(lambda _m: self._follow())
        self.rest.changed.connect(lambda _m: self._follow())
        entry = QWidget()
        lines = QVBoxLayout(entry)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(12)
        keys = label("C cash, K card, W wallet; Enter takes it.", "faint")
        for widget in (self.who, self.owed, self.method, form, self.rest_words, self.rest, keys):
            lines.addWidget(widget)
        lines.addStretch(1)
        self.outcome = _Result()
        self.pages = QStackedWidget()
        self.pages.addWidget(entry)
        self.pages.addWidget(self.outcome)
        self.body.addWidget(self.pages)
        self.charge_button = button("Charge something else …", self._charge_more, variant="quiet", icon="add", theme=desk.theme)
        self.receipt_button = button("Receipt", self.show_receipt, icon="billing", theme=desk.theme, tip="Show the receipt  (P)")
        self.receipt_button.hide()
        self.left.addWidget(self.charge_button)
        self.left.addWidget(self.receipt_button)
        self.rest_words.hide()
        self.rest.hide()
        self.method.listen_to(self.amount)
        self.verb_button.setEnabled(False)
        QTimer.singleShot(0, self, self.amount.setFocus)
        self._read()

    # What is owed

    def _read(self) -> None:
        """The account; the first time the visit is charged if it was not yet."""
        if self._appointment_id is not None:
            self.desk.do(
                self, money.open_account, self._patient_id, self._appointment_id, done=self._show, failed=self._unreadable
            )
        else:
            self.desk.ask(self, money.account, self._patient_id, done=self._show, failed=self._unreadable, replaces="account")

    def _unreadable(self, error: Exception) -> None:
        self.who.setText("What is owed cannot be read.")
        self.show_problem(self._refusal or error)
        self.verb_button.setEnabled(False)

    def _show(self, account: Account) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        first, self.account = self.account is None, account
        currency = account.currency
        self.who.setText(f"{account.family_name}, {account.given_name}  ·  {clinical_date(account.born)}")
        rows = sorted(account.open, key=lambda row: row.appointment_id != self._appointment_id)  # this visit first, then the newest
        before = {key for key, tick in self._ticks.items() if tick.isChecked()}
        known = set(self._ticks)
        alone = self._appointment_id is not None and any(row.appointment_id == self._appointment_id for row in rows)
        self._ticks = self.owed.show_rows(rows, currency, self._change)
        for row in rows:
            on = row.id in before or (row.id not in known and (not alone or not first or row.appointment_id == self._appointment_id))
            self._ticks[row.id].setChecked(on)
            self._ticks[row.id].toggled.connect(self._prefill)
        self.method.set_words("wallet", f"Wallet  {amount_text(account.wallet)}", enabled=account.wallet > 0)
        if first or not self.form.dirty:
            self._prefill()
        self._follow()
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            self.show_problem(refusal)

    def _ticked(self) -> list[ChargeRow]:
        rows = {row.id: row for row in self.account.open} if self.account else {}
        return [rows[key] for key, tick in self._ticks.items() if tick.isChecked() and key in rows]

    def _prefill(self) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        assert self.account is not None  # noqa: S101  shown only with an account
        owed = sum((row.owed for row in self._ticked()), ZERO)
        self.form.set_values({"amount": typed_text(owed, self.account.currency), "given": ""})
        self.amount.selectAll()
        self._follow()

    def _charge_more(self) -> None:
        self._open_charge(None)

    def _change(self, row: ChargeRow) -> None:
        self._open_charge(row)

    def _open_charge(self, row: ChargeRow | None) -> None:
        if self.account is not None:
            sheet = ChargeSheet(self.desk, self._patient_id, self.account.currency, row, parent=self)
            sheet.accepted.connect(self._read)
            sheet.finished.connect(lambda _result: self.amount.setFocus())
            sheet.open()

    # The way it is paid

    def _wish(self) -> tuple[Decimal, list[tuple[str, Decimal]]]:
        """The amount and what of it goes by which method; Invalid names the field."""
        assert self.account is not None  # noqa: S101  the verb is off before
        amount = parse_amount(self.amount.text(), currency=self.account.currency)
        owed = sum((row.owed for row in self._ticked()), ZERO)
        if amount > owed:
            raise Invalid("amount", f"This is more than is owed: {amount_text(owed, self.account.currency)}.")
        method = self.method.method
        if method == "wallet" and amount > self.account.wallet:
            return amount, [("wallet", self.account.wallet), (self.rest.method, amount - self.account.wallet)]
        return amount, [(method, amount)]

    def _cash(self, ways: list[tuple[str, Decimal]]) -> Decimal:
        return next((part for method, part in ways if method == "cash"), ZERO)

    def _change_money(self, ways: list[tuple[str, Decimal]]) -> Decimal | None:
        """What goes back of the cash given; None when nothing was typed. Invalid when it is too little."""
        assert self.account is not None  # noqa: S101  the verb is off before
        cash = self._cash(ways)
        if not cash or not self.given.text().strip():
            return None
        given = parse_amount(self.given.text(), "given", currency=self.account.currency)
        if given < cash:
            raise Invalid("given", f"This is less than {amount_text(cash, self.account.currency)}.")
        return given - cash

    def _follow(self) -> None:
        """Words and fields after what is typed and chosen; nothing is refused while typing."""
        if self.account is None or self.form is None or self.receipt_id is not None:
            return
        currency = self.account.currency
        self.verb_button.setEnabled(bool(self._ticks))
        ways: list[tuple[str, Decimal]] = []
        try:
            amount, ways = self._wish()
            self.verb_button.setText(f"Take {amount_text(amount, currency)}")
        except Invalid:
            self.verb_button.setText("Take")
        self.rest_words.setVisible(len(ways) > 1)
        self.rest.setVisible(len(ways) > 1)
        if len(ways) > 1:
            self.rest_words.setText(f"The wallet holds {amount_text(ways[0][1], currency)}. The rest, "
                                    f"{amount_text(ways[1][1], currency)}, by")
        cash = bool(self._cash(ways)) or (not ways and self.method.method == "cash")
        field = self.given.parentWidget()
        if field is not None:
            field.setVisible(cash)
        try:
            back = self._change_money(ways) if ways else None
            self.form.set_hint("given", f"Change: {amount_text(back, currency)}" if back is not None else "Shows the change.")
        except Invalid as refusal:
            self.form.set_hint("given", refusal.sentence)

    # Taking it

    def submit(self) -> None:
        """Book it, or close when it is booked."""
        if self.receipt_id is not None:
            self.accept()
            return
        try:
            amount, ways = self._wish()
            back = self._change_money(ways)
        except Invalid as refusal:
            self.show_problem(refusal)
            return
        parts: list[Part] = []
        left = [(row.id, row.owed) for row in self._ticked()]
        for method, part in ways:
            taken = dict(spread(part, left))
            parts += [Part(key, method, some) for key, some in taken.items()]
            left = [(key, most - taken.get(key, ZERO)) for key, most in left]
        wish = " ".join(f"{part.charge_id} {part.method} {part.amount}" for part in parts)
        key = uuid.uuid5(self._request, wish).hex
        self.desk.do(self, money.pay, self._patient_id, parts, key, done=partial(self._done, amount, ways, back), failed=self._failed)

    def _failed(self, error: Exception) -> None:
        """What is owed may have changed at another desk: read it again, then say what went wrong."""
        self.set_busy(False)
        self._refusal = error
        self._read()

    def _done(self, amount: Decimal, ways: list[tuple[str, Decimal]], back: Decimal | None, receipt_id: int) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        assert self.account is not None  # noqa: S101  it was taken from it
        self.receipt_id = receipt_id
        self.form.mark_clean()
        currency = self.account.currency
        how = " and ".join(f"{amount_text(part, currency)} {METHODS[method].lower()}" for method, part in ways) if len(ways) > 1 else (
            METHODS[ways[0][0]].lower())
        left = sum((row.owed for row in self._ticked()), ZERO) - amount
        self.outcome.say(f"{amount_text(amount, currency)} taken, {how}.", f"Change: {amount_text(back, currency)}" if back else "",
                        f"{amount_text(left, currency)} of it is still owed." if left else "")
        self.pages.setCurrentWidget(self.outcome)
        self.charge_button.hide()
        self.cancel_button.hide()
        self.receipt_button.show()
        self.set_busy(False)
        self.verb_button.setText("Done")
        self.verb_button.setToolTip("Close  (Enter)")
        self.verb_button.setFocus()
        self.taken.emit(receipt_id)

    def show_receipt(self) -> None:
        """Close the sheet and show the receipt."""
        if self.receipt_id is None:
            return
        self.accept()
        window = ReceiptWindow(self.desk, self.receipt_id, parent=self.parentWidget())
        window.show()
        self.receipt_opened.emit(window)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.receipt_id is not None and event.key() == Qt.Key.Key_P:
            self.show_receipt()
        else:
            super().keyPressEvent(event)


class _Owed(QFrame):
    """The open charges, each with a tick, its amount and a way to change it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "sunken")
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(12, 8, 12, 8)
        self._lines.setSpacing(2)
        self.changes: dict[int, QWidget] = {}

    def show_rows(self, rows: list[ChargeRow], currency: str, change: Callable[[ChargeRow], None]) -> dict[int, QCheckBox]:
        """Show these; their ticks by charge."""
        emptied(self._lines)
        ticks: dict[int, QCheckBox] = {}
        self.changes = {}
        for row in rows:
            tick = QCheckBox(row.what)
            amount = amount_text(row.owed, currency)
            tick.setAccessibleName(f"{row.what}, {amount}")
            line = QHBoxLayout()
            line.addWidget(tick, 1)
            line.addWidget(label(f"{amount} of {amount_text(row.amount)}" if row.paid else amount, "heading"))
            changing = button("Change", partial(change, row), variant="link", tip="Charge another amount, with a reason")
            changing.setAccessibleName(f"Change the amount of {row.what}")
            line.addWidget(changing)
            if row.paid:
                changing.hide()  # what was paid for is refunded first
            self._lines.addLayout(line)
            if row.reason:
                self._lines.addWidget(label(f"Usually {amount_text(row.usual or row.amount, currency)}: {row.reason}", "faint", wrap=True))
            ticks[row.id], self.changes[row.id] = tick, changing
        if not rows:
            self._lines.addWidget(label("Nothing is owed. Charge something below, or close this.", "soft", wrap=True))
        return ticks


class _Result(QWidget):
    """What was taken, in large letters: the change is counted out from here."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.change, self.left = label("", "title", wrap=True), label("", "display", wrap=True), label("", "warning", wrap=True)
        lines = QVBoxLayout(self)
        lines.addStretch(1)
        for one in (self.words, self.change, self.left, label("Enter closes. P shows the receipt.", "faint")):
            one.setAlignment(Qt.AlignmentFlag.AlignCenter)
            lines.addWidget(one)
        lines.addStretch(2)

    def say(self, words: str, change: str, left: str) -> None:
        """Fill it."""
        for one, text in ((self.words, words), (self.change, change), (self.left, left)):
            one.setText(text)
            one.setVisible(bool(text))
