-- Everything that was filled in, and the same up to and including the last top-up. No row: no ledger.
with topup as (
    select ts, entry_id from ledger where town_id = $1 and kind = 'topup' order by ts desc, entry_id desc limit 1
)
select min(ledger.ts) as first,
       coalesce((select ts from topup), min(ledger.ts)) as last_topup,
       sum(amount)::bigint as filled,
       coalesce(sum(amount) filter (
           where (ledger.ts, ledger.entry_id) <= (select ts, entry_id from topup)), sum(amount))::bigint as filled_at_topup
  from ledger
 where town_id = $1
having count(*) > 0
