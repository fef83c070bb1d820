-- The waiting list, its offers, and the numbers called to a room.
select 1;
