"""Who is signed in where; an administrator can end any session, and its window asks for a new sign-in at once."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_moment
from clinicdesk.services import accounts
from clinicdesk.services.accounts import ROLE_WORDS
from clinicdesk.services.people import SessionRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Panel
from ui.row_table import Column, RowTable
from ui.widgets.section import Section
from ui.widgets.text import button


class SessionsPanel(Panel):
    """A list and one button."""

    key = "sessions"
    title = "Sessions"
    icon = "sessions"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.table: RowTable[SessionRow] = RowTable(
            desk.theme,
            (
                Column("Who", lambda r: f"{r.name}{' (this window)' if r.mine else ''}", kind="strong"),
                Column("Role", lambda r: ROLE_WORDS[r.role], width=130),
                Column("Where", lambda r: r.workstation, width=200, kind="soft"),
                Column("Since", lambda r: clinical_moment(r.created_at, desk.zone), sort=lambda r: r.created_at, width=150),
                Column("Last used", lambda r: clinical_moment(r.last_used_at, desk.zone), sort=lambda r: r.last_used_at, width=150),
            ),
            lambda r: r.id,
            name="Sessions",
        )
        self.end_button = button("End session", self.end, variant="danger", icon="sign_out", theme=desk.theme)
        self.end_button.setEnabled(False)
        self.table.selected.connect(lambda row: self.end_button.setEnabled(row is not None and not row.mine))
        section = Section("Signed in now")
        section.tools.addWidget(self.end_button)
        section.body.addWidget(self.table)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.addWidget(section)
        self._live = RefreshWhenShown(self, desk.live, ("sessions",), self.refresh)

    def refresh(self) -> None:
        """Read again."""
        self.desk.ask(self, accounts.sessions, done=self.table.show_rows, replaces="sessions")

    def end(self) -> None:
        """End the chosen session."""
        row = self.table.record()
        if row is None or row.mine:
            return

        def done(_none: None) -> None:
            self.desk.tell(f"The session of {row.name} is ended.")
            self.refresh()

        self.desk.do(self, accounts.end_session, row.id, done=done)
