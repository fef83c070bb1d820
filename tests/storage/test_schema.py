"""Migrations on a real server, and what is said about a database of another age."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from clinicdesk.errors import CannotStart
from clinicdesk.storage import schema
from clinicdesk.storage.addresses import Addresses, libpq_address

Within = Callable[[str], str]


def revise(url: str, revision: str) -> None:
    with psycopg.connect(libpq_address(url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = %s", [revision])


def test_two_processes_migrate_one_empty_database_once(servers: Addresses, empty_database: Within) -> None:
    owner = empty_database(servers.owner)
    with ThreadPoolExecutor(2) as pool:
        reached = list(pool.map(schema.upgrade, [owner, owner]))
    assert reached == [schema.head()] * 2
    schema.require_current(empty_database(servers.app))


def test_each_age_has_its_own_sentence(servers: Addresses, empty_database: Within) -> None:
    owner, app = empty_database(servers.owner), empty_database(servers.app)
    with pytest.raises(CannotStart) as missing:
        schema.require_current(app)
    schema.upgrade(owner)
    revise(owner, "from-the-future")
    with pytest.raises(CannotStart) as new:
        schema.require_current(app)
    with pytest.raises(CannotStart) as refused:
        schema.upgrade(owner)
    assert [missing.value.code, new.value.code, refused.value.code] == ["schema_missing", "schema_too_new", "schema_too_new"]
    assert schema.state_of(schema.head()) == "current"


def test_a_database_is_cloned_from_a_template_with_its_tables(servers: Addresses, empty_database: Within) -> None:
    owner = empty_database(servers.owner)
    schema.upgrade(owner)
    template = owner.rpartition("/")[2].partition("?")[0]
    schema.create_database(servers.admin, "a_clone", template=template)
    try:
        schema.require_current(schema.in_database(servers.app, "a_clone"))
    finally:
        schema.drop_database(servers.admin, "a_clone")
