"""The recovery kit of a clinic: its page, when it was made last, and whether that one is still good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from clinicdesk.pdf.recovery_kit import KitSheet, render_kit
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.key_code import key_fingerprint
from clinicdesk.services.settings import clinic_settings, stored_setting
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class KitState:
    """The last kit. `made_at` is None when none was ever made; `current` says that it holds the key of today."""

    made_at: datetime | None
    made_by: str
    current: bool
    fingerprint: str

    @property
    def reminder(self) -> str:
        """What stands in the administrator's window until it is done; empty when there is nothing to do."""
        if self.made_at is None:
            return "No recovery kit was ever made. Print one now: a broken computer would take every sealed record with it."
        return "" if self.current else "The last recovery kit holds an older key. Print a new one; keep the old one, too."


def state(session: ClinicSession) -> KitState:
    """When a kit was made last, and of which key."""
    now = key_fingerprint(session.vault.clinic_key)
    stored = stored_setting(session, "kit_made")
    if not isinstance(stored, dict):
        return KitState(None, "", current=False, fingerprint=now)
    return KitState(datetime.fromisoformat(stored["at"]).astimezone(session.zone), stored["by"] or "", stored["fingerprint"] == now, now)


def page(session: ClinicSession) -> bytes:
    """The kit as PDF of one page; it is nowhere stored."""
    clinic = clinic_settings(session)
    letterhead = Letterhead(clinic.name, clinic.address, clinic.phone, clinic.email)
    name = session.me.name if session.me else ""
    return render_kit(KitSheet(letterhead, session.vault.clinic_key, session.now().astimezone(session.zone), name),
                      "Letter" if clinic.page == "Letter" else "A4")


def make(session: ClinicSession) -> bytes:
    """The kit, and a note that it was made; for administrators and the owner's tools. NotAllowed else."""
    with session.attempt():
        session.execute(select(func.clinic.kit_made(key_fingerprint(session.vault.clinic_key))))
    return page(session)
