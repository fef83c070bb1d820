"""The till of a day: what was taken and given, refunds, wallets, and the close that must match."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.rules.money import KINDS, amount_text
from clinicdesk.services import day_close
from clinicdesk.services.day_close import CloseRow, Till
from clinicdesk.services.money import ReceiptRow
from ui.desk import Desk
from ui.dialogs.receipt import DaySheetWindow, ReceiptWindow
from ui.dialogs.refund import RefundSheet
from ui.dialogs.wallet import WalletSheet
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.panels.account_section import signed_total, ways
from ui.panels.till_side import CloseSection, SumsSection
from ui.row_table import Column, RowTable
from ui.widgets.arranging import scrolled
from ui.widgets.empty import EmptyState
from ui.widgets.fields import day_field, day_of
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, icon_button


class TillPanel(Panel):
    """Receipts at the left, sums and the close at the right, earlier closes below."""

    key = "till"
    title = "Till"
    icon = "till"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.till: Till | None = None
        self.sheet: Sheet | None = None
        self.paper: ReceiptWindow | DaySheetWindow | None = None
        self.day_field = day_field(self._today(), "Day of the till")
        self.day_field.dateChanged.connect(lambda _day: self.refresh())
        self.day_field.setFixedWidth(140)
        self.table: RowTable[ReceiptRow] = RowTable(
            desk.theme,
            (
                Column("Time", lambda r: clinical_time(r.taken_at, desk.zone), sort=lambda r: r.taken_at, width=64, kind="soft"),
                Column("Receipt", lambda r: r.number, width=112, kind="soft"),
                Column("Patient", lambda r: r.patient_name, kind="strong"),
                Column("For", lambda r: r.what if r.kind == "payment" else f"{KINDS[r.kind]}{f': {r.what}' if r.what else ''}",
                       tip=lambda r: f"{r.what or KINDS[r.kind]}, taken by {r.taken_by}"),
                Column("By", ways, width=104),
                Column("Amount", signed_total, sort=lambda r: -r.total if r.out else r.total, align="right", width=96),
            ),
            lambda r: r.id,
            name="Receipts of the day",
            sort_by=0,
            descending=True,
            empty=EmptyState(desk.theme, "No money was taken on this day.", icon="till",
                             advice="Take a payment from the day's appointments (F8), or top up a wallet."),
        )
        self.table.opened.connect(self.show_receipt)
        self.table.selected.connect(self._selected)
        self.table.menu_requested.connect(self._menu)
        self.top_up_button = button("Top up a wallet", self.top_up, variant="primary", icon="top_up", theme=desk.theme,
                                    tip="Top up a wallet  (Ctrl+T)")
        self.refund_button = button("Refund", self.refund, icon="refund", theme=desk.theme, tip="Refund the selected receipt  (Ctrl+R)")
        self.refund_button.setEnabled(False)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(icon_button(desk.theme, "left", "The day before  (Alt+Left)", lambda: self._step(-1)))
        head.addWidget(self.day_field)
        head.addWidget(icon_button(desk.theme, "right", "The day after  (Alt+Right)", lambda: self._step(1)))
        head.addWidget(button("Today", lambda: self.show_day(self._today()), variant="quiet"))
        head.addStretch(1)
        head.addWidget(self.refund_button)
        head.addWidget(self.top_up_button)
        earlier = Section("Earlier closes")
        self.closes: RowTable[CloseRow] = RowTable(
            desk.theme,
            (
                Column("Day", lambda r: clinical_date(r.day, weekday=True), sort=lambda r: r.day, width=136),
                Column("Cash counted", lambda r: amount_text(r.counted_cash), sort=lambda r: r.counted_cash, align="right", width=112),
                Column("Card", lambda r: amount_text(r.card_total), sort=lambda r: r.card_total, align="right", width=92),
                Column("Difference", _difference, sort=lambda r: r.difference,
                       align="right", width=96),
                Column("State", _state, tip=_state, kind="soft"),
            ),
            lambda r: r.id,
            name="Earlier closes",
            sort_by=0,
            descending=True,
            empty=EmptyState(desk.theme, "No day was closed yet.", icon="billing"),
        )
        self.closes.opened.connect(lambda row: self.show_day(row.day))
        earlier.body.addWidget(self.closes)
        left = QSplitter(Qt.Orientation.Vertical)
        left.addWidget(self.table)
        left.addWidget(earlier)
        left.setStretchFactor(0, 3)
        left.setStretchFactor(1, 2)
        left.setChildrenCollapsible(False)
        self.sums, self.closing = SumsSection(), CloseSection(desk)
        self.closing.closed.connect(self._closed)
        self.closing.reopened.connect(self.refresh)
        self.closing.sheet_requested.connect(self.show_sheet)
        self.closing.day_requested.connect(self.show_day)
        side = QVBoxLayout()
        area = scrolled(side, margins=(0, 0, 8, 0))
        side.addWidget(self.sums)
        side.addWidget(self.closing)
        side.addStretch(1)
        area.setFixedWidth(356)
        middle = QHBoxLayout()
        middle.setSpacing(12)
        middle.addWidget(left, 1)
        middle.addWidget(area)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 8, 12)
        outer.setSpacing(12)
        outer.addLayout(head)
        outer.addLayout(middle, 1)
        self._live = RefreshWhenShown(self, desk.live, ("till",), self.refresh)

    def _today(self) -> date:
        return self.desk.now().date()

    @property
    def day(self) -> date:
        """The day shown."""
        return day_of(self.day_field)

    @property
    def unsaved(self) -> str:
        """What leaving would lose."""
        return "The counted money of the day is not saved yet." if self.closing.form.dirty else ""

    def commands(self) -> Sequence[Action]:
        """Keys of this panel."""
        return (
            Action("Top up a wallet", self.top_up, "top_up", "Ctrl+T"),
            Action("Refund the selected receipt", self.refund, "refund", "Ctrl+R"),
            Action("The till of the day before", lambda: self._step(-1), "left", "Alt+Left"),
            Action("The till of the day after", lambda: self._step(1), "right", "Alt+Right"),
        )

    def first_focus(self) -> QWidget:
        """The receipts."""
        return self.table

    def show_day(self, day: date) -> None:
        """Another day."""
        self.day_field.setDate(QDate(day.year, day.month, day.day))

    def _step(self, by: int) -> None:
        self.show_day(self.day + timedelta(days=by))

    def refresh(self) -> None:
        """The day and the closes again; selection, scroll and what is being counted stay."""
        self.desk.ask(self, day_close.till, self.day, done=self._show, replaces="till")
        self.desk.ask(self, day_close.closes, done=self.closes.show_rows, replaces="closes")

    def _show(self, till: Till) -> None:
        if till.day != self.day:
            return
        self.till = till
        self.table.show_rows(till.receipts)
        self.sums.show_till(till)
        self.closing.show_till(till, today=self._today())

    def _selected(self, row: ReceiptRow | None) -> None:
        self.refund_button.setEnabled(row is not None and row.refundable > 0)

    def _menu(self, row: ReceiptRow, menu: QMenu) -> None:
        icon = self.desk.theme.icon
        menu.addAction(icon("billing"), "Show the receipt", partial(self.show_receipt, row))
        if row.refundable > 0:
            menu.addAction(icon("refund"), "Refund …", self.refund)
        menu.addAction(icon("patient"), "Show the patient", lambda: self.desk.show("patient", row.patient_id))

    def show_receipt(self, row: ReceiptRow) -> None:
        """The paper of a receipt."""
        self.paper = ReceiptWindow(self.desk, row.id, parent=self.window())
        self.paper.show()

    def show_sheet(self, close_id: int) -> None:
        """The paper of a closed day."""
        self.paper = DaySheetWindow(self.desk, close_id, parent=self.window())
        self.paper.show()

    def top_up(self) -> None:
        """Money into somebody's wallet."""
        self.sheet = WalletSheet(self.desk, parent=self.window())
        self.sheet.taken.connect(lambda _id: self.refresh())
        self.sheet.open()

    def refund(self) -> None:
        """Give the selected receipt back; a refund is booked on today."""
        row = self.table.record()
        if row is None or row.refundable <= 0 or self.till is None:
            self.desk.tell("Choose a payment of which something can be given back.")
            return
        self.sheet = RefundSheet(self.desk, row, self.till.currency, parent=self.window())
        self.sheet.refunded.connect(lambda _id: self.refresh())
        self.sheet.open()

    def _closed(self, close_id: int) -> None:
        self.desk.tell("The day is closed.")
        self.refresh()
        self.show_sheet(close_id)


def _difference(row: CloseRow) -> str:
    if row.difference or row.matches:
        return amount_text(row.difference)
    return f"±{amount_text(abs(row.counted_cash - row.expected_cash))}"  # too much in cash, as much missing by card, or the other way


def _state(row: CloseRow) -> str:
    if row.reopened_at is not None:
        return f"reopened by {row.reopened_by}: {row.reopen_reason}"
    return f"closed by {row.closed_by}" + (f": {row.explanation}" if row.explanation else "")
