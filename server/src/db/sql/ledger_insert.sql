-- A retried request fills in once: the second time no row comes back.
insert into ledger (town_id, ts, kind, amount, note, request)
values ($1, $2, $3, $4, $5, $6)
on conflict on constraint ledger_request_once do nothing
returning entry_id
