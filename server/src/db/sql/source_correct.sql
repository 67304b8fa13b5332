-- what repricing changes of the sums of both costs; an upsert because that locks rows in the order in which they come
insert into source as s (town_id, source, reported, computed)
select * from unnest($1::integer[], $2::text[], $3::bigint[], $4::bigint[])
on conflict (town_id, source) do update set
    reported = s.reported + excluded.reported,
    computed = s.computed + excluded.computed
