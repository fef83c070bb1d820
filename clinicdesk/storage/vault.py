"""Sealing: AES-256-GCM under a key per patient and purpose, each wrapped by the clinic key. The only user of `cryptography`.

An envelope is one version byte, a random 12-byte nonce, and the ciphertext with its 16-byte tag: 29 bytes more than the text. The
associated data binds patient, record, field and version, so a sealed text moved to another place cannot be opened there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ENVELOPE = 29
_FORMAT = b"\x01"
_NONCE = 12


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


class Vault:
    """Holds the clinic key and opens patient keys with it. Threads may share one."""

    def __init__(self, clinic_key: bytes) -> None:
        if len(clinic_key) != 32:
            raise ValueError("a clinic key has 32 bytes")
        self._clinic_key = clinic_key

    def wrap(self, key: bytes, patient_id: str, purpose: str) -> bytes:
        """A patient key as it is stored (61 bytes)."""
        return seal(self._clinic_key, key, Place(patient_id, "patient_keys", purpose))

    def unwrap(self, wrapped: bytes, patient_id: str, purpose: str) -> bytes:
        """The patient key again; SealBroken with another clinic's key."""
        return unseal(self._clinic_key, wrapped, Place(patient_id, "patient_keys", purpose))

    def wrap_stream_key(self, key: bytes) -> bytes:
        """The key of a backup file as it stands in the file's header."""
        return seal(self._clinic_key, key, Place("", "backup", "stream_key"))

    def unwrap_stream_key(self, wrapped: bytes) -> bytes:
        """The key of a backup file again; SealBroken with another clinic's key."""
        return unseal(self._clinic_key, wrapped, Place("", "backup", "stream_key"))

    def fingerprint(self) -> bytes:
        """A sealed constant by which a workstation later proves that it holds the same clinic key."""
        return seal(self._clinic_key, b"clinicdesk", Place("", "settings", "clinic_key"))

    def fits(self, fingerprint: bytes) -> bool:
        """Whether this is the key that made the fingerprint."""
        try:
            return unseal(self._clinic_key, fingerprint, Place("", "settings", "clinic_key")) == b"clinicdesk"
        except SealBroken:
            return False
