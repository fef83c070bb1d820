"""The prescription of a visit: a field to type a line, the lines in full words with what the checks found under each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid, ReasonNeeded
from clinicdesk.rules.alert_reasons import GivenReason, lacks, reason_of
from clinicdesk.rules.formulary import Formulary
from clinicdesk.rules.safety import Alert
from clinicdesk.rules.tall_man import tall_man
from clinicdesk.rules.weight_doses import CHILD_BELOW, Weight
from clinicdesk.services import medication, safety
from clinicdesk.services.drafts import ConsultationDraft, ItemDraft
from clinicdesk.services.prescribing import preview
from clinicdesk.services.safety import Checkup
from ui.consultation.alert_box import AlertBox
from ui.consultation.checking import SafetyCheck, TypedCheck
from ui.consultation.quick_line import QuickLine
from ui.consultation.repeating import RepeatButton
from ui.desk import Desk
from ui.dialogs.by_weight import Child
from ui.dialogs.medicine import MedicineSheet
from ui.dialogs.wrong_allergy import WrongAllergySheet
from ui.live import RefreshWhenShown
from ui.widgets.arranging import emptied, focus_kept
from ui.widgets.text import button, icon_button, label


class PrescriptionList(QWidget):
    """Signal `changed()` after each edit, a reason against an alert among them. `draft` gives the consultation as it stands."""

    changed = Signal()

    def __init__(self, desk: Desk, formulary: Formulary, patient_id: str = "", draft: Callable[[], ConsultationDraft] | None = None,
                 born: date | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._formulary, self._patient_id = desk, formulary, patient_id
        self._born = born
        self._weight: Weight | None = None
        self._draft = draft or (lambda: ConsultationDraft(items=self.items()))
        self._items: list[ItemDraft] = []
        self._reasons: list[GivenReason] = []
        self._found: Checkup | None = None
        self.sheet: MedicineSheet | None = None
        self.boxes: list[AlertBox] = []
        self._lines = QVBoxLayout()
        self._lines.setSpacing(8)
        self.quick = QuickLine(formulary)
        self.quick.taken.connect(self._add)
        self.quick.unfinished.connect(self._finish)
        self.typed = TypedCheck(desk, patient_id, self._draft)
        self.quick.read.connect(self.typed.show_line)
        self.check = SafetyCheck(desk, patient_id, self._draft)
        self.check.checked.connect(self._checked)
        self.check.checked.connect(lambda _found: self.typed.again())
        self.empty = label("No medicine prescribed.", "faint")
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.add_button = button("Prescribe", self.add, icon="prescription", theme=desk.theme, tip="Open the form for a medicine")
        self.repeat = RepeatButton(desk, patient_id)
        self.repeat.wanted.connect(self.take)
        foot = QHBoxLayout()
        foot.addWidget(self.add_button)
        foot.addWidget(self.repeat)
        foot.addWidget(self.empty)
        foot.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(self.quick)
        outer.addWidget(self.typed)
        outer.addWidget(self.check)  # above the lines: what could not be checked is never below the fold
        outer.addLayout(self._lines)
        outer.addWidget(self.problem)
        outer.addLayout(foot)
        self._live = RefreshWhenShown(self, desk.live, ("favourites", f"chart {patient_id}"), self._read)

    def _read(self) -> None:
        self._read_favourites()
        self._read_weight()

    def _read_favourites(self) -> None:
        self.desk.ask(self, medication.favourites, done=self.quick.set_favourites, failed=lambda _e: None, replaces="favourites")

    # -- what stands there ---------------------------------------------------------------------------------------------

    def items(self) -> tuple[ItemDraft, ...]:
        """The lines."""
        return tuple(self._items)

    def reasons(self) -> tuple[GivenReason, ...]:
        """The reasons given against alerts; those for alerts that are gone do no harm."""
        return tuple(self._reasons)

    def fill(self, items: tuple[ItemDraft, ...], reasons: tuple[GivenReason, ...] = ()) -> None:
        """Show these lines."""
        self._items, self._reasons = list(items), list(reasons)
        self._found = None
        self._draw()
        self.check.run()

    def focus_line(self) -> None:
        """Where a line is typed (F7)."""
        self.quick.field.setFocus()
        self.quick.field.selectAll()

    # -- changing it ---------------------------------------------------------------------------------------------------

    def add(self) -> None:
        """Open the sheet for a new line."""
        self._open(None)

    def change(self, number: int) -> None:
        """Open the sheet for an existing line."""
        self._open(number)

    def take(self, items: Sequence[ItemDraft]) -> None:
        """Add lines that were prescribed before, each once; they are checked like any other."""
        known = {item.renews for item in self._items if item.renews}
        new = [item for item in items if not (item.renews and item.renews in known)]
        self._items += new
        self._edited()
        if not new:
            self.desk.tell("Nothing to renew: all of it stands in the prescription already." if items else "No long-term medicines.")

    def take_typed(self, line: str) -> None:
        """A line from the command bar: as if it had been typed here and Enter pressed."""
        self.focus_line()
        self.quick.put(line)
        self.quick.submit()

    def _add(self, item: ItemDraft) -> None:
        self._items.append(item)
        self._edited()

    def _finish(self, item: ItemDraft) -> None:
        """A typed line that is not complete yet: the sheet with what was understood."""
        self._open(None, item)

    def _open(self, number: int | None, start: ItemDraft | None = None) -> None:
        check = TypedCheck(self.desk, self._patient_id, partial(self._without, number))
        sheet = MedicineSheet(self.desk, self._formulary, start if number is None else self._items[number], parent=self.window(),
                              new=number is None, child=self._child(), check=check)
        sheet.accepted.connect(partial(self._take, sheet, number))
        self.destroyed.connect(check.stop)  # a visit that is completed elsewhere takes its form along
        self.destroyed.connect(sheet.deleteLater)
        self.sheet = sheet
        sheet.open()

    def _without(self, number: int | None) -> ConsultationDraft:
        draft = self._draft()
        return draft if number is None else replace(draft, items=(*draft.items[:number], *draft.items[number + 1:]))

    def _child(self) -> Child | None:
        """Whom a dose by weight is for; None for adults. A weight typed in this consultation is today's."""
        today = self.desk.now().date()
        if self._born is None or (today - self._born).days >= CHILD_BELOW * 365.25:
            return None
        typed = safety.typed_weight(self._draft())
        return Child(self._born, today, Weight(typed, today) if typed is not None else self._weight)

    def _read_weight(self) -> None:
        def read(weight: Weight | None) -> None:
            self._weight = weight

        if self._patient_id:
            self.desk.ask(self, safety.last_weight, self._patient_id, done=read, failed=lambda _e: read(None), replaces="weight")

    def _take(self, sheet: MedicineSheet, number: int | None) -> None:
        if number is None:
            self._items.append(sheet.item())
            self.quick.done()
        else:
            self._items[number] = sheet.item()
        self._edited()

    def remove(self, number: int) -> None:
        """Take a line away; it can be put back."""
        item = self._items.pop(number)
        self._edited()
        self.desk.tell(f"{item.medicine or 'The line'} was taken off the prescription.", partial(self._put_back, number, item))

    def _put_back(self, number: int, item: ItemDraft) -> None:
        self._items.insert(min(number, len(self._items)), item)
        self._edited()

    def _star(self, number: int) -> None:
        item = self._items[number]
        title = " ".join(part for part in (item.medicine, item.strength, item.form, "—", preview(item).directions) if part)[:400]
        self.desk.do(self, medication.add_favourite, title, item, done=lambda _id: self._starred(item))

    def _starred(self, item: ItemDraft) -> None:
        self._read_favourites()  # at once: the field that holds refreshes back may have the focus
        self.desk.tell(f"{item.medicine} is a favourite now.")

    def show_problem(self, error: Invalid) -> bool:
        """Say under the list what a refused line lacks; False when the refusal is about something else."""
        if not error.field.startswith("items"):
            return False
        self.problem.setText(error.sentence)
        self.problem.show()
        if isinstance(error, ReasonNeeded):
            self.check.run()  # the window may be older than what the server knows
        waiting = [box for box in self.boxes if lacks(box.alert, reason_of(box.alert, self._reasons))]
        (waiting[0] if waiting and isinstance(error, ReasonNeeded) else self.add_button).setFocus()
        return True

    def _edited(self) -> None:
        self.problem.hide()
        self._found = None
        self._draw()
        self.changed.emit()
        self.check.run()

    # -- alerts --------------------------------------------------------------------------------------------------------

    def _checked(self, found: Checkup | None) -> None:
        self._found = found
        with focus_kept(self):
            self._draw()

    def _given(self, reason: GivenReason) -> None:
        self._reasons = [r for r in self._reasons if r.about != reason.about] + [reason]
        self._reasons_changed()

    def _taken_back(self, about: str) -> None:
        self._reasons = [r for r in self._reasons if r.about != about]
        self._reasons_changed()

    def _reasons_changed(self) -> None:
        self.problem.hide()
        with focus_kept(self):
            self._draw()
        self.changed.emit()

    def _correct_allergy(self) -> None:
        WrongAllergySheet(self.desk, self._patient_id, parent=self.window()).open()

    # -- drawing -------------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        half_done = {box.about: (box.chosen, box.typed.text()) for box in self.boxes if box.chosen or box.typed.text()}
        emptied(self._lines)
        self.boxes = []
        for number, item in enumerate(self._items):
            self._lines.addWidget(self._line(number, item))
            for one in self._found.found if self._found else ():
                if one.line == number:
                    self._lines.addWidget(self._box(number, one.alert, half_done))
        self.empty.setVisible(not self._items)

    def _box(self, number: int, alert: Alert, half_done: dict[str, tuple[str, str]]) -> AlertBox:
        box = AlertBox(self.desk.theme, alert, reason_of(alert, self._reasons))
        box.given.connect(self._given)
        box.taken_back.connect(self._taken_back)
        box.cancelled.connect(partial(self.remove, number))
        box.allergy_wrong.connect(self._correct_allergy)
        if box.about in half_done and box.reasons:
            code, words = half_done[box.about]
            if code in box.reasons:
                box.reasons[code].setChecked(True)
            box.typed.setText(words)
        self.boxes.append(box)
        return box

    def _line(self, number: int, item: ItemDraft) -> QWidget:
        frame = QFrame()
        frame.setProperty("card", "sunken")
        inner = QHBoxLayout(frame)
        inner.setContentsMargins(12, 8, 8, 8)
        words = QVBoxLayout()
        words.setSpacing(2)
        name = label(
            " — ".join(part for part in (tall_man(item.medicine), item.strength, item.form) if part), "heading", wrap=True, selectable=True
        )
        words.addWidget(name)
        try:
            line = preview(item)
            words.addWidget(
                label(
                    " ".join(p for p in (line.directions, f"Quantity: {line.quantity_text}." if line.quantity_text else "") if p),
                    "body",
                    wrap=True,
                    selectable=True,
                )
            )
        except Invalid as refusal:
            words.addWidget(label(refusal.sentence, "error", wrap=True))
        more = "  ·  ".join(p for p in (f"For {item.indication}" if item.indication else "", item.instructions, item.dose_basis,
                                        "Long-term" if item.long_term else "", "Renewal" if item.renews else "") if p)
        if more:
            words.addWidget(label(more, "soft", wrap=True))
        if item.free_text:
            words.addWidget(label("Free text: not checked.", "warning"))
        inner.addLayout(words, 1)
        tools = [("favourite", "Make a favourite of", self._star), ("edit", "Change", self.change), ("remove", "Remove", self.remove)]
        for icon, what, run in tools:
            tool = icon_button(self.desk.theme, icon, f"{what} {item.medicine}", partial(run, number))
            tool.setObjectName(f"{icon} {number}")
            inner.addWidget(tool, 0, Qt.AlignmentFlag.AlignTop)
        frame.setAccessibleName(f"{number + 1}: {name.text()}")
        return frame
