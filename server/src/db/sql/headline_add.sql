-- adds a batch's sums to the finest tier; `h` keeps room for HOT updates, no updated column is indexed
insert into headline_10s as h (town_id, bucket, events, calls, call_errors, input_tokens, output_tokens,
                               cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens, cost_nanodollars,
                               unpriced_tokens, tool_calls, tool_errors, lines_added,
                               lines_removed, beads_created, beads_closed)
select * from unnest($1::integer[], $2::timestamptz[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                     $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[],
                     $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[],
                     $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[])
on conflict (town_id, bucket) do update set
    events = h.events + excluded.events,
    calls = h.calls + excluded.calls,
    call_errors = h.call_errors + excluded.call_errors,
    input_tokens = h.input_tokens + excluded.input_tokens,
    output_tokens = h.output_tokens + excluded.output_tokens,
    cache_read_tokens = h.cache_read_tokens + excluded.cache_read_tokens,
    cache_write_5m_tokens = h.cache_write_5m_tokens + excluded.cache_write_5m_tokens,
    cache_write_1h_tokens = h.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
    cost_nanodollars = h.cost_nanodollars + excluded.cost_nanodollars,
    unpriced_tokens = h.unpriced_tokens + excluded.unpriced_tokens,
    tool_calls = h.tool_calls + excluded.tool_calls,
    tool_errors = h.tool_errors + excluded.tool_errors,
    lines_added = h.lines_added + excluded.lines_added,
    lines_removed = h.lines_removed + excluded.lines_removed,
    beads_created = h.beads_created + excluded.beads_created,
    beads_closed = h.beads_closed + excluded.beads_closed
