-- at most four rows per model and day, by the leading column of the primary key
select model, sum(calls)::bigint, sum(input_tokens)::bigint, sum(output_tokens)::bigint,
       sum(cache_read_tokens)::bigint, sum(cache_write_5m_tokens)::bigint, sum(cache_write_1h_tokens)::bigint,
       min(first_seen), max(last_seen)
from unpriced
where town_id = $1
group by model
order by sum(input_tokens + output_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens) desc,
         model
limit $2
