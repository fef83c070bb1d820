"""The background worker: procrastinate over the clinic's PostgreSQL, in a thread of the embedded application or as `clinicdesk worker`.

Jobs are queued by triggers inside the business transaction; application roles cannot queue anything by hand.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from functools import partial
from uuid import UUID

from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.jobs import Job, Status

from clinicdesk.errors import ClinicError, Unavailable
from clinicdesk.jobs.queue import QUEUE_SCHEMA
from clinicdesk.services import accounts, attachments, auditing, erasing, messages, visits, waiting
from clinicdesk.storage.addresses import libpq_address
from clinicdesk.storage.database import Database

log = logging.getLogger(__name__)

#: A visit that fails for another reason than an absent server is tried this often, then parked for the administrator.
POISON_TRIES = 5
#: Backups and rehearsals where this computer may do them: called every hour with what says that the worker is ending.
Nightly = Callable[[Callable[[], bool]], object]
#: The document server is asked again at most this many seconds after it went away.
LONGEST_WAIT = 5


class Patience(BaseRetryStrategy):
    """An absent server is waited for without end, sooner at first; anything else a few times."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """When to try again, or None to give up."""
        if isinstance(exception, Unavailable):
            return RetryDecision(retry_in={"seconds": min(2 ** min(job.attempts, 4), LONGEST_WAIT)})
        return RetryDecision(retry_in={"seconds": 2**job.attempts}) if job.attempts < POISON_TRIES else None


def build_app(url: str, database: Database, nightly: Callable[[], object] | None = None) -> App:
    """The queue's application with its tasks; `url` signs in as clinicdesk_worker, `database` too.

    `nightly` decides itself whether anything is due. Only a worker that has it takes the jobs of the queue `backups`.
    """
    conninfo = libpq_address(url, options=f"-c search_path={QUEUE_SCHEMA}")
    app = App(connector=PsycopgConnector(conninfo=conninfo, min_size=1, max_size=3))

    @app.task(name="deliver_visit", queue="documents", retry=Patience())
    def deliver_visit(visit_id: str, revision: int) -> None:
        with database.write() as session:
            visits.deliver(session, UUID(visit_id), revision)

    @app.task(name="deliver_attachment", queue="documents", retry=Patience())
    def deliver_attachment(attachment_id: str) -> None:
        with database.write() as session:
            attachments.deliver(session, UUID(attachment_id))

    @app.periodic(cron="* * * * *")
    @app.task(name="every_minute", queue="desk", queueing_lock="every_minute")
    def every_minute(timestamp: int) -> None:  # noqa: ARG001  procrastinate says which minute it is
        with database.write() as session:
            accounts.cut_blockers(session)
        tidy_desk(database)

    @app.periodic(cron="* * * * *")
    @app.task(name="deliver_left_behind", queue="documents", queueing_lock="deliver_left_behind")
    def left_behind(timestamp: int) -> None:  # noqa: ARG001  procrastinate says which minute it is
        deliver_left_behind(database)

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="anchor_audit", queue="desk", queueing_lock="anchor_audit")
    def anchor_audit(timestamp: int) -> None:  # noqa: ARG001  procrastinate says which minute it is
        with database.write() as session:
            auditing.anchor(session)

    @app.periodic(cron="* * * * *")
    @app.task(name="take_up_stalled", queue="desk", queueing_lock="take_up_stalled")
    async def take_up_stalled(timestamp: int) -> None:  # noqa: ARG001
        await let_go_of_stalled(app)

    @app.task(name="follow_person", queue="documents", retry=Patience())
    def follow_person(patient_id: str) -> None:
        with database.write() as session:
            visits.follow_person(session, patient_id)

    @app.task(name="erase_documents", queue="documents", retry=Patience())
    def erase_documents(patient_ids: list[str], files: list[str] | None) -> None:
        with database.write() as session:
            erasing.drop_documents(session, patient_ids, files or ())

    if nightly is not None:
        @app.periodic(cron="30 * * * *")
        @app.task(name="every_hour", queue="backups", queueing_lock="every_hour", lock="backups")
        def every_hour(timestamp: int) -> None:  # noqa: ARG001
            nightly()

    return app


async def let_go_of_stalled(app: App) -> int:
    """Queue again what a worker that was killed had in hand; how many. A job of the clock is let go: it comes by itself, and as long as it
    counts as being done its lock keeps every later one away."""
    stalled = list(await app.job_manager.get_stalled_jobs())
    for job in stalled:
        log.warning("%s was in the hands of a worker that is gone", job.task_name)
        if job.queueing_lock:
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=False)
        else:
            await app.job_manager.retry_job(job)
    return len(stalled)


def tidy_desk(database: Database) -> tuple[int, int]:
    """Let go of messages whose undo window is over, and of held places whose time ran out; how many of each."""
    with database.write() as session:
        return messages.release(session), waiting.expire(session)


def deliver_left_behind(database: Database) -> int:
    """Deliver what waits although nobody is at it; how many went.

    A database killed under a job leaves the job “doing” for ever, and a store that was full may have refused one more often than it is
    tried. What is being carried at this moment is locked, and done once.
    """
    with database.read() as session:
        visits_waiting, files_waiting = visits.waiting(session), attachments.waiting(session)
    carries = [partial(visits.deliver, visit_id=one, revision=revision) for one, revision in visits_waiting]
    carries += [partial(attachments.deliver, attachment_id=one) for one in files_waiting]
    done = 0
    for carry in carries:
        try:
            with database.write() as session:
                done += carry(session)
        except Unavailable:  # asked again in a minute, not once for each
            break
        except ClinicError as error:
            log.warning("something that waits for the document server was refused: %s", type(error).__name__)
    return done


def deliver_all(database: Database, *, again: bool = False, progress: Callable[[int, int], None] | None = None) -> int:
    """Deliver every visit that waits (or, with `again`, every visit there is: rebuild); how many went. Raises Unavailable."""
    with database.read() as session:
        wanted = visits.every(session) if again else visits.waiting(session)
    done = 0
    for number, (visit_id, revision) in enumerate(wanted, 1):
        with database.write() as session:
            done += visits.deliver(session, visit_id, revision, again=again)
        if progress:
            progress(number, len(wanted))
    return done


def deliver_files(database: Database, progress: Callable[[int, int], None] | None = None) -> int:
    """Deliver every attachment that waits; how many went. Raises Unavailable."""
    with database.read() as session:
        wanted = attachments.waiting(session)
    done = 0
    for number, attachment_id in enumerate(wanted, 1):
        with database.write() as session:
            done += attachments.deliver(session, attachment_id)
        if progress:
            progress(number, len(wanted))
    return done


class Worker:
    """Runs the queue in one thread with an event loop of its own, until `stop`."""

    def __init__(self, url: str, database: Database, nightly: Nightly | None = None) -> None:
        self._url, self._nightly = url, nightly
        self._database = database
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clinicdesk-worker", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self, patience: float = 10.0) -> None:
        """Finish the job at hand and end; at most `patience` seconds."""
        self._stopping.set()
        self._ready.wait(patience)
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(patience)

    def join(self) -> None:
        """Wait until the worker ends by itself or by `stop`."""
        self._thread.join()

    def _hourly(self) -> None:
        if self._nightly is not None:
            self._nightly(self._stopping.is_set)

    def _run(self) -> None:
        loop = asyncio.SelectorEventLoop()  # psycopg cannot use the proactor loop that is the default on Windows
        self._loop = loop
        self._task = loop.create_task(self._serve())
        self._ready.set()
        try:
            loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            log.debug("worker ended")
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()

    async def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                app = build_app(self._url, self._database, self._hourly if self._nightly else None)
                async with app.open_async():
                    await let_go_of_stalled(app)
                    await app.run_worker_async(
                        queues=sorted({task.queue for task in app.tasks.values()}),  # another worker's backups are not ours to take
                        install_signal_handlers=False, concurrency=2, shutdown_graceful_timeout=5, fetch_job_polling_interval=5
                    )
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  the worker outlives a database that goes away
                log.warning("worker interrupted by %s, starting again", type(error).__name__)
                await asyncio.sleep(2)
