"""Files of a patient: sealed in pieces, staged in PostgreSQL, carried to the document server, read back, and never changed.

A piece is sealed for its attachment, its number, how many there are and how long the whole is, so that none can be swapped, left out or
put elsewhere. What is stored here in plain is only what kind of file it is, how large, and the checksum of the sealed bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import exists, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from clinicdesk.errors import ClinicError, Invalid, NotAllowed, Unavailable
from clinicdesk.models.accounts import User
from clinicdesk.models.files import Attachment, AttachmentChunk
from clinicdesk.models.records import Record
from clinicdesk.services.file_kinds import kind_of
from clinicdesk.services.person import of_person
from clinicdesk.services.sealing import CLINICAL, key_of, open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import ENVELOPE, Place, SealBroken, seal, unseal

#: Bytes of a file in one sealed piece.
PIECE: Final = 1024 * 1024
Progress = Callable[[int, int], None]


class Damaged(ClinicError):
    """What came back is not what was put in."""

    def __init__(self) -> None:
        super().__init__("This file cannot be opened: its stored bytes are not those that were put in.", "Tell your administrator.")


class _MovedOn(Exception):
    """The staged bytes were let go: the document server has them."""


@dataclass(frozen=True, slots=True)
class NewAttachment:
    """A file to keep. The same `id` twice is one attachment, so that an answer lost on its way can be asked for again."""

    patient_id: str
    title: str
    content: bytes = field(repr=False)
    file_name: str = ""
    record_id: int | None = None
    consultation_id: int | None = None
    copy_of: UUID | None = None
    id: UUID = field(default_factory=uuid4)


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """A file in the list. `withdrawn_by` and the reason are empty while it holds; `original` is the title of what it is a copy of."""

    id: UUID
    patient_id: str
    kind: str
    title: str
    file_name: str
    size: int
    added_at: datetime
    added_by: str
    delivered: bool
    record_id: int | None
    record_title: str
    consultation_id: int | None
    copy_of: UUID | None
    original: str
    withdrawn_at: datetime | None
    withdrawn_by: str
    withdrawn_reason: str


def pieces(size: int) -> int:
    """In how many sealed pieces a file of this size is kept."""
    return -(-size // PIECE)


def _nothing(_done: int, _total: int) -> None:
    return None


def add(session: ClinicSession, new: NewAttachment, progress: Progress = _nothing) -> UUID:
    """Keep a file, sealed and staged in this transaction; the worker carries it on. `progress` is told (bytes done, all) after each piece
    and may raise to stop: then nothing is stored. Raises Invalid for a file that is not what may be kept, or a title that is none."""
    title = " ".join(new.title.split())
    if not 1 <= len(title) <= 200:
        raise Invalid("title", "Title: 1 to 200 characters.")
    if session.scalar(select(exists().where(Attachment.id == new.id))):
        return new.id
    kind, size = kind_of(new.content), len(new.content)
    key, total = key_of(session, new.patient_id, CLINICAL), pieces(size)
    view, digest, sealed_pieces = memoryview(new.content), hashlib.sha256(), []
    for number in range(1, total + 1):
        sealed = seal(key, bytes(view[(number - 1) * PIECE : number * PIECE]), piece_place(new.patient_id, new.id, number, total, size))
        digest.update(sealed)
        sealed_pieces.append(sealed)
        progress(min(number * PIECE, size) // 2, size)
    with session.attempt():
        session.execute(insert(Attachment).values(
            id=new.id, patient_id=new.patient_id, kind=kind, size=size, chunks=total, sealed_size=size + ENVELOPE * total,
            sealed_sha256=digest.digest(), record_id=new.record_id, consultation_id=new.consultation_id, copy_of=new.copy_of,
            added_by=session.my_id, title=seal_text(session, _place(new.patient_id, new.id, "title"), title),
            file_name=seal_text(session, _place(new.patient_id, new.id, "file_name"), new.file_name[-200:])))
        for number in range(1, total + 1):
            session.execute(insert(AttachmentChunk).values(attachment_id=new.id, position=number, body=sealed_pieces[number - 1]))
            sealed_pieces[number - 1] = b""
            progress(size // 2 + min(number * PIECE, size) // 2, size)
    return new.id


def is_there(session: ClinicSession, attachment_id: UUID) -> bool:
    """Whether this attachment is stored: asked after an answer was lost, so that nobody is told a file failed that did not."""
    return bool(session.scalar(select(exists().where(Attachment.id == attachment_id))))


def of_patient(session: ClinicSession, patient_id: str, limit: int = 500) -> list[AttachmentRow]:
    """Files of a person, newest first, withdrawn ones among them. One query; titles are opened here."""
    adder, withdrawer, original = aliased(User), aliased(User), aliased(Attachment)
    rows = session.execute(
        select(Attachment, adder.name, withdrawer.name, Record.title, original.title, original.patient_id)
        .join(adder, adder.id == Attachment.added_by)
        .outerjoin(withdrawer, withdrawer.id == Attachment.withdrawn_by)
        .outerjoin(Record, Record.id == Attachment.record_id)
        .outerjoin(original, original.id == Attachment.copy_of)
        .where(of_person(Attachment.patient_id, patient_id))
        .order_by(Attachment.added_at.desc(), Attachment.id)
        .limit(limit)
    )
    found = []
    for one, added_by, withdrawn_by, record, source, source_of in rows:
        reason = _opened(session, one.patient_id, one.id, "withdrawn", one.withdrawn_reason) if one.withdrawn_reason else ""
        found.append(AttachmentRow(
            one.id, one.patient_id, one.kind, _opened(session, one.patient_id, one.id, "title", one.title),
            _opened(session, one.patient_id, one.id, "file_name", one.file_name), one.size, one.added_at, added_by,
            one.delivered_at is not None, one.record_id, record or "", one.consultation_id, one.copy_of,
            _opened(session, source_of, one.copy_of, "title", source) if one.copy_of else "", one.withdrawn_at, withdrawn_by or "", reason))
    return found


def content(session: ClinicSession, attachment_id: UUID, progress: Progress = _nothing) -> bytes:
    """The file as it was put in: from the document server, or from staging while it is not delivered.

    Raises Damaged when a byte is not what it was, Unavailable when it is delivered and the document server is away, NotAllowed else.
    """
    row = session.get(Attachment, attachment_id)
    if row is None:
        raise NotAllowed
    try:
        return _put_together(session, row, _staged(session, row.id), progress)
    except _MovedOn:  # delivered, perhaps in this very moment
        pass
    try:
        return _put_together(session, row, session.documents.get_file(str(row.id), PIECE + ENVELOPE), progress)
    except Unavailable as error:
        raise Unavailable("documents", "This document is on the document server, which cannot be reached now.",
                          "It opens again when the server is back.") from error


def _put_together(session: ClinicSession, row: Attachment, sealed_pieces: Iterable[bytes], progress: Progress) -> bytes:
    key, opened, digest, at = key_of(session, row.patient_id, CLINICAL), bytearray(row.size), hashlib.sha256(), 0
    try:
        for number, sealed in enumerate(sealed_pieces, 1):
            digest.update(sealed)
            plain = unseal(key, sealed, piece_place(row.patient_id, row.id, number, row.chunks, row.size))
            opened[at : at + len(plain)] = plain
            at += len(plain)
            progress(at, row.size)
    except SealBroken:
        raise Damaged from None
    if at != row.size or digest.digest() != row.sealed_sha256:
        raise Damaged
    return bytes(opened)


def withdraw(session: ClinicSession, attachment_id: UUID, reason: str) -> None:
    """Say that a file should not be relied on, and why; it stays, one click away. Refused when it is withdrawn already."""
    row = session.get(Attachment, attachment_id)
    if row is None:
        raise NotAllowed
    words = " ".join(reason.split())
    if not 3 <= len(words) <= 300:
        raise Invalid("reason", "Say why: 3 to 300 characters.")
    if row.withdrawn_at is not None:
        raise ClinicError("This document was withdrawn already.")
    row.withdrawn_reason = seal_text(session, _place(row.patient_id, row.id, "withdrawn"), words)
    row.withdrawn_by = session.my_id
    with session.attempt():
        session.flush()


def waiting(session: ClinicSession, limit: int = 500) -> list[UUID]:
    """Attachments not delivered yet, oldest first; for the worker."""
    return list(session.scalars(select(Attachment.id).where(Attachment.delivered_at.is_(None)).order_by(Attachment.added_at).limit(limit)))


def counts(session: ClinicSession) -> tuple[int, int]:
    """How many attachments there are, and how many of them wait to be delivered; for the worker."""
    row = session.execute(select(func.count(), func.count().filter(Attachment.delivered_at.is_(None))).select_from(Attachment)).one()
    return int(row[0]), int(row[1])


def deliver(session: ClinicSession, attachment_id: UUID) -> bool:
    """Carry one file to the document server, read it back, and let the staged bytes go; True when it went. For the worker.

    The row is locked, so two workers never carry one file at once; putting it twice leaves one. Raises Unavailable when the server is
    away and Damaged when what is staged or what came back is not what was sealed; the caller's transaction then changes nothing.
    """
    row = session.scalars(select(Attachment).where(Attachment.id == attachment_id).with_for_update()).one_or_none()
    if row is None or row.delivered_at is not None:
        return False
    name, wanted = str(row.id), bytes(row.sealed_sha256)
    if session.documents.file_sha256(name) != wanted:
        digest = hashlib.sha256()
        try:
            session.documents.put_file(name, _digested(_staged(session, row.id), digest))
        except _MovedOn:
            raise Damaged from None  # a piece is missing before it was ever delivered
        if digest.digest() != wanted or session.documents.file_sha256(name) != wanted:
            session.documents.drop_file(name)
            raise Damaged
    row.delivered_at = session.now()
    session.flush()
    session.execute(AttachmentChunk.__table__.delete().where(AttachmentChunk.attachment_id == row.id))  # type: ignore[attr-defined]
    return True


def broken(session: ClinicSession, progress: Progress = _nothing) -> list[UUID]:
    """Delivered files that the document server does not give back as they were put in; every byte is read. For the worker."""
    rows = session.execute(select(Attachment.id, Attachment.sealed_sha256).where(Attachment.delivered_at.is_not(None))).all()
    bad = []
    for number, (name, wanted) in enumerate(rows, 1):
        if session.documents.file_sha256(str(name)) != bytes(wanted):
            bad.append(name)
        progress(number, len(rows))
    return bad


def piece_place(patient_id: str, attachment_id: UUID, number: int, total: int, size: int) -> Place:
    """Where a piece is sealed for: this file, this number of so many, in a whole of this size."""
    return Place(patient_id, f"attachment:{attachment_id}", f"piece {number} of {total}, {size} bytes")


def _place(patient_id: str, attachment_id: UUID, part: str) -> Place:
    return Place(patient_id, f"attachment:{attachment_id}", part)


def _opened(session: ClinicSession, patient_id: str, attachment_id: UUID, part: str, sealed: bytes) -> str:
    """A sealed word of the list; a broken seal is said in its place, and the rest of the list is shown."""
    try:
        return open_text(session, _place(patient_id, attachment_id, part), sealed)
    except SealBroken:
        return "(cannot be read: its seal is broken)"


def _staged(session: ClinicSession, attachment_id: UUID) -> Iterator[bytes]:
    """One staged piece in memory at a time; _MovedOn when they are not here, or not any more."""
    chunks = session.scalar(select(Attachment.chunks).where(Attachment.id == attachment_id)) or 0
    for number in range(1, chunks + 1):
        body = session.scalar(select(AttachmentChunk.body).where(
            AttachmentChunk.attachment_id == attachment_id, AttachmentChunk.position == number))
        if body is None:
            raise _MovedOn
        yield body


def _digested(parts: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for part in parts:
        digest.update(part)
        yield part
