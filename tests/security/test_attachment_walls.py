"""What somebody with psql at a desk tries with attachments and immunizations: nothing is replaced, taken away or signed for others."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from tests.security.conftest import Ward
from tests.security.test_walls import refused
from tests.visiting import as_owner, raw


def of(ward: Ward, patient: str) -> str:
    return str(as_owner(ward.practice, "select id from clinic.attachments where patient_id = %s", patient)[0][0])


def test_nothing_of_a_stored_file_changes(ward: Ward) -> None:
    mine = of(ward, ward.mine.patient)
    with raw(ward.practice, "dora") as connection:
        for change in ("title = title", "kind = 'pdf'", "sealed_sha256 = sealed_sha256", "delivered_at = now()", "added_at = now()",
                       "patient_id = patient_id", "withdrawn_at = now()", "copy_of = null", "added_by = auth.me()"):
            assert refused(connection, f"update clinic.attachments set {change} where id = %s", mine) == "42501", change
        assert refused(connection, "delete from clinic.attachments where id = %s", mine) == "42501"
        assert refused(connection, "update clinic.attachment_chunks set body = body where attachment_id = %s", mine) == "42501"
        assert refused(connection, "delete from clinic.attachment_chunks where attachment_id = %s", mine) == "42501"


def test_a_withdrawal_is_signed_by_who_withdraws_and_stays(ward: Ward) -> None:
    mine, reason = of(ward, ward.mine.patient), b"x" * 40
    change = "update clinic.attachments set withdrawn_by = %s, withdrawn_reason = %s where id = %s"
    with raw(ward.practice, "dora") as connection:
        assert refused(connection, change, ward.users["hugo"], reason, mine) == "42501", "in another's name"
        assert refused(connection, change, ward.users["dora"], b"x", mine) == "23514", "without a reason"
        connection.execute(change, (ward.users["dora"], reason, mine))
        stands = connection.execute("select withdrawn_at = now() from clinic.attachments where id = %s", [mine]).fetchone()
        assert stands == (True,), "the moment is the database's"
        assert refused(connection, change, ward.users["dora"], b"y" * 40, mine) == "CD010"
        assert refused(connection, "update clinic.attachments set withdrawn_by = null, withdrawn_reason = null where id = %s",
                       mine) != ""
    with raw(ward.practice, "dora") as connection:
        theirs = connection.execute(change, (ward.users["dora"], reason, of(ward, ward.other.patient)))
        assert theirs.rowcount == 0, "a patient of somebody else"


def test_pieces_are_added_by_who_adds_the_file_and_only_while_it_waits(ward: Ward) -> None:
    piece = "insert into clinic.attachment_chunks (attachment_id, position, body) values (%s, %s, %s)"
    mine = of(ward, ward.mine.patient)
    with raw(ward.practice, "dora") as connection:
        assert refused(connection, piece, mine, 3, b"x" * 30) == "42501", "more pieces than it has"
        assert refused(connection, piece, mine, 1, b"x" * 30) == "23505"
        assert refused(connection, piece, of(ward, ward.other.patient), 2, b"x" * 30) == "42501"
    as_owner(ward.practice, "delete from clinic.attachment_chunks where attachment_id = %s", mine)
    as_owner(ward.practice, "update clinic.attachments set delivered_at = now() where id = %s", mine)
    with raw(ward.practice, "dora") as connection:
        assert refused(connection, piece, mine, 1, b"x" * 30) == "42501", "it is delivered"


def test_the_worker_lets_go_of_delivered_bytes_only(ward: Ward) -> None:
    mine = of(ward, ward.mine.patient)
    with raw(ward.practice, role="worker") as connection:
        gone = connection.execute("delete from clinic.attachment_chunks where attachment_id = %s", [mine])
        assert gone.rowcount == 0, "staged bytes stay until the file is delivered"
        for statement in ("update clinic.attachments set title = title", "update clinic.attachments set withdrawn_by = 1",
                          "update clinic.attachment_chunks set body = body", "delete from clinic.attachments",
                          "select 1 from clinic.patient_keys", "select 1 from clinic.immunizations"):
            assert refused(connection, statement) == "42501", statement
        connection.execute("update clinic.attachments set delivered_at = now() where id = %s", [mine])
        assert connection.execute("delete from clinic.attachment_chunks where attachment_id = %s", [mine]).rowcount == 2
        assert refused(connection, "update clinic.attachments set delivered_at = null where id = %s", mine) != "", "never taken back"


def test_a_vaccination_is_marked_wrong_and_nothing_else(ward: Ward) -> None:
    with raw(ward.practice, "dora") as connection:
        for change in ("vaccine = 'other'", "given_on = null", "status = 'not_done'", "recorded_by = auth.me()", "note = null"):
            statement = f"update clinic.immunizations set {change}, version = version + 1 where patient_id = %s"
            assert refused(connection, statement, ward.mine.patient) == "42501", change
        assert refused(connection, "update clinic.immunizations set wrong = true where patient_id = %s", ward.mine.patient) == "CD003"
        into = "insert into clinic.immunizations (id, patient_id, vaccine, recorded_by) values (%s, %s, 'x', %s)"
        assert refused(connection, into, uuid4(), ward.mine.patient, ward.users["hugo"]) == "42501"
        assert refused(connection, into, uuid4(), ward.other.patient, ward.users["dora"]) == "42501"
    with pytest.raises(psycopg.errors.CheckViolation):
        as_owner(ward.practice, "update clinic.allergies set verification = 'refuted', version = version + 1 where ended_on is null")
