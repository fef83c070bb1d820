"""Accounts and sessions: who one is, adding staff, one-time codes, ending sessions. The rules live in the functions of schema `auth`."""

from __future__ import annotations

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed
from clinicdesk.models.accounts import SignedIn as SessionTable
from clinicdesk.models.accounts import User
from clinicdesk.models.operations import Setting
from clinicdesk.models.people import Doctor
from clinicdesk.rules.passwords import check_password
from clinicdesk.rules.steps import ROLES
from clinicdesk.services.people import Me, SessionRow, StaffRow
from clinicdesk.services.proofs import plain_name, proof_of
from clinicdesk.storage.database import ClinicSession

ROLE_WORDS = {"receptionist": "Reception", "doctor": "Doctor", "administrator": "Administrator", "patient": "Patient"}


def who(session: ClinicSession) -> Me:
    """Who holds the token of this session."""
    row = session.execute(text("select user_id, username, name, role, doctor_id, patient_id from auth.who()")).one()
    if row.user_id is None:
        raise NotAllowed
    return Me(row.user_id, row.username, row.name, row.role, row.doctor_id, row.patient_id)


def present(session: ClinicSession, token: str) -> None:
    """Present a token in a transaction that did not begin with it: one whose session still waits for its second factor, or may be over."""
    session.execute(text("select set_config('clinicdesk.session', :token, true)"), {"token": token})


def renew_token(session: ClinicSession, token: str) -> bool:
    """Keep a session alive because somebody used its window; False when it is over."""
    present(session, token)
    return bool(session.scalar(text("select auth.renew()")))


def sign_out(session: ClinicSession) -> None:
    """End this session."""
    session.execute(text("select auth.sign_out()"))


def sign_out_everywhere(session: ClinicSession) -> int:
    """End all other sessions of this person; how many there were."""
    return int(session.scalar(text("select auth.sign_out_everywhere()")) or 0)


def begin_anew(session: ClinicSession) -> int:
    """End every session and take back unused codes (recovery codes stay), as the owner, after a restore; how many sessions there were."""
    return int(session.scalar(text("select auth.begin_anew()")) or 0)


def cut_blockers(session: ClinicSession) -> int:
    """Cut off workstations that have kept others waiting for a lock for longer than any work of ours takes; how many. For the worker."""
    return int(session.scalar(text("select auth.cut_blockers()")) or 0)


def found_clinic(session: ClinicSession, fingerprint: str, zone: str) -> None:
    """Write down, as the owner, which key seals this clinic's records and in which zone its days are; once."""
    session.execute(insert(Setting).on_conflict_do_nothing(), [{"key": "clinic_key", "value": fingerprint}, {"key": "zone", "value": zone}])


def is_new(session: ClinicSession) -> bool:
    """Whether nobody has an account yet: the first start creates the administrator."""
    return bool(session.scalar(text("select auth.is_new()")))


def create_first_administrator(session: ClinicSession, username: str, name: str, password: str) -> int:
    """Create the administrator of a new clinic; NotAllowed when there already is an account."""
    return _insert(
        session,
        "auth.create_first_administrator(:username, :name, :salt, :memory, :iterations, :lanes, :verifier)",
        username,
        name,
        password,
    )


def add_staff(session: ClinicSession, username: str, name: str, role: str, password: str) -> int:
    """Add an account for staff; administrators only. A doctor also needs a profile (`doctors.add`)."""
    if role not in ROLES or role == "patient":
        raise Invalid("role", "Choose a role of the list.")
    return _insert(
        session,
        "auth.add_user(:username, :name, :role, null, :salt, :memory, :iterations, :lanes, :verifier)",
        username,
        name,
        password,
        role=role,
    )


def insert_account(session: ClinicSession, username: str, name: str, role: str, password: str) -> int:
    """Add an account as the owner of the tables: the demo clinic and the tests, never a workstation."""
    return _insert(
        session,
        "auth.insert_user(:username, :name, :role, null, :salt, :memory, :iterations, :lanes, :verifier)",
        username,
        name,
        password,
        role=role,
    )


def by_username(session: ClinicSession, username: str) -> Me:
    """Who has this user name, as the owner of the tables sees it."""
    row = session.execute(
        select(User.id, User.username, User.name, User.role, Doctor.id, User.patient_id)
        .outerjoin(Doctor, Doctor.user_id == User.id)
        .where(User.username == username)
    ).one()
    return Me(*row)


def _insert(session: ClinicSession, call: str, username: str, name: str, password: str, **more: str) -> int:
    username, name = plain_name(username).lower(), name.strip()
    if not username:
        raise Invalid("username", "User name: 2 to 40 small letters, digits, dots, hyphens or underscores.")
    if not name:
        raise Invalid("name", "Name: 1 to 120 characters.")
    check_password(password, username)
    with session.attempt():
        user_id = session.scalar(text(f"select {call}"), {"username": username, "name": name, **proof_of(password).values, **more})
    assert user_id is not None  # noqa: S101  the function returns the new id or raises
    return int(user_id)


def rename(session: ClinicSession, user_id: int, name: str, version: int) -> None:
    """Change the name others see: one's own, or anybody's as administrator."""
    user = session.get(User, user_id)
    if user is None:
        raise NotAllowed
    if user.version != version:
        raise ChangedElsewhere
    user.name = name.strip()
    with session.attempt():
        session.flush()


def set_active(session: ClinicSession, user_id: int, *, active: bool) -> None:
    """Switch an account off or on; off ends its sessions at once."""
    session.execute(text("select auth.set_active(:user, :active)"), {"user": user_id, "active": active})


def start_reset(session: ClinicSession, user_id: int) -> str:
    """Start somebody's password reset, as administrator: the code to hand over, good for a day and one use. Nobody can read it again."""
    return str(session.execute(text("select auth.start_reset(:user)"), {"user": user_id}).scalar_one())


def kiosk_code(session: ClinicSession, patient_id: str) -> str:
    """Let a registered patient sign in at the kiosk once, within ten minutes, with the number of her record and this code."""
    return str(session.execute(text("select auth.make_kiosk_code(:patient)"), {"patient": patient_id}).scalar_one())


def note_lock(session: ClinicSession) -> None:
    """Tell the audit log that the window was locked."""
    session.execute(text("select auth.note_lock()"))


def staff(session: ClinicSession) -> list[StaffRow]:
    """Every account but the patients', by name; the last sign-in only where the reader may see sessions."""
    last = (select(SessionTable.user_id, func.max(SessionTable.created_at).label("at")).group_by(SessionTable.user_id)).subquery()
    rows = session.execute(
        select(User.id, User.username, User.name, User.role, User.active, last.c.at, User.version, User.second_factor)
        .outerjoin(last, last.c.user_id == User.id)
        .where(User.role != "patient")
        .order_by(func.lower(User.name), User.id)
    )
    return [StaffRow(*row) for row in rows]


def account(session: ClinicSession, user_id: int) -> StaffRow:
    """One account of the staff: one's own, or anybody's."""
    found = next((row for row in staff(session) if row.user_id == user_id), None)
    if found is None:
        raise NotAllowed
    return found


def sessions(session: ClinicSession) -> list[SessionRow]:
    """Sessions that live now: all of them for an administrator, one's own for others; newest first."""
    table = SessionTable
    mine = session.scalar(text("select session_id from auth.current_session()"))
    rows = session.execute(
        select(table.id, User.username, User.name, User.role, table.workstation, table.created_at, table.last_used_at, table.expires_at)
        .join(User, User.id == table.user_id)
        .where(table.ended_at.is_(None), table.pending.is_(None), table.expires_at > func.now(), table.absolute_expires_at > func.now())
        .order_by(table.created_at.desc(), table.id.desc())
    )
    return [SessionRow(*row, mine=row.id == mine) for row in rows]


def end_session(session: ClinicSession, session_id: int) -> None:
    """End a session: one's own, or anybody's as administrator; its window asks for a new sign-in at once."""
    if not session.scalar(text("select auth.end_session(:id)"), {"id": session_id}):
        raise NotAllowed
