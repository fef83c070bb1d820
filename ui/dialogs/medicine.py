"""Prescribe one medicine: what, how much, how often, how long; the whole sentence is shown before it counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QLineEdit, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.checks import shipped
from clinicdesk.rules.directions import FORMS, FREQUENCIES, ROUTES, missing_elements
from clinicdesk.rules.doses import DOSE_UNITS, fmt_number
from clinicdesk.rules.formulary import Formulary, Product
from clinicdesk.rules.weight_doses import WeightDose
from clinicdesk.services.drafts import ItemDraft
from clinicdesk.services.prescribing import checked_items, lacking, preview
from ui.consultation.checking import TypedCheck
from ui.desk import Desk
from ui.dialogs.by_weight import ByWeight, Child
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import label

AS_NEEDED = ("as_needed_for", "min_interval_hours", "max_per_day")
DOSE_LIST = ("tablet", "capsule", "mL", "mg", "g", "microgram", "unit", "puff", "drop", "spray", "application", "patch", "sachet")


class MedicineSheet(Sheet):
    """Edits one `ItemDraft`; `item()` gives the result after the sheet was accepted. `check` says meanwhile what the checks find."""

    def __init__(self, desk: Desk, formulary: Formulary, item: ItemDraft | None = None, parent: QWidget | None = None, *,
                 new: bool | None = None, child: Child | None = None, check: TypedCheck | None = None) -> None:
        new = item is None if new is None else new
        super().__init__(
            desk,
            "Prescribe a medicine" if new else "Change this medicine",
            "Add" if new else "Change",
            parent=parent,
            key="medicine",
            size=QSize(760, 740),
            scroll=True,
        )
        self._item = item or ItemDraft()  # what the sheet has no field for (brand, rate, what it renews) stays
        self._formulary, self._product = formulary, None if item is None else formulary.find(item.medicine)
        form = self.set_form(Form(columns=4))
        medicine = form.text("medicine", "Medicine", placeholder="Generic name, for example amoxicillin", span=4)
        completer = QCompleter(list(formulary.names), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchStartsWith)
        completer.activated.connect(self._chosen)
        medicine.setCompleter(completer)
        medicine.editingFinished.connect(lambda: self._chosen(medicine.text()))
        self._strength = self._editable("strength", "Strength", (), span=2)
        self._form_box = form.choice("form", "Form", [(n, n) for n in FORMS], blank="Choose", span=2)
        form.choice("route", "Route", [(r.name, r.label) for r in ROUTES.values()], blank="Choose", span=2)
        form.text("dose_value", "Dose", placeholder="1")
        units = [*(u for u in DOSE_LIST if u in DOSE_UNITS), *(u for u in sorted(DOSE_UNITS) if u not in DOSE_LIST)]
        form.choice("dose_unit", "Unit", [(u, u) for u in units], blank="Choose")
        frequency = form.choice("frequency", "How often", [(n, f.label) for n, f in enumerate(FREQUENCIES)], blank="Choose", span=2)
        form.text("duration_days", "For how many days", placeholder="7")
        form.text("quantity", "Quantity", hint="Computed when left empty", optional=True)
        form.check("as_needed", "Only as needed", span=2)
        form.check("long_term", "Long-term: stays on the list of current medicines", span=2)
        form.text("as_needed_for", "Needed for", placeholder="pain or fever", span=2)
        form.text("min_interval_hours", "Hours between doses", placeholder="6")
        form.text("max_per_day", "Most in 24 hours", placeholder="8")
        form.text("indication", "Indication", optional=True, span=2)
        form.text("instructions", "Instructions for the label", optional=True, span=2)
        self.by_weight: ByWeight | None = None
        self._basis = (self._item.dose_value, self._item.dose_unit, self._item.dose_basis)
        if child is not None:
            self.by_weight = ByWeight(child, self._for_weight, lambda name: shipped().limits.get(name, ()))
            self.by_weight.used.connect(self._use_weight)
        self._words = Section("In full words", card="sunken")
        self.sentence = label("", "body", wrap=True, selectable=True)
        self.missing = label("", "warning", wrap=True)
        self.unchecked = label("Free text: not in the formulary, no check knows it.", "warning", wrap=True)
        for line in (self.sentence, self.missing, self.unchecked):
            self._words.body.addWidget(line)
        self.check = check
        if check is not None:
            self._words.body.addWidget(check)
        outer = self.layout()
        if isinstance(outer, QVBoxLayout):  # below the fields that scroll: what will be printed is always in view
            if self.by_weight is not None:
                outer.insertWidget(outer.indexOf(self.problem), self.by_weight)
            outer.insertWidget(outer.indexOf(self.problem), self._words)
        self._frequency = frequency
        form.changed.connect(self._refresh)
        self._fill(item or ItemDraft())
        medicine.setFocus()

    def _editable(self, name: str, caption: str, options: Sequence[str], span: int) -> QComboBox:
        box = QComboBox()
        box.setEditable(True)
        box.addItems(list(options))
        assert self.form is not None  # noqa: S101  set two lines above its only call
        self.form.add(name, caption, box, span=span)
        return box

    def _fill(self, item: ItemDraft) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        form = self.form
        for name in (
            "medicine",
            "form",
            "route",
            "dose_value",
            "dose_unit",
            "duration_days",
            "quantity",
            "as_needed",
            "long_term",
            *AS_NEEDED,
            "indication",
            "instructions",
        ):
            form.set_value(name, getattr(item, name))
        self._offer_strengths()
        form.set_value("strength", item.strength)
        for number, f in enumerate(FREQUENCIES):
            timing = (f.times_per_day, f.every_hours, f.weekdays, f.once)
            same = timing == (_int(item.times_per_day), _int(item.every_hours), item.weekdays, item.once)
            if same and (f.as_needed == item.as_needed or f.times_per_day or f.every_hours) and (any(timing) or f.as_needed):
                form.set_value("frequency", number)
                break
        form.mark_clean()
        self._refresh()

    def _chosen(self, name: str) -> None:
        """A medicine of the formulary fills in what is usual, only where nothing was chosen yet."""
        product = self._formulary.find(name)
        if product == self._product:
            return
        self._product = product
        self._offer_strengths()
        if product is not None and self.form is not None:
            self.form.set_value("medicine", product.name)
        if product is not None and product.presentations and self.form is not None:
            first = product.presentations[0]
            self.form.set_value("strength", first.strength)
            self._take_form(product, first.form)
        self._refresh()

    def _take_form(self, product: Product, form_name: str) -> None:
        known = FORMS.get(form_name)
        if self.form is None or known is None:
            return
        self.form.set_value("form", form_name)
        self.form.set_value("route", product.route or known.route)
        self.form.set_value("dose_unit", known.unit)

    def _for_weight(self) -> tuple[str, str, str, int | None]:
        item = self.item()
        hours = _int(item.every_hours)
        return item.medicine, item.strength, item.form, _int(item.times_per_day) or (24 // hours if hours and hours <= 24 else None)

    def _use_weight(self, dose: WeightDose) -> None:
        """The computed dose; another one typed over it is not based on the weight any more."""
        assert self.form is not None  # noqa: S101  built in __init__
        value = fmt_number(dose.value).replace(",", "")
        self._basis = (value, dose.unit, dose.basis)
        self.form.set_value("dose_value", value)
        self.form.set_value("dose_unit", dose.unit)
        self._refresh()

    def _offer_strengths(self) -> None:
        typed = self._strength.currentText()
        self._strength.clear()
        if self._product is not None:
            self._strength.addItems(list(dict.fromkeys(p.strength for p in self._product.presentations)))
        self._strength.setEditText(typed)

    def item(self) -> ItemDraft:
        """The line as it stands now."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        choice = v["frequency"]
        frequency = FREQUENCIES[choice] if isinstance(choice, int) else None
        as_needed = bool(v["as_needed"]) or (frequency is not None and frequency.as_needed)
        text: dict[str, Any] = {
            name: str(v[name] or "").strip()
            for name in (
                "medicine",
                "strength",
                "form",
                "route",
                "dose_value",
                "dose_unit",
                "duration_days",
                "quantity",
                "indication",
                "instructions",
            )
        }
        extra: dict[str, Any] = {name: str(v[name] or "").strip() if as_needed else "" for name in AS_NEEDED}
        return replace(
            self._item,
            **text,
            **extra,
            as_needed=as_needed,
            long_term=bool(v["long_term"]),
            dose_basis=self._basis[2] if (text["dose_value"], text["dose_unit"]) == self._basis[:2] else "",
            times_per_day=str(frequency.times_per_day or "") if frequency else "",
            every_hours=str(frequency.every_hours or "") if frequency else "",
            weekdays=frequency.weekdays if frequency else (),
            once=frequency.once if frequency else False,
            free_text=self._formulary.find(text["medicine"]) is None,
        )

    def _refresh(self) -> None:
        if self.form is None or not hasattr(self, "unchecked"):
            return
        item = self.item()
        if self.check is not None:
            self.check.show_line(item if item.medicine and not lacking(item) else None)
        if self.by_weight is not None:
            self.by_weight.compute()
        for name in AS_NEEDED:
            self.form.editor(name).setEnabled(item.as_needed)
        self.unchecked.setVisible(bool(item.medicine) and item.free_text)
        try:
            line = preview(item)
        except Invalid as refusal:
            self.sentence.setText(refusal.sentence)
            self.missing.setText("")
            return
        words = " ".join(part for part in (item.medicine, item.strength, item.form) if part)
        amount = f"Quantity: {line.quantity_text}" if line.quantity_text else ""
        basis = f"Based on {item.dose_basis}" if item.dose_basis else ""
        self.sentence.setText("\n".join(part for part in (words, line.directions, basis, amount) if part) or "Nothing typed yet.")
        lacks = missing_elements(
            line.direction, medicine=item.medicine, strength=item.strength, form=item.form, quantity_text=line.quantity_text
        )
        self.missing.setText(f"Still needed: {', '.join(lacks)}." if lacks else "")
        self.missing.setVisible(bool(lacks))

    def submit(self) -> None:
        """Take the line when it is complete; else say at the field what is wrong."""
        try:
            checked_items([self.item()])
        except Invalid as refusal:
            field = refusal.field.removeprefix("items.0").lstrip(".")
            self.show_problem(Invalid(field, refusal.sentence) if field else refusal)
            return
        self.accept()

    def first_field(self) -> QLineEdit:
        """The medicine's field."""
        assert self.form is not None  # noqa: S101  built in __init__
        editor = self.form.editor("medicine")
        assert isinstance(editor, QLineEdit)  # noqa: S101  made by form.text
        return editor


def _int(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None
