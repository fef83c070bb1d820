"""Sign-in as somebody with psql attacks it: free tries by rollback, new desks, many connections, a clock that stands still."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import psycopg
import pytest

from clinicdesk.services import accounts, proofs
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
