-- The audit log: who did what to whose record, when, where. Rows are only ever added; each is chained to the one before by SHA-256 at the moment
-- its transaction commits, so the order of the chain is the order in which things became true. Anchors (jobs/worker.py) carry the head of the
-- chain out of the database, under a key it does not hold. See docs/decisions/0012-audit.md.

create schema audit;
grant usage on schema audit to clinicdesk_app, clinicdesk_worker, clinicdesk_backup;

create table audit.events (
    id bigint generated always as identity,
    at timestamptz not null default clock_timestamp(),
    user_id bigint,
    actor text not null,                        -- the user name, or the database role of a tool
    role text not null,
    session_id bigint,
    workstation text not null default '',
    action text not null,
    category text not null,
    patient_id text,                            -- a pseudonym: it stays when the person is erased
    subject text not null default '',           -- the row or the thing, without anybody's words: "vitals 812"
    detail jsonb not null default '{}',         -- names of changed columns, counts; never a value of a record
    outcome text not null default 'done',
    constraint pk_events primary key (id),
    constraint ck_events_action check (action ~ '^[a-z][a-z -]{1,29}$'),
    constraint ck_events_category check (category ~ '^[a-z][a-z -]{1,29}$'),
    constraint ck_events_outcome check (outcome in ('done', 'refused')),
    -- The canonical form separates its parts by control characters.
    constraint ck_events_plain check (concat(actor, role, workstation, subject, patient_id) !~ '[\x01-\x1f]')
);
create index ix_events_patient on audit.events (patient_id, id);
create index ix_events_at on audit.events (at);

create table audit.chain (
    seq bigint not null,
    event_id bigint not null,
    hash bytea not null,
    constraint pk_chain primary key (seq),
    constraint uq_chain_event_id unique (event_id),
    constraint fk_chain_event_id foreign key (event_id) references audit.events (id),
    constraint ck_chain_hash check (octet_length(hash) = 32)
);

-- Where the chain ends. Its row lock makes the order: taken when a transaction commits (a NOTIFY takes turns there too), so nobody waits with it.
create table audit.head (
    only_one boolean not null default true check (only_one),
    seq bigint not null,
    hash bytea not null,
    constraint pk_head primary key (only_one)
);
insert into audit.head (seq, hash) values (0, sha256('ClinicDesk audit'));

-- What is hashed of an event. Python computes the same text (services/auditing.py); parts end with U+001F, which no part can contain.
create function audit.canonical(p_seq bigint, e audit.events) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
    select concat_ws(e'\x1f', p_seq, e.id, (extract(epoch from e.at) * 1000000)::bigint, coalesce(e.user_id::text, '-'), e.actor, e.role,
                     coalesce(e.session_id::text, '-'), e.workstation, e.action, e.category, coalesce(e.patient_id, '-'), e.subject,
                     e.detail::text, e.outcome)
$$;

create function audit.link() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_head audit.head;
begin
    select * into v_head from audit.head for update;
    v_head.seq := v_head.seq + 1;
    v_head.hash := sha256(v_head.hash || convert_to(audit.canonical(v_head.seq, new), 'UTF8'));
    insert into audit.chain (seq, event_id, hash) values (v_head.seq, new.id, v_head.hash);
    update audit.head set seq = v_head.seq, hash = v_head.hash;
    return null;
end $$;
create constraint trigger link after insert on audit.events deferrable initially deferred for each row execute function audit.link();

create function audit.refuse() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'CD010', constraint = 'audit_append_only', message = 'refused';
end $$;
create trigger append_only before update or delete on audit.events for each row execute function audit.refuse();
create trigger append_only before update or delete on audit.chain for each row execute function audit.refuse();
create trigger no_truncate before truncate on audit.events for each statement execute function audit.refuse();
create trigger no_truncate before truncate on audit.chain for each statement execute function audit.refuse();

-- Write one event about whoever holds the session of this transaction (or about `p_user` at `p_workstation`, before there is one). Only for
-- functions and triggers that run as the owner: no client may put words into the log.
create function audit.note(p_action text, p_category text, p_patient text default null, p_subject text default '', p_detail jsonb default '{}',
                           p_outcome text default 'done', p_user bigint default null, p_workstation text default '') returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_id bigint;
    v_user bigint;
    v_session bigint;
    v_role text;
    v_actor text;
    v_desk text := p_workstation;
begin
    select c.session_id, c.user_id into v_session, v_user from auth.current_session() c;
    v_user := coalesce(v_user, p_user);
    select u.username, u.role into v_actor, v_role from auth.users u where u.id = v_user;
    if v_session is not null then select s.workstation into v_desk from auth.sessions s where s.id = v_session; end if;
    insert into audit.events (user_id, actor, role, session_id, workstation, action, category, patient_id, subject, detail, outcome)
    values (v_user, coalesce(v_actor, session_user), coalesce(v_role, 'tool'), v_session,
            regexp_replace(left(coalesce(v_desk, ''), 120), '[\x01-\x1f]', ' ', 'g'), p_action, p_category, p_patient,
            regexp_replace(left(p_subject, 200), '[\x01-\x1f]', ' ', 'g'), p_detail, p_outcome)
    returning id into v_id;
    return v_id;
end $$;

revoke all on all functions in schema audit from public;
do $$
declare t text;
begin
    foreach t in array array['events', 'chain', 'head'] loop
        execute format('alter table audit.%I enable row level security', t);
        execute format('alter table audit.%I force row level security', t);
        execute format('create policy owner on audit.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on audit.%I to clinicdesk_app, clinicdesk_worker, clinicdesk_backup', t);
        execute format('create policy administrator_read on audit.%I for select to clinicdesk_app using ((select auth.my_role()) = ''administrator'')', t);
        execute format('create policy worker_read on audit.%I for select to clinicdesk_worker using (true)', t);
    end loop;
end $$;
