"""The trust list: whose keys count, and which papers were cancelled. One file, signed by a doctor of the list, for any computer.

Who receives the first list compares the key of its signer by telephone or in person; every later list must be signed by a key she trusts
already. A list somebody edited does not open.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from clinicdesk.errors import ClinicError
from clinicdesk.storage.signing import SigningKey, key_id_of, key_words, verified
from clinicdesk.whole_files import write_whole

TRUST_FILE: Final = "trust.json"
_FORMAT: Final = "ClinicDesk trust list 1"
_PURPOSE: Final = b"ClinicDesk trust list 1\0"


class TrustBroken(ClinicError):
    """A trust list that cannot be used; nothing is judged by it."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key (hexadecimal), its certificate, and whose it is from when until when; times are ISO with offset, "" is still in use."""

    public: str
    certificate: str
    owner: str
    registration: str
    valid_from: str
    valid_to: str = ""

    @property
    def key_id(self) -> bytes:
        """As it stands in a code."""
        return key_id_of(bytes.fromhex(self.public))

    @property
    def words(self) -> str:
        """The id for a person."""
        return key_words(self.key_id)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A paper that no longer counts, since when."""

    number: str
    at: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What a computer believes. `signer` is the public key that signed the list; an empty list believes nothing."""

    clinic: str = ""
    zone: str = "UTC"
    made: str = ""
    keys: tuple[TrustedKey, ...] = ()
    cancelled: tuple[Cancelled, ...] = ()
    signer: str = ""

    def key(self, key_id: bytes) -> TrustedKey | None:
        """The key of an id."""
        return next((key for key in self.keys if key.key_id == key_id), None)

    def by_public(self, public: bytes) -> TrustedKey | None:
        """The entry of a public key."""
        return next((key for key in self.keys if key.public == public.hex()), None)

    def cancelled_at(self, number: str) -> datetime | None:
        """When a paper was cancelled."""
        return next((datetime.fromisoformat(one.at) for one in self.cancelled if one.number == number), None)


def _content(trust: Trust) -> dict[str, Any]:
    return {"format": _FORMAT, **asdict(trust)}


def _bytes(content: dict[str, Any]) -> bytes:
    return _PURPOSE + json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def written(trust: Trust, key: SigningKey) -> str:
    """The list as a file, signed."""
    signed = replace(trust, signer=key.public.hex())
    content = _content(signed)
    return json.dumps({**content, "signature": key.sign(_bytes(content)).hex()}, ensure_ascii=False, indent=1) + "\n"


def read(text: str) -> Trust:
    """The list of a file. TrustBroken when it is none, was changed, or is signed by nobody of the list."""
    try:
        content = json.loads(text)
        signature = bytes.fromhex(content.pop("signature"))
        if content.pop("format") != _FORMAT:
            raise TrustBroken("This is not a trust list of a ClinicDesk clinic.")
        keys = tuple(TrustedKey(**key) for key in content.pop("keys"))
        cancelled = tuple(Cancelled(**one) for one in content.pop("cancelled"))
        trust = Trust(**content, keys=keys, cancelled=cancelled)
        signer = bytes.fromhex(trust.signer)
        for moment in (trust.made, *(k.valid_from for k in keys), *(k.valid_to for k in keys if k.valid_to), *(c.at for c in cancelled)):
            if datetime.fromisoformat(moment).tzinfo is None:
                raise ValueError(moment)
        ZoneInfo(trust.zone)
    except (ValueError, TypeError, KeyError, AttributeError, OSError):  # OSError: a zone that is a folder
        raise TrustBroken("This trust list is damaged.", "Ask the clinic for a new one.") from None
    if trust.by_public(signer) is None or not verified(signer, signature, _bytes(_content(trust))):
        raise TrustBroken("This trust list was changed after it was signed.", "Do not use it. Ask the clinic for a new one.")
    return trust


def load(path: Path) -> Trust:
    """The list in a file; TrustBroken also when there is none."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        raise TrustBroken("There is no trust list here.", "Export it in ClinicDesk (“Check a paper”) and give it with --trust.") from None


def store(path: Path, text: str, *, own: bool = False) -> Trust:
    """Keep a list that opens, in one step. TrustBroken when it is signed by a key the list already kept here does not know, or is older.

    `own`: it was just made from the clinic's own database, which knows its doctors better than the file does.
    """
    new = read(text)
    if path.exists() and not own:
        try:
            known = load(path)
        except TrustBroken:
            known = Trust()
        if known.keys and known.by_public(bytes.fromhex(new.signer)) is None:
            raise TrustBroken("This list is signed by a key that the list on this computer does not know.",
                              "Ask the clinic, compare the key of the signer, and remove the old list first.")
        if known.made and datetime.fromisoformat(known.made) > datetime.fromisoformat(new.made):  # offsets differ over the year
            raise TrustBroken("The list on this computer is newer.", "Keep the newer one.")
    write_whole(path, text.encode())
    return new
