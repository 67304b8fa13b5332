-- append-only: a row that is there stays as it is
insert into price (model, effective, input, output, cache_read, cache_write_5m, cache_write_1h,
                   tier_above, tier_rule, tier_input, tier_output, tier_cache_read,
                   tier_cache_write_5m, tier_cache_write_1h, fast_percent, source, noted, revision)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17::text::date, $18)
on conflict on constraint price_once do nothing
