"""The second factor and one-time codes: a session is nothing before the code, a code works once, and who may take them away."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from clinicdesk.clinic import HalfSignedIn
from clinicdesk.errors import Invalid, NotAllowed, SecondFactorNeeded, SignedOut, SignInRefused
from clinicdesk.services import accounts, second_factor
from tests.clinics import PASSWORD, Practice
from tests.security.test_sign_in import NEW, age, failed, users
from tests.security.test_walls import refused
from tests.visiting import as_owner, raw


class Phone:
    """An authenticator that shows the code of any moment."""

    def __init__(self, secret: str) -> None:
        self.secret = secret

    def code(self, steps: int = 0) -> str:
        return second_factor.code_of(self.secret, datetime.now(UTC) + timedelta(seconds=30 * steps))


def enrolled(practice: Practice, username: str) -> tuple[Phone, tuple[str, ...]]:
    with practice.write(username) as session:
        phone = Phone(second_factor.begin(session, username).secret)
    with practice.write(username) as session:
        codes = second_factor.confirm(session, phone.code())
    as_owner(practice, "update auth.second_factors set last_step = last_step - 1")  # so that the code of now is still unused
    return phone, codes


def half(practice: Practice, username: str) -> HalfSignedIn:
    with pytest.raises(SecondFactorNeeded) as needed:
        practice.clinic.sign_in(username, PASSWORD, "desk")
    assert isinstance(needed.value.half, HalfSignedIn)
    return needed.value.half


def test_hmac_and_codes_as_the_standards_print_them(practice: Practice) -> None:
    with raw(practice, role="owner") as connection:
        for message, digest in ((b"", "da39a3ee5e6b4b0d3255bfef95601890afd80709"), (b"abc", "a9993e364706816aba3e25717850c26c9cd0d89d"),
                                *((b"a" * n, hashlib.sha1(b"a" * n).hexdigest()) for n in (55, 56, 63, 64, 65, 119, 128))):  # noqa: S324
            assert connection.execute("select encode(auth.sha1(%s), 'hex')", [message]).fetchone() == (digest,), len(message)
        for key, message, digest in (  # RFC 2202 § 3
                (b"\x0b" * 20, b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00"),
                (b"Jefe", b"what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
                (b"\xaa" * 20, b"\xdd" * 50, "125d7342b9ac11cd91a39af48aa17b4f63f175d3"),
                (bytes(range(1, 26)), b"\xcd" * 50, "4c9007f4026250c6bc8414f9bf50c86c2d7235da"),
                (b"\x0c" * 20, b"Test With Truncation", "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"),
                (b"\xaa" * 80, b"Test Using Larger Than Block-Size Key - Hash Key First", "aa4ae5e15272d00e95705637ce8a3b55ed402112"),
                (b"\xaa" * 80, b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
                 "e8e99d0f45237d786d6bbaa7965c7808bbff1a91")):
            assert hmac.new(key, message, hashlib.sha1).hexdigest() == digest
            assert connection.execute("select encode(auth.hmac_sha1(%s, %s), 'hex')", [key, message]).fetchone() == (digest,)
        for second, code in ((59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
                             (2000000000, "69279037"), (20000000000, "65353130")):  # RFC 6238 appendix B
            assert connection.execute("select auth.totp(%s, %s, 8)", [b"12345678901234567890", second // 30]).fetchone() == (code,)


def test_a_session_is_nothing_before_the_second_factor(practice: Practice) -> None:
    phone, _ = enrolled(practice, "dora")
    waiting = half(practice, "dora")
    with raw(practice, token=waiting.token) as connection:
        assert connection.execute("select auth.me(), auth.my_role(), (select count(*) from clinic.patients),"
                                  " (select count(*) from auth.users)").fetchone() == (None, None, 0, 0)
        assert connection.execute("select auth.renew()").fetchone() == (False,)
        for statement in ("select auth.begin_second_factor()", "update auth.sessions set pending = null",
                          "select secret from auth.second_factors"):
            assert refused(connection, statement) in {"CD001", "42501"}, statement
        assert connection.execute("select auth.confirm_second_factor(%s)", [phone.code()]).fetchone() == (None,)
    with pytest.raises(SignedOut), practice.clinic.read(waiting.token):
        pass
    with pytest.raises(SignInRefused):
        practice.clinic.give_code(waiting, "000000" if phone.code() != "000000" else "111111")
    entered = practice.clinic.give_code(waiting, f" {phone.code()[:3]} {phone.code()[3:]}")
    with practice.clinic.read(entered.token) as session:
        assert accounts.who(session).username == "dora"


def test_a_code_works_once_and_one_step_early_or_late(practice: Practice) -> None:
    phone, _ = enrolled(practice, "dora")
    code = phone.code()
    practice.clinic.give_code(half(practice, "dora"), code)
    for old in (code, phone.code(-1)):
        with pytest.raises(SignInRefused):
            practice.clinic.give_code(half(practice, "dora"), old)
    practice.clinic.give_code(half(practice, "dora"), phone.code(1))
    as_owner(practice, "update auth.second_factors set last_step = 0")
    for steps in (3, -3):
        age(practice, 20)
        with pytest.raises(SignInRefused):
            practice.clinic.give_code(half(practice, "dora"), phone.code(steps))


def test_wrong_codes_are_counted_and_the_right_password_does_not_forget_them(practice: Practice) -> None:
    enrolled(practice, "dora")
    for expected in (1, 2, 3):
        with pytest.raises(SignInRefused):
            practice.clinic.give_code(half(practice, "dora"), "12345x")
        assert failed(practice) == expected
    with pytest.raises(SignInRefused) as error:
        practice.clinic.sign_in("dora", PASSWORD, "another desk")
    assert error.value.wait > 0


def test_recovery_codes_work_once_each(practice: Practice) -> None:
    _, codes = enrolled(practice, "dora")
    assert len(set(codes)) == 10 and all(len(code) == 19 for code in codes)
    entered = practice.clinic.give_code(half(practice, "dora"), codes[3].upper().replace("-", " ").replace("0", "O"))
    with practice.clinic.read(entered.token) as session:
        assert second_factor.mine(session) == second_factor.MySecondFactor(True, False, 9)
    with pytest.raises(SignInRefused):
        practice.clinic.give_code(half(practice, "dora"), codes[3])
    stored = as_owner(practice, "select hash from auth.one_time_codes")
    assert codes[0].replace("-", "").encode() not in {bytes(row[0]) for row in stored}


def test_who_switches_a_second_factor_off(practice: Practice) -> None:
    enrolled(practice, "dora")
    token = practice.token("dora")
    with pytest.raises(NotAllowed), practice.write("dora") as session:
        second_factor.begin(session, "dora")  # one cannot quietly replace it
    with pytest.raises(SignInRefused):
        practice.clinic.leave_second_factor(token, "12345x")
    dora = users(practice)["dora"]
    with pytest.raises(NotAllowed), practice.write("rita") as session:
        second_factor.remove(session, dora)
    with practice.write("ada") as session:
        second_factor.remove(session, dora)
    assert practice.clinic.sign_in("dora", PASSWORD).me.username == "dora"
    _, codes = enrolled(practice, "dora")
    practice.clinic.leave_second_factor(token, codes[0])
    assert practice.clinic.sign_in("dora", PASSWORD).me.username == "dora"
    noted = as_owner(practice, "select actor, subject, detail ->> 'on' from audit.events where action = 'second factor' order by id")
    assert [(who, on) for who, subject, on in noted] == [("dora", "true"), ("ada", "false"), ("dora", "true"), ("dora", "false")]
    assert {subject for _, subject, _ in noted} == {f"user {dora}"}


def test_where_the_clinic_asks_for_it_nobody_works_without(practice: Practice) -> None:
    as_owner(practice, "update clinic.settings set value = '\"required\"', version = version + 1 where key = 'second_factor'")
    assert practice.clinic.sign_in("rita", PASSWORD).me.role == "receptionist"
    with pytest.raises(SecondFactorNeeded) as needed:
        practice.clinic.sign_in("dora", PASSWORD)
    assert needed.value.needs == "enrol"
    waiting = needed.value.half
    assert isinstance(waiting, HalfSignedIn)
    with pytest.raises(SignedOut), practice.clinic.read(waiting.token):
        pass
    phone = Phone(practice.clinic.enrol(waiting).secret)
    with pytest.raises(Invalid):
        practice.clinic.confirm(waiting, "12345x")
    entered, codes = practice.clinic.confirm(waiting, phone.code())
    assert entered.me.username == "dora" and len(codes) == 10
    with pytest.raises(NotAllowed):
        practice.clinic.leave_second_factor(entered.token, codes[0])


def test_unlocking_takes_the_place_of_the_living_session_and_asks_for_no_code(practice: Practice) -> None:
    phone, _ = enrolled(practice, "dora")
    first = practice.clinic.give_code(half(practice, "dora"), phone.code()).token
    as_owner(practice, "update auth.sessions set absolute_expires_at = now() + interval '1 hour'")
    second = practice.clinic.sign_in("dora", PASSWORD, again=first).token
    with pytest.raises(SignedOut), practice.clinic.read(first):
        pass
    assert as_owner(practice, "select count(*) from auth.sessions where absolute_expires_at > now() + interval '2 hours'") == [(0,)]
    as_owner(practice, "update auth.sessions set expires_at = now() - interval '1 second'")
    with pytest.raises(SecondFactorNeeded):
        practice.clinic.sign_in("dora", PASSWORD, again=second)
    with pytest.raises(SecondFactorNeeded):
        practice.clinic.sign_in("dora", PASSWORD, again=practice.token("rita"))


def test_a_reset_code_sets_a_password_once_within_a_day(practice: Practice) -> None:
    token, rita = practice.token("rita"), users(practice)["rita"]
    for who in ("rita", "dora"):
        with pytest.raises(NotAllowed), practice.write(who) as session:
            accounts.start_reset(session, rita)
    with pytest.raises(NotAllowed), practice.write("ada") as session:
        accounts.start_reset(session, users(practice)["ada"])
    with practice.write("ada") as session:
        first, code = accounts.start_reset(session, rita), accounts.start_reset(session, rita)
    assert len(code) == 19
    for wrong_name, wrong_code in (("dora", code), ("nobody", code), ("rita", first), ("rita", "0000-0000-0000-0000")):
        with pytest.raises(SignInRefused) as error:
            practice.clinic.reset_password(wrong_name, wrong_code, NEW)
        assert "Name or code is wrong" in error.value.sentence
    for bad in ("short", "password1", "rita"):
        with pytest.raises(Invalid):
            practice.clinic.reset_password("rita", code, bad)
    practice.clinic.reset_password("Rita", f" {code.upper()} ", NEW)
    with pytest.raises(SignedOut), practice.clinic.read(token):
        pass
    assert practice.clinic.sign_in("rita", NEW).me.username == "rita"
    with pytest.raises(SignInRefused):
        practice.clinic.reset_password("rita", code, PASSWORD)
    with practice.write("ada") as session:
        late = accounts.start_reset(session, rita)
    as_owner(practice, "update auth.one_time_codes set expires_at = now() - interval '1 second'")
    with pytest.raises(SignInRefused):
        practice.clinic.reset_password("rita", late, PASSWORD)
    noted = as_owner(practice, "select actor, outcome from audit.events where action = 'reset' and (actor = 'ada' or outcome = 'done')"
                               " order by id")
    assert noted == [("ada", "done")] * 2 + [("rita", "done")] + [("ada", "done")]


def test_a_reset_leaves_the_second_factor(practice: Practice) -> None:
    enrolled(practice, "dora")
    with practice.write("ada") as session:
        code = accounts.start_reset(session, users(practice)["dora"])
    practice.clinic.reset_password("dora", code, NEW)
    with pytest.raises(SecondFactorNeeded):
        practice.clinic.sign_in("dora", NEW)


def test_a_patient_enters_the_kiosk_once_with_a_code(practice: Practice) -> None:
    patient, other = practice.patient(), practice.patient()
    with pytest.raises(NotAllowed), practice.write("dora") as session:
        accounts.kiosk_code(session, patient)
    with pytest.raises(NotAllowed), practice.write("rita") as session:
        accounts.kiosk_code(session, "p_zzzzzz")
    with practice.write("rita") as session:
        code = accounts.kiosk_code(session, patient)
    assert len(code) == 9
    with pytest.raises(SignInRefused):
        practice.clinic.sign_in_with_code(other, code)
    entered = practice.clinic.sign_in_with_code(patient.upper(), code.upper())
    assert (entered.me.role, entered.me.patient_id) == ("patient", patient)
    with raw(practice, token=entered.token) as connection:
        assert connection.execute("select array_agg(id) from clinic.patients").fetchone() == ([patient],)
        assert refused(connection, "select auth.begin_second_factor()") == "CD001"
    for again in (code, ""):
        with pytest.raises(SignInRefused):
            practice.clinic.sign_in_with_code(patient, again)
    with practice.write("rita") as session:
        late = accounts.kiosk_code(session, patient)
    as_owner(practice, "update auth.one_time_codes set expires_at = now() - interval '1 second'")
    with pytest.raises(SignInRefused):
        practice.clinic.sign_in_with_code(patient, late)
    with pytest.raises(SignInRefused):
        practice.clinic.sign_in(patient, "")
