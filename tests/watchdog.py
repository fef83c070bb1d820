"""Started beside the test servers: when the test run is gone, however it went, stop them and remove their folder."""

import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


def main(folder: Path) -> None:
    sys.stdin.buffer.read()  # returns when the last holder of the other end has died or closed it
    if not folder.exists():
        return
    from clinicdesk.credentials import Credentials
    from clinicdesk.storage.embedded import EmbeddedServers

    servers = EmbeddedServers(folder, Credentials(folder))
    if not servers.in_use():
        servers.stop_now()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
