"""The clinic key is changed: stopped and taken up again, with readers at work, and with desks that only have the old key."""

from __future__ import annotations

import base64

import psycopg
import pytest
from sqlalchemy import text

from clinicdesk import key_change
from clinicdesk.clinic import Clinic, stored_key
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart, ClinicError
from clinicdesk.services import clinic_keys, papers, patients, recovery_kit
from clinicdesk.storage.vault import NeedsNewKey, SealBroken, Vault
from tests.clinics import KEY, ZONE, Practice
from tests.services.test_papers import NOTE
from tests.visiting import as_owner, completed, raw


class Stopped(Exception):
    """What a person does with the Cancel button."""


def run(practice: Practice, progress: object = None) -> int:
    def perform(service: object, *args: object) -> object:
        return practice.clinic.perform(practice.token("ada"), lambda session: service(session, *args))  # type: ignore[operator]

    quiet = lambda _done, _all: None  # noqa: E731
    return key_change.change(perform, practice.clinic.settings.data_dir, progress or quiet)  # type: ignore[arg-type]


def found(practice: Practice) -> None:
    """The template has no fingerprint: give it that of its key."""
    as_owner(practice, "update clinic.settings set value = to_jsonb(%s::text), version = version + 1 where key = 'clinic_key'",
             base64.b64encode(Vault(KEY).fingerprint()).decode())


def other_desk(practice: Practice) -> Practice:
    """A computer that holds the old key only."""
    clinic = Clinic(practice.clinic.settings, practice.clinic.addresses, vault=Vault(KEY), zone=ZONE)
    return Practice(clinic, practice.doctors, numbers=500)


def test_changed_stopped_taken_up_and_finished(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    found(practice)
    everybody = [practice.patient(ssn="078-05-1120") for _ in range(6)]
    completed(practice, everybody[0])
    before = as_owner(practice, "select patient_id, purpose, wrapped from clinic.patient_keys order by 1, 2")
    monkeypatch.setattr(key_change, "step", lambda session, once=key_change.step: once(session, 3))

    def stop(done: int, _total: int) -> None:
        if done >= 3:
            raise Stopped

    with pytest.raises(Stopped):
        run(practice, stop)
    old = other_desk(practice)
    try:
        generations = [row[0] for row in as_owner(practice, "select generation from clinic.patient_keys")]
        assert sorted(set(generations)) == [1, 2]
        with practice.read("rita") as session:  # who has the new key reads both
            assert {patients.card(session, one).ssn for one in everybody} == {"078-05-1120"}
        some = str(as_owner(practice, "select patient_id from clinic.patient_keys where generation = 1 and purpose = 'identity'")[0][0])
        moved = str(as_owner(practice, "select patient_id from clinic.patient_keys where generation = 2 and purpose = 'identity'")[0][0])
        with old.read("rita") as session:
            assert patients.card(session, some).ssn == "078-05-1120"
            with pytest.raises(NeedsNewKey, match="new key"):
                patients.card(session, moved)
        late = old.patient()  # registered there while the change is under way

        assert run(practice) > 0
        assert {row[0] for row in as_owner(practice, "select generation from clinic.patient_keys")} == {2}
        with pytest.raises(ClinicError, match="key was changed"):
            old.patient()
        with old.clinic.database.read() as session, pytest.raises(CannotStart) as refused:
            clinic_keys.vault_of(session, KEY)
        assert refused.value.code == "clinic_key_old"
    finally:
        old.clinic.close()
    with practice.read("rita") as session:
        assert {patients.card(session, one).ssn for one in everybody} == {"078-05-1120"}
        assert patients.card(session, late).id == late
    with practice.write("dora") as session:
        assert papers.issue(session, papers.source_for(session, everybody[0], "SN"), NOTE), "the signing key was wrapped again, too"

    key = stored_key(Credentials(practice.clinic.settings.data_dir))
    assert key != KEY
    with practice.clinic.database.read() as session:
        vault = clinic_keys.vault_of(session, key)
        assert vault.generation == 2
    for patient, purpose, wrapped in before:  # an older backup opens with the new key alone
        assert len(vault.unwrap(bytes(wrapped), patient, purpose, 1)) == 32
        with pytest.raises(SealBroken):
            vault.unwrap(bytes(wrapped), patient, purpose, 2)
    assert run(practice) == 13 + 1, "and again: two keys of seven patients"
    assert as_owner(practice, "select action, count(*)::int from audit.events where category = 'clinic key' group by 1 order by 1") == [
        ("begin", 2), ("finish", 2), ("key", 12)], "and each batch of wrapped keys that left the database"


def test_a_crash_right_after_the_beginning_loses_no_key(practice: Practice) -> None:
    found(practice)
    patient, folder = practice.patient(ssn="078-05-1120"), practice.clinic.settings.data_dir
    with practice.write("ada") as session:
        key_change.begin(session, folder)
    with practice.write("ada") as session, pytest.raises(ClinicError, match="began"):
        key_change.begin(session, folder)
    # The process ends here: the database knows of the new key, this computer starts with the old one and has the new one waiting. A second
    # beginning that was refused must not have taken its place.
    practice.clinic.vault = practice.clinic.database.vault = Vault(KEY)
    assert run(practice) == 2
    with practice.read("rita") as session:
        assert patients.card(session, patient).ssn == "078-05-1120"


def test_only_an_administrator_changes_keys(practice: Practice) -> None:
    practice.patient()
    calls = ("clinic.begin_key(2, decode(repeat('00', 39), 'hex'), decode(repeat('00', 61), 'hex'))", "clinic.wrapped_before(2, 9)",
             "clinic.finish_key(2)", "clinic.rewrap(2, '{}', '{}', '{}', '{}', '{}')", "clinic.kit_made('x')")
    for who in ("rita", "dora", None):
        for call in calls:
            with raw(practice, who) as connection, pytest.raises(psycopg.Error) as refused:
                connection.execute(f"select {call}")
            assert refused.value.sqlstate == "CD001", call
    with raw(practice, "ada") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("update clinic.patient_keys set wrapped = wrapped")
    with raw(practice, "ada") as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute("select clinic.wrapped_before(2, 9)")
    assert refused.value.sqlstate == "CD001", "nothing is shown while no change is under way"


def test_the_kit_is_remembered_and_out_of_date_after_a_change(practice: Practice) -> None:
    found(practice)
    practice.patient()
    with practice.read("ada") as session:
        assert recovery_kit.state(session).made_at is None
    with practice.write("ada") as session:
        assert recovery_kit.make(session).startswith(b"%PDF")
    with practice.read("ada") as session:
        state = recovery_kit.state(session)
        assert state.current and state.made_by == "Ada Admin"
        assert KEY.hex() not in str(session.execute(text("select json_agg(s) from clinic.settings s")).scalar())
    run(practice)
    with practice.read("ada") as session:
        assert not recovery_kit.state(session).current
    with practice.write("rita") as session, pytest.raises(ClinicError):
        recovery_kit.make(session)
