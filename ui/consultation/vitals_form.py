"""Typing vital signs: limits at the field, soft limits confirmed with one key, Fahrenheit offered, BMI and NEWS2 with their inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.news2 import CONSCIOUSNESS
from clinicdesk.rules.vitals import VITALS, Reading, bp_range, check_pressure, limits_text, number_text, parse_vital
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.services.measuring import Earlier, VitalsSet, checked, earlier_of, readings
from ui.live import HOLDS_REFRESH
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.spark import Spark
from ui.widgets.text import button, label, restyle, row

COLUMNS = 3
#: Head circumference is asked up to this age in years: the published charts end at 5.
HEAD_YEARS = 5
#: So many earlier values make a trend.
TREND = 12
#: Fields in reading order; blood pressure is one pair.
FIELDS = ("systolic", "diastolic", "pulse", "temperature", "respiration", "spo2", "oxygen_flow", "height", "weight",
          "head_circumference", "pain", "glucose", "gcs")
SHORT = {"systolic": "Systolic", "diastolic": "Diastolic", "spo2": "Oxygen saturation", "glucose": "Glucose", "gcs": "Coma scale"}


@dataclass(slots=True)
class _Cell:
    """One vital: its field and the line below it."""

    editor: QLineEdit
    before: QLabel
    words: QLabel
    action: QWidget
    press: Callable[[], None] = lambda: None


class VitalsForm(QWidget):
    """Signal `changed()` after each edit. `age_years` decides which limits and scores hold."""

    changed = Signal()

    def __init__(self, theme: Theme, age_years: int | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self.age_years = theme, age_years
        self._before = Earlier()
        self._sparks: dict[str, Spark] = {}
        self._confirmed: set[str] = set()
        self._cells: dict[str, _Cell] = {}
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(8)
        self.oxygen = self._choice("Breathing", ((None, "Not stated"), (False, "Room air"), (True, "Oxygen")))
        self.scale = self._choice("Saturation scale", ((1, "Scale 1"), (2, "Scale 2: target 88 to 92 %")))
        self.consciousness = self._choice("Consciousness", (("", "Not stated"), *((code, words) for code, words in CONSCIOUSNESS.items())))
        for name in FIELDS:
            self._field(name)
        places: tuple[str | QComboBox, ...] = (
            *("systolic", "diastolic", "pulse", "temperature", "respiration", self.consciousness, "spo2", self.oxygen, "oxygen_flow"),
            *("height", "weight", "head_circumference", "glucose", "pain", "gcs", self.scale),
        )
        if age_years is not None and age_years > HEAD_YEARS:  # measured in children alone
            places = tuple(place for place in places if place != "head_circumference")
        for number, place in enumerate(places):
            caption, widget = self._captioned(place)
            line, column = divmod(number, COLUMNS)
            box = QVBoxLayout()
            box.setSpacing(3)
            if isinstance(place, str):
                self._sparks[place] = spark = Spark(theme)
                spark.hide()
                box.addLayout(row(caption, None, spark))
            else:
                box.addWidget(caption)
            box.addWidget(widget)
            if isinstance(place, str):
                box.addWidget(self._cells[place].before)
                box.addWidget(self._cells[place].words)
                box.addWidget(self._cells[place].action, 0, Qt.AlignmentFlag.AlignLeft)
            box.addStretch(1)
            self._grid.addLayout(box, line, column)
        for column in range(COLUMNS):
            self._grid.setColumnStretch(column, 1)
        unasked = QWidget(self)  # a field without a place must not become a window of its own when something is known of it
        unasked.hide()
        for cell in (self._cells[name] for name in FIELDS if name not in self._sparks):
            for part in (cell.editor, cell.before, cell.words, cell.action):
                part.setParent(unasked)
        self.scores = label("", "soft", wrap=True)
        self.scores.setAccessibleName("Body mass index, blood pressure range and NEWS2")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addLayout(self._grid)
        outer.addWidget(self.scores)

    def _choice(self, name: str, options: tuple[tuple[object, str], ...]) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(name)
        box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        box.setMinimumContentsLength(10)
        box.setProperty(HOLDS_REFRESH, True)  # noqa: FBT003  Qt's signature
        for value, words in options:
            box.addItem(words, value)
        box.currentIndexChanged.connect(self._edited)
        return box

    def _captioned(self, place: str | QComboBox) -> tuple[QLabel, QWidget]:
        if isinstance(place, QComboBox):
            caption = label(place.accessibleName(), "label")
            caption.setBuddy(place)
            return caption, place
        vital = VITALS[place]
        caption = label(f"{SHORT.get(place, vital.label)}, {vital.unit}", "label")
        caption.setBuddy(self._cells[place].editor)
        return caption, self._cells[place].editor

    def _field(self, name: str) -> None:
        vital = VITALS[name]
        editor = QLineEdit()
        editor.setAccessibleName(f"{vital.label} in {vital.unit}")
        editor.setAlignment(Qt.AlignmentFlag.AlignRight)
        editor.setMinimumWidth(72)
        editor.setProperty(HOLDS_REFRESH, True)  # noqa: FBT003  Qt's signature
        editor.setToolTip(f"{limits_text(vital)}  (Alt+G)" if name == FIELDS[0] else limits_text(vital))
        editor.textEdited.connect(lambda _text, n=name: self._typed(n))
        words = label("", "hint", wrap=True)
        words.hide()
        action = button("", partial(self._press, name), variant="link")
        action.hide()
        before = label("", "faint")
        before.hide()
        self._cells[name] = _Cell(editor, before, words, action)

    def _press(self, name: str) -> None:
        self._cells[name].press()

    def editor(self, name: str) -> QLineEdit:
        """The field of a vital."""
        return self._cells[name].editor

    def know(self, sets: Sequence[VitalsSet], zone: tzinfo) -> None:
        """What was measured earlier, newest first: the last value and its trend at each field, and what a new one is compared with."""
        self._before = earlier_of(sets)
        for name, cell in self._cells.items():
            known = [(one.values[name], one.taken_at) for one in sets if name in one.values][:TREND]
            cell.before.setVisible(bool(known))
            if not known:
                continue
            decimals, unit = VITALS[name].decimals, VITALS[name].unit
            value, at = known[0]
            cell.before.setText(f"{number_text(value, decimals)} on {clinical_date(at, zone)}")
            words = ", ".join(f"{number_text(v, decimals)} on {clinical_date(d, zone)}" for v, d in reversed(known))
            if name in self._sparks:
                self._sparks[name].show_values([float(v) for v, _ in reversed(known)], f"{VITALS[name].label}, {unit}: {words}")
        self._judge()

    def fill(self, draft: ConsultationDraft) -> None:
        """Show what a draft holds."""
        self._confirmed = set(draft.confirmed)
        for name, cell in self._cells.items():
            if cell.editor.text() != draft.vitals.get(name, ""):
                cell.editor.setText(draft.vitals.get(name, ""))
        for box, value in ((self.oxygen, draft.oxygen), (self.scale, draft.spo2_scale), (self.consciousness, draft.consciousness)):
            blocked = box.blockSignals(True)  # noqa: FBT003  Qt's signature
            box.setCurrentIndex(max(0, box.findData(value)))
            box.blockSignals(blocked)
        self._judge()

    def into(self, draft: ConsultationDraft) -> ConsultationDraft:
        """A draft with what stands here."""
        typed = {name: cell.editor.text() for name, cell in self._cells.items() if cell.editor.text().strip()}
        return replace(
            draft,
            vitals=typed,
            oxygen=self.oxygen.currentData(),
            spo2_scale=self.scale.currentData() or 1,
            consciousness=self.consciousness.currentData() or "",
            confirmed=tuple(sorted(self._confirmed)),
        )

    def show_problem(self, error: Invalid) -> bool:
        """Put a refusal of the service at its field; False when it is none of these."""
        if error.field in self._cells:
            self._judge()
            for name in ("systolic", "diastolic") if error.field == "systolic" else (error.field,):
                cell = self._cells[name]
                if cell.words.text() == error.sentence and not cell.action.isHidden():  # asks for a confirmation: leave its button there
                    cell.editor.setFocus()
                    announce(cell.editor, error.sentence, assertive=True)
                    return True
            self._say(error.field, Reading("hard", error.sentence))
            self._cells[error.field].editor.setFocus()
            announce(self._cells[error.field].editor, error.sentence, assertive=True)
            return True
        box = {"oxygen": self.oxygen, "consciousness": self.consciousness}.get(error.field)
        if box is None:
            return False
        restyle(box, "invalid", "true")
        box.setToolTip(error.sentence)
        box.setFocus()
        return True

    def _typed(self, name: str) -> None:
        self._confirmed.discard(name)
        if name in {"systolic", "diastolic"}:
            self._confirmed.discard("pressure")
        self._edited()

    def _edited(self) -> None:
        for box in (self.oxygen, self.consciousness):
            restyle(box, "invalid", "false")
            box.setToolTip("")
        self._judge()
        self.changed.emit()

    def _judge(self) -> None:
        found = readings(self.into(ConsultationDraft()), self.age_years, self._before, datetime.now(UTC))
        for name in self._cells:
            self._say(name, found.get(name, Reading("ok")))
        self._judge_pressure(found)
        self.scores.setText(self._score_words())

    def _judge_pressure(self, found: dict[str, Reading]) -> None:
        """Systolic against diastolic, once both are numbers that stand by themselves or were confirmed."""
        try:
            high, low = (parse_vital(n, self._cells[n].editor.text()) for n in ("systolic", "diastolic"))
        except Invalid:
            return
        both = check_pressure(high, low)
        levels = {n: found.get(n, Reading("ok")).level for n in ("systolic", "diastolic")}
        if both.level != "ok" and all(level == "ok" or (level == "soft" and n in self._confirmed) for n, level in levels.items()):
            self._say("diastolic", both, confirms="pressure")

    def _say(self, name: str, reading: Reading, confirms: str = "") -> None:
        cell, key = self._cells[name], confirms or name
        confirmed = reading.level == "soft" and key in self._confirmed
        restyle(cell.editor, "invalid", "true" if reading.level == "hard" else "false")
        cell.words.setText("Confirmed." if confirmed else reading.sentence)
        restyle(cell.words, "role", "error" if reading.level == "hard" else "hint" if confirmed else "warning")
        cell.words.setVisible(reading.level != "ok")
        offer = reading.offer
        asks = (reading.level == "soft" and not confirmed) or offer is not None
        cell.action.setVisible(asks)
        if offer is not None:
            shown = number_text(offer, VITALS[name].decimals)
            cell.action.setText(f"Use {shown} {VITALS[name].unit}")  # type: ignore[attr-defined]
            cell.press = lambda: self._replace(name, shown)
        elif asks:
            cell.action.setText("Confirm")  # type: ignore[attr-defined]
            cell.press = lambda: self._confirm(key)

    def _replace(self, name: str, text: str) -> None:
        self._cells[name].editor.setText(text)
        self._typed(name)
        self._cells[name].editor.setFocus()

    def _confirm(self, key: str) -> None:
        self._confirmed.add(key)
        self._edited()

    def _bmi_words(self, measured: VitalsSet | None) -> list[str]:
        if measured is None or measured.bmi is None:
            return []
        kind, v = measured.bmi_class(self.age_years), measured.values
        inputs = f"from {number_text(v['weight'], 2)} kg and {number_text(v['height'], 1)} cm"
        return [f"Body mass index {measured.bmi:.1f} kg/m²{f', {kind}' if kind else ''}  ({inputs})."]

    def _score_words(self) -> str:
        draft = self.into(ConsultationDraft())
        try:
            measured = checked(draft, datetime.now(UTC), self.age_years, self._before)
        except Invalid as refusal:  # something else is missing or refused: body mass index needs only its own two
            size = {n: t for n, t in draft.vitals.items() if n in {"height", "weight"}}
            body = replace(draft, vitals=size, oxygen=None, consciousness="")
            try:
                words = self._bmi_words(checked(body, datetime.now(UTC), self.age_years))
            except Invalid:
                words = []
            said = refusal.field in self._cells and not self._cells[refusal.field].words.isHidden()
            rest = "NEWS2 appears here once its inputs are complete." if said else refusal.sentence
            return "\n".join([*words, rest])
        if measured is None:
            return "Body mass index and NEWS2 appear here once their inputs are complete."
        v, words = measured.values, self._bmi_words(measured)
        if "systolic" in v and (self.age_years or 0) >= 18:
            words.append(f"Blood pressure: {bp_range(v['systolic'], v['diastolic'])}.")
        score = measured.news2(self.age_years)
        if score.total is not None:
            parts = ", ".join(f"{'saturation' if name == 'spo2' else name} {points}" for name, points in score.parts.items())
            words.append(f"NEWS2 {score.total}: {score.response}  (points: {parts}).")
        elif score.missing:
            words.append(f"NEWS2 incomplete: still needs {', '.join(score.missing)}.")
        else:
            words.append(score.response)
        return "\n".join(words)
