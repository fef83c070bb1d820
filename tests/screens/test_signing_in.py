"""The windows around sign-in, on a real clinic: second factor, recovery code, one-time codes, the kiosk, the lock, my account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QMenu

from clinicdesk.errors import SecondFactorNeeded
from clinicdesk.services import accounts, second_factor, settings
from tests.clinics import PASSWORD, Practice
from tests.screens.office import Office
from tests.visiting import as_owner
from ui.code_entry import CodeEntry
from ui.dialogs.codes import CodeSheet
from ui.dialogs.own import NameSheet
from ui.dialogs.profile import LeaveSheet, ProfileSheet, SetUpSheet
from ui.second_step import CodeStep, EnrolStep
from ui.sign_in import SignInWindow
from ui.tasks import Pool
from ui.widgets.sheet import Sheet

Open = Callable[[], SignInWindow]


def code(secret: str, steps: int = 0) -> str:
    return second_factor.code_of(secret, datetime.now(UTC) + timedelta(seconds=30 * steps))


def with_second_factor(practice: Practice, username: str) -> tuple[str, tuple[str, ...]]:
    with practice.write(username) as session:
        secret = second_factor.begin(session, username).secret
    with practice.write(username) as session:
        codes = second_factor.confirm(session, code(secret))
    as_owner(practice, "update auth.second_factors set last_step = last_step - 1")  # so that the code of now is still unused
    return secret, codes


@pytest.fixture
def entrance(practice: Practice, office: Office, qtbot: Any) -> Open:
    """A sign-in window; `answers` collects who came in."""
    pools: list[Pool] = []

    def make() -> SignInWindow:
        pools.append(Pool())
        window = SignInWindow(office.theme, pools[-1], practice.clinic.sign_in, doors=practice.clinic)
        qtbot.addWidget(window, before_close_func=lambda _w: pools[-1].close())
        window.answers = []  # type: ignore[attr-defined]
        window.signed_in.connect(window.answers.append)  # type: ignore[attr-defined]
        window.show()
        return window

    return make


def enter(office: Office, window: SignInWindow, username: str, password: str = PASSWORD) -> None:
    office.fill(window.username, username)
    office.fill(window.password, password)
    office.click(window.enter_button)


def step_of(office: Office, window: SignInWindow, kind: type[Any]) -> Any:
    office.until(lambda: isinstance(window.step, kind))
    return window.step


def test_the_second_factor_is_asked_and_the_sixth_digit_is_enough(office: Office, practice: Practice, entrance: Open) -> None:
    secret, _ = with_second_factor(practice, "dora")
    window = entrance()
    enter(office, window, "dora", "not her password")
    office.until(window.error.text)
    assert window.step is None, "whether there is a second factor is nobody's business before the password"
    enter(office, window, "dora")
    step = step_of(office, window, CodeStep)
    assert window.password.text() == "" and not window.answers  # type: ignore[attr-defined]
    office.fill(step.code, "000000" if code(secret) != "000000" else "111111")
    office.until(lambda: "wrong" in step.error.text())
    office.until(step.enter_button.isEnabled)
    QGuiApplication.clipboard().setText(f"{code(secret)[:3]} {code(secret)[3:]}")
    step.code.selectAll()
    step.code.paste()
    if not step._busy and not window.answers:  # type: ignore[attr-defined]
        step.code.textEdited.emit(step.code.text())
    office.until(lambda: window.answers)  # type: ignore[attr-defined]
    assert window.answers[0].me.username == "dora"  # type: ignore[attr-defined]


def test_a_recovery_code_instead(office: Office, practice: Practice, entrance: Open) -> None:
    _, codes = with_second_factor(practice, "dora")
    window = entrance()
    enter(office, window, "dora")
    step = step_of(office, window, CodeStep)
    office.click(step.other_button)
    assert "Recovery" in step.heading.text()
    office.fill(step.code, codes[0].upper())
    QTest.keyClick(step.code, Qt.Key.Key_Return)
    office.until(lambda: window.answers)  # type: ignore[attr-defined]


def test_back_from_the_code_is_the_password_again(office: Office, practice: Practice, entrance: Open) -> None:
    with_second_factor(practice, "dora")
    window = entrance()
    enter(office, window, "dora")
    office.click(step_of(office, window, CodeStep).back_button)
    assert window.step is None and window.password.isVisible()
    enter(office, window, "rita")
    office.until(lambda: window.answers)  # type: ignore[attr-defined]


def test_where_the_clinic_asks_for_one_it_is_set_up_on_the_way_in(office: Office, practice: Practice, entrance: Open) -> None:
    as_owner(practice, "update clinic.settings set value = '\"required\"', version = version + 1 where key = 'second_factor'")
    window = entrance()
    enter(office, window, "dora")
    step = step_of(office, window, EnrolStep)
    office.until(lambda: step.enrolment)
    office.fill(step.code, "12")
    QTest.keyClick(step.code, Qt.Key.Key_Return)
    office.until(lambda: "does not fit" in step.error.text())
    office.fill(step.code, code(step.enrolment.secret))
    office.until(lambda: len(step.codes) == 10)
    assert not window.answers, "the recovery codes come first"  # type: ignore[attr-defined]
    office.click(step.kept_button)
    office.until(lambda: window.answers)  # type: ignore[attr-defined]


def test_an_administrator_starts_a_reset_and_the_person_ends_it(office: Office, practice: Practice, entrance: Open) -> None:
    panel = office.panel(office.open("ada"), "staff")
    panel.accounts.select(next(r.user_id for r in panel.accounts.rows if r.username == "rita"))
    office.click(panel.reset_button)
    sheet = office.sheet(CodeSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.code)
    shown = sheet.code
    assert sheet.shown.text() == shown and len(shown) == 19
    office.click(sheet.verb_button)
    office.gone(sheet)
    window = entrance()
    office.click(window.code_button)
    entry = step_of(office, window, CodeEntry)
    new = "a calm afternoon 9"
    for field, text in (("name", "rita"), ("code", "aaaa-bbbb"), ("new_password", new), ("again", "other")):
        office.fill(entry.form.editor(field), text)
    office.click(entry.enter_button)
    assert "differ" in entry.form.error("again")
    office.fill(entry.form.editor("again"), new)
    office.click(entry.enter_button)
    office.until(lambda: "Name or code is wrong" in entry.form.error("code"))
    office.until(entry.enter_button.isEnabled)
    office.fill(entry.form.editor("code"), shown)
    office.click(entry.enter_button)
    office.until(lambda: window.answers)  # type: ignore[attr-defined]
    assert window.answers[0].me.username == "rita"  # type: ignore[attr-defined]


def test_an_administrator_removes_a_lost_second_factor(office: Office, practice: Practice) -> None:
    with_second_factor(practice, "dora")
    panel = office.panel(office.open("ada"), "staff")
    dora = next(r for r in panel.accounts.rows if r.username == "dora")
    assert dora.second_factor
    panel.accounts.select(dora.user_id)
    menu = QMenu()
    panel._menu(dora, menu)
    next(action for action in menu.actions() if action.text() == "Remove second factor").trigger()
    sheet = office.sheet(Sheet)
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: not next(r for r in panel.accounts.rows if r.username == "dora").second_factor)
    assert practice.clinic.sign_in("dora", PASSWORD).me.username == "dora"


def test_a_patient_enters_by_a_code_of_reception_and_leaves_nothing(office: Office, practice: Practice, entrance: Open) -> None:
    patient = practice.patient(first_name="Ana", last_name="Adler")
    with practice.write("rita") as session:
        made = accounts.kiosk_code(session, patient)
    window = entrance()
    office.click(window.code_button)
    entry = step_of(office, window, CodeEntry)
    office.fill(entry.form.editor("name"), patient)
    assert not entry.form.editor("new_password").isVisible() and entry.enter_button.text() == "Sign in"
    office.fill(entry.form.editor("code"), made)
    office.click(entry.enter_button)
    office.until(lambda: window.answers)  # type: ignore[attr-defined]
    assert window.answers[0].me.patient_id == patient  # type: ignore[attr-defined]


def test_the_kiosk_is_wiped_instead_of_locked(office: Office, practice: Practice, qtbot: Any) -> None:
    patient = practice.patient()
    with practice.write("rita") as session:
        made = accounts.kiosk_code(session, patient)
    signed_in = practice.clinic.sign_in_with_code(patient, made)
    window = office.window_of(signed_in)
    with qtbot.waitSignal(window.sign_out_requested):
        window.idle.idled.emit()
    assert window.locked is None


def test_the_locked_screen_shows_nothing_of_a_patient(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Zdenka", last_name="Quirrell")
    window = office.open("rita")
    panel = office.panel(window, "patients")
    office.until(lambda: any(r.last_name == "Quirrell" for r in panel.table.rows))
    before = window.grab().toImage()
    window.lock()
    cover = window.locked._covers[0]
    assert cover.geometry() == window.rect()
    after = window.grab().toImage()
    assert before != after
    ground = after.pixelColor(2, 2)
    assert {after.pixelColor(x, y).rgb() for x in range(0, after.width(), 7) for y in range(0, after.height(), 7)} == {ground.rgb()}
    words = " ".join(one.text() for one in window.locked.findChildren(QLabel))
    assert "Quirrell" not in words


def test_unlocking_asks_for_no_code_but_a_new_session_does(office: Office, practice: Practice) -> None:
    window = office.open("dora")
    secret, _ = with_second_factor(practice, "dora")
    old = window.desk.token
    window.lock()
    lock = window.locked
    lock.password.setText(PASSWORD)
    lock.unlock_button.click()
    office.until(lambda: window.locked is None)
    assert window.desk.token != old
    as_owner(practice, "update auth.sessions set ended_at = now()")
    window.lock()
    lock = window.locked
    lock.password.setText(PASSWORD)
    lock.unlock_button.click()
    office.until(lambda: isinstance(lock.step, CodeStep))
    lock.step.code.setText(code(secret))
    lock.step.submit()
    office.until(lambda: window.locked is None)


def test_minutes_until_the_lock_come_from_the_settings(office: Office, practice: Practice) -> None:
    practice.token("ada")
    with practice.write("ada") as session:
        known = settings.clinic_settings(session)
        settings.change_settings(session, replace(known, lock_receptionist=3))
    signed_in = practice.clinic.sign_in("rita", PASSWORD)
    window = office.window_of(signed_in, lock_minutes=settings.lock_minutes)
    office.until(lambda: window.idle._timer.interval() == 3 * 60_000)
    assert as_owner(practice, "select idle_minutes from auth.sessions order by id desc limit 1") == [(13,)]


def test_my_account_is_one_place(office: Office, practice: Practice) -> None:
    window = office.open("rita")
    practice.clinic.sign_in("rita", PASSWORD, "the other desk")
    window.account.show_profile()
    profile = office.sheet(ProfileSheet)
    office.until(lambda: "Off." in profile.factor_words.text())
    office.until(lambda: any("the other desk" in one.text() for one in profile.findChildren(QLabel)))
    office.click(profile.edit_button)
    sheet = office.sheet(NameSheet)
    office.fill(sheet.form.editor("name"), "Rita R.")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: profile.name.text() == "Rita R.")
    office.click(profile.elsewhere_button)
    office.until(lambda: not profile.elsewhere_button.isEnabled())
    office.click(profile.factor_button)
    begin = office.sheet(SetUpSheet)
    office.until(lambda: begin.step.enrolment)
    secret = begin.step.enrolment.secret
    office.fill(begin.step.code, code(secret))
    office.until(lambda: begin.step.codes)
    office.click(begin.step.kept_button)
    office.gone(begin)
    office.until(lambda: "On. 10 recovery codes left." in profile.factor_words.text())
    with pytest.raises(SecondFactorNeeded):
        practice.clinic.sign_in("rita", PASSWORD)
    office.click(profile.factor_button)
    leave = office.sheet(LeaveSheet)
    office.fill(leave.step.code, code(secret, 1))
    office.gone(leave)
    office.until(lambda: "Off." in profile.factor_words.text())
    assert practice.clinic.sign_in("rita", PASSWORD).me.name == "Rita R."
