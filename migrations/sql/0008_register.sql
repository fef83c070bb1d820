-- The register: spellings near a typed name, pairs that are two people, merged records, photos.

-- Words of names and the spellings near them -------------------------------------------------------------------------------------------
-- Names repeat, so the words of a million patients are some ten thousands. Each is kept under itself, under itself with any one letter
-- left out, under '^' and '$' with its first and last three letters, and under '~' with a rough sound: two words one or two slips apart
-- nearly always share a key, and a typed word meets its neighbours by equality alone, which the index serves under row security.
create table clinic.name_spellings (
    key text collate "C" not null,
    word text collate "C" not null,
    constraint pk_name_spellings primary key (key, word),
    constraint ck_name_spellings_word check (char_length(word) between 1 and 190)
);

create function clinic.rough_sound(p_word text) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp as $$
    select regexp_replace(left(w, 1) || translate(substr(w, 2), 'aeiou', ''), '(.)\1+', '\1', 'g')
      from (select regexp_replace(translate(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                       p_word, 'sch|sh|tsch', 's', 'g'), 'ph', 'f', 'g'), 'ch', 'k', 'g'), 'dt|th', 't', 'g'), 'tz|ts', 's', 'g'),
                   'cqgdbvwzyjh', 'kkktpffsii'), '^[aeiou]+', 'a') as w) x
$$;

create function clinic.spellings_of(p_word text) returns setof text
language sql immutable parallel safe set search_path = pg_catalog, clinic, pg_temp as $$
    select p_word
    union select overlay(p_word placing '' from n for 1) from generate_series(1, char_length(p_word)) n
           where char_length(p_word) between 4 and 40
    union select unnest(array['^' || left(p_word, 3), '$' || right(p_word, 3)]) where char_length(p_word) between 5 and 40
    union select '~' || clinic.rough_sound(p_word) where p_word ~ '^[a-z]{3,40}$'
$$;

create function clinic.follow_terms() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into clinic.name_spellings (key, word)
    select k.key, n.term from (select distinct term from added where kind = 'name') n, clinic.spellings_of(n.term) k(key)
     where not exists (select 1 from clinic.name_spellings s where s.key = n.term and s.word = n.term)
     order by 1, 2 on conflict do nothing;
    return null;
end $$;
create trigger follow_terms after insert on clinic.patient_terms referencing new table as added
    for each statement execute function clinic.follow_terms();
insert into clinic.name_spellings (key, word)
select k.key, n.term from (select distinct term from clinic.patient_terms where kind = 'name') n, clinic.spellings_of(n.term) k(key)
on conflict do nothing;

-- Two records that look alike and are two people: nobody is asked again -----------------------------------------------------------------
create table clinic.different_people (
    patient_id text not null,
    other_id text not null,
    said_by bigint,
    said_at timestamp with time zone default now() not null,
    constraint pk_different_people primary key (patient_id, other_id),
    constraint ck_different_people_order check (patient_id < other_id),
    constraint fk_different_people_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_different_people_other_id foreign key (other_id) references clinic.patients (id),
    constraint fk_different_people_said_by foreign key (said_by) references auth.users (id)
);
create index ix_different_people_other_id on clinic.different_people (other_id);

-- Merged records (docs/decisions/0005-merge.md): rows stay where they are; the lost record becomes another name of the kept one ---------
create table clinic.merges (
    id uuid not null,
    kept_id text not null,
    lost_id text not null,
    reason text default '' not null,
    identity bytea not null,
    merged_at timestamp with time zone default now() not null,
    merged_by bigint,
    undone_at timestamp with time zone,
    undone_by bigint,
    constraint pk_merges primary key (id),
    constraint ck_merges_reason check (char_length(reason) <= 300),
    constraint ck_merges_two check (kept_id <> lost_id),
    constraint ck_merges_undone check (undone_at is not null or undone_by is null),
    constraint fk_merges_kept_id foreign key (kept_id) references clinic.patients (id),
    constraint fk_merges_lost_id foreign key (lost_id) references clinic.patients (id),
    constraint fk_merges_merged_by foreign key (merged_by) references auth.users (id),
    constraint fk_merges_undone_by foreign key (undone_by) references auth.users (id)
);
create unique index uq_merges_lost on clinic.merges (lost_id) where undone_at is null;
create index ix_merges_kept_id on clinic.merges (kept_id);

-- Which record a person is kept under. Only records of merged people have a row; written by the trigger below alone.
create table clinic.aliases (
    patient_id text not null,
    person_id text not null,
    constraint pk_aliases primary key (patient_id),
    constraint fk_aliases_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_aliases_person_id foreign key (person_id) references clinic.patients (id)
);
create index ix_aliases_person_id on clinic.aliases (person_id);

-- The record a person is kept under, and all records of the person.
create function clinic.person_of(p_patient text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce((select a.person_id from clinic.aliases a where a.patient_id = p_patient), p_patient);
end $$;

create function clinic.person_ids(p_patient text) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare v_person text;
begin
    select a.person_id into v_person from clinic.aliases a where a.patient_id = p_patient;
    if v_person is null then return array[p_patient]; end if;
    return array(select a.patient_id from clinic.aliases a where a.person_id = v_person order by a.patient_id <> v_person, a.patient_id);
end $$;

create function clinic.kept_ids(p_patients text[]) returns text[]
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return array(select distinct coalesce(a.person_id, i) from unnest(p_patients) i left join clinic.aliases a on a.patient_id = i);
end $$;

-- Who may read a person's record may read all of it. Replaces the function of the first release, which knew one record a person.
create or replace function clinic.renew_care(p_doctor bigint, p_patient text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_ids text[] := clinic.person_ids(p_patient);
    v_open boolean;
    v_until date;
begin
    v_open := exists (select 1 from clinic.appointments where doctor_id = p_doctor and patient_id = any(v_ids)
                                                          and status not in ('cancelled', 'no_show'))
           or exists (select 1 from clinic.assignments where doctor_id = p_doctor and patient_id = any(v_ids) and ends_on is null);
    select max(ends_on) into v_until from clinic.assignments
     where doctor_id = p_doctor and patient_id = any(v_ids) and ends_on >= current_date;
    if v_open or v_until is not null then
        insert into clinic.care (doctor_id, patient_id, until)
        select p_doctor, i, case when v_open then null else v_until end from unnest(v_ids) i
        on conflict (doctor_id, patient_id) do update set until = excluded.until where care.until is distinct from excluded.until;
    else
        delete from clinic.care where doctor_id = p_doctor and patient_id = any(v_ids);
    end if;
end $$;

create function clinic.guard_merge() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtext('clinic.merges'));
    if tg_op = 'INSERT' then
        if clinic.person_of(new.kept_id) <> new.kept_id or clinic.person_of(new.lost_id) <> new.lost_id or new.undone_at is not null then
            raise exception using errcode = 'CD010', constraint = 'merge_already', message = 'refused';
        end if;
        new.merged_at := clock_timestamp();
        return new;
    end if;
    if old.undone_at is not null or new.undone_at is null
       or (new.id, new.kept_id, new.lost_id, new.identity, new.merged_at, new.merged_by)
          is distinct from (old.id, old.kept_id, old.lost_id, old.identity, old.merged_at, old.merged_by) then
        raise exception using errcode = 'CD010', constraint = 'merge_undone', message = 'refused';
    end if;
    new.undone_at := clock_timestamp();
    return new;
end $$;
create trigger guard_merge before insert or update on clinic.merges for each row execute function clinic.guard_merge();

create function clinic.follow_merge() returns trigger
language plpgsql security definer set search_path = jobs, pg_catalog, pg_temp as $$
declare
    v_root text := clinic.person_of(new.kept_id);
    v_before text[] := clinic.person_ids(new.kept_id) || clinic.person_ids(new.lost_id);
    v_below text[];
    v_person text := case when new.undone_at is null then v_root else new.lost_id end;
    r record;
begin
    with recursive below(id) as (
        values (new.lost_id) union select m.lost_id from clinic.merges m join below b on m.kept_id = b.id where m.undone_at is null)
    select array_agg(id) into v_below from below;
    insert into clinic.aliases (patient_id, person_id) select i, v_person from unnest(v_below || v_root) i where i <> v_root or v_person = v_root
    on conflict (patient_id) do update set person_id = excluded.person_id;
    delete from clinic.aliases a where a.patient_id = a.person_id
       and not exists (select 1 from clinic.aliases o where o.person_id = a.person_id and o.patient_id <> a.patient_id);
    for r in select distinct d.doctor_id, i.id from unnest(v_before) i(id), (
                 select doctor_id from clinic.care where patient_id = any(v_before) union select doctor_id from clinic.appointments
                  where patient_id = any(v_before) union select doctor_id from clinic.assignments where patient_id = any(v_before)) d loop
        perform clinic.renew_care(r.doctor_id, r.id);
    end loop;
    perform jobs.procrastinate_defer_jobs_v1(array[row('documents', 'follow_person', 0, null, null,
        jsonb_build_object('patient_id', new.lost_id), null)::jobs.procrastinate_job_to_defer_v1]);
    perform pg_notify('clinicdesk', 'patients ' || new.kept_id);
    perform pg_notify('clinicdesk', 'patients ' || new.lost_id);
    perform pg_notify('clinicdesk', 'chart ' || new.kept_id);
    perform pg_notify('clinicdesk', 'chart ' || new.lost_id);
    return null;
end $$;
create trigger follow_merge after insert or update on clinic.merges for each row execute function clinic.follow_merge();

-- What is new goes to the kept record, also from a desk that still shows the old one. For tables whose rows hold no sealed text.
create function clinic.to_kept_record() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    new.patient_id := clinic.person_of(new.patient_id);
    return new;
end $$;
create trigger as_kept_record before insert on clinic.appointments for each row execute function clinic.to_kept_record();
create trigger as_kept_record before insert on clinic.assignments for each row execute function clinic.to_kept_record();
create trigger as_kept_record before insert on clinic.series for each row execute function clinic.to_kept_record();
create trigger as_kept_record before insert on clinic.waiting_list for each row execute function clinic.to_kept_record();

-- The identity of a merged record stays as it was, so that it can come back.
create function clinic.refuse_merged() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare v_id text := to_jsonb(coalesce(new, old)) ->> tg_argv[0];
begin
    if auth.me() is not null and clinic.person_of(v_id) <> v_id then
        raise exception using errcode = 'CD010', constraint = 'patient_merged', message = 'refused';
    end if;
    return coalesce(new, old);
end $$;
create trigger refuse_merged before update on clinic.patients for each row execute function clinic.refuse_merged('id');
create trigger refuse_merged before insert or delete on clinic.patient_tags for each row execute function clinic.refuse_merged('patient_id');
create trigger refuse_merged before insert or update or delete on clinic.emergency_contacts
    for each row execute function clinic.refuse_merged('patient_id');

-- How many rows of which table stand under a record, for the preview: counts only, for the desk, which may not read them.
create function clinic.rows_about(p_patient text) returns table (relation text, held bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare t record;
begin
    if auth.my_role() is distinct from 'receptionist' and auth.my_role() is distinct from 'administrator' then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    for t in select c.oid::regclass::text as name from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'patient_id'
              where c.relkind = 'r' and c.relnamespace in ('clinic'::regnamespace, 'auth'::regnamespace) order by 1 loop
        relation := t.name;
        execute format('select count(*) from %s where patient_id = $1', t.name) into held using p_patient;
        return next;
    end loop;
end $$;

-- Photos --------------------------------------------------------------------------------------------------------------------------------
create table clinic.photos (
    patient_id text not null,
    body bytea not null,
    added_by bigint,
    added_at timestamp with time zone default now() not null,
    constraint pk_photos primary key (patient_id),
    constraint ck_photos_body check (octet_length(body) between 30 and 400029),
    constraint fk_photos_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_photos_added_by foreign key (added_by) references auth.users (id)
);
create trigger refuse_merged before insert or delete on clinic.photos for each row execute function clinic.refuse_merged('patient_id');
create trigger tell after insert or update or delete on clinic.photos for each row execute function clinic.tell('patients', 'patient_id');
create trigger tell after insert on clinic.different_people for each row execute function clinic.tell('patients', 'patient_id');

-- Row security --------------------------------------------------------------------------------------------------------------------------
do $$
declare t text;
begin
    foreach t in array array['name_spellings', 'different_people', 'merges', 'aliases', 'photos'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%I to clinicdesk_backup, clinicdesk_app', t);
    end loop;
    foreach t in array array['name_spellings', 'different_people', 'merges', 'aliases'] loop
        execute format('create policy staff_read on clinic.%I for select to clinicdesk_app using ((select auth.is_staff()))', t);
    end loop;
end $$;
grant insert on clinic.different_people, clinic.merges to clinicdesk_app;
create policy desk_insert on clinic.different_people for insert to clinicdesk_app
    with check ((select auth.my_role()) in ('receptionist', 'administrator') and said_by = (select auth.me()));
create policy desk_insert on clinic.merges for insert to clinicdesk_app
    with check ((select auth.my_role()) in ('receptionist', 'administrator') and merged_by = (select auth.me()));
grant update (undone_at, undone_by) on clinic.merges to clinicdesk_app;
create policy desk_update on clinic.merges for update to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator'))
    with check ((select auth.my_role()) in ('receptionist', 'administrator') and undone_by = (select auth.me()));
grant insert, delete on clinic.photos to clinicdesk_app;
create policy desk_read on clinic.photos for select to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator') or patient_id = (select auth.my_patient()));
create policy care_read on clinic.photos for select to clinicdesk_app
    using (exists (select 1 from clinic.care c where c.patient_id = photos.patient_id and c.doctor_id = (select auth.my_doctor())
                                                 and (c.until is null or c.until >= current_date)));
create policy desk_insert on clinic.photos for insert to clinicdesk_app
    with check ((select auth.my_role()) in ('receptionist', 'administrator') and added_by = (select auth.me()));
create policy desk_delete on clinic.photos for delete to clinicdesk_app
    using ((select auth.my_role()) in ('receptionist', 'administrator'));
grant execute on function clinic.rough_sound(text), clinic.person_of(text), clinic.person_ids(text), clinic.kept_ids(text[]), clinic.rows_about(text)
    to clinicdesk_app;
grant execute on function clinic.person_of(text), clinic.person_ids(text) to clinicdesk_worker;
