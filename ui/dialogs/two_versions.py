"""Two versions of one consultation side by side: what differs is marked, each part is chosen, nothing is dropped unseen."""

from __future__ import annotations

import html
from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QHBoxLayout, QLabel, QRadioButton, QSizePolicy, QWidget

from clinicdesk.services import draft_merging
from clinicdesk.services.draft_merging import Choice, Part
from clinicdesk.services.drafts import ConsultationDraft
from ui.desk import Desk
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label

WORDS: dict[Choice, str] = {"mine": "Mine", "theirs": "Saved", "both": "Both"}


class TwoVersionsSheet(Sheet):
    """`result_draft()` is the draft as chosen, after the sheet was accepted.

    `mine` was typed on top of `base`; `theirs` is what the server has. `names` say in words where each comes from and of when.
    """

    def __init__(self, desk: Desk, base: ConsultationDraft, mine: ConsultationDraft, theirs: ConsultationDraft, *,
                 names: tuple[str, str], explanation: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Two versions of this consultation", "Use this version", parent=parent, key="two versions",
                         size=QSize(920, 640), scroll=True, explanation=explanation)
        self._versions = base, mine, theirs
        self._names = names
        self.parts = draft_merging.parts(base, mine, theirs)
        self.choices: dict[str, dict[Choice, QRadioButton]] = {}
        self._groups: list[QButtonGroup] = []
        for choice, words in (("mine", "All mine"), ("theirs", "All saved"), ("both", "Both together")):
            self.left.addWidget(button(words, lambda c=choice: self.choose_all(c), variant="quiet"))  # type: ignore[misc]
        for part in self.parts:
            self.body.addWidget(self._section(part))
        self.body.addStretch(1)
        self.cancel_button.setText("Decide later")
        self.cancel_button.setToolTip("Nothing is lost: you are asked again  (Esc)")
        self._judge()

    def _section(self, part: Part) -> QWidget:
        section = Section(part.title, card="surface")
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(4)
        marked = _marked(self.desk, part.theirs, part.mine)
        for column, (name, words) in enumerate(zip(self._names, marked, strict=True)):
            grid.addWidget(label(name, "label"), 0, column)
            text = QLabel(words)
            text.setTextFormat(Qt.TextFormat.RichText)
            text.setWordWrap(True)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            text.setAlignment(Qt.AlignmentFlag.AlignTop)
            text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            text.setAccessibleName(f"{part.title}, {name}: {(part.mine, part.theirs)[column] or 'empty'}")
            grid.addWidget(text, 1, column)
            grid.setColumnStretch(column, 1)
        section.body.addLayout(grid)
        line = QHBoxLayout()
        group = QButtonGroup(section)
        self._groups.append(group)
        offered: list[Choice] = ["mine", "theirs", *(["both"] if part.can_join else [])]  # type: ignore[list-item]
        self.choices[part.name] = {}
        for choice in offered:
            one = QRadioButton(WORDS[choice])
            one.setAccessibleName(f"{part.title}: {WORDS[choice]}")
            one.setChecked(choice == part.suggested)
            one.toggled.connect(self._judge)
            group.addButton(one)
            line.addWidget(one)
            self.choices[part.name][choice] = one
        line.addStretch(1)
        section.body.addLayout(line)
        if part.can_join:
            result = label(f"Will read: {draft_merging.joined(self._versions, part)}", "soft", wrap=True, selectable=True)
            both = self.choices[part.name]["both"]
            result.setVisible(both.isChecked())
            both.toggled.connect(result.setVisible)
            section.body.addWidget(result)
        return section

    def choose_all(self, choice: Choice) -> None:
        """The same for every part; where both cannot stand together nothing is chosen, and somebody has to."""
        for by_choice in self.choices.values():
            if choice in by_choice:
                by_choice[choice].setChecked(True)

    def chosen(self) -> dict[str, Choice]:
        """What is chosen so far, by the name of the part."""
        return {name: choice for name, by_choice in self.choices.items() for choice, one in by_choice.items() if one.isChecked()}

    def _judge(self) -> None:
        missing = [part.title for part in self.parts if part.name not in self.chosen()]
        self.verb_button.setEnabled(not missing)
        self.verb_button.setToolTip(f"Choose first: {', '.join(missing)}" if missing else "Use this version  (Ctrl+Enter)")

    def result_draft(self) -> ConsultationDraft:
        """The draft as chosen."""
        return draft_merging.combined(*self._versions, self.chosen())


def _marked(desk: Desk, theirs: str, mine: str) -> Sequence[str]:
    """Both texts as rich text: what only this one has is underlined on a ground of its own (never by colour alone)."""
    found = draft_merging.differences(theirs, mine)
    ink, ground = desk.theme.ink("confirmed"), desk.theme.tint("confirmed")
    mark = f'<span style="background-color:{ground.name()}; color:{ink.name()}; text-decoration:underline">'

    def side(own: Choice) -> str:
        pieces = []
        for whose, text in found:
            if whose in {"both", own}:
                words = html.escape(text).replace("\n", "<br>")
                pieces.append(f"{mark}{words}</span>" if whose == own else words)
        return "".join(pieces) or "<i>empty</i>"

    return side("mine"), side("theirs")
