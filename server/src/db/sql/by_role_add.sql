-- adds a batch's sums to the finest tier, by role
insert into by_role_10s as h (town_id, bucket, role, cost, tokens, calls, events)
select * from unnest($1::integer[], $2::timestamptz[], $3::smallint[], $4::bigint[], $5::bigint[], $6::bigint[],
                     $7::bigint[])
on conflict (town_id, bucket, role) do update set
    cost = h.cost + excluded.cost,
    tokens = h.tokens + excluded.tokens,
    calls = h.calls + excluded.calls,
    events = h.events + excluded.events
