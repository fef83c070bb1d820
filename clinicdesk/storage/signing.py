"""Signing keys: Ed25519 pairs, the certificate a PDF viewer shows, and checking. With `vault.py` the users of `cryptography`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID

from clinicdesk.rules.codes import KEY_ID

#: A certificate only carries the key into the PDF; whether a key counts is decided by the trust list, so it outlives the person's career.
_YEARS = 50


@dataclass(frozen=True, slots=True, repr=False)
class SigningKey:
    """A private key of 32 bytes. It is never written anywhere unwrapped and never shown."""

    private: bytes

    @property
    def public(self) -> bytes:
        """The 32 bytes anybody may have."""
        return self._key().public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        """The first bytes of the public key's SHA-256."""
        return key_id_of(self.public)

    def sign(self, data: bytes) -> bytes:
        """The signature, 64 bytes; the same data gives the same signature."""
        return self._key().sign(data)

    def pkcs8(self) -> bytes:
        """The private key as a PDF signer wants it (DER), in memory alone."""
        return self._key().private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    def certificate(self, name: str, clinic: str, at: datetime) -> bytes:
        """A self-signed certificate (DER) naming the doctor and the clinic."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
                             x509.NameAttribute(NameOID.ORGANIZATION_NAME, (clinic or "ClinicDesk")[:64])])
        begins = at.astimezone(UTC) - timedelta(minutes=5)
        usage = x509.KeyUsage(digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
                              key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False)
        built = (x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(self._key().public_key())
                 .serial_number(int.from_bytes(self.key_id, "big") + 1).not_valid_before(begins)
                 .not_valid_after(begins + timedelta(days=365 * _YEARS))
                 .add_extension(usage, critical=True).add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True))
        return built.sign(self._key(), None).public_bytes(serialization.Encoding.DER)

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.private)


def new_signing_key() -> SigningKey:
    """A random key pair."""
    return SigningKey(Ed25519PrivateKey.generate().private_bytes_raw())


def key_id_of(public: bytes) -> bytes:
    """The id by which a code and the trust list name a public key."""
    return hashlib.sha256(public).digest()[:KEY_ID]


def key_words(key_id: bytes) -> str:
    """A key id for a person to read out, for example `3F2A 90C4 11BE`."""
    text = key_id.hex().upper()
    return " ".join(text[n:n + 4] for n in range(0, len(text), 4))


def verified(public: bytes, signature: bytes, data: bytes) -> bool:
    """Whether this key made this signature over this data."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


#: What stands in a certificate between what is signed and the signature, and is itself signed by nobody: the algorithm (RFC 8410) and the
#: beginning of a bit string of 64 bytes.
_ED25519 = bytes.fromhex("300506032b6570034100")


def certified(certificate: bytes) -> tuple[bytes, str] | None:
    """The public key and the name in a self-signed Ed25519 certificate; None for any other, damaged or changed."""
    try:
        read = x509.load_der_x509_certificate(certificate)
        public = read.public_key()
        if not isinstance(public, Ed25519PublicKey):
            return None
        public.verify(read.signature, read.tbs_certificate_bytes)
        if not certificate.endswith(read.tbs_certificate_bytes + _ED25519 + read.signature):
            return None
        names = read.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return public.public_bytes_raw(), str(names[0].value) if names else ""
    except (InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion, ValueError, TypeError):
        return None
