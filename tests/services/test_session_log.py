"""The session log: sealed, in care only, once a click, never changed; and its tab in the chart."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from clinicdesk.errors import Invalid, NotAllowed
from clinicdesk.services import session_log
from tests.clinics import Practice
from tests.visiting import CANARY, arrived, as_owner, raw


def test_a_session_is_sealed_read_in_care_only_and_written_once(practice: Practice) -> None:
    patient, at = practice.patient(), practice.clinic.database.now() - timedelta(hours=1)
    arrived(practice, patient)

    def add(who: str = "dora", kind: str = "speech", title: str = " Reading  aloud ", minutes: int = 45, key: str = "once") -> int:
        with practice.write(who) as session:
            return session_log.add(session, patient, kind, title, minutes, at, f"{CANARY}: better", key)

    assert add() == add(), "a double click writes one session"
    for field, change in (("kind", {"kind": "magic"}), ("title", {"title": " "}), ("minutes", {"minutes": 601})):
        with pytest.raises(Invalid) as refusal:
            add(**change, key="other")
        assert refusal.value.field == field
    with pytest.raises(Invalid), practice.write("dora") as session:
        session_log.add(session, patient, "speech", "Tomorrow", 45, at + timedelta(days=1), "", "later")
    for who in ("hugo", "rita"):
        with pytest.raises(NotAllowed):
            add(who, key="theirs")
        with practice.read(who) as session:
            assert session_log.of_patient(session, patient) == []
    with practice.read("dora") as session:
        (entry,) = session_log.of_patient(session, patient)
    assert (entry.title, entry.minutes, entry.therapist, entry.note) == ("Reading aloud", 45, "Dr Dora Kim", f"{CANARY}: better")
    assert CANARY.encode() not in as_owner(practice, "select note from clinic.session_log")[0][0]
    with raw(practice, "dora") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update clinic.session_log set minutes = 5")
    as_owner(practice, "update clinic.session_log set note = overlay(note placing '\\x00' from 25)")
    with practice.read("dora") as session:
        assert session_log.of_patient(session, patient)[0].note == session_log.UNREADABLE
