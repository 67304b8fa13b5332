-- one decider per town at a time, so that replicas agree; 'clai' keeps the number space apart
select pg_advisory_xact_lock(x'636c6169'::integer, town) from unnest($1::integer[]) as town
