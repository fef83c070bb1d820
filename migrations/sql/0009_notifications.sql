-- Notifications to people who are signed in.
select 1;
