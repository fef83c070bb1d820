"""A key pair of a computer that asks for the clinic key (X25519), and the clinic key sealed for it."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from clinicdesk.storage.vault import Place, seal, unseal

_PLACE = Place("", "enrolments", "clinic_key")
_RAW = (Encoding.Raw, PublicFormat.Raw)


class Newcomer:
    """The new computer's side; the private half never leaves this object."""

    def __init__(self) -> None:
        self._private = X25519PrivateKey.generate()

    @property
    def public(self) -> bytes:
        """The half that is shown (32 bytes)."""
        return self._private.public_key().public_bytes(*_RAW)

    def open(self, sealed: bytes) -> bytes:
        """The clinic key that was sealed for this computer. SealBroken when it was sealed for another one."""
        once = sealed[:32]
        shared = self._private.exchange(X25519PublicKey.from_public_bytes(once))
        return unseal(_key(shared, once, self.public), sealed[32:], _PLACE)


def seal_for(public: bytes, clinic_key: bytes) -> bytes:
    """The clinic key so that only the holder of the private half opens it: a public key used once, and an envelope."""
    own = X25519PrivateKey.generate()
    once = own.public_key().public_bytes(*_RAW)
    return once + seal(_key(own.exchange(X25519PublicKey.from_public_bytes(public)), once, public), clinic_key, _PLACE)


def _key(shared: bytes, once: bytes, public: bytes) -> bytes:
    return HKDF(SHA256(), 32, None, b"ClinicDesk enrolment" + once + public).derive(shared)
