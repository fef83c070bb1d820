"""Does the time of a refusal tell whether a name exists? And how soon does an ended session reach an open window?

`python -m benchmarks.sign_in [ROUNDS]`: whole refusals (deriving the key, then two transactions) of a known name, another known name, an
unknown one and one switched off, in turn and in changing order. Two known names differ only by chance: that difference is the floor.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.filling import PASSWORD
from clinicdesk.clinic import Clinic, open_clinic
from clinicdesk.config import load_settings
from clinicdesk.credentials import Credentials
from clinicdesk.errors import SignInRefused
from clinicdesk.services import accounts
from clinicdesk.storage.embedded import EmbeddedServers

KINDS = {"known name": ("rita", "wrong password"), "another known name (floor)": ("sam", "wrong password"),
         "unknown name": ("nora", "wrong password"), "switched off, right password": ("olga", PASSWORD)}


def run(rounds: int) -> None:
    """Measure on a scratch clinic, print, remove it."""
    os.environ["CLINICDESK_SECRETS"] = "file"
    folder = Path(tempfile.mkdtemp(prefix="clinicdesk-bench-"))
    folder.chmod(0o711)
    data = folder / "clinic"
    clinic = open_clinic(load_settings(data_dir=data).model_copy(update={"database_url": None, "mongodb_uri": None}), worker=False)
    try:
        with clinic.as_owner() as session:
            for name, role in (("ada", "administrator"), ("rita", "receptionist"), ("sam", "receptionist"), ("olga", "receptionist")):
                accounts.insert_account(session, name, name.capitalize(), role, PASSWORD)
        with clinic.write(clinic.sign_in("ada", PASSWORD).token) as session:
            olga = next(row for row in accounts.staff(session) if row.username == "olga")
            accounts.set_active(session, olga.user_id, active=False)
        _refusals(clinic, rounds)
        _revocation(clinic, 20)
    finally:
        clinic.close()
        EmbeddedServers(data, Credentials(data)).stop_now()
        shutil.rmtree(folder, ignore_errors=True)


def _refusals(clinic: Clinic, rounds: int) -> None:
    times: dict[str, list[float]] = {kind: [] for kind in KINDS}
    order = list(KINDS)
    for number in range(rounds + 10):
        for kind in order[number % 4:] + order[:number % 4]:
            name, password = KINDS[kind]
            begun = time.perf_counter()
            _refused(lambda name=name, password=password: clinic.sign_in(name, password, "bench"))  # type: ignore[misc]
            if number >= 10:
                times[kind].append((time.perf_counter() - begun) * 1000)
        with clinic.as_owner() as session:
            session.connection().exec_driver_sql("update auth.attempts set failed = 0")
    base = statistics.median(times["known name"])
    for kind, found in times.items():
        median = statistics.median(found)
        print(f"{kind:32} {median:7.2f} ms   {100 * (median - base) / base:+.2f} %")


def _refused(call: Callable[[], object]) -> None:
    try:
        call()
    except SignInRefused:
        return
    raise AssertionError("this should have been refused")


def _revocation(clinic: Clinic, rounds: int) -> None:
    """From the commit that ends a session to its holder's desk being told (the desk then asks, and locks)."""
    told = threading.Event()
    listener = clinic.listen(lambda topic: told.set() if topic == "sessions" else None, lambda _up: None)
    ada = clinic.sign_in("ada", PASSWORD).token
    found = []
    try:
        for _ in range(rounds):
            told.clear()
            clinic.sign_in("rita", PASSWORD)
            if not told.wait(10):  # the notice of that sign-in itself
                raise AssertionError("nobody was told")
            told.clear()
            with clinic.write(ada) as session:
                row = next(row for row in accounts.sessions(session) if row.username == "rita")
                accounts.end_session(session, row.id)
            begun = time.perf_counter()
            if not told.wait(10):
                raise AssertionError("nobody was told")
            found.append((time.perf_counter() - begun) * 1000)
    finally:
        listener.stop()
    print(f"{'ended session known elsewhere':32} {statistics.median(found):7.2f} ms   worst {max(found):.2f} ms")


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
