"""The clinic's earlier keys on this computer, each wrapped by the one after it, so that older backups open here without their old kit.

The database has the same; this file is for the day when the database is what is gone. Without the newest key it says nothing.
"""

from __future__ import annotations

import base64
import json
from contextlib import suppress
from pathlib import Path

from clinicdesk.storage.vault import SealBroken, Vault
from clinicdesk.whole_files import write_whole

FORMER_KEYS = "former-keys.json"


def keep_former(data_dir: Path, vault: Vault) -> None:
    """Keep what this vault holds beside its newest key; nothing to do while there was no change of the key. OSError when it cannot be."""
    known = set(vault.formers())
    if known and known != set(_read(data_dir)):
        rows = {str(number): base64.b64encode(wrapped).decode() for number, wrapped in vault.formers().items()}
        write_whole(data_dir / FORMER_KEYS, json.dumps(rows, indent=1).encode())


def with_former(data_dir: Path, key: bytes) -> Vault | None:
    """The vault of a key with those before it; None when the file has none that this key opens."""
    wrapped = _read(data_dir)
    for newest in sorted(wrapped, reverse=True):
        vault = Vault(key, newest)
        with suppress(SealBroken, KeyError):
            for number in range(newest, 1, -1):
                vault.learn_former(wrapped[number], number)
            return vault
    return None


def _read(data_dir: Path) -> dict[int, bytes]:
    try:
        rows = json.loads((data_dir / FORMER_KEYS).read_text(encoding="utf-8"))
        return {int(number): base64.b64decode(text) for number, text in rows.items()}
    except (OSError, ValueError, AttributeError, TypeError):  # not there, or not ours any more: the old kit opens older backups
        return {}
