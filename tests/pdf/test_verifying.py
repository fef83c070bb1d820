"""Is this paper genuine? Every changed letter of a code and every changed byte of a file is found, and what changed is named."""

from __future__ import annotations

import io
import random
import re
import zlib
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pypdf
import pytest
from PIL import Image
from pypdf.generic import DecodedStreamObject, NameObject

from clinicdesk.pdf.copies import mark_cancelled, mark_copy
from clinicdesk.pdf.page import PAPER
from clinicdesk.pdf.prescription import draw
from clinicdesk.pdf.reading import page_pictures
from clinicdesk.rules.codes import Stamp, base45, opened
from clinicdesk.rules.directions import Direction
from clinicdesk.storage.signing import certified, key_words, new_signing_key
from clinicdesk.verifying import papers
from clinicdesk.verifying.trust import Trust, TrustBroken, load, read, store, written
from tests.pdf.test_prescription import ADULT, AMOXICILLIN, item_from, sheet
from tests.signing import CERTIFICATE, ISSUED, KEY, OWNER, signed, trust_of

INFUSION = item_from(Direction(Decimal(1), "g", "infusion", every_hours=12, rate="100 mL per hour over 30 minutes", duration_days=2),
                     medicine="ceftriaxone", strength="1 g", form="powder for injection", quantity="4 bottles (four)")
TWO = sheet(AMOXICILLIN, INFUSION, title="Known allergies", allergies=("penicillin: rash",))


def rewritten(pdf: bytes, old: str, new: str) -> bytes:
    """The document with other words drawn: somebody with a PDF editor, who keeps everything readable and drops the signature."""
    reader = pypdf.PdfReader(io.BytesIO(pdf))
    writer = pypdf.PdfWriter(clone_from=reader)
    done = 0
    for page in writer.pages:
        resources = page["/Resources"]["/Font"]  # type: ignore[index]
        stream = page["/Contents"].get_object()
        data = stream.get_data()
        for font in resources.values():
            table = font.get_object().get("/ToUnicode")
            if table is None:
                continue
            codes = cmap(table.get_object().get_data().decode("latin-1"))
            if not set(old + new) <= set(codes):
                continue
            before, after = ("".join(f"{codes[c]:02x}" for c in text) for text in (old, new))
            drawn = escaped(bytes.fromhex(before))
            done += data.count(drawn)
            data = data.replace(drawn, escaped(bytes.fromhex(after)))
        plain = DecodedStreamObject()
        plain.set_data(data)
        page[NameObject("/Contents")] = writer._add_object(plain)
    assert done, f"{old!r} is not drawn in one piece"
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def escaped(data: bytes) -> bytes:
    """Bytes as ReportLab writes them in a string."""
    return b"".join({40: b"\\(", 41: b"\\)", 92: b"\\\\"}.get(b, bytes([b]) if 32 <= b < 127 else b"\\%03o" % b) for b in data)


def cmap(text: str) -> dict[str, int]:
    found = {}
    for code, point in re.findall(r"<([0-9A-Fa-f]{2})> <([0-9A-Fa-f]{4})>", text):
        found[chr(int(point, 16))] = int(code, 16)
    for first, _last, points in re.findall(r"<([0-9A-Fa-f]{2})> <([0-9A-Fa-f]{2})>\s*\[([^\]]*)\]", text):
        for n, point in enumerate(re.findall(r"<([0-9A-Fa-f]{4})>", points)):
            found[chr(int(point, 16))] = int(first, 16) + n
    return found


@pytest.mark.parametrize("page", list(PAPER))
def test_a_signed_prescription_is_valid_and_so_is_its_copy(page: str) -> None:
    _drawn, pdf = signed(TWO, page)
    for data, note, status in ((pdf, "as it was signed", "valid"), (mark_copy(pdf), "COPY", "valid"),
                               (mark_cancelled(pdf), "CANCELLED", "cancelled"), (mark_cancelled(mark_copy(pdf)), "CANCELLED", "cancelled")):
        found = papers.check_bytes(data, trust_of())  # a list from before the cancelling; what the file says of itself counts
        assert (found.status, found.differences) == (status, ()), found
        assert (found.number, found.signed_by, found.key) == (TWO.issue_id, f"{OWNER}, registration 7654321", key_words(KEY.key_id))
        assert any(note in one for one in found.notes)
    assert ("Item 1: dose", "500 mg") in found.details


def test_names_of_every_script_are_compared_or_said_not_to_be() -> None:
    for family, given in (("Щербаков", "Иван"), ("Παπαδόπουλος", "Γιώργος"), ("כהן", "שרה"), ("العربي", "ليلى"), ("Nguyễn", "Thị Hồng")):
        person = replace(ADULT, family_name=family, given_name=given)
        drawn, pdf = signed(replace(TWO, patient=person))
        found = papers.check_bytes(pdf, trust_of())
        assert found.status == "valid", found
        assert papers.check_text("\n".join(drawn.codes[0]), trust_of()).details[3:5] == (("Family name", family), ("Given name", given))


def test_cancelled_unknown_and_retired_keys() -> None:
    drawn, pdf = signed(TWO)
    text = "\n".join(drawn.codes[0])
    for found in (papers.check_bytes(pdf, trust_of(cancelled=TWO.issue_id)), papers.check_text(text, trust_of(cancelled=TWO.issue_id))):
        assert (found.status, found.cancelled_at) == ("cancelled", "21-Nov-2026 14:05")
    other = new_signing_key()
    strange = trust_of(other, other.certificate("Dr Other", "", ISSUED))
    for found in (papers.check_bytes(pdf, strange), papers.check_text(text, strange), papers.check_bytes(pdf, Trust())):
        assert found.status == "unknown key", found
        assert any(key_words(KEY.key_id) in note for note in found.notes)
    assert papers.check_text(text, trust_of(retired="2026-11-20T00:00:00+00:00")).status == "unknown key", "retired before it was issued"
    assert papers.check_text(text, trust_of(retired="2026-11-22T00:00:00+00:00")).status == "valid", "a retired key keeps verifying"


def test_a_cancelled_file_whose_code_cannot_be_read_is_known_by_its_signed_number(monkeypatch: pytest.MonkeyPatch) -> None:
    _drawn, pdf = signed(TWO)
    monkeypatch.setattr("clinicdesk.verifying.pictures.codes_in", lambda _pages: [])
    assert papers.check_bytes(pdf, trust_of()).number == TWO.issue_id
    found = papers.check_bytes(pdf, trust_of(cancelled=TWO.issue_id))
    assert (found.status, found.number) == ("cancelled", TWO.issue_id), found


def test_a_list_is_newer_by_the_clock_of_the_world_not_by_its_letters(tmp_path: Path) -> None:
    path = tmp_path / "trust.json"
    store(path, written(replace(trust_of(), made="2026-10-25T02:30:00+02:00"), KEY))
    store(path, written(replace(trust_of(cancelled="RX-0000-0000"), made="2026-10-25T02:10:00+01:00"), KEY))  # 40 minutes later
    assert load(path).cancelled_at("RX-0000-0000") is not None
    for wrong in (replace(trust_of(), made="2026-10-25T02:30:00"), replace(trust_of(), zone="Mars/Base")):
        with pytest.raises(TrustBroken, match="damaged"):
            read(written(wrong, KEY))


def test_a_key_of_somebody_else_in_her_name_is_not_believed() -> None:
    forger = new_signing_key()
    _drawn, pdf = signed(TWO, key=forger, certificate=forger.certificate(OWNER, "Harbour Street Clinic", ISSUED))
    assert papers.check_bytes(pdf, trust_of()).status == "unknown key"


def test_every_changed_letter_of_a_code_is_found_and_named() -> None:
    code = signed(sheet())[0].codes[0][0]
    source = random.Random(7)
    for place in range(len(code)):
        for letter in source.sample([c for c in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:" if c != code[place]], 3):
            text = code[:place] + letter + code[place + 1:]
            if place % 29 and letter != " ":  # the search for the place takes 20 ms: every 29th letter of all
                assert papers.check_codes([text], Trust()).verdict.status == "altered" if place % 5 == 0 else broken(text)
                continue
            found = papers.check_text(text, trust_of())
            assert found.status == "altered", (place, letter)
            assert found.differences[0].what.startswith(f"Letter {place + 1} of code 1 of 1"), (place, letter, found)
            assert (found.differences[0].signed, found.differences[0].found) == (code[place], letter)
    assert papers.check_text(code[:-1], trust_of()).status == papers.check_text(code + "0", trust_of()).status == "altered"


def test_a_code_written_anew_with_a_fitting_checksum_is_not_believed() -> None:
    """Somebody who knows the format changes the dose, or names another doctor's key, and mends the checksum."""
    forger = new_signing_key()
    code = draw(sheet(replace(AMOXICILLIN, dose="900 mg")), "A4", Stamp(KEY.key_id, forger.sign)).codes[0][0]
    found = papers.check_text(code, trust_of())
    assert found.status == "altered" and found.differences[0].what.startswith("Code 1 of 1: the signature is not that of Dr Amelia")
    raw = opened(signed(sheet())[0].codes[0][0])
    renamed = b"\x01\x02\x03\x04" + raw[8:]
    forged = "CD1:" + base45(renamed[:4] + zlib.crc32(renamed).to_bytes(4, "big") + renamed[4:])
    found = papers.check_text(forged, trust_of())
    assert (found.status, found.differences[0].what) == ("altered", "The key named in the code")
    assert (found.differences[0].signed, found.differences[0].found) == (key_words(KEY.key_id), "0102 0304")
    swapped = bytearray(raw)
    swapped[8] += 1  # says that it is the second of one
    swapped[4:8] = zlib.crc32(bytes(swapped[:4] + swapped[8:])).to_bytes(4, "big")
    assert papers.check_text("CD1:" + base45(bytes(swapped)), trust_of()).status == "altered"


def broken(text: str) -> bool:
    from clinicdesk.rules.codes import Unreadable, taken_apart

    try:
        taken_apart(text)
    except Unreadable:
        return True
    return False


def test_parts_of_different_papers_are_not_put_together() -> None:
    a = signed(sheet(*[AMOXICILLIN] * 3, INFUSION, INFUSION))[0].codes[0]
    b = signed(replace(sheet(INFUSION, *[AMOXICILLIN] * 4), issue_id="RX-0000-0000"))[0].codes[0]
    assert len(a) >= 2 and len(b) >= 2
    mixed = papers.check_text("\n".join([a[0], *b[1:]]), trust_of())
    assert (mixed.status, mixed.differences[0].what) == ("altered", "The codes belong to different papers")
    alone = papers.check_text(a[1], trust_of())
    assert alone.status == "not checked" and any("is missing" in note for note in alone.notes) and alone.details, alone
    assert "not every code" in alone.sentence
    number = alone.number
    assert papers.check_text(a[1], trust_of(cancelled=number)).status == "cancelled", "that it no longer counts is known by any part"


def test_a_forged_page_with_some_genuine_codes_is_not_believed() -> None:
    """Who leaves out the page or the code that would give the change away proves nothing: not as a file, a scan or typed codes."""
    many = sheet(*[AMOXICILLIN] * 3, INFUSION, INFUSION)
    drawn, pdf = signed(many)
    codes = [code for page in drawn.codes for code in page]
    assert len(codes) >= 2
    forged = rewritten(drawn.pdf, "500 mg", "900 mg").replace(b"ClinicDesk", b"Somebody..")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("clinicdesk.verifying.pictures.codes_in", lambda _pages: codes[:-1])
        found = papers.check_bytes(forged, trust_of())
        assert found.status == "altered" and any("Not every code" in d.what for d in found.differences), found
        whole = papers.check_bytes(pdf, trust_of())
        assert whole.status == "valid", "the signature of the file covers every word"
    out = io.BytesIO()
    page_pictures(forged)[0].save(out, "PNG")
    scan = papers.check_bytes(out.getvalue(), trust_of())
    assert (scan.status == "not checked") == ("is missing" in " ".join(scan.notes))
    assert "unchanged" not in scan.sentence and "compare" in papers.check_text("\n".join(codes), trust_of()).sentence


def test_a_mistyped_name_is_not_called_altered() -> None:
    for name in ("hello", "prescripton", "no such file.pdf", "RX-AAAA-BBBB"):
        assert papers.check(name, trust_of()).status == "not checked"
    code = signed(sheet())[0].codes[0][0]
    assert papers.check("X" + code[1:], trust_of()).status == "altered"


def test_any_changed_byte_of_a_file_is_found() -> None:
    _drawn, pdf = signed(TWO)
    source = random.Random(11)
    for data in (pdf, mark_copy(pdf)):
        places = {*source.sample(range(len(data)), 160), 0, 5, len(data) - 1, len(pdf) - 2, data.index(b"/ByteRange"),
                  *range(data.index(b"/Contents <") + 10, data.index(b"/Contents <") + 1700, 41), data.index(b"000000>")}
        for place in places:
            changed = bytearray(data)
            changed[place] ^= source.choice([1, 2, 4, 32, 128])
            found = papers.check_signature(bytes(changed), trust_of())
            assert found.status == "altered" and found.differences, place


def test_the_place_of_a_changed_byte_is_named() -> None:
    _drawn, pdf = signed(TWO)
    info = pdf.index(b"/Producer") + 12
    stream = pdf.index(b"stream", pdf.index(b"/Length", 200)) + 40
    for place in (info, stream):
        changed = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1:]
        found = papers.check_bytes(changed, trust_of())
        assert found.status == "altered"
        first, last = (int(v.replace(",", "")) for v in re.findall(r"[\d,]+\d", found.differences[0].what)[:2])
        assert first <= place <= last
    added = papers.check_bytes(pdf + b"\n% more\n", trust_of())
    assert added.status == "altered" and "added to the file after it was signed" in added.differences[0].what


@pytest.mark.parametrize(("old", "new", "what"), [
    ("500 mg", "900 mg", "Item 1: "), ("21 capsules", "91 capsules", "Item 1: quantity"),
    ("BRENNAN, Niamh", "BRENNAN, Nina", "Name of the patient"),
    ("every 12 hours", "every 2 hours", "Item 2: "), ("05-Nov-1980", "05-Nov-1981", "Date of birth"),
    ("7654321", "7654322", "Registration"),
    ("penicillin: rash", "none", "Allergy status"), ("2 of 2", "2 of 3", "Item 2"),
])
def test_a_document_written_anew_is_found_by_its_words(old: str, new: str, what: str) -> None:
    _drawn, pdf = signed(TWO)
    forged = rewritten(pdf, old, new)
    for data in (forged, forged.replace(b"ClinicDesk", b"Somebody.."), forged[:pdf.rindex(b"/ByteRange")]):
        found = papers.check_bytes(data, trust_of())
        assert found.status == "altered", found
    named = [d.what for d in papers.check_bytes(forged, trust_of()).differences]
    assert any(one.startswith(what) for one in named), named


def test_a_forged_dose_is_shown_with_both_values() -> None:
    found = papers.check_bytes(rewritten(signed(sheet())[1], "500 mg", "900 mg"), trust_of())
    doses = {d.what: (d.signed, d.found) for d in found.differences}
    assert doses["Item 1: dose"][0] == "500 mg" and "900mg" in doses["Item 1: dose"][1], doses


def test_scans_and_pictures() -> None:
    _drawn, pdf = signed(TWO)
    page = page_pictures(pdf)[0]
    for kind, options in (("PNG", {}), ("JPEG", {"quality": 55}), ("PDF", {"resolution": 200})):
        out = io.BytesIO()
        page.save(out, kind, **options)
        found = papers.check_bytes(out.getvalue(), trust_of())
        assert (found.status, found.number) == ("valid", TWO.issue_id), (kind, found)
        assert any("not the picture" in note for note in found.notes)
    blank = io.BytesIO()
    Image.new("L", (400, 400), 255).save(blank, "PNG")
    assert papers.check_bytes(blank.getvalue(), trust_of()).status == "not checked"
    assert papers.check_bytes(b"hello", trust_of()).status == "not checked"


def test_trust_lists_cannot_be_edited_and_only_known_signers_renew_them(tmp_path: object) -> None:
    path = Path(str(tmp_path)) / "trust.json"
    text = written(trust_of(), KEY)
    assert read(text).keys == trust_of().keys
    for old, new in ((OWNER, "Dr Evil"), ("7654321", "7654322"), (KEY.public.hex()[:8], "00000000"),
                     ('"cancelled": []', '"cancelled": [{}]')):
        assert old in text
        with pytest.raises(TrustBroken):
            read(text.replace(old, new))
    store(path, text)
    other = new_signing_key()
    with pytest.raises(TrustBroken, match="does not know"):
        store(path, written(trust_of(other, other.certificate("Dr Other", "", ISSUED)), other))
    later = replace(trust_of(cancelled="RX-0000-0000"), made="2027-01-01T00:00:00+00:00")
    store(path, written(later, KEY))
    assert load(path).cancelled_at("RX-0000-0000") is not None
    with pytest.raises(TrustBroken, match="newer"):
        store(path, text)
    with pytest.raises(TrustBroken):
        load(path.with_name("none.json"))
    assert CERTIFICATE.hex() in text


@pytest.mark.filterwarnings("ignore:Parsed a serial number")
def test_no_changed_bit_of_a_certificate_passes_or_breaks_the_check() -> None:
    """Also one that names a kind of key nobody has."""
    assert certified(CERTIFICATE) == (KEY.public, OWNER)
    for place in range(len(CERTIFICATE)):
        for bit in range(8):
            changed = bytearray(CERTIFICATE)
            changed[place] ^= 1 << bit
            assert certified(bytes(changed)) is None, (place, bit)
