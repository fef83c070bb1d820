-- Who is asking. The client presents a random session token in each transaction (set_config 'clinicdesk.session'); only its hash is
-- stored. Every function here is SECURITY DEFINER with a pinned search_path, runs as the owner and is granted by name in 0004.

-- The session of this transaction, or nothing: unknown token, idled out, too old, ended, or an account that was switched off.
create function auth.current_session(out session_id bigint, out user_id bigint, out role text, out patient_id text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select s.id, u.id, u.role, u.patient_id into session_id, user_id, role, patient_id
      from auth.sessions s join auth.users u on u.id = s.user_id
     where s.token_hash = sha256(convert_to(nullif(current_setting('clinicdesk.session', true), ''), 'UTF8'))
       and s.ended_at is null and s.expires_at > now() and s.absolute_expires_at > now() and u.active;
end $$;

create function auth.me() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin return (select user_id from auth.current_session()); end $$;

create function auth.my_role() returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin return (select role from auth.current_session()); end $$;

create function auth.my_patient() returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin return (select patient_id from auth.current_session()); end $$;

create function auth.my_doctor() returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin return (select d.id from clinic.doctors d where d.user_id = (select user_id from auth.current_session())); end $$;

create function auth.is_staff() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin return coalesce((select role in ('receptionist', 'doctor', 'administrator') from auth.current_session()), false); end $$;

-- Who I am in one row, for the window.
create function auth.who(out user_id bigint, out username text, out name text, out role text, out doctor_id bigint, out patient_id text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select u.id, u.username, u.name, u.role, (select d.id from clinic.doctors d where d.user_id = u.id), u.patient_id
      into user_id, username, name, role, doctor_id, patient_id
      from auth.users u where u.id = auth.me();
end $$;

-- Salt and Argon2id parameters of a name. An unknown name gets a salt that is always the same for it and looks like any other.
create function auth.challenge(p_username text, out salt bytea, out memory_kib int, out iterations int, out lanes int)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select c.salt, c.memory_kib, c.iterations, c.lanes into salt, memory_kib, iterations, lanes
      from auth.users u join auth.credentials c on c.user_id = u.id where u.username = lower(p_username);
    if salt is null then
        select substr(sha256(s.value || convert_to(lower(p_username), 'UTF8')), 1, 16), 19456, 2, 1
          into salt, memory_kib, iterations, lanes from auth.secrets s;
    end if;
end $$;

-- Seconds until this subject may try again: nothing for the first `free` failures, then 1 s doubling up to `longest`. Half an hour
-- without a failure forgets them.
create function auth.wait_of(p_subject text, p_free int, p_longest double precision) returns double precision
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare a auth.attempts;
begin
    insert into auth.attempts (subject, failed, last_failed_at) values (p_subject, 0, now()) on conflict do nothing;
    select * into a from auth.attempts where subject = p_subject for update;
    if a.failed > 0 and a.last_failed_at < now() - interval '30 minutes' then
        update auth.attempts set failed = 0 where subject = p_subject;
        return 0;
    end if;
    if a.failed < p_free then return 0; end if;
    return greatest(0, extract(epoch from a.last_failed_at - now()) + least(p_longest, power(2, least(a.failed - p_free, 10))));
end $$;

-- Compare SHA-256(key) with the stored verifier. A refusal is a row with wait seconds, never an error: its counter must be kept.
-- Known and unknown names, right and wrong keys take the same path. The token is 256 random bits; only its hash stays here.
create function auth.sign_in(p_username text, p_key bytea, p_workstation text, out token text, out wait double precision)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_name text := 'user:' || encode(sha256(convert_to(lower(p_username), 'UTF8')), 'hex');
    v_desk text := 'desk:' || encode(sha256(convert_to(p_workstation, 'UTF8')), 'hex');
    v_user auth.users;
    v_verifier bytea;
    v_idle int;
begin
    wait := greatest(auth.wait_of(v_name, 3, 900), auth.wait_of(v_desk, 20, 60));
    if wait > 0 then return; end if;
    select u.* into v_user from auth.users u where u.username = lower(p_username);
    select c.verifier into v_verifier from auth.credentials c where c.user_id = v_user.id;
    if sha256(p_key) is distinct from v_verifier or not coalesce(v_user.active, false) then
        update auth.attempts set failed = failed + 1, last_failed_at = now() where subject in (v_name, v_desk);
        wait := greatest(auth.wait_of(v_name, 3, 900), auth.wait_of(v_desk, 20, 60));
        return;
    end if;
    -- Only the account's failures are forgotten: who has one account must not be able to guess another's from the same desk for ever.
    delete from auth.attempts where subject = v_name;
    token := translate(encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'), '+/=', '-_');
    -- Idle limits: security-reliability § 3.1 proposes 15 minutes at reception and 2 at the kiosk; the doctor's window locks earlier
    -- than her session ends so that a long talk with a patient never costs a draft. Absolute: one working day (AAL2, 12 h).
    v_idle := case v_user.role when 'patient' then 3 when 'doctor' then 30 else 20 end;
    insert into auth.sessions (user_id, token_hash, workstation, idle_minutes, expires_at, absolute_expires_at)
    values (v_user.id, sha256(convert_to(token, 'UTF8')), left(coalesce(nullif(p_workstation, ''), 'unknown'), 120), v_idle,
            now() + make_interval(mins => v_idle), now() + interval '12 hours');
    wait := 0;
end $$;

-- The window says that somebody used it: the session lives on. False when it is over.
create function auth.renew() returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update auth.sessions set last_used_at = now(), expires_at = now() + make_interval(mins => idle_minutes)
     where id = (select session_id from auth.current_session());
    return found;
end $$;

create function auth.sign_out() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update auth.sessions set ended_at = now(), ended_by = user_id where id = (select session_id from auth.current_session());
end $$;

-- End a session: one's own, or anybody's as administrator. The notice makes its window ask for a new sign-in at once.
create function auth.end_session(p_session bigint) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update auth.sessions set ended_at = now(), ended_by = auth.me()
     where id = p_session and ended_at is null and (user_id = auth.me() or auth.my_role() = 'administrator');
    if found then perform pg_notify('clinicdesk', 'sessions'); end if;
    return found;
end $$;

create function auth.sign_out_everywhere() returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare n int;
begin
    update auth.sessions set ended_at = now(), ended_by = user_id
     where user_id = auth.me() and ended_at is null and id <> (select session_id from auth.current_session());
    get diagnostics n = row_count;
    perform pg_notify('clinicdesk', 'sessions');
    return n;
end $$;

-- True when nobody has an account yet: the first start may create the administrator.
create function auth.is_new() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin return not exists (select 1 from auth.users); end $$;

-- Insert an account with its proof; the callers below decide who may.
create function auth.insert_user(p_username text, p_name text, p_role text, p_patient text,
                                 p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_id bigint;
begin
    insert into auth.users (username, name, role, patient_id, created_by)
    values (lower(p_username), p_name, p_role, p_patient, auth.me()) returning id into v_id;
    insert into auth.credentials (user_id, salt, memory_kib, iterations, lanes, verifier)
    values (v_id, p_salt, p_memory, p_iterations, p_lanes, p_verifier);
    return v_id;
end $$;

create function auth.create_first_administrator(p_username text, p_name text, p_salt bytea, p_memory int, p_iterations int, p_lanes int,
                                                p_verifier bytea) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    lock table auth.users in exclusive mode;
    if exists (select 1 from auth.users) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    return auth.insert_user(p_username, p_name, 'administrator', null, p_salt, p_memory, p_iterations, p_lanes, p_verifier);
end $$;

create function auth.add_user(p_username text, p_name text, p_role text, p_patient text,
                              p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not coalesce(auth.my_role() = 'administrator' or (auth.my_role() = 'receptionist' and p_role = 'patient'), false) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    return auth.insert_user(p_username, p_name, p_role, p_patient, p_salt, p_memory, p_iterations, p_lanes, p_verifier);
end $$;

-- Change one's own password. The old key is proved like a sign-in, counted like one; false when it is wrong or must wait.
create function auth.change_password(p_old_key bytea, p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea)
returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_me bigint := auth.me();
    v_subject text;
begin
    if v_me is null then raise exception using errcode = 'CD002', message = 'signed out'; end if;
    select 'user:' || encode(sha256(convert_to(username, 'UTF8')), 'hex') into v_subject from auth.users where id = v_me;
    if auth.wait_of(v_subject, 3, 900) > 0 then return false; end if;
    if not exists (select 1 from auth.credentials where user_id = v_me and verifier = sha256(p_old_key)) then
        update auth.attempts set failed = failed + 1, last_failed_at = now() where subject = v_subject;
        return false;
    end if;
    update auth.credentials set salt = p_salt, memory_kib = p_memory, iterations = p_iterations, lanes = p_lanes, verifier = p_verifier,
           changed_at = now() where user_id = v_me;
    perform auth.sign_out_everywhere();
    return true;
end $$;

-- The administrator switches an account off or on; off ends its sessions at once. Nobody can switch herself off.
create function auth.set_active(p_user bigint, p_active boolean) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' or p_user = auth.me() then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    update auth.users set active = p_active, version = version + 1 where id = p_user;
    if not p_active then
        update auth.sessions set ended_at = now(), ended_by = auth.me() where user_id = p_user and ended_at is null;
        perform pg_notify('clinicdesk', 'sessions');
    end if;
    return true;
end $$;
