-- Keys and erasure: generations of the clinic key, the recovery kit's date, and the erasing of a person with its ledger.
-- See docs/decisions/0015-keys-and-erasure.md.

-- An administrator at a window, or the owner of the tables at the computer that keeps the database (restore, command line).
create function auth.administers() returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce(auth.my_role() = 'administrator', false)
        or (auth.me() is null and 'clinicdesk_owner' in (session_user::text, current_setting('role')));
end $$;

-- Generations of the clinic key ----------------------------------------------------------------------------------------------------------
-- The first has its fingerprint among the settings. A later one keeps the key before it, wrapped, so that older backups stay readable.
create table clinic.clinic_keys (
    generation integer not null,
    fingerprint bytea not null,
    former bytea not null,
    begun_by bigint,
    begun_at timestamp with time zone default now() not null,
    finished_at timestamp with time zone,
    constraint pk_clinic_keys primary key (generation),
    constraint ck_clinic_keys_generation check (generation >= 2),
    constraint ck_clinic_keys_fingerprint check (octet_length(fingerprint) = 39),
    constraint ck_clinic_keys_former check (octet_length(former) = 61),
    constraint fk_clinic_keys_begun_by foreign key (begun_by) references auth.users (id)
);
alter table clinic.patient_keys
    add column generation integer default 1 not null,
    add constraint ck_patient_keys_generation check (generation >= 1);
alter table clinic.signing_secrets
    add column generation integer default 1 not null,
    add constraint ck_signing_secrets_generation check (generation >= 1);
create index ix_patient_keys_generation on clinic.patient_keys (generation);
grant insert (generation) on clinic.signing_secrets to clinicdesk_app;

-- While a key is being changed a desk with the old one may still register somebody; afterwards nothing is wrapped by it any more.
create function clinic.guard_wrapped() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select 1 from clinic.clinic_keys k where k.generation > new.generation and k.finished_at is not null) then
        raise exception using errcode = 'CD010', constraint = 'clinic_key_old', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_wrapped before insert or update on clinic.patient_keys for each row execute function clinic.guard_wrapped();
create trigger guard_wrapped before insert or update on clinic.signing_secrets for each row execute function clinic.guard_wrapped();

create function clinic.begin_key(p_generation int, p_fingerprint bytea, p_former bytea) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    lock table clinic.clinic_keys in share row exclusive mode;
    if exists (select 1 from clinic.clinic_keys where finished_at is null)
       or p_generation is distinct from (select coalesce(max(generation), 1) + 1 from clinic.clinic_keys) then
        raise exception using errcode = 'CD010', constraint = 'key_change_begun', message = 'refused';
    end if;
    insert into clinic.clinic_keys (generation, fingerprint, former, begun_by) values (p_generation, p_fingerprint, p_former, auth.me());
    perform audit.note('begin', 'clinic key', null, 'generation ' || p_generation);
end $$;

-- What is still wrapped by an older key, while a change is under way: patient keys, and the doctors' signing keys, which no policy shows
-- to an administrator otherwise.
create function clinic.wrapped_before(p_generation int, p_limit int)
returns table (relation text, row_id text, owner text, purpose text, wrapped bytea, generation int)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator'
       or not exists (select 1 from clinic.clinic_keys k where k.generation = p_generation and k.finished_at is null) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    perform audit.note('key', 'clinic key', null, 'generation ' || p_generation, jsonb_build_object('most', p_limit));
    return query
        (select 'patient_keys'::text, p.patient_id, p.patient_id, p.purpose, p.wrapped, p.generation
           from clinic.patient_keys p where p.generation < p_generation limit p_limit)
        union all
        (select 'signing_secrets', s.key_id::text, 'user:' || s.user_id, 'signing:' || encode(k.public_key, 'hex'), s.wrapped, s.generation
           from clinic.signing_secrets s join clinic.signing_keys k on k.id = s.key_id where s.generation < p_generation limit p_limit);
end $$;

-- Put rewrapped keys in place of those they were read as; how many. A row that changed meanwhile is left for the next batch.
create function clinic.rewrap(p_generation int, p_relations text[], p_rows text[], p_purposes text[], p_before bytea[], p_after bytea[])
returns int
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_patients int;
    v_signers int;
begin
    if auth.my_role() is distinct from 'administrator'
       or not exists (select 1 from clinic.clinic_keys k where k.generation = p_generation and k.finished_at is null) then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    update clinic.patient_keys k set wrapped = n.after, generation = p_generation
      from unnest(p_relations, p_rows, p_purposes, p_before, p_after) n(relation, id, purpose, before, after)
     where n.relation = 'patient_keys' and k.patient_id = n.id and k.purpose = n.purpose and k.wrapped = n.before
       and k.generation < p_generation;
    get diagnostics v_patients = row_count;
    update clinic.signing_secrets k set wrapped = n.after, generation = p_generation
      from unnest(p_relations, p_rows, p_before, p_after) n(relation, id, before, after)
     where n.relation = 'signing_secrets' and k.key_id = n.id::bigint and k.wrapped = n.before and k.generation < p_generation;
    get diagnostics v_signers = row_count;
    return v_patients + v_signers;
end $$;

create function clinic.finish_key(p_generation int) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    lock table clinic.patient_keys, clinic.signing_secrets in share row exclusive mode;
    if exists (select 1 from clinic.patient_keys where generation < p_generation)
       or exists (select 1 from clinic.signing_secrets where generation < p_generation) then
        raise exception using errcode = 'CD010', constraint = 'key_change_unfinished', message = 'refused';
    end if;
    update clinic.clinic_keys set finished_at = now() where generation = p_generation and finished_at is null;
    perform audit.note('finish', 'clinic key', null, 'generation ' || p_generation);
    perform pg_notify('clinicdesk', 'settings');
end $$;

-- Enrolment: a new computer leaves a public key, an administrator who was told its code seals the clinic key for it. Only ciphertext is
-- here, for a quarter of an hour, and it is handed out once.
create table auth.enrolments (
    id bigint generated always as identity,
    workstation text not null,
    public_key bytea not null,
    sealed bytea,
    asked_at timestamp with time zone default now() not null,
    sealed_by bigint,
    taken_at timestamp with time zone,
    constraint pk_enrolments primary key (id),
    constraint uq_enrolments_public_key unique (public_key),
    constraint ck_enrolments_workstation check (char_length(workstation) between 1 and 120),
    constraint ck_enrolments_public_key check (octet_length(public_key) = 32),
    constraint ck_enrolments_sealed check (octet_length(sealed) between 60 and 200),
    constraint fk_enrolments_sealed_by foreign key (sealed_by) references auth.users (id)
);

-- Nobody is signed in on a new computer. Old requests go, and no more than twenty wait, so that this fills nothing.
create function auth.ask_enrolment(p_workstation text, p_public bytea) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from auth.enrolments where taken_at is null and asked_at < now() - interval '15 minutes';
    if (select count(*) from auth.enrolments where taken_at is null) >= 20 then
        raise exception using errcode = 'CD010', constraint = 'enrolments_many', message = 'refused';
    end if;
    insert into auth.enrolments (workstation, public_key) values (left(coalesce(nullif(p_workstation, ''), 'unknown'), 120), p_public);
end $$;

create function auth.seal_enrolment(p_id bigint, p_sealed bytea) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    update auth.enrolments set sealed = p_sealed, sealed_by = auth.me()
     where id = p_id and sealed is null and taken_at is null and asked_at > now() - interval '15 minutes';
    if not found then raise exception using errcode = 'CD010', constraint = 'enrolment_gone', message = 'refused'; end if;
    perform audit.note('enrol', 'computer', null, 'enrolment ' || p_id);
end $$;

-- What was sealed for this public key, once; nothing before an administrator did, or when the time is over.
create function auth.take_enrolment(p_public bytea) returns bytea
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_sealed bytea;
begin
    select sealed into v_sealed from auth.enrolments
     where public_key = p_public and sealed is not null and taken_at is null and asked_at > now() - interval '15 minutes' for update;
    if v_sealed is not null then
        update auth.enrolments set sealed = null, taken_at = now() where public_key = p_public;
        perform audit.note('take', 'computer', null, 'enrolment ' || (select id from auth.enrolments where public_key = p_public));
    end if;
    return v_sealed;
end $$;

-- When a recovery kit was made last, and of which key.
create function clinic.kit_made(p_fingerprint text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not auth.administers() then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    insert into clinic.settings (key, value)
    values ('kit_made', jsonb_build_object('at', now(), 'by', (select u.name from auth.users u where u.id = auth.me()),
                                           'fingerprint', p_fingerprint))
    on conflict (key) do update set value = excluded.value, version = settings.version + 1;
    perform audit.note('print', 'recovery kit');
    perform pg_notify('clinicdesk', 'settings');
end $$;

-- A photo that replaces another and the remarks on one record had one place each to be sealed for; a number of its own tells them apart.
-- What was sealed before has the number 1, which is what its seal says.
alter table clinic.photos add column seal_number integer default 1 not null;
alter table clinic.annotations add column seal_number integer default 1 not null;

-- Erasure ----------------------------------------------------------------------------------------------------------------------------------
-- The ledger. No foreign key: after the restore of an older backup it may name a record which that backup does not have.
create table clinic.erasures (
    number integer not null,
    patient_id text not null,
    erased_at timestamp with time zone not null,
    erased_by text default '' not null,
    reason text not null,
    generation integer not null,
    proof bytea not null,
    constraint pk_erasures primary key (number),
    constraint ck_erasures_number check (number >= 1),
    constraint ck_erasures_patient_id check (patient_id ~ '^p_[a-z0-9]{6}$'),
    constraint ck_erasures_reason check (reason in ('request', 'retention', 'mistake', 'court')),
    constraint ck_erasures_proof check (octet_length(proof) = 32),
    constraint ck_erasures_generation check (generation >= 1)
);
create trigger append_only before update or delete on clinic.erasures for each row execute function audit.refuse();
create trigger no_truncate before truncate on clinic.erasures for each statement execute function audit.refuse();

-- Who is erased stays so: no name comes back, and no key is made again.
create function clinic.refuse_erased() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_table_name = 'patients' then
        if exists (select 1 from clinic.erasures e where e.patient_id = new.id)
           and (new.first_name, new.last_name, coalesce(new.phone, ''), new.email, new.address, new.archived_at is null)
               is distinct from ('-', 'Erased', '', '', '', false) then
            raise exception using errcode = 'CD010', constraint = 'patient_erased', message = 'refused';
        end if;
    elsif exists (select 1 from clinic.erasures e where e.patient_id = to_jsonb(new) ->> 'patient_id') then
        raise exception using errcode = 'CD010', constraint = 'patient_erased', message = 'refused';
    end if;
    return new;
end $$;
create trigger refuse_erased before update on clinic.patients for each row execute function clinic.refuse_erased();
do $$
declare t text;
begin
    foreach t in array array['patient_keys', 'patient_terms', 'patient_tags', 'emergency_contacts', 'sealed_fields', 'photos', 'appointments',
                             'assignments', 'waiting_list', 'import_keys'] loop
        execute format('create trigger refuse_erased before insert on clinic.%I for each row execute function clinic.refuse_erased()', t);
    end loop;
end $$;

-- Money is kept; of an erased person's money the words go.
create or replace function clinic.keep_money() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v_erased boolean := exists (select 1 from clinic.erasures e where e.patient_id = to_jsonb(old) ->> 'patient_id');
    v_may text[] := case tg_table_name when 'charges' then array['voided_by', 'voided_at', 'void_reason']
                                       when 'day_closes' then array['reopened_by', 'reopened_at', 'reopen_reason']
                                       when 'receipts' then array['printed'] else array[]::text[] end;
begin
    if v_erased and tg_op = 'UPDATE' and to_jsonb(new) - array['reason', 'void_reason'] = to_jsonb(old) - array['reason', 'void_reason'] then
        return new;
    end if;
    if tg_op = 'DELETE' or to_jsonb(new) - v_may is distinct from to_jsonb(old) - v_may
       or (tg_table_name = 'charges' and to_jsonb(old) ->> 'voided_at' is not null)
       or (tg_table_name = 'day_closes' and to_jsonb(old) ->> 'reopened_at' is not null) then
        raise exception using errcode = 'CD010', constraint = 'money_kept', message = 'refused';
    end if;
    return new;
end $$;

-- Take everything about these records away but what must stay without a name. Again changes nothing more. Granted to nobody: only the
-- functions below and the owner (restore) call it. services/erasing.py has the inventory that a test compares with the catalogue.
create function clinic.erase_rows(p_ids text[]) returns void
language plpgsql volatile security definer set search_path = jobs, pg_catalog, pg_temp as $$
declare
    v_files uuid[];
    v_words text[];
    v_id text;
begin
    delete from clinic.patient_keys where patient_id = any (p_ids);
    -- Times stay for the numbers of the clinic, their words go; what was still to come is called off.
    update clinic.appointments
       set reason = '', overbook_reason = case when lane > 0 then 'erased' else '' end, series_id = null, version = version + 1,
           cancel_reason = case when status in ('in_progress', 'completed', 'no_show') then '' else 'erased' end,
           status = case when status in ('scheduled', 'confirmed', 'arrived') then 'cancelled' else status end
     where patient_id = any (p_ids);
    update clinic.appointment_events set detail = ''
     where appointment_id in (select id from clinic.appointments where patient_id = any (p_ids)) and detail <> '';
    delete from clinic.desk_actions d where exists (select 1 from unnest(p_ids) i where d.changes::text like '%"' || i || '"%')
        or exists (select 1 from clinic.appointments a, jsonb_array_elements(d.changes) c
                    where a.patient_id = any (p_ids) and jsonb_typeof(c) = 'object' and c ->> 'id' = a.id::text);
    -- The clinical record.
    v_files := array(select id from clinic.attachments where patient_id = any (p_ids));
    delete from clinic.attachment_chunks where attachment_id = any (v_files);
    delete from clinic.attachments where id = any (v_files);
    delete from clinic.alert_firings where patient_id = any (p_ids);
    delete from clinic.alert_overrides where patient_id = any (p_ids);
    delete from clinic.signatures where patient_id = any (p_ids);
    delete from clinic.papers where patient_id = any (p_ids);
    delete from clinic.medicine_stops where patient_id = any (p_ids);
    delete from clinic.medicines where patient_id = any (p_ids);
    delete from clinic.prescription_items where patient_id = any (p_ids);
    delete from clinic.prescriptions where patient_id = any (p_ids);
    delete from clinic.addenda where patient_id = any (p_ids);
    delete from clinic.notes where patient_id = any (p_ids);
    delete from clinic.diagnoses where patient_id = any (p_ids);
    delete from clinic.vitals where patient_id = any (p_ids);
    delete from clinic.drafts where consultation_id in (select id from clinic.consultations where patient_id = any (p_ids));
    delete from clinic.visit_outbox where visit_id in (select id from clinic.visits where patient_id = any (p_ids));
    delete from clinic.visits where patient_id = any (p_ids);
    delete from clinic.annotations where patient_id = any (p_ids);
    delete from clinic.records where patient_id = any (p_ids);
    delete from clinic.consultations where patient_id = any (p_ids);
    delete from clinic.problems where patient_id = any (p_ids);
    delete from clinic.allergies where patient_id = any (p_ids);
    delete from clinic.allergy_statements where patient_id = any (p_ids);
    delete from clinic.patient_facts where patient_id = any (p_ids);
    delete from clinic.immunizations where patient_id = any (p_ids);
    delete from clinic.session_log where patient_id = any (p_ids);
    -- The desk.
    delete from clinic.offers where patient_id = any (p_ids);
    delete from clinic.waiting_list where patient_id = any (p_ids);
    delete from clinic.series where patient_id = any (p_ids);
    delete from clinic.tickets where patient_id = any (p_ids);
    delete from clinic.messages where patient_id = any (p_ids);
    delete from clinic.notifications where patient_id = any (p_ids);
    delete from clinic.assignments where patient_id = any (p_ids);
    delete from clinic.care where patient_id = any (p_ids);
    update clinic.charges set reason = case when reason = '' then '' else 'erased' end,
                              void_reason = case when void_reason = '' then '' else 'erased' end where patient_id = any (p_ids);
    update clinic.receipts set reason = 'erased' where patient_id = any (p_ids) and reason <> '';
    update clinic.wallet_entries set reason = 'erased' where patient_id = any (p_ids) and reason <> '';
    -- Who she is. A merge with somebody else that was undone seals her identity with the other's key, so it goes whichever side she was.
    delete from clinic.merges where kept_id = any (p_ids) or lost_id = any (p_ids);
    delete from clinic.aliases where patient_id = any (p_ids) or person_id = any (p_ids);
    delete from clinic.different_people where patient_id = any (p_ids) or other_id = any (p_ids);
    delete from clinic.sealed_fields where patient_id = any (p_ids);
    delete from clinic.emergency_contacts where patient_id = any (p_ids);
    delete from clinic.patient_tags where patient_id = any (p_ids);
    delete from clinic.photos where patient_id = any (p_ids);
    delete from clinic.import_keys where patient_id = any (p_ids);
    v_words := array(select distinct term from clinic.patient_terms where patient_id = any (p_ids) and kind = 'name');
    delete from clinic.patient_terms where patient_id = any (p_ids);
    delete from clinic.name_spellings s where s.word = any (v_words)
        and not exists (select 1 from clinic.patient_terms t where t.term = s.word and t.kind = 'name');
    update auth.sessions set ended_at = coalesce(ended_at, now()), workstation = 'erased'
     where user_id in (select id from auth.users where patient_id = any (p_ids));
    delete from auth.credentials where user_id in (select id from auth.users where patient_id = any (p_ids));
    update auth.users set name = 'Erased', username = 'erased-' || id, active = false, version = version + 1
     where patient_id = any (p_ids) and name <> 'Erased';
    update clinic.patients
       set first_name = '-', last_name = 'Erased', title = '', born = date_trunc('year', born)::date, died = null, phone = null, email = '',
           address = '', archived_at = coalesce(archived_at, now()), version = version + 1
     where id = any (p_ids) and last_name || phone || email || address is distinct from 'Erased';
    perform jobs.procrastinate_defer_jobs_v1(array[row('documents', 'erase_documents', 0, null, null,
        jsonb_build_object('patient_ids', p_ids, 'files', v_files), null)::jobs.procrastinate_job_to_defer_v1]);
    foreach v_id in array p_ids loop
        perform pg_notify('clinicdesk', 'patients ' || v_id);
        perform pg_notify('clinicdesk', 'chart ' || v_id);
    end loop;
end $$;

-- Erase a person: every record of hers, each with a line of the ledger. The window made the proofs; the database checks everything else.
create function clinic.erase(p_patient text, p_reason text, p_at timestamptz, p_first int, p_ids text[], p_generation int, p_proofs bytea[])
returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare v_id text;
begin
    if auth.my_role() is distinct from 'administrator' then raise exception using errcode = 'CD001', message = 'not allowed'; end if;
    perform pg_advisory_xact_lock(hashtext('clinic.erasures'));
    perform pg_advisory_xact_lock(hashtext('clinic.merges'));
    if not exists (select 1 from clinic.patients where id = p_patient)
       or exists (select 1 from clinic.erasures where patient_id = p_patient)
       or array(select unnest(p_ids) order by 1) is distinct from array(select unnest(clinic.person_ids(p_patient)) order by 1)
       or cardinality(p_ids) is distinct from cardinality(p_proofs)
       or p_first is distinct from (select coalesce(max(number), 0) + 1 from clinic.erasures)
       or abs(extract(epoch from p_at - now())) > 600 then
        raise exception using errcode = 'CD010', constraint = 'erase_again', message = 'refused';
    end if;
    if exists (select 1 from clinic.appointments where patient_id = any (p_ids) and status = 'in_progress') then
        raise exception using errcode = 'CD010', constraint = 'erase_in_progress', message = 'refused';
    end if;
    if exists (select 1 from clinic.wallets where patient_id = any (p_ids) and balance <> 0) then
        raise exception using errcode = 'CD010', constraint = 'erase_wallet', message = 'refused';
    end if;
    insert into clinic.erasures (number, patient_id, erased_at, erased_by, reason, generation, proof)
    select p_first + n.place - 1, n.id, p_at, (select username from auth.users where id = auth.me()), p_reason, p_generation, n.proof
      from unnest(p_ids, p_proofs) with ordinality n(id, proof, place);
    perform clinic.erase_rows(p_ids);
    foreach v_id in array p_ids loop
        perform audit.note('erase', 'patient', v_id, 'patient', jsonb_build_object('reason', p_reason));
    end loop;
end $$;

-- Row security -----------------------------------------------------------------------------------------------------------------------------
do $$
declare t text;
begin
    foreach t in array array['clinic_keys', 'erasures'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%I to clinicdesk_backup, clinicdesk_app, clinicdesk_worker', t);
        execute format('create policy worker_read on clinic.%I for select to clinicdesk_worker using (true)', t);
    end loop;
end $$;
-- Like the fingerprint among the settings: a computer proves that it holds the key before anybody signs in.
create policy everybody_read on clinic.clinic_keys for select to clinicdesk_app using (true);
alter table auth.enrolments enable row level security;
alter table auth.enrolments force row level security;
create policy owner on auth.enrolments to clinicdesk_owner using (true) with check (true);
grant select on auth.enrolments to clinicdesk_backup, clinicdesk_app;
grant select on sequence auth.enrolments_id_seq to clinicdesk_backup;
create policy administrator_read on auth.enrolments for select to clinicdesk_app using ((select auth.my_role()) = 'administrator');
create policy administrator_read on clinic.erasures for select to clinicdesk_app using ((select auth.my_role()) = 'administrator');

revoke all on function auth.administers(), auth.ask_enrolment(text, bytea), auth.seal_enrolment(bigint, bytea), auth.take_enrolment(bytea),
    clinic.guard_wrapped(), clinic.begin_key(int, bytea, bytea), clinic.wrapped_before(int, int),
    clinic.rewrap(int, text[], text[], text[], bytea[], bytea[]), clinic.finish_key(int), clinic.kit_made(text), clinic.refuse_erased(),
    clinic.erase_rows(text[]), clinic.erase(text, text, timestamptz, int, text[], int, bytea[]) from public;
grant execute on function auth.ask_enrolment(text, bytea), auth.seal_enrolment(bigint, bytea), auth.take_enrolment(bytea) to clinicdesk_app;
grant execute on function clinic.begin_key(int, bytea, bytea), clinic.wrapped_before(int, int),
    clinic.rewrap(int, text[], text[], text[], bytea[], bytea[]), clinic.finish_key(int), clinic.kit_made(text),
    clinic.erase(text, text, timestamptz, int, text[], int, bytea[]) to clinicdesk_app;
