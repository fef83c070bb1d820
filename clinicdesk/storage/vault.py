"""Sealing: AES-256-GCM under a key per patient and purpose, each wrapped by the clinic key. The only user of `cryptography`.

An envelope is one version byte, a random 12-byte nonce, and the ciphertext with its 16-byte tag: 29 bytes more than the text. The
associated data binds patient, record, field and version, so a sealed text moved to another place cannot be opened there.
"""

from __future__ import annotations

import hmac
import os
from contextlib import suppress
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinicdesk.errors import ClinicError

ENVELOPE = 29
_FORMAT = b"\x01"
_NONCE = 12
_GENERATIONS = 1_000  # more changes of a clinic key than any clinic will make; a try takes microseconds


class SealBroken(Exception):
    """A sealed text does not open: wrong key, changed bytes, or moved from another patient, record, field or version."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed text belongs; part of what is authenticated."""

    patient_id: str
    record: str
    field: str
    version: int = 1

    def bound(self) -> bytes:
        """The associated data. Parts are length-prefixed, so that no two places share one."""
        parts = (self.patient_id, self.record, self.field, str(self.version))
        return b"".join(len(p.encode()).to_bytes(2, "big") + p.encode() for p in parts)


def new_key() -> bytes:
    """A random 256-bit key."""
    return os.urandom(32)


def seal(key: bytes, text: str | bytes, place: Place) -> bytes:
    """Seal a text (UTF-8) or bytes for one place."""
    plain = text.encode() if isinstance(text, str) else text
    nonce = os.urandom(_NONCE)
    return _FORMAT + nonce + AESGCM(key).encrypt(nonce, plain, _FORMAT + place.bound())


def unseal(key: bytes, sealed: bytes, place: Place) -> bytes:
    """Open what was sealed for this place.

    Raises SealBroken for anything else.
    """
    if len(sealed) < ENVELOPE or sealed[:1] != _FORMAT:
        raise SealBroken("not an envelope of a known format")
    try:
        return AESGCM(key).decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _FORMAT + place.bound())
    except InvalidTag as error:
        raise SealBroken("the seal does not fit this place or key") from error


class FrameSeal:
    """Seals the frames of one stream (a backup file) under a key made for this stream alone, which is why a counter may be the nonce.

    The associated data binds the stream (`bound`), the frame's number and whether it is the last: a frame that was changed, moved,
    repeated, left out or brought from another stream does not open, and neither does a stream that ends early or goes on.
    """

    def __init__(self, key: bytes, bound: bytes) -> None:
        self._cipher, self._bound = AESGCM(key), bound

    def close(self, plain: bytes, number: int, *, last: bool) -> bytes:
        """The frame as it is stored, 16 bytes longer."""
        return self._cipher.encrypt(number.to_bytes(_NONCE, "big"), plain, self._bound + (b"\x01" if last else b"\x00"))

    def open(self, sealed: bytes, number: int, *, last: bool) -> bytes:
        """The frame again; SealBroken when it is not the one that was sealed for this place."""
        try:
            return self._cipher.decrypt(number.to_bytes(_NONCE, "big"), sealed, self._bound + (b"\x01" if last else b"\x00"))
        except InvalidTag as error:
            raise SealBroken("the frame does not belong here") from error


class NeedsNewKey(ClinicError):
    """What is to be opened was wrapped under a newer clinic key than this computer holds."""

    def __init__(self) -> None:
        super().__init__("The clinic has a new key, which this computer does not hold yet.",
                         "Enter it from the new recovery kit with “clinicdesk key enter”, then start ClinicDesk again.")


class Vault:
    """Holds the clinic key and opens patient keys with it. Threads may share one.

    A clinic that changed its key has generations of it, counted from 1; whoever holds the newest holds those before, too, because each
    is kept wrapped by the one after it. New keys are always wrapped under the newest one known.
    """

    def __init__(self, clinic_key: bytes, generation: int = 1) -> None:
        self._keys: dict[int, bytes] = {}
        self.learn(clinic_key, generation)

    @property
    def generation(self) -> int:
        """Which of the clinic's keys is used for what is wrapped now."""
        return max(self._keys)

    @property
    def clinic_key(self) -> bytes:
        """The newest key itself: for the recovery kit and for a computer that is enrolled, for nothing else."""
        return self._keys[self.generation]

    @classmethod
    def opened_by(cls, clinic_key: bytes, fingerprint: bytes) -> Vault | None:
        """The vault of a key whose generation only a fingerprint tells; None when this key did not make it."""
        return next((vault for number in range(1, _GENERATIONS) if (vault := cls(clinic_key, number)).fits(fingerprint)), None)

    def key(self, generation: int) -> bytes:
        """The key of a generation that is held: for a restore, for nothing else. KeyError else."""
        return self._keys[generation]

    def learn(self, clinic_key: bytes, generation: int) -> None:
        """Hold the key of one more generation."""
        if len(clinic_key) != 32:
            raise ValueError("a clinic key has 32 bytes")
        self._keys = {**self._keys, generation: clinic_key}

    def wrap(self, key: bytes, patient_id: str, purpose: str) -> bytes:
        """A patient key as it is stored (61 bytes), under the newest generation."""
        newest = self.generation
        return seal(self._keys[newest], key, Place(patient_id, "patient_keys", purpose, newest))

    def unwrap(self, wrapped: bytes, patient_id: str, purpose: str, generation: int = 1) -> bytes:
        """The patient key again; SealBroken with another clinic's key, NeedsNewKey when it is of a generation not held."""
        if generation not in self._keys:
            raise NeedsNewKey
        return unseal(self._keys[generation], wrapped, Place(patient_id, "patient_keys", purpose, generation))

    def learn_former(self, wrapped: bytes, generation: int) -> None:
        """Hold the key before `generation`, too, which must be held already. SealBroken when it is not the one."""
        self.learn(unseal(self._keys[generation], wrapped, Place("", "clinic_keys", "former", generation)), generation - 1)

    def wrap_stream_key(self, key: bytes) -> bytes:
        """The key of a backup file as it stands in the file's header."""
        return seal(self.clinic_key, key, Place("", "backup", "stream_key"))

    def unwrap_stream_key(self, wrapped: bytes) -> bytes:
        """The key of a backup file again, whichever generation wrapped it; SealBroken when none that is held did."""
        for key in self._keys.values():
            with suppress(SealBroken):
                return unseal(key, wrapped, Place("", "backup", "stream_key"))
        raise SealBroken("the backup was sealed with another key")

    def fingerprint(self, generation: int | None = None) -> bytes:
        """A sealed constant by which a workstation later proves that it holds the same clinic key (default: the newest)."""
        number = generation or self.generation
        return seal(self._keys[number], b"clinicdesk", Place("", "settings", "clinic_key", number))

    def fits(self, fingerprint: bytes) -> bool:
        """Whether the fingerprint was made with a key held here, of its generation."""
        return self.key_of(fingerprint) is not None

    def key_of(self, fingerprint: bytes) -> bytes | None:
        """The key, of those held here, that made the fingerprint."""
        for number, key in self._keys.items():
            with suppress(SealBroken):
                if unseal(key, fingerprint, Place("", "settings", "clinic_key", number)) == b"clinicdesk":
                    return key
        return None

    def formers(self) -> dict[int, bytes]:
        """Each key but the newest, wrapped by the one after it: by the generation of that one."""
        known = sorted(self._keys)
        return {number: seal(self._keys[number], self._keys[number - 1], Place("", "clinic_keys", "former", number))
                for number in known if number - 1 in self._keys}

    def mark(self, purpose: str, message: bytes, generation: int | None = None) -> bytes:
        """HMAC-SHA-256 of a message under a key made from the clinic key for this purpose alone: who has no clinic key cannot write it.

        NeedsNewKey when the generation (default: the newest) is not held.
        """
        number = self.generation if generation is None else generation
        if number not in self._keys:
            raise NeedsNewKey
        return hmac.digest(hmac.digest(self._keys[number], f"ClinicDesk {purpose}".encode(), "sha256"), message, "sha256")

    def marked(self, purpose: str, message: bytes, mark: bytes) -> bool:
        """Whether this clinic made the mark, under any generation of its key that is held."""
        return any(hmac.compare_digest(self.mark(purpose, message, number), mark) for number in self._keys)
