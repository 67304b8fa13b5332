//! Where the cluster lives, and as whom it runs.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use nix::unistd::{User, geteuid};

use super::ClusterError;

/// A Unix socket's address holds about 107 bytes; `/.s.PGSQL.5432` and room for other systems come off.
const LONGEST_SOCKET_FOLDER: usize = 85;
/// Where clusters go when the data folder's parents keep the unprivileged account out.
const SYSTEM_FOLDER: &str = "/var/lib/towngauge/clusters";
/// In the data folder: says where the cluster is, when it is elsewhere.
const POINTER: &str = "postgres.at";

/// An account to run as. Postgres refuses to run as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Account {
    pub uid: u32,
    pub gid: u32,
}

/// The folders of one cluster.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The data folder, with its locks and the log.
    pub data: PathBuf,
    /// Postgres's own folder.
    pub cluster: PathBuf,
    /// The folder of its socket.
    pub socket: PathBuf,
    /// Whom to run as; none: as ourselves.
    pub account: Option<Account>,
}

impl Place {
    /// Finds or makes the folders around the cluster; the cluster itself is not made here.
    pub(super) fn prepare(data: &Path) -> Result<Self, ClusterError> {
        make(data, 0o700)?;
        let data = data.canonicalize().map_err(|error| io(data, error))?;
        let account = account(&data.join("postgres"))?;
        let base = match account {
            Some(account) => base_for(&data, account)?,
            None => data.clone(),
        };
        let mut socket = base.join("socket");
        if socket.as_os_str().len() > LONGEST_SOCKET_FOLDER {
            socket = std::env::temp_dir().join(format!("towngauge-{:016x}", digest(&data)));
        }
        Ok(Self { cluster: base.join("postgres"), socket, data, account })
    }

    /// Makes the socket's folder. Under `start.lock`: who stops Postgres removes it.
    pub(super) fn open_socket(&self) -> Result<(), ClusterError> {
        make(&self.socket, 0o700)?;
        self.own(&self.socket)
    }

    /// Removes the socket's folder, which may lie outside the data folder. Under `start.lock`.
    pub(super) fn close_socket(&self) {
        if let Err(error) = fs::remove_dir(&self.socket) {
            tracing::debug!(%error, "the socket's folder stays");
        }
    }

    /// Postgres's log.
    pub(super) fn log(&self) -> PathBuf {
        self.data.join("postgres.log")
    }

    /// The major version that made the cluster; none when there is no cluster yet.
    pub(super) fn made_by(&self) -> Option<u32> {
        fs::read_to_string(self.cluster.join("PG_VERSION")).ok()?.trim().parse().ok()
    }

    /// Makes a folder private to the account that Postgres runs as.
    pub(super) fn own(&self, folder: &Path) -> Result<(), ClusterError> {
        let me = self.account.map_or_else(|| geteuid().as_raw(), |account| account.uid);
        if let Some(Account { uid, gid }) = self.account {
            chown(folder, Some(uid), Some(gid)).map_err(|error| io(folder, error))?;
        }
        // Somebody else's folder of that name (under /tmp anyone can make one) is refused here.
        let meta = fs::symlink_metadata(folder).map_err(|error| io(folder, error))?;
        if !meta.is_dir() || meta.uid() != me {
            return Err(io(folder, std::io::ErrorKind::PermissionDenied.into()));
        }
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).map_err(|error| io(folder, error))
    }
}

/// Root runs Postgres as the owner of the existing cluster, else as `postgres`, else as `nobody`.
fn account(cluster: &Path) -> Result<Option<Account>, ClusterError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    if let Ok(meta) = fs::metadata(cluster)
        && meta.uid() != 0
    {
        return Ok(Some(Account { uid: meta.uid(), gid: meta.gid() }));
    }
    let known = ["postgres", "nobody"].into_iter().find_map(|name| User::from_name(name).ok().flatten());
    match known {
        Some(user) => Ok(Some(Account { uid: user.uid.as_raw(), gid: user.gid.as_raw() })),
        None => Err(ClusterError::NoAccount),
    }
}

/// The data folder, or a folder of the system when the account cannot get into the data folder.
fn base_for(data: &Path, account: Account) -> Result<PathBuf, ClusterError> {
    let pointer = data.join(POINTER);
    if let Ok(elsewhere) = fs::read_to_string(&pointer) {
        return Ok(PathBuf::from(elsewhere.trim_end()));
    }
    let blocked = data.ancestors().skip(1).find(|parent| !may_pass(parent, account));
    let Some(parent) = blocked else {
        if !may_pass(data, account) {
            let mode = fs::metadata(data).map_err(|error| io(data, error))?.mode();
            // Passing through, not listing: names inside must be known, and each folder there is private itself.
            fs::set_permissions(data, fs::Permissions::from_mode(mode | 0o011)).map_err(|error| io(data, error))?;
        }
        return Ok(data.to_owned());
    };
    if data.join("postgres/PG_VERSION").exists() {
        return Err(ClusterError::ShutOut { folder: data.join("postgres"), parent: parent.to_owned() });
    }
    let base = Path::new(SYSTEM_FOLDER).join(format!("{:016x}", digest(data)));
    make(Path::new(SYSTEM_FOLDER), 0o755)?;
    make(&base, 0o711)?;
    fs::write(&pointer, format!("{}\n", base.display())).map_err(|error| io(&pointer, error))?;
    Ok(base)
}

fn may_pass(folder: &Path, account: Account) -> bool {
    let Ok(meta) = fs::metadata(folder) else { return false };
    let bit = if meta.uid() == account.uid {
        0o100
    } else if meta.gid() == account.gid {
        0o010
    } else {
        0o001
    };
    meta.mode() & bit != 0
}

fn make(folder: &Path, mode: u32) -> Result<(), ClusterError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(mode);
    builder.create(folder).map_err(|error| io(folder, error))
}

fn digest(folder: &Path) -> u64 {
    xxhash_rust::xxh3::xxh3_64(folder.as_os_str().as_encoded_bytes())
}

pub(super) fn io(path: &Path, error: std::io::Error) -> ClusterError {
    ClusterError::Io { path: path.to_owned(), error }
}
