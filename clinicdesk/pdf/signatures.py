"""The signature inside a PDF: made with pyHanko, taken apart strictly. With nothing else using pyHanko or asn1crypto.

A signed document is the drawn bytes, one comment with a short digest of each block of them (so that a damaged place can be named), and one
revision that adds the signature. The CMS in it is Ed25519 over SHA-512 with the doctor's self-signed certificate; it is the one part no
signature covers, so `opened` rebuilds it from its certificate, attributes and signature and takes nothing that is not exactly that.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
import re
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from asn1crypto import algos, cms, core
from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509

from clinicdesk.errors import ClinicError

BLOCK: Final = 512
_COMMENT: Final = b"% ClinicDesk blocks "
_FIELD: Final = "Signature"
_RANGE: Final = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")
_ROOM: Final = 2048  # octets for the CMS; about 900 are used
logging.getLogger("pyhanko").setLevel(logging.ERROR)

_NOT_SIGNED: Final = ("The document could not be signed, so nothing was issued.", "Try again; if it stays so, tell the administrator.")
T = TypeVar("T")


class CannotSign(ClinicError):
    """Nothing was issued because the signature could not be made."""


@dataclass(frozen=True, slots=True)
class PdfSigner:
    """What signs a document: the private key (PKCS 8) and the certificate, both DER, and who it says it is."""

    private: bytes
    certificate: bytes
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class PdfSignature:
    """A signature taken apart. `end` is where the signed revision ends; `covered` says whether the digest fits its bytes.

    `problem` names what is not as this program writes it; empty when all is. `attributes` are the bytes under `signature`.
    """

    end: int
    certificate: bytes
    attributes: bytes
    signature: bytes
    signed_at: datetime | None
    covered: bool
    problem: str = ""


def sign_pdf(pdf: bytes, signer: PdfSigner, box: tuple[float, float, float, float], page: int) -> bytes:
    """The document with its signature as an appended revision; the visible place is `box` (points from the lower left) on a page from 0.

    `CannotSign` when anything about it fails. Any thread. The first call loads pyHanko, 0.2 s that no start of a window waits for.
    """
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import signers
    from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
    from pyhanko.stamp import NoOpStampStyle

    try:
        end = pdf[pdf.rindex(b"startxref"):]  # again behind the comment, for readers that look near the end of a file
        body = pdf + _COMMENT + _block_digests(pdf).encode() + b"\n" + end
        key = asn1_keys.PrivateKeyInfo.load(signer.private)
        certificate = asn1_x509.Certificate.load(signer.certificate)
        with_key = signers.SimpleSigner(signing_cert=certificate, signing_key=key, cert_registry=_store())
        about = signers.PdfSignatureMetadata(field_name=_FIELD, md_algorithm="sha512", name=signer.name, reason=signer.reason,
                                             subfilter=SigSeedSubFilter.ADOBE_PKCS7_DETACHED)
        made = signers.PdfSigner(about, signer=with_key, stamp_style=NoOpStampStyle(),
                                 new_field_spec=SigFieldSpec(_FIELD, on_page=page, box=tuple(round(v) for v in box)))  # type: ignore[arg-type]
        out = _awaited(made.async_sign_pdf(IncrementalPdfFileWriter(io.BytesIO(body), strict=True), bytes_reserved=_ROOM * 2))
        signed = bytes(out.getvalue())
        found = opened(signed)
    except ClinicError:
        raise
    except Exception as error:
        raise CannotSign(*_NOT_SIGNED) from error
    if found is None or found.problem or not found.covered or found.end != len(signed):
        raise CannotSign(*_NOT_SIGNED)
    return signed


def _store() -> Any:
    from pyhanko_certvalidator.registry import SimpleCertificateStore

    store: Any = SimpleCertificateStore
    return store()


def _awaited(work: Coroutine[Any, Any, T]) -> T:
    """Run pyHanko's coroutine here; a worker thread has no loop of its own."""
    return asyncio.run(work)


def _block_digests(pdf: bytes) -> str:
    return "".join(hashlib.sha256(pdf[n:n + BLOCK]).hexdigest()[:8] for n in range(0, len(pdf), BLOCK))


def is_signed(pdf: bytes) -> bool:
    """Whether there is, or was, a signature of this program."""
    return any(trace in pdf for trace in (b"/ByteRange", b"/Type /Sig", _COMMENT))


def opened(pdf: bytes) -> PdfSignature | None:
    """The signature of the document, taken apart; None when there is none. Whose it is, is not decided here."""
    found = list(_RANGE.finditer(pdf))
    if not found:
        return PdfSignature(len(pdf), b"", b"", b"", None, covered=False, problem="its place") if is_signed(pdf) else None
    start, first, second, length = (int(v) for v in found[-1].groups())
    end = second + length
    gap = pdf[first:second]
    empty = PdfSignature(end, b"", b"", b"", None, covered=False)
    if len(found) > 1 or start != 0 or not first < second <= end <= len(pdf) or gap[:1] != b"<" or gap[-1:] != b">":
        return _with(empty, "the place of the signature")
    digits = gap[1:-1]
    try:
        raw = bytes.fromhex(digits.decode("ascii"))
        info = cms.ContentInfo.load(raw)
        size = len(info.dump())
        signed = info["content"]
        signer = signed["signer_infos"][0]
        certificate = signed["certificates"][0].chosen.dump()
        attributes = signer["signed_attrs"].untag().dump()
        signature = signer["signature"].native
        values = {a["type"].native: a["values"] for a in signer["signed_attrs"]}
        digest = values["message_digest"][0].native
        at = values["signing_time"][0].native if "signing_time" in values else None
        exact = _rebuilt(certificate, signer["signed_attrs"], signature)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, UnicodeDecodeError, OverflowError):
        return _with(empty, "the bytes of the signature itself")
    taken = PdfSignature(end, certificate, attributes, signature, at,
                         covered=hashlib.sha512(pdf[:first] + pdf[second:end]).digest() == digest)
    written = raw[:size].hex().encode()
    if exact != raw[:size] or digits != (written.upper() if digits[:2 * size].isupper() else written).ljust(len(digits), b"0"):
        return _with(taken, "the bytes of the signature itself")
    return taken


def _with(found: PdfSignature, problem: str) -> PdfSignature:
    return PdfSignature(found.end, found.certificate, found.attributes, found.signature, found.signed_at, found.covered, problem)


def _rebuilt(certificate: bytes, attributes: Any, signature: bytes) -> bytes:
    """The only CMS this program would have written around these three.

    What was read is encoded anew once, piece by piece; `force` on the whole would do so again at every level, which took 70 ms.
    """
    cert = asn1_x509.Certificate.load(certificate)
    issuer = asn1_x509.Name.load(cert.issuer.dump(force=True))
    attributes = cms.CMSAttributes.load(attributes.dump(force=True), tag_type="implicit", tag=0)
    sha512 = algos.DigestAlgorithm({"algorithm": "sha512"})
    signer = cms.SignerInfo({
        "version": "v1",
        "sid": cms.SignerIdentifier({"issuer_and_serial_number": cms.IssuerAndSerialNumber(
            {"issuer": issuer, "serial_number": cert.serial_number})}),
        "digest_algorithm": sha512,
        "signed_attrs": attributes,
        "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "ed25519"}),
        "signature": core.OctetString(signature),
    })
    signed = cms.SignedData({
        "version": "v1",
        "digest_algorithms": cms.DigestAlgorithms((sha512,)),
        "encap_content_info": cms.ContentInfo({"content_type": "data"}),
        "certificates": [cert],
        "signer_infos": [signer],
    })
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def damaged(pdf: bytes) -> list[tuple[int, int]]:
    """Ranges of bytes of the drawn document that are no longer as they were signed; empty when the damage is elsewhere.

    Only a help to find the place: these digests are short and nobody's proof.
    """
    at = pdf.rfind(_COMMENT)
    if at < 0:
        return []
    known = pdf[at + len(_COMMENT):].split(b"\n", 1)[0].decode("ascii", "replace")
    now = _block_digests(pdf[:at])
    wrong = [n for n in range(0, max(len(known), len(now)), 8) if known[n:n + 8] != now[n:n + 8]]
    found: list[tuple[int, int]] = []
    for n in wrong:
        first, last = n // 8 * BLOCK, min(n // 8 * BLOCK + BLOCK, at)
        if found and found[-1][1] == first:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found
