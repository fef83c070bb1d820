"""Notices over a real connection: heard, interrupted, heard again, and gone at once when told to stop."""

import socket
import threading
from collections.abc import Callable, Iterator
from queue import Queue

import psycopg
import pytest

from clinicdesk.credentials import Credentials
from clinicdesk.storage.addresses import Addresses, libpq_address
from clinicdesk.storage.embedded import EmbeddedServers
from clinicdesk.storage.notices import NoticeListener

Within = Callable[[str], str]
PATIENCE = 30


def say(url: str, payload: str, channel: str = "clinicdesk") -> None:
    with psycopg.connect(libpq_address(url), autocommit=True) as connection:
        connection.execute("SELECT pg_notify(%s, %s)", [channel, payload])


class Heard:
    def __init__(self, url: str) -> None:
        self.notices: Queue[str] = Queue()
        self.states: Queue[bool] = Queue()
        self.listener = NoticeListener(url, on_notice=self.notices.put, on_state=self.states.put)
        self.listener.start()


@pytest.fixture
def hear() -> Iterator[Callable[[str], Heard]]:
    made: list[Heard] = []

    def start(url: str) -> Heard:
        made.append(Heard(url))
        return made[-1]

    yield start
    for heard in made:
        heard.listener.stop()


def test_a_notice_arrives_in_order_and_only_from_its_channel(servers: Addresses, empty_database: Within,
                                                             hear: Callable[[str], Heard]) -> None:
    app = empty_database(servers.app)
    heard = hear(app)
    assert heard.states.get(timeout=PATIENCE) is True
    say(app, "elsewhere", channel="other")
    for number in range(50):
        say(app, f"appointments {number}")
    assert [heard.notices.get(timeout=PATIENCE) for _ in range(50)] == [f"appointments {number}" for number in range(50)]


def test_after_a_lost_connection_everything_counts_as_changed(servers: Addresses, empty_database: Within,
                                                              hear: Callable[[str], Heard]) -> None:
    app, admin = empty_database(servers.app), empty_database(servers.admin)
    heard = hear(app)
    assert heard.states.get(timeout=PATIENCE) is True
    with psycopg.connect(libpq_address(admin), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                           " WHERE datname = current_database() AND pid <> pg_backend_pid()")
    assert heard.states.get(timeout=PATIENCE) is False
    assert heard.notices.get(timeout=PATIENCE) == "*"
    say(app, "after")
    assert heard.notices.get(timeout=PATIENCE) == "after"


def test_a_restarted_server_is_found_again(clinic_folder, hear: Callable[[str], Heard]) -> None:
    embedded = EmbeddedServers(clinic_folder, Credentials(clinic_folder), want_documents=False)
    heard = hear(embedded.start().app)
    assert heard.states.get(timeout=PATIENCE) is True
    embedded.stop()
    assert heard.states.get(timeout=PATIENCE) is False
    again = embedded.start()
    assert heard.notices.get(timeout=PATIENCE) == "*"
    say(again.app, "back")
    assert heard.notices.get(timeout=PATIENCE) == "back"


def test_it_stops_although_the_server_accepts_and_then_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        listener = NoticeListener(f"postgresql+psycopg://u:p@127.0.0.1:{silent.getsockname()[1]}/d?sslmode=disable", on_notice=print)
        listener.start()
        connection, _ = silent.accept()  # it is now waiting for an answer that never comes
        stopper = threading.Thread(target=listener.stop)
        stopper.start()
        stopper.join(timeout=PATIENCE)
        assert not stopper.is_alive()
        connection.close()


def test_a_receiver_that_fails_does_not_end_the_listening(servers: Addresses, empty_database: Within) -> None:
    app = empty_database(servers.app)
    heard: Queue[str] = Queue()
    listening = threading.Event()

    def receive(payload: str) -> None:
        heard.put(payload)
        if payload == "bad":
            raise ValueError(payload)

    listener = NoticeListener(app, on_notice=receive, on_state=lambda state: listening.set() if state else None)
    listener.start()
    try:
        assert listening.wait(PATIENCE)
        say(app, "bad")
        say(app, "good")
        assert [heard.get(timeout=PATIENCE), heard.get(timeout=PATIENCE)] == ["bad", "good"]
    finally:
        listener.stop()
