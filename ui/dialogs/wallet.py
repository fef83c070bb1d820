"""Money into a patient's wallet, back out of it, or an administrator's correction."""

from __future__ import annotations

import uuid

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.money import METHODS, amount_text, parse_amount
from clinicdesk.services import finding, money
from clinicdesk.services.money import Account
from clinicdesk.services.people import PatientRow
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.method_choice import MethodChoice
from ui.widgets.patient_hit import patient_hit
from ui.widgets.search_box import SearchBox
from ui.widgets.sheet import Sheet
from ui.widgets.text import label


class WalletSheet(Sheet):
    """Signal `taken(receipt id)`. Without a patient it asks for one first; `out` pays back instead and asks why."""

    taken = Signal(int)

    def __init__(self, desk: Desk, patient_id: str = "", *, out: bool = False, parent: QWidget | None = None) -> None:
        title = "Pay out of the wallet" if out else "Top up a wallet"
        super().__init__(desk, title, "Pay out" if out else "Top up", parent=parent, key="wallet", size=QSize(480, 340))
        self._out, self.patient_id, self._request = out, patient_id, uuid.uuid4()
        self.account: Account | None = None
        self.find_box = SearchBox(desk, finding.search, lambda r: patient_hit(r, desk.zone), placeholder="Find patient")
        self.find_box.chosen.connect(self.take_patient)
        self.find_box.setVisible(not patient_id)
        self.whose = label("No patient chosen yet", "heading", wrap=True)
        self.body.addWidget(self.find_box)
        self.body.addWidget(self.whose)
        form = self.set_form(Form())
        self.amount = form.text("amount", "Amount")
        if out:
            form.text("reason", "Why", limit=300, placeholder="Why is it paid out?")
        self.method = MethodChoice(desk.theme, ("cash", "card"), "How it is paid")
        self.body.addWidget(self.method)
        self.body.addStretch(1)
        self.method.listen_to(self.amount)
        form.mark_clean()
        if patient_id:
            self._read()
        QTimer.singleShot(0, self, (self.amount if patient_id else self.find_box).setFocus)

    def take_patient(self, row: PatientRow) -> None:
        """Whose wallet."""
        self.patient_id = row.id
        self.whose.setText(f"{row.last_name}, {row.first_name}")
        self._read()
        QTimer.singleShot(0, self, self.amount.setFocus)

    def _read(self) -> None:
        self.desk.ask(self, money.account, self.patient_id, done=self._show, failed=self.show_problem, replaces="account")

    def _show(self, account: Account) -> None:
        self.account = account
        holds = amount_text(account.wallet, account.currency)
        self.whose.setText(f"{account.family_name}, {account.given_name}  ·  the wallet holds {holds}")

    def submit(self) -> None:
        """Book it."""
        assert self.form is not None  # noqa: S101  built in __init__
        if self.account is None:
            self.set_busy(False)
            self.problem.say("Choose the patient first.")
            self.find_box.setFocus()
            return
        values, currency = self.form.values(), self.account.currency
        try:
            amount = parse_amount(values["amount"], currency=currency)
        except Invalid as refusal:
            self.show_problem(refusal)
            return
        method = self.method.method
        key = uuid.uuid5(self._request, f"{self.patient_id} {amount} {method}").hex

        def done(receipt_id: int) -> None:
            self.desk.tell(f"{amount_text(amount, currency)} {'paid out' if self._out else 'in the wallet'}, {METHODS[method].lower()}.")
            self.taken.emit(receipt_id)
            self.accept()

        if self._out:
            self.desk.do(self, money.pay_out, self.patient_id, method, amount, values["reason"], key, done=done, failed=self.show_problem)
        else:
            self.desk.do(self, money.top_up, self.patient_id, method, amount, key, done=done, failed=self.show_problem)


class CorrectionSheet(Sheet):
    """An administrator puts a wallet right with a reason; no money changes hands."""

    def __init__(self, desk: Desk, account: Account, parent: QWidget | None = None) -> None:
        holds = f"{account.family_name}, {account.given_name}: the wallet holds {amount_text(account.wallet, account.currency)}."
        super().__init__(desk, "Correct a wallet", "Correct", parent=parent, key="correct", size=QSize(480, 360), variant="danger",
                         explanation=f"{holds} Nothing goes through the till.")
        self._account, self._request = account, uuid.uuid4()
        form = self.set_form(Form(columns=2))
        form.choice("direction", "Direction", ((1, "Add to the wallet"), (-1, "Take out of the wallet")))
        form.text("amount", f"Amount, {account.currency}")
        form.text("reason", "Why", limit=300, span=2)
        self.body.addStretch(1)
        form.mark_clean()
        form.editor("amount").setFocus()

    def submit(self) -> None:
        """Correct it."""
        assert self.form is not None  # noqa: S101  built in __init__
        values = self.form.values()
        try:
            amount = parse_amount(values["amount"], currency=self._account.currency) * values["direction"]
        except Invalid as refusal:
            self.show_problem(refusal)
            return
        key = uuid.uuid5(self._request, f"{amount}").hex
        self.desk.do(self, money.correct_wallet, self._account.patient_id, amount, values["reason"], key, done=lambda _id: self.accept(),
                     failed=self.show_problem)
