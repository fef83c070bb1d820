-- Attachments and immunizations, and the finishing of allergies and problems.

-- Attachments ---------------------------------------------------------------------------------------------------------------------------
-- What is known of a file is here; its sealed bytes wait in attachment_chunks until the document server has given them back unchanged.
create table clinic.attachments (
    id uuid not null,
    patient_id text not null,
    kind text not null,
    title bytea not null,
    file_name bytea not null,
    size integer not null,
    chunks integer not null,
    sealed_size integer not null,
    sealed_sha256 bytea not null,
    record_id bigint,
    consultation_id bigint,
    copy_of uuid,
    added_by bigint not null,
    added_at timestamp with time zone default now() not null,
    delivered_at timestamp with time zone,
    withdrawn_at timestamp with time zone,
    withdrawn_by bigint,
    withdrawn_reason bytea,
    constraint pk_attachments primary key (id),
    constraint ck_attachments_kind check (kind in ('pdf', 'png', 'jpeg', 'text')),
    constraint ck_attachments_title check (octet_length(title) between 30 and 829),
    constraint ck_attachments_file_name check (octet_length(file_name) between 29 and 829),
    constraint ck_attachments_size check (size between 1 and 26214400),
    constraint ck_attachments_chunks check (chunks = (size + 1048575) / 1048576 and sealed_size = size + 29 * chunks),
    constraint ck_attachments_sealed_sha256 check (octet_length(sealed_sha256) = 32),
    constraint ck_attachments_copy check (copy_of is null or copy_of <> id),
    constraint ck_attachments_withdrawn check ((withdrawn_at is null) = (withdrawn_by is null)
        and (withdrawn_at is null) = (withdrawn_reason is null) and octet_length(withdrawn_reason) between 32 and 1229),
    constraint fk_attachments_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_attachments_record_id foreign key (record_id) references clinic.records (id),
    constraint fk_attachments_consultation_id foreign key (consultation_id) references clinic.consultations (id),
    constraint fk_attachments_copy_of foreign key (copy_of) references clinic.attachments (id),
    constraint fk_attachments_added_by foreign key (added_by) references auth.users (id),
    constraint fk_attachments_withdrawn_by foreign key (withdrawn_by) references auth.users (id)
);
create index ix_attachments_patient_id_added_at on clinic.attachments (patient_id, added_at);
create index ix_attachments_undelivered on clinic.attachments (added_at) where delivered_at is null;

create table clinic.attachment_chunks (
    attachment_id uuid not null,
    position integer not null,
    body bytea not null,
    constraint pk_attachment_chunks primary key (attachment_id, position),
    constraint ck_attachment_chunks_position check (position between 1 and 25),
    constraint ck_attachment_chunks_body check (octet_length(body) between 30 and 1048605),
    constraint fk_attachment_chunks_attachment_id foreign key (attachment_id) references clinic.attachments (id)
);
alter table clinic.attachment_chunks alter column body set storage external;

create function clinic.guard_attachment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        if exists (select 1 from clinic.records r where r.id = new.record_id and r.patient_id <> all (clinic.person_ids(new.patient_id)))
           or exists (select 1 from clinic.consultations c where c.id = new.consultation_id
                                                             and c.patient_id <> all (clinic.person_ids(new.patient_id)))
           or exists (select 1 from clinic.attachments a where a.id = new.copy_of
                                                           and a.patient_id <> all (clinic.person_ids(new.patient_id))) then
            raise exception using errcode = 'CD010', constraint = 'attachment_place', message = 'refused';
        end if;
        if auth.me() is not null then new.added_at := now(); end if;
        return new;
    end if;
    if old.delivered_at is not null and new.delivered_at is distinct from old.delivered_at then
        raise exception using errcode = 'CD010', constraint = 'attachment_delivered', message = 'refused';
    end if;
    if new.withdrawn_reason is distinct from old.withdrawn_reason or new.withdrawn_by is distinct from old.withdrawn_by
       or new.withdrawn_at is distinct from old.withdrawn_at then
        if old.withdrawn_at is not null then
            raise exception using errcode = 'CD010', constraint = 'attachment_withdrawn', message = 'refused';
        end if;
        new.withdrawn_at := now();
    end if;
    return new;
end $$;
create trigger guard_attachment before insert or update on clinic.attachments for each row execute function clinic.guard_attachment();

create function clinic.follow_attachment() returns trigger
language plpgsql security definer set search_path = jobs, pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        perform jobs.procrastinate_defer_jobs_v1(array[row('documents', 'deliver_attachment', 0, null, null,
            jsonb_build_object('attachment_id', new.id), null)::jobs.procrastinate_job_to_defer_v1]);
    end if;
    perform pg_notify('clinicdesk', 'chart ' || new.patient_id);
    return null;
end $$;
create trigger follow_attachment after insert or update on clinic.attachments for each row execute function clinic.follow_attachment();

-- Immunizations -------------------------------------------------------------------------------------------------------------------------
create table clinic.immunizations (
    id uuid not null,
    patient_id text not null,
    vaccine text not null,
    cvx text default '' not null,
    given_on date,
    precision text default 'day' not null,
    dose_number integer,
    lot text default '' not null,
    site text default '' not null,
    route text default '' not null,
    given_by text default '' not null,
    source text default 'given_here' not null,
    status text default 'completed' not null,
    reason text default '' not null,
    note bytea,
    recorded_by bigint,
    recorded_at timestamp with time zone default now() not null,
    wrong boolean default false not null,
    source_key text,
    version integer default 1 not null,
    constraint pk_immunizations primary key (id),
    constraint uq_immunizations_patient_id_source_key unique (patient_id, source_key),
    constraint ck_immunizations_vaccine check (char_length(vaccine) between 1 and 200),
    constraint ck_immunizations_cvx check (cvx ~ '^[0-9]{0,4}$'),
    constraint ck_immunizations_precision check (precision in ('day', 'month', 'year')),
    constraint ck_immunizations_dose_number check (dose_number between 1 and 20),
    constraint ck_immunizations_texts check (char_length(lot) <= 40 and char_length(site) <= 60 and char_length(route) <= 60
        and char_length(given_by) <= 120),
    constraint ck_immunizations_source check (source in ('given_here', 'reported')),
    constraint ck_immunizations_status check (status in ('completed', 'not_done')),
    constraint ck_immunizations_reason check ((status = 'not_done') = (reason <> '')
        and reason in ('', 'refused', 'medical', 'immune', 'no_stock', 'other')),
    constraint ck_immunizations_note check (octet_length(note) <= 2029),
    constraint fk_immunizations_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_immunizations_recorded_by foreign key (recorded_by) references auth.users (id)
);
create index ix_immunizations_patient_id on clinic.immunizations (patient_id, given_on);
create trigger check_version before update on clinic.immunizations for each row execute function clinic.check_version();
create trigger tell after insert or update on clinic.immunizations for each row execute function clinic.tell('chart', 'patient_id');

-- Allergies and problems: where it is known from, whether it is sure, and why an entry ended ---------------------------------------------
-- A refuted allergy is an ended one, so that whoever reads the current list never meets it.
alter table clinic.allergies
    add column source text default '' not null,
    add column verification text default 'unconfirmed' not null,
    add column ended_reason bytea,
    add column ended_by bigint,
    add constraint ck_allergies_source check (source in ('', 'patient', 'relative', 'observed', 'documents')),
    add constraint ck_allergies_verification check (verification in ('unconfirmed', 'confirmed', 'refuted')
        and (verification <> 'refuted' or ended_on is not null)),
    add constraint ck_allergies_ended_reason check (octet_length(ended_reason) <= 1229),
    add constraint fk_allergies_ended_by foreign key (ended_by) references auth.users (id);
grant update (source, verification, ended_reason, ended_by) on clinic.allergies to clinicdesk_app;
alter table clinic.problems
    add column ended_reason bytea,
    add column ended_by bigint,
    add constraint ck_problems_ended_reason check (octet_length(ended_reason) <= 1229),
    add constraint fk_problems_ended_by foreign key (ended_by) references auth.users (id);
grant update (ended_reason, ended_by) on clinic.problems to clinicdesk_app;

-- Row security --------------------------------------------------------------------------------------------------------------------------
do $$
declare t text;
begin
    foreach t in array array['attachments', 'attachment_chunks', 'immunizations'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%I to clinicdesk_backup, clinicdesk_app', t);
    end loop;
    foreach t in array array['attachments.added_by', 'immunizations.recorded_by'] loop
        execute format('create policy own_read on clinic.%I for select to clinicdesk_app using (patient_id = (select auth.my_patient()))',
            split_part(t, '.', 1));
        execute format('create policy care_read on clinic.%1$I for select to clinicdesk_app
            using (exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                         and (c.until is null or c.until >= current_date)))', split_part(t, '.', 1));
        execute format('create policy doctor_insert on clinic.%1$I for insert to clinicdesk_app with check (%2$I = (select auth.me())
            and exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                      and (c.until is null or c.until >= current_date)))',
            split_part(t, '.', 1), split_part(t, '.', 2));
    end loop;
end $$;

grant insert (id, patient_id, kind, title, file_name, size, chunks, sealed_size, sealed_sha256, record_id, consultation_id, copy_of, added_by)
    on clinic.attachments to clinicdesk_app;
-- Nothing is taken away and nothing is replaced: the only change a workstation can make is to withdraw.
grant update (withdrawn_at, withdrawn_by, withdrawn_reason) on clinic.attachments to clinicdesk_app;
create policy doctor_withdraw on clinic.attachments for update to clinicdesk_app
    using (exists (select 1 from clinic.care c where c.patient_id = attachments.patient_id and c.doctor_id = (select auth.my_doctor())
                                                 and (c.until is null or c.until >= current_date)))
    with check (withdrawn_by = (select auth.me()));

grant insert (attachment_id, position, body) on clinic.attachment_chunks to clinicdesk_app;
create policy read on clinic.attachment_chunks for select to clinicdesk_app
    using (exists (select 1 from clinic.attachments a where a.id = attachment_id));
create policy doctor_insert on clinic.attachment_chunks for insert to clinicdesk_app
    with check (exists (select 1 from clinic.attachments a where a.id = attachment_id and a.added_by = (select auth.me())
                                                             and a.delivered_at is null and attachment_chunks.position <= a.chunks));

grant insert (id, patient_id, vaccine, cvx, given_on, precision, dose_number, lot, site, route, given_by, source, status, reason, note,
    recorded_by, source_key) on clinic.immunizations to clinicdesk_app;
grant update (wrong, version) on clinic.immunizations to clinicdesk_app;
create policy doctor_update on clinic.immunizations for update to clinicdesk_app
    using (exists (select 1 from clinic.care c where c.patient_id = immunizations.patient_id and c.doctor_id = (select auth.my_doctor())
                                                 and (c.until is null or c.until >= current_date))) with check (true);
create policy administrator_import on clinic.immunizations for insert to clinicdesk_app
    with check ((select auth.my_role()) = 'administrator' and source_key is not null and recorded_by is null);

-- The worker carries staged bytes to the document server, and lets go of them only when they are there.
grant select on clinic.attachments, clinic.attachment_chunks to clinicdesk_worker;
grant update (delivered_at) on clinic.attachments to clinicdesk_worker;
grant delete on clinic.attachment_chunks to clinicdesk_worker;
create policy worker_read on clinic.attachments for select to clinicdesk_worker using (true);
create policy worker_update on clinic.attachments for update to clinicdesk_worker using (true) with check (delivered_at is not null);
create policy worker_read on clinic.attachment_chunks for select to clinicdesk_worker using (true);
create policy worker_delete on clinic.attachment_chunks for delete to clinicdesk_worker
    using (exists (select 1 from clinic.attachments a where a.id = attachment_id and a.delivered_at is not null));
