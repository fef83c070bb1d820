"""The backup file: what was written comes back, and nothing else ever does."""

from __future__ import annotations

import io
import os
import random
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from clinicdesk.errors import ClinicError
from clinicdesk.storage import backup_reading
from clinicdesk.storage.backup_file import BackupDamaged, BackupWriter, WrongKey, frames, new_file, read_header, sweep_partials
from clinicdesk.storage.vault import Vault

VAULT = Vault(bytes(range(32)))
BODIES = [bytes([n]) * (200 * n) for n in range(1, 8)]
MANIFEST = {"tables": {}, "visits": [0, 0, ""], "files": [0, 0, ""], "audit": [0, ""], "schema": "0013"}


def write(path: Path, *, bodies: list[bytes] | None = None, vault: Vault = VAULT) -> Path:
    with new_file(path) as file:
        writer = BackupWriter(file, vault, taken_at=datetime(2026, 11, 21, 2, 30, tzinfo=UTC), clinic_id="c", app_version="1",
                              schema_version="2")
        for body in BODIES if bodies is None else bodies:
            writer.add("dump", {}, body)
        writer.add("manifest", MANIFEST)
        writer.finish()
    return path


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    return write(tmp_path / "whole")


def parts_of(content: bytes) -> list[bytes]:
    """The beginning, then every frame with its length before it."""
    at = 12 + int.from_bytes(content[8:12], "big") + 32
    parts = [content[:at]]
    while at < len(content):
        end = at + 4 + int.from_bytes(content[at : at + 4], "big")
        parts.append(content[at:end])
        at = end
    return parts


def refused(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(BackupDamaged):
        list(frames(path, VAULT))  # the seals alone say so, also where nobody looks for a list of contents
    with pytest.raises(BackupDamaged) as raised:
        backup_reading.check(path, VAULT)
    return raised.value.sentence


def test_what_was_written_comes_back_in_order(whole: Path) -> None:
    found = list(frames(whole, VAULT))
    assert [frame.body for frame in found[:-1]] == BODIES
    assert [frame.section for frame in found] == ["dump"] * len(BODIES) + ["manifest"]
    assert found[-1].head == MANIFEST
    assert read_header(whole).at == datetime(2026, 11, 21, 2, 30, tzinfo=UTC)
    assert whole.stat().st_mode & 0o777 == 0o600 or os.name == "nt"


def test_one_changed_bit_anywhere_is_found(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    places = set(range(0, len(content), 17)) | set(random.Random(5).sample(range(len(content)), 400))
    at = 0
    for part in parts_of(content):  # the first and last bytes of every region: header, each length, each tag
        places |= {at, at + 3, at + 4, at + len(part) - 17, at + len(part) - 1}
        at += len(part)
    for place in sorted(places):
        changed = bytearray(content)
        changed[place] ^= 1 << (place % 8)
        sentence = refused(tmp_path / "changed", bytes(changed))
        assert "damaged" in sentence or "another form" in sentence, place


def test_every_truncation_is_found(whole: Path, tmp_path: Path) -> None:
    content, at = whole.read_bytes(), 0
    lengths = set(range(0, len(content), 61))
    for part in parts_of(content):  # also exactly between two frames
        at += len(part)
        lengths |= {at, at - 1, at + 1}
    for length in sorted(lengths - {len(content)}):
        if length < len(content):
            refused(tmp_path / "short", content[:length])


@pytest.mark.parametrize("change", [
    lambda p: [p[0], p[2], p[1], *p[3:]], lambda p: [*p[:3], *p[4:]], lambda p: [*p[:3], p[2], *p[3:]], lambda p: [*p, p[-1]],
    lambda p: [*p[:-1]], lambda p: [*p, b"\0"], lambda p: [*p[:-2], p[-1], p[-2]],
], ids=["swapped", "left out", "repeated", "last again", "last missing", "one byte more", "last first"])
def test_frames_cannot_be_moved(whole: Path, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    refused(tmp_path / "moved", b"".join(change(parts_of(whole.read_bytes()))))


def test_frames_of_another_backup_do_not_fit(whole: Path, tmp_path: Path) -> None:
    ours, others = parts_of(whole.read_bytes()), parts_of(write(tmp_path / "other").read_bytes())
    refused(tmp_path / "mixed", b"".join([*ours[:3], others[3], *ours[4:]]))
    refused(tmp_path / "mixed", b"".join([others[0], *ours[1:]]))


def test_another_key_is_told_from_damage(whole: Path) -> None:
    with pytest.raises(WrongKey):
        list(frames(whole, Vault(bytes(32))))


@pytest.mark.parametrize("content", [b"", b"CDBACKUP", b"not a backup at all, but long enough for one", b"CDBACKUP" + b"\xff" * 60])
def test_what_is_no_backup_is_refused_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    assert refused(tmp_path / "strange", content)


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(KeyError), new_file(tmp_path / "half") as file:
        file.write(b"half")
        raise KeyError
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / "whole")
    before = (tmp_path / "whole").read_bytes()
    with pytest.raises(ClinicError, match="already"):
        write(tmp_path / "whole")
    assert (tmp_path / "whole").read_bytes() == before


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".a.cdbackup.99999999.partial").write_bytes(b"x")
    mine = tmp_path / f".b.cdbackup.{os.getpid()}.partial"
    mine.write_bytes(b"x")
    sweep_partials(tmp_path)
    assert list(tmp_path.iterdir()) == [mine]


def test_a_large_file_needs_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    body = os.urandom(1 << 20)
    tracemalloc.start()
    with new_file(tmp_path / "large") as file:
        writer = BackupWriter(file, VAULT, taken_at=datetime.now(UTC), clinic_id="c", app_version="1", schema_version="2")
        for _ in range(64):
            writer.add("dump", None, body)
        writer.add("manifest", MANIFEST)
        writer.finish()
    backup_reading.check(tmp_path / "large", VAULT)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20, f"{peak >> 20} MB for a file of 64 MB"


def test_writing_counts_what_it_wrote() -> None:
    buffer = io.BytesIO()
    writer = BackupWriter(buffer, VAULT, taken_at=datetime.now(UTC), clinic_id="c", app_version="1", schema_version="2")
    writer.add("manifest", MANIFEST)
    writer.finish()
    assert writer.size == len(buffer.getvalue())
