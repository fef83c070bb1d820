-- What a review of the walls found. Each part has its proof in tests/security/test_mends.py; docs/decisions/0018-review-of-the-walls.md says why.

-- A transaction grows old --------------------------------------------------------------------------------------------------------------------
-- A snapshot (REPEATABLE READ) does not see that its session was ended, and now() stands still. So a token counts for five minutes of one
-- transaction, which is many times what any of ours takes; afterwards the transaction is told, instead of finding nothing.
create function auth.refuse_old_transaction() returns void
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if nullif(current_setting('clinicdesk.session', true), '') is not null
       and transaction_timestamp() < clock_timestamp() - interval '5 minutes' then
        raise exception using errcode = 'CD002', message = 'signed out';
    end if;
end $$;

create or replace function auth.current_session(out session_id bigint, out user_id bigint, out role text, out patient_id text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform auth.refuse_old_transaction();
    select s.id, u.id, u.role, u.patient_id into session_id, user_id, role, patient_id
      from auth.sessions s join auth.users u on u.id = s.user_id
     where s.token_hash = sha256(convert_to(nullif(current_setting('clinicdesk.session', true), ''), 'UTF8'))
       and s.ended_at is null and s.expires_at > clock_timestamp() and s.absolute_expires_at > clock_timestamp() and s.pending is null
       and u.active;
end $$;

create or replace function auth.held_session(out session_id bigint, out user_id bigint, out role text, out pending text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform auth.refuse_old_transaction();
    select s.id, u.id, u.role, s.pending into session_id, user_id, role, pending
      from auth.sessions s join auth.users u on u.id = s.user_id
     where s.token_hash = sha256(convert_to(nullif(current_setting('clinicdesk.session', true), ''), 'UTF8'))
       and s.ended_at is null and s.expires_at > clock_timestamp() and s.absolute_expires_at > clock_timestamp() and u.active;
end $$;

-- A workstation that holds a lock for others (a row of its own account, the end of the audit chain by `set constraints all immediate`, an
-- advisory lock) stops them for as long as it likes. The worker asks for this every minute: whoever has kept others waiting in a
-- transaction older than 45 s, or with a lock that belongs to no transaction, is cut off. How many were.
create function auth.cut_blockers() returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_pid int;
    n int := 0;
begin
    for v_pid in
        select a.pid from pg_stat_activity a
         where a.datname = current_database() and a.usename = 'clinicdesk_app'
           and (a.xact_start < clock_timestamp() - interval '45 seconds' or (a.xact_start is null and a.state = 'idle'))
           and a.pid in (select unnest(pg_blocking_pids(w.pid)) from pg_locks w where not w.granted)
    loop
        if pg_terminate_backend(v_pid) then n := n + 1; end if;
    end loop;
    if n > 0 then perform audit.note('cut off', 'connection', null, '', jsonb_build_object('connections', n)); end if;
    return n;
end $$;

-- Care ---------------------------------------------------------------------------------------------------------------------------------------
drop policy own_read on clinic.care;
create policy own_read on clinic.care for select to clinicdesk_app
    using (doctor_id = (select auth.my_doctor()) and (expires_at is null or expires_at > (select clock_timestamp())));

create or replace function clinic.in_care(p_patient text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select 1 from clinic.care c where c.patient_id = p_patient and c.doctor_id = auth.my_doctor()
                                                and (c.until is null or c.until >= current_date)
                                                and (c.expires_at is null or c.expires_at > clock_timestamp()));
end $$;

-- Care that somebody else gave: an assignment or a booking, not broken glass.
create function clinic.in_own_care(p_patient text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select 1 from clinic.care c where c.patient_id = p_patient and c.doctor_id = auth.my_doctor()
                                                and (c.until is null or c.until >= current_date) and c.expires_at is null);
end $$;

-- A booking is care, so a doctor books whom she has in care already; anybody else is booked by reception, or she breaks the glass. What she
-- herself called off or took back she may bring back.
create function clinic.guard_own_booking() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_last clinic.appointment_events;
begin
    if auth.my_role() is distinct from 'doctor' or clinic.in_own_care(new.patient_id)
       or (tg_op = 'UPDATE' and (old.status not in ('cancelled', 'no_show') or new.status in ('cancelled', 'no_show'))) then
        return new;
    end if;
    select * into v_last from clinic.appointment_events e where e.appointment_id = new.id order by e.id desc limit 1;
    if v_last.user_id is distinct from auth.me() or (tg_op = 'INSERT' and v_last.detail is distinct from new.patient_id) then
        raise exception using errcode = 'CD010', constraint = 'appointment_not_hers', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_own_booking before insert or update on clinic.appointments for each row execute function clinic.guard_own_booking();

-- A doctor's profile belongs to one doctor's account for ever: whoever could put another account there would have all her patients.
create or replace function auth.my_doctor() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return (select d.id from clinic.doctors d join auth.current_session() s on s.user_id = d.user_id where s.role = 'doctor');
end $$;

create function clinic.guard_doctor() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if (tg_op = 'UPDATE' and new.user_id is distinct from old.user_id)
       or (tg_op = 'INSERT' and not exists (select 1 from auth.users u where u.id = new.user_id and u.role = 'doctor')) then
        raise exception using errcode = 'CD010', constraint = 'doctor_account', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_doctor before insert or update on clinic.doctors for each row execute function clinic.guard_doctor();

-- A second pair of eyes has care of its own: two doctors who broke the same glass do not excuse each other.
create or replace function clinic.review_glass(p_grant bigint, p_verdict text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    g clinic.access_grants;
begin
    select * into g from clinic.access_grants where id = p_grant and reviewed_at is null
       and doctor_id is distinct from auth.my_doctor() for update;
    if g.id is null or not coalesce(auth.my_role() = 'administrator' or clinic.in_own_care(g.patient_id), false) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    update clinic.access_grants set reviewed_at = now(), reviewed_by = auth.me(), verdict = p_verdict where id = p_grant;
    perform audit.note('review', 'care', g.patient_id, 'grant ' || g.id, jsonb_build_object('verdict', p_verdict));
    perform pg_notify('clinicdesk', 'glass');
end $$;

-- A patient signs in with a code that reception makes, once. An account with a password that somebody else chose would open her whole record to
-- that somebody, for ever and under her name.
create or replace function auth.add_user(p_username text, p_name text, p_role text, p_patient text,
                                         p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' or coalesce(p_role, '') = 'patient' or p_patient is not null then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    return auth.insert_user(p_username, p_name, p_role, p_patient, p_salt, p_memory, p_iterations, p_lanes, p_verifier);
end $$;

-- A patient is named in the log by her number alone, whatever her user name was: the log outlives her erasure.
create or replace function audit.note(p_action text, p_category text, p_patient text default null, p_subject text default '',
                                      p_detail jsonb default '{}', p_outcome text default 'done', p_user bigint default null,
                                      p_workstation text default '') returns bigint
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
    select case when u.role = 'patient' then u.patient_id else u.username end, u.role into v_actor, v_role from auth.users u where u.id = v_user;
    if v_session is not null then select s.workstation into v_desk from auth.sessions s where s.id = v_session; end if;
    insert into audit.events (user_id, actor, role, session_id, workstation, action, category, patient_id, subject, detail, outcome)
    values (v_user, coalesce(v_actor, session_user), coalesce(v_role, 'tool'), v_session,
            regexp_replace(left(coalesce(v_desk, ''), 120), '[\x01-\x1f]', ' ', 'g'), p_action, p_category, p_patient,
            regexp_replace(left(p_subject, 200), '[\x01-\x1f]', ' ', 'g'), p_detail, p_outcome)
    returning id into v_id;
    return v_id;
end $$;

-- Whoever has a kiosk code has the record, so a patient sees each code that was made for her, by whom, and each sign-in as herself.
create or replace function audit.my_readers(p_limit int default 500)
returns table (at timestamptz, name text, role text, action text, category text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_patient() is null then return; end if;
    return query
        select e.at, case when e.user_id = auth.me() then 'You' else coalesce(u.name, 'The clinic''s program') end, e.role, e.action, e.category
          from audit.events e left join auth.users u on u.id = e.user_id
         where e.outcome = 'done'
           and (e.user_id = auth.me() and e.action = 'sign-in'
                or e.patient_id = any(clinic.person_ids(auth.my_patient())) and e.user_id is distinct from auth.me()
                   and e.action in ('read', 'print', 'export', 'change', 'add', 'delete', 'glass', 'kiosk code'))
         order by e.id desc limit least(p_limit, 5000);
end $$;

-- After a restore nobody is signed in: sessions and codes of that day may have been ended since, and whoever kept one must not have it again.
-- Recovery codes and passwords stay. Only for the owner, before anybody works.
create function auth.begin_anew() returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare n int;
begin
    update auth.sessions set ended_at = clock_timestamp() where ended_at is null;
    get diagnostics n = row_count;
    delete from auth.one_time_codes where purpose <> 'recovery';
    delete from auth.tries;
    delete from auth.enrolments where taken_at is null;
    return n;
end $$;

revoke all on function auth.refuse_old_transaction(), auth.cut_blockers(), auth.begin_anew(), clinic.in_own_care(text),
    clinic.guard_own_booking(), clinic.guard_doctor() from public;
grant execute on function auth.cut_blockers() to clinicdesk_worker;
