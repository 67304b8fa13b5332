-- The newest deliveries of a webhook.
select d.delivery_id, t.name, d.kind, d.ts, d.tries, d.delivered_at, d.next_try, d.status, d.error
  from delivery d
  join town t on t.town_id = d.town_id
 where d.hook = $1
 order by d.ts desc, d.delivery_id desc
 limit $2
