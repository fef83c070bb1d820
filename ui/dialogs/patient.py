"""Register a patient, or change one: every rule at its field, namesakes shown while typing."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.formats import PATIENT_LIMITS, SEXES
from clinicdesk.rules.moments import long_date, parse_birth_date
from clinicdesk.services import patients
from clinicdesk.services.people import PatientCard, PatientForm, PatientRow
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.patient_hit import patient_line
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label

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
        form.text("tags", "Tags", optional=True, hint="Separated by commas", span=2)
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
        self.known = label("", "warning", wrap=True)
        self.known_button = button("Open that record instead", self._open_known, variant="quiet")
        self._known: PatientRow | None = None
        for place, widget in enumerate((self.known, self.known_button)):
            widget.hide()
            self.body.insertWidget(place, widget)
        self.body.setAlignment(self.known_button, Qt.AlignmentFlag.AlignLeft)
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.setInterval(200)
        self._look.timeout.connect(self._look_for_namesakes)
        form.changed.connect(self._typed)
        QTimer.singleShot(0, self, lambda: form.editor("last_name" if first and not last else "first_name").setFocus())

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
            self.desk.do(self, patients.register, form, done=self._done, failed=self.show_problem)
        else:
            known = self._patient
            self.desk.do(self, patients.edit, known.id, form, known.version, done=lambda _v: self._done(known.id), failed=self.show_problem)

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

    def _look_for_namesakes(self) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        first, last = self.form.value("first_name"), self.form.value("last_name")
        if len(first.strip()) < 2 or len(last.strip()) < 2:
            self._show_namesakes([])
            return
        self.desk.ask(
            self,
            patients.namesakes,
            first,
            last,
            self._patient.id if self._patient else "",
            done=self._show_namesakes,
            failed=lambda _e: None,
            replaces="namesakes",
        )

    def _show_namesakes(self, rows: list[PatientRow]) -> None:
        self._known = rows[0] if rows else None
        self.known.setText("Already registered with this name: " + "; ".join(patient_line(row) for row in rows[:3]) + "." if rows else "")
        self.known.setVisible(bool(rows))
        self.known_button.setVisible(len(rows) > 0 and self._patient is None)

    def _open_known(self) -> None:
        if self._known is not None:
            self._forced = True
            self.known_requested.emit(self._known.id)
            self.reject()


def _split_name(text: str) -> tuple[str, str]:
    """What was typed into the find box as first and last name: `Kim, Dora` and `Dora Kim` are the same."""
    if "," in text:
        last, _, first = text.partition(",")
        return first.strip(), last.strip()
    first, _, last = text.strip().partition(" ")
    return (first, last.strip()) if not any(c.isdigit() for c in text) else ("", "")
