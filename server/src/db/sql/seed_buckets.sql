select bucket, events, calls, call_errors, input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens,
       cache_write_1h_tokens, cost_nanodollars, unpriced_tokens, tool_calls, tool_errors, lines_added, lines_removed,
       beads_created, beads_closed, lines_landed_added, lines_landed_removed
  from headline_10s
 where town_id = $1 and bucket >= $2
 limit 1000
