"""What the clinic knows about itself: one row a setting, defaults here."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import select

from clinicdesk.errors import Invalid
from clinicdesk.models.money import Charge
from clinicdesk.models.operations import Setting
from clinicdesk.rules.money import DEFAULT_CURRENCY, check_currency
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class ClinicSettings:
    """Name and letterhead, and the habits of the house. `page` is the paper of prescriptions and receipts; `minutes` a usual appointment;
    `currency` three ISO letters. `lock_…`: minutes without use after which the window of a role locks (the server's own limit follows);
    `second_factor`: "optional", or "required" of doctors and administrators."""

    name: str = "ClinicDesk"
    address: str = ""
    phone: str = ""
    email: str = ""
    minutes: int = 20
    page: str = "A5"
    day_starts: int = 7
    day_ends: int = 20
    currency: str = DEFAULT_CURRENCY
    lock_receptionist: int = 10
    lock_doctor: int = 10
    lock_administrator: int = 5
    lock_patient: int = 2
    second_factor: str = "optional"

    def lock_minutes(self, role: str) -> int:
        """After how many idle minutes the window of this role locks."""
        return int(getattr(self, f"lock_{role}"))


#: Minutes, as in auth.idle_of; the kiosk is shared, so its limit is the shortest (security-reliability § 3.1).
LONGEST_LOCK = {"receptionist": 60, "doctor": 60, "administrator": 60, "patient": 10}
_TEXTS = {"name": 120, "address": 300, "phone": 40, "email": 190}


def clinic_settings(session: ClinicSession) -> ClinicSettings:
    """The settings as stored, defaults for the rest."""
    names = [f.name for f in fields(ClinicSettings)]
    rows = session.execute(select(Setting.key, Setting.value).where(Setting.key.in_(names)))
    stored: dict[str, Any] = {row.key: row.value for row in rows}
    return ClinicSettings(**stored)


def lock_minutes(session: ClinicSession, role: str) -> int:
    """After how many idle minutes the window of this role locks."""
    return clinic_settings(session).lock_minutes(role)


def change_settings(session: ClinicSession, wanted: ClinicSettings) -> None:
    """Store the settings that differ; administrators only. Invalid names the field."""
    for name, limit in _TEXTS.items():
        if len(getattr(wanted, name)) > limit:
            raise Invalid(name, f"At most {limit} characters.")
    if not wanted.name.strip():
        raise Invalid("name", "The clinic needs a name.")
    if wanted.page not in {"A4", "A5", "Letter"}:
        raise Invalid("page", "Paper: A4, A5 or Letter.")
    if not 5 <= wanted.minutes <= 240:
        raise Invalid("minutes", "A usual appointment: 5 to 240 minutes.")
    if not 0 <= wanted.day_starts < wanted.day_ends <= 24:
        raise Invalid("day_ends", "The day ends after it starts.")
    for role, most in LONGEST_LOCK.items():
        if not 1 <= wanted.lock_minutes(role) <= most:
            raise Invalid(f"lock_{role}", f"From 1 to {most} minutes.")
    if wanted.second_factor not in {"optional", "required"}:
        raise Invalid("second_factor", "Choose one of the list.")
    wanted = replace(wanted, currency=check_currency(wanted.currency))
    now = clinic_settings(session).currency
    if wanted.currency != now and session.scalar(select(Charge.id).limit(1)) is not None:
        raise Invalid("currency", f"Amounts are booked in {now} already: the currency stays.")
    stored = {setting.key: setting for setting in session.scalars(select(Setting))}
    for name, value in asdict(wanted).items():
        put(session, stored, name, value)
    with session.attempt():
        session.flush()


def put(session: ClinicSession, stored: dict[str, Setting], name: str, value: object) -> None:
    """Add or change one row, nothing when it is the same."""
    if name not in stored:
        session.add(Setting(key=name, value=value))
    elif stored[name].value != value:
        stored[name].value = value


def stored_setting(session: ClinicSession, key: str) -> object | None:
    """One raw setting, None when absent."""
    return session.scalar(select(Setting.value).where(Setting.key == key))
