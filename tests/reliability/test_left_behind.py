"""A job that died with its database stays “doing” for ever: what it was to deliver is found again and delivered once."""

from __future__ import annotations

import threading
from typing import Any

import psycopg

from clinicdesk.clinic import store_key
from clinicdesk.commands import worker as worker_command
from clinicdesk.credentials import Credentials
from clinicdesk.jobs.worker import Worker, deliver_left_behind
from clinicdesk.services import attachments, auditing, erasing
from clinicdesk.services.attachments import NewAttachment
from clinicdesk.storage.addresses import libpq_address
from clinicdesk.storage.processes import wait_until
from tests.clinics import Practice
from tests.files import pdf
from tests.security.test_key_change import found, run
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


QUEUE = ("insert into procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, status)"
         " values (%s, %s, %s, %s, %s::jsonb, 'todo') returning id")


def in_queue(practice: Practice, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(libpq_address(str(practice.clinic.addresses.owner), options="-c search_path=jobs")) as connection:
        found = connection.execute(statement.encode(), values)
        return found.fetchall() if found.description else []


def test_jobs_of_a_worker_that_was_killed_are_taken_up_and_its_lock_keeps_no_night_from_being_backed_up(practice: Practice) -> None:
    patient = practice.patient()
    hourly = ("backups", "every_hour", "backups", "every_hour", '{"timestamp": 1}')
    [(dead,)] = in_queue(practice, QUEUE, *hourly)
    [(erase,)] = in_queue(practice, QUEUE, "documents", "erase_documents", None, None, f'{{"patient_ids": ["{patient}"], "files": []}}')
    in_queue(practice, "update procrastinate_jobs set status = 'doing' where id in (%s, %s)", dead, erase)
    [(waiting,)] = in_queue(practice, QUEUE, *hourly)
    backed_up = threading.Event()
    worker = Worker(str(practice.clinic.addresses.worker), practice.clinic.worker_database, lambda _ended: backed_up.set())
    worker.start()
    try:
        assert backed_up.wait(30), "the dead job keeps every later one away"

        def ended() -> bool:
            found = dict(in_queue(practice, "select id, status::text from procrastinate_jobs where id in (%s, %s, %s)",
                                  dead, erase, waiting))
            return found == {dead: "failed", erase: "succeeded", waiting: "succeeded"}

        assert wait_until(ended, 30)
    finally:
        worker.stop()


def test_the_worker_beside_shared_servers_has_the_key_for_anchors_and_erasures_after_a_change_too(practice: Practice) -> None:
    gone, settings = practice.patient(), practice.clinic.settings
    found(practice)
    run(practice)
    store_key(Credentials(settings.data_dir), practice.clinic.vault.clinic_key)
    with practice.write("ada") as session:
        erasing.erase(session, gone, gone, "request")
    address = str(practice.clinic.addresses.worker)
    database, vault, documents = worker_command.opened(address, practice.clinic.addresses, settings)
    try:
        assert vault.generation == 2
        with database.write() as session:
            assert auditing.anchor(session)
            erasing.drop_documents(session, [gone], [])
        assert [line["patient_id"] for line in documents.erasures()] == [gone]
        with practice.clinic.worker_database.read() as session:
            assert auditing.prove(session, [settings.data_dir / auditing.ANCHORS]).verdict.intact
    finally:
        documents.close()
        database.close()
