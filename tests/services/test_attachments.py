"""Attachments: known by content, sealed in pieces, staged, delivered once, read back, never changed."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from clinicdesk.errors import ClinicError, Invalid, NotAllowed, Unavailable
from clinicdesk.jobs.worker import deliver_files
from clinicdesk.services import attachments, file_kinds, merging, patients, records
from clinicdesk.services.attachments import PIECE, AttachmentRow, Damaged, NewAttachment
from clinicdesk.storage.database import ClinicSession
from tests.clinics import Practice
from tests.files import pdf, picture
from tests.visiting import as_owner, completed

TEXT = "Befund: unauffällig.\r\n\tNächste Kontrolle in 6 Wochen.\n".encode()


def patient_of_dora(practice: Practice) -> str:
    patient = practice.patient()
    practice.book(patient, practice.at(9 + practice.numbers))
    return patient


def put(practice: Practice, patient: str, content: bytes = TEXT, title: str = "Report", **more: Any) -> UUID:
    with practice.write("dora") as session:
        return attachments.add(session, NewAttachment(patient, title, content, **more))


def rows(practice: Practice, patient: str) -> list[AttachmentRow]:
    with practice.read("dora") as session:
        return attachments.of_patient(session, patient)


def got(practice: Practice, attachment_id: UUID, who: str = "dora") -> bytes:
    with practice.read(who) as session:
        return attachments.content(session, attachment_id)


def deliver(practice: Practice) -> int:
    return deliver_files(practice.clinic.worker_database)


def staged(practice: Practice, attachment_id: UUID) -> int:
    return int(as_owner(practice, "select count(*) from clinic.attachment_chunks where attachment_id = %s", attachment_id)[0][0])


def bomb() -> bytes:
    """A PNG of 100,000 × 100,000 pixels in a hundred bytes."""
    def part(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", zlib.compress(b"\0" * 100)) + part(b"IEND", b"")


@pytest.mark.parametrize(("content", "kind"), [
    (pdf(), "pdf"), (pdf(pages=40), "pdf"), (picture("PNG"), "png"), (picture("JPEG"), "jpeg"), (TEXT, "text"),
    ("Grüße aus Köln".encode("latin-1"), "text"), (b"\xef\xbb\xbfwith a mark", "text"), ("日本語の手紙".encode(), "text")])
def test_what_a_file_is_by_its_content(content: bytes, kind: str) -> None:
    assert file_kinds.kind_of(content) == kind


def locked() -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer, written = PdfWriter(PdfReader(io.BytesIO(pdf()))), io.BytesIO()
    writer.encrypt("secret")
    writer.write(written)
    return written.getvalue()


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b"MZ\x90\x00" + b"\0" * 100, "none of them"), (b"\x7fELF" + b"\0" * 100, "none of them"),
    (b"PK\x03\x04" + b"\0" * 60, "none of them"), (b"GIF89a" + b"\0" * 60, "none of them"), (b"a\0b", "none of them"),
    (b"x" * 1_200_000 + b"\x01", "none of them"),
    ("wide".encode("utf-16"), "none of them"), (b"%PDF-1.7\nnothing", "not complete"), (pdf()[:900], "not complete"),
    (pdf()[:300] + b"\n%%EOF", "damaged"), (picture("PNG", (600, 600))[:-2000], "damaged or not complete"),
    (picture("JPEG", (600, 600))[:-3000], "damaged or not complete"), (bomb(), "too many pixels"), (locked(), "password"),
    (b"x" * (file_kinds.MOST_BYTES + 1), "larger than 25 MB")],
    ids=["empty", "exe", "elf", "zip", "gif", "nul", "late-control",
         "utf-16", "pdf-head", "pdf-cut", "pdf-broken", "png-cut", "jpeg-cut", "bomb", "locked",
         "large"])
def test_what_is_not_taken_gets_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        file_kinds.kind_of(content)
    assert refused.value.field == "file" and words in refused.value.sentence
    assert refused.value.sentence.count(".") == 1, "one sentence"


def test_a_name_is_never_believed(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number = put(practice, patient, picture("JPEG"), file_name="letter.pdf")
    row = rows(practice, patient)[0]
    assert (row.id, row.kind, row.file_name, row.title) == (number, "jpeg", "letter.pdf", "Report")
    with pytest.raises(Invalid, match="none of them"):
        put(practice, patient, b"MZ\x90\x00" + b"\0" * 100, file_name="holiday.png")
    assert len(rows(practice, patient)) == 1


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_a_file_comes_back_as_it_was_from_staging_and_from_the_document_server(practice: Practice, size: int) -> None:
    patient = patient_of_dora(practice)
    content = b"x" * (size - 1) + b"y"
    number = put(practice, patient, content)
    assert staged(practice, number) == attachments.pieces(size)
    assert got(practice, number) == content
    assert deliver(practice) == 1 and deliver(practice) == 0
    assert staged(practice, number) == 0 and rows(practice, patient)[0].delivered
    assert got(practice, number) == content
    stored = practice.clinic.documents.file_sha256(str(number))
    typed = as_owner(practice, "select sealed_sha256, sealed_size from clinic.attachments where id = %s", number)[0]
    assert stored == bytes(typed[0]) and typed[1] == size + 29 * attachments.pieces(size)


def test_delivered_once_by_the_queue_itself(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    before = practice.clinic.documents.count_files()
    number = put(practice, patient)
    assert practice.clinic.start_worker()
    _until(lambda: rows(practice, patient)[0].delivered)
    assert practice.clinic.documents.count_files() == before + 1
    assert got(practice, number) == TEXT


def _until(holds: Callable[[], bool]) -> None:
    import threading
    import time

    ends, tick = time.monotonic() + 20, threading.Event()
    while not holds():
        assert time.monotonic() < ends, "did not happen"
        tick.wait(0.05)


def test_what_an_interrupted_delivery_left_is_replaced(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = patient_of_dora(practice)
    number = put(practice, patient, b"z" * (2 * PIECE))
    real = practice.clinic.worker_database.documents
    assert real is not None

    def half(name: str, parts: Any) -> None:
        type(real).put_file(real, name, [next(iter(parts))])
        raise Unavailable("documents", "Gone.")

    monkeypatch.setattr(real, "put_file", half)
    with pytest.raises(Unavailable):
        deliver(practice)
    assert not rows(practice, patient)[0].delivered and staged(practice, number) == 2
    monkeypatch.undo()
    assert deliver(practice) == 1
    assert got(practice, number) == b"z" * (2 * PIECE)


def test_staged_bytes_stay_until_the_checksum_was_read_back(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = patient_of_dora(practice)
    number = put(practice, patient)
    documents = practice.clinic.worker_database.documents
    monkeypatch.setattr(documents, "file_sha256", lambda _name: hashlib.sha256(b"something else").digest())
    with pytest.raises(Damaged):
        deliver(practice)
    assert staged(practice, number) == 1 and not rows(practice, patient)[0].delivered
    monkeypatch.undo()
    assert got(practice, number) == TEXT


def test_pieces_cannot_be_swapped_dropped_or_moved(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    one = put(practice, patient, b"a" * PIECE + b"b" * PIECE + b"c" * PIECE)
    two = put(practice, patient, b"d" * (3 * PIECE))
    kept = as_owner(practice, "select position, body from clinic.attachment_chunks where attachment_id = %s order by 1", one)
    change = "update clinic.attachment_chunks set body = %s where attachment_id = %s and position = %s"
    theirs = as_owner(practice, "select body from clinic.attachment_chunks where attachment_id = %s and position = 2", two)[0][0]
    for place, body in ((1, kept[1][1]), (2, theirs), (3, kept[2][1][:-1] + bytes([kept[2][1][-1] ^ 1])), (3, kept[2][1][:-5])):
        as_owner(practice, change, body, one, place)
        with pytest.raises(Damaged):
            got(practice, one)
        with pytest.raises(Damaged):
            deliver_files(practice.clinic.worker_database)
        as_owner(practice, change, kept[place - 1][1], one, place)
    as_owner(practice, "delete from clinic.attachment_chunks where attachment_id = %s and position = 3", one)
    with pytest.raises(Damaged):
        got(practice, one)


def test_a_file_the_document_server_changed_is_named(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    good, bad, gone = put(practice, patient), put(practice, patient, pdf()), put(practice, patient, picture())
    assert deliver(practice) == 3
    documents = practice.clinic.documents
    documents.put_file(str(bad), [b"something else"])
    documents.drop_file(str(gone))
    with practice.clinic.worker_database.read() as session:
        assert set(attachments.broken(session)) == {bad, gone}
    for number in (bad, gone):
        with pytest.raises(Damaged):
            got(practice, number)
    assert got(practice, good) == TEXT


def test_the_document_server_is_away(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = patient_of_dora(practice)
    delivered = put(practice, patient)
    deliver(practice)
    waiting = put(practice, patient, pdf())

    def away(*_: object) -> Any:
        raise Unavailable("documents", "The document server cannot be reached.")

    monkeypatch.setattr(practice.clinic.documents, "get_file", away)
    assert got(practice, waiting).startswith(b"%PDF"), "opens from staging"
    with pytest.raises(Unavailable) as refused:
        got(practice, delivered)
    assert "cannot be reached" in refused.value.sentence


def test_stopping_half_way_stores_nothing_and_the_same_file_twice_is_one(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    new = NewAttachment(patient, "Long", b"l" * (4 * PIECE))

    class StopHere(ClinicError):
        pass

    def stop(done: int, total: int) -> None:
        if done > total * 3 // 4:
            raise StopHere("Stopped.")

    with pytest.raises(StopHere), practice.write("dora") as session:
        attachments.add(session, new, stop)
    assert rows(practice, patient) == []
    told: list[tuple[int, int]] = []
    for _ in range(2):
        with practice.write("dora") as session:
            attachments.add(session, new, lambda done, total: told.append((done, total)))
    assert len(rows(practice, patient)) == 1
    assert told == sorted(told) and len(told) == 8 and told[-1] == (4 * PIECE, 4 * PIECE)
    with practice.read("dora") as session:
        assert attachments.is_there(session, new.id) and not attachments.is_there(session, uuid4())


def test_withdrawing_keeps_the_file_and_says_why(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number = put(practice, patient)
    with practice.write("dora") as session, pytest.raises(Invalid):
        attachments.withdraw(session, number, " ")
    with practice.write("dora") as session:
        attachments.withdraw(session, number, "belongs to another patient")
    row = rows(practice, patient)[0]
    assert row.withdrawn_reason == "belongs to another patient" and row.withdrawn_by == "Dr Dora Kim" and row.withdrawn_at
    assert got(practice, number) == TEXT
    with practice.write("dora") as session, pytest.raises(ClinicError, match="already"):
        attachments.withdraw(session, number, "once more")
    plain = as_owner(practice, "select title || file_name || withdrawn_reason from clinic.attachments")[0][0]
    assert b"another" not in bytes(plain) and b"Report" not in bytes(plain)


def test_only_who_may_read_the_record_meets_its_files(practice: Practice) -> None:
    patient = patient_of_dora(practice)
    number = put(practice, patient)
    for who in ("hugo", "rita", "ada"):
        with practice.read(who) as session:
            assert attachments.of_patient(session, patient) == []
            with pytest.raises(NotAllowed):
                attachments.content(session, number)
        with pytest.raises(NotAllowed), practice.write(who) as session:
            attachments.add(session, NewAttachment(patient, "Mine", TEXT))


def test_a_file_belongs_to_a_record_or_visit_of_the_same_person(practice: Practice) -> None:
    patient, other = patient_of_dora(practice), patient_of_dora(practice)
    visit = completed(practice, patient, hour=8)
    with practice.write("dora") as session:
        record = records.add(session, patient, "letter", "Letter of the eye clinic", "")
        theirs = records.add(session, other, "letter", "Another", "")
    consultation = as_owner(practice, "select consultation_id from clinic.visits where id = %s", visit.visit_id)[0][0]
    first = put(practice, patient, record_id=record)
    put(practice, patient, pdf(), "Copy", consultation_id=consultation, copy_of=first)
    newest, oldest = rows(practice, patient)
    assert (newest.original, newest.copy_of, newest.consultation_id) == ("Report", first, consultation)
    assert (oldest.record_title, oldest.record_id) == ("Letter of the eye clinic", record)
    for more in ({"record_id": theirs}, {"copy_of": put(practice, other)}):
        with pytest.raises(ClinicError, match="somebody else"):
            put(practice, patient, **more)


def test_files_of_both_records_stand_under_a_merged_person(practice: Practice) -> None:
    kept, lost = patient_of_dora(practice), patient_of_dora(practice)
    put(practice, kept, title="Kept")
    put(practice, lost, title="Lost")
    with practice.write("rita") as session:
        versions = (patients.card(session, kept).version, patients.card(session, lost).version)
        merging.merge(session, kept, lost, versions)
    for asked in (kept, lost):
        assert {row.title for row in rows(practice, asked)} == {"Kept", "Lost"}
    assert all(got(practice, row.id) == TEXT for row in rows(practice, kept))


def test_a_list_of_many_costs_a_fixed_number_of_statements(practice: Practice) -> None:
    from tests.visiting import counted

    patient = patient_of_dora(practice)
    for number in range(6):
        put(practice, patient, title=f"Report {number}")

    def cost(session: ClinicSession) -> int:
        with counted(session) as sent:
            assert attachments.of_patient(session, patient)
        return len(sent)

    with practice.read("dora") as session:
        assert cost(session) == 1, "the rows; the key was released when they were put in"


def test_pictures_of_every_mode_are_taken() -> None:
    for mode in ("L", "RGBA", "P", "1", "CMYK"):
        written = io.BytesIO()
        Image.new(mode, (20, 20)).save(written, "JPEG" if mode == "CMYK" else "PNG")
        assert file_kinds.kind_of(written.getvalue()) in {"png", "jpeg"}
