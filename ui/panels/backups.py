"""Backups: take one, prove one, see which were proven, choose where they lie, restore one onto a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from clinicdesk import backups
from clinicdesk.backups import BackupRow, Overview
from clinicdesk.restoring import Cancelled
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.rules.texts import size_words
from clinicdesk.services import backup_proofs
from clinicdesk.services.backup_proofs import Proof
from clinicdesk.storage.backup import Taken
from ui.backup_alarm import AlarmBanner
from ui.desk import Desk
from ui.dialogs.pdf_window import PdfWindow
from ui.dialogs.restoring import RestoreWizard
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.widgets.long_task import LongTask
from ui.widgets.section import Section
from ui.widgets.text import Elided, button, label, row


class BackupsPanel(Panel):
    """A list, one button that matters, and what a backup is worth."""

    key = "backups"
    title = "Backups"
    icon = "backup"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.banner = AlarmBanner(desk.theme, "Rehearse now", self.rehearse)
        self.table: RowTable[BackupRow] = RowTable(
            desk.theme,
            (
                Column("Taken", lambda r: clinical_moment(r.taken_at, desk.zone), sort=lambda r: r.taken_at, width=170, kind="strong"),
                Column("Size", lambda r: size_words(r.size), sort=lambda r: r.size, align="right", width=110),
                Column("Proof", self._proof_words, sort=lambda r: r.proof.at if r.proof else None, icon=_proof_icon, tip=_tip),
                Column("File", lambda r: r.path.name, width=330, kind="soft"),
            ),
            lambda r: r.path,
            name="Backups",
        )
        theme = desk.theme
        self.back_up_button = button("Back up now", self.back_up, variant="primary", icon="backup", theme=theme)
        self.rehearse_button = button("Rehearse now", self.rehearse, icon="check", theme=theme,
                                      tip="Restore the chosen backup, or the newest, onto scratch servers and compare everything")
        self.certificate_button = button("Open certificate", self.open_certificate, icon="pdf", theme=theme)
        self.restore_button = button("Restore …", self.restore, icon="restore", theme=theme,
                                     tip="Into a folder of its own; this clinic stays as it is")
        self.certificate_button.setEnabled(False)
        self.table.selected.connect(lambda row: self.certificate_button.setEnabled(row is not None and row.proof is not None))
        self.task = LongTask()
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.place = Elided("", "soft")
        self.folder_button = button("Choose folder …", self.choose_folder)
        section = Section("Backups")
        for one in (self.restore_button, self.certificate_button, self.rehearse_button, self.back_up_button):
            section.tools.addWidget(one)
        section.body.addWidget(self.task)
        section.body.addWidget(self.problem)
        section.body.addWidget(self.table, 1)
        where = row(label("They lie in", "label"), self.place, self.folder_button)
        where.setStretch(1, 1)
        section.body.addLayout(where)
        section.body.addWidget(label(
            "Every night at half past two, and once a week the newest is restored onto scratch servers and compared: that is its proof."
            " Fourteen nights and the first of each month are kept. Each file is encrypted with the clinic key; keep that key on paper,"
            " and a copy of the files in another place.", "soft", wrap=True))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(12)
        outer.addWidget(self.banner)
        outer.addWidget(section, 1)
        self._folder = Path()
        self._live = RefreshWhenShown(self, desk.live, ("backups",), self.refresh)

    def refresh(self) -> None:
        """Look into the folder again."""
        self.desk.run(self, backups.overview, done=self._show, replaces="backups")

    def show_topic(self, topic: str, subject: Any) -> bool:  # noqa: ARG002  there is only one thing to show
        """The banner of the window leads here."""
        return topic == "backups"

    def commands(self) -> list[Action]:
        """For the command bar."""
        return [Action("Back up now", self.back_up, "backup"), Action("Rehearse a backup", self.rehearse, "check")]

    def back_up(self) -> None:
        """Take a backup into the folder; the desks go on working. One thing at a time."""
        if self.task.running:
            return
        self._begin("Backing up…")
        self.desk.run(self, backups.back_up, None, self.task.begin("Backing up…"), done=self._taken, failed=self._failed)

    def rehearse(self) -> None:
        """Prove the chosen backup, or the newest."""
        chosen = self.table.record()
        if self.task.running:
            return
        self._begin("Rehearsing…")
        self.desk.run(self, backups.rehearse, chosen.path if chosen else None, self.task.begin("Rehearsing…"), done=self._proven,
                      failed=self._failed)

    def open_certificate(self) -> None:
        """The page that says what the rehearsal of the chosen backup found."""
        chosen = self.table.record()
        if chosen is not None and chosen.proof is not None:
            moment = chosen.proof.at.astimezone(self.desk.zone)
            self.paper = PdfWindow(self.desk, "Backup certificate", f"backup-certificate-{moment:%Y-%m-%d}.pdf", category="backup",
                                   parent=self)
            self.paper.ask(backup_proofs.certificate, chosen.proof)
            self.paper.show()

    def choose_folder(self) -> None:
        """Where backups go from now on."""
        chosen = QFileDialog.getExistingDirectory(self, "Where backups are kept", str(self._folder))
        if chosen:
            self.desk.run(self, backups.choose_folder, Path(chosen), done=lambda _none: self.refresh(), failed=self._failed)

    def restore(self) -> None:
        """Explain and open the wizard."""
        chosen = self.table.record()
        self.wizard = RestoreWizard(self.desk.theme, self.desk.pool, self.desk.settings, self, start=chosen.path if chosen else None)
        self.wizard.open()

    def _begin(self, words: str) -> None:
        self.problem.hide()
        for one in (self.back_up_button, self.rehearse_button, self.banner.action):
            one.setEnabled(False)
        self.task.words.setText(words)

    def _end(self) -> None:
        self.task.end()
        for one in (self.back_up_button, self.rehearse_button, self.banner.action):
            one.setEnabled(True)
        self.refresh()

    def _taken(self, taken: Taken) -> None:
        self._end()
        if taken.manifest.missing:
            self._say(f"{len(taken.manifest.missing)} documents could not be read from the document server."
                      " Run “clinicdesk documents check”; everything else is in the backup.")
        self.desk.tell(f"Backed up: {size_words(taken.size)}.")

    def _proven(self, proof: Proof) -> None:
        self._end()
        if proof.ok:
            self.desk.tell(f"Proven: all {proof.numbers['rows'][1]:,} rows and every document came back equal.")
        else:
            self._say(f"{proof.file_name} did not come back as it was saved. {' '.join(proof.numbers['problems'][:3])}"
                      " Back up now and rehearse again.")

    def _failed(self, error: Exception) -> None:
        self._end()
        if isinstance(error, Cancelled):
            self.desk.tell(error.sentence)
        else:
            self._say(explain(error).text)

    def _say(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.show()

    def _show(self, found: Overview) -> None:
        self._folder = found.folder
        self.table.show_rows(found.rows)
        self.place.set_whole(str(found.folder))
        self.banner.say(found.overdue)
        for one in (self.back_up_button, self.rehearse_button):
            one.setEnabled(found.able and self.task.isHidden())
            if not found.able:
                one.setToolTip("This computer may not read the whole shared database. Back up where it is kept.")

    def _proof_words(self, line: BackupRow) -> str:
        if line.proof is None:
            return "not rehearsed"
        return f"{'proven' if line.proof.ok else 'FAILED'} {clinical_moment(line.proof.at, self.desk.zone)}"


def _proof_icon(line: BackupRow) -> str:
    return "not_recorded" if line.proof is None else "success" if line.proof.ok else "danger"


def _tip(line: BackupRow) -> str:
    return " ".join(line.proof.numbers.get("problems", ())) if line.proof else "Nobody knows yet whether this one can be restored."
