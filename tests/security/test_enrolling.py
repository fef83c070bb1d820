"""A new computer gets the clinic key over the database, which never holds anything but ciphertext."""

from __future__ import annotations

import psycopg
import pytest

from clinicdesk.errors import ClinicError, Invalid
from clinicdesk.rules.key_code import enrolment_code
from clinicdesk.services import enrolling
from clinicdesk.storage.enrolling import Newcomer, seal_for
from clinicdesk.storage.vault import SealBroken
from tests.clinics import KEY, Practice
from tests.visiting import as_owner, raw


def test_asked_let_in_and_taken_once(practice: Practice) -> None:
    newcomer, stranger = Newcomer(), Newcomer()
    with practice.clinic.database.write() as session:
        code = enrolling.ask(session, newcomer, "front desk 3")
        enrolling.ask(session, stranger, "somebody else")
        assert enrolling.take(session, newcomer) is None
    for wrong in ("", "AAAA-AAAA-AAAA", code[:-1]):
        with practice.write("ada") as session, pytest.raises(Invalid):
            enrolling.let_in(session, wrong)
    with practice.write("rita") as session, pytest.raises(ClinicError):
        enrolling.let_in(session, code)
    with practice.write("ada") as session:
        assert enrolling.let_in(session, code.lower().replace("-", " ")) == "front desk 3"
    ((sealed,),) = as_owner(practice, "select sealed from auth.enrolments where sealed is not null")
    assert KEY not in bytes(sealed)
    with pytest.raises(SealBroken):
        stranger.open(bytes(sealed))
    with practice.clinic.database.write() as session:
        assert enrolling.take(session, stranger) is None
        assert enrolling.take(session, newcomer) == KEY
        assert enrolling.take(session, newcomer) is None, "once"
    assert as_owner(practice, "select count(*) from auth.enrolments where sealed is not null") == [(0,)]
    assert as_owner(practice, "select count(*) from audit.events where action = 'enrol'") == [(1,)]


def test_a_request_is_over_after_a_quarter_of_an_hour(practice: Practice) -> None:
    early, late = Newcomer(), Newcomer()
    with practice.clinic.database.write() as session:
        enrolling.ask(session, early, "desk")
        code = enrolling.ask(session, late, "desk")
    with practice.write("ada") as session:
        enrolling.let_in(session, enrolment_code(early.public))
    as_owner(practice, "update auth.enrolments set asked_at = asked_at - interval '16 minutes'")
    with practice.write("ada") as session, pytest.raises(Invalid):
        enrolling.let_in(session, code)
    with practice.clinic.database.write() as session:
        assert enrolling.take(session, early) is None
    with raw(practice, "rita") as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute("select auth.seal_enrolment(1, %s)", [seal_for(late.public, KEY)])
    assert refused.value.sqlstate == "CD001"
