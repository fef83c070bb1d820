"""Merge two records, with everything that will be shown together and the fields that differ side by side; separate them again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QGridLayout, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.services import merging
from clinicdesk.services.merging import ITS_OWN, MovingRows, Preview, Separation
from clinicdesk.services.people import PatientCard
from ui.desk import Desk
from ui.live import HOLDS_REFRESH
from ui.widgets.arranging import emptied
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label, row


def name_of(card: PatientCard) -> str:
    """`Meyer, Anna (p_k3m9x2)`."""
    return f"{card.last_name}, {card.first_name} ({card.id})"


class MergeSheet(Sheet):
    """Preview and choices; the verb asks once more. Signal `merged(kept id)`."""

    merged = Signal(str)

    def __init__(self, desk: Desk, kept_id: str, lost_id: str, parent: QWidget | None = None) -> None:
        super().__init__(
            desk, "Merge two records", "Merge …", parent=parent, key="merge", size=QSize(860, 660), scroll=True,
            explanation="Nothing is deleted and no row moves: the other record becomes another name of the one kept. You can separate"
            " them again at any time.",
        )
        self._ids = kept_id, lost_id
        self.preview: Preview | None = None
        self.merge_id: UUID | None = None
        self.choices: dict[str, QRadioButton] = {}  # field → the button that takes the other record's value
        self._groups: list[QButtonGroup] = []
        self.reason = QLineEdit()
        self.reason.setAccessibleName("Reason")
        self.reason.setPlaceholderText("Reason (optional), for the history")
        self.reason.setMaxLength(300)
        self.reason.setProperty(HOLDS_REFRESH, True)  # noqa: FBT003  Qt's signature
        self.swap_button = button("Keep the other one instead", self.swap, variant="quiet", icon="refresh", theme=desk.theme)
        self.left.addWidget(self.swap_button)
        self.body.addWidget(label("Reading both records …", "soft"))
        self.set_busy(True)
        self._read()

    @property
    def dirty(self) -> bool:
        """Whether a reason was typed."""
        return bool(self.reason.text().strip())

    def swap(self) -> None:
        """Keep the other record."""
        self._ids = self._ids[1], self._ids[0]
        self._read()

    def from_lost(self) -> tuple[str, ...]:
        """The fields taken over from the other record."""
        return tuple(name for name, choice in self.choices.items() if choice.isChecked())

    def submit(self) -> None:
        """Ask once more: it feels as if it could not be taken back."""
        if self.preview is None:
            return
        self.set_busy(False)
        confirm = ConfirmMerge(self.desk, self.preview, self)
        confirm.accepted.connect(self._merge)
        self.confirm = confirm
        confirm.open()

    def _merge(self) -> None:
        assert self.preview is not None  # noqa: S101  the verb is off without one
        self.set_busy(True)
        seen = self.preview
        self.desk.do(self, merging.merge, seen.kept.id, seen.lost.id, (seen.kept.version, seen.lost.version), self.from_lost(),
                     self.reason.text(), done=self._done, failed=self.show_problem)

    def _done(self, merge_id: UUID) -> None:
        assert self.preview is not None  # noqa: S101  it was merged
        self.merge_id = merge_id
        self._forced = True
        self.merged.emit(self.preview.kept.id)
        self.accept()

    def _read(self) -> None:
        self.desk.ask(self, merging.preview, *self._ids, done=self._show, failed=self.show_problem, replaces="preview")

    def _show(self, seen: Preview) -> None:
        self.preview = seen
        self.reason.setParent(None)
        emptied(self.body)
        self.choices, self._groups = {}, []
        likeness = seen.likeness
        score = Section(f"{likeness.score} of 100 that this is one person", card="accent")
        score.body.addWidget(label(". ".join(r.text for r in likeness.reasons) + ".", "soft", wrap=True))
        self.body.addWidget(score)
        self.body.addWidget(self._fields(seen))
        self.body.addWidget(rows_section(f"Shown with {seen.kept.first_name} {seen.kept.last_name} from now on", seen.moving,
                                         "Nothing stands under the other record."))
        self.body.addWidget(self.reason)
        self.reason.show()
        self.body.addStretch(1)
        self.set_busy(False)

    def _fields(self, seen: Preview) -> QWidget:
        section = Section("Choose what stands in the record", card="surface")
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for column, (words, card) in enumerate((("Kept", seen.kept), ("Becomes another name", seen.lost)), 1):
            head = QVBoxLayout()
            head.addWidget(label(words, "label"))
            head.addWidget(label(name_of(card), "heading", wrap=True))
            registered = clinical_moment(card.created_at, self.desk.zone)
            head.addWidget(label(f"Born {clinical_date(card.born)}, registered {registered}", "faint"))
            grid.addLayout(head, 0, column)
        for line, field in enumerate(seen.fields, 1):
            grid.addWidget(label(field.caption, "label"), line, 0)
            group = QButtonGroup(self)
            for column, words in enumerate((field.kept, field.lost), 1):
                choice = QRadioButton(words or "(empty)")
                choice.setAccessibleName(f"{field.caption}: {words or 'empty'}")
                choice.setToolTip(words)
                group.addButton(choice, column)
                grid.addWidget(choice, line, column)
                choice.setChecked(column == 1 if field.kept else column == 2)
                if column == 2:
                    self.choices[field.name] = choice
            self._groups.append(group)
        if not seen.fields:
            grid.addWidget(label("Both records say the same.", "soft"), 1, 1, 1, 2)
        section.body.addLayout(grid)
        return section


def rows_section(title: str, rows: Sequence[MovingRows], nothing: str) -> Section:
    """Rows by table with counts and the first titles, in both databases."""
    section = Section(title, card="surface")
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(2, 1)
    for line, one in enumerate(rows):
        count = "?" if one.count is None else str(one.count)
        words = "; ".join(one.titles) + (" …" if one.count and one.titles and one.count > len(one.titles) else "")
        if one.where == "documents":
            words = "In the document database" + ("; it is away now, they follow when it is back" if one.count is None else "; they follow")
        elif one.rule == ITS_OWN and not words:
            words = "Kept with the old record"
        number = label(count, "body")
        number.setAlignment(Qt.AlignmentFlag.AlignRight)
        grid.addWidget(number, line, 0)
        grid.addWidget(label(one.what), line, 1)
        grid.addWidget(label(words, "faint", wrap=True), line, 2)
    section.body.addLayout(grid)
    if not rows:
        section.body.addWidget(label(nothing, "soft"))
    return section


class ConfirmMerge(Sheet):
    """One question with the verb on the button."""

    def __init__(self, desk: Desk, seen: Preview, parent: QWidget) -> None:
        super().__init__(desk, "Merge these two records?", "Merge", parent=parent, key="merge_confirm", variant="danger",
                         size=QSize(500, 240))
        self.body.addWidget(label(f"{name_of(seen.lost)} becomes another name of {name_of(seen.kept)}.", "heading", wrap=True))
        self.body.addWidget(label("The doctors of either record will read both. Every desk sees one patient at once. The records can be"
                                  " separated again from the kept record.", "soft", wrap=True))
        self.body.addStretch(1)


class SeparateSheet(Sheet):
    """What is in doubt is asked; the rest goes back by itself. Signal `separated(kept id, lost id)`."""

    separated = Signal(str, str)

    def __init__(self, desk: Desk, merge_id: UUID, parent: QWidget | None = None) -> None:
        super().__init__(
            desk, "Separate merged records", "Separate", parent=parent, key="separate", size=QSize(720, 520), scroll=True,
            explanation="Both records come back as they were before the merge. What was made since for a row of either record stays with"
            " that record.",
        )
        self._merge_id = merge_id
        self.plan: Separation | None = None
        self.back: dict[str, QRadioButton] = {}  # field → the button that puts back what stood there
        self.given: dict[int, QCheckBox] = {}
        self._groups: list[QButtonGroup] = []
        self.body.addWidget(label("Reading what happened since …", "soft"))
        self.set_busy(True)
        desk.ask(self, merging.separation, merge_id, done=self._show, failed=self.show_problem)

    def submit(self) -> None:
        """All in one transaction."""
        take_back = tuple(name for name, choice in self.back.items() if choice.isChecked())
        give = tuple(i for i, box in self.given.items() if box.isChecked())
        self.desk.do(self, merging.separate, self._merge_id, take_back=take_back, give=give, done=self._done, failed=self.show_problem)

    def _done(self, notes: list[str]) -> None:
        assert self.plan is not None  # noqa: S101  it was separated
        self.separated.emit(self.plan.merge.kept_id, self.plan.merge.lost_id)
        self.desk.tell(" ".join(["The records are separated.", *notes]))
        self.accept()

    def _show(self, plan: Separation) -> None:
        self.plan = plan
        emptied(self.body)
        merge = plan.merge
        when = clinical_moment(merge.merged_at, self.desk.zone)
        self.body.addWidget(label(f"{merge.lost_name} ({merge.lost_id}) was merged into {merge.kept_name} ({merge.kept_id}) on {when}"
                                  f"{f' by {merge.merged_by}' if merge.merged_by else ''}.", wrap=True))
        if plan.fields:
            self.body.addWidget(self._fields(plan))
        if plan.appointments:
            self.body.addWidget(self._appointments(plan))
        if plan.staying:
            self.body.addWidget(rows_section(f"Made since for {merge.kept_name}; it stays there", plan.staying, ""))
        if not plan.fields and not plan.appointments:
            self.body.addWidget(label("Nothing is in doubt.", "soft"))
        self.body.addStretch(1)
        self.set_busy(False)

    def _fields(self, plan: Separation) -> QWidget:
        section = Section("Changed after the merge", card="surface")
        for doubt in plan.fields:
            section.body.addWidget(label(doubt.caption, "label"))
            group = QButtonGroup(self)
            stay = QRadioButton(f"Leave as it is now: {doubt.now or '(empty)'}")
            back = QRadioButton(f"Put back: {doubt.before or '(empty)'}")
            stay.setChecked(True)
            for choice in (stay, back):
                choice.setAccessibleName(f"{doubt.caption}: {choice.text()}")
                group.addButton(choice)
                section.body.addWidget(choice)
            self.back[doubt.name] = back
            self._groups.append(group)
        return section

    def _appointments(self, plan: Separation) -> QWidget:
        section = Section("Booked after the merge: for whom?", card="surface")
        section.body.addWidget(label(f"Tick those that belong to {plan.merge.lost_name}; they are booked again under that record, in the"
                                     " same place.", "soft", wrap=True))
        for one in plan.appointments:
            reason = f", {one.reason}" if one.reason else ""
            box = QCheckBox(f"{clinical_moment(one.starts_at, self.desk.zone)} with {one.doctor_name}{reason}")
            self.given[one.id] = box
            section.body.addWidget(box)
        return section


def merged_section(desk: Desk, merges: Sequence[merging.MergeRow], patient_id: str, owner: QWidget) -> Section | None:
    """MERGED on a record that is another's name, the merged records on a kept one, and its history; None when there is nothing to say."""
    if not merges:
        return None
    mine = merging.active_merge(merges, patient_id)
    now = any(one.undone_at is None for one in merges)
    section = Section("MERGED" if mine else "Merged records", card="accent" if now else "surface")
    for one in merges:
        when = clinical_moment(one.merged_at, desk.zone)
        by = f" by {one.merged_by}" if one.merged_by else ""
        lost = one.lost_id == patient_id
        other_id, other = (one.kept_id, one.kept_name) if lost else (one.lost_id, one.lost_name)
        if one.undone_at is not None:
            apart_by = f" by {one.undone_by}" if one.undone_by else ""
            section.body.addWidget(label(f"Separated from {other} on {clinical_moment(one.undone_at, desk.zone)}{apart_by};"
                                         f" merged on {when}{by}.", "faint", wrap=True))
            continue
        words = f"This record is another name of {other}" if lost else f"{other} ({other_id}) is another name of this patient"
        section.body.addWidget(label(f"{words}, since {when}{by}{f': {one.reason}' if one.reason else ''}.", wrap=True))
        opened = button(f"Open {other}" if lost else "Open the old record", partial(desk.show, "patient", other_id))
        apart = button("Separate …", partial(_separate, desk, one.id, owner), variant="quiet", icon="separate", theme=desk.theme)
        section.body.addLayout(row(opened, apart, None))
    return section


def _separate(desk: Desk, merge_id: UUID, owner: QWidget) -> None:
    SeparateSheet(desk, merge_id, parent=owner.window()).open()
