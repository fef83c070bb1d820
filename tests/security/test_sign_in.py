"""Sign-in as somebody with psql attacks it: free tries by rollback, new desks, many connections; replayed codes; sessions half made."""

from __future__ import annotations

import hashlib
import hmac
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from clinicdesk.clinic import HalfSignedIn
from clinicdesk.errors import Invalid, NotAllowed, SecondFactorNeeded, SignedOut, SignInRefused
from clinicdesk.services import accounts, proofs, second_factor
from clinicdesk.storage.addresses import libpq_address
from tests.clinics import PASSWORD, Practice
from tests.security.test_walls import refused
from tests.visiting import as_owner, raw

NEW = "another calm noon 8"


def psql(practice: Practice) -> psycopg.Connection[Any]:
    return psycopg.connect(libpq_address(str(practice.clinic.addresses.app)))


def key_of(practice: Practice, username: str, password: str) -> bytes:
    with practice.clinic.read(None) as session:
        return proofs.derive(password, proofs.challenge(session, username))


def take(connection: psycopg.Connection[Any], username: str, secret: bytes, desk: str = "desk") -> tuple[UUID | None, float]:
    row = connection.execute("select try_id, wait from auth.try_secret(%s, %s, %s)", [username, secret, desk]).fetchone()
    assert row
    return row


def failed(practice: Practice, kind: str = "user") -> int:
    return int(as_owner(practice, "select coalesce(max(failed), 0) from auth.attempts where subject like %s", kind + ":%")[0][0])


def age(practice: Practice, seconds: float) -> None:
    as_owner(practice, "update auth.attempts set last_failed_at = last_failed_at - make_interval(secs => %s)", seconds)


def users(practice: Practice) -> dict[str, int]:
    return {str(name): int(number) for name, number in as_owner(practice, "select username, id from auth.users")}


# Tries ------------------------------------------------------------------------------------------------------------------------------------

def test_nothing_is_compared_before_the_try_is_committed(practice: Practice) -> None:
    """The right key in the same transaction, also under a savepoint: refused, so a rollback never follows an answer."""
    key = key_of(practice, "rita", PASSWORD)
    with psql(practice) as connection:
        made, _ = take(connection, "rita", key)
        assert refused(connection, "select * from auth.sign_in(%s)", made) == "CD001"
        connection.execute("savepoint inner_one")
        inner, _ = take(connection, "rita", key)
        connection.execute("release savepoint inner_one")
        assert refused(connection, "select * from auth.sign_in(%s)", inner) == "CD001"
        connection.rollback()
        assert refused(connection, "select * from auth.sign_in(%s)", made) == "CD001", "it went with its transaction"


def test_rolling_back_the_refusal_keeps_the_count_and_only_repeats_the_same_guess(practice: Practice) -> None:
    with psql(practice) as connection:
        made, _ = take(connection, "rita", b"a wrong key")
        connection.commit()
        for _ in range(5):
            assert connection.execute("select token from auth.sign_in(%s)", [made]).fetchone() == (None,)
            connection.rollback()
        assert failed(practice) == 1
        for guess in range(2):
            made, wait = take(connection, "rita", b"wrong %d" % guess)
            connection.commit()
        assert (failed(practice), wait) == (3, 0)
        assert take(connection, "rita", key_of(practice, "rita", PASSWORD))[1] > 0, "the fourth must wait"
        connection.rollback()
        # And the answers that were rolled back are found in the log when the tries have grown old.
        as_owner(practice, "update auth.tries set at = at - interval '11 minutes'")
        age(practice, 20)
        take(connection, "rita", b"later")
        connection.commit()
    found = as_owner(practice, "select outcome, actor, detail ->> 'answer' from audit.events where action = 'sign-in'")
    assert found.count(("refused", "rita", "not taken")) == 3


def test_a_try_is_good_for_one_answer_and_two_minutes(practice: Practice) -> None:
    key = key_of(practice, "rita", PASSWORD)
    with psql(practice) as connection:
        made, _ = take(connection, "rita", key)
        connection.commit()
        row = connection.execute("select token, needs from auth.sign_in(%s)", [made]).fetchone()
        assert row and row[0] and row[1] == ""
        connection.commit()
        assert refused(connection, "select * from auth.sign_in(%s)", made) == "CD001"
        late, _ = take(connection, "rita", key)
        connection.commit()
        as_owner(practice, "update auth.tries set at = at - interval '3 minutes'")
        assert refused(connection, "select * from auth.sign_in(%s)", late) == "CD001"


def test_a_hundred_wrong_tries_take_more_than_an_hour_whatever_the_desk_is_called(practice: Practice) -> None:
    """By the database's own arithmetic: the clock is moved by exactly what it asks for. An attacker may also wait until it forgets."""
    waited = 0.0
    with psql(practice) as connection:
        for number in range(100):
            made, wait = take(connection, "rita", b"guess %d" % number, f"desk {number}")
            connection.rollback()
            if made is None:
                waited += wait
                age(practice, wait + 0.001)
            made, _ = take(connection, "rita", b"guess %d" % number, f"desk {number}")
            assert made is not None
            connection.commit()
    assert waited >= 60 * 60
    # Three tries are free and half an hour forgets; between the two nothing is quicker than one hour for a hundred.
    best = min((sum(min(900, 2 ** min(n, 10)) for n in range(burst - 3)) + 1800) * 100 / burst for burst in range(3, 101))
    assert best >= 60 * 60
    age(practice, 900)
    assert practice.clinic.sign_in("rita", PASSWORD, "her own desk").me.username == "rita", "never locked out for good"
    assert failed(practice) == 0


def test_many_connections_at_once_get_no_more_tries_than_one(practice: Practice) -> None:
    taken: list[UUID] = []

    def attack(number: int) -> None:
        with psql(practice) as connection:
            made, _ = take(connection, "rita", b"guess %d" % number, f"desk {number}")
            connection.commit()
            if made is not None:
                taken.append(made)

    threads = [threading.Thread(target=attack, args=[number]) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 3 == failed(practice)


def test_a_transaction_kept_open_is_no_way_around_the_clock(practice: Practice) -> None:
    token = practice.token("dora")
    with raw(practice, token=token) as connection:
        assert connection.execute("select auth.my_role()").fetchone() == ("doctor",)
        as_owner(practice, "update auth.sessions set expires_at = clock_timestamp()")  # after this transaction began
        assert connection.execute("select auth.my_role(), (select count(*) from auth.users)").fetchone() == (None, 0)


def test_known_unknown_and_switched_off_look_the_same(practice: Practice) -> None:
    as_owner(practice, "update auth.users set active = false, version = version + 1 where username = 'sam'")
    seen = set()
    for name, secret in (("rita", b"x"), ("sam", key_of(practice, "sam", PASSWORD)), ("nobody", b"x"), ("p_zzzzzz", b"x")):
        with psql(practice) as connection:
            made, wait = take(connection, name, secret, f"desk of {name}")
            connection.commit()
            row = connection.execute("select token, wait, needs from auth.sign_in(%s)", [made]).fetchone()
            connection.commit()
            seen.add((wait, row))
    assert seen == {(0, (None, 0, None))}
    events = as_owner(practice, "select actor, subject, detail::text, outcome from audit.events where action = 'sign-in'")
    assert events == [("rita", "", "{}", "refused"), ("sam", "", "{}", "refused"), *[("clinicdesk_app", "", "{}", "refused")] * 2]


def test_a_wrong_old_password_is_counted_though_rolled_back(practice: Practice) -> None:
    with raw(practice, "rita") as connection:
        made, _ = take(connection, "rita", b"wrong")
        change = "select auth.change_password(%s, decode(repeat('00', 16), 'hex'), 19456, 2, 1, decode(repeat('00', 32), 'hex'))"
        assert refused(connection, change, made) == "CD001", "not in the transaction that took the try"
    with psql(practice) as connection:
        made, _ = take(connection, "sam", key_of(practice, "sam", PASSWORD))
        connection.commit()
    with raw(practice, "rita") as connection:
        assert connection.execute(change, [made]).fetchone() == (False,), "somebody else's proof changes nothing"


def test_stronger_parameters_are_stored_at_the_next_sign_in(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    before = as_owner(practice, "select c.* from auth.credentials c join auth.users u on u.id = user_id where username = 'rita'")
    practice.clinic.sign_in("rita", PASSWORD)
    unchanged = as_owner(practice, "select c.* from auth.credentials c join auth.users u on u.id = user_id where username = 'rita'")
    assert before == unchanged
    monkeypatch.setattr(proofs, "ITERATIONS", 3)
    kept = practice.clinic.sign_in("rita", PASSWORD).token
    stored = as_owner(practice, "select memory_kib, iterations, salt from auth.credentials c join auth.users u on u.id = user_id"
                                " where username = 'rita'")
    assert stored[0][:2] == (19456, 3) and stored[0][2] != before[0][1]
    assert practice.clinic.sign_in("rita", PASSWORD).me.username == "rita"
    with practice.clinic.read(kept):
        pass  # nobody is signed out by it
    weaker = "select auth.strengthen(%s, decode(repeat('00', 16), 'hex'), 19456, 2, 1, decode(repeat('00', 32), 'hex'))"
    with psql(practice) as connection:
        made, _ = take(connection, "rita", key_of(practice, "rita", PASSWORD))
        connection.commit()
        row = connection.execute("select token from auth.sign_in(%s)", [made]).fetchone()
        connection.commit()
        assert row
        connection.execute("select set_config('clinicdesk.session', %s, true)", row)
        assert connection.execute(weaker, [made]).fetchone() == (False,), "only ever stronger"
        stronger = weaker.replace("19456, 2", "19456, 9")
        other, _ = take(connection, "rita", b"not the key")
        assert connection.execute(stronger, [other]).fetchone() == (False,), "only with the try of this sign-in"
        assert connection.execute(stronger, [made]).fetchone() == (True,)
        connection.rollback()
    with practice.clinic.read(None) as session:
        unknown = proofs.challenge(session, "nobody")
    as_owner(practice, "update auth.credentials set changed_at = now() + interval '1 minute' where iterations = 3")
    with practice.clinic.read(None) as session:
        assert (unknown.iterations, proofs.challenge(session, "nobody").iterations) == (2, 3), "unknown names look like the newest account"


# Second factor ----------------------------------------------------------------------------------------------------------------------------

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


# Codes ------------------------------------------------------------------------------------------------------------------------------------

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


def test_the_log_knows_who_came_and_went(practice: Practice) -> None:
    token = practice.clinic.sign_in("rita", PASSWORD, "desk 7").token
    with practice.clinic.write(token) as session:
        accounts.note_lock(session)
    practice.clinic.change_password(token, PASSWORD, NEW)
    practice.clinic.sign_out(token)
    sam = users(practice)["sam"]
    with practice.write("ada") as session:
        accounts.set_active(session, sam, active=False)
    events = as_owner(practice, "select actor, action, category, workstation, subject, outcome from audit.events"
                                " where action <> 'add' order by id")
    rita = [event[1:] for event in events if event[0] == "rita"]
    assert rita == [(action, "account", "desk 7", "", "done") for action in ("sign-in", "lock", "password", "sign-out")]
    assert ("ada", "switch", "account", "test desk", f"user {sam}", "done") in events
