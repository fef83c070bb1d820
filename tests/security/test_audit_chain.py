"""The chain of the audit log on a real server: what is written, and that every way to change it afterwards is found and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from clinicdesk.errors import NotAllowed
from clinicdesk.rules.audit_chain import GENESIS, following
from clinicdesk.services import accounts, auditing, chart, patients, safety
from clinicdesk.services.auditing import ANCHORS, Proof, Wanted
from clinicdesk.storage import schema
from clinicdesk.storage.addresses import Addresses, libpq_address
from tests.clinics import Practice
from tests.visiting import as_owner

Owner = psycopg.Connection[Any]


def prove(practice: Practice) -> Proof:
    with practice.clinic.worker_database.read() as session:
        return auditing.prove(session, [practice.clinic.settings.data_dir / ANCHORS])


def anchor(practice: Practice) -> bool:
    with practice.clinic.worker_database.write() as session:
        return auditing.anchor(session)


@pytest.fixture
def logged(practice: Practice) -> Practice:
    """Some dozens of events by several people, anchored after two thirds of them."""
    for _ in range(6):
        practice.patient()
    assert anchor(practice)
    for _ in range(3):
        practice.patient()
    assert prove(practice).verdict.intact
    return practice


def tampered(servers: Addresses, practice: Practice, work: Callable[[Owner], None]) -> None:
    """What somebody does who has the database server: no trigger, no policy stops a superuser."""
    name = practice.clinic.database.engine.url.database
    assert servers.admin and name
    with psycopg.connect(libpq_address(schema.in_database(servers.admin, name)), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        work(connection)


def middle(connection: Owner) -> tuple[int, int]:
    """A link in the middle: its number and its event."""
    row = connection.execute("select seq, event_id from audit.chain order by seq offset 20 limit 1").fetchone()
    assert row
    return int(row[0]), int(row[1])


def edit(connection: Owner) -> None:
    connection.execute("update audit.events set actor = 'somebody' where id = %s", [middle(connection)[1]])


def edit_moment(connection: Owner) -> None:
    connection.execute("update audit.events set at = at + interval '1 microsecond' where id = %s", [middle(connection)[1]])


def delete_event(connection: Owner) -> None:
    connection.execute("delete from audit.events where id = %s", [middle(connection)[1]])


def delete_both(connection: Owner) -> None:
    seq, event = middle(connection)
    connection.execute("delete from audit.chain where seq = %s", [seq])
    connection.execute("delete from audit.events where id = %s", [event])


def insert_beside(connection: Owner) -> None:
    connection.execute("insert into audit.events (actor, role, action, category) values ('ada', 'administrator', 'read', 'notes')")


def insert_between(connection: Owner) -> None:
    """A false event at a place in the middle, everything after it one further, hashes as they were."""
    seq, _ = middle(connection)
    connection.execute("update audit.chain set seq = -(seq + 1) where seq >= %s", [seq])
    connection.execute("update audit.chain set seq = -seq where seq < 0")
    made = connection.execute("insert into audit.events (actor, role, action, category) values ('ada', 'administrator', 'read', 'notes')"
                              " returning id").fetchone()
    assert made
    connection.execute("insert into audit.chain values (%s, %s, sha256('x'))", [seq, made[0]])
    connection.execute("update audit.head set seq = seq + 1")


def reorder(connection: Owner) -> None:
    seq, _ = middle(connection)
    connection.execute("update audit.chain set event_id = -event_id where seq in (%s, %s)", [seq, seq + 1])
    connection.execute("update audit.chain a set event_id = -b.event_id from audit.chain b where b.event_id < 0"
                       " and (a.seq, b.seq) in ((%(s)s, %(n)s), (%(n)s, %(s)s))", {"s": seq, "n": seq + 1})


def cut(connection: Owner) -> None:
    connection.execute("delete from audit.events where id in (select event_id from audit.chain order by seq desc limit 3)")
    connection.execute("delete from audit.chain where seq > (select max(seq) - 3 from audit.chain)")


def relinked(connection: Owner, first: int) -> None:
    """Write every hash anew from a number on, and the head: what somebody does who knows how the chain is made."""
    query = auditing._LINKS.format(seq=1_000_000)
    rows = connection.execute(query).fetchall()
    before = GENESIS
    for seq, _, stored, *parts in rows:
        if seq is None:
            continue
        link = following(before, seq, parts) if seq >= first else bytes(stored)
        connection.execute("update audit.chain set hash = %s where seq = %s", [link, seq])
        before = link
    connection.execute("update audit.head set seq = (select max(seq) from audit.chain), hash = %s", [before])


def edit_and_relink(connection: Owner) -> None:
    edit(connection)
    relinked(connection, middle(connection)[0])


def cut_before_anchor(connection: Owner) -> None:
    """The end is cut off further back than the anchor, and the head says so too."""
    connection.execute("delete from audit.events where id in (select event_id from audit.chain where seq > 15)")
    connection.execute("delete from audit.chain where seq > 15")
    connection.execute("update audit.head set seq = 15, hash = (select hash from audit.chain where seq = 15)")


ATTACKS = {
    "edit": (edit, {"edited"}, 21), "edit of a microsecond": (edit_moment, {"edited"}, 21), "delete": (delete_event, {"deleted"}, 21),
    "delete with its link": (delete_both, {"deleted"}, 21), "insert beside": (insert_beside, {"inserted"}, None),
    "insert between": (insert_between, {"edited"}, 21), "reorder": (reorder, {"reordered"}, 21), "cut the end": (cut, {"truncated"}, None),
    "edit and write the chain anew": (edit_and_relink, {"rewritten"}, None), "cut below an anchor": (cut_before_anchor, {"replayed"}, 16),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_every_change_is_found_and_its_place_named(logged: Practice, servers: Addresses, name: str) -> None:
    attack, kinds, place = ATTACKS[name]
    tampered(servers, logged, attack)
    verdict = prove(logged).verdict
    assert {one.kind for one in verdict.findings} >= kinds, verdict.findings
    assert place is None or verdict.findings[0].seq == place, verdict.findings


def test_an_older_copy_of_the_database_is_found(logged: Practice, servers: Addresses) -> None:
    """Replay: the whole database as it was earlier, chain and head in order. Only what left it knows better."""
    older = f"{logged.clinic.database.engine.url.database}_older"
    name = logged.clinic.database.engine.url.database
    assert servers.admin and servers.worker and name
    logged.clinic.database.engine.dispose()
    logged.clinic.worker_database.engine.dispose()
    logged.clinic._owner.engine.dispose()  # type: ignore[union-attr]
    schema.create_database(servers.admin, older, template=name)
    try:
        logged.patient()
        assert anchor(logged)
        from clinicdesk.storage.database import Database

        copy = Database(schema.in_database(servers.worker, older))
        copy.vault, copy.documents, copy.folder = logged.clinic.vault, logged.clinic.documents, logged.clinic.settings.data_dir
        try:
            with copy.read() as session:
                proof = auditing.prove(session, [logged.clinic.settings.data_dir / ANCHORS])
        finally:
            copy.close()
    finally:
        schema.drop_database(servers.admin, older)
    assert [one.kind for one in proof.verdict.findings] == ["replayed"]


def test_a_restore_that_was_written_down_explains_itself_and_a_false_one_does_not(logged: Practice, servers: Addresses) -> None:
    tampered(servers, logged, cut_before_anchor)
    with logged.clinic.as_owner() as session:
        false = json.dumps({"head": 15, "at": "2099-01-01T00:00:00+00:00", "mark": "00"})
        session.execute(text("select audit.note('restore', 'audit', null, '', cast(:false as jsonb))"), {"false": false})
    assert {one.kind for one in prove(logged).verdict.findings} == {"replayed"}
    tampered(servers, logged, cut_before_anchor)
    with logged.clinic.as_owner() as session:
        auditing.write_restore(session, datetime.now(UTC), 15)
    proof = prove(logged)
    assert proof.verdict.intact and [one.seq for one in proof.restored] == [15]
    logged.patient()
    assert anchor(logged) and prove(logged).verdict.intact


def test_a_forged_anchor_is_named(logged: Practice) -> None:
    path = logged.clinic.settings.data_dir / ANCHORS
    line = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**line, "hash": "00" * 32}) + "\nnot json\n", encoding="utf-8")
    kinds = [one.kind for one in prove(logged).verdict.findings]
    assert kinds == ["anchor-forged", "anchor-forged"]


def test_anchors_lie_in_three_places_and_a_missing_one_is_said(logged: Practice) -> None:
    assert not anchor(logged) or anchor(logged) is False
    assert prove(logged).away == ()
    shutil.move(logged.clinic.settings.data_dir / ANCHORS, logged.clinic.settings.data_dir / "elsewhere")
    proof = prove(logged)
    assert proof.away == (ANCHORS,) and proof.verdict.intact and proof.verdict.anchors >= 2


@pytest.mark.parametrize("table", ["events", "chain", "anchors", "head"])
@pytest.mark.parametrize("verb", ["update audit.{} set seq = seq", "delete from audit.{}", "truncate audit.{}"])
def test_no_role_changes_the_log(logged: Practice, servers: Addresses, table: str, verb: str) -> None:
    """The workstation, the worker and the backup lack the right; the owner is stopped by a trigger."""
    statement = verb.format(table).replace("seq = seq", "actor = actor" if table == "events" else "seq = seq")
    for role in ("app", "worker", "backup", "owner"):
        address = getattr(servers, role)
        name = logged.clinic.database.engine.url.database
        with psycopg.connect(libpq_address(schema.in_database(address, str(name)))) as connection, pytest.raises(psycopg.Error) as refused:
            connection.execute(statement)
        assert refused.value.sqlstate in ({"CD010", "0A000"} if role == "owner" else {"42501"}), (role, refused.value)


def test_events_of_transactions_that_meet_are_one_chain(practice: Practice) -> None:
    """Fifty writers at once: one chain without a gap."""
    from concurrent.futures import ThreadPoolExecutor

    practice.token("rita")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: practice.patient(), range(50)))
    proof = prove(practice)
    assert proof.verdict.intact and proof.verdict.events == proof.verdict.head > 50 * 4 and len(set(made)) == 50


def actions(practice: Practice, **wanted: str) -> list[tuple[str, str, str, str]]:
    today = datetime.now(practice.clinic.zone).date()
    with practice.read("ada") as session:
        rows = auditing.report(session, Wanted(today, today, **wanted))
    return [(row.actor, row.action, row.category, row.outcome) for row in reversed(rows)]


def test_reading_a_chart_is_written_down_by_category_and_once(practice: Practice) -> None:
    patient = practice.patient(medical_history="Asthma as a child.")
    practice.book(patient, practice.at(9))
    for _ in range(3):
        with practice.read("dora") as session:
            chart.chart(session, patient)
    rows = [row for row in actions(practice, patient_id=patient, actor="dora") if row[1] in {"read", "key"}]
    assert len(rows) == len(set(rows)), "the same again within ten minutes is one reading"
    assert {row[2] for row in rows if row[1] == "read"} >= {"identity", "allergies", "problems", "medicines", "vitals"}
    assert ("dora", "key", "clinical", "done") in rows


def test_a_refusal_is_written_down_with_whose_chart_it_was(practice: Practice) -> None:
    patient = practice.patient()
    with pytest.raises(NotAllowed), practice.read("hugo") as session:
        safety.facts_of(session, patient)
    found = actions(practice, patient_id=patient, actor="hugo")
    assert any(outcome == "refused" for *_, outcome in found), found


def test_what_cannot_be_written_down_is_not_shown(practice: Practice, servers: Addresses) -> None:
    """When the log refuses, the reading fails; it is not shown without a trace."""
    patient = practice.patient()
    practice.book(patient, practice.at(9))
    as_owner(practice, "revoke execute on function audit.saw(text[], text[]) from clinicdesk_app")
    with pytest.raises(NotAllowed), practice.read("dora") as session:
        chart.chart(session, patient)


def test_no_value_of_a_record_is_in_the_log(practice: Practice) -> None:
    patient = practice.patient(last_name="Zzyzxcanary", address="17 Canary Lane", email="canary@example.org")
    with practice.write("rita") as session:
        form = patients.form_of(patients.card(session, patient))
        from dataclasses import replace

        patients.edit(session, patient, replace(form, address="18 Canary Lane"), 1)
    whole = json.dumps(as_owner(practice, "select to_jsonb(e)::text from audit.events e"), default=str)
    assert patient in whole and "anary" not in whole
    changed = [row for row in actions(practice, patient_id=patient) if row[1] == "change"]
    assert changed


def test_only_an_administrator_reads_the_log_and_reading_it_needs_no_gap(practice: Practice) -> None:
    practice.patient()
    today = datetime.now(practice.clinic.zone).date()
    for username in ("rita", "dora"):
        with practice.read(username) as session:
            assert auditing.report(session, Wanted(today, today)) == []
    with practice.read("ada") as session:
        rows = auditing.report(session, Wanted(today, today))
        assert auditing.report_csv(rows).count(b"\n") == len(rows) + 1
        assert {row.actor for row in rows} >= {"rita"}
    assert Path(practice.clinic.settings.data_dir).exists()
    with practice.write("rita") as session:
        accounts.sign_out(session)
