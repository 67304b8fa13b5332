-- the whole price book; a few hundred rows, some thousand with an imported list
select price_id, model, effective, input, output, cache_read, cache_write_5m, cache_write_1h,
       tier_above, tier_rule, tier_input, tier_output, tier_cache_read,
       tier_cache_write_5m, tier_cache_write_1h, fast_percent, source, noted::text as noted
from price
order by price_id
limit 100000
