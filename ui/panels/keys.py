"""The clinic key: the recovery kit and when it was made last, how this computer keeps its secrets, and changing the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from clinicdesk import key_change
from clinicdesk.credentials import Credentials
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.services import enrolling, recovery_kit
from clinicdesk.services.recovery_kit import KitState
from ui.desk import Desk
from ui.dialogs.keys import ChangeKeySheet, KitWindow
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.widgets.arranging import scrolled
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.text import button, label, row

Found = tuple[KitState, int | None, int, str]


def _state(session: Any, data_dir: Path) -> Found:
    """The kit, the generation somebody began to change to, how many keys are left, and what is to be said about this computer's secrets;
    runs on a worker."""
    return (recovery_kit.state(session), key_change.unfinished(session), key_change.left(session),
            Credentials(data_dir).standing_warning or "")


class KeysPanel(Panel):
    """Three sections: what must be done stands first and does not go away before it is done."""

    key = "keys"
    title = "Keys"
    icon = "key"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.kit: KitWindow | None = None
        self.sheet: ChangeKeySheet | None = None
        self._going = self._cancelled = False
        self._total = 0
        self.reminder = label("", "warning", wrap=True)
        self.facts = label("", wrap=True)
        self.fingerprint = label("", "soft", selectable=True)
        self.kit_button = button("Print recovery kit", self.print_kit, variant="primary", icon="print", theme=desk.theme)
        kit = Section("Recovery kit", card="surface")
        kit.body.addWidget(label("One page with the clinic key. Without it nobody can read the sealed records once the computers that hold"
                                 " the key are lost: not from the database, not from a backup.", "soft", wrap=True))
        for widget in (self.reminder, self.facts, self.fingerprint):
            kit.body.addWidget(widget)
        kit.body.addLayout(row(None, self.kit_button))
        self.secrets = label("", wrap=True)
        self.secrets_advice = label("", "soft", wrap=True)
        here = Section("This computer", card="surface")
        here.body.addWidget(self.secrets)
        here.body.addWidget(self.secrets_advice)
        self.computer = Form()
        self.computer.text("code", "Code shown by “clinicdesk key enrol” on the new computer", limit=20)
        self.computer.submitted.connect(self.let_in)
        self.let_in_button = button("Let it in", self.let_in)
        computers = Section("Let a computer in", card="surface")
        computers.body.addWidget(self.computer)
        computers.body.addLayout(row(None, self.let_in_button))
        self.change_words = label("", "soft", wrap=True)
        self.bar = QProgressBar()
        self.bar.setAccessibleName("Keys wrapped again")
        self.bar.hide()
        self.stop_button = button("Stop for now", self.stop)
        self.stop_button.hide()
        self.change_button = button("Change the clinic key …", self.change, variant="danger")
        change = Section("Change the clinic key", card="surface")
        for part in (self.change_words, self.bar):
            change.body.addWidget(part)
        change.body.addLayout(row(None, self.stop_button, self.change_button))
        sections = QVBoxLayout()
        sections.setSpacing(12)
        for section in (kit, here, computers, change):
            sections.addWidget(section)
        sections.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        area = scrolled(sections, margins=(16, 12, 16, 12))
        if (within := area.widget()) is not None:
            within.setMaximumWidth(752)  # the column, not each section: one that is narrower than its place measures its lines too short
        outer.addWidget(area)
        self._live = RefreshWhenShown(self, desk.live, ("settings",), self.refresh)

    def commands(self) -> list[Action]:
        """For the command bar."""
        return [Action("Print recovery kit", self.print_kit, "print")]

    def show_topic(self, topic: str, subject: Any) -> bool:  # noqa: ARG002  the topic says it all
        """After the first start of a clinic."""
        return topic == "keys"

    def refresh(self) -> None:
        """Read again."""
        self.desk.ask(self, _state, self.desk.settings.data_dir, done=self._show, replaces="keys")

    def _show(self, found: Found) -> None:
        kit, begun, left, warning = found
        self.secrets.setText(warning or "Passwords and keys of this computer are in the system's keyring.")
        self.secrets_advice.setText("Encrypt this disk, and keep this account's password and every copy of the folder to yourself."
                                    if warning else "")
        self.secrets_advice.setVisible(bool(warning))
        when = clinical_moment(kit.made_at, self.desk.zone) if kit.made_at else ""
        self.reminder.setText(kit.reminder)
        self.reminder.setVisible(bool(kit.reminder))
        self.facts.setText(f"Made last on {when}{f' by {kit.made_by}' if kit.made_by else ''}." if when else "")
        self.facts.setVisible(bool(when))
        self.fingerprint.setText(f"Fingerprint of the key: {kit.fingerprint}")
        if not self._going:
            self.change_words.setText(
                f"A change was begun and is not finished: {left:,} keys are left. Go on with it." if begun else
                "When a kit was lost or seen, or somebody who knew the key has left. Everybody can go on working meanwhile; afterwards"
                " print a new kit, and enter the new key on the other computers. Older backups stay readable with the new key.")
            self.change_button.setText("Go on" if begun else "Change the clinic key …")

    def print_kit(self) -> None:
        """The kit in a window of its own: print it or save it; nothing is written anywhere else."""
        self.kit = KitWindow(self.desk, self.window())
        self.kit.made.connect(self.refresh)
        self.kit.open()

    def let_in(self) -> None:
        """Seal the clinic key for the computer that shows the code."""
        self.computer.clear_errors()

        def done(name: str) -> None:
            self.computer.set_values({"code": ""})
            self.desk.tell(f"{name} may have the clinic key now.")

        self.desk.do(self, enrolling.let_in, self.computer.value("code"), done=done,
                     failed=lambda e: None if self.computer.show_problem(e) else self.desk.report(e))

    def change(self) -> None:
        """Begin a change after it was explained, or go on with one."""
        if self.change_button.text() == "Go on":
            self._take_up()
            return
        self.sheet = ChangeKeySheet(self.desk, self.window())
        self.sheet.accepted.connect(self._take_up)
        self.sheet.open()

    def stop(self) -> None:
        """Stop after this batch; “Go on” takes it up again."""
        self._cancelled = True
        self.stop_button.setEnabled(False)

    def _take_up(self) -> None:
        self._going, self._cancelled = True, False
        self.change_button.setEnabled(False)
        self.stop_button.setEnabled(True)
        self.desk.do(self, key_change.take_up, self.desk.settings.data_dir, done=self._begun, failed=self._failed)

    def _begun(self, total: int) -> None:
        self._total = total
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(0)
        self.bar.show()
        self.stop_button.show()
        self.change_words.setText("Wrapping the patients' keys again …")
        self._step()

    def _step(self) -> None:
        if self._cancelled:
            self._over("Stopped. What was done stays done; go on at any time.")
        else:
            self.desk.do(self, key_change.step, done=self._stepped, failed=self._failed)

    def _stepped(self, wrapped: int) -> None:
        self.bar.setValue(min(self._total, self.bar.value() + wrapped))
        if wrapped:
            self._step()
        else:
            self.desk.do(self, key_change.finish, done=lambda _none: self._over("The clinic has a new key. Print a new recovery kit now."),
                         failed=self._failed)

    def _failed(self, error: Exception) -> None:
        self._over("")
        self.desk.report(error)

    def _over(self, words: str) -> None:
        self._going = False
        self.bar.hide()
        self.stop_button.hide()
        self.change_button.setEnabled(True)
        if words:
            self.desk.tell(words)
        self.refresh()
