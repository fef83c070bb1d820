"""Current medicines in the chart: stop with a reason, renew one or all that are long-term; and what else the checks need to know."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial

from PySide6.QtCore import QDate, QSize, Signal
from PySide6.QtWidgets import QDateEdit, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.tall_man import tall_man
from clinicdesk.services import medication
from clinicdesk.services.medication import EGFR_UNIT, STOP_REASONS, CurrentMedicine, FactRow
from ui.consultation.risks_section import told
from ui.desk import Desk
from ui.problems import explain
from ui.widgets.arranging import emptied
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


class MedicinesSection(Section):
    """The list with its buttons. Signal `renew(tuple[ItemDraft, ...])`: to be prescribed again."""

    renew = Signal(object)

    def __init__(self, desk: Desk, patient_id: str, told_at_registration: str = "", parent: QWidget | None = None) -> None:
        super().__init__("Current medicines", card="surface", parent=parent)
        self.desk, self._patient_id, self._told = desk, patient_id, told_at_registration
        self.rows: list[CurrentMedicine] = []
        self.renew_all = button("Renew all long-term", self._renew_all, variant="quiet", icon="history", theme=desk.theme)
        self.renew_all.hide()
        self.tools.addWidget(self.renew_all)
        self.body.addWidget(label("Reading …", "faint"))
        self.refresh()

    def refresh(self) -> None:
        """Read again."""
        self.desk.ask(self, medication.current, self._patient_id, done=self._show, failed=self._failed, replaces="medicines")

    def _failed(self, error: Exception) -> None:
        emptied(self.body)
        self.body.addWidget(label(f"Current medicines could not be read. {explain(error).sentence}", "error", wrap=True))

    def _show(self, rows: list[CurrentMedicine]) -> None:
        self.rows = rows
        emptied(self.body)
        for row in rows:
            self.body.addWidget(self._line(row))
        if not rows:
            self.body.addWidget(label("No current medicines recorded.", "faint"))
        if self._told:
            self.body.addWidget(told(self._told))
        self.renew_all.setVisible(any(row.long_term for row in rows))

    def _line(self, row: CurrentMedicine) -> QWidget:
        line = QWidget()
        inner = QHBoxLayout(line)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(4)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(tall_man(row.description), "body", wrap=True, selectable=True))
        until = f"until {clinical_date(row.ended_on)}" if row.ended_on else "long-term"
        since = f"since {clinical_date(row.started_on)}" if row.started_on else ""
        words.addWidget(label(" · ".join(p for p in (row.dosage, row.reason, since, until) if p), "soft", wrap=True, selectable=True))
        inner.addLayout(words, 1)
        for verb, run in (("Renew", lambda: self.renew.emit((row.item,))), ("Stop", partial(self._stop, row))):
            made = button(verb, run, variant="quiet")
            made.setAccessibleName(f"{verb} {row.description}")
            inner.addWidget(made)
        return line

    def _renew_all(self) -> None:
        self.renew.emit(tuple(row.item for row in self.rows if row.long_term))

    def _stop(self, row: CurrentMedicine) -> None:
        sheet = StopSheet(self.desk, row, parent=self.window())
        sheet.accepted.connect(self.refresh)  # at once: the panel waits while somebody types a note
        sheet.open()


class StopSheet(Sheet):
    """Why a medicine is stopped; nothing is chosen beforehand."""

    def __init__(self, desk: Desk, row: CurrentMedicine, parent: QWidget | None = None) -> None:
        super().__init__(desk, f"Stop {tall_man(row.description)}", "Stop", parent=parent, key="stop-medicine", variant="danger",
                         size=QSize(480, 320))
        self._row = row
        form = self.set_form(Form())
        form.choice("reason", "Why", list(STOP_REASONS.items()), blank="Choose the reason")
        form.text("words", "In words", limit=1_000, optional=True)
        form.mark_clean()
        form.editor("reason").setFocus()

    def submit(self) -> None:
        """Stop it."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        self.desk.do(self, medication.stop, self._row.id, self._row.version, v["reason"] or "", v["words"] or "",
                     done=lambda _none: self.accept(), failed=self.show_problem)


class FactsSection(Section):
    """What the checks know besides: pregnancy and kidney function, each with who said it and when."""

    def __init__(self, desk: Desk, patient_id: str, *, may_be_pregnant: bool, parent: QWidget | None = None) -> None:
        super().__init__("For the checks", card="surface", parent=parent)
        self.desk, self._patient_id, self._may_be_pregnant = desk, patient_id, may_be_pregnant
        if may_be_pregnant:
            self.tools.addWidget(button("Pregnancy", self._pregnancy, variant="quiet", icon="edit", theme=desk.theme))
        self.tools.addWidget(button("Kidney function", self._kidney, variant="quiet", icon="edit", theme=desk.theme))
        self.body.addWidget(label("Reading …", "faint"))
        self.refresh()

    def refresh(self) -> None:
        """Read again."""
        self.desk.ask(self, medication.facts, self._patient_id, done=self._show, failed=self._failed, replaces="facts")

    def _failed(self, error: Exception) -> None:
        emptied(self.body)
        self.body.addWidget(label(f"Could not be read. {explain(error).sentence}", "error", wrap=True))

    def _show(self, rows: list[FactRow]) -> None:
        emptied(self.body)
        said = {row.kind: row for row in rows}
        wanted: list[tuple[str, Callable[[FactRow], str]]] = [("egfr", _kidney_words)]
        if self._may_be_pregnant:
            wanted.insert(0, ("pregnant", _pregnancy_words))
        for kind, words in wanted:
            row = said.get(kind)
            name = "Pregnancy" if kind == "pregnant" else "Kidney function"
            told = f"{words(row)}; stated by {row.stated_by}, {clinical_date(row.stated_at, self.desk.zone)}" if row else "not recorded"
            self.body.addWidget(label(f"{name}: {told}", "body" if row else "soft", wrap=True, selectable=True))

    def _pregnancy(self) -> None:
        self._open(PregnancySheet(self.desk, self._patient_id, parent=self.window()))

    def _kidney(self) -> None:
        self._open(KidneySheet(self.desk, self._patient_id, parent=self.window()))

    def _open(self, sheet: Sheet) -> None:
        sheet.accepted.connect(self.refresh)
        sheet.open()


def _pregnancy_words(row: FactRow) -> str:
    if not row.pregnant:
        return "not pregnant"
    return f"pregnant, expected {clinical_date(row.expected_on)}" if row.expected_on else "pregnant"


def _kidney_words(row: FactRow) -> str:
    value = f"{row.egfr:f}".rstrip("0").rstrip(".") if row.egfr is not None else ""
    return f"eGFR {value} {EGFR_UNIT}, measured {clinical_date(row.measured_on)}"


class PregnancySheet(Sheet):
    """Pregnant or not, as of today."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Pregnancy", "Record", parent=parent, key="pregnancy", size=QSize(460, 280),
                         explanation="Your name and the time are recorded. The checks use it.")
        self._patient_id = patient_id
        form = self.set_form(Form())
        form.choice("pregnant", "The patient is", (("yes", "pregnant"), ("no", "not pregnant")), blank="Choose")
        self._day = _day_field(desk)
        form.add("expected_on", "Expected date, when pregnant", self._day, optional=True)
        form.mark_clean()
        form.editor("pregnant").setFocus()

    def submit(self) -> None:
        """Record it."""
        assert self.form is not None  # noqa: S101  built in __init__
        said = self.form.value("pregnant")
        if not said:
            self.show_problem(Invalid("pregnant", "Choose pregnant or not pregnant."))
            return
        day = self._day.date().toPython() if self._day.date() != self._day.minimumDate() else None
        self.desk.do(self, medication.state_pregnancy, self._patient_id, pregnant=said == "yes", expected_on=day if said == "yes" else None,
                     done=lambda _none: self.accept(), failed=self.show_problem)


class KidneySheet(Sheet):
    """An eGFR with the day it was measured."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Kidney function", "Record", parent=parent, key="kidney", size=QSize(460, 260))
        self._patient_id = patient_id
        form = self.set_form(Form(columns=2))
        form.text("egfr", f"eGFR, {EGFR_UNIT}")
        self._day = _day_field(desk, today=True)
        form.add("measured_on", "Measured on", self._day)
        form.mark_clean()
        form.editor("egfr").setFocus()

    def submit(self) -> None:
        """Record it."""
        assert self.form is not None  # noqa: S101  built in __init__
        try:
            value = Decimal(str(self.form.value("egfr") or "").strip().replace(",", "."))
        except InvalidOperation:
            self.show_problem(Invalid("egfr", "eGFR: a number."))
            return
        self.desk.do(self, medication.state_egfr, self._patient_id, value, self._day.date().toPython(), done=lambda _none: self.accept(),
                     failed=self.show_problem)


def _day_field(desk: Desk, *, today: bool = False) -> QDateEdit:
    """A date; without `today` it starts as “not given”."""
    field = QDateEdit()
    field.setDisplayFormat("dd-MMM-yyyy")
    field.setCalendarPopup(True)
    now = desk.now().date()
    if today:
        field.setDate(QDate(now.year, now.month, now.day))
    else:
        field.setMinimumDate(QDate(now.year - 1, 1, 1))
        field.setSpecialValueText("not given")
        field.setDate(field.minimumDate())
    return field
