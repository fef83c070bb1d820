"""The floors: the same rows by bare prepared SQL past row security, the same documents by bare pymongo, a bare ReportLab page."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import psycopg
from pymongo import MongoClient
from reportlab.lib.pagesizes import A5
from reportlab.pdfgen.canvas import Canvas

from clinicdesk.clinic import Clinic
from clinicdesk.rules.names import prefix_end

_PATIENT = ("select p.id, p.first_name, p.last_name, p.born, p.sex, p.phone, p.archived_at,"
            " (select max(a.starts_at) from clinic.appointments a where a.patient_id = p.id and a.status = 'completed'),"
            " (select array_agg(t.tag) from clinic.patient_tags t where t.patient_id = p.id) from clinic.patients p where p.id in (")
_ONE = "select patient_id from clinic.patient_terms where kind = %s and term >= %s and term < %s order by term limit 60"
_TWO = ("select t.patient_id from clinic.patient_terms t where t.kind = %s and t.term >= %s and t.term < %s and exists (select 1"
        " from clinic.patient_terms o where o.patient_id = t.patient_id and o.kind = %s and o.term >= %s and o.term < %s)"
        " order by t.term limit 60")
_CARD = ("select p.*, u.name, c.name, c.relation, c.phone, (select array_agg(t.tag) from clinic.patient_tags t where t.patient_id = p.id),"
         " (select array_agg(s.body) from clinic.sealed_fields s where s.patient_id = p.id"
         " and s.field in ('ssn', 'added_note', 'about_note')),"
         " (select k.wrapped from clinic.patient_keys k where k.patient_id = p.id and k.purpose = 'identity')"
         " from clinic.patients p left join auth.users u on u.id = p.created_by"
         " left join clinic.emergency_contacts c on c.patient_id = p.id"
         " where p.id = %s")
_BLOCKS = ("select a.id, a.doctor_id, a.patient_id, p.last_name || ', ' || p.first_name, p.born, a.starts_at, a.ends_at, a.status, a.lane,"
           " a.reason, a.overbook_reason, a.status_since, a.version"
           " from clinic.appointments a join clinic.patients p on p.id = a.patient_id"
           " where a.starts_at >= %s and a.starts_at < %s and a.doctor_id = any(%s) order by a.starts_at, a.lane, a.id")
_HOURS = "select doctor_id, weekday, starts_minute, ends_minute from clinic.working_hours where doctor_id = any(%s)"
_BOOK = ("with a as (insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, reason) values (%s, %s, %s, %s, 'Check')"
         " returning *), e as (insert into clinic.appointment_events (appointment_id, what, status, doctor_id, starts_at, ends_at, lane)"
         " select id, 'booked', status, doctor_id, starts_at, ends_at, lane from a),"
         " r as (insert into clinic.records (patient_id, appointment_id, kind, title, happened_at)"
         " select patient_id, id, 'visit', 'Visit', starts_at from a),"
         " c as (insert into clinic.care (doctor_id, patient_id) select doctor_id, patient_id from a on conflict do nothing)"
         " select id, pg_notify('clinicdesk_bench', 'booked') from a")
_VISITS = ("select v.id, v.revision, v.visit_date, u.name, o.delivered_at from clinic.visits v"
           " join clinic.visit_outbox o on o.visit_id = v.id"
           " and o.revision = v.revision join clinic.doctors d on d.id = v.doctor_id join auth.users u on u.id = d.user_id"
           " where v.patient_id = %s order by v.visit_date desc limit 50")
_CHART = ("select (select count(*) from clinic.patients where id = %(p)s), (select array_agg(substance) from clinic.allergies"
          " where patient_id = %(p)s and ended_on is null), (select array_agg(description) from clinic.problems where patient_id = %(p)s),"
          " (select array_agg(description) from clinic.medicines where patient_id = %(p)s),"
          " (select array_agg(v) from (select * from clinic.vitals where patient_id = %(p)s order by taken_at desc limit 30) v)")


class Floors:
    """`connection` passes row security; `writer` besides runs no triggers. Prepared at the first use, like everything measured here."""

    def __init__(self, clinic: Clinic, connection: psycopg.Connection[Any], writer: psycopg.Connection[Any]) -> None:
        self._sql, self._writer = connection, writer
        client: MongoClient[dict[str, Any]] = MongoClient(clinic.addresses.documents)
        self._client = client
        self._visits = client[clinic.settings.mongodb_db_name][clinic.settings.mongodb_collection_name]

    def close(self) -> None:
        """End the document connection; the others belong to the caller."""
        self._client.close()

    def _rows(self, statement: str, parameters: Sequence[Any] | dict[str, Any]) -> list[tuple[Any, ...]]:
        return self._sql.execute(statement, parameters, prepare=True).fetchall()

    def search(self, kind: str, prefix: str) -> int:
        """Patients by one prefix."""
        return len(self._rows(f"{_PATIENT}{_ONE})", [kind, prefix, prefix_end(prefix)]))

    def search_two(self, longer: str, shorter: str) -> int:
        """Patients by two parts of a name."""
        return len(self._rows(f"{_PATIENT}{_TWO})", ["name", longer, prefix_end(longer), "name", shorter, prefix_end(shorter)]))

    def card(self, patient_id: str) -> object:
        """Everything of one patient's card, sealed."""
        return self._rows(_CARD, [patient_id])

    def schedule(self, begins: datetime, ends: datetime, doctor_ids: list[int]) -> int:
        """Appointments and hours of some doctors."""
        self._rows(_HOURS, [doctor_ids])
        return len(self._rows(_BLOCKS, [begins, ends, doctor_ids]))

    def book(self, doctor_id: int, patient_id: str, begins: datetime, ends: datetime) -> int:
        """The four rows of a booking in one statement; the appointment's id."""
        return int(self._writer.execute(_BOOK, [doctor_id, patient_id, begins, ends], prepare=True).fetchall()[0][0])

    def unbook(self, appointment_ids: Sequence[int]) -> None:
        """Take bookings away again, with all that came of them."""
        for table in ("records", "appointment_events"):
            self._writer.execute(f"delete from clinic.{table} where appointment_id = any(%s)", [list(appointment_ids)])
        self._writer.execute("delete from clinic.appointments where id = any(%s)", [list(appointment_ids)])

    def chart(self, patient_id: str) -> int:
        """What a chart shows first, and the fifty newest visit documents, sealed."""
        self._rows(_CHART, {"p": patient_id})
        wanted = [f"{row[0]}:{row[1]}" for row in self._rows(_VISITS, [patient_id])]
        return len(list(self._visits.find({"_id": {"$in": wanted}}, batch_size=len(wanted) + 1)))


def bare_pdf(texts: Sequence[str]) -> bytes:
    """The words of a page drawn line by line with a built-in font."""
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=A5)
    canvas.setFont("Helvetica", 9)
    for number, text in enumerate(texts):
        canvas.drawString(30, 560 - 11 * number, text.encode("latin-1", "replace").decode("latin-1"))
    canvas.showPage()
    canvas.save()
    return target.getvalue()
