"""Somebody writing through the services in a process that is going to be killed: forked off one that has everything loaded.

`python -m tests.reliability.writer_process` reads one JSON job per line ({"folder", "collection", "addresses", "doctor", "tokens", "kind",
"number", "ledger"}) and forks for each; the child does that kind of write without end, with a ledger. It says `child PID`, and
`gone STATUS` when the child has ended.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from clinicdesk.clinic import Clinic
from clinicdesk.config import load_settings
from clinicdesk.services import accounts
from clinicdesk.storage.addresses import Addresses
from clinicdesk.storage.vault import Vault
from tests.clinics import KEY, ZONE
from tests.reliability.forking import fork_for_each_line
from tests.reliability.ledger import Ledger
from tests.reliability.writing import Hand


def write(job: dict[str, Any]) -> None:
    settings = load_settings(data_dir=Path(job["folder"]), zone=ZONE, mongodb_collection_name=job["collection"])
    clinic = Clinic(settings, Addresses(**job["addresses"]), vault=Vault(KEY), zone=ZONE)
    for token in job["tokens"].values():  # signed in by the test: each round would spend more time on that than on writing
        with clinic.read(token) as session:
            clinic._people[token] = accounts.who(session)
    hand = Hand(clinic, job["doctor"], job["tokens"], Ledger(Path(job["ledger"])), job["number"])
    hand.run((job["kind"],))
    raise SystemExit(repr(hand.problem))


if __name__ == "__main__":
    fork_for_each_line(write)
