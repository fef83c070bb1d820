-- Charges, payments, the wallet and the close of a day.
select 1;
