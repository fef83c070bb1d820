-- Break the glass: a doctor opens the record of a patient who is not hers, says why, and has it for an hour. The care relation carries the end, so
-- every policy and every guard that asks for care ends with it; the responsible doctors and the administrators hear of it at once.

create table clinic.access_grants (
    id bigint generated always as identity,
    patient_id text not null,
    doctor_id bigint not null,
    reason text not null,
    words bytea,                                -- why, in the doctor's own words, sealed with the patient's clinical key
    given_at timestamp with time zone default now() not null,
    expires_at timestamp with time zone not null,
    ended_at timestamp with time zone,
    reviewed_at timestamp with time zone,
    reviewed_by bigint,
    verdict text default '' not null,
    constraint pk_access_grants primary key (id),
    constraint fk_access_grants_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_access_grants_doctor_id foreign key (doctor_id) references clinic.doctors (id),
    constraint fk_access_grants_reviewed_by foreign key (reviewed_by) references auth.users (id),
    constraint ck_access_grants_reason check (reason in ('emergency', 'covering', 'asked', 'result', 'other')),
    constraint ck_access_grants_expires check (expires_at > given_at and expires_at <= given_at + interval '60 minutes'),
    constraint ck_access_grants_verdict check (verdict in ('', 'justified', 'questioned')),
    constraint ck_access_grants_reviewed check ((reviewed_at is null) = (verdict = '') and (reviewed_at is null) = (reviewed_by is null))
);
create index ix_access_grants_patient_id on clinic.access_grants (patient_id);
create index ix_access_grants_unreviewed on clinic.access_grants (id) where reviewed_at is null;

-- When care comes from broken glass alone, it ends at a moment. Nothing has to run then.
alter table clinic.care add column expires_at timestamp with time zone;
drop policy own_read on clinic.care;
create policy own_read on clinic.care for select to clinicdesk_app
    using (doctor_id = (select auth.my_doctor()) and (expires_at is null or expires_at > now()));

create or replace function clinic.in_care(p_patient text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select 1 from clinic.care c where c.patient_id = p_patient and c.doctor_id = auth.my_doctor()
                                                and (c.until is null or c.until >= current_date) and (c.expires_at is null or c.expires_at > now()));
end $$;

-- The guards that looked for care themselves ask the function, so that they end with the hour too.
do $$
declare
    f regprocedure;
    v_old text;
    v_new text;
begin
    foreach f in array array['clinic.guard_addendum()', 'clinic.guard_paper()', 'clinic.guard_void()']::regprocedure[] loop
        v_old := pg_get_functiondef(f);
        v_new := regexp_replace(v_old, 'exists \(select 1 from clinic\.care k where.*?current_date\)\)', 'clinic.in_care(new.patient_id)', 'g');
        if v_new = v_old or v_new ~ 'clinic\.care ' then raise exception 'guard % was not rewritten', f; end if;
        execute v_new;
    end loop;
end $$;

create or replace function clinic.renew_care(p_doctor bigint, p_patient text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_ids text[] := clinic.person_ids(p_patient);
    v_open boolean;
    v_until date;
    v_glass timestamptz;
begin
    v_open := exists (select 1 from clinic.appointments where doctor_id = p_doctor and patient_id = any(v_ids)
                                                          and status not in ('cancelled', 'no_show'))
           or exists (select 1 from clinic.assignments where doctor_id = p_doctor and patient_id = any(v_ids) and ends_on is null);
    select max(ends_on) into v_until from clinic.assignments
     where doctor_id = p_doctor and patient_id = any(v_ids) and ends_on >= current_date;
    if not v_open and v_until is null then
        select max(expires_at) into v_glass from clinic.access_grants
         where doctor_id = p_doctor and patient_id = any(v_ids) and ended_at is null and expires_at > now();
    end if;
    if v_open or v_until is not null or v_glass is not null then
        insert into clinic.care (doctor_id, patient_id, until, expires_at)
        select p_doctor, i, case when v_open then null else v_until end, v_glass from unnest(v_ids) i
        on conflict (doctor_id, patient_id) do update set until = excluded.until, expires_at = excluded.expires_at
         where (care.until, care.expires_at) is distinct from (excluded.until, excluded.expires_at);
    else
        delete from clinic.care where doctor_id = p_doctor and patient_id = any(v_ids);
    end if;
end $$;

alter table clinic.notifications drop constraint ck_notifications_kind;
alter table clinic.notifications add constraint ck_notifications_kind
    check (kind in ('booked', 'moved', 'moved_away', 'cancelled', 'no_show', 'arrived', 'assigned', 'unassigned', 'glass'));

-- Open a record for an hour. A record that does not exist is refused like one that is hers already: nothing to learn here.
create function clinic.break_glass(p_patient text, p_reason text) returns bigint
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_doctor bigint := auth.my_doctor();
    v_person text := clinic.person_of(p_patient);
    v_id bigint;
    v_user bigint;
begin
    if v_doctor is null then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    if not exists (select 1 from clinic.patients where id = v_person) or clinic.in_care(v_person) then
        raise exception using errcode = 'CD010', constraint = 'glass_needless', message = 'refused';
    end if;
    insert into clinic.access_grants (patient_id, doctor_id, reason, expires_at)
    values (v_person, v_doctor, p_reason, now() + interval '60 minutes') returning id into v_id;
    -- Whoever is responsible hears of it, and those who review.
    for v_user in select distinct d.user_id from clinic.care c join clinic.doctors d on d.id = c.doctor_id
                   where c.patient_id = any(clinic.person_ids(v_person)) and (c.until is null or c.until >= current_date) and c.expires_at is null
                  union select id from auth.users where role = 'administrator' and active loop
        perform clinic.notice(v_user, 'glass', v_person, null, null);
    end loop;
    perform clinic.renew_care(v_doctor, v_person);
    perform audit.note('glass', 'care', v_person, 'grant ' || v_id, jsonb_build_object('reason', p_reason, 'minutes', 60));
    perform pg_notify('clinicdesk', 'glass');
    return v_id;
end $$;

-- Why, in words, sealed; once, by the doctor who opened it. A grant without words does not outlive its transaction.
create function clinic.explain_glass(p_grant bigint, p_words bytea) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    update clinic.access_grants set words = p_words
     where id = p_grant and doctor_id = auth.my_doctor() and words is null and octet_length(p_words) between 30 and 4000;
    if not found then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
end $$;

create function clinic.require_words() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select 1 from clinic.access_grants g where g.id = new.id and g.words is not null) then
        raise exception using errcode = 'CD010', constraint = 'glass_words', message = 'refused';
    end if;
    return null;
end $$;
create constraint trigger require_words after insert on clinic.access_grants deferrable initially deferred
    for each row execute function clinic.require_words();

-- The doctor closes the record before the hour is over; so may an administrator.
create function clinic.end_glass(p_grant bigint) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    g clinic.access_grants;
begin
    update clinic.access_grants set ended_at = now()
     where id = p_grant and ended_at is null and (doctor_id = auth.my_doctor() or auth.my_role() = 'administrator') returning * into g;
    if g.id is null then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    perform clinic.renew_care(g.doctor_id, g.patient_id);
    perform audit.note('glass end', 'care', g.patient_id, 'grant ' || g.id);
    perform pg_notify('clinicdesk', 'glass');
end $$;

-- A second pair of eyes: an administrator, or a doctor whose patient it is; never the one who broke it.
create function clinic.review_glass(p_grant bigint, p_verdict text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    g clinic.access_grants;
begin
    select * into g from clinic.access_grants where id = p_grant and reviewed_at is null
       and doctor_id is distinct from auth.my_doctor() for update;
    if g.id is null or not coalesce(auth.my_role() = 'administrator' or clinic.in_care(g.patient_id), false) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    update clinic.access_grants set reviewed_at = now(), reviewed_by = auth.me(), verdict = p_verdict where id = p_grant;
    perform audit.note('review', 'care', g.patient_id, 'grant ' || g.id, jsonb_build_object('verdict', p_verdict));
    perform pg_notify('clinicdesk', 'glass');
end $$;

alter table clinic.access_grants enable row level security;
alter table clinic.access_grants force row level security;
create policy owner on clinic.access_grants to clinicdesk_owner using (true) with check (true);
grant select on clinic.access_grants, clinic.access_grants_id_seq to clinicdesk_backup;
grant select on clinic.access_grants to clinicdesk_app;
create policy administrator_read on clinic.access_grants for select to clinicdesk_app using ((select auth.my_role()) = 'administrator');
create policy doctor_read on clinic.access_grants for select to clinicdesk_app
    using (doctor_id = (select auth.my_doctor())
           or exists (select 1 from clinic.care c where c.patient_id = access_grants.patient_id and c.doctor_id = (select auth.my_doctor())
                                                    and (c.until is null or c.until >= current_date)));

revoke all on function clinic.break_glass(text, text), clinic.explain_glass(bigint, bytea), clinic.require_words(), clinic.end_glass(bigint),
    clinic.review_glass(bigint, text) from public;
grant execute on function clinic.break_glass(text, text), clinic.explain_glass(bigint, bytea), clinic.end_glass(bigint),
    clinic.review_glass(bigint, text) to clinicdesk_app;
