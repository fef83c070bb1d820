"""One start of the real application, timed to the painted sign-in window: `python -m benchmarks.opening FOLDER BORN`.

Prints one JSON object: `seconds`, `memory_mb` (resident now), `peak_mb`.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

BORN = float(sys.argv[2]) if len(sys.argv) > 2 else time.time()


def main() -> int:
    """Run the application until its sign-in window has been painted once."""
    from PySide6.QtCore import QEvent, QObject, QTimer
    from PySide6.QtWidgets import QApplication

    from clinicdesk.config import load_settings
    from ui.app import run
    from ui.sign_in import SignInWindow

    class Watch(QObject):
        """Waits for the first paint event of the sign-in window."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint and isinstance(watched, SignInWindow):
                app.removeEventFilter(self)
                QTimer.singleShot(0, self, self.report)
            return False

        def report(self) -> None:
            """The picture is on the screen: say so and leave as a person does."""
            print(json.dumps({"seconds": round(time.time() - BORN, 3), "memory_mb": resident(), "peak_mb": peak()}), flush=True)
            app.quit()

    app = QApplication(sys.argv[:1])
    watch = Watch()
    app.installEventFilter(watch)
    settings = load_settings(data_dir=Path(sys.argv[1])).model_copy(update={"database_url": None, "mongodb_uri": None})
    return run(settings)


def resident() -> float:
    """Megabytes of memory in use now; the peak where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return peak()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024, 1)


def peak() -> float:
    """Megabytes at most (kilobytes on Linux, bytes on macOS)."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(used / (1024 * 1024 if sys.platform == "darwin" else 1024), 1)


if __name__ == "__main__":
    sys.exit(main())
