"""Register a patient, or change one: every rule at its field, who it might be already shown while typing."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.formats import PATIENT_LIMITS, SEXES
from clinicdesk.rules.moments import long_date, parse_birth_date
from clinicdesk.services import duplicates, patients
from clinicdesk.services.duplicates import Candidate
from clinicdesk.services.people import PatientCard, PatientForm
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.likeness import LikelyPeople
from ui.widgets.sheet import Sheet
from ui.widgets.tag_completer import TagCompleter

SAID = ("medical_history", "allergies", "medication")


class PatientSheet(Sheet):
    """Signals: `saved(patient id)`; `known_requested(patient id)` when the person typed turns out to be registered already."""

    saved = Signal(str)
    known_requested = Signal(str)

    def __init__(self, desk: Desk, patient: PatientCard | None = None, *, name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(
            desk,
            "Register a patient" if patient is None else "Change this patient",
            "Register" if patient is None else "Save",
            parent=parent,
            key="patient",
            size=QSize(760, 680),
            scroll=True,
        )
        self._patient = patient
        form = self.set_form(Form(columns=2))
        first, last = _split_name(name)
        form.text("first_name", "First name", limit=PATIENT_LIMITS["first_name"])
        form.text("last_name", "Last name", limit=PATIENT_LIMITS["last_name"])
        form.text("born", "Date of birth", placeholder="03-May-1980", hint="Any common way of writing it")
        form.choice("sex", "Sex", list(SEXES.items()), blank="Choose")
        form.text("phone", "Phone", placeholder="+44 7700 900123", hint="9 to 15 digits")
        form.text("title", "Title", optional=True, limit=PATIENT_LIMITS["title"])
        form.text("email", "E-mail", optional=True)
        form.text("ssn", "Social security number", optional=True, placeholder="123-45-6789", hint="Kept sealed")
        form.text("address", "Address", limit=PATIENT_LIMITS["address"], optional=True, span=2)
        form.text("tags", "Tags", optional=True, hint="Separated by commas; tags in use are offered while you type", span=2)
        form.heading("Emergency contact")
        form.text("emergency_name", "Name", optional=True)
        form.text("emergency_phone", "Phone", optional=True)
        form.text("emergency_relation", "Relation", optional=True)
        form.heading("Notes for the desk")
        form.paragraph("added_note", "Note", limit=PATIENT_LIMITS["added_note"], optional=True)
        form.paragraph("about_note", "About", limit=PATIENT_LIMITS["about_note"], optional=True, lines=2)
        if patient is None:
            form.heading("What the patient says")
            for field, words in (("medical_history", "Medical history"), ("allergies", "Allergies"), ("medication", "Medicines")):
                form.paragraph(field, words, optional=True, lines=2, hint="For the doctor: sealed when saved, you cannot read it again")
            form.set_values({"first_name": first, "last_name": last})
        else:
            typed = patients.form_of(patient)
            form.set_values({f: getattr(typed, f) for f in form.values() if f != "tags"} | {"tags": ", ".join(typed.tags)})
        self.likely = LikelyPeople(desk.zone, can_open=patient is None)
        self.likely.open_requested.connect(self._open_known)
        self.likely.different.connect(self._somebody_else)
        self.put_below(self.likely)
        self._not_same: list[str] = []
        self._tags = TagCompleter(form.editor("tags"))  # type: ignore[arg-type]
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(200)
        self._look.timeout.connect(self._look_for_likely)
        form.changed.connect(self._typed)
        QTimer.singleShot(0, self, lambda: form.editor("last_name" if first and not last else "first_name").setFocus())
        desk.ask(self, patients.tags_in_use, done=self._tags.offer, failed=lambda _e: None)

    def values(self) -> PatientForm:
        """The form as typed."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        tags = tuple(tag.strip() for tag in v.pop("tags").split(",") if tag.strip())
        for field in SAID:
            v[field] = v.get(field) or None
        return PatientForm(**v, tags=tags)

    def submit(self) -> None:
        """Save; a refusal marks its field."""
        form = self.values()
        if self._patient is None:
            self.desk.do(self, patients.register, form, self._not_same, done=self._done, failed=self.show_problem)
        else:
            known = self._patient
            self.desk.do(self, patients.edit, known.id, form, known.version, self._not_same, done=lambda _v: self._done(known.id),
                         failed=self.show_problem)

    def _done(self, patient_id: str) -> None:
        self.saved.emit(patient_id)
        self.accept()

    def _typed(self) -> None:
        self._look.start()
        assert self.form is not None  # noqa: S101  built in __init__
        text = self.form.value("born").strip()
        try:
            words = long_date(parse_birth_date(text, self.desk.now().date())) if text else "Any common way of writing it"
        except Invalid:
            words = "Any common way of writing it"
        self.form.set_hint("born", words)

    def _look_for_likely(self) -> None:
        typed = self.values()
        if len(typed.first_name.strip()) < 2 or len(typed.last_name.strip()) < 2:
            self.likely.show_candidates([])
            return
        but = self._patient.id if self._patient else ""
        self.desk.ask(self, duplicates.candidates, typed, but, done=self._show_likely, failed=lambda _e: None, replaces="likely")

    def _show_likely(self, found: list[Candidate]) -> None:
        """Who was answered about is not asked about again; a record only changed shows whom it now resembles, not whom it always did."""
        self.likely.show_candidates([c for c in found if c.row.id not in self._not_same])

    def _somebody_else(self, patient_id: str) -> None:
        self._not_same.append(patient_id)
        self.likely.show_candidates([c for c in self.likely.candidates if c.row.id != patient_id])
        self._look.start()

    def _open_known(self, patient_id: str) -> None:
        self._forced = True
        self.known_requested.emit(patient_id)
        self.reject()


def _split_name(text: str) -> tuple[str, str]:
    """What was typed into the find box as first and last name: `Kim, Dora` and `Dora Kim` are the same."""
    if "," in text:
        last, _, first = text.partition(",")
        return first.strip(), last.strip()
    first, _, last = text.strip().partition(" ")
    return (first, last.strip()) if not any(c.isdigit() for c in text) else ("", "")
