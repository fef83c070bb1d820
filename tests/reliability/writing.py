"""A hand that writes through the services without end, each write under a key of its own, and keeps a ledger of it.

When nobody can say what became of a write (the connection ended), the same write is sent again under the same key until an answer comes,
as the sheets of the windows do. It is then there once, or a duplicate shows in the tally.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeVar
from uuid import UUID, uuid4

from sqlalchemy import text

from clinicdesk.clinic import Clinic
from clinicdesk.errors import ChangedElsewhere, ClinicError, Collision, Duplicate, Invalid, Unavailable, VisitSigned
from clinicdesk.services import appointments, attachments, consultations, drafts, money, papers, patients
from clinicdesk.services.attachments import NewAttachment
from clinicdesk.services.people import PatientForm
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.storage.database import ClinicSession
from tests.reliability.ledger import Ledger
from tests.visiting import FULL

T = TypeVar("T")
Work = Callable[[ClinicSession], T]
KINDS = ("book", "move", "cancel", "register", "draft", "sign", "pay", "attach", "paper")
#: Two pieces of a file and some bytes: a file cut in half would show.
FILE = b"A letter that is longer than one piece. " * 30_000
_PAUSE, _PATIENCE = 0.05, 60.0


class Hand:
    """One person at a desk. `number` keeps the times and telephones of several hands apart; `ended` makes `run` stop."""

    def __init__(self, clinic: Clinic, doctor: int, tokens: dict[str, str], ledger: Ledger, number: int) -> None:
        self.clinic, self.doctor, self.tokens, self.ledger, self.number = clinic, doctor, tokens, ledger, number
        self.ended = threading.Event()
        self.problem: BaseException | None = None
        self.refused: set[str] = set()  #: the sentences a person at this desk would have read
        self._count = 0
        tomorrow = datetime.now(UTC).replace(hour=6, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self._first = tomorrow + timedelta(days=40 * number)

    def run(self, kinds: tuple[str, ...] = KINDS) -> None:
        """Write until `ended`; what must not happen is kept in `problem`."""
        dice = random.Random(self.number)
        try:
            while not self.ended.is_set():
                getattr(self, dice.choice(kinds))()
        except BaseException as error:  # noqa: BLE001  handed to the test
            self.problem = error

    def write(self, kind: str, key: str, who: str, work: Work[T], *, again: Work[T] | None = None,
              already: tuple[type[ClinicError], ...] = ()) -> T:
        """One write, until its outcome is known. `already` are the refusals by which a second try says that the first had been done;
        `again` then reads what it made."""
        if kind:
            self.ledger.note("begin", kind, key)
        deadline, tries = time.monotonic() + _PATIENCE, 0
        while True:
            tries += 1
            try:
                result = self.clinic.perform(self.tokens[who], work)
                break
            except (Unavailable, Collision) as error:
                self.refused.add(error.sentence)
                self.ledger.note("unknown", kind, key)
                if time.monotonic() > deadline:
                    raise
                threading.Event().wait(_PAUSE)
            except already:
                if tries == 1:
                    raise
                result = self.read(who, again) if again else None  # type: ignore[assignment]
                break
        if kind:
            self.ledger.note("done", kind, key)
        return result

    def read(self, who: str, work: Work[T]) -> T:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                with self.clinic.read(self.tokens[who]) as session:
                    return work(session)
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                threading.Event().wait(_PAUSE)

    # -- the kinds of writes ----------------------------------------------------------------------------------------------------------

    def register(self) -> str:
        self._count += 1
        phone = f"+4917{self.number % 1000:03d}{self._count:05d}"
        form = PatientForm(first_name="Lena", last_name=f"Belastung{self._count}", born="1980-05-03", sex="F", phone=phone,
                           address="4 Test Road, Berlin", ssn="078-05-1120", tags=("load",))
        find = text("select id from clinic.patients where phone = :phone")
        return self.write("register", phone, "rita", lambda s: patients.register(s, form), already=(Duplicate,),
                          again=lambda s: str(s.scalar(find, {"phone": phone})))

    def place(self) -> datetime:
        self._count += 1
        return self._first + timedelta(days=self._count // 100, minutes=5 * (self._count % 100))

    def book(self, patient: str = "") -> tuple[int, str]:
        patient = patient or self.register()
        start, key = self.place(), uuid4().hex
        wish = NewAppointment(self.doctor, patient, start, start + timedelta(minutes=5), key=key)
        return self.write("book", key, "rita", lambda s: appointments.book(s, wish)), patient

    def move(self) -> None:
        booked, _ = self.book()
        for version in range(1, 4):
            start = self.place()
            self.write("move", f"{booked}@{round(start.timestamp())}", "rita", already=(ChangedElsewhere,), work=lambda s, v=version,
                       at=start: appointments.move(s, booked, self.doctor, at, at + timedelta(minutes=5), v))  # type: ignore[misc]

    def cancel(self) -> None:
        booked, _ = self.book()
        self.write("cancel", str(booked), "rita", lambda s: appointments.step(s, booked, "cancelled", 1, "because"),
                   already=(ChangedElsewhere, Invalid))

    def arrived(self) -> tuple[int, str]:
        booked, patient = self.book()
        self.write("", "", "rita", lambda s: appointments.step(s, booked, "arrived", 1), already=(ChangedElsewhere, Invalid))
        return booked, patient

    def started(self) -> int:
        booked, _ = self.arrived()
        return self.write("", "", "dora", lambda s: consultations.start(s, booked, 2))

    def draft(self, times: int = 4) -> int:
        consultation = self.started()
        for version in range(times):
            draft = replace(FULL, notes={"plan": f"Rest {version}."})
            self.write("draft", f"{consultation}:{version + 1}", "dora", already=(ChangedElsewhere,),
                       work=lambda s, v=version, d=draft: drafts.save(s, consultation, d, v))  # type: ignore[misc]
        return consultation

    def sign(self) -> int:
        consultation = self.draft(1)
        self.write("sign", str(consultation), "dora", lambda s: consultations.complete(s, consultation, FULL, 1), already=(VisitSigned,))
        return consultation

    def paper(self) -> None:
        """Not in the load: a paper has no key to ask for it again by; a doctor looks into the list of papers."""
        consultation = self.sign()
        summary = papers.PaperDraft("VS", {"plan": "Rest."})
        self.write("paper", str(consultation), "dora", lambda s: papers.issue(s, consultation, summary))

    def pay(self) -> None:
        booked, patient = self.arrived()
        charge = self.write("", "", "rita", lambda s: money.charge_visit(s, booked))
        top, key = uuid4().hex, uuid4().hex
        self.write("pay", top, "rita", lambda s: money.top_up(s, patient, "cash", Decimal(20), top))
        parts = [money.Part(charge or 0, "wallet", Decimal(20)), money.Part(charge or 0, "card", Decimal(30))]
        self.write("pay", key, "rita", lambda s: money.pay(s, patient, parts, key))

    def attach(self) -> UUID:
        _, patient = self.book()
        new = NewAttachment(patient, "Letter", FILE, "letter.txt")
        return self.write("attach", str(new.id), "dora", lambda s: attachments.add(s, new))


def beside(hands: list[Hand], kinds: tuple[str, ...]) -> list[threading.Thread]:
    """Start every hand in a thread of its own."""
    threads = [threading.Thread(target=hand.run, args=(kinds,), name=f"hand {hand.number}") for hand in hands]
    for thread in threads:
        thread.start()
    return threads


def let_go(hands: list[Hand], threads: list[threading.Thread]) -> None:
    """Stop them after what they are at; a problem of one of them is raised."""
    for hand in hands:
        hand.ended.set()
    for thread in threads:
        thread.join(_PATIENCE + 30)
        assert not thread.is_alive(), thread.name
    problems = [hand.problem for hand in hands if hand.problem is not None]
    if problems:
        raise problems[0]


LONG = bool(os.environ.get("CLINICDESK_RELIABILITY"))


def rounds(short: int, long: int) -> int:
    """How often a fault is made: few times in `make test`, often in `make reliability`."""
    return long if LONG else short
