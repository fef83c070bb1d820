"""The draft journal on the disk: sealed, whole or not at all, offered when its writer is gone, taken away when it is settled."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from clinicdesk.locks import FileLock
from clinicdesk.storage.journal import Journal, JournalPlace, _lock_path
from clinicdesk.storage.vault import Place, new_key

WRITER = """
import sys
from pathlib import Path
from clinicdesk.storage.journal import Journal, JournalPlace
from clinicdesk.storage.vault import Place
journal = Journal(JournalPlace(Path(sys.argv[1]), "note", bytes.fromhex(sys.argv[2]), Place("p", "journal", "note")), print)
journal.put("left behind by a process")
journal.flush()
print("written", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path: Path) -> JournalPlace:
    return JournalPlace(tmp_path / "drafts", "note", new_key(), Place("p", "journal", "note"))


def quiet(error: OSError | None) -> None:
    raise AssertionError(error)


def test_the_newest_text_is_on_the_disk_sealed_and_for_its_owner_alone(place: JournalPlace) -> None:
    journal = Journal(place, quiet)
    for number in range(50):
        journal.put(f"canary-text {number}")
    assert journal.flush()
    assert place.left_behind() == [], "its writer is alive"
    assert b"canary" not in journal.path.read_bytes()
    assert journal.path.stat().st_mode & 0o777 == 0o600 and place.folder.stat().st_mode & 0o777 == 0o700
    journal.close(keep=True)
    (left,) = place.left_behind()
    assert left.text == "canary-text 49"
    assert JournalPlace(place.folder, "note", new_key(), place.place).left_behind() == [], "another key opens nothing"
    left.discard()
    left.discard()
    assert list(place.folder.iterdir()) == []


def test_a_settled_text_leaves_nothing(place: JournalPlace) -> None:
    journal = Journal(place, quiet)
    journal.put("signed")
    assert journal.flush()
    journal.close(keep=False)
    journal.put("too late")
    assert list(place.folder.iterdir()) == []
    unused = Journal(place, quiet)
    unused.close(keep=False)
    assert list(place.folder.iterdir()) == []


def test_a_killed_process_leaves_its_text_and_a_living_one_keeps_it(place: JournalPlace) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(place.folder), place.key.hex()], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None and child.stdout.readline() == "written\n"
        assert place.left_behind() == []
    finally:
        child.kill()
        child.communicate()
    assert [left.text for left in place.left_behind()] == ["left behind by a process"]


def test_half_a_file_is_left_alone_and_the_one_before_is_read(place: JournalPlace) -> None:
    journal = Journal(place, quiet)
    journal.put("whole")
    assert journal.flush()
    journal.close(keep=True)
    journal.path.with_suffix(".new").write_bytes(b"\x01 half")  # what a power cut leaves while the next one is being written
    (place.folder / "note-ffffffff.draft").write_bytes(b"\x01" + b"broken" * 20)
    assert [left.text for left in place.left_behind()] == ["whole"]
    assert (place.folder / "note-ffffffff.draft").exists()


def test_a_disk_that_refuses_is_said_and_so_is_its_return(place: JournalPlace) -> None:
    told: list[OSError | None] = []
    heard = threading.Event()

    def tell(error: OSError | None) -> None:
        told.append(error)
        heard.set()

    place.folder.parent.mkdir(exist_ok=True)
    place.folder.write_text("a file where the folder should be")
    journal = Journal(place, tell)
    journal.put("one")
    assert heard.wait(5) and isinstance(told[0], OSError)
    heard.clear()
    place.folder.unlink()
    journal.put("two")
    assert heard.wait(5) and told[1] is None
    journal.put("three")
    assert journal.flush()
    journal.close(keep=True)
    assert [left.text for left in place.left_behind()] == ["three"] and len(told) == 2


def test_a_refused_text_is_not_said_to_be_kept_and_goes_to_the_disk_by_itself(place: JournalPlace) -> None:
    back = threading.Event()
    place.folder.parent.mkdir(exist_ok=True)
    place.folder.write_text("a file where the folder should be")
    journal = Journal(place, lambda error: back.set() if error is None else None)
    journal.put("the last words of the day")
    assert not journal.flush(), "nothing of it is on the disk"
    place.folder.unlink()
    assert back.wait(5), "tried again without another key"
    assert journal.flush()
    journal.close(keep=True)
    assert [left.text for left in place.left_behind()] == ["the last words of the day"]


def test_a_folder_where_nothing_locks_keeps_no_consultation_closed(place: JournalPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(place, quiet)
    journal.put("typed")
    assert journal.flush()
    journal.close(keep=True)

    def full(*_args: object, **_named: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("clinicdesk.locks.os.open", full)
        assert place.left_behind() == []
    assert [left.text for left in place.left_behind()] == ["typed"]


def test_two_windows_that_look_at_once_both_find_it(place: JournalPlace) -> None:
    journal = Journal(place, quiet)
    journal.put("left behind")
    assert journal.flush()
    journal.close(keep=True)
    lock = FileLock(_lock_path(journal.path))
    assert lock.acquire(shared=True), "another reader"
    (left,) = place.left_behind()
    lock.release()
    assert lock.acquire(), "a writer"
    assert place.left_behind() == []
    left.discard()
    assert journal.path.exists(), "left alone while somebody writes it again"
    lock.release()
