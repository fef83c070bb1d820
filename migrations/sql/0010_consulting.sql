-- Diagnoses, addenda and more vital signs.
select 1;
