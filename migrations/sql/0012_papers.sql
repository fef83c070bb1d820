-- Signing keys, signed papers and cancelled prescriptions.
select 1;
