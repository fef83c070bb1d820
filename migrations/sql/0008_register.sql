-- The register: merged records, photos and the session log.
select 1;
