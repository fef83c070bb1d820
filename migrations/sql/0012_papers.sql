-- Signing keys, papers, their signatures, and cancelled papers. What is issued is signed by the doctor who is signed in, or it is not there;
-- nothing of it changes. Who cancels a paper adds a row that nobody can take away.

create table clinic.signing_keys (
    id bigint generated always as identity,
    user_id bigint not null,
    owner_name text default '' not null,
    registration text default '' not null,
    public_key bytea not null,
    certificate bytea not null,
    made_at timestamp with time zone default now() not null,
    retired_at timestamp with time zone,
    constraint pk_signing_keys primary key (id),
    constraint uq_signing_keys_public_key unique (public_key),
    constraint fk_signing_keys_user_id foreign key (user_id) references auth.users (id),
    constraint ck_signing_keys_public_key check (octet_length(public_key) = 32),
    constraint ck_signing_keys_certificate check (octet_length(certificate) between 100 and 2000)
);
create unique index uq_signing_keys_in_use on clinic.signing_keys (user_id) where retired_at is null;

-- The private half, wrapped by the clinic key: its own table, because row security hides rows and not columns.
create table clinic.signing_secrets (
    key_id bigint not null,
    user_id bigint not null,
    wrapped bytea not null,
    constraint pk_signing_secrets primary key (key_id),
    constraint fk_signing_secrets_key_id foreign key (key_id) references clinic.signing_keys (id),
    constraint fk_signing_secrets_user_id foreign key (user_id) references auth.users (id),
    constraint ck_signing_secrets_wrapped check (octet_length(wrapped) = 61)
);

create table clinic.papers (
    id bigint generated always as identity,
    kind text not null,
    number text not null,
    consultation_id bigint not null,
    patient_id text not null,
    doctor_id bigint not null,
    issued_at timestamp with time zone default now() not null,
    page text not null,
    pdf bytea not null,
    pdf_sha256 bytea not null,
    printed integer default 0 not null,
    last_printed_at timestamp with time zone,
    constraint pk_papers primary key (id),
    constraint uq_papers_number unique (number),
    constraint fk_papers_consultation_id foreign key (consultation_id) references clinic.consultations (id),
    constraint fk_papers_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_papers_doctor_id foreign key (doctor_id) references clinic.doctors (id),
    constraint ck_papers_kind check (kind in ('VS', 'SN', 'RL')),
    constraint ck_papers_number check (number ~ '^[A-Z]{2}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$' and left(number, 2) = kind),
    constraint ck_papers_pdf_sha256 check (octet_length(pdf_sha256) = 32),
    constraint ck_papers_page check (page in ('A4', 'A5', 'Letter')),
    constraint ck_papers_printed check (printed >= 0)
);
create index ix_papers_patient_id_issued_at on clinic.papers (patient_id, issued_at);
create index ix_papers_consultation_id on clinic.papers (consultation_id);

create table clinic.signatures (
    id bigint generated always as identity,
    number text not null,
    patient_id text not null,
    prescription_id bigint,
    paper_id bigint,
    key_id bigint not null,
    signed_by bigint not null,
    signed_at timestamp with time zone default now() not null,
    canonical bytea not null,
    signature bytea not null,
    constraint pk_signatures primary key (id),
    constraint uq_signatures_number unique (number),
    constraint fk_signatures_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_signatures_prescription_id foreign key (prescription_id) references clinic.prescriptions (id),
    constraint fk_signatures_paper_id foreign key (paper_id) references clinic.papers (id),
    constraint fk_signatures_key_id foreign key (key_id) references clinic.signing_keys (id),
    constraint fk_signatures_signed_by foreign key (signed_by) references auth.users (id),
    constraint ck_signatures_of check ((prescription_id is null) <> (paper_id is null)),
    constraint ck_signatures_signature check (octet_length(signature) = 64),
    constraint ck_signatures_canonical check (octet_length(canonical) between 30 and 100000)
);
create index ix_signatures_patient_id on clinic.signatures (patient_id);

create table clinic.voids (
    id bigint generated always as identity,
    number text not null,
    patient_id text not null,
    voided_by bigint not null,
    voided_at timestamp with time zone default now() not null,
    reason bytea not null,
    constraint pk_voids primary key (id),
    constraint uq_voids_number unique (number),
    constraint fk_voids_patient_id foreign key (patient_id) references clinic.patients (id),
    constraint fk_voids_voided_by foreign key (voided_by) references auth.users (id),
    constraint ck_voids_reason check (octet_length(reason) between 30 and 4000)
);
create index ix_voids_patient_id on clinic.voids (patient_id);

-- A key is its maker's: name and registration come from the accounts, whatever was sent, and nothing but its retirement changes.
create function clinic.guard_signing_key() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' then
        if (to_jsonb(new) - 'retired_at') is distinct from (to_jsonb(old) - 'retired_at') or old.retired_at is not null then
            raise exception using errcode = 'CD010', constraint = 'signing_key_kept', message = 'refused';
        end if;
        if new.retired_at is not null then new.retired_at := now(); end if;
        return new;
    end if;
    if auth.me() is not null and new.user_id is distinct from auth.me() then
        raise exception using errcode = 'CD010', constraint = 'signing_key_own', message = 'refused';
    end if;
    select u.name, d.licence_number into new.owner_name, new.registration
      from auth.users u join clinic.doctors d on d.user_id = u.id where u.id = new.user_id;
    if new.owner_name is null then
        raise exception using errcode = 'CD010', constraint = 'signing_key_own', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_signing_key before insert or update on clinic.signing_keys for each row execute function clinic.guard_signing_key();

create function clinic.guard_signing_secret() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select 1 from clinic.signing_keys k where k.id = new.key_id and k.user_id = new.user_id) then
        raise exception using errcode = 'CD010', constraint = 'signing_key_own', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_signing_secret before insert on clinic.signing_secrets for each row execute function clinic.guard_signing_secret();

-- A paper belongs to a consultation of this doctor with this patient; a visit summary to a signed one. Somebody else's consultation and
-- one that does not exist are refused alike.
create function clinic.guard_paper() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select 1 from clinic.consultations c where c.id = new.consultation_id and c.patient_id = new.patient_id
                     and c.doctor_id = new.doctor_id and (new.kind <> 'VS' or c.status = 'completed'))
       or auth.me() is not null and (new.doctor_id is distinct from auth.my_doctor() or not exists (select 1 from clinic.care k where k.patient_id = new.patient_id and k.doctor_id = auth.my_doctor()
                                     and (k.until is null or k.until >= current_date))) then
        raise exception using errcode = 'CD010', constraint = 'paper_consultation', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_paper before insert on clinic.papers for each row execute function clinic.guard_paper();

-- A signature is that of the person signed in, with her own key in use, on a paper of hers that has this number.
create function clinic.guard_signature() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is not null and new.signed_by is distinct from auth.me()
       or not exists (select 1 from clinic.signing_keys k where k.id = new.key_id and k.user_id = new.signed_by and k.retired_at is null)
       or not exists (select 1 from clinic.doctors d join (
                          select p.id, 'RX' as kind, p.number, p.patient_id, p.doctor_id from clinic.prescriptions p
                           where p.id = new.prescription_id
                          union all select p.id, p.kind, p.number, p.patient_id, p.doctor_id from clinic.papers p where p.id = new.paper_id) x
                          on x.doctor_id = d.id
                       where d.user_id = new.signed_by and x.number = new.number and x.patient_id = new.patient_id) then
        raise exception using errcode = 'CD010', constraint = 'signature_own', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_signature before insert on clinic.signatures for each row execute function clinic.guard_signature();

-- No issued paper without a signature, looked at when the transaction ends.
create function clinic.require_signature() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is not null and not exists (select 1 from clinic.signatures s where s.number = new.number) then
        raise exception using errcode = 'CD010', constraint = 'paper_unsigned', message = 'refused';
    end if;
    return null;
end $$;
create constraint trigger require_signature after insert on clinic.prescriptions deferrable initially deferred
    for each row execute function clinic.require_signature();
create constraint trigger require_signature after insert on clinic.papers deferrable initially deferred
    for each row execute function clinic.require_signature();

create function clinic.guard_void() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if auth.me() is not null and (new.voided_by is distinct from auth.me() or not exists (select 1 from clinic.care k where k.patient_id = new.patient_id and k.doctor_id = auth.my_doctor()
                                     and (k.until is null or k.until >= current_date)))
       or not exists (select 1 from clinic.prescriptions p where p.number = new.number and p.patient_id = new.patient_id
                      union all select 1 from clinic.papers p where p.number = new.number and p.patient_id = new.patient_id) then
        raise exception using errcode = 'CD010', constraint = 'void_own', message = 'refused';
    end if;
    return new;
end $$;
create trigger guard_void before insert on clinic.voids for each row execute function clinic.guard_void();

-- The list for the trust file: numbers and dates, nobody's name. Any member of staff may take it to a pharmacy.
create function clinic.cancelled_numbers() returns table (number text, voided_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not coalesce(auth.is_staff(), false) then return; end if;
    return query select v.number, v.voided_at from clinic.voids v order by v.voided_at, v.id;
end $$;
revoke execute on function clinic.cancelled_numbers() from public;
grant execute on function clinic.cancelled_numbers() to clinicdesk_app;

do $$
declare t text;
begin
    foreach t in array array['signing_keys', 'signing_secrets', 'papers', 'signatures', 'voids'] loop
        execute format('alter table clinic.%I enable row level security', t);
        execute format('alter table clinic.%I force row level security', t);
        execute format('create policy owner on clinic.%I to clinicdesk_owner using (true) with check (true)', t);
        execute format('grant select on clinic.%I to clinicdesk_backup', t);
        if t <> 'signing_secrets' then execute format('grant select on clinic.%I to clinicdesk_backup', t || '_id_seq'); end if;
        execute format('grant select on clinic.%I to clinicdesk_app', t);
    end loop;
    foreach t in array array['papers', 'signatures', 'voids'] loop
        execute format('create policy own_read on clinic.%I for select to clinicdesk_app using (patient_id = (select auth.my_patient()))', t);
        execute format('create policy care_read on clinic.%1$I for select to clinicdesk_app
            using (exists (select 1 from clinic.care c where c.patient_id = %1$I.patient_id and c.doctor_id = (select auth.my_doctor())
                                                         and (c.until is null or c.until >= current_date)))', t);
    end loop;
end $$;
create policy staff_read on clinic.signing_keys for select to clinicdesk_app using ((select auth.me()) is not null);
grant insert (user_id, public_key, certificate) on clinic.signing_keys to clinicdesk_app;
create policy own_insert on clinic.signing_keys for insert to clinicdesk_app
    with check (user_id = (select auth.me()) and (select auth.my_doctor()) is not null);
grant update (retired_at) on clinic.signing_keys to clinicdesk_app;
create policy own_update on clinic.signing_keys for update to clinicdesk_app
    using (user_id = (select auth.me())) with check (user_id = (select auth.me()));
create policy own_read on clinic.signing_secrets for select to clinicdesk_app using (user_id = (select auth.me()));
grant insert (key_id, user_id, wrapped) on clinic.signing_secrets to clinicdesk_app;
create policy own_insert on clinic.signing_secrets for insert to clinicdesk_app
    with check (user_id = (select auth.me()) and (select auth.my_doctor()) is not null
                and exists (select 1 from clinic.signing_keys k where k.id = key_id and k.user_id = (select auth.me())));
grant insert (kind, number, consultation_id, patient_id, doctor_id, page, pdf, pdf_sha256) on clinic.papers to clinicdesk_app;
create policy doctor_insert on clinic.papers for insert to clinicdesk_app with check (doctor_id = (select auth.my_doctor())
    and exists (select 1 from clinic.care c where c.patient_id = papers.patient_id and c.doctor_id = (select auth.my_doctor())
                                              and (c.until is null or c.until >= current_date)));
grant update (printed, last_printed_at) on clinic.papers to clinicdesk_app;
create policy doctor_update on clinic.papers for update to clinicdesk_app
    using (exists (select 1 from clinic.care c where c.patient_id = papers.patient_id and c.doctor_id = (select auth.my_doctor())
                                                 and (c.until is null or c.until >= current_date))) with check (true);
grant insert (number, patient_id, prescription_id, paper_id, key_id, signed_by, canonical, signature)
    on clinic.signatures to clinicdesk_app;
create policy doctor_insert on clinic.signatures for insert to clinicdesk_app with check (signed_by = (select auth.me())
    and exists (select 1 from clinic.care c where c.patient_id = signatures.patient_id and c.doctor_id = (select auth.my_doctor())
                                              and (c.until is null or c.until >= current_date)));
grant insert (number, patient_id, voided_by, reason) on clinic.voids to clinicdesk_app;
create policy doctor_insert on clinic.voids for insert to clinicdesk_app with check (voided_by = (select auth.me())
    and exists (select 1 from clinic.care c where c.patient_id = voids.patient_id and c.doctor_id = (select auth.my_doctor())
                                              and (c.until is null or c.until >= current_date)));
create trigger tell after insert or update on clinic.papers for each row execute function clinic.tell('chart', 'patient_id');
create trigger tell after insert on clinic.voids for each row execute function clinic.tell('chart', 'patient_id');
create trigger tell after insert or update on clinic.signing_keys for each row execute function clinic.tell('keys', '');
