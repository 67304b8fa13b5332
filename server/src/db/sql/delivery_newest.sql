-- The newest deliveries of each of these webhooks, however many there are: one step down the index for each.
select h.hook, d.delivery_id, t.name, d.kind, d.ts, d.tries, d.delivered_at, d.next_try, d.status, d.error
  from unnest($1::text[]) as h(hook)
 cross join lateral (select *
                       from delivery
                      where hook = h.hook
                      order by ts desc, delivery_id desc
                      limit $2) d
  join town t on t.town_id = d.town_id
 order by h.hook, d.ts desc, d.delivery_id desc
