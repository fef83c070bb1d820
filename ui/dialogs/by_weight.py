"""A dose computed from the weight, inside the sheet of a medicine: every step is shown before it is used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QLineEdit, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.knowledge import Limit
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.strengths import converted
from clinicdesk.rules.weight_doses import Weight, WeightDose, dose_by_weight, too_old
from ui.widgets.section import Section
from ui.widgets.text import button, label, row

UNITS = ("mg", "microgram", "unit", "mmol", "mL")


@dataclass(frozen=True, slots=True)
class Child:
    """Whom the dose is for: date of birth, today, the last weight (None: never weighed here)."""

    born: date
    today: date
    weight: Weight | None


class ByWeight(Section):
    """Signal `used(WeightDose)`. `line` gives medicine, strength, form and times a day as they stand in the sheet."""

    used = Signal(object)

    def __init__(self, child: Child, line: Callable[[], tuple[str, str, str, int | None]],
                 limits: Callable[[str], tuple[Limit, ...]], parent: QWidget | None = None) -> None:
        super().__init__("By weight", card="sunken", parent=parent)
        self._child, self._line, self._limits = child, line, limits
        self._found: WeightDose | None = None
        self.per_kg, self.unit, self.per = QLineEdit(), QComboBox(), QComboBox()
        self.per_kg.setPlaceholderText("15")
        self.per_kg.setAccessibleName("Amount for each kg")
        self.unit.addItems(UNITS)
        self.unit.setAccessibleName("Unit of the amount for each kg")
        self.per.addItems(("for one dose", "for one day"))
        self.per.setAccessibleName("What the amount for each kg is for")
        self.use_button = button("Use this dose", self._use)
        self.words = label("", "body", wrap=True, selectable=True)
        self.warning = label("", "warning", wrap=True)
        self.body.addLayout(row(self.per_kg, self.unit, label("per kg"), self.per, self.use_button))
        whole = QVBoxLayout()
        whole.setSpacing(2)
        for one in (self.words, self.warning):
            whole.addWidget(one)
        self.body.addLayout(whole)
        self.per_kg.textChanged.connect(self.compute)
        self.unit.currentIndexChanged.connect(self.compute)
        self.per.currentIndexChanged.connect(self.compute)
        self.compute()

    def compute(self) -> None:
        """Show every step, or what stands in the way."""
        self._found, self._warn = None, ""
        try:
            self.words.setText(self._computed())
        except Invalid as refusal:
            self.words.setText(refusal.sentence)
        self.warning.setText(self._warn)
        self.warning.setVisible(bool(self._warn))
        self.use_button.setEnabled(self._found is not None)

    def _computed(self) -> str:
        child, weight = self._child, self._child.weight
        if weight is None:
            return "No weight is recorded: weigh the child and enter the weight under vital signs."
        at = f"{weight.kg:f} kg on {clinical_date(weight.on)}"
        if too_old(weight, child.born, child.today):
            return f"The last weight ({at}) is too old at this age: weigh again and enter the weight under vital signs."
        typed = self.per_kg.text().strip().replace(",", ".")
        if not typed:
            return f"Weight: {at}."
        try:
            amount = Decimal(typed)
        except InvalidOperation:
            raise Invalid("per_kg", "The amount for each kg is a number.") from None
        if not amount.is_finite() or not 0 < amount < 100_000:
            raise Invalid("per_kg", "The amount for each kg is more than zero.")
        medicine, strength, form, times = self._line()
        daily = self.per.currentIndex() == 1
        if daily and times is None:
            return "Choose first how often it is given."
        unit = self.unit.currentText()
        most = self._most(medicine, unit)
        self._found = dose_by_weight(amount, unit, weight, doses_a_day=times if daily else None, strength=strength, form=form, most=most)
        self._warn_above(medicine, unit, amount, times if daily else None)
        return f"{self._found.steps} Weight: {at}."

    def _age(self) -> Decimal:
        return Decimal((self._child.today - self._child.born).days) / Decimal("365.25")

    def _values(self, medicine: str, fact: str, unit: str) -> list[Decimal]:
        rows = [(r.value, r.unit) for r in self._limits(medicine) if r.fact == fact and r.holds_for(self._age(), "")]
        same = {"mg", "g", "microgram"}
        found = [converted(value, of, unit) for value, of in rows if value is not None and (of == unit or {of, unit} <= same)]
        return [value for value in found if value is not None]

    def _most(self, medicine: str, unit: str) -> Decimal | None:
        return min(self._values(medicine, "single-max", unit), default=None)

    def _warn_above(self, medicine: str, unit: str, amount: Decimal, times: int | None) -> None:
        fact = "daily-max-per-kg" if times else "single-max-per-kg"
        most = min(self._values(medicine, fact, unit), default=None)
        if most is not None and amount > most:
            each = "in a day" if times else "in one dose"
            self._warn = f"More than the {most.normalize():f} {unit} per kg on file for {medicine} {each}."

    def _use(self) -> None:
        if self._found is not None:
            self.used.emit(self._found)
