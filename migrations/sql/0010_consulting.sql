-- The consulting room: diagnoses, addenda to signed visits, head circumference and Glasgow Coma Scale.

alter table clinic.vitals
    add column head_circumference numeric(4, 1),
    add column gcs integer,
    add constraint ck_vitals_head_circumference check (head_circumference between 5 and 100),
    add constraint ck_vitals_gcs check (gcs between 3 and 15);

create table clinic.diagnoses (
    id bigint generated always as identity,
    consultation_id bigint not null,
    patient_id text not null,
    position integer not null,
    system text default '' not null,
    code text default '' not null,
    description text not null,
    recorded_by bigint not null,
    recorded_at timestamp with time zone default now() not null,
    constraint pk_diagnoses primary key (id),
    constraint uq_diagnoses_consultation_id_position unique (consultation_id, position),
    constraint ck_diagnoses_position check (position between 1 and 50),
    constraint ck_diagnoses_system check (system in ('', 'ICD-10-CM')),
    constraint ck_diagnoses_code check ((system = '') = (code = '') and char_length(code) <= 10),
    constraint ck_diagnoses_description check (char_length(description) between 1 and 300),
    constraint fk_diagnoses_consultation_id foreign key (consultation_id) references clinic.consultations (id),
    constraint fk_diagnoses_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_diagnoses_recorded_by foreign key (recorded_by) references auth.users (id)
);
create index ix_diagnoses_patient_id on clinic.diagnoses (patient_id);
create index ix_diagnoses_recorded_by_code on clinic.diagnoses (recorded_by, code);

-- What was added after signing: never changed, never taken away, shown with its author and time.
create table clinic.addenda (
    id bigint generated always as identity,
    consultation_id bigint not null,
    patient_id text not null,
    position integer not null,
    body bytea not null,
    author_id bigint not null,
    created_at timestamp with time zone default now() not null,
    constraint pk_addenda primary key (id),
    constraint uq_addenda_consultation_id_position unique (consultation_id, position),
    constraint ck_addenda_position check (position between 1 and 500),
    constraint ck_addenda_body check (octet_length(body) <= 40029),
    constraint fk_addenda_consultation_id foreign key (consultation_id) references clinic.consultations (id),
    constraint fk_addenda_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_addenda_author_id foreign key (author_id) references auth.users (id)
);
create index ix_addenda_patient_id on clinic.addenda (patient_id);

create trigger refuse_after_signing before insert on clinic.diagnoses for each row execute function clinic.refuse_after_signing();

create function clinic.guard_addendum() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null then return new; end if;
    -- Who does not look after the patient hears the same of a visit there is as of one there is not, and locks nothing.
    if not exists (select 1 from clinic.care k where k.patient_id = new.patient_id and k.doctor_id = auth.my_doctor()
                                     and (k.until is null or k.until >= current_date)) then
        raise exception using errcode = 'CD010', constraint = 'addendum_unsigned', message = 'refused';
    end if;
    -- The row lock puts two addenda to one visit one after the other; each takes the next place, which its seal names too.
    perform 1 from clinic.consultations c
      where c.id = new.consultation_id and c.patient_id = new.patient_id and c.status = 'completed' for update;
    if not found then
        raise exception using errcode = 'CD010', constraint = 'addendum_unsigned', message = 'refused';
    end if;
    if new.position <> 1 + (select count(*) from clinic.addenda a where a.consultation_id = new.consultation_id) then
        raise exception using errcode = 'CD003', message = 'changed elsewhere';
    end if;
    new.created_at := now();
    return new;
end $$;
create trigger guard_addendum before insert on clinic.addenda for each row execute function clinic.guard_addendum();

-- A visit's document is written once by its doctor, and once more with each addendum by whoever added it.
create or replace function clinic.guard_visit() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select 1 from clinic.appointments a join clinic.consultations c on c.appointment_id = a.id
                    where a.id = new.appointment_id and c.id = new.consultation_id and a.status = 'completed'
                      and a.patient_id = new.patient_id and a.doctor_id = new.doctor_id
                      and (auth.me() is null or (new.revision = 1 and a.doctor_id = auth.my_doctor())
                           or (new.revision = 1 + (select count(*) from clinic.addenda d where d.consultation_id = c.id)
                               and exists (select 1 from clinic.visits v where v.id = new.id and v.appointment_id = a.id and v.revision = 1)
                               and exists (select 1 from clinic.addenda d where d.consultation_id = c.id and d.author_id = auth.me()
                                                                            and d.position = new.revision - 1)))) then
        raise exception using errcode = 'CD010', constraint = 'visit_not_completed', message = 'refused';
    end if;
    return new;
end $$;

do $$
declare t text;
begin
    foreach t in array array['diagnoses', 'addenda'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%1$I, clinic.%1$I_id_seq to clinicdesk_backup', t);
        execute format('grant select on clinic.%I to clinicdesk_app', t);
        execute format('create policy own_read on clinic.%I for select to clinicdesk_app using (patient_id = (select auth.my_patient()))', t);
        execute format('create policy care_read on clinic.%1$I for select to clinicdesk_app
            using (exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                         and (c.until is null or c.until >= current_date)))', t);
        execute format('create policy doctor_insert on clinic.%1$I for insert to clinicdesk_app with check (%2$I = (select auth.me())
            and exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                      and (c.until is null or c.until >= current_date)))', t,
            case t when 'diagnoses' then 'recorded_by' else 'author_id' end);
        execute format('create trigger tell after insert on clinic.%I for each row execute function clinic.tell(''chart'', ''patient_id'')', t);
    end loop;
end $$;
grant insert (consultation_id, patient_id, position, system, code, description, recorded_by) on clinic.diagnoses to clinicdesk_app;
grant insert (consultation_id, patient_id, position, body, author_id) on clinic.addenda to clinicdesk_app;

create policy addendum_insert on clinic.visits for insert to clinicdesk_app with check (
    revision > 1 and exists (select 1 from clinic.addenda d where d.consultation_id = visits.consultation_id
                                                             and d.position = visits.revision - 1 and d.author_id = (select auth.me()))
    and exists (select 1 from clinic.care c where c.patient_id = visits.patient_id and c.doctor_id = (select auth.my_doctor())
                                              and (c.until is null or c.until >= current_date)));
create policy addendum_insert on clinic.visit_outbox for insert to clinicdesk_app with check (
    revision > 1 and delivered_at is null and attempts = 0 and exists (
        select 1 from clinic.visits v join clinic.addenda d on d.consultation_id = v.consultation_id and d.position = v.revision - 1
         where v.id = visit_id and v.revision = visit_outbox.revision and d.author_id = (select auth.me())));
