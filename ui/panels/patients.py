"""Patients: find, look, change; who looks after them; their appointments."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QSplitter, QVBoxLayout, QWidget

from clinicdesk.rules.ages import age_text
from clinicdesk.rules.formats import SEXES, phone_text
from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.services import appointments, doctors, finding, merging, patients
from clinicdesk.services.merging import MergeRow, active_merge
from clinicdesk.services.people import Assignment, PatientCard, PatientRow
from clinicdesk.services.schedule import AppointmentRow
from ui.desk import Desk
from ui.dialogs.assigning import AssignSheet
from ui.dialogs.codes import kiosk_sheet
from ui.dialogs.erasing import EraseSheet
from ui.dialogs.merging import merged_section
from ui.dialogs.patient import PatientSheet
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.panels.account_section import account_of
from ui.panels.patient_bulk import SelectionActions
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.widgets.arranging import emptied, scrolled
from ui.widgets.empty import EmptyState
from ui.widgets.photo import PhotoBox
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.tag_filter import TagFilter
from ui.widgets.text import button, icon_button, label
from ui.widgets.text import row as side_by_side


class PatientsPanel(Panel):
    """A list that follows what is typed, and the chosen patient beside it."""

    key = "patients"
    title = "Patients"
    icon = "patients"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.sheet: Sheet | None = None
        self.patient_id = self._select_next = ""
        self.card: PatientCard | None = None
        self._now_merged = False
        self.bulk = SelectionActions(desk, self, self._keep, self.refresh, self._show_patient)
        self.find_box = QLineEdit()
        self.find_box.setProperty("find", "true")
        self.find_box.setPlaceholderText("Name, phone, date of birth, e-mail, record number or #tag")
        self.find_box.setAccessibleName("Find patients")
        self.find_box.setClearButtonEnabled(True)
        self.find_box.addAction(desk.theme.icon("find"), QLineEdit.ActionPosition.LeadingPosition)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(120)
        self._wait.timeout.connect(self._search)
        self.find_box.textEdited.connect(lambda _text: self._wait.start())
        self.table: RowTable[PatientRow] = RowTable(
            desk.theme,
            (
                Column("Name", lambda r: f"{r.last_name}, {r.first_name}{'  (merged)' if r.merged_into else ''}", kind="strong"),
                Column("Born", lambda r: clinical_date(r.born), sort=lambda r: r.born, width=108),
                Column("Sex", lambda r: SEXES[r.sex], width=92, kind="soft"),
                Column("Phone", lambda r: phone_text(r.phone) if r.phone else "", width=140, kind="soft"),
                Column("Tags", lambda r: ", ".join(r.tags), width=120, kind="soft"),
            ),
            lambda r: r.id,
            name="Patients",
            several=True,
            empty=EmptyState(desk.theme, "Nobody fits.", icon="patients", advice="Check the spelling, or register the patient."),
        )
        self.table.selected.connect(self._chosen)
        self.table.menu_requested.connect(self._bulk_menu)
        self.table.opened.connect(lambda _row: self.edit())
        self.register_button = button(
            "Register patient", self.register, variant="primary", icon="add_patient", theme=desk.theme, tip="Register a patient  (Ctrl+N)"
        )
        head = QHBoxLayout()
        head.setSpacing(12)
        head.addWidget(self.find_box, 1)
        head.addWidget(self.register_button)
        left = QWidget()
        lines = QVBoxLayout(left)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(12)
        lines.addLayout(head)
        self.heading = label("Registered or changed last", "soft")
        self.tag_filter = TagFilter(desk, self._search)
        self.duplicates_button = button("Possible duplicates", self.bulk.duplicates, variant="quiet", icon="merge", theme=desk.theme,
                                        tip="Who looks registered twice")
        lines.addLayout(side_by_side(self.heading, None, self.tag_filter, self.duplicates_button))
        lines.addWidget(self.table, 1)
        self.detail = QVBoxLayout()
        area = scrolled(self.detail, margins=(12, 0, 8, 0))
        area.setMinimumWidth(390)  # what the sections need, and the scroll bar
        split = QSplitter(Qt.Orientation.Horizontal)
        split.addWidget(left)
        split.addWidget(area)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        split.setSizes([640, 440])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 8, 12)
        outer.addWidget(split)
        self.detail.addWidget(EmptyState(desk.theme, "Choose a patient.", icon="patient"))
        self._live = RefreshWhenShown(self, desk.live, ("patients",), self.refresh)

    def first_focus(self) -> QWidget:
        """The find field."""
        return self.find_box

    def commands(self) -> Sequence[Action]:
        """Keys of this panel."""
        return (
            Action("Register a patient", self.register, "add_patient", "Ctrl+N"),
            Action("Change the chosen patient", self.edit, "edit", "Ctrl+E"),
            Action("Tag the selected patients", self._tag_selected, "tag", "Ctrl+T"),
            Action("Merge the two selected patients", self._merge_selected, "merge", "Ctrl+Shift+M"),
            Action("Possible duplicates", self.bulk.duplicates, "patients"),
        )

    def show_topic(self, topic: str, subject: Any) -> bool:
        """A patient found in the command bar, or a registration begun there."""
        if topic == "patient":
            self._show_patient(subject)
            return True
        if topic == "register":
            self.register(str(subject or ""))
            return True
        return False

    def refresh(self) -> None:
        """The list and the chosen patient again."""
        self._search()
        if self.patient_id:
            self._read()

    def _search(self) -> None:
        typed = self.find_box.text().strip()
        self.heading.setText(f"Patients that fit “{typed}”" if typed else self.tag_filter.words or "Registered or changed last")
        typed = f"{typed} {self.tag_filter.query}".strip()
        service = finding.search if typed else finding.recent
        args = (typed, 50) if typed else (50,)
        self.desk.ask(self, service, *args, done=self._show_rows, replaces="search")

    def _show_rows(self, rows: list[PatientRow]) -> None:
        self.table.show_rows(rows)
        if self._select_next and self.table.select(self._select_next):
            self._select_next = ""
        if len(rows) == 1 and self.find_box.text().strip() and not rows[0].near:
            self.table.select(rows[0].id)

    def _chosen(self, row: PatientRow | None) -> None:
        if row is not None and row.id != self.patient_id:
            self._show_patient(row.id)

    def _show_patient(self, patient_id: str) -> None:
        self.patient_id = patient_id
        self._read()

    def _read(self) -> None:
        self.desk.ask(self, _everything, self.patient_id, done=self._show, failed=self._refused, replaces="patient")

    def _refused(self, error: Exception) -> None:
        self._empty_detail()
        self.detail.addWidget(EmptyState(self.desk.theme, explain(error).sentence, icon="unavailable", advice=explain(error).advice))

    def _empty_detail(self) -> None:
        emptied(self.detail)

    def _show(self, found: tuple[PatientCard, list[Assignment], list[AppointmentRow], list[MergeRow]]) -> None:
        card, assignments, visits, merges = found
        if card.id != self.patient_id:
            return
        self.card = card
        self._empty_detail()
        merged = merged_section(self.desk, merges, card.id, self)
        self._now_merged = now_merged = any(one.undone_at is None for one in merges)
        if merged is not None and now_merged:
            self.detail.addWidget(merged)
        self.detail.addWidget(self._identity(card, closed=active_merge(merges, card.id) is not None))
        self.detail.addWidget(self._assignments(assignments))
        self.detail.addWidget(self._appointments(visits))
        self.detail.addWidget(account_of(self.desk, card.id))
        if merged is not None and not now_merged:
            self.detail.addWidget(merged)
        self.detail.addStretch(1)

    def _identity(self, card: PatientCard, *, closed: bool) -> QWidget:
        name = f"{card.last_name}, {card.first_name}{f' ({card.title})' if card.title else ''}"
        section = Section(name if card.archived_at is None else f"{name}, archived", card="surface", role="title")
        section.title.setWordWrap(True)
        self.photo = PhotoBox(self.desk, self, changeable=not closed)
        self.photo.show_patient(card.id)
        lines = QVBoxLayout()
        beside = QHBoxLayout()
        beside.addLayout(lines, 1)
        beside.addWidget(self.photo, 0, Qt.AlignmentFlag.AlignTop)
        section.body.addLayout(beside)
        contact = card.emergency_contact
        facts = (
            ("Born", clinical_date(card.born) + (f" ({age_text(card.born, self.desk.now())})" if card.died is None else "")),
            ("Died", clinical_date(card.died) if card.died else ""),
            ("Record no.", card.id),
            ("Sex", SEXES[card.sex]),
            ("Phone", phone_text(card.phone) if card.phone else "Not recorded"),
            ("E-mail", card.email or "Not recorded"),
            ("Address", card.address or "Not recorded"),
            ("Social security no.", card.ssn or "Not recorded"),
            (
                "Emergency contact",
                " · ".join(x for x in (contact.name, contact.relation, phone_text(contact.phone)) if x) if contact else "Not recorded",
            ),
            ("Tags", ", ".join(card.tags)),
            ("Note", card.added_note),
            ("About", card.about_note),
            ("Registered", f"{clinical_moment(card.created_at, self.desk.zone)}{f' by {card.created_by}' if card.created_by else ''}"),
        )
        for name, words in facts:
            if words:
                line = QHBoxLayout()
                caption = label(name, "label")
                caption.setFixedWidth(130)
                line.addWidget(caption, 0, Qt.AlignmentFlag.AlignTop)
                line.addWidget(label(words, "body", wrap=True, selectable=True), 1)
                lines.addLayout(line)
        self.edit_button = button("Change", self.edit, variant="quiet", icon="edit", theme=self.desk.theme, tip="Change  (Ctrl+E)")
        self.book_button = button("Book", self._book, variant="quiet", icon="book", theme=self.desk.theme)
        self.edit_button.setEnabled(not closed)
        section.tools.addWidget(self.book_button)
        section.tools.addWidget(self.edit_button)
        more = icon_button(self.desk.theme, "more", "More", lambda: self._more(more))
        section.tools.addWidget(more)
        return section

    def _assignments(self, rows: Sequence[Assignment]) -> QWidget:
        section = Section("Looked after by", card="surface")
        today = self.desk.now().date()
        for row in rows:
            current = row.ends_on is None or row.ends_on >= today
            line = QHBoxLayout()
            until = f" until {clinical_date(row.ends_on)}" if row.ends_on else ""
            words = f"{row.doctor_name}, since {clinical_date(row.starts_on)}{until}{f' · {row.note}' if row.note else ''}"
            line.addWidget(label(words, "body" if current else "faint", wrap=True), 1)
            if row.ends_on is None:
                line.addWidget(button("End", partial(self._end, row), variant="quiet"))
            section.body.addLayout(line)
        if not rows:
            section.body.addWidget(label("No doctor is assigned.", "faint"))
        section.tools.addWidget(button("Assign doctor", self._assign, variant="quiet", icon="add", theme=self.desk.theme))
        return section

    def _appointments(self, rows: Sequence[AppointmentRow]) -> QWidget:
        section = Section(f"Appointments ({len(rows)})" if rows else "Appointments", card="surface")
        table: RowTable[AppointmentRow] = RowTable(
            self.desk.theme,
            (
                Column("When", lambda r: clinical_moment(r.starts_at, self.desk.zone), sort=lambda r: r.starts_at, width=136),
                Column("Doctor", lambda r: r.doctor_name),
                Column("Status", lambda r: r.status, width=130, kind="chip"),
            ),
            lambda r: r.id,
            name="Appointments of this patient",
            sort_by=0,
            descending=True,
            empty=EmptyState(self.desk.theme, "No appointments yet.", icon="calendar"),
        )
        table.show_rows(rows)
        table.setMinimumHeight(200)
        table.opened.connect(lambda r: self.desk.show("day", r.starts_at.astimezone(self.desk.zone).date()))
        section.body.addWidget(table)
        return section

    # What can be done

    def register(self, name: str = "") -> None:
        """Register somebody; a known person can be opened instead."""
        sheet = PatientSheet(self.desk, name=name or self.find_box.text(), parent=self.window())
        sheet.saved.connect(self._registered)
        sheet.known_requested.connect(self._show_patient)
        self.sheet = sheet
        sheet.open()

    def _registered(self, patient_id: str) -> None:
        self.desk.tell("The patient is registered.")
        self.find_box.clear()
        self._select_next = patient_id
        self._show_patient(patient_id)
        self._search()

    def edit(self) -> None:
        """Change the chosen patient."""
        if self.card is None:
            return
        sheet = PatientSheet(self.desk, self.card, parent=self.window())
        sheet.saved.connect(self._changed)
        self.sheet = sheet
        sheet.open()

    def _changed(self, _patient_id: str) -> None:
        self.desk.tell("Saved.")
        self.refresh()

    def _book(self) -> None:
        if self.card is not None:
            row = PatientRow(
                self.card.id,
                self.card.first_name,
                self.card.last_name,
                self.card.born,
                self.card.sex, self.card.phone, None, self.card.tags, self.card.archived_at is not None,
            )
            self.desk.show("book", row)

    def _more(self, at: QWidget) -> None:
        card = self.card
        if card is None:
            return
        menu = QMenu(self)
        restore = card.archived_at is not None
        menu.addAction(
            self.desk.theme.icon("restore" if restore else "archive"),
            "Restore this patient" if restore else "Archive this patient",
            lambda: self._archive(card, restore=restore),
        )
        if not restore:
            menu.addAction(self.desk.theme.icon("kiosk"), "Kiosk code", lambda: self._kiosk(card))
        if self.desk.me.role == "administrator" and card.last_name != "Erased":
            menu.addSeparator()
            menu.addAction(self.desk.theme.icon("remove"), "Erase this patient …", lambda: self.erase(card))
        menu.popup(at.mapToGlobal(at.rect().bottomLeft()))

    def _kiosk(self, card: PatientCard) -> None:
        self.sheet = kiosk_sheet(self.desk, card.id, f"{card.first_name} {card.last_name}", parent=self.window())
        self.sheet.open()

    def erase(self, card: PatientCard) -> None:
        """Explain and ask; administrators only."""
        sheet = EraseSheet(self.desk, card, merged=self._now_merged, parent=self.window())
        sheet.erased.connect(lambda _id: self.desk.tell("The patient is erased."))
        sheet.erased.connect(lambda _id: self.refresh())
        self.sheet = sheet
        sheet.open()

    def _archive(self, card: PatientCard, *, restore: bool) -> None:
        def done(version: int) -> None:
            self.desk.tell(
                "The patient is back." if restore else "The patient is archived.",
                lambda: self.desk.do(self, patients.archive, card.id, version, restore=not restore, done=lambda _v: self.refresh()),
            )
            self.refresh()

        self.desk.do(self, patients.archive, card.id, card.version, restore=restore, done=done)

    def _bulk_menu(self, _row: PatientRow, menu: QMenu) -> None:
        """What can be done with everybody selected."""
        self.bulk.fill(menu, self.table.selection())

    def _keep(self, sheet: Sheet) -> None:
        self.sheet = sheet

    def _merge_selected(self) -> None:
        rows = self.table.selection()
        if len(rows) == 2:
            self.bulk.merge(rows[0].id, rows[1].id)
        else:
            self.desk.tell("Select two patients first (Ctrl+click), then merge them.")

    def _tag_selected(self) -> None:
        if rows := self.table.selection():
            self.bulk.tag([row.id for row in rows])

    def _assign(self) -> None:
        sheet = AssignSheet(self.desk, self.patient_id, parent=self.window())
        sheet.accepted.connect(self._read)
        self.sheet = sheet
        sheet.open()

    def _end(self, row: Assignment) -> None:
        self.desk.do(self, doctors.end_assignment, row.id, row.version, done=lambda _none: self._read())


def _everything(session: Any, patient_id: str) -> tuple[PatientCard, list[Assignment], list[AppointmentRow], list[MergeRow]]:
    """Card, assignments, appointments and merges in one transaction, so that nothing disagrees; runs on a worker."""
    return (
        patients.card(session, patient_id),
        doctors.assignments(session, patient_id=patient_id),
        appointments.of_patient(session, patient_id),
        merging.history(session, patient_id),
    )
