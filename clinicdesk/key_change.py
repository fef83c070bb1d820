"""Changing the clinic key: a new generation, every wrapped key wrapped again in batches, the old key kept under the new one.

The steps are transactions of their own, so that readers go on, and so that a change can be stopped and taken up again at any point:
`begin`, `take_up` (also after a crash), `step` until nothing is left, `finish`. `change` runs them all.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select, text

from clinicdesk.clinic import store_key, stored_key
from clinicdesk.credentials import Credentials
from clinicdesk.errors import ClinicError
from clinicdesk.former_keys import keep_former
from clinicdesk.models.erasing import ClinicKey
from clinicdesk.models.people import PatientKey
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Vault, new_key

#: Where the new key waits until the database has taken note of it.
NEXT_KEY: Final = "clinic-key.next"
BATCH: Final = 500


def unfinished(session: ClinicSession) -> int | None:
    """The generation that somebody began to change to; None when no change is under way."""
    return session.scalar(select(ClinicKey.generation).where(ClinicKey.finished_at.is_(None)))


def begin(session: ClinicSession, data_dir: Path) -> None:
    """Make a new key and tell the database its fingerprint; administrators only.

    It is kept on this computer before the caller commits, and only once the database has agreed: nothing is ever wrapped by a key that
    lives in memory alone, and a beginning that is refused does not take the place of one under way.
    """
    vault = session.vault
    key, number = new_key(), vault.generation + 1
    both = Vault(vault.clinic_key, vault.generation)
    both.learn(key, number)
    with session.attempt():
        session.execute(select(func.clinic.begin_key(number, both.fingerprint(), both.formers()[number])))
    Credentials(data_dir).set(NEXT_KEY, base64.b64encode(key).decode())


def take_up(session: ClinicSession, data_dir: Path) -> int:
    """Use the begun key from now on, in this process and at the next start; how many patient keys are still to be wrapped again.

    ClinicError when this computer has no part in the change.
    """
    row = session.scalars(select(ClinicKey).where(ClinicKey.finished_at.is_(None))).one_or_none()
    if row is None:
        raise ClinicError("No change of the clinic key is under way.")
    if session.vault.generation < row.generation:
        credentials = Credentials(data_dir)
        waiting = credentials.get(NEXT_KEY)
        key = base64.b64decode(waiting) if waiting else stored_key(credentials)
        if key is None or not Vault(key, row.generation).fits(row.fingerprint):
            raise ClinicError("The change of the clinic key was begun on another computer.",
                              "Go on there, or enter the new key here first with “clinicdesk key enter”.")
        store_key(credentials, key)
        session.vault.learn(key, row.generation)
        keep_former(data_dir, session.vault)
        credentials.delete(NEXT_KEY)
    return left(session)


def left(session: ClinicSession) -> int:
    """How many patient keys are still wrapped by an older key than the newest this computer holds."""
    return session.scalar(select(func.count()).select_from(PatientKey).where(PatientKey.generation < session.vault.generation)) or 0


def step(session: ClinicSession, limit: int = BATCH) -> int:
    """Wrap up to `limit` keys again (and as many doctors' signing keys); how many were done, none when nothing is left."""
    vault, number = session.vault, session.vault.generation
    rows = session.execute(text("select relation, row_id, owner, purpose, wrapped, generation from clinic.wrapped_before(:g, :n)"),
                           {"g": number, "n": limit}).all()
    if not rows:
        return 0
    after = [vault.wrap(vault.unwrap(bytes(r.wrapped), r.owner, r.purpose, r.generation), r.owner, r.purpose) for r in rows]
    with session.attempt():
        return int(session.execute(
            text("select clinic.rewrap(:g, :relations, :rows, :purposes, :before, :after)"),
            {"g": number, "relations": [r.relation for r in rows], "rows": [r.row_id for r in rows], "purposes": [r.purpose for r in rows],
             "before": [bytes(r.wrapped) for r in rows], "after": after}).scalar_one())


def finish(session: ClinicSession) -> None:
    """The new key is the clinic's: from now on a computer with the old one does not start. Refused while anything is left."""
    with session.attempt():
        session.execute(select(func.clinic.finish_key(session.vault.generation)))


def follow(session: ClinicSession, keys: Vault) -> None:
    """Bring a restored clinic to the newest key in `keys`, as the owner and before anybody works: the kit that is in the safe today is the
    right one for it, and erasures proven by a later key can be proven in it. Nothing to do where it is as new as that.

    A change that was under way when the backup was taken is finished by it, or is still under way where its key is not in `keys`.
    """
    newest = keys.generation
    if session.vault.generation >= newest:
        return
    for number, former in keys.formers().items():
        if number > session.vault.generation:
            begun = session.get(ClinicKey, number) or ClinicKey(generation=number)
            begun.fingerprint, begun.former = keys.fingerprint(number), former
            session.add(begun)
    for row in session.scalars(select(PatientKey).where(PatientKey.generation < newest)):
        row.wrapped = keys.wrap(keys.unwrap(row.wrapped, row.patient_id, row.purpose, row.generation), row.patient_id, row.purpose)
        row.generation = newest
    signers = session.execute(text("select s.key_id, s.wrapped, s.generation, s.user_id, encode(k.public_key, 'hex') as public"
                                   " from clinic.signing_secrets s join clinic.signing_keys k on k.id = s.key_id where s.generation < :g"),
                              {"g": newest}).all()
    for secret in signers:
        owner, purpose = f"user:{secret.user_id}", f"signing:{secret.public}"
        again = keys.wrap(keys.unwrap(bytes(secret.wrapped), owner, purpose, secret.generation), owner, purpose)
        session.execute(text("update clinic.signing_secrets set wrapped = :w, generation = :g where key_id = :k"),
                        {"w": again, "g": newest, "k": secret.key_id})
    session.flush()
    session.execute(text("update clinic.clinic_keys set finished_at = now() where generation <= :g and finished_at is null"), {"g": newest})
    session.execute(text("select audit.note('finish', 'clinic key', null, :n)"), {"n": f"generation {newest}"})
    for number in range(session.vault.generation + 1, newest + 1):
        session.vault.learn(keys.key(number), number)


def change(perform: Callable[..., Any], data_dir: Path, progress: Callable[[int, int], None] = lambda _done, _all: None) -> int:
    """Change the key, or go on with a change that was stopped; how many patient keys were wrapped again.

    `perform(service, *args)` runs a service in a transaction of its own, as an administrator. `progress(done, of)` may raise to stop.
    """
    if perform(unfinished) is None:
        perform(begin, data_dir)
    total, done = perform(take_up, data_dir), 0
    progress(0, total)
    while wrapped := perform(step):
        done = min(total, done + wrapped)
        progress(done, total)
    perform(finish)
    return done
