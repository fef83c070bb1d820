"""A patient's money beside her card: what is owed, the wallet, the last receipts, and what can be done about it."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.money import KINDS, METHODS, amount_text
from clinicdesk.services import money
from clinicdesk.services.money import Account, ReceiptRow
from ui.desk import Desk
from ui.dialogs.payment import payment_for
from ui.dialogs.receipt import ReceiptWindow
from ui.dialogs.refund import RefundSheet
from ui.dialogs.wallet import CorrectionSheet, WalletSheet
from ui.live import RefreshWhenShown
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.section import Section
from ui.widgets.text import button, label


def signed_total(row: ReceiptRow) -> str:
    """The sum of a receipt, with a minus sign when the clinic gave it."""
    return amount_text(-row.total if row.out else row.total)


def ways(row: ReceiptRow) -> str:
    """How it was paid, in words."""
    return " + ".join(METHODS[method] for method, _amount in row.methods)


def account_of(desk: Desk, patient_id: str) -> AccountSection:
    """A section that shows this patient."""
    section = AccountSection(desk)
    section.show_patient(patient_id)
    return section


class AccountSection(Section):
    """`show_patient(id)` reads it; it follows what other desks take."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__("Money", card="surface", parent=parent)
        self.desk = desk
        self.patient_id = ""
        self.account: Account | None = None
        self.owed, self.wallet = label("", "heading"), label("", "soft")
        self.charges = label("", "soft", wrap=True)
        facts = QHBoxLayout()
        facts.addWidget(self.owed)
        facts.addStretch(1)
        facts.addWidget(self.wallet)
        self.body.addLayout(facts)
        self.body.addWidget(self.charges)
        self.table: RowTable[ReceiptRow] = RowTable(
            desk.theme,
            (
                Column("When", lambda r: clinical_date(r.taken_at, desk.zone), sort=lambda r: r.taken_at, width=104, kind="soft"),
                Column("What", lambda r: f"{r.what}, {ways(r).lower()}" if r.kind == "payment" else f"{KINDS[r.kind]}, {ways(r).lower()}",
                       tip=lambda r: f"{r.number}, {KINDS[r.kind].lower()}: {r.what}, {ways(r).lower()}, taken by {r.taken_by}"),
                Column("Amount", signed_total, sort=lambda r: -r.total if r.out else r.total, align="right", width=92),
            ),
            lambda r: r.id,
            name="Payments of this patient",
            sort_by=0,
            descending=True,
            empty=EmptyState(desk.theme, "Nothing was paid yet.", icon="billing"),
        )
        self.table.setMinimumHeight(170)
        self.table.opened.connect(self._receipt)
        self.table.selected.connect(self._selected)
        self.body.addWidget(self.table)
        self.pay_button = button("Take payment", self.take_payment, variant="quiet", icon="cash", theme=desk.theme, tip="Take payment")
        self.top_up_button = button("Top up", self.top_up, variant="quiet", icon="top_up", theme=desk.theme, tip="Money into the wallet")
        self.refund_button = button("Refund", self.refund, variant="quiet", icon="refund", theme=desk.theme,
                                    tip="Give the selected payment back")
        self.out_button = button("Pay out", self.pay_out, variant="quiet", icon="wallet", theme=desk.theme, tip="Money out of the wallet")
        for one in (self.pay_button, self.top_up_button):
            self.tools.addWidget(one)
        self.body.addWidget(label("Enter shows a receipt.", "faint"))
        line = QHBoxLayout()
        line.addStretch(1)
        line.addWidget(self.refund_button)
        line.addWidget(self.out_button)
        self.correct_button = button("Correct", self.correct, variant="quiet", icon="edit", theme=desk.theme, tip="Put the wallet right")
        line.addWidget(self.correct_button)
        if desk.me.role != "administrator":
            self.correct_button.hide()
        self.body.addLayout(line)
        self.refund_button.setEnabled(False)
        self.out_button.setEnabled(False)
        self._live = RefreshWhenShown(self, desk.live, (), self.refresh)

    def show_patient(self, patient_id: str) -> None:
        """Whose money."""
        self.patient_id = patient_id
        self._live.watch(f"money {patient_id}")
        self._live.refresh_now()

    def refresh(self) -> None:
        """Read again; the selection stays."""
        if self.patient_id:
            self.desk.ask(self, money.account, self.patient_id, done=self._show, replaces="account",
                          failed=lambda e: self.owed.setText(explain(e).text))

    def _show(self, account: Account) -> None:
        if account.patient_id != self.patient_id:
            return
        self.account = account
        self.owed.setText(f"Owes {amount_text(account.owed, account.currency)}" if account.owed else "Nothing is owed")
        other = f", and {amount_text(account.other_wallets, account.currency)} in that of a merged record" if account.other_wallets else ""
        self.wallet.setText(f"Wallet {amount_text(account.wallet, account.currency)}{other}")
        self.charges.setText("\n".join(f"{row.what}: {amount_text(row.owed, account.currency)}" for row in account.open[:6]))
        self.charges.setVisible(bool(account.open))
        self.table.show_rows(account.receipts)
        self.out_button.setEnabled(account.wallet > 0)
        self._selected(self.table.record())

    def _selected(self, row: ReceiptRow | None) -> None:
        self.refund_button.setEnabled(row is not None and row.refundable > 0)

    def _receipt(self, row: ReceiptRow) -> None:
        ReceiptWindow(self.desk, row.id, parent=self.window()).show()

    def take_payment(self) -> None:
        """The sheet, for everything that is owed."""
        payment_for(self.desk, self.window(), self.patient_id)

    def top_up(self) -> None:
        """Money into the wallet."""
        WalletSheet(self.desk, self.patient_id, parent=self.window()).open()

    def pay_out(self) -> None:
        """Money out of the wallet."""
        WalletSheet(self.desk, self.patient_id, out=True, parent=self.window()).open()

    def correct(self) -> None:
        """Put the wallet right, with a reason; administrators."""
        if self.account is not None:
            CorrectionSheet(self.desk, self.account, parent=self.window()).open()

    def refund(self) -> None:
        """The selected payment back."""
        row = self.table.record()
        if row is not None and self.account is not None:
            RefundSheet(self.desk, row, self.account.currency, parent=self.window()).open()
