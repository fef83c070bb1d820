"""Where settings come from, who wins, and the one sentence for each nonsense."""

from pathlib import Path

import pytest

from clinicdesk.config import default_data_dir, load_settings, prepare_data_dir
from clinicdesk.errors import CannotStart


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("CLINICDESK_ZONE", "CLINICDESK_REQUIRE_TLS", "CLINICDESK_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def refused(**overrides: object) -> CannotStart:
    with pytest.raises(CannotStart) as caught:
        load_settings(**overrides)
    return caught.value


def test_each_source_beats_the_one_before(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = here / "clinic"
    folder.mkdir()
    seen = [load_settings(data_dir=folder).mongodb_db_name]
    (folder / "clinicdesk.toml").write_text('mongodb_db_name = "from_toml"\nzone = "Europe/Rome"\n')
    seen.append(load_settings(data_dir=folder).mongodb_db_name)
    (folder / ".env").write_text("MONGODB_DB_NAME=from_folder\n")
    seen.append(load_settings(data_dir=folder).mongodb_db_name)
    (here / ".env").write_text('MONGODB_DB_NAME="from_here"\n# a comment\nexport OTHER=1\n')
    seen.append(load_settings(data_dir=folder).mongodb_db_name)
    monkeypatch.setenv("MONGODB_DB_NAME", "from_environment")
    seen.append(load_settings(data_dir=folder).mongodb_db_name)
    seen.append(load_settings(data_dir=folder, mongodb_db_name="from_command_line").mongodb_db_name)
    assert seen == ["clinic_appointment", "from_toml", "from_folder", "from_here", "from_environment", "from_command_line"]
    assert load_settings(data_dir=folder).zone == "Europe/Rome"


def test_the_folder_itself_may_come_from_the_env_file(here: Path) -> None:
    assert load_settings().data_dir == default_data_dir()
    (here / ".env").write_text("CLINICDESK_DATA_DIR=mine\n")
    assert load_settings().data_dir == here / "mine"


def test_addresses_are_never_shown_and_can_be_switched_off(here: Path) -> None:
    (here / ".env").write_text("DATABASE_URL=postgresql://me:hunter2@db/clinic\nMONGODB_URI=mongodb://me:hunter3@docs\n")
    settings = load_settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://me:hunter2@db/clinic"
    assert "hunter" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert load_settings(database_url="", mongodb_uri="").database_url is None


@pytest.mark.parametrize(("content", "says"), [
    (b"this is nonsense\n", "Line 1"), (b"A=1\n= 4 =\n", "Line 2"), (b"\xff\xfe\x00\x01", "not a text file"), (b"A=1\nB\n", "Line 2"),
])
def test_nonsense_in_an_env_file_is_named_by_line(here: Path, content: bytes, says: str) -> None:
    (here / ".env").write_bytes(content)
    error = refused()
    assert error.code == "env_file"
    assert says in error.sentence
    assert error.advice


@pytest.mark.parametrize(("name", "value"), [
    ("DATABASE_URL", "mysql://me:hunter2@db"), ("MONGODB_URI", "http://me:hunter2@docs"), ("MONGODB_DB_NAME", "a b"),
    ("MONGODB_DB_NAME", "x" * 64), ("MONGODB_COLLECTION_NAME", "$hunter2"), ("CLINICDESK_REQUIRE_TLS", "hunter2"),
    ("CLINICDESK_ZONE", "Mars/hunter2"), ("CLINICDESK_LOG_LEVEL", "hunter2"),
])
def test_a_wrong_value_is_named_by_its_variable_and_not_repeated(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    error = refused()
    assert error.code == "settings"
    assert error.sentence.startswith(name)
    assert "hunter2" not in error.sentence + error.advice + str(error)


def test_a_config_file_that_is_none(here: Path) -> None:
    (here / "clinicdesk.toml").write_text("nonsense")
    assert refused(data_dir=here).code == "config_file"


def test_a_folder_that_cannot_be_made(here: Path) -> None:
    (here / "file").write_text("")
    with pytest.raises(CannotStart, match="cannot be used") as caught:
        prepare_data_dir(here / "file" / "clinic")
    assert caught.value.code == "data_dir"
