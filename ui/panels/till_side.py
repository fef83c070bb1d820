"""Beside the receipts: the sums of the day by method, and its close with the difference while counting."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.rules.money import METHODS, ZERO, amount_text, parse_amount, typed_text
from clinicdesk.services import day_close
from clinicdesk.services.day_close import CloseRow, Till
from ui.desk import Desk
from ui.live import HOLDS_REFRESH
from ui.problems import explain
from ui.widgets.arranging import emptied
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label, restyle


class SumsSection(Section):
    """Came in, went out and what is left, by method."""

    def __init__(self) -> None:
        super().__init__("Today", card="surface")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(0, 1)
        self.body.addLayout(self._grid)

    def show_till(self, till: Till) -> None:
        """Show these sums."""
        self.set_title(f"{clinical_date(till.day, weekday=True)}, {till.currency}")
        emptied(self._grid)
        for column, words in enumerate(("", "Came in", "Went out", "Sum")):
            self._put(0, column, words, "label")
        for number, one in enumerate(till.sums, 1):
            for column, words in enumerate((METHODS[one.method], amount_text(one.came), amount_text(one.went), amount_text(one.sum))):
                self._put(number, column, words, "heading" if column == 3 else "body")
        count = len(till.receipts)
        note = label(f"{count} receipt{'' if count == 1 else 's'}. What is paid by wallet came in earlier.", "faint", wrap=True)
        self._grid.addWidget(note, len(till.sums) + 1, 0, 1, 4)

    def _put(self, line: int, column: int, words: str, role: str) -> None:
        made = label(words, role)  # type: ignore[arg-type]
        made.setAlignment(Qt.AlignmentFlag.AlignRight if column else Qt.AlignmentFlag.AlignLeft)
        self._grid.addWidget(made, line, column)


class CloseSection(Section):
    """The close of the day shown. Signals `closed(close id)`, `reopened()`, `sheet_requested(close id)`, `day_requested(day)`."""

    closed = Signal(int)
    reopened = Signal()
    sheet_requested = Signal(int)
    day_requested = Signal(object)

    def __init__(self, desk: Desk) -> None:
        super().__init__("Day close", card="surface")
        self.desk = desk
        self._till: Till | None = None
        self.form = Form(columns=2)
        self.form.text("opening", "Cash at the start", hint="Change money")
        self.form.text("counted_cash", "Cash counted now")
        self.form.text("card_total", "Total of the card terminal", span=2)
        self.difference = label("", "heading", wrap=True)
        self.form.paragraph("explanation", "Explanation of the difference", limit=500, lines=2)
        self.form.editor("explanation").setMaximumHeight(64)
        for name in self.form.values():  # money taken while somebody counts changes what is expected at once; what is typed stays
            self.form.editor(name).setProperty(HOLDS_REFRESH, False)  # noqa: FBT003  Qt's signature
        self._explanation = self.form.editor("explanation").parentWidget()
        self.problem = label("", "error", wrap=True)
        self.close_button = button("Close the day", self.close_day, variant="primary", icon="lock", theme=desk.theme)
        self.entry = QWidget()
        lines = QVBoxLayout(self.entry)
        lines.setContentsMargins(0, 0, 0, 0)
        for widget in (self.form, self.difference, self.problem, self.close_button):
            lines.addWidget(widget)
        self.form.changed.connect(self._follow)
        self.form.submitted.connect(self.close_day)
        self.state = QVBoxLayout()
        self.state.setSpacing(4)
        self.warnings = QVBoxLayout()
        self.body.addLayout(self.warnings)
        self.body.addLayout(self.state)
        self.body.addWidget(self.entry)

    def show_till(self, till: Till, today: date) -> None:
        """The day's close, or the fields to close it; what was typed for this day stays."""
        other = self._till is None or self._till.day != till.day
        self._till = till
        emptied(self.state)
        emptied(self.warnings)
        self.set_title(f"Close of {clinical_date(till.day)}")
        for day in till.unclosed if till.day == today else ():
            words = f"{clinical_date(day, weekday=True)} is not closed yet"
            self.warnings.addWidget(button(words, partial(self.day_requested.emit, day), variant="link", icon="warning",
                                           theme=self.desk.theme))
        self.entry.setVisible(till.closed is None and till.day <= today)
        if till.closed is not None:
            self._show_closed(till.closed, till.currency)
        elif till.day > today:
            self.state.addWidget(label("This day has not come yet.", "soft"))
        if other or not self.form.dirty:
            self.form.clear_errors()
            self.problem.setText("")
            self.form.set_values({"opening": typed_text(till.opening, till.currency), "counted_cash": "", "card_total": "",
                                  "explanation": ""})
        self._follow()

    def _show_closed(self, row: CloseRow, currency: str) -> None:
        lines = [
            (f"Closed {clinical_moment(row.closed_at, self.desk.zone)} by {row.closed_by}", "soft"),
            (f"Cash counted {amount_text(row.counted_cash, currency)}, expected {amount_text(row.expected_cash, currency)}", "body"),
            (f"Card terminal {amount_text(row.card_total, currency)}, expected {amount_text(row.expected_card, currency)}", "body"),
            ("It matches." if row.matches else f"Difference {amount_text(row.difference, currency)}: {row.explanation}", "heading"),
        ]
        for words, role in lines:
            self.state.addWidget(label(words, role, wrap=True))  # type: ignore[arg-type]
        self.sheet_button = button("Day sheet", partial(self.sheet_requested.emit, row.id), icon="print", theme=self.desk.theme)
        self.state.addWidget(self.sheet_button)
        if self.desk.me.role == "administrator":
            self.reopen_button = button("Reopen the day …", partial(self._reopen, row), variant="quiet", icon="unlock",
                                        theme=self.desk.theme)
            self.state.addWidget(self.reopen_button)

    def _amounts(self) -> tuple[Decimal, Decimal, Decimal]:
        assert self._till is not None  # noqa: S101  the fields are shown with a till
        currency = self._till.currency
        names = ("opening", "counted_cash", "card_total")
        opening, counted, card = (parse_amount(self.form.value(name), name, currency=currency, zero=True) for name in names)
        return opening, counted, card

    def _follow(self) -> None:
        """The difference while counting: words, and the explanation when one is needed."""
        if self._till is None:
            return
        currency = self._till.currency
        try:
            opening = parse_amount(self.form.value("opening"), currency=currency, zero=True)
        except Invalid:
            opening = ZERO
        expected = {"counted_cash": opening + self._till.sum_of("cash"), "card_total": self._till.sum_of("card")}
        off: list[str] = []
        complete = True
        for name, wanted in expected.items():
            hint = f"Expected {amount_text(wanted, currency)}"
            try:
                difference = parse_amount(self.form.value(name), currency=currency, zero=True) - wanted
            except Invalid:
                complete = False
            else:
                hint += " ✓" if not difference else ""
                if difference:
                    what = "Cash" if name == "counted_cash" else "Card"
                    off.append(f"{what}: {amount_text(abs(difference), currency)} {'too much' if difference > 0 else 'missing'}")
            self.form.set_hint(name, hint)
        self.difference.setText(". ".join(off) + "." if off else "Everything matches." if complete else "")
        restyle(self.difference, "role", "warning" if off else "heading")
        if self._explanation is not None:
            self._explanation.setVisible(bool(off))

    def close_day(self) -> None:
        """Ask the database, which counts again."""
        if self._till is None or self._till.closed is not None or not self.close_button.isEnabled():
            return
        self.form.clear_errors()
        self.problem.setText("")
        try:
            opening, counted, card = self._amounts()
        except Invalid as refusal:
            self.form.show_problem(refusal)
            return
        self.close_button.setEnabled(False)
        self.desk.do(self, day_close.close, self._till.day, opening, counted, card, self.form.value("explanation"), done=self._done,
                     failed=self._failed)

    def _done(self, close_id: int) -> None:
        self.close_button.setEnabled(True)
        self.form.mark_clean()
        self.closed.emit(close_id)

    def _failed(self, error: Exception) -> None:
        self.close_button.setEnabled(True)
        if isinstance(error, Invalid) and error.field == "explanation" and self._explanation is not None:
            self._explanation.setVisible(True)  # another desk took money since the difference was computed here
        if not self.form.show_problem(error):
            self.problem.setText(explain(error).text)

    def _reopen(self, row: CloseRow) -> None:
        sheet = ReopenSheet(self.desk, row, parent=self.window())
        sheet.accepted.connect(self.reopened.emit)
        sheet.open()


class ReopenSheet(Sheet):
    """Why a closed day is opened again; the close is kept."""

    def __init__(self, desk: Desk, row: CloseRow, parent: QWidget | None = None) -> None:
        super().__init__(desk, f"Reopen {clinical_date(row.day)}", "Reopen", parent=parent, key="reopen", size=QSize(480, 240),
                         variant="danger", explanation="Money can be booked on this day again. It has to be closed again afterwards.")
        self._id = row.id
        form = self.set_form(Form())
        form.text("reason", "Why", limit=300)
        form.mark_clean()
        form.editor("reason").setFocus()

    def submit(self) -> None:
        """Open it."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.do(self, day_close.reopen, self._id, self.form.value("reason"), done=lambda _none: self.accept(),
                     failed=self.show_problem)
