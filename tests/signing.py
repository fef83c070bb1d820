"""Signed papers without a clinic: a key, its trust list, a prescription drawn, stamped and signed as the service does it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from clinicdesk.pdf.prescription import draw
from clinicdesk.pdf.signatures import PdfSigner, sign_pdf
from clinicdesk.pdf.signed_page import Drawn
from clinicdesk.rules.codes import Stamp
from clinicdesk.storage.signing import SigningKey, new_signing_key
from clinicdesk.verifying.trust import Cancelled, Trust, TrustedKey

OWNER = "Dr Amelia Okonkwo"
ISSUED = datetime(2026, 11, 21, 14, 5, tzinfo=UTC)
KEY = new_signing_key()
CERTIFICATE = KEY.certificate(OWNER, "Harbour Street Clinic", ISSUED)
STAMP = Stamp(KEY.key_id, KEY.sign)


def trust_of(key: SigningKey = KEY, certificate: bytes = CERTIFICATE, *, cancelled: str = "", retired: str = "") -> Trust:
    begun = (ISSUED - timedelta(days=400)).isoformat()
    entry = TrustedKey(key.public.hex(), certificate.hex(), OWNER, "7654321", begun, retired)
    return Trust("Harbour Street Clinic", "UTC", ISSUED.isoformat(), (entry,),
                 (Cancelled(cancelled, ISSUED.isoformat()),) if cancelled else (), key.public.hex())


def signed(sheet: Any, page: str = "A4", key: SigningKey = KEY, certificate: bytes = CERTIFICATE) -> tuple[Drawn, bytes]:
    """The drawn sheet and its signed bytes."""
    drawn = draw(sheet, page, Stamp(key.key_id, key.sign))  # type: ignore[arg-type]
    return drawn, sign_pdf(drawn.pdf, PdfSigner(key.pkcs8(), certificate, OWNER, "Prescription"), drawn.box, drawn.page)
