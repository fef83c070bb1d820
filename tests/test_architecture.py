"""The rules of the house, read from the source itself: layers, single users of drivers, module size, forbidden names."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted(p for package in ("clinicdesk", "ui") for p in (ROOT / package).rglob("*.py"))
MODULES = SOURCES + sorted(p for folder in ("tests", "migrations", "benchmarks") for p in (ROOT / folder).rglob("*.py"))

#: Third-party module → the only places that may import it (paths below the root, a folder ends with "/").
SINGLE_USERS = {
    "pymongo": ["clinicdesk/storage/documents.py"],
    "gridfs": ["clinicdesk/storage/documents.py"],
    "bson": ["clinicdesk/storage/documents.py"],
    "keyring": ["clinicdesk/credentials.py"],
    "cryptography": ["clinicdesk/storage/vault.py", "clinicdesk/storage/signing.py",  # sealing; signing keys
                     "clinicdesk/storage/enrolling.py"],  # key agreement with a new computer: other primitives, used once in its life
    "pyhanko": ["clinicdesk/pdf/signatures.py"],
    "asn1crypto": ["clinicdesk/pdf/signatures.py"],
    "segno": ["clinicdesk/pdf/", "clinicdesk/services/second_factor.py"],  # on paper; an authenticator's code on the screen
    "pyotp": ["clinicdesk/services/second_factor.py"],
    "zxingcpp": ["clinicdesk/verifying/pictures.py"],
    "reportlab": ["clinicdesk/pdf/"],
    "psycopg": ["clinicdesk/storage/", "clinicdesk/jobs/"],
    "procrastinate": ["clinicdesk/jobs/"],
    "pypdfium2": ["ui/printing.py", "clinicdesk/pdf/"],
    "filetype": ["clinicdesk/services/file_kinds.py"],
    "alembic": ["clinicdesk/storage/"],
    "PySide6": ["ui/"],
    "pyqtgraph": ["ui/"],
    "qtawesome": ["ui/"],
}
FORBIDDEN_IN_UI = {"sqlalchemy", "psycopg", "pymongo", "keyring", "reportlab", "cryptography"}
FORBIDDEN_IN_RULES = {"sqlalchemy", "psycopg", "pymongo", "PySide6", "keyring", "reportlab", "socket", "subprocess", "requests", "urllib"}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_layers(path: Path) -> None:
    name = relative(path)
    for module in imports(path):
        top = module.split(".")[0]
        if name.startswith("clinicdesk/") and name != "clinicdesk/cli.py" and not name.startswith("clinicdesk/commands/"):
            assert top != "ui", f"{name} imports {module}: clinicdesk never imports ui"
        if name.startswith("ui/"):
            assert top not in FORBIDDEN_IN_UI, f"{name} imports {module}"
        if name.startswith("clinicdesk/rules/"):
            assert top not in FORBIDDEN_IN_RULES, f"{name} imports {module}"
            assert not module.startswith(("clinicdesk.models", "clinicdesk.services", "clinicdesk.storage")), f"{name}: {module}"
        if name.startswith("clinicdesk/models/"):
            assert top in {"sqlalchemy", "clinicdesk", "datetime", "decimal", "uuid", "typing", "__future__", "enum"}, f"{name}: {module}"
            if top == "clinicdesk":
                assert module.startswith("clinicdesk.models"), f"{name} imports {module}"
        if top in SINGLE_USERS:
            assert any(name == user or (user.endswith("/") and name.startswith(user)) for user in SINGLE_USERS[top]), f"{name}: {module}"


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_module_is_small_and_well_named(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, "find the room that wants to be its own"
    assert not {"utils", "helpers", "manager", "misc", "common"} & set(path.stem.split("_")), path.name


def test_every_runtime_import_is_a_declared_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {d.split(">")[0].split("=")[0].split("[")[0].strip().lower().replace("-", "_") for d in project["dependencies"]}
    names = {"pyside6": "pyside6_essentials", "email_validator": "email_validator", "dateutil": "python_dateutil", "bidi": "python_bidi",
             "gridfs": "pymongo", "bson": "pymongo", "argon2": "argon2_cffi", "fonttools": "fonttools", "secantus": "secantusdb",
             "zxingcpp": "zxing_cpp", "pydantic": "pydantic_settings", "pil": "pillow", "dotenv": "pydantic_settings"}
    import sys

    for path in SOURCES:
        for module in imports(path):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or top in {"clinicdesk", "ui", "benchmarks", ""}:
                continue
            wanted = names.get(top.lower(), top.lower())
            assert wanted in declared, f"{relative(path)} imports {top}, which pyproject.toml does not declare"
