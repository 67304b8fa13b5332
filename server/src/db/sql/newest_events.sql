-- The primary key, read backwards, newest partition first.
select ts, kind, role, rig, agent, session, bead, model, tool, state, ok,
       input_tokens, output_tokens, cache_read_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
       cost, reported, provenance, duration_us, lines_added, lines_removed, file
  from event
 where town_id = $1
 order by ts desc, key desc
 limit $2
