"""Charge something besides the visit, or charge another amount for it and say why."""

from __future__ import annotations

import uuid
from decimal import Decimal

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QLineEdit, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.money import amount_text, parse_amount, typed_text
from clinicdesk.services import money
from clinicdesk.services.money import ChargeRow
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class ChargeSheet(Sheet):
    """Accepts once it is charged. With `row` the amount of that charge is changed; 0 waives it."""

    def __init__(self, desk: Desk, patient_id: str, currency: str, row: ChargeRow | None = None, parent: QWidget | None = None) -> None:
        title = "Change the amount" if row else "Charge something else"
        verb, about = ("Change", row.what) if row else ("Charge", "")
        super().__init__(desk, title, verb, parent=parent, key="charge", size=QSize(460, 300), explanation=about)
        self._patient_id, self._currency, self._row = patient_id, currency, row
        self._request = uuid.uuid4()
        form = self.set_form(Form())
        if row is None:
            form.text("what", "What for", limit=200, placeholder="Medical certificate")
        usual = row.usual if row and row.usual is not None else row.amount if row else None
        hint = f"The usual amount is {amount_text(usual, currency)}. 0 waives it." if usual is not None else ""
        amount = form.text("amount", f"Amount, {currency}", hint=hint)
        if row is not None:
            form.text("reason", "Why", limit=300, placeholder="Why does it differ?")
            amount.setText(typed_text(row.amount, currency))
            amount.selectAll()
        self.body.addStretch(1)
        form.mark_clean()
        first = amount if row else form.editor("what")
        first.setFocus()
        if isinstance(first, QLineEdit):
            first.selectAll()

    def submit(self) -> None:
        """Charge it."""
        assert self.form is not None  # noqa: S101  built in __init__
        values = self.form.values()
        try:
            amount: Decimal = parse_amount(values["amount"], currency=self._currency, zero=self._row is not None)
        except Invalid as refusal:
            self.show_problem(refusal)
            return
        if self._row is not None:
            if len(values["reason"].strip()) < 3:
                self.show_problem(Invalid("reason", "Say why the amount differs from the usual one."))
                return
            self.desk.do(self, money.change_charge, self._row.id, amount, values["reason"], done=lambda _id: self.accept(),
                         failed=self.show_problem)
            return
        key = uuid.uuid5(self._request, f"{values['what']} {amount}").hex
        self.desk.do(self, money.charge, self._patient_id, values["what"], amount, key, done=lambda _id: self.accept(),
                     failed=self.show_problem)
