"""A job that died with its database stays “doing” for ever: what it was to deliver is found again and delivered once."""

from __future__ import annotations

from clinicdesk.jobs.worker import deliver_left_behind
from clinicdesk.services import attachments
from clinicdesk.services.attachments import NewAttachment
from tests.clinics import Practice
from tests.files import pdf
from tests.visiting import as_owner, completed


def test_what_a_dead_job_left_behind_is_delivered_once(practice: Practice) -> None:
    patient = practice.patient()
    completed(practice, patient)
    with practice.write("dora") as session:
        attachments.add(session, NewAttachment(patient, "Letter", pdf("words"), "letter.pdf"))
    worker = practice.clinic.worker_database  # nobody runs the queue here: its jobs are as good as dead
    assert [deliver_left_behind(worker) for _ in range(2)] == [2, 0]
    assert practice.clinic.documents.count() == 1
    assert as_owner(practice, "select count(*) from clinic.visit_outbox where delivered_at is null") == [(0,)]
