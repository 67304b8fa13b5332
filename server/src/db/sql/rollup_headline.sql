-- Makes buckets of {to} from {from} in the spans $2 (each {span} long) of town $1: what is gone goes, what is new
-- or differs is written, what is the same is not touched. `{…}` is filled in by db::tier.
with span as (
    select start, start + {span} as stop from unnest($2::timestamptz[]) as start
), fresh as (
    select date_bin({step}, f.bucket, 'epoch'::timestamptz) as bucket,
           sum(f.events)::bigint as events,
           sum(f.calls)::bigint as calls,
           sum(f.call_errors)::bigint as call_errors,
           sum(f.input_tokens)::bigint as input_tokens,
           sum(f.output_tokens)::bigint as output_tokens,
           sum(f.cache_read_tokens)::bigint as cache_read_tokens,
           sum(f.cache_write_5m_tokens)::bigint as cache_write_5m_tokens,
           sum(f.cache_write_1h_tokens)::bigint as cache_write_1h_tokens,
           sum(f.cost_nanodollars)::bigint as cost_nanodollars,
           sum(f.unpriced_tokens)::bigint as unpriced_tokens,
           sum(f.tool_calls)::bigint as tool_calls,
           sum(f.tool_errors)::bigint as tool_errors,
           sum(f.lines_added)::bigint as lines_added,
           sum(f.lines_removed)::bigint as lines_removed,
           sum(f.beads_created)::bigint as beads_created,
           sum(f.beads_closed)::bigint as beads_closed,
           sum(f.lines_landed_added)::bigint as lines_landed_added,
           sum(f.lines_landed_removed)::bigint as lines_landed_removed
    -- Read span by span (`offset 0`): joined freely, a planner with old statistics reads the whole town for each span.
    from span cross join lateral (
        select * from headline_{from} t
        where t.town_id = $1 and t.bucket >= span.start and t.bucket < span.stop
        offset 0
    ) as f
    group by 1
), gone as (
    -- Found span by span (`offset 0` keeps the planner from reading the whole tier) and deleted by their place: only
    -- the worker writes here, and it holds the town's lock.
    delete from headline_{to} where ctid = any(array(
        select old.place
        from span cross join lateral (
            select t.ctid as place, t.bucket from headline_{to} t
            where t.town_id = $1 and t.bucket >= span.start and t.bucket < span.stop
            offset 0
        ) as old
        where not exists (select from fresh where fresh.bucket = old.bucket)
    ))
)
insert into headline_{to} as t (town_id, bucket, events, calls, call_errors, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanodollars, unpriced_tokens, tool_calls, tool_errors, lines_added, lines_removed, beads_created, beads_closed, lines_landed_added, lines_landed_removed)
select $1, * from fresh order by bucket
on conflict (town_id, bucket) do update set
    events = excluded.events,
    calls = excluded.calls,
    call_errors = excluded.call_errors,
    input_tokens = excluded.input_tokens,
    output_tokens = excluded.output_tokens,
    cache_read_tokens = excluded.cache_read_tokens,
    cache_write_5m_tokens = excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = excluded.cache_write_1h_tokens,
    cost_nanodollars = excluded.cost_nanodollars,
    unpriced_tokens = excluded.unpriced_tokens,
    tool_calls = excluded.tool_calls,
    tool_errors = excluded.tool_errors,
    lines_added = excluded.lines_added,
    lines_removed = excluded.lines_removed,
    beads_created = excluded.beads_created,
    beads_closed = excluded.beads_closed,
    lines_landed_added = excluded.lines_landed_added,
    lines_landed_removed = excluded.lines_landed_removed
where (t.events, t.calls, t.call_errors, t.input_tokens, t.output_tokens, t.cache_read_tokens, t.cache_write_5m_tokens, t.cache_write_1h_tokens, t.cost_nanodollars, t.unpriced_tokens, t.tool_calls, t.tool_errors, t.lines_added, t.lines_removed, t.beads_created, t.beads_closed, t.lines_landed_added, t.lines_landed_removed)
   is distinct from (excluded.events, excluded.calls, excluded.call_errors, excluded.input_tokens, excluded.output_tokens, excluded.cache_read_tokens, excluded.cache_write_5m_tokens, excluded.cache_write_1h_tokens, excluded.cost_nanodollars, excluded.unpriced_tokens, excluded.tool_calls, excluded.tool_errors, excluded.lines_added, excluded.lines_removed, excluded.beads_created, excluded.beads_closed, excluded.lines_landed_added, excluded.lines_landed_removed)
