-- a lock of the session, and which process of Postgres has it; 'cust' keeps the number space apart
select pg_try_advisory_lock(x'63757374'::integer, $1::integer), pg_backend_pid()
