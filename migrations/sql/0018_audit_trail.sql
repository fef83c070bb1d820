-- What the log hears of: every change of a row that matters (triggers), every release of a patient key (the only way to one), every sign-in (in the
-- functions that do it), and from the desk what only the desk can know: which categories of a chart were read, what was exported, what was refused.

-- Links all events of a transaction when it commits, the first time this fires for it; the later firings find their event linked. Every event that
-- is visible and not linked belongs to this transaction, for others were linked before they could be seen.
create or replace function audit.link() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_head audit.head;
    e audit.events;
begin
    if exists (select 1 from audit.chain c where c.event_id = new.id) then return null; end if;
    select * into v_head from audit.head for update;
    for e in select * from audit.events v where v.id >= new.id and not exists (select 1 from audit.chain c where c.event_id = v.id) order by v.id loop
        v_head.seq := v_head.seq + 1;
        v_head.hash := sha256(v_head.hash || convert_to(audit.canonical(v_head.seq, e), 'UTF8'));
        insert into audit.chain (seq, event_id, hash) values (v_head.seq, e.id, v_head.hash);
    end loop;
    update audit.head set seq = v_head.seq, hash = v_head.hash;
    return null;
end $$;

-- The end of the chain moves when a transaction commits, by the function above, and in no other way.
create function audit.guard_head() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op <> 'UPDATE' or pg_trigger_depth() < 2 then
        raise exception using errcode = 'CD010', constraint = 'audit_append_only', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_head before update or delete on audit.head for each row execute function audit.guard_head();
create trigger no_truncate before truncate on audit.head for each statement execute function audit.refuse();

-- Changes -----------------------------------------------------------------------------------------------------------------------------------
-- Arguments: category, the column that names the patient ('' for none), and the columns that name the row. No value of a record is kept, only
-- which columns changed. A count of prints that grew is a print.
create function audit.follow() returns trigger
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_new jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
    v_old jsonb;
    v_columns text[];
    v_action text := case tg_op when 'INSERT' then 'add' when 'DELETE' then 'delete' else 'change' end;
    v_subject text := tg_table_name;
    v_key text;
begin
    if tg_op = 'UPDATE' then
        v_old := to_jsonb(old);
        select array_agg(n.key order by n.key) into v_columns from jsonb_each(v_new) n
         where n.value is distinct from v_old -> n.key and n.key not in ('version', 'updated_at', 'status_since', 'last_printed_at');
        if v_columns is null then return null; end if;
        if v_columns = array['printed'] then v_action := 'print'; end if;
    end if;
    foreach v_key in array string_to_array(tg_argv[2], ',') loop
        v_subject := v_subject || ' ' || coalesce(v_new ->> v_key, '-');
    end loop;
    perform audit.note(v_action, tg_argv[0], case when tg_argv[1] <> '' then v_new ->> tg_argv[1] end, v_subject,
                       case when v_columns is null then '{}' else jsonb_build_object('columns', v_columns) end);
    return null;
end $$;

do $$
declare
    t text;
    v_table text;
    v_category text;
    v_patient text;
    v_keys text;
begin
    foreach t in array array[
        'auth.users account', 'clinic.doctors account', 'clinic.signing_keys account', 'clinic.settings settings', 'clinic.content_approvals settings',
        'clinic.favourites settings',
        'clinic.patients identity', 'clinic.emergency_contacts identity', 'clinic.sealed_fields background', 'clinic.photos identity',
        'clinic.patient_tags identity', 'clinic.import_keys identity', 'clinic.merges identity', 'clinic.aliases identity',
        'clinic.different_people identity', 'clinic.patient_keys key', 'clinic.assignments care',
        'clinic.appointments schedule', 'clinic.series schedule', 'clinic.waiting_list schedule', 'clinic.offers schedule',
        'clinic.working_hours schedule', 'clinic.closures schedule', 'clinic.time_slots schedule', 'clinic.messages messages',
        'clinic.consultations visits', 'clinic.visits visits', 'clinic.notes notes', 'clinic.addenda notes', 'clinic.diagnoses diagnoses',
        'clinic.vitals vitals', 'clinic.problems problems', 'clinic.allergies allergies', 'clinic.allergy_statements allergies',
        'clinic.medicines medicines', 'clinic.medicine_stops medicines', 'clinic.patient_facts facts', 'clinic.alert_overrides alerts',
        'clinic.prescriptions prescriptions', 'clinic.prescription_items prescriptions', 'clinic.papers papers', 'clinic.signatures papers',
        'clinic.voids papers', 'clinic.records records', 'clinic.annotations records', 'clinic.attachments documents',
        'clinic.immunizations immunizations', 'clinic.session_log therapy',
        'clinic.charges money', 'clinic.receipts money', 'clinic.payments money', 'clinic.wallet_entries money', 'clinic.day_closes money'] loop
        v_table := split_part(t, ' ', 1);
        v_category := split_part(t, ' ', 2);
        select coalesce(min(case when v_table = 'clinic.patients' and attname = 'id' then 'id' when v_table = 'clinic.merges' and attname = 'kept_id'
                                 then 'kept_id' when attname = 'patient_id' then 'patient_id' end), '') into v_patient
          from pg_attribute where attrelid = v_table::regclass and attnum > 0 and not attisdropped;
        -- A tag and another system's number are somebody's words or an identifier: they do not name the row here.
        select string_agg(a.attname, ',' order by a.attnum) into v_keys from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
         where i.indrelid = v_table::regclass and i.indisprimary and a.attname not in ('patient_id', 'tag', 'external_id');
        execute format('create trigger audit after insert or update or delete on %s for each row execute function audit.follow(%L, %L, %L)',
                       v_table, v_category, v_patient, coalesce(v_keys, ''));
    end loop;
end $$;

-- A change of the clinic key wraps every patient key anew; that is one event when it begins and one when it ends.
drop trigger audit on clinic.patient_keys;
create trigger audit after insert or delete on clinic.patient_keys for each row execute function audit.follow('key', 'patient_id', 'purpose');

-- What the desk tells -------------------------------------------------------------------------------------------------------------------------
-- Which categories of whose chart were read in this transaction or the one just before. Signed-in people only.
create function audit.saw(p_patients text[], p_categories text[]) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null then raise exception using errcode = 'CD002', message = 'signed out'; end if;
    perform audit.note('read', c, p) from unnest(p_patients, p_categories) as seen(p, c);
end $$;

create function audit.told(p_action text, p_category text, p_patient text, p_subject text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null then raise exception using errcode = 'CD002', message = 'signed out'; end if;
    if p_action not in ('print', 'export', 'lock', 'unlock', 'preview') then
        raise exception using errcode = 'CD001', message = 'not allowed';
    end if;
    perform audit.note(p_action, p_category, p_patient, p_subject);
end $$;

-- A refusal rolls back with what it refused, so the desk reports it afterwards. Nobody signed in: nothing to say about whom.
create function audit.refused(p_category text, p_patient text, p_subject text) returns void
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is null then return; end if;
    perform audit.note('refusal', p_category, p_patient, p_subject, '{}', 'refused');
end $$;

-- Keys: released one by one and written down ------------------------------------------------------------------------------------------------
create function clinic.in_care(p_patient text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select 1 from clinic.care c where c.patient_id = p_patient and c.doctor_id = auth.my_doctor()
                                                and (c.until is null or c.until >= current_date));
end $$;

create function clinic.may_open(p_patient text, p_purpose text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    v_role text := auth.my_role();
begin
    return coalesce(v_role = 'administrator' or (v_role = 'receptionist' and p_purpose = 'identity')
                    or (v_role = 'patient' and p_patient = any(clinic.person_ids(auth.my_patient())))
                    or (v_role = 'doctor' and clinic.in_care(p_patient)), false);
end $$;

-- The wrapped key of a patient and the generation of the clinic key it is wrapped by, or nothing where the reader may not have it (and where there is none: the two look the same). No client can
-- read the column itself, so no sealed text is ever opened without a row in the log.
create function clinic.release_key(p_patient text, p_purpose text, out wrapped bytea, out generation int)
language plpgsql volatile security definer set search_path = pg_catalog, pg_temp as $$
begin
    if clinic.may_open(p_patient, p_purpose) then
        select k.wrapped, k.generation into wrapped, generation from clinic.patient_keys k where k.patient_id = p_patient and k.purpose = p_purpose;
    end if;
    perform audit.note('key', p_purpose, p_patient, '', '{}', case when wrapped is null then 'refused' else 'done' end);
end $$;
revoke select on clinic.patient_keys from clinicdesk_app;
grant select (patient_id, purpose, generation) on clinic.patient_keys to clinicdesk_app;

-- Anchors: copies of the head of the chain that leave the database. `mark` is an HMAC under a key made from the clinic key, which no database has.
create table audit.anchors (
    seq bigint not null,
    hash bytea not null,
    at timestamptz not null default now(),
    mark bytea not null,
    constraint pk_anchors primary key (seq, hash),
    constraint ck_anchors_mark check (octet_length(mark) = 32 and octet_length(hash) = 32)
);
create trigger append_only before update or delete on audit.anchors for each row execute function audit.refuse();
create trigger no_truncate before truncate on audit.anchors for each statement execute function audit.refuse();
alter table audit.anchors enable row level security;
alter table audit.anchors force row level security;
create policy owner on audit.anchors to clinicdesk_owner using (true) with check (true);
create policy administrator_read on audit.anchors for select to clinicdesk_app using ((select auth.my_role()) = 'administrator');
create policy worker_read on audit.anchors for select to clinicdesk_worker using (true);
create policy worker_insert on audit.anchors for insert to clinicdesk_worker with check (true);
grant select on audit.anchors to clinicdesk_app, clinicdesk_worker, clinicdesk_backup;
grant insert on audit.anchors to clinicdesk_worker;

-- Who opened my record: a patient's own view of the log, by person, day and kind, without desks and row numbers.
create function audit.my_readers(p_limit int default 500)
returns table (at timestamptz, name text, role text, action text, category text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_patient() is null then return; end if;
    return query
        select e.at, coalesce(u.name, 'The clinic''s program'), e.role, e.action, e.category
          from audit.events e left join auth.users u on u.id = e.user_id
         where e.patient_id = any(clinic.person_ids(auth.my_patient())) and e.user_id is distinct from auth.me()
           and e.action in ('read', 'print', 'export', 'change', 'add', 'delete', 'glass') and e.outcome = 'done'
         order by e.id desc limit least(p_limit, 5000);
end $$;

revoke all on function audit.follow(), audit.guard_head(), audit.saw(text[], text[]), audit.told(text, text, text, text), audit.refused(text, text, text),
    clinic.in_care(text), clinic.may_open(text, text), clinic.release_key(text, text), audit.my_readers(int) from public;
grant execute on function audit.saw(text[], text[]), audit.told(text, text, text, text), audit.refused(text, text, text),
    clinic.release_key(text, text), audit.my_readers(int) to clinicdesk_app;
