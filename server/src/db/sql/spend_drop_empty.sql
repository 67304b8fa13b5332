-- rows of which everything was taken back
delete from {tier} t
using unnest($2::timestamptz[], $3::uuid[]) as lowered(bucket, spender)
where t.town_id = $1 and t.bucket = lowered.bucket and t.spender = lowered.spender
  and (t.calls, t.input_tokens, t.output_tokens, t.cache_read_tokens, t.cache_write_5m_tokens, t.cache_write_1h_tokens,
       t.cost, t.unpriced_tokens) = (0, 0, 0, 0, 0, 0, 0, 0)
