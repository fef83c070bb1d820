-- Backups: what clinicdesk_backup must be able to read, and the proofs that a backup can be restored. See docs/decisions/0013-backup.md.

-- pg_dump reads every table and every sequence, those of later migrations too: a table it may not read fails the whole backup.
do $$
declare s text;
begin
    foreach s in array array['auth', 'clinic', 'audit', 'jobs'] loop
        execute format('grant usage on schema %I to clinicdesk_backup', s);
        execute format('grant select on all tables in schema %I to clinicdesk_backup', s);
        execute format('grant select on all sequences in schema %I to clinicdesk_backup', s);
        execute format('alter default privileges in schema %I grant select on tables to clinicdesk_backup', s);
        execute format('alter default privileges in schema %I grant select on sequences to clinicdesk_backup', s);
    end loop;
end $$;

-- One rehearsal: which file was restored, whether everything was equal, in numbers. `numbers` holds counts and sentences about tables.
create table clinic.backup_proofs (
    id bigint generated always as identity,
    at timestamp with time zone default now() not null,
    file_name text not null,
    file_size bigint not null,
    sha256 text not null,
    taken_at timestamp with time zone not null,
    ok boolean not null,
    numbers jsonb not null,
    proved_by text default '' not null,         -- the name at that time; empty when the clinic's own job did it
    constraint pk_backup_proofs primary key (id),
    constraint ck_backup_proofs_file_name check (char_length(file_name) between 1 and 255),
    constraint ck_backup_proofs_file_size check (file_size >= 0),
    constraint ck_backup_proofs_sha256 check (sha256 ~ '^([0-9a-f]{64})?$')
);
create index ix_backup_proofs_at on clinic.backup_proofs (at);

alter table clinic.backup_proofs enable row level security;
alter table clinic.backup_proofs force row level security;
create policy owner on clinic.backup_proofs to clinicdesk_owner using (true) with check (true);
create policy administrator_read on clinic.backup_proofs for select to clinicdesk_app using ((select auth.my_role()) = 'administrator');
create policy worker_read on clinic.backup_proofs for select to clinicdesk_worker using (true);
grant select on clinic.backup_proofs to clinicdesk_app, clinicdesk_worker, clinicdesk_backup;
create trigger tell after insert on clinic.backup_proofs for each row execute function clinic.tell('backups', '');

-- Store a proof; for the worker and the owner's tools, which have no session, and for the function below.
create function clinic.store_proof(p_file text, p_size bigint, p_sha256 text, p_taken timestamp with time zone, p_ok boolean, p_numbers jsonb)
returns bigint language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_id bigint;
begin
    insert into clinic.backup_proofs (file_name, file_size, sha256, taken_at, ok, numbers, proved_by)
    values (p_file, p_size, p_sha256, p_taken, p_ok, p_numbers, coalesce((select u.name from auth.users u where u.id = auth.me()), ''))
    returning id into v_id;
    perform audit.note('rehearse', 'backup', null, 'proof ' || v_id, jsonb_build_object('ok', p_ok));
    return v_id;
end $$;

create function clinic.record_proof(p_file text, p_size bigint, p_sha256 text, p_taken timestamp with time zone, p_ok boolean, p_numbers jsonb)
returns bigint language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' then
        raise exception using errcode = 'CD001', message = 'refused';
    end if;
    return clinic.store_proof(p_file, p_size, p_sha256, p_taken, p_ok, p_numbers);
end $$;

-- That a backup was taken, or that one was restored into this database.
create function clinic.store_backup(p_action text, p_detail jsonb) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if p_action not in ('back up', 'restore') then
        raise exception using errcode = 'CD001', message = 'refused';
    end if;
    perform audit.note(p_action, 'backup', null, '', p_detail);
end $$;

create function clinic.record_backup(p_size bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' then
        raise exception using errcode = 'CD001', message = 'refused';
    end if;
    perform clinic.store_backup('back up', jsonb_build_object('bytes', p_size));
end $$;

-- When the clinic began: its first account. Decides from when on a backup is overdue.
create function clinic.founded_at() returns timestamp with time zone
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select min(u.created_at) from auth.users u
$$;

revoke all on function clinic.store_proof(text, bigint, text, timestamp with time zone, boolean, jsonb) from public;
revoke all on function clinic.record_proof(text, bigint, text, timestamp with time zone, boolean, jsonb) from public;
revoke all on function clinic.store_backup(text, jsonb) from public;
revoke all on function clinic.record_backup(bigint) from public;
revoke all on function clinic.founded_at() from public;
grant execute on function clinic.store_proof(text, bigint, text, timestamp with time zone, boolean, jsonb) to clinicdesk_worker;
grant execute on function clinic.store_backup(text, jsonb) to clinicdesk_worker;
grant execute on function clinic.record_proof(text, bigint, text, timestamp with time zone, boolean, jsonb) to clinicdesk_app;
grant execute on function clinic.record_backup(bigint) to clinicdesk_app;
grant execute on function clinic.founded_at() to clinicdesk_app, clinicdesk_worker;
