"""What somebody tries who has psql and the workstation's own sign-in: statements, and what may come of each.

A cell is one statement as one role. `refused`: an error of refusal and nothing else. `rows`: at most the rows the matrix gives that role.
`nothing`: allowed to run, and must find or change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Expected = Literal["refused", "rows", "nothing"]

#: SQLSTATE of a refusal: no privilege, ours, no such object for this role, not supported under row security, guard of a table; a
#: temporary table that may not refer to ours, a name kept by the system, a setting fixed at the connection's start.
REFUSALS = {"42501", "CD001", "CD002", "CD010", "0A000", "0LP01", "22023", "28000", "42704", "42809", "55000", "3D000", "25006",
            "42P16", "42939", "55P02"}


@dataclass(frozen=True)
class Attack:
    """One statement; `table` where the matrix says which rows may be touched."""

    about: str
    statement: str
    expected: Expected
    table: str = ""

    @property
    def alone(self) -> bool:
        """Whether PostgreSQL takes it outside a transaction only."""
        return self.statement.startswith(("create database", "create tablespace", "create subscription", "alter system"))


def on_table(table: str) -> Iterator[Attack]:
    """Everything that goes around the rows of a table."""
    schema, name = table.split(".")
    yield Attack("count", f"select count(*) from {table}", "rows", table)
    yield Attack("copy out", f"copy (select 1 from {table}) to stdout", "rows", table)
    yield Attack("lock rows", f"select count(*) from (select 1 from {table} for share) x", "rows", table)
    yield Attack("count with row security off", f"set local row_security = off; select count(*) from {table}", "refused")
    yield Attack("through a view of one's own", f"create temp view v as select 1 from {table}; select count(*) from v", "rows", table)
    yield Attack("through a function of one's own", "create function pg_temp.f() returns bigint language sql security definer as"
                 f" 'select count(*) from {table}'; select pg_temp.f()", "rows", table)
    yield Attack("a leaky function in the filter", "create function pg_temp.leak(t text) returns boolean language plpgsql cost 0.0001 as"
                 f" $$begin raise notice '%', t; return true; end$$; select count(*) from {table} t where pg_temp.leak(t::text)", "rows",
                 table)
    yield Attack("truncate", f"truncate {table} cascade", "refused")
    yield Attack("drop", f"drop table {table} cascade", "refused")
    yield Attack("row security off for all", f"alter table {table} disable row level security", "refused")
    yield Attack("row security not forced", f"alter table {table} no force row level security", "refused")
    yield Attack("a policy of one's own", f"create policy mine on {table} using (true)", "refused")
    yield Attack("triggers off", f"alter table {table} disable trigger all", "refused")
    yield Attack("a trigger of one's own", f"create trigger t before insert on {table} execute function pg_temp.t()", "refused")
    yield Attack("owner", f"alter table {table} owner to clinicdesk_app", "refused")
    yield Attack("a rule", f"create rule r as on insert to {table} do instead nothing", "refused")
    yield Attack("an index that calls me", f"create index on {table} ((1))", "refused")
    yield Attack("statistics", f"select count(*) from pg_stats where schemaname = '{schema}' and tablename = '{name}'"
                 " and row_security_active(format('%I.%I', schemaname, tablename))", "nothing")
    yield Attack("inherit", f"create temp table child () inherits ({table})", "refused")
    yield Attack("reference as an oracle", f"create temp table r (x text references {table})", "refused")


DATABASE_ROLES = ("clinicdesk_owner", "clinicdesk_worker", "clinicdesk_backup", "clinicdesk_admin", "postgres", "pg_read_all_data",
                  "pg_write_all_data", "pg_execute_server_program", "pg_read_server_files", "pg_monitor")
SETTINGS = ("session_replication_role = replica", "role = clinicdesk_owner", "log_statement = none",
            "zero_damaged_pages = on", "ignore_system_indexes = on", "session_preload_libraries = 'x'")
FILES = ("pg_read_file('pg_hba.conf')", "pg_read_binary_file('PG_VERSION')", "pg_ls_dir('.')", "pg_ls_logdir()", "pg_ls_waldir()",
         "lo_import('/etc/passwd')", "pg_reload_conf()", "pg_rotate_logfile()", "pg_promote()", "pg_switch_wal()",
         "pg_create_restore_point('x')", "pg_current_logfile()", "pg_stat_reset()", "pg_logical_slot_get_changes('x', null, null)")


def on_server() -> Iterator[Attack]:
    """Becoming somebody else, the files below, the objects around."""
    for role in DATABASE_ROLES:
        yield Attack(f"become {role}", f"set role {role}", "refused")
        yield Attack(f"sign in as {role}", f"set session authorization {role}", "refused")
        yield Attack(f"member of {role}", f"grant {role} to clinicdesk_app", "refused")
        yield Attack(f"take over {role}", f"alter role {role} password 'x'", "refused")
    for setting in SETTINGS:
        yield Attack(f"set {setting}", f"set local {setting}", "refused")
    for call in FILES:
        yield Attack(call, f"select {call}", "refused")
    for statement in (
        "copy clinic.settings to '/tmp/x'", "copy clinic.settings to program 'cat'", "copy clinic.settings from '/etc/passwd'",
        "create schema mine", "create table public.t ()", "create table clinic.t ()", "create table auth.t ()", "create table audit.t ()",
        "create extension plpython3u", "create extension dblink", "create language plpython3u",
        "create event trigger e on ddl_command_start execute function pg_temp.f()", "create database mine", "create role mine",
        "create tablespace t location '/tmp'",
        "create publication p for all tables", "create subscription s connection 'host=x' publication p",
        "create server s foreign data wrapper postgres_fdw", "create function public.f() returns int language sql as 'select 1'",
        "create or replace function auth.me() returns bigint language sql as 'select 1::bigint'",
        "alter function auth.me() owner to clinicdesk_app", "alter function auth.me() reset search_path", "drop function auth.me() cascade",
        "alter role clinicdesk_app superuser", "alter role clinicdesk_app bypassrls", "alter database clinicdesk owner to clinicdesk_app",
        "alter system set log_statement = 'all'", "alter default privileges for role clinicdesk_owner grant all on tables to public",
        "reassign owned by clinicdesk_owner to clinicdesk_app", "drop owned by clinicdesk_owner",
        "security label on table auth.users is 'x'",
        "select * from pg_authid", "select * from pg_largeobject", "select * from pg_user_mapping", "select * from pg_statistic",
        "select * from pg_subscription", "select * from pg_hba_file_rules", "select * from pg_file_settings",
        "select * from jobs.procrastinate_jobs", "select jobs.procrastinate_defer_jobs_v1(null)", "delete from jobs.procrastinate_jobs",
        "do $$begin execute 'set role clinicdesk_owner'; end$$", "do $$begin execute 'truncate audit.events'; end$$",
        "do language plpgsql $$begin perform auth.insert_user('x', 'x', 'administrator', null, '', 1, 1, 1, ''); end$$",
        "checkpoint", "load 'x'",
    ):
        yield Attack(statement[:40], statement, "refused")
    for name in ("user", "user_id", "role", "me", "doctor", "patient", "admin", "owner", "bypass", "session_id"):
        spoof = f"select set_config('clinicdesk.{name}', '1', true); select count(*) from clinic.patients"
        yield Attack(f"setting clinicdesk.{name}", spoof, "rows", "clinic.patients")
    for statement in (
        "select count(*) from pg_stat_activity where query ~ '[A-Za-z0-9_-]{40}' and pid <> pg_backend_pid()",
        "select count(*) from pg_prepared_statements where statement ~ 'clinicdesk.session'",
        "select count(*) from pg_stat_replication", "select count(*) from pg_replication_slots",
        "select count(*) from pg_views where schemaname in ('auth', 'clinic', 'audit')",
    ):
        yield Attack(statement[:60], statement, "nothing")
