-- Favourites, stopped medicines, facts for the checks, fired and overridden alerts, approved tables.

-- A doctor's own lines, without anybody's name --------------------------------------------------------------------------------------------
create table clinic.favourites (
    id bigint generated always as identity,
    doctor_id bigint not null,
    title text not null,
    item jsonb not null,
    created_at timestamp with time zone default now() not null,
    constraint pk_favourites primary key (id),
    constraint uq_favourites_doctor_id_title unique (doctor_id, title),
    constraint fk_favourites_doctor_id foreign key (doctor_id) references clinic.doctors (id),
    constraint ck_favourites_title check (char_length(title) between 2 and 400),
    constraint ck_favourites_item check (octet_length(item::text) <= 8000)
);

-- Why a medicine was stopped: said once, by whom and when ---------------------------------------------------------------------------------
create table clinic.medicine_stops (
    id bigint generated always as identity,
    medicine_id bigint not null,
    patient_id text not null,
    reason text not null,
    words bytea,
    stopped_by bigint not null,
    stopped_at timestamp with time zone default now() not null,
    constraint pk_medicine_stops primary key (id),
    constraint uq_medicine_stops_medicine_id unique (medicine_id),
    constraint fk_medicine_stops_medicine_id foreign key (medicine_id) references clinic.medicines (id),
    constraint fk_medicine_stops_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_medicine_stops_stopped_by foreign key (stopped_by) references auth.users (id),
    constraint ck_medicine_stops_reason check (reason in ('finished', 'side_effect', 'no_effect', 'replaced', 'interaction', 'wish', 'error', 'other')),
    constraint ck_medicine_stops_words check (octet_length(words) <= 4000)
);
create index ix_medicine_stops_patient_id on clinic.medicine_stops (patient_id);

-- What a clinician said for the checks: pregnant or not, kidney function. The newest statement of a kind counts. -------------------------
create table clinic.patient_facts (
    id bigint generated always as identity,
    patient_id text not null,
    kind text not null,
    pregnant boolean,
    expected_on date,
    egfr numeric(5, 1),
    unit text default '' not null,
    measured_on date,
    stated_by bigint not null,
    stated_at timestamp with time zone default now() not null,
    constraint pk_patient_facts primary key (id),
    constraint fk_patient_facts_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_patient_facts_stated_by foreign key (stated_by) references auth.users (id),
    constraint ck_patient_facts_kind check (kind in ('pregnant', 'egfr')),
    constraint ck_patient_facts_pregnant check ((kind = 'pregnant') = (pregnant is not null) and (expected_on is null or pregnant)),
    constraint ck_patient_facts_egfr check ((kind = 'egfr') = (egfr is not null and measured_on is not null and unit = 'mL/min/1.73 m²')
                                            and (kind = 'egfr' or (egfr is null and measured_on is null and unit = ''))
                                            and (egfr is null or egfr between 1 and 200))
);
create index ix_patient_facts_patient_id on clinic.patient_facts (patient_id, kind, id);

-- What fired when a visit was signed, and what was overridden with which reason -----------------------------------------------------------
create table clinic.alert_firings (
    id bigint generated always as identity,
    consultation_id bigint not null,
    patient_id text not null,
    alert_key text not null,
    rule text not null,
    tier smallint not null,
    medicine text not null,
    data_date text default '' not null,
    fired_at timestamp with time zone default now() not null,
    constraint pk_alert_firings primary key (id),
    constraint fk_alert_firings_consultation_id foreign key (consultation_id) references clinic.consultations (id),
    constraint fk_alert_firings_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint ck_alert_firings_rule check (rule in ('allergy', 'allergy-class', 'allergy-cross-reaction', 'interaction', 'duplicate',
                                                     'max-dose', 'age', 'pregnancy', 'kidney', 'not-checked')),
    constraint ck_alert_firings_tier check (tier between 1 and 3),
    constraint ck_alert_firings_texts check (char_length(alert_key) between 1 and 400 and char_length(medicine) between 1 and 300)
);
create index ix_alert_firings_patient_id on clinic.alert_firings (patient_id);
create index ix_alert_firings_consultation_id on clinic.alert_firings (consultation_id);
create index ix_alert_firings_fired_at on clinic.alert_firings (fired_at);

create table clinic.alert_overrides (
    id bigint generated always as identity,
    consultation_id bigint not null,
    patient_id text not null,
    alert_key text not null,
    rule text not null,
    tier smallint not null,
    medicine text not null,
    reason text not null,
    words bytea,
    data_date text default '' not null,
    given_by bigint not null,
    given_at timestamp with time zone default now() not null,
    constraint pk_alert_overrides primary key (id),
    constraint fk_alert_overrides_consultation_id foreign key (consultation_id) references clinic.consultations (id),
    constraint fk_alert_overrides_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_alert_overrides_given_by foreign key (given_by) references auth.users (id),
    constraint ck_alert_overrides_rule check (rule in ('allergy', 'allergy-class', 'allergy-cross-reaction', 'interaction', 'duplicate',
                                                       'max-dose', 'age', 'pregnancy', 'kidney', 'not-checked')),
    constraint ck_alert_overrides_tier check (tier between 1 and 2),
    constraint ck_alert_overrides_reason check (reason in ('tolerated', 'monitor', 'no_alternative', 'allergy_wrong', 'specialist', 'dose_adjusted')),
    constraint ck_alert_overrides_words check (tier <> 1 or words is not null),
    constraint ck_alert_overrides_texts check (char_length(alert_key) between 1 and 400 and char_length(medicine) between 1 and 300
                                               and coalesce(octet_length(words), 0) <= 4000)
);
create index ix_alert_overrides_patient_id on clinic.alert_overrides (patient_id);
create index ix_alert_overrides_consultation_id on clinic.alert_overrides (consultation_id);
create index ix_alert_overrides_given_at on clinic.alert_overrides (given_at);

-- Which clinician approved which version of which table -----------------------------------------------------------------------------------
create table clinic.content_approvals (
    id bigint generated always as identity,
    content text not null,
    version text not null,
    sha256 text not null,
    doctor_id bigint not null,
    approved_on date not null,
    recorded_by bigint not null,
    recorded_at timestamp with time zone default now() not null,
    constraint pk_content_approvals primary key (id),
    constraint fk_content_approvals_doctor_id foreign key (doctor_id) references clinic.doctors (id),
    constraint fk_content_approvals_recorded_by foreign key (recorded_by) references auth.users (id),
    constraint ck_content_approvals_content check (content ~ '^[a-z_]{2,40}$'),
    constraint ck_content_approvals_sha256 check (sha256 ~ '^[0-9a-f]{64}$'),
    constraint ck_content_approvals_version check (char_length(version) between 1 and 40)
);
create index ix_content_approvals_content on clinic.content_approvals (content, id);

-- A medicine that names a prescription item names one of the same person ------------------------------------------------------------------
create function clinic.guard_medicine_item() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if new.prescription_item_id is not null and not exists (
        select 1 from clinic.prescription_items i where i.id = new.prescription_item_id
                                                    and i.patient_id = any(clinic.person_ids(new.patient_id))) then
        raise exception using errcode = 'CD001', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_item before insert on clinic.medicines for each row execute function clinic.guard_medicine_item();

-- What the administrator may count: no patient, no words, only how often --------------------------------------------------------------------
create function clinic.override_report(p_from date, p_until date)
returns table (rule text, tier smallint, medicine text, alert_key text, fired bigint, overridden bigint, reasons jsonb)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.my_role() is distinct from 'administrator' then
        raise exception using errcode = 'CD001', message = 'refused';
    end if;
    return query
    with days as (select (p_from::timestamp at time zone clinic.zone()) as t0, ((p_until + 1)::timestamp at time zone clinic.zone()) as t1),
    f as (select a.rule, a.tier, a.medicine, a.alert_key, count(*) n from clinic.alert_firings a, days
           where a.fired_at >= days.t0 and a.fired_at < days.t1 group by 1, 2, 3, 4),
    o as (select x.rule, x.tier, x.medicine, x.alert_key, sum(x.n)::bigint n, jsonb_object_agg(x.reason, x.n) reasons
            from (select a.rule, a.tier, a.medicine, a.alert_key, a.reason, count(*) n from clinic.alert_overrides a, days
                   where a.given_at >= days.t0 and a.given_at < days.t1 group by 1, 2, 3, 4, 5) x group by 1, 2, 3, 4)
    select coalesce(f.rule, o.rule), coalesce(f.tier, o.tier), coalesce(f.medicine, o.medicine), coalesce(f.alert_key, o.alert_key),
           coalesce(f.n, o.n), coalesce(o.n, 0), coalesce(o.reasons, '{}'::jsonb)
      from f full join o on f.rule = o.rule and f.tier = o.tier and f.medicine = o.medicine and f.alert_key = o.alert_key
     order by 2, 6 desc, 5 desc, 1, 3;
end $$;
revoke all on function clinic.override_report(date, date), clinic.guard_medicine_item() from public;
grant execute on function clinic.override_report(date, date) to clinicdesk_app;

do $$
declare t text;
begin
    foreach t in array array['favourites', 'medicine_stops', 'patient_facts', 'alert_firings', 'alert_overrides', 'content_approvals'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%I, clinic.%I to clinicdesk_backup', t, t || '_id_seq');
        execute format('grant select on clinic.%I to clinicdesk_app', t);
    end loop;
    foreach t in array array['medicine_stops', 'patient_facts', 'alert_firings', 'alert_overrides'] loop
        execute format('create policy own_read on clinic.%I for select to clinicdesk_app using (patient_id = (select auth.my_patient()))', t);
        execute format('create policy care_read on clinic.%1$I for select to clinicdesk_app
            using (exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                         and (c.until is null or c.until >= current_date)))', t);
    end loop;
end $$;

grant insert (doctor_id, title, item), delete on clinic.favourites to clinicdesk_app;
create policy own on clinic.favourites to clinicdesk_app using (doctor_id = (select auth.my_doctor()))
    with check (doctor_id = (select auth.my_doctor()));

grant insert (medicine_id, patient_id, reason, words, stopped_by) on clinic.medicine_stops to clinicdesk_app;
create policy doctor_insert on clinic.medicine_stops for insert to clinicdesk_app
    with check (stopped_by = (select auth.me())
                and exists (select 1 from clinic.medicines m join clinic.care c on c.patient_id = m.patient_id
                             where m.id = medicine_id and m.patient_id = medicine_stops.patient_id and c.doctor_id = (select auth.my_doctor())
                               and (c.until is null or c.until >= current_date)));

grant insert (patient_id, kind, pregnant, expected_on, egfr, unit, measured_on, stated_by) on clinic.patient_facts to clinicdesk_app;
create policy doctor_insert on clinic.patient_facts for insert to clinicdesk_app
    with check (stated_by = (select auth.me())
                and exists (select 1 from clinic.care c where c.patient_id = patient_facts.patient_id and c.doctor_id = (select auth.my_doctor())
                                                          and (c.until is null or c.until >= current_date)));

-- Both only while the visit is being signed: afterwards nothing is added to what was decided.
grant insert (consultation_id, patient_id, alert_key, rule, tier, medicine, data_date) on clinic.alert_firings to clinicdesk_app;
create policy doctor_insert on clinic.alert_firings for insert to clinicdesk_app
    with check (exists (select 1 from clinic.consultations c where c.id = consultation_id and c.patient_id = alert_firings.patient_id
                                                               and c.doctor_id = (select auth.my_doctor()) and c.status = 'in_progress'));
grant insert (consultation_id, patient_id, alert_key, rule, tier, medicine, reason, words, data_date, given_by) on clinic.alert_overrides
    to clinicdesk_app;
create policy doctor_insert on clinic.alert_overrides for insert to clinicdesk_app
    with check (given_by = (select auth.me())
                and exists (select 1 from clinic.consultations c where c.id = consultation_id and c.patient_id = alert_overrides.patient_id
                                                                   and c.doctor_id = (select auth.my_doctor()) and c.status = 'in_progress'));

grant insert (content, version, sha256, doctor_id, approved_on, recorded_by) on clinic.content_approvals to clinicdesk_app;
create policy staff_read on clinic.content_approvals for select to clinicdesk_app using ((select auth.is_staff()));
create policy administrator_insert on clinic.content_approvals for insert to clinicdesk_app
    with check ((select auth.my_role()) = 'administrator' and recorded_by = (select auth.me()));

create trigger tell after insert on clinic.patient_facts for each row execute function clinic.tell('chart', 'patient_id');
create trigger tell after insert on clinic.medicine_stops for each row execute function clinic.tell('chart', 'patient_id');
create trigger tell after insert on clinic.content_approvals for each row execute function clinic.tell('content', '');
create trigger tell after insert or delete on clinic.favourites for each row execute function clinic.tell('favourites', '');
