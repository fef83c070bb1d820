"""The administrator's insurance: a backup, its proof with the certificate, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.dialogs.pdf_window import PdfWindow
from ui.dialogs.restoring import RestoreWizard
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "administrator"
_LONG = 120.0  #: seconds a backup or a rehearsal of the demo clinic may take on a busy machine


def walk(w: Walk) -> None:
    """All steps in order."""
    step = w.guide.step
    step(ROLE, "takes a backup of both databases while everybody works", lambda: _back_up(w))
    step(ROLE, "proves it: restored onto scratch servers, every row and document compared", lambda: _rehearse(w))
    step(ROLE, "opens the certificate of the proof", lambda: _certificate(w))
    step(ROLE, "looks at how a backup is restored", lambda: _wizard(w))


def _back_up(w: Walk) -> None:
    panel = w.panel("ada", "backups")
    w.guide.click(panel.back_up_button)
    w.guide.until(lambda: len(panel.table.rows) == 1, "the backup is listed", _LONG)
    w.guide.fact("bytes", panel.table.rows[0].size)
    w.guide.picture(w.windows["ada"], "backup")


def _rehearse(w: Walk) -> None:
    panel = w.panel("ada", "backups")
    w.guide.click(panel.rehearse_button)
    w.guide.until(lambda: panel.table.rows[0].proof is not None, "the rehearsal ends", _LONG)
    proof = panel.table.rows[0].proof
    if not proof.ok:
        raise TourFailed(f"the backup did not come back: {proof.numbers['problems']}")
    w.guide.fact("rows compared", proof.numbers["rows"][1])
    panel.table.select(panel.table.rows[0].path)
    w.guide.picture(w.windows["ada"], "backup-proven")


def _certificate(w: Walk) -> None:
    panel = w.panel("ada", "backups")
    w.guide.click(panel.certificate_button)
    window = w.guide.dialog(PdfWindow)
    w.guide.until(lambda: window.content, "the certificate is made")
    w.guide.settle()
    w.guide.pdf(window.content, "backup-certificate")
    w.guide.picture(window, "backup-certificate", dark=False)
    window.close()


def _wizard(w: Walk) -> None:
    panel = w.panel("ada", "backups")
    w.guide.click(panel.restore_button)
    wizard = w.guide.dialog(RestoreWizard)
    w.guide.picture(w.windows["ada"], "restore-file")
    w.guide.click(wizard.next_button)
    w.guide.until(wizard.folder.isVisible, "this computer holds the key, so only the folder is asked for")
    w.guide.picture(w.windows["ada"], "restore-folder")
    wizard.reject()
