"""Two hundred failures of every kind, each carrying a patient's data: none of it is in the log, in the box the person sees, on standard
error, or in the log of the database server."""

from __future__ import annotations

import asyncio
import builtins
import gc
import logging
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from PySide6.QtCore import qCritical, qDebug, qInfo, qWarning
from sqlalchemy import text

from clinicdesk.logs import PlaceFormatter, log_to_file, log_uncaught
from clinicdesk.storage.addresses import libpq_address
from tests import logs_searched
from tests.clinics import Practice
from tests.reliability.conftest import Row
from tests.screens.office import Office
from tests.visiting import completed
from ui.problems import Unexpected, explain

NAME, NOTE, PHONE = "Zwielicht Anna", "canary: Dry cough", "+491701234567"
WORDS = f"{NAME} {PHONE} {NOTE}"
TYPES = ("integer", "bigint", "smallint", "date", "timestamptz", "time", "interval", "uuid", "numeric", "boolean", "json", "jsonb", "inet",
         "cidr", "macaddr", "point", "box", "bytea", "int4range", "tstzrange", "oid", "regclass", "float8", "bit", "money", "tsquery",
         "pg_lsn", "xid", "circle", "int[]", "date[]", "clinic.patients")
#: Statements that the database refuses with the values in what it says.
STATEMENTS = (
    *(f"select cast(:words as {kind})" for kind in TYPES),
    *(f"insert into clinic.patients (id, first_name, last_name, born, sex, phone) values ({number}, :words, {name}, '1980-01-01', 'F',"
      " :words)"
      for number, name in (("'p_abc123'", ":words"), (":words", "'x'"))),
    "insert into clinic.patient_tags values (:words, :words)", "update clinic.appointments set status = :words",
    "select to_date(:words, 'YYYY-MM-DD')",
    "select to_number(:words, '99')", "select :words ~ '(' || :words",
    "select clinic.nothing(:words)",
    "select cast(:words as text) collate \"Zwielicht\"", "select \"Zwielicht Anna\" from clinic.patients",
    "select 'Zwielicht'::clinic.other",
    "do $$ begin raise exception 'Zwielicht Anna'; end $$", "do $$ begin raise warning 'Zwielicht Anna'; end $$; select 1/0",
    "select * from clinic.\"Zwielicht\"", "select set_config('timezone', :words, true)", "set local search_path = 'Zwielicht'; select x()",
    "select cast(repeat(:words, 9) as varchar(3))::integer", "select jsonb_path_query('{}', cast(:words as jsonpath))",
    "select decode(:words, 'hex')", "select chr(-1), cast(:words as date)",
)
ERRORS = sorted((kind for kind in vars(builtins).values() if isinstance(kind, type) and issubclass(kind, Exception)
                 and not issubclass(kind, (Warning, UnicodeError, BaseExceptionGroup))), key=lambda kind: kind.__name__)


class Lost:
    """Fails while it is taken away."""

    def __del__(self) -> None:
        raise ValueError(WORDS)


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """The application's own log, as it is opened by the command line, until the test ends."""
    (tmp_path / "log").mkdir(exist_ok=True)
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    path = log_to_file(tmp_path, "DEBUG")
    yield path
    for handler in [one for one in root.handlers if one not in before]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)


def driver_errors(practice: Practice) -> Iterator[Exception]:
    """Each statement through the application, and bare."""
    token = practice.token("rita")
    for statement in STATEMENTS:
        try:
            with practice.clinic.write(token) as session:
                session.execute(text(statement), {"words": WORDS} if ":words" in statement else {})
        except Exception as error:  # noqa: BLE001  every kind is wanted
            yield error
    with psycopg.connect(libpq_address(practice.clinic.addresses.app), autocommit=True) as bare:
        for statement in STATEMENTS:
            try:
                bare.execute(statement.replace(":words", "%(words)s"), {"words": WORDS} if ":words" in statement else None)
            except Exception as error:  # noqa: BLE001
                yield error


def nested(kind: type[Exception]) -> Exception:
    """With causes, contexts and notes that all say it."""
    try:
        try:
            raise kind(WORDS)
        except Exception as inner:
            inner.add_note(NOTE)
            raise RuntimeError({"name": NAME, "note": NOTE}) from inner
    except RuntimeError as outer:
        return outer


async def forgotten() -> None:
    """A task whose failure nobody asks for."""
    async def fails() -> None:
        raise ValueError(WORDS)

    task = asyncio.ensure_future(fails())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task


def in_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def raising(error: Exception) -> Callable[..., Any]:
    def fails(*_args: object) -> Any:
        raise error

    return fails


def test_two_hundred_failures_say_nothing_about_anybody(office: Office, practice: Practice, log_file: Path, run_folder: Path, row: Row,
                                                        capfd: pytest.CaptureFixture[str]) -> None:
    completed(practice, practice.patient(last_name="Adler", first_name=NAME.split()[1]))
    window, forced, boxes = office.open("rita"), 0, []
    unexpected = Unexpected()
    log = logging.getLogger("clinicdesk.test")
    try:
        for error in driver_errors(practice):
            forced += 1
            boxes.append(explain(error).text)
            log.error("a statement failed", exc_info=error)
        for kind in ERRORS:
            forced += 3
            error = nested(kind)
            boxes.append(explain(error).text)
            sys.excepthook(type(error), error, error.__traceback__)
            in_thread(raising(nested(kind)))
            window.desk.ask(window, raising(nested(kind)), done=raising(ValueError(WORDS)))
            office.settle()
            if window._problem is not None:
                boxes.append(" ".join(one.text() for one in window._problem.findChildren(type(window.connection.words))))
                window._problem.accept()
                office.settle()
        for ask in (window.desk.ask, window.desk.do):  # a bug in a receiver of a panel
            forced += 1
            ask(window, lambda _session: NAME, done=lambda said: raising(KeyError(said))())  # type: ignore[operator]
            office.settle()
        for say in (qDebug, qInfo, qWarning, qCritical):
            forced += 1
            say(f"QWidget::setToolTip: {WORDS}")
            say(WORDS)
        for name in ("asyncio", "psycopg.pool", "procrastinate", "pymongo.command", "PIL"):
            forced += 2
            logging.getLogger(name).error("about %s", WORDS, exc_info=ValueError(WORDS))
            logging.getLogger(name).critical(f"about {WORDS}")  # noqa: G004  as libraries do
        forced += 2
        Lost()
        asyncio.run(forgotten())
        gc.collect()
    finally:
        unexpected.restore()
    said = log_file.read_text(encoding="utf-8")
    errors = capfd.readouterr()
    assert forced >= 200
    assert said.count("bug ") > len(ERRORS) * 3 and " nested" in said and "QWidget::setToolTip" in said and "asyncio" in said
    for place, content in {"log": said, "boxes": "\n".join(boxes), "standard error": errors.err, "standard output": errors.out}.items():
        hits = [line for line in content.splitlines() if logs_searched.PATIENT_DATA.search(line) and "Captured" not in line]
        assert hits == [], place
    assert list(logs_searched.log_files(run_folder)), "the servers' logs are searched"
    assert logs_searched.leaks(run_folder) == []
    row("failures forced with a patient's data in them (found in logs, boxes)", forced, 0, 0, 0)


def test_a_program_without_windows_says_nothing_either(log_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = threading.excepthook, sys.unraisablehook
    try:
        log_uncaught()
        in_thread(raising(nested(ValueError)))
        in_thread(raising(SystemExit()))  # type: ignore[arg-type]
        Lost()
    finally:
        threading.excepthook, sys.unraisablehook = before
    said = log_file.read_text(encoding="utf-8")
    assert said.count("nobody c") == 2 and "builtins.ValueError" in said
    assert not logs_searched.PATIENT_DATA.search(said)
    assert not logs_searched.PATIENT_DATA.search(capfd.readouterr().err)


def test_a_log_that_cannot_be_written_says_so_and_not_what(tmp_path: Path, log_file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "log").rmdir()  # opened at the first line
    logging.getLogger("clinicdesk.test").error("about %s", WORDS, exc_info=nested(OSError))
    said = capfd.readouterr().err
    assert said.splitlines() == ["A line of clinicdesk.test could not be written to the log: FileNotFoundError."]
    log_file.parent.mkdir()
    logging.getLogger("clinicdesk.test").error("about a number")
    assert "about a number" in log_file.read_text(encoding="utf-8"), "once there is room again, it goes on"


def test_a_second_log_takes_the_place_of_the_first(tmp_path: Path, log_file: Path) -> None:
    (tmp_path / "other" / "log").mkdir(parents=True)
    second = log_to_file(tmp_path / "other", "INFO")
    logging.getLogger("clinicdesk.test").warning("about a number")
    assert "about a number" in second.read_text(encoding="utf-8") and not log_file.exists()


def test_what_another_handler_made_of_an_exception_is_not_written() -> None:
    error = ValueError(WORDS)
    record = logging.LogRecord("clinicdesk.x", logging.ERROR, __file__, 1, "a bug", None, (type(error), error, None))
    assert NAME in logging.Formatter().format(record)
    assert NAME not in PlaceFormatter("%(message)s").format(record)


def test_the_search_finds_what_it_looks_for() -> None:
    folder = Path(tempfile.mkdtemp())  # not pytest's: that one is searched at the end of the run
    (folder / "log").mkdir()
    (folder / "secrets.json").write_text('{"postgresql.owner": "a-password-of-a-role"}')
    token = "aB3" + "x_-Y" * 15 + "z"
    lines = [NAME, PHONE, NOTE, "078-05-1120", "Example17", token, "user a-password-of-a-role", "a quiet morning 7"]
    (folder / "log" / "postgresql.log").write_text("\n".join(["fine", *lines, f"hash {os.urandom(32).hex()}", "Praxis Müller"]))
    (folder / "other.log.1").write_text(NAME)
    (folder / "patients.csv").write_text(NAME)
    found = logs_searched.leaks(folder)
    shutil.rmtree(folder)
    assert [int(one.split(":")[1]) for one in found] == [*range(2, len(lines) + 2), 1]
