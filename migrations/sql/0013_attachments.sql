-- Immunizations and attachments.
select 1;
