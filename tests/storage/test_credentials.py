"""Secrets: kept once, privately, and the same for two processes at once."""

import json
import subprocess
import sys
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from clinicdesk import credentials
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart

MAKE = """
import sys
from pathlib import Path
from clinicdesk.credentials import Credentials
print(Credentials(Path(sys.argv[1])).get_or_create("pw"))
"""


class Chain(keyring.backend.KeyringBackend):
    priority = 5

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise keyring.errors.KeyringLocked
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> Chain:
    made = Chain()
    before = keyring.get_keyring()
    keyring.set_keyring(made)
    monkeypatch.setattr(credentials, "_keyring_works", lambda: True)
    yield made
    keyring.set_keyring(before)


def test_in_the_file_only_the_owner_reads_it_and_a_warning_stands(tmp_path: Path) -> None:
    kept = Credentials(tmp_path)
    kept.set("key", "välue")
    assert Credentials(tmp_path).get("key") == "välue"
    assert (tmp_path / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert "secrets.json" in (kept.standing_warning or "")
    kept.delete("key")
    kept.delete("key")
    assert kept.get("key") is None


def test_a_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Credentials(tmp_path).set("key", "value")
    (tmp_path / "secrets.json").chmod(0o640)
    with pytest.raises(CannotStart) as caught:
        Credentials(tmp_path).get("key")
    assert caught.value.code == "secrets_file"
    assert "chmod 600" in caught.value.advice


def test_six_processes_at_once_get_one_password(tmp_path: Path) -> None:
    running = [subprocess.Popen([sys.executable, "-c", MAKE, str(tmp_path)], stdout=subprocess.PIPE, text=True) for _ in range(6)]
    said = {process.communicate(timeout=60)[0] for process in running}
    assert len(said) == 1
    assert len(said.pop().strip()) >= 32


def test_in_the_keyring_nothing_is_left_in_the_folder(tmp_path: Path, chain: Chain) -> None:
    kept = Credentials(tmp_path)
    secret = kept.get_or_create("pw")
    assert kept.standing_warning is None
    assert list(chain.kept.values()) == [secret]
    assert all(secret not in path.read_text() for path in tmp_path.iterdir())
    assert Credentials(tmp_path).get_or_create("pw") == secret


def test_two_clinics_do_not_share_a_keyring_entry(tmp_path: Path, chain: Chain) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        Credentials(tmp_path / name).set("pw", name)
    assert Credentials(tmp_path / "a").get("pw") == "a"
    assert len(chain.kept) == 2


def test_a_keyring_that_locks_later_is_an_error_and_not_a_second_set_of_passwords(tmp_path: Path, chain: Chain,
                                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    Credentials(tmp_path).get_or_create("pw")
    chain.locked = True
    monkeypatch.setattr(credentials, "_keyring_works", lambda: False)
    with pytest.raises(CannotStart) as caught:
        Credentials(tmp_path).get_or_create("pw")
    assert caught.value.code == "keyring"
    assert not (tmp_path / "secrets.json").exists()


def test_without_a_session_bus_the_keyring_is_not_even_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLINICDESK_SECRETS")
    monkeypatch.setattr(credentials, "_session_bus", lambda: False)
    monkeypatch.setattr(credentials.sys, "platform", "linux")
    monkeypatch.setattr(keyring, "get_keyring", lambda: pytest.fail("asked"))
    assert Credentials(tmp_path).kept_in == "file"
    assert json.loads((tmp_path / "clinic.json").read_text())["secrets_in"] == "file"


def test_a_damaged_file_is_a_sentence(tmp_path: Path) -> None:
    Credentials(tmp_path).set("key", "value")
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(CannotStart, match="cannot be read"):
        Credentials(tmp_path).get("key")
    (tmp_path / "clinic.json").write_text("[]")
    with pytest.raises(CannotStart, match="cannot be read"):
        Credentials(tmp_path)
