"""Give money back: of which receipt, how much, how and why."""

from __future__ import annotations

import uuid
from decimal import Decimal

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.money import METHODS, ZERO, amount_text, parse_amount, spread, typed_text
from clinicdesk.services import money
from clinicdesk.services.money import ReceiptRow, RefundPart
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.method_choice import MethodChoice
from ui.widgets.sheet import Sheet
from ui.widgets.text import label

Line = tuple[int, str, str, Decimal]


class RefundSheet(Sheet):
    """Signal `refunded(receipt id)`. The amount and the way are proposed as it was paid; a refund never exceeds the payment."""

    refunded = Signal(int)

    def __init__(self, desk: Desk, row: ReceiptRow, currency: str, parent: QWidget | None = None) -> None:
        super().__init__(
            desk,
            f"Refund of receipt {row.number}",
            "Refund",
            parent=parent,
            key="refund",
            size=QSize(500, 400),
            explanation=f"{row.patient_name}  ·  {row.what}",
            variant="danger",
        )
        self._row, self._currency, self._request = row, currency, uuid.uuid4()
        self._lines: list[Line] = []
        form = self.set_form(Form())
        hint = f"Paid {amount_text(row.total, currency)}; {amount_text(row.refundable, currency)} can be given back."
        amount = form.text("amount", f"Amount, {currency}", hint=hint)
        amount.setText(typed_text(row.refundable, currency))
        form.text("reason", "Why", limit=300, placeholder="Why is it given back?")
        form.check("owed_again", "The patient owes it again", hint="Tick it when it was paid in the wrong way and will be paid anew.")
        self.body.addWidget(label("How it is given back", "label"))
        self.method = MethodChoice(desk.theme, tuple(METHODS), "How it is given back")
        self.method.choose(row.methods[0][0])
        self.body.addWidget(self.method)
        self.body.addStretch(1)
        form.mark_clean()
        form.editor("reason").setFocus()
        self.set_busy(True)
        desk.ask(self, money.refundable_lines, row.id, done=self._show, failed=self.show_problem, replaces="lines")

    def _show(self, lines: list[Line]) -> None:
        self._lines = lines
        self.set_busy(False)
        if not lines:
            self.verb_button.setEnabled(False)
            self.problem.say("Everything of this receipt was given back already.")

    def submit(self) -> None:
        """Give it back."""
        assert self.form is not None  # noqa: S101  built in __init__
        values = self.form.values()
        try:
            amount = parse_amount(values["amount"], currency=self._currency)
            if amount > sum((line[3] for line in self._lines), ZERO):
                raise Invalid("amount", "This is more than can be given back of this payment.")
            if len(values["reason"].strip()) < 3:
                raise Invalid("reason", "Say why: 3 to 300 characters.")
        except Invalid as refusal:
            self.show_problem(refusal)
            return
        method = self.method.method
        parts = [RefundPart(key, method, part) for key, part in spread(amount, [(line[0], line[3]) for line in self._lines])]
        request = uuid.uuid5(self._request, f"{amount} {method}").hex

        def done(receipt_id: int) -> None:
            self.desk.tell(f"{amount_text(amount, self._currency)} given back, {METHODS[method].lower()}.")
            self.refunded.emit(receipt_id)
            self.accept()

        self.desk.do(self, money.refund, self._row.patient_id, parts, values["reason"], request, owed_again=bool(values["owed_again"]),
                     done=done, failed=self.show_problem)
