"""Proving who one is: throttled in the database, the same for known and unknown names, over when it should be."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from clinicdesk.errors import Invalid, NotAllowed, SignedOut, SignInRefused
from clinicdesk.services import accounts, proofs
from tests.clinics import PASSWORD, Practice
from tests.visiting import as_owner


def refusal(practice: Practice, username: str, password: str = "wrong password", desk: str = "desk 1") -> SignInRefused:  # noqa: S107
    with pytest.raises(SignInRefused) as error:
        practice.clinic.sign_in(username, password, desk)
    return error.value


def test_right_name_and_password(practice: Practice) -> None:
    signed_in = practice.clinic.sign_in("  DORA ", PASSWORD, "desk 1")
    assert (signed_in.me.username, signed_in.me.role, signed_in.me.doctor_id) == ("dora", "doctor", practice.doctors["dora"])
    (stored,) = as_owner(practice, "select token_hash, workstation, idle_minutes from auth.sessions")
    assert bytes(stored[0]) == hashlib.sha256(signed_in.token.encode()).digest()
    assert stored[1:] == ("desk 1", 30)


def test_refusals_are_counted_though_refused_and_wait_longer_and_longer(practice: Practice) -> None:
    waits = [refusal(practice, "rita").wait for _ in range(3)]
    for _ in range(3):
        as_owner(practice, "update auth.attempts set last_failed_at = last_failed_at - interval '20 minutes'")
        waits.append(refusal(practice, "rita").wait)
    assert [round(wait) for wait in waits] == [0, 0, 1, 2, 4, 8]
    assert refusal(practice, "rita", PASSWORD).wait > 5, "the right password must wait too"
    as_owner(practice, "update auth.attempts set last_failed_at = last_failed_at - interval '20 minutes'")
    assert practice.clinic.sign_in("rita", PASSWORD, "desk 1").me.username == "rita"
    kept = as_owner(practice, "select split_part(subject, ':', 1), failed from auth.attempts where failed > 0")
    assert [kind for kind, _ in kept] == ["desk"], "success forgets the name's failures, not the desk's"
    as_owner(practice, "update auth.attempts set last_failed_at = last_failed_at - interval '31 minutes'")
    refusal(practice, "rita")
    assert as_owner(practice, "select max(failed) from auth.attempts") == [(1,)], "half an hour without a failure forgets them"


def test_the_longest_wait_is_fifteen_minutes(practice: Practice) -> None:
    refusal(practice, "rita")
    as_owner(practice, "update auth.attempts set failed = 500")
    assert 890 < refusal(practice, "rita").wait <= 900


def test_a_workstation_is_throttled_over_many_names(practice: Practice) -> None:
    for number in range(20):
        refusal(practice, f"nobody{number}", desk="the guessing desk")
    as_owner(practice, "update auth.attempts set failed = failed + 3 where starts_with(subject, 'desk:')")
    assert refusal(practice, "dora", PASSWORD, "the guessing desk").wait > 0
    assert practice.clinic.sign_in("dora", PASSWORD, "another desk").me.username == "dora"


def test_an_unknown_name_looks_like_a_known_one(practice: Practice) -> None:
    with practice.clinic.read(None) as session:
        known, unknown = proofs.challenge(session, "rita"), proofs.challenge(session, "nobody")
        assert proofs.challenge(session, "NoBody ") == unknown, "its salt is always the same"
        assert proofs.challenge(session, "somebody") != unknown
    assert replace(unknown, salt=b"") == replace(known, salt=b"") and len(unknown.salt) == len(known.salt)
    said = [(str(refusal(practice, name, desk=name)), refusal(practice, name, desk=name).wait) for name in ("rita", "nobody")]
    assert said[0] == said[1]
    assert refusal(practice, "x' or '1'='1").sentence == "Name or password is wrong."
    assert refusal(practice, "a\x00b" * 500).sentence == "Name or password is wrong."


def test_an_account_switched_off_is_refused_like_a_wrong_password_and_its_sessions_end(practice: Practice) -> None:
    token = practice.token("sam")
    with practice.write("ada") as session:
        sam = next(row for row in accounts.staff(session) if row.username == "sam")
        accounts.set_active(session, sam.user_id, active=False)
    assert refusal(practice, "sam", PASSWORD).sentence == "Name or password is wrong."
    with pytest.raises(SignedOut), practice.clinic.read(token):
        pass


@pytest.mark.parametrize("column", ["expires_at", "absolute_expires_at"])
def test_a_session_ends_by_idling_and_by_age(practice: Practice, column: str) -> None:
    token = practice.token("rita")
    assert practice.clinic.renew(token)
    as_owner(practice, f"update auth.sessions set {column} = now() - interval '1 second'")
    with pytest.raises(SignedOut), practice.clinic.read(token):
        pass
    assert not practice.clinic.renew(token), "what is over is not brought back"


def test_use_keeps_a_session_alive_but_not_beyond_a_day(practice: Practice) -> None:
    token = practice.token("rita")
    as_owner(practice, "update auth.sessions set expires_at = now() + interval '1 minute',"
                       " absolute_expires_at = now() + interval '2 minutes'")
    assert practice.clinic.renew(token)
    (row,) = as_owner(practice, "select expires_at > now() + interval '19 minutes', absolute_expires_at < now() + interval '3 minutes'"
                                " from auth.sessions")
    assert row == (True, True)


def test_an_administrator_ends_anybodys_session_others_their_own(practice: Practice) -> None:
    practice.token("dora")
    with practice.read("ada") as session:
        theirs = next(row for row in accounts.sessions(session) if row.username == "dora")
        assert not theirs.mine
    with pytest.raises(NotAllowed), practice.write("rita") as session:
        assert [row.username for row in accounts.sessions(session)] == ["rita"]
        accounts.end_session(session, theirs.id)
    with practice.write("ada") as session:
        accounts.end_session(session, theirs.id)
    with pytest.raises(SignedOut), practice.read("dora"):
        pass
    with pytest.raises(NotAllowed), practice.write("ada") as session:
        accounts.end_session(session, theirs.id)  # it is over already


def test_signing_out_everywhere_keeps_this_desk(practice: Practice) -> None:
    here, there = (practice.clinic.sign_in("rita", PASSWORD, desk).token for desk in ("here", "there"))
    with practice.clinic.write(here) as session:
        assert accounts.sign_out_everywhere(session) == 1
    with practice.clinic.read(here):
        pass
    with pytest.raises(SignedOut), practice.clinic.read(there):
        pass
    practice.clinic.sign_out(here)
    practice.clinic.sign_out(here)
    with pytest.raises(SignedOut), practice.clinic.read(here):
        pass


def test_password_change(practice: Practice) -> None:
    token, elsewhere = practice.token("rita"), practice.clinic.sign_in("rita", PASSWORD, "elsewhere").token
    with pytest.raises(SignInRefused):
        practice.clinic.change_password(token, "not the old one", "another calm noon 8")
    assert as_owner(practice, "select failed from auth.attempts where failed > 0") == [(1,), (1,)], "a wrong old password counts"
    for bad in ("short", "password", "rita", "x" * 65, "a" * 12):
        with pytest.raises(Invalid) as refused:
            practice.clinic.change_password(token, PASSWORD, bad)
        assert refused.value.field == "new_password"
    practice.clinic.change_password(token, PASSWORD, "another calm noon 8")
    with practice.clinic.read(token):
        pass
    with pytest.raises(SignedOut), practice.clinic.read(elsewhere):
        pass
    refusal(practice, "rita", PASSWORD, "new desk")
    assert practice.clinic.sign_in("rita", "another calm noon 8", "new desk").me.username == "rita"


def test_staff_are_added_by_the_administrator_alone(practice: Practice) -> None:
    with practice.write("ada") as session:
        accounts.add_staff(session, "Nina", " Nina New ", "receptionist", "correct horse battery")
    assert practice.clinic.sign_in("nina", "correct horse battery").me.name == "Nina New"
    for who in ("rita", "dora"):
        with pytest.raises(NotAllowed), practice.write(who) as session:
            accounts.add_staff(session, "eve", "Eve", "administrator", "correct horse battery")
    for change, field in (({"username": "nina"}, "username"), ({"username": "x"}, "username"), ({"username": "ü x"}, "username"),
                          ({"name": " "}, "name"), ({"name": "x" * 121}, "name"), ({"role": "patient"}, "role"),
                          ({"role": "owner"}, "role"), ({"password": "12345678"}, "password")):
        given = {"username": "eve", "name": "Eve", "role": "doctor", "password": "correct horse battery", **change}
        with pytest.raises(Invalid) as refused, practice.write("ada") as session:
            accounts.add_staff(session, **given)
        assert refused.value.field == field, change


def test_the_first_administrator_is_made_once(practice: Practice) -> None:
    with practice.clinic.read(None) as session:
        assert not accounts.is_new(session)
    with pytest.raises(NotAllowed), practice.clinic.write(None) as session:
        accounts.create_first_administrator(session, "eve", "Eve", "correct horse battery")


def test_names_are_changed_by_oneself_and_the_administrator(practice: Practice) -> None:
    with practice.read("ada") as session:
        staff = {row.username: row for row in accounts.staff(session)}
    with practice.write("rita") as session:
        accounts.rename(session, staff["rita"].user_id, "Rita R.", staff["rita"].version)
    with pytest.raises(Invalid), practice.write("rita") as session:
        accounts.rename(session, staff["rita"].user_id, "", staff["rita"].version + 1)
    with practice.read("ada") as session:
        assert next(r.name for r in accounts.staff(session) if r.username == "rita") == "Rita R."
