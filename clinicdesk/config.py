"""What can be set from outside: defaults < `clinicdesk.toml` in the data folder < `.env` < environment < command line.

Holds no secret of its own: the two addresses may carry passwords, so they are `SecretStr` and never shown.
"""

from __future__ import annotations

import io
import json
import os
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import platformdirs
import tzlocal
from dotenv.parser import parse_stream
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from clinicdesk.errors import CannotStart
from clinicdesk.whole_files import write_whole

CONFIG_FILE = "clinicdesk.toml"
ENV_FILE = ".env"

_folder: ContextVar[Path | None] = ContextVar("_folder", default=None)


def default_data_dir() -> Path:
    """Where this person's clinic lives when nobody says otherwise."""
    return Path(platformdirs.user_data_dir("ClinicDesk", appauthor=False))


def _local_zone() -> str:
    try:
        return str(tzlocal.get_localzone_name() or "UTC")
    except Exception:  # noqa: BLE001 - a machine with a broken clock setting still gets a clinic, in UTC
        return "UTC"


def _named(field: str, variable: str) -> AliasChoices:
    return AliasChoices(field, variable, variable.lower())


class Settings(BaseSettings):
    """The whole configuration. Build it with `load_settings`; frozen afterwards."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_ignore_empty=True, env_file_encoding="utf-8",
                                      populate_by_name=True, hide_input_in_errors=True)

    data_dir: Annotated[Path, Field(validation_alias=_named("data_dir", "CLINICDESK_DATA_DIR"))]
    database_url: Annotated[SecretStr | None, Field(validation_alias=_named("database_url", "DATABASE_URL"))] = None
    mongodb_uri: Annotated[SecretStr | None, Field(validation_alias=_named("mongodb_uri", "MONGODB_URI"))] = None
    mongodb_db_name: Annotated[str, Field(validation_alias=_named("mongodb_db_name", "MONGODB_DB_NAME"))] = "clinic_appointment"
    mongodb_collection_name: Annotated[
        str, Field(validation_alias=_named("mongodb_collection_name", "MONGODB_COLLECTION_NAME"))] = "visit_history"
    require_tls: Annotated[bool, Field(validation_alias=_named("require_tls", "CLINICDESK_REQUIRE_TLS"))] = False
    zone: Annotated[str, Field(validation_alias=_named("zone", "CLINICDESK_ZONE"), default_factory=_local_zone)]
    #: Where backups go; `backups` in the data folder when nobody says otherwise.
    backup_dir: Annotated[Path | None, Field(validation_alias=_named("backup_dir", "CLINICDESK_BACKUP_DIR"))] = None
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"],
                         Field(validation_alias=_named("log_level", "CLINICDESK_LOG_LEVEL"))] = "INFO"

    @field_validator("data_dir", "backup_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().absolute() if value else None

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        text = (value.get_secret_value() if value else "").strip()
        if not text:
            return None
        scheme = text.partition("://")[0] if "://" in text else ""
        if scheme.partition("+")[0] not in {"postgresql", "postgres"} and (scheme or "=" not in text):
            raise ValueError("must start with postgresql://")
        return SecretStr(text)

    @field_validator("mongodb_uri")
    @classmethod
    def _is_mongodb(cls, value: SecretStr | None) -> SecretStr | None:
        text = (value.get_secret_value() if value else "").strip()
        if not text:
            return None
        if not text.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must start with mongodb:// or mongodb+srv://")
        return SecretStr(text)

    @field_validator("mongodb_db_name", "mongodb_collection_name")
    @classmethod
    def _is_mongodb_name(cls, value: str) -> str:
        if not value or len(value.encode()) > 63 or set(value) & set('/\\. "$*<>:|?\0') or value.startswith("system"):
            raise ValueError("must be a MongoDB name of 1 to 63 bytes without spaces and without any of / \\ . $ * < > : | ?")
        return value

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("must be a time zone such as Europe/London") from None
        return value

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource, file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        folder = _folder.get()
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls, folder and folder / CONFIG_FILE)

    @property
    def tz(self) -> ZoneInfo:
        """The clinic's time zone."""
        return ZoneInfo(self.zone)


def _read_env_file(path: Path) -> dict[str, str | None]:
    """NAME=value pairs of one `.env`; CannotStart names the first line that is not one."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnicodeDecodeError:
        raise CannotStart("env_file", f"{path} is not a text file.", "Write one NAME=value per line in it, or remove it.") from None
    except OSError as error:
        raise CannotStart("env_file", f"{path} cannot be read: {error.strerror}.", "Make it a readable file, or remove it.") from None
    values: dict[str, str | None] = {}
    for binding in parse_stream(io.StringIO(text)):
        if binding.error or (binding.key is not None and binding.value is None):
            raise CannotStart("env_file", f"Line {binding.original.line} of {path} is not NAME=value.",
                              'Put values with spaces or # in "quotes", or remove the line.')
        if binding.key:
            values[binding.key] = binding.value
    return values


def _find_data_dir(given: Path | str | None, env_file: dict[str, str | None]) -> Path:
    named = given or os.environ.get("CLINICDESK_DATA_DIR") or env_file.get("CLINICDESK_DATA_DIR")
    return (Path(named).expanduser() if named else default_data_dir()).absolute()


def load_settings(**overrides: Any) -> Settings:
    """The configuration; `overrides` are what the command line said (None: nothing said).

    Creates nothing. Raises CannotStart with code `env_file`, `config_file` or `settings` and a sentence that names the file or
    the variable, never its value.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    here = Path.cwd() / ENV_FILE
    data_dir = _find_data_dir(given.get("data_dir"), _read_env_file(here))
    given["data_dir"] = data_dir
    there = data_dir / ENV_FILE
    _read_env_file(there)
    token = _folder.set(data_dir)
    try:
        return Settings(_env_file=(there, here), **given)  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = str(first["loc"][-1]) if first["loc"] else "settings"
        shown = {"database_url": "DATABASE_URL", "mongodb_uri": "MONGODB_URI", "mongodb_db_name": "MONGODB_DB_NAME",
                 "mongodb_collection_name": "MONGODB_COLLECTION_NAME"}.get(name, f"CLINICDESK_{name.removeprefix('CLINICDESK_').upper()}")
        shown = name if name.isupper() and not name.startswith("CLINICDESK") else shown
        reason = first["msg"].removeprefix("Value error, ")
        verb = "" if reason.startswith("must") else "is wrong: "
        raise CannotStart("settings", f"{shown} {verb}{reason}.", f"Correct it in the environment, in .env or in {CONFIG_FILE}.") from None
    except ValueError:  # tomllib: not TOML, or not UTF-8
        raise CannotStart("config_file", f"{data_dir / CONFIG_FILE} is not a TOML file.", "Correct it or remove it.") from None
    except OSError as error:
        raise CannotStart("config_file", f"{data_dir / CONFIG_FILE} cannot be read: {error.strerror}.",
                          "Make it a readable file, or remove it.") from None
    finally:
        _folder.reset(token)


def keep_setting(data_dir: Path, name: str, value: str) -> None:
    """Write one setting into `clinicdesk.toml` of the folder; every other line stays. The environment still wins over it."""
    path = data_dir / CONFIG_FILE
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    others = [line for line in lines if line.partition("=")[0].strip() != name]
    write_whole(path, ("\n".join([f"{name} = {json.dumps(value, ensure_ascii=False)}", *others]) + "\n").encode())


def prepare_data_dir(data_dir: Path) -> Path:
    """Create the data folder (only its owner may list it) and prove that it can be written. CannotStart(`data_dir`) else."""
    advice = "Choose another folder with --data-dir or CLINICDESK_DATA_DIR, or make this one writable."
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            # 0711: as root the database servers run as another account, which must reach its own folder below and nothing else.
            data_dir.chmod(0o711 if hasattr(os, "geteuid") and os.geteuid() == 0 else 0o700)
        for name in ("log", "run"):
            (data_dir / name).mkdir(mode=0o700, exist_ok=True)
        probe = data_dir / "run" / f"probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise CannotStart("data_dir", f"The folder {data_dir} cannot be used: {error.strerror}.", advice) from None
    return data_dir
