//! The cluster's postgresql.conf: written anew at each start, so that it always fits this version.

use super::place::Place;

/// After a crash Postgres syncs every file first, one by one: years of day partitions take minutes that way, and one
/// call where the system has it.
const RECOVERY: &str = if cfg!(target_os = "linux") { "recovery_init_sync_method = syncfs\n" } else { "" };

/// Tuned for one machine that has other work to do. What makes a commit durable stays on.
///
/// `local.conf` in the cluster's folder is read last, for owners who know better.
pub(super) fn render(place: &Place, extra: &str) -> String {
    format!(
        "# Written by towngauge at each start. Your own settings belong in local.conf beside this file.
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0700
port = 5432
max_connections = 60

fsync = on
{recovery}synchronous_commit = on
full_page_writes = on

# Ingest writes much and reads back little; the page cache does the rest.
shared_buffers = 128MB
wal_buffers = 16MB
max_wal_size = 2GB
min_wal_size = 128MB
wal_compression = on
wal_level = minimal
max_wal_senders = 0
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9
work_mem = 16MB
maintenance_work_mem = 128MB

# A partition per day and its indexes: years of history take many locks at once.
max_locks_per_transaction = 2048

# Compiling a plan takes longer than any query here.
jit = off
random_page_cost = 1.1
# One machine, shared with agents at work.
max_parallel_workers_per_gather = 1
max_worker_processes = 6
autovacuum_max_workers = 2
autovacuum_naptime = 30s
track_io_timing = off

timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = warning
log_min_error_statement = panic
log_checkpoints = off
log_line_prefix = '%m [%p] '
cluster_name = 'towngauge'
{extra}
include_if_exists = 'local.conf'
",
        recovery = RECOVERY,
        socket = place.socket.display().to_string().replace('\'', "''"),
    )
}
