-- who showed signs of work, per minute
insert into presence as p (town_id, minute, rig, agent, n)
select * from unnest($1::integer[], $2::timestamptz[], $3::text[], $4::text[], $5::bigint[])
on conflict (town_id, minute, rig, agent) do update set n = p.n + excluded.n
