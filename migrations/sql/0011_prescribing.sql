-- Favourites, stopped medicines, overridden alerts and approved tables.
select 1;
