"""Where the installed application begins."""

import os

# What PyInstaller's start put into the environment is for this process alone: programs of the system must not load our libraries, and
# a second ClinicDesk must start like the first. The loader read its part before Python began, so nothing here misses it.
given = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
if given is None:
    os.environ.pop("LD_LIBRARY_PATH", None)
else:
    os.environ["LD_LIBRARY_PATH"] = given
for name in [name for name in os.environ if name.startswith("_PYI_")]:
    del os.environ[name]

from clinicdesk.cli import main  # noqa: E402  what it imports may start programs

main()
