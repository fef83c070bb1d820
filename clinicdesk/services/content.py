"""Clinical content under the administrator's eye: which clinician approved which table, how loud each rule is, what was overridden."""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import func, select

from clinicdesk.errors import Invalid, NotAllowed
from clinicdesk.interchange.delimited import harmless
from clinicdesk.models.accounts import User
from clinicdesk.models.alerts import ContentApproval
from clinicdesk.models.operations import Setting
from clinicdesk.models.people import Doctor
from clinicdesk.paths import resource
from clinicdesk.rules.alert_reasons import REASONS
from clinicdesk.rules.content_tables import ContentTable, content_tables
from clinicdesk.rules.moments import clinical_date
from clinicdesk.services.settings import put, stored_setting
from clinicdesk.storage.database import ClinicSession

log = logging.getLogger(__name__)

#: Rule → what it is called. Not-checked is missing on purpose: nobody can make it quieter.
RULE_NAMES: Final[Mapping[str, str]] = {
    "allergy": "Allergy to the same medicine", "allergy-class": "Allergy to its class", "allergy-cross-reaction": "Cross-reaction",
    "interaction": "Interaction", "duplicate": "Duplicate therapy", "max-dose": "Maximum dose", "age": "Age", "pregnancy": "Pregnancy",
    "kidney": "Kidney function",
}
_KEY: Final = "alert_tiers"


@dataclass(frozen=True, slots=True)
class TableState:
    """A table and who approved this very version of it (empty: nobody yet)."""

    table: ContentTable
    approved_by: str
    approved_on: date | None
    recorded_by: str
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class OverrideRow:
    """How often an alert fired at signing, and how often a reason was given against it; `reasons` maps codes to counts."""

    rule: str
    tier: int
    medicine: str
    key: str
    fired: int
    overridden: int
    reasons: dict[str, int]

    @property
    def percent(self) -> int:
        """Overridden of fired, in whole per cent."""
        return round(100 * self.overridden / self.fired) if self.fired else 0

    @property
    def reason_words(self) -> str:
        """The reasons in words, the most frequent first."""
        ordered = sorted(self.reasons.items(), key=lambda entry: -entry[1])
        return ", ".join(f"{REASONS.get(code, code)} ({n})" for code, n in ordered)


def states(session: ClinicSession) -> list[TableState]:
    """All tables of this program with their approval."""
    tables = content_tables(resource("medicines"))
    recorder = select(User.id, User.name).subquery()
    rows = session.execute(
        select(ContentApproval.sha256, User.name, ContentApproval.approved_on, recorder.c.name, ContentApproval.recorded_at)
        .join(Doctor, Doctor.id == ContentApproval.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .join(recorder, recorder.c.id == ContentApproval.recorded_by)
        .where(ContentApproval.sha256.in_([t.sha256 for t in tables]))
        .order_by(ContentApproval.id)
    ).all()
    newest = {row[0]: row for row in rows}
    return [TableState(t, *newest[t.sha256][1:]) if t.sha256 in newest else TableState(t, "", None, "", None) for t in tables]


def approvals(session: ClinicSession) -> dict[str, str]:
    """Table → what alerts say of its approval; tables nobody approved are missing. Unreadable tables have none."""
    try:
        found = states(session)
    except (OSError, LookupError, ValueError):
        log.exception("the tables of clinical content cannot be read")
        return {}  # the check itself fails then, and says so
    return {s.table.name: f"approved by {s.approved_by} on {clinical_date(s.approved_on)}" for s in found if s.approved_by}


def approve(session: ClinicSession, name: str, sha256: str, doctor_id: int, approved_on: date) -> None:
    """Record that a clinician approved exactly this version of a table; administrators only."""
    if session.me is None or session.me.role != "administrator":
        raise NotAllowed("Only an administrator records approvals.")
    table = next((t for t in content_tables(resource("medicines")) if t.name == name), None)
    if table is None or table.sha256 != sha256:
        raise Invalid("content", "This table has changed since it was shown. Look at the newer version first.")
    if approved_on > session.now().astimezone(session.zone).date():
        raise Invalid("approved_on", "The approval lies in the future.")
    if session.scalar(select(Doctor.id).where(Doctor.id == doctor_id)) is None:
        raise Invalid("doctor_id", "Choose the clinician from the list.")
    with session.attempt():
        session.add(ContentApproval(content=name, version=table.version, sha256=sha256, doctor_id=doctor_id, approved_on=approved_on,
                                    recorded_by=session.my_id))
        session.flush()


def tiers(session: ClinicSession) -> dict[str, int]:
    """Rule → the tier its alerts below tier 1 are shown with; nothing for rules that stay as the tables say."""
    raw = stored_setting(session, _KEY)
    return {rule: tier for rule, tier in raw.items() if rule in RULE_NAMES and tier in {2, 3}} if isinstance(raw, dict) else {}


def set_tiers(session: ClinicSession, wanted: Mapping[str, int]) -> None:
    """Change how loud rules are; administrators only. Tier 1 and “not checked” cannot be changed by anybody."""
    if session.me is None or session.me.role != "administrator":
        raise NotAllowed("Only an administrator changes the tiers of alerts.")
    for rule, tier in wanted.items():
        if rule not in RULE_NAMES or tier not in {2, 3}:
            raise Invalid(rule, "Alerts are warnings (2) or information (3); those that interrupt stay as they are.")
    stored = {setting.key: setting for setting in session.scalars(select(Setting).where(Setting.key == _KEY))}
    put(session, stored, _KEY, dict(wanted))
    with session.attempt():
        session.flush()


def override_report(session: ClinicSession, first: date, last: date) -> list[OverrideRow]:
    """What fired at signing and was overridden from one day to another; administrators only, and no patient in it."""
    if last < first:
        raise Invalid("last", "The last day lies before the first.")
    found = session.execute(select(func.clinic.override_report(first, last).table_valued(
        "rule", "tier", "medicine", "alert_key", "fired", "overridden", "reasons"))).all()
    return [OverrideRow(r.rule, r.tier, r.medicine, r.alert_key, r.fired, r.overridden, dict(r.reasons)) for r in found]


def report_csv(rows: Sequence[OverrideRow]) -> bytes:
    """The report as a table for a spreadsheet, UTF-8 with a mark."""
    written = io.StringIO(newline="")
    table = csv.writer(written)
    table.writerow(("Rule", "Tier", "Medicine", "Alert", "Fired", "Overridden", "Per cent", "Reasons"))
    for row in rows:
        table.writerow((RULE_NAMES.get(row.rule, "Not checked"), row.tier, harmless(row.medicine), harmless(row.key), row.fired,
                        row.overridden, row.percent, row.reason_words))
    return written.getvalue().encode("utf-8-sig")
