-- What can be taken back, series of appointments, and messages that wait until then.
select 1;
