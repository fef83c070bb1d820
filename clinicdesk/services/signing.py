"""Who signs: the key of the doctor who is signed in, the signature row of a paper, and the trust list that goes to a pharmacy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select, update

from clinicdesk.errors import ClinicError, NotAllowed
from clinicdesk.models.papers import KeyPair, Signature, SigningSecret
from clinicdesk.pdf.signatures import PdfSigner, sign_pdf
from clinicdesk.pdf.signed_page import Drawn
from clinicdesk.rules.canonical import KINDS, Paper
from clinicdesk.rules.codes import Stamp
from clinicdesk.rules.moments import clinical_moment, clinical_time, long_date
from clinicdesk.services.sealing import seal_text
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.signing import SigningKey, new_signing_key
from clinicdesk.storage.vault import Place
from clinicdesk.verifying.trust import Cancelled, Trust, TrustedKey, written

_PURPOSE = b"ClinicDesk paper 1\0"
_KEY_LOCK = 0x5167  # class of the advisory lock under which a doctor's key is made; the other half is her user id


@dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """The signed-in doctor with her key, for the length of a transaction."""

    row_id: int
    user_id: int
    name: str
    key: SigningKey
    certificate: bytes

    @property
    def stamp(self) -> Stamp:
        """What signs the codes."""
        return Stamp(self.key.key_id, self.key.sign)


def wrapping(user_id: int, public: bytes) -> tuple[str, str]:
    """Where a wrapped private key belongs: it opens nowhere else."""
    return f"user:{user_id}", f"signing:{public.hex()}"


def signer(session: ClinicSession) -> Signer:
    """The key of the doctor who is signed in, made now if she has none yet. NotAllowed for anybody else."""
    me = session.me
    if me is None or me.doctor_id is None:
        raise NotAllowed("Only a doctor signs papers.")
    mine = (
        select(KeyPair.id, KeyPair.owner_name, KeyPair.public_key, KeyPair.certificate, SigningSecret.wrapped,
               SigningSecret.generation)
        .outerjoin(SigningSecret, SigningSecret.key_id == KeyPair.id)
        .where(KeyPair.user_id == me.user_id, KeyPair.retired_at.is_(None))
    )
    row = session.execute(mine).one_or_none()
    if row is None:  # her two windows make one key between them
        session.execute(select(func.pg_advisory_xact_lock(_KEY_LOCK, me.user_id)))
        row = session.execute(mine).one_or_none()
    if row is None:
        return _made(session, me.user_id, me.name)
    if row.wrapped is None:
        raise ClinicError("Your signing key cannot be opened.", "Retire it and sign again; a new one is made then.")
    private = session.vault.unwrap(row.wrapped, *wrapping(me.user_id, row.public_key), row.generation)
    return Signer(row.id, me.user_id, row.owner_name, SigningKey(private), row.certificate)


def _made(session: ClinicSession, user_id: int, name: str) -> Signer:
    key = new_signing_key()
    certificate = key.certificate(name, clinic_settings(session).name, session.now())
    with session.attempt():
        row_id = session.execute(
            insert(KeyPair).values(user_id=user_id, public_key=key.public, certificate=certificate).returning(KeyPair.id)
        ).scalar_one()
        session.execute(insert(SigningSecret).values(
            key_id=row_id, user_id=user_id, wrapped=session.vault.wrap(key.private, *wrapping(user_id, key.public)),
            generation=session.vault.generation))
    return Signer(row_id, user_id, name, key, certificate)


def retire(session: ClinicSession) -> None:
    """Stop using one's key: what it signed stays valid, the next paper makes a new one."""
    if session.me is None or session.me.doctor_id is None:
        raise NotAllowed
    with session.attempt():
        session.execute(update(KeyPair).where(KeyPair.user_id == session.me.user_id, KeyPair.retired_at.is_(None))
                        .values(retired_at=session.now()).execution_options(synchronize_session=False))


def signer_words(name: str, at: datetime, *, long: bool = False) -> str:
    """What stands below the signature line; `long` for papers that patients read (R15)."""
    moment = f"{long_date(at.date())} {clinical_time(at)}" if long else clinical_moment(at)
    return f"Electronically signed by {name} on {moment}"


def signed_pdf(by: Signer, drawn: Drawn, kind: str, number: str) -> bytes:
    """The drawn paper with the PDF signature at its signature line; CannotSign when that fails, and then nothing may be issued."""
    return sign_pdf(drawn.pdf, PdfSigner(by.key.pkcs8(), by.certificate, by.name, f"{KINDS[kind][0]} {number}"), drawn.box, drawn.page)


def keep_signature(session: ClinicSession, by: Signer, claim: Paper, patient_id: str, *, prescription_id: int | None = None,
                   paper_id: int | None = None) -> None:
    """Store the signature over the whole canonical text beside its paper."""
    text = claim.text()
    with session.attempt():
        session.execute(insert(Signature).values(
            number=claim.number, patient_id=patient_id, prescription_id=prescription_id, paper_id=paper_id, key_id=by.row_id,
            signed_by=by.user_id, canonical=seal_text(session, canonical_place(patient_id, claim.number), text),
            signature=by.key.sign(_PURPOSE + text.encode())))


def canonical_place(patient_id: str, number: str) -> Place:
    """Where the sealed canonical text of a paper belongs."""
    return Place(patient_id, f"signature:{number}", "canonical")


def trust_list(session: ClinicSession) -> str:
    """The signed trust list as a file: all keys of this clinic, all cancelled numbers. Only a doctor can sign it (NotAllowed)."""
    by = signer(session)
    clinic = clinic_settings(session)
    keys = tuple(
        TrustedKey(row.public_key.hex(), row.certificate.hex(), row.owner_name, row.registration, row.made_at.isoformat(),
                   row.retired_at.isoformat() if row.retired_at else "")
        for row in session.execute(select(KeyPair.public_key, KeyPair.certificate, KeyPair.owner_name, KeyPair.registration,
                                          KeyPair.made_at, KeyPair.retired_at).order_by(KeyPair.id)))
    numbers = func.clinic.cancelled_numbers().table_valued("number", "voided_at")
    cancelled = tuple(Cancelled(row.number, row.voided_at.isoformat()) for row in session.execute(select(numbers.c.number,
                                                                                                         numbers.c.voided_at)))
    return written(Trust(clinic.name, str(session.zone), session.now().isoformat(), keys, cancelled), by.key)
