-- The events folded from scratch, as model::Aggregate::of and Envelope::is_activity say it, into tables of this
-- transaction. Kinds: 0 model call, 1 tool call, 2 lines, 3 agent state (0 working), 5 bead (0 created, 1 closed),
-- 7 lines landed.
create temp table fold_role on commit drop as
select town_id,
       date_bin(interval '10 seconds', ts, 'epoch'::timestamptz) as bucket,
       role,
       count(*) as events,
       count(*) filter (where kind = 0) as calls,
       count(*) filter (where kind = 0 and not ok) as call_errors,
       coalesce(sum(input_tokens), 0)::bigint as input_tokens,
       coalesce(sum(output_tokens), 0)::bigint as output_tokens,
       coalesce(sum(cache_read_tokens), 0)::bigint as cache_read_tokens,
       coalesce(sum(cache_write_5m_tokens), 0)::bigint as cache_write_5m_tokens,
       coalesce(sum(cache_write_1h_tokens), 0)::bigint as cache_write_1h_tokens,
       coalesce(sum(cost), 0)::bigint as cost_nanodollars,
       coalesce(sum(input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens)
                filter (where kind = 0 and cost is null), 0)::bigint as unpriced_tokens,
       count(*) filter (where kind = 1) as tool_calls,
       count(*) filter (where kind = 1 and not ok) as tool_errors,
       coalesce(sum(lines_added) filter (where kind = 2), 0)::bigint as lines_added,
       coalesce(sum(lines_removed) filter (where kind = 2), 0)::bigint as lines_removed,
       count(*) filter (where kind = 5 and state = 0) as beads_created,
       count(*) filter (where kind = 5 and state = 1) as beads_closed,
       coalesce(sum(lines_added) filter (where kind = 7), 0)::bigint as lines_landed_added,
       coalesce(sum(lines_removed) filter (where kind = 7), 0)::bigint as lines_landed_removed
from event
group by 1, 2, 3;

create temp table fold_presence on commit drop as
select town_id, date_bin(interval '1 minute', ts, 'epoch'::timestamptz) as minute, coalesce(rig, '') as rig, agent,
       count(*) as n
from event
where agent is not null and (kind in (0, 1, 2) or (kind = 3 and state = 0 and source not in ('beads', 'gt_status', 'tmux')))
group by 1, 2, 3, 4;

create temp table fold_working on commit drop as
select town_id, bucket, count(*) * 60 as seconds
from (
    select distinct town_id, minute + held * interval '1 minute' as bucket, rig, agent
    from fold_presence cross join generate_series(0, 2) as held
) as at_work
group by 1, 2;

create temp table fold_unpriced on commit drop as
select town_id, date_bin(interval '6 hours', ts, 'epoch'::timestamptz) as bucket, model,
       count(*) as calls,
       sum(input_tokens)::bigint as input_tokens,
       sum(output_tokens)::bigint as output_tokens,
       sum(cache_read_tokens)::bigint as cache_read_tokens,
       sum(cache_write_5m_tokens)::bigint as cache_write_5m_tokens,
       sum(cache_write_1h_tokens)::bigint as cache_write_1h_tokens
from event
where kind = 0 and cost is null
group by 1, 2, 3;

create temp table fold_pending on commit drop as
select distinct town_id, bucket from rollup_dirty;

analyze fold_role, fold_presence, fold_working, fold_unpriced, fold_pending
