"""Files and codes: PDF signature, revision, codes on the pages, and whether the words still are the signed ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path

from clinicdesk.pdf.copies import marks_after
from clinicdesk.pdf.reading import NoPdf, author_of, page_pictures, page_texts
from clinicdesk.pdf.signatures import PdfSignature, damaged, is_signed, opened
from clinicdesk.rules.codes import PREFIX
from clinicdesk.storage.signing import certified, key_id_of, key_words, verified
from clinicdesk.verifying import pictures, wording
from clinicdesk.verifying.codes import Codes, check_codes, key_in_time, owner_words, with_cancelled
from clinicdesk.verifying.trust import Trust
from clinicdesk.verifying.verdict import Difference, Status, Verdict

_MARKS = {"COPY": "It is a copy: the mark COPY was added to the signed document.", "CANCELLED": "It carries the mark CANCELLED."}
_LARGEST = 50_000_000
#: Something as long as a code and in its letters: one with a damaged beginning is an alteration, a mistyped file name is not.
_LIKE_CODE = re.compile(r"[0-9A-Z $%*+\-./:\r\n]{40,}")
_NUMBER = re.compile(r"(?<![\w-])[A-Z]{2}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}(?![\w-])")


def check(what: str, trust: Trust) -> Verdict:
    """A file by its path, or else the text of one or several codes (one a line)."""
    if what.lstrip().startswith(PREFIX):
        return check_text(what, trust)
    path = Path(what)
    try:
        if path.stat().st_size > _LARGEST:
            return Verdict("not checked", notes=("The file is larger than 50 MB.",))
        return check_bytes(path.read_bytes(), trust)
    except (OSError, ValueError):
        if _LIKE_CODE.fullmatch(what.strip()):
            return check_text(what, trust)
        return Verdict("not checked", notes=("There is no file of this name that can be read, and it is not the text of a code.",))


def check_text(text: str, trust: Trust) -> Verdict:
    """Codes as a scanner types them. Every line counts, so that a damaged first letter is an alteration and not ignored."""
    lines = [line.strip("\r\n\t") for line in text.splitlines()]
    found = check_codes([line for line in lines if line.strip()], trust).verdict
    if found.details:
        return replace(found, by_eye=True, notes=(*found.notes, "Compare what is listed here with the paper."))
    return found


def check_bytes(data: bytes, trust: Trust) -> Verdict:
    """A PDF or a picture."""
    if b"%PDF-" in data[:1024] or is_signed(data):
        return _pdf(data, trust)
    try:
        codes = pictures.codes_in([pictures.opened(data)])
    except pictures.NoPicture:
        return Verdict("not checked", notes=("This is neither a PDF nor a picture of a paper.",))
    return _scan(check_codes(codes, trust))


def _scan(found: Codes) -> Verdict:
    if not found.verdict.details and found.verdict.status == "not checked":
        return replace(found.verdict, notes=("No code could be read. Scan the paper flat, in grey, with at least 200 dpi.",))
    return replace(found.verdict, by_eye=True,
                   notes=(*found.verdict.notes, "The code is judged, not the picture: compare what is listed here with it."))


@dataclass(frozen=True, slots=True)
class _Sealed:
    """What the PDF signature says."""

    status: Status
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    key: str = ""
    owner: str = ""


def check_signature(data: bytes, trust: Trust) -> _Sealed:
    """The signature inside a PDF alone, without looking at its pages; any changed byte of the file is an alteration."""
    found = opened(data)
    if found is None:
        return _Sealed("not checked", (), ())
    if not data.startswith(b"%PDF-"):
        return _Sealed("altered", (Difference("The first bytes of the file"),), ())
    marks = marks_after(data, found.end)
    differences: list[Difference] = []
    if not found.covered or found.problem:
        differences += _places(data, found)
    who = certified(found.certificate)
    if not found.problem and (who is None or not verified(who[0], found.signature, found.attributes)):
        differences.append(Difference("The signature of the file does not belong to the certificate in it"))
    if marks is None:
        differences.append(Difference(f"Something was added to the file after it was signed, from byte {found.end:,} on"))
    notes = [_MARKS[mark] for mark in marks or ()]
    if differences or who is None:
        return _Sealed("altered", tuple(differences), tuple(notes))
    key = trust.by_public(who[0])
    words = key_words(key_id_of(who[0]))
    if key is None:
        notes.append(f"The key {words} is not on the trust list of this computer. It calls itself {who[1]}.")
        return _Sealed("unknown key", (), tuple(notes), words)
    if key.certificate != found.certificate.hex():
        return _Sealed("altered", (Difference("The certificate is not the one on the trust list"),), tuple(notes), words, owner_words(key))
    status, note = key_in_time(key, found.signed_at.astimezone(UTC)) if found.signed_at else ("valid", "")
    return _Sealed(status, (), (*notes, *([note] if note else [])), words, owner_words(key))


def _places(data: bytes, found: PdfSignature) -> list[Difference]:
    places = [Difference(f"Bytes {first:,} to {last - 1:,} of the file ({_object_at(data, first, last)})")
              for first, last in damaged(data[:found.end])]
    if places:
        return places
    return [Difference(f"In the signature of the file: {found.problem}" if found.problem
                       else "Bytes of the part that holds the signature (its list of objects or its properties)")]


def _object_at(data: bytes, first: int, last: int) -> str:
    """What a range of bytes belongs to, for a person."""
    names = []
    starts = [m for m in re.finditer(rb"(?<!\d)\d{1,7} 0 obj", data) if m.start() < last]
    for n, start in enumerate(starts):
        end = starts[n + 1].start() if n + 1 < len(starts) else last
        if end <= first and n + 1 < len(starts):
            continue
        body = data[start.end():start.end() + 400].split(b"stream")[0]
        kinds = ((b"/FontFile", "a font"), (b"/Type /Page ", "a page"), (b"/Type /Page\n", "a page"), (b"/Type /Font", "a font"),
                 (b"/Producer", "its properties"),
                 (b"/Author", "its properties"), (b"/Length1", "a font"), (b"/FlateDecode", "the drawing of a page"))
        name = next((words for mark, words in kinds if mark in body), "its structure")
        if name not in names:
            names.append(name)
    return ", ".join(names[-3:]) or "its beginning"


def _pdf(data: bytes, trust: Trust) -> Verdict:
    sealed = check_signature(data, trust)
    try:
        texts = page_texts(data)
        codes = check_codes(pictures.codes_in(page_pictures(data)), trust)
        author = author_of(data)
    except NoPdf:
        if sealed.status == "not checked":
            return Verdict("not checked", notes=("This PDF cannot be opened.",))
        return Verdict("altered", differences=sealed.differences or (Difference("The PDF cannot be opened"),), key=sealed.key)
    nothing = codes.verdict.status == "not checked" and not codes.verdict.details
    partly = codes.verdict.status == "not checked" and not nothing
    if not is_signed(data) and nothing:
        return replace(codes.verdict, notes=("This PDF holds neither a signature nor a code of a ClinicDesk paper.",))
    scanned = bool(texts) and all(page.scanned or not page.text.strip() for page in texts)
    differences = [*sealed.differences, *codes.verdict.differences]
    notes = [*sealed.notes, *(n for n in codes.verdict.notes if n not in sealed.notes)]
    if sealed.status == "not checked" and not scanned and "ClinicDesk" in author:
        differences.append(Difference("The signature of the file was removed"))
    if sealed.status == "not checked" and not scanned and partly:  # a page was taken away or covered: the words cannot be compared
        differences.append(Difference("Not every code of the paper is on its pages"))
    if codes.fields is not None and not scanned:
        plain = [re.sub(r"(?m)^(?:COPY|CANCELLED)\s*$", "", page.text) for page in texts]
        wrong, unread = wording.differences(codes.fields, plain)
        differences += wrong
        notes += unread
        if not wrong:
            notes.append("Every element on the pages is as it was signed.")
    if scanned:
        notes.append("The code is judged, not the picture: compare what is listed here with it.")
    if sealed.status == "valid" and nothing:
        notes.append("No code could be read on the pages; the signature of the file covers all of it.")
    status: Status = ("altered" if differences else "unknown key" if "unknown key" in {sealed.status, codes.verdict.status}
                      else "not checked" if partly and sealed.status == "not checked" else "valid")
    found = codes.verdict
    if sealed.status == "valid" and not found.number:  # the signature covers the words, so the number in them is the signed one
        numbers = {number for page in texts for number in _NUMBER.findall(page.text)}
        found = replace(found, number=numbers.pop() if len(numbers) == 1 else "")
    if status == "valid" and _MARKS["CANCELLED"] in notes:
        status = "cancelled"  # whoever holds this file was told; a list of before does not know it yet
    return with_cancelled(replace(found, status=status, differences=tuple(differences), notes=tuple(notes),
                                  by_eye=scanned and sealed.status == "not checked", key=codes.verdict.key or sealed.key,
                                  signed_by=sealed.owner or codes.verdict.signed_by), trust)
