-- takes what waits of the newest quarters: what is live is looked at, history can wait
delete from spend_part p
using (select bucket, part from spend_part where town_id = $1 order by bucket desc, part limit $2) as newest
where p.town_id = $1 and p.bucket = newest.bucket and p.part = newest.part
returning p.bucket, p.role, p.rig, p.agent, p.model, p.bead, p.session, p.provenance, p.calls, p.input_tokens,
          p.output_tokens, p.cache_read_tokens, p.cache_write_5m_tokens, p.cache_write_1h_tokens, p.cost,
          p.unpriced_tokens
