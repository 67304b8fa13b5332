-- beside others of the same custodian (custody_take.sql), and nobody else; the numbers are claim_lock.sql's
select pg_advisory_xact_lock_shared(x'636c6169'::integer, $1::integer)
