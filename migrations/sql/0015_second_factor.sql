-- Sign-in again, so that a client which rolls back its refused tries gains nothing; a second factor (RFC 6238); one-time codes.
-- A secret (derived key, code) is first written down as a try, which counts as failed, and committed; only then may it be compared, once,
-- in another transaction. Whoever undoes the comparison can only repeat the same one. See docs/decisions/0014-sign-in.md.

create table auth.tries (
    id uuid not null default gen_random_uuid(),
    at timestamptz not null,
    xact bigint not null,
    user_id bigint,                    -- no foreign key: its check would take longer for a known name than for an unknown one
    given bytea not null,
    workstation text not null,
    name_subject text not null,
    name_before timestamptz not null,
    desk_subject text not null,
    desk_before timestamptz not null,
    spent_at timestamptz,
    session_id bigint,
    constraint pk_tries primary key (id),
    constraint ck_tries_given check (octet_length(given) = 32)
);
create index ix_tries_at on auth.tries (at);

create table auth.second_factors (
    user_id bigint not null,
    secret bytea not null,
    made_at timestamptz not null default now(),
    confirmed_at timestamptz,
    last_step bigint not null default 0,
    constraint pk_second_factors primary key (user_id),
    constraint fk_second_factors_user_id foreign key (user_id) references auth.users (id),
    constraint ck_second_factors_secret check (octet_length(secret) = 20)
);

create table auth.one_time_codes (
    hash bytea not null,
    user_id bigint not null,
    purpose text not null,
    made_by bigint not null,
    made_at timestamptz not null default now(),
    expires_at timestamptz,
    used_at timestamptz,
    constraint pk_one_time_codes primary key (hash),
    constraint fk_one_time_codes_user_id foreign key (user_id) references auth.users (id),
    constraint fk_one_time_codes_made_by foreign key (made_by) references auth.users (id),
    constraint ck_one_time_codes_hash check (octet_length(hash) = 32),
    constraint ck_one_time_codes_purpose check (purpose in ('recovery', 'reset', 'kiosk')),
    constraint ck_one_time_codes_expires_at check ((expires_at is null) = (purpose = 'recovery'))
);
create index ix_one_time_codes_user_id on auth.one_time_codes (user_id, purpose);

-- What is still missing before a session is one: 'code' (the second factor) or 'enrol' (the clinic asks for one and there is none yet).
alter table auth.sessions add column pending text, add constraint ck_sessions_pending check (pending in ('code', 'enrol'));
grant select (pending) on auth.sessions to clinicdesk_app;
alter table auth.users add column second_factor boolean not null default false;

do $$
declare t text;
begin
    foreach t in array array['tries', 'second_factors', 'one_time_codes'] loop
        execute format('alter table auth.%I enable row level security', t);
        execute format('alter table auth.%I force row level security', t);
        execute format('create policy owner on auth.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on auth.%I to clinicdesk_backup', t);
    end loop;
end $$;

-- Sessions ---------------------------------------------------------------------------------------------------------------------------------
-- clock_timestamp(), not now(): a transaction that is held open grows old like everything else.
create or replace function auth.current_session(out session_id bigint, out user_id bigint, out role text, out patient_id text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select s.id, u.id, u.role, u.patient_id into session_id, user_id, role, patient_id
      from auth.sessions s join auth.users u on u.id = s.user_id
     where s.token_hash = sha256(convert_to(nullif(current_setting('clinicdesk.session', true), ''), 'UTF8'))
       and s.ended_at is null and s.expires_at > clock_timestamp() and s.absolute_expires_at > clock_timestamp() and s.pending is null
       and u.active;
end $$;

-- The session of this transaction, also one that waits for its second factor.
create function auth.held_session(out session_id bigint, out user_id bigint, out role text, out pending text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select s.id, u.id, u.role, s.pending into session_id, user_id, role, pending
      from auth.sessions s join auth.users u on u.id = s.user_id
     where s.token_hash = sha256(convert_to(nullif(current_setting('clinicdesk.session', true), ''), 'UTF8'))
       and s.ended_at is null and s.expires_at > clock_timestamp() and s.absolute_expires_at > clock_timestamp() and u.active;
end $$;

create function auth.setting_number(p_key text, p_default int, p_least int, p_most int) returns int
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce((select greatest(p_least, least(p_most, (s.value #>> '{}')::numeric))::int
                       from clinic.settings s where s.key = p_key and jsonb_typeof(s.value) = 'number'), p_default);
end $$;

-- Minutes without use after which the server ends a session: those of the window's lock and some more, so that a locked window can be
-- opened again; a doctor's live longer, so that a long talk with a patient never costs a draft (security-reliability § 3.1).
create function auth.idle_of(p_role text) returns int
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return case p_role when 'patient' then auth.setting_number('lock_patient', 2, 1, 10) + 1
                       when 'doctor' then auth.setting_number('lock_doctor', 10, 1, 60) + 20
                       when 'administrator' then auth.setting_number('lock_administrator', 5, 1, 60) + 10
                       else auth.setting_number('lock_receptionist', 10, 1, 60) + 10 end;
end $$;

-- Tries ------------------------------------------------------------------------------------------------------------------------------------
create or replace function auth.wait_of(p_subject text, p_free int, p_longest double precision) returns double precision
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare a auth.attempts;
begin
    insert into auth.attempts (subject, failed, last_failed_at) values (p_subject, 0, clock_timestamp()) on conflict do nothing;
    select * into a from auth.attempts where subject = p_subject for update;
    if a.failed > 0 and a.last_failed_at < clock_timestamp() - interval '30 minutes' then
        update auth.attempts set failed = 0 where subject = p_subject;
        return 0;
    end if;
    if a.failed < p_free then return 0; end if;
    return greatest(0, extract(epoch from a.last_failed_at - clock_timestamp()) + least(p_longest, power(2, least(a.failed - p_free, 10))));
end $$;

create function auth.longest_wait(p_name_subject text, p_desk_subject text) returns double precision
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    return greatest(auth.wait_of(p_name_subject, 3, 900), auth.wait_of(p_desk_subject, 20, 60));
end $$;

-- Write a try down; it counts as failed until it has turned out right. Nothing is compared here, so nothing can be learned from it.
-- `wait` > 0: too many tries, none was taken.
create function auth.try_secret(p_username text, p_secret bytea, p_workstation text, out try_id uuid, out wait double precision)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_name text := 'user:' || encode(sha256(convert_to(lower(p_username), 'UTF8')), 'hex');
    v_desk text := 'desk:' || encode(sha256(convert_to(p_workstation, 'UTF8')), 'hex');
    v_at timestamptz;
    v_old auth.tries;
begin
    wait := auth.longest_wait(v_name, v_desk);
    if wait > 0 then return; end if;
    v_at := clock_timestamp();
    insert into auth.tries (at, xact, user_id, given, workstation, name_subject, name_before, desk_subject, desk_before)
    values (v_at, pg_current_xact_id()::text::bigint, (select u.id from auth.users u where u.username = lower(p_username)), sha256(p_secret),
            left(coalesce(nullif(p_workstation, ''), 'unknown'), 120),
            v_name, (select a.last_failed_at from auth.attempts a where a.subject = v_name),
            v_desk, (select a.last_failed_at from auth.attempts a where a.subject = v_desk))
    returning id into try_id;
    update auth.attempts set failed = failed + 1, last_failed_at = v_at where subject in (v_name, v_desk);
    -- Tries that nobody asked about, or whose answer was rolled back: refused, and said so in the log.
    for v_old in delete from auth.tries where id in (select t.id from auth.tries t where t.at < v_at - interval '10 minutes'
                                                      order by t.at limit 20 for update skip locked) returning * loop
        if v_old.spent_at is null then
            perform audit.note('sign-in', 'account', null, '', '{"answer": "not taken"}', 'refused', v_old.user_id, v_old.workstation);
        end if;
    end loop;
end $$;

-- The try that may be compared now: committed by another transaction, at most two minutes old, not used before.
create function auth.redeem(p_try uuid) returns auth.tries
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare t auth.tries;
begin
    update auth.tries set spent_at = clock_timestamp()
     where id = p_try and spent_at is null and xact <> pg_current_xact_id()::text::bigint and at > clock_timestamp() - interval '2 minutes'
    returning * into t;
    if not found then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    return t;
end $$;

-- The try was right: it is counted no longer, neither against the name nor against the desk. With `p_forget` the failures of the name are
-- forgotten altogether; those of the desk never, or who has one account could guess another's from the same desk for ever.
create function auth.settle(t auth.tries, p_forget boolean) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update auth.attempts set failed = case when p_forget then 0 else greatest(failed - 1, 0) end,
           last_failed_at = case when last_failed_at = t.at then t.name_before else last_failed_at end where subject = t.name_subject;
    update auth.attempts set failed = greatest(failed - 1, 0),
           last_failed_at = case when last_failed_at = t.at then t.desk_before else last_failed_at end where subject = t.desk_subject;
    delete from auth.attempts where subject in (select a.subject from auth.attempts a where a.last_failed_at < now() - interval '1 day'
                                                 limit 20 for update skip locked);
end $$;

-- One-time codes ---------------------------------------------------------------------------------------------------------------------------
-- Hashed with the clinic's secret and the account: one code never fits two accounts, and a stolen table alone cannot be searched.
create function auth.code_hash(p_user bigint, p_given bytea) returns bytea
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return (select sha256(s.value || convert_to(p_user::text || ':', 'UTF8') || p_given) from auth.secrets s);
end $$;

-- A fresh code in groups of four, of the 32 letters and digits of Crockford's alphabet: five bits each, none easily taken for another.
create function auth.make_code(p_user bigint, p_purpose text, p_letters int, p_lives interval) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_random bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    v_code text := '';
begin
    for n in 0 .. p_letters - 1 loop
        v_code := v_code || substr('0123456789abcdefghjkmnpqrstvwxyz', (get_byte(v_random, n) & 31) + 1, 1);
    end loop;
    insert into auth.one_time_codes (hash, user_id, purpose, made_by, expires_at)
    values (auth.code_hash(p_user, sha256(convert_to(v_code, 'UTF8'))), p_user, p_purpose,
            (select h.user_id from auth.held_session() h), now() + p_lives);
    return regexp_replace(v_code, '(....)(?=.)', '\1-', 'g');
end $$;

-- Use the code that was given, if it is one: unused, of this purpose, in time.
create function auth.take_code(t auth.tries, p_purpose text) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update auth.one_time_codes set used_at = clock_timestamp()
     where hash = auth.code_hash(coalesce(t.user_id, 0), t.given) and purpose = p_purpose and used_at is null
       and coalesce(expires_at > t.at, true);
    return found;
end $$;

-- The second factor: HMAC-SHA-1 because that is what every authenticator application computes -----------------------------------------------
-- SHA-1 (FIPS 180-4 § 6.1). Core PostgreSQL has only SHA-2 and MD5; 32-bit words live in bigint.
create function auth.sha1(p_message bytea) returns bytea
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
declare
    m constant bigint := 4294967295;
    v_bits constant bigint := octet_length(p_message)::bigint * 8;
    v_padded bytea := p_message || '\x80'::bytea;
    w bigint[];
    h0 bigint := 1732584193; h1 bigint := 4023233417; h2 bigint := 2562383102; h3 bigint := 271733878; h4 bigint := 3285377520;
    a bigint; b bigint; c bigint; d bigint; e bigint; f bigint; k bigint; x bigint; o int;
begin
    v_padded := v_padded || decode(repeat('00', (119 - octet_length(p_message) % 64) % 64), 'hex') || int8send(v_bits);
    for v_block in 0 .. octet_length(v_padded) / 64 - 1 loop
        w := array_fill(0::bigint, array[80]);
        for n in 1 .. 16 loop
            o := v_block * 64 + (n - 1) * 4;
            w[n] := (get_byte(v_padded, o)::bigint << 24) | (get_byte(v_padded, o + 1) << 16) | (get_byte(v_padded, o + 2) << 8)
                    | get_byte(v_padded, o + 3);
        end loop;
        for n in 17 .. 80 loop
            x := w[n - 3] # w[n - 8] # w[n - 14] # w[n - 16];
            w[n] := ((x << 1) | (x >> 31)) & m;
        end loop;
        a := h0; b := h1; c := h2; d := h3; e := h4;
        for n in 1 .. 80 loop
            if n <= 20 then f := (b & c) | ((m # b) & d); k := 1518500249;
            elsif n <= 40 then f := b # c # d; k := 1859775393;
            elsif n <= 60 then f := (b & c) | (b & d) | (c & d); k := 2400959708;
            else f := b # c # d; k := 3395469782;
            end if;
            x := ((((a << 5) | (a >> 27)) & m) + f + e + k + w[n]) & m;
            e := d; d := c; c := ((b << 30) | (b >> 2)) & m; b := a; a := x;
        end loop;
        h0 := (h0 + a) & m; h1 := (h1 + b) & m; h2 := (h2 + c) & m; h3 := (h3 + d) & m; h4 := (h4 + e) & m;
    end loop;
    return substr(int8send(h0), 5) || substr(int8send(h1), 5) || substr(int8send(h2), 5) || substr(int8send(h3), 5) || substr(int8send(h4), 5);
end $$;

create function auth.hmac_sha1(p_key bytea, p_message bytea) returns bytea
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
declare
    v_inner bytea;
    v_outer bytea;
begin
    if octet_length(p_key) > 64 then p_key := auth.sha1(p_key); end if;
    v_inner := p_key || decode(repeat('00', 64 - octet_length(p_key)), 'hex');
    v_outer := v_inner;
    for n in 0 .. 63 loop
        v_inner := set_byte(v_inner, n, get_byte(v_inner, n) # 54);
        v_outer := set_byte(v_outer, n, get_byte(v_outer, n) # 92);
    end loop;
    return auth.sha1(v_outer || auth.sha1(v_inner || p_message));
end $$;

-- The code of a step of 30 s, `p_digits` long (RFC 4226 § 5.3, RFC 6238).
create function auth.totp(p_secret bytea, p_step bigint, p_digits int default 6) returns text
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
declare
    v_mac constant bytea := auth.hmac_sha1(p_secret, int8send(p_step));
    o constant int := get_byte(v_mac, 19) & 15;
begin
    return lpad(((((get_byte(v_mac, o) & 127)::bigint << 24) | (get_byte(v_mac, o + 1) << 16) | (get_byte(v_mac, o + 2) << 8)
                 | get_byte(v_mac, o + 3)) % (10 ^ p_digits)::bigint)::text, p_digits, '0');
end $$;

-- The newest step, at most one away from the moment of the try, whose code was given and which is later than the last one used; null else.
create function auth.step_of(p_secret bytea, p_after bigint, p_given bytea, p_at timestamptz) returns bigint
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare v_now bigint := floor(extract(epoch from p_at) / 30);
begin
    return (select max(n) from generate_series(v_now - 1, v_now + 1) n
             where n > p_after and sha256(convert_to(auth.totp(p_secret, n), 'UTF8')) = p_given);
end $$;

create function auth.code_fits(t auth.tries) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    f auth.second_factors;
    v_step bigint;
begin
    select * into f from auth.second_factors where user_id = t.user_id and confirmed_at is not null for update;
    v_step := auth.step_of(f.secret, f.last_step, t.given, t.at);
    if v_step is not null then
        update auth.second_factors set last_step = v_step where user_id = t.user_id;
        return true;
    end if;
    return f.user_id is not null and auth.take_code(t, 'recovery');
end $$;

create function auth.second_factor_required(p_role text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return p_role in ('doctor', 'administrator')
           and exists (select 1 from clinic.settings s where s.key = 'second_factor' and s.value = '"required"');
end $$;

-- Sign-in ----------------------------------------------------------------------------------------------------------------------------------
-- Salt and parameters of a name; an unknown name gets those of the account whose password was set last.
create or replace function auth.challenge(p_username text, out salt bytea, out memory_kib int, out iterations int, out lanes int)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_known auth.credentials;
    v_newest auth.credentials;
    v_false bytea;
begin
    select c.* into v_known from auth.users u join auth.credentials c on c.user_id = u.id where u.username = lower(p_username);
    select c.* into v_newest from auth.credentials c order by c.changed_at desc, c.user_id desc limit 1;
    select substr(sha256(s.value || convert_to(lower(p_username), 'UTF8')), 1, 16) into v_false from auth.secrets s;
    salt := coalesce(v_known.salt, v_false);
    memory_kib := coalesce(v_known.memory_kib, v_newest.memory_kib, 19456);
    iterations := coalesce(v_known.iterations, v_newest.iterations, 2);
    lanes := coalesce(v_known.lanes, v_newest.lanes, 1);
end $$;

drop function auth.sign_in(text, bytea, text);

-- Compare a committed try with the stored verifier (or a patient's kiosk code). A refusal is a row with wait seconds. Known and unknown
-- names, right and wrong keys take the same path. The token is 256 random bits; only its hash stays here. `needs` is '' for a session
-- that may be used, else what is missing. Whoever presents a living session of the same person continues it: it ends, the new one needs no
-- second factor and lives no longer than it would have.
create function auth.sign_in(p_try uuid, out token text, out wait double precision, out needs text)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    t auth.tries := auth.redeem(p_try);
    v_user auth.users;
    v_verifier bytea;
    v_code boolean;
    v_idle int;
    v_old bigint;
    v_end timestamptz := now() + interval '12 hours';    -- one working day (AAL2)
    v_session bigint;
begin
    select u.* into v_user from auth.users u where u.id = t.user_id;
    select c.verifier into v_verifier from auth.credentials c where c.user_id = t.user_id;
    v_code := auth.take_code(t, 'kiosk');
    if not coalesce(v_code or t.given = v_verifier, false) or not coalesce(v_user.active, false) then
        perform audit.note('sign-in', 'account', null, '', '{}', 'refused', t.user_id, t.workstation);
        wait := auth.longest_wait(t.name_subject, t.desk_subject);
        return;
    end if;
    select c.session_id into v_old from auth.current_session() c where c.user_id = v_user.id;
    needs := case when v_old is not null or v_user.role = 'patient' then '' when v_user.second_factor then 'code'
                  when auth.second_factor_required(v_user.role) then 'enrol' else '' end;
    perform auth.settle(t, needs <> 'code');
    token := translate(encode(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()), 'base64'), '+/=', '-_');
    v_idle := auth.idle_of(v_user.role);
    if v_old is not null then
        update auth.sessions set ended_at = now(), ended_by = v_user.id where id = v_old returning absolute_expires_at into v_end;
    end if;
    insert into auth.sessions (user_id, token_hash, workstation, idle_minutes, expires_at, absolute_expires_at, pending)
    values (v_user.id, sha256(convert_to(token, 'UTF8')), t.workstation, v_idle,
            now() + case needs when '' then make_interval(mins => v_idle) when 'code' then interval '5 minutes' else interval '15 minutes' end,
            v_end, nullif(needs, ''))
    returning id into v_session;
    update auth.tries set session_id = v_session where id = t.id;
    perform audit.note('sign-in', 'account', null, '', jsonb_build_object('needs', needs, 'again', v_old is not null), 'done', v_user.id,
                       t.workstation);
    wait := 0;
end $$;

-- The second factor of a session that waits for it: a code of the authenticator, or one of the recovery codes.
create function auth.give_code(p_try uuid, out done boolean, out wait double precision)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    t auth.tries := auth.redeem(p_try);
    v_session bigint;
begin
    select h.session_id into v_session from auth.held_session() h where h.pending = 'code' and h.user_id = t.user_id;
    if v_session is null then raise exception using errcode = 'CD002', message = 'signed out'; end if;
    done := auth.code_fits(t);
    if done then
        perform auth.settle(t, true);
        update auth.sessions set pending = null, last_used_at = now(), expires_at = now() + make_interval(mins => idle_minutes)
         where id = v_session;
    end if;
    perform audit.note('sign-in', 'account', null, '', '{"second factor": true}', case when done then 'done' else 'refused' end, t.user_id,
                       t.workstation);
    wait := case when done then 0 else auth.longest_wait(t.name_subject, t.desk_subject) end;
end $$;

-- Right after a sign-in the client, who knows the password, may store a stronger proof of it; the try of that very sign-in shows that it does.
create function auth.strengthen(p_try uuid, p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update auth.credentials c set salt = p_salt, memory_kib = p_memory, iterations = p_iterations, lanes = p_lanes, verifier = p_verifier
      from auth.tries t, auth.current_session() s
     where t.id = p_try and t.session_id = s.session_id and c.user_id = s.user_id and t.given = c.verifier
       and t.at > clock_timestamp() - interval '10 minutes'
       and p_memory::bigint * p_iterations > c.memory_kib::bigint * c.iterations;
    if found then perform audit.note('password', 'account', null, '', '{"strengthened": true}'); end if;
    return found;
end $$;

create or replace function auth.renew() returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update auth.sessions set last_used_at = now(), expires_at = now() + make_interval(mins => idle_minutes)
     where id = (select session_id from auth.current_session());
    return found;
end $$;

-- The window locked itself or was locked.
create function auth.note_lock() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is not null then perform audit.note('lock', 'account'); end if;
end $$;

create or replace function auth.sign_out() returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is not null then perform audit.note('sign-out', 'account'); end if;
    update auth.sessions set ended_at = now(), ended_by = user_id where id = (select session_id from auth.held_session());
end $$;

create or replace function auth.end_session(p_session bigint) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update auth.sessions set ended_at = now(), ended_by = auth.me()
     where id = p_session and ended_at is null and (user_id = auth.me() or auth.my_role() = 'administrator');
    if not found then return false; end if;
    perform audit.note('sign-out', 'account', null, 'session ' || p_session, '{"by another": true}');
    perform pg_notify('clinicdesk', 'sessions');
    return true;
end $$;

create or replace function auth.sign_out_everywhere() returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare n int;
begin
    update auth.sessions set ended_at = now(), ended_by = user_id
     where user_id = auth.me() and ended_at is null and id <> (select session_id from auth.current_session());
    get diagnostics n = row_count;
    if n > 0 then perform audit.note('sign-out', 'account', null, '', jsonb_build_object('elsewhere', n)); end if;
    perform pg_notify('clinicdesk', 'sessions');
    return n;
end $$;

-- Accounts ---------------------------------------------------------------------------------------------------------------------------------
create function auth.set_proof(p_user bigint, p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into auth.credentials (user_id, salt, memory_kib, iterations, lanes, verifier)
    values (p_user, p_salt, p_memory, p_iterations, p_lanes, p_verifier)
    on conflict (user_id) do update set salt = p_salt, memory_kib = p_memory, iterations = p_iterations, lanes = p_lanes,
                                        verifier = p_verifier, changed_at = now();
end $$;

drop function auth.change_password(bytea, bytea, int, int, int, bytea);

-- Change one's own password; the try holds the old key. False when it is wrong.
create function auth.change_password(p_try uuid, p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    t auth.tries := auth.redeem(p_try);
    v_right boolean;
begin
    if auth.me() is null then raise exception using errcode = 'CD002', message = 'signed out'; end if;
    v_right := t.user_id = auth.me() and exists (select 1 from auth.credentials c where c.user_id = auth.me() and c.verifier = t.given);
    perform audit.note('password', 'account', null, '', '{}', case when v_right then 'done' else 'refused' end);
    if not coalesce(v_right, false) then return false; end if;
    perform auth.settle(t, true);
    perform auth.set_proof(auth.me(), p_salt, p_memory, p_iterations, p_lanes, p_verifier);
    perform auth.sign_out_everywhere();
    return true;
end $$;

-- An administrator starts a reset: a code of 80 bits for a day, shown this once. She never chooses or learns a password.
create function auth.start_reset(p_user bigint) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' or p_user = auth.me()
       or not exists (select 1 from auth.users u where u.id = p_user and u.active and u.role <> 'patient') then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    delete from auth.one_time_codes where user_id = p_user and purpose = 'reset';
    perform audit.note('reset', 'account', null, 'user ' || p_user, '{"started": true}');
    return auth.make_code(p_user, 'reset', 16, interval '24 hours');
end $$;

-- A new password with the code of a reset. All sessions of the person end; a second factor stays.
create function auth.reset_password(p_try uuid, p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea,
                                    out done boolean, out wait double precision)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare t auth.tries := auth.redeem(p_try);
begin
    done := auth.take_code(t, 'reset') and exists (select 1 from auth.users u where u.id = t.user_id and u.active);
    perform audit.note('reset', 'account', null, '', '{}', case when done then 'done' else 'refused' end, t.user_id, t.workstation);
    if not done then
        wait := auth.longest_wait(t.name_subject, t.desk_subject);
        return;
    end if;
    wait := 0;
    perform auth.settle(t, true);
    perform auth.set_proof(t.user_id, p_salt, p_memory, p_iterations, p_lanes, p_verifier);
    update auth.sessions set ended_at = now(), ended_by = t.user_id where user_id = t.user_id and ended_at is null;
end $$;

-- Reception lets a registered patient sign in at the kiosk once, within ten minutes, with the number of her record and this code (40 bits).
create function auth.make_kiosk_code(p_patient text) returns text
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_user bigint;
begin
    if not coalesce(auth.my_role() in ('receptionist', 'administrator'), false)
       or not exists (select 1 from clinic.patients p where p.id = p_patient and p.archived_at is null) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    select u.id into v_user from auth.users u where u.patient_id = p_patient;
    if v_user is null then
        insert into auth.users (username, name, role, patient_id, created_by)
        select p.id, left(p.first_name || ' ' || p.last_name, 120), 'patient', p.id, auth.me() from clinic.patients p where p.id = p_patient
        returning id into v_user;
    end if;
    delete from auth.one_time_codes where user_id = v_user and purpose = 'kiosk';
    perform audit.note('kiosk code', 'account', p_patient, 'user ' || v_user);
    return auth.make_code(v_user, 'kiosk', 8, interval '10 minutes');
end $$;

-- Begin a second factor: the secret for the authenticator, shown to its owner alone. It is asked for once confirmed.
create function auth.begin_second_factor() returns bytea
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_secret bytea := substr(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 1, 20);
begin
    insert into auth.second_factors as f (user_id, secret)
    select h.user_id, v_secret from auth.held_session() h join auth.users u on u.id = h.user_id
     where coalesce(h.pending, 'enrol') = 'enrol' and h.role <> 'patient' and not u.second_factor
    on conflict (user_id) do update set secret = v_secret, made_at = now(), last_step = 0 where f.confirmed_at is null;
    if not found then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    return v_secret;
end $$;

-- Confirm it by one of its codes: ten recovery codes, shown this once; null when the code does not fit.
create function auth.confirm_second_factor(p_code text) returns text[]
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_session bigint;
    v_user bigint;
    v_step bigint;
    v_codes text[] := '{}';
begin
    select h.session_id, h.user_id into v_session, v_user from auth.held_session() h where coalesce(h.pending, 'enrol') = 'enrol';
    select auth.step_of(f.secret, f.last_step, sha256(convert_to(p_code, 'UTF8')), clock_timestamp()) into v_step
      from auth.second_factors f where f.user_id = v_user and f.confirmed_at is null for update;
    if v_step is null then return null; end if;
    update auth.second_factors set confirmed_at = now(), last_step = v_step where user_id = v_user;
    update auth.users set second_factor = true, version = version + 1 where id = v_user;
    delete from auth.one_time_codes where user_id = v_user and purpose = 'recovery';
    for n in 1 .. 10 loop
        v_codes := v_codes || auth.make_code(v_user, 'recovery', 16, null);
    end loop;
    update auth.sessions set pending = null, expires_at = now() + make_interval(mins => idle_minutes) where id = v_session;
    perform audit.note('second factor', 'account', null, 'user ' || v_user, '{"on": true}');
    return v_codes;
end $$;

create function auth.forget_second_factor(p_user bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from auth.second_factors where user_id = p_user;
    delete from auth.one_time_codes where user_id = p_user and purpose = 'recovery';
    update auth.users set second_factor = false, version = version + 1 where id = p_user and second_factor;
    perform audit.note('second factor', 'account', null, 'user ' || p_user, '{"on": false}');
end $$;

-- Leave one's own second factor, by one of its codes; not where the clinic asks for it. False when the code does not fit.
create function auth.leave_second_factor(p_try uuid) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare t auth.tries := auth.redeem(p_try);
begin
    if auth.me() is null then raise exception using errcode = 'CD002', message = 'signed out'; end if;
    if t.user_id is distinct from auth.me() or auth.second_factor_required(auth.my_role()) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    if not auth.code_fits(t) then return false; end if;
    perform auth.settle(t, true);
    perform auth.forget_second_factor(auth.me());
    return true;
end $$;

-- An administrator takes away the second factor of somebody who lost it; never her own.
create function auth.remove_second_factor(p_user bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' or p_user = auth.me() then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    perform auth.forget_second_factor(p_user);
end $$;

-- What one may know of one's own second factor.
create function auth.my_second_factor(out is_on boolean, out required boolean, out codes_left int)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    select u.second_factor, auth.second_factor_required(u.role),
           (select count(*) from auth.one_time_codes c where c.user_id = u.id and c.purpose = 'recovery' and c.used_at is null)
      into is_on, required, codes_left from auth.users u where u.id = auth.me();
end $$;

create or replace function auth.set_active(p_user bigint, p_active boolean) returns boolean
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' or p_user = auth.me() then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    update auth.users set active = p_active, version = version + 1 where id = p_user;
    perform audit.note('switch', 'account', null, 'user ' || p_user, jsonb_build_object('on', p_active));
    if not p_active then
        update auth.sessions set ended_at = now(), ended_by = auth.me() where user_id = p_user and ended_at is null;
        delete from auth.one_time_codes where user_id = p_user and purpose <> 'recovery';
        perform pg_notify('clinicdesk', 'sessions');
    end if;
    return true;
end $$;

create or replace function auth.insert_user(p_username text, p_name text, p_role text, p_patient text,
                                            p_salt bytea, p_memory int, p_iterations int, p_lanes int, p_verifier bytea) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_id bigint;
begin
    insert into auth.users (username, name, role, patient_id, created_by)
    values (lower(p_username), p_name, p_role, p_patient, auth.me()) returning id into v_id;
    perform auth.set_proof(v_id, p_salt, p_memory, p_iterations, p_lanes, p_verifier);
    perform audit.note('add', 'account', p_patient, 'user ' || v_id, jsonb_build_object('role', p_role));
    return v_id;
end $$;

do $$
declare f text;
begin
    for f in select oid::regprocedure from pg_proc where pronamespace = 'auth'::regnamespace loop
        execute format('revoke all on function %s from public', f);
    end loop;
end $$;
grant execute on function auth.try_secret(text, bytea, text), auth.sign_in(uuid), auth.give_code(uuid),
    auth.strengthen(uuid, bytea, int, int, int, bytea), auth.note_lock(), auth.change_password(uuid, bytea, int, int, int, bytea),
    auth.start_reset(bigint), auth.reset_password(uuid, bytea, int, int, int, bytea), auth.make_kiosk_code(text),
    auth.begin_second_factor(), auth.confirm_second_factor(text), auth.leave_second_factor(uuid), auth.remove_second_factor(bigint),
    auth.my_second_factor()
    to clinicdesk_app;
