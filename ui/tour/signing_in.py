"""Around sign-in: one's own account, a second factor set up and asked for, and a password reset by a one-time code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from clinicdesk.services import second_factor
from ui.code_entry import CodeEntry
from ui.dialogs.codes import CodeSheet
from ui.dialogs.profile import LeaveSheet, ProfileSheet, SetUpSheet
from ui.second_step import CodeStep
from ui.sign_in import SignInWindow
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "administrator"
NEW = "four calm words today"


def walk(w: Walk) -> None:
    """All steps in order."""
    step = w.guide.step
    step(ROLE, "sets up a second factor in her own account", lambda: _set_up(w))
    step(ROLE, "is asked for its code when she signs in", lambda: _asked(w))
    step(ROLE, "switches it off again by a recovery code", lambda: _leave(w))
    step(ROLE, "starts a password reset, which the person ends with the code", lambda: _reset(w))


def _set_up(w: Walk) -> None:
    guide, window = w.guide, w.windows["ada"]
    window.activateWindow()
    window.account.show_profile()
    profile = guide.dialog(ProfileSheet)
    guide.until(profile.factor_button.isEnabled, "the account is read")
    guide.picture(window, "my-account")
    guide.click(profile.factor_button)
    sheet = guide.dialog(SetUpSheet)
    guide.until(lambda: sheet.step.enrolment is not None, "the QR code is shown")
    guide.picture(window, "second-factor", dark=False)
    if sheet.step.enrolment is None:
        raise TourFailed("there is no secret")
    w.found["secret"] = sheet.step.enrolment.secret
    guide.fill(sheet.step.code, second_factor.code_of(w.found["secret"], datetime.now(UTC)))
    guide.until(lambda: len(sheet.step.codes) == 10, "ten recovery codes are shown")
    guide.picture(window, "recovery-codes", dark=False)
    w.found["recovery"] = sheet.step.codes
    guide.click(sheet.step.kept_button)
    guide.until(lambda: profile.state is not None and profile.state.is_on, "the account says that it is on")
    profile.accept()


def _entrance(w: Walk) -> tuple[SignInWindow, list[Any]]:
    window = SignInWindow(w.guide.theme, w.guide.pool, w.clinic.sign_in, doors=w.clinic)
    answers: list[Any] = []
    window.signed_in.connect(answers.append)
    window.show()
    window.activateWindow()
    w.guide.settle()
    return window, answers


def _asked(w: Walk) -> None:
    guide = w.guide
    window, answers = _entrance(w)
    guide.sign_in(window, "ada", w.accounts["ada"].password)
    guide.until(lambda: isinstance(window.step, CodeStep), "the code is asked for")
    guide.picture(window, "code-asked")
    if isinstance(window.step, CodeStep):  # the next step's code: the one of now was used to set it up
        guide.fill(window.step.code, second_factor.code_of(w.found["secret"], datetime.now(UTC) + timedelta(seconds=30)))
    guide.until(lambda: answers, "the sixth digit signs in")
    w.clinic.sign_out(answers[0].token)
    window.close()
    window.deleteLater()


def _leave(w: Walk) -> None:
    guide, window = w.guide, w.windows["ada"]
    window.activateWindow()
    window.account.show_profile()
    profile = guide.dialog(ProfileSheet)
    guide.until(lambda: profile.factor_button.text() == "Switch off", "the account is read")
    guide.click(profile.factor_button)
    sheet = guide.dialog(LeaveSheet)
    guide.click(sheet.step.other_button)
    guide.fill(sheet.step.code, w.found["recovery"][0])
    guide.click(sheet.step.enter_button)
    guide.until(lambda: profile.factor_button.text() == "Set up", "it is off")
    profile.accept()


def _reset(w: Walk) -> None:
    guide, ada = w.guide, w.windows["ada"]
    panel = w.panel("ada", "staff")
    guide.until(lambda: any(r.username == "sam" for r in panel.accounts.rows), "the accounts are listed")
    panel.accounts.select(next(r.user_id for r in panel.accounts.rows if r.username == "sam"))
    guide.click(panel.reset_button)
    sheet = guide.dialog(CodeSheet)
    guide.click(sheet.verb_button)
    guide.until(lambda: sheet.code, "the code is shown")
    guide.picture(ada, "reset-code")
    code = sheet.code
    guide.click(sheet.verb_button)
    window, answers = _entrance(w)
    guide.click(window.code_button)
    entry = window.step
    if not isinstance(entry, CodeEntry):
        raise TourFailed("the code is not asked for")
    for field, text in (("name", "sam"), ("code", code), ("new_password", NEW), ("again", NEW)):
        guide.fill(entry.form.editor(field), text)
    guide.picture(window, "i-have-a-code")
    guide.click(entry.enter_button)
    guide.until(lambda: answers, "the new password signs in")
    w.clinic.sign_out(answers[0].token)
    window.close()
    window.deleteLater()
