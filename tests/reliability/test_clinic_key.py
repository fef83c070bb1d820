"""The clinic key on paper: shown, entered again, and refused when it is not the right one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from clinicdesk.clinic import CLINIC_KEY, open_clinic
from clinicdesk.credentials import Credentials
from clinicdesk.rules.key_code import key_code
from clinicdesk.storage.vault import new_key
from tests.clinics import test_settings

ROOT = Path(__file__).parent.parent.parent


def command(folder: Path, *arguments: str, typed: str = "") -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "clinicdesk", *arguments, "--data-dir", str(folder)], capture_output=True, text=True,
                          cwd=ROOT, timeout=120, check=False, input=typed)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def test_show_lose_and_enter(clinic_folder: Path) -> None:
    returned, _, said = command(clinic_folder, "key", "show")
    assert returned == 2
    assert said.startswith("This computer does not hold the key")
    open_clinic(test_settings(clinic_folder), worker=False).close()
    returned, code, _ = command(clinic_folder, "key", "show")
    assert returned == 0
    assert len(code.strip()) == 14 * 5 - 1
    assert "held this key already" in command(clinic_folder, "key", "enter", typed=code)[1]

    Credentials(clinic_folder).delete(CLINIC_KEY)
    for typed, says in ((code.strip()[:-1], "not a clinic key"), (key_code(new_key()), "another clinic"), ("", "not a clinic key")):
        returned, _, said = command(clinic_folder, "key", "enter", typed=typed)
        assert returned == 2
        assert says in said
        assert Credentials(clinic_folder).get(CLINIC_KEY) is None
    returned, said, _ = command(clinic_folder, "key", "enter", typed=code.lower().replace("-", "  "))
    assert (returned, said) == (0, "This computer now holds the key of its clinic.\n")
    open_clinic(test_settings(clinic_folder), worker=False).close()
