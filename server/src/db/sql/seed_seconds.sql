-- model::Aggregate per second, for the dials' five minutes. Kinds: 0 model call, 1 tool call, 2 lines, 5 bead
-- (state 0 created, 1 closed), 7 lines landed.
select date_trunc('second', ts) as second,
       count(*) as events,
       count(*) filter (where kind = 0) as calls,
       count(*) filter (where kind = 0 and not ok) as call_errors,
       coalesce(sum(input_tokens) filter (where kind = 0), 0)::bigint as input_tokens,
       coalesce(sum(output_tokens) filter (where kind = 0), 0)::bigint as output_tokens,
       coalesce(sum(cache_read_tokens) filter (where kind = 0), 0)::bigint as cache_read_tokens,
       coalesce(sum(cache_write_5m_tokens) filter (where kind = 0), 0)::bigint as cache_write_5m_tokens,
       coalesce(sum(cache_write_1h_tokens) filter (where kind = 0), 0)::bigint as cache_write_1h_tokens,
       coalesce(sum(cost) filter (where kind = 0), 0)::bigint as cost_nanodollars,
       coalesce(sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(cache_read_tokens, 0)
                    + coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0))
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
 where town_id = $1 and ts > $2
 group by 1
