//! The operator's line to a running gateway: a socket file in the data directory, one question and one answer in JSON for
//! each connection.
//!
//! A file rather than a port on loopback: every user of the machine, and every page in a browser on it, can reach a port;
//! the file is for its owner only (0600, in a directory that is 0700), who could read the data anyway. A passphrase that
//! goes over it never leaves the machine's memory.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::config::Config;
use crate::house::CannotRun;
use crate::vault::{Opener, Way};

/// The socket's name in the data directory.
const SOCKET: &str = "admin.sock";
/// Longest question, bytes.
const MESSAGE_MAX: u64 = 256 * 1024;
/// Longest answer that is read, bytes: a list of held submissions is long.
#[cfg(unix)]
const ANSWER_MAX: u64 = 64 << 20;

/// What an operator asks for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub enum Act {
    /// Sealed or open?
    Status,
    /// By which ways is the vault opened?
    Ways,
    /// Open the vault.
    Unseal {
        /// With what.
        key: Key,
    },
    /// Forget the keys.
    Seal,
    /// New keys for all practices.
    RotateKeys,
    /// A new root key.
    RotateRoot {
        /// What opens it: every way that opens the present one.
        keys: Vec<Key>,
    },
    /// A new way, or another secret for one.
    SetWay {
        /// Which.
        key: Key,
    },
    /// A way less.
    DropWay {
        /// Which.
        way: Way,
    },
    /// Look at all that is sealed.
    Verify,
    /// Make a backup.
    Backup {
        /// Where; absolute.
        place: PathBuf,
    },
    /// Which carriers are held?
    Holds {
        /// Of this practice; of all otherwise.
        practice: Option<String>,
        /// As JSON.
        json: bool,
    },
    /// Send nothing new to these carriers, or let it go on.
    Hold {
        /// `false`: release them.
        hold: bool,
        /// Whose submissions.
        practice: String,
        /// The carriers' ids.
        carriers: Vec<String>,
        /// Why; kept sealed, with the record.
        reason: String,
    },
}

/// A way and its secret; the key file's place is in the gateway's own configuration.
#[derive(Serialize, Deserialize)]
pub struct Key {
    way: Way,
    secret: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.way.fmt(f)
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl Key {
    /// The key file.
    pub fn file() -> Self {
        Self { way: Way::KeyFile, secret: String::new() }
    }

    /// A passphrase or a recovery code.
    pub fn typed(way: Way, secret: &str) -> Self {
        Self { way, secret: secret.to_owned() }
    }

    /// What the vault takes.
    pub fn opener(&self, config: &Config) -> Opener {
        match self.way {
            Way::KeyFile => Opener::KeyFile(config.vault_key_file.clone()),
            Way::Passphrase => Opener::Passphrase(Zeroizing::new(self.secret.clone())),
            Way::Recovery => Opener::Recovery(Zeroizing::new(self.secret.clone())),
        }
    }
}

/// What the gateway says.
#[cfg(unix)]
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    /// It was done.
    Done(Vec<String>),
    /// It was not, and why.
    Refused(String),
}

fn place(data_dir: &Path) -> PathBuf {
    data_dir.join(SOCKET)
}

#[cfg(unix)]
pub(super) use unix::listen;

#[cfg(unix)]
pub use unix::ask;

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{UnixListener, UnixStream};
    use tokio::sync::Semaphore;

    use super::super::Keeper;
    use super::{ANSWER_MAX, Act, CannotRun, MESSAGE_MAX, Path, Reply, Zeroizing, place};

    /// Whoever has connected asks within this time.
    const ASK_WITHIN: Duration = Duration::from_secs(10);
    /// Questions at once.
    const ASKING_MAX: usize = 8;
    /// After a connection that could not be taken.
    const REST: Duration = Duration::from_millis(100);

    /// Lays the line. The directory's lock is held by this process, so that a socket that is there is a dead one's.
    pub(in super::super) fn listen(
        keeper: Arc<Keeper>,
        data_dir: &Path,
    ) -> Result<tokio::task::JoinHandle<()>, CannotRun> {
        let path = place(data_dir);
        let cannot = |error: std::io::Error| {
            CannotRun(format!("the operator's line {} cannot be laid: {error}", path.display()))
        };
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(cannot(error)),
            _ => {}
        }
        let listener = UnixListener::bind(&path).map_err(cannot)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(cannot)?;
        Ok(tokio::spawn(take(listener, keeper)))
    }

    async fn take(listener: UnixListener, keeper: Arc<Keeper>) {
        let room = Arc::new(Semaphore::new(ASKING_MAX));
        loop {
            let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(REST).await;
                continue;
            };
            let keeper = Arc::clone(&keeper);
            tokio::spawn(async move {
                let _permit = permit;
                // An operator who goes away is not waited for; what was begun is finished.
                let _ = answer(stream, &keeper).await;
            });
        }
    }

    async fn answer(mut stream: UnixStream, keeper: &Keeper) -> std::io::Result<()> {
        let mut text = Zeroizing::new(Vec::new());
        let (from, mut to) = stream.split();
        let mut bounded = from.take(MESSAGE_MAX);
        let read = tokio::time::timeout(ASK_WITHIN, bounded.read_to_end(&mut text)).await;
        let reply = match (read, serde_json::from_slice::<Act>(&text)) {
            (Ok(Ok(_)), Ok(act)) => match keeper.act(act).await {
                Ok(said) => Reply::Done(said),
                Err(CannotRun(why)) => Reply::Refused(why),
            },
            _ => Reply::Refused("the gateway does not understand this question: is it the same version?".to_owned()),
        };
        to.write_all(&serde_json::to_vec(&reply)?).await?;
        to.shutdown().await
    }

    /// Asks the gateway that runs on this data directory; `None` when none does.
    ///
    /// # Errors
    /// Why the gateway did not do it, or that it cannot be understood.
    pub async fn ask(data_dir: &Path, act: &Act) -> Result<Option<Vec<String>>, CannotRun> {
        let Ok(mut stream) = UnixStream::connect(place(data_dir)).await else { return Ok(None) };
        let question = Zeroizing::new(serde_json::to_vec(act)?);
        stream.write_all(&question).await?;
        stream.shutdown().await?;
        let mut text = Vec::new();
        stream.take(ANSWER_MAX).read_to_end(&mut text).await?;
        match serde_json::from_slice(&text) {
            Ok(Reply::Done(said)) => Ok(Some(said)),
            Ok(Reply::Refused(why)) => Err(CannotRun(why)),
            Err(_) => Err(CannotRun("the gateway broke off before it answered; look at its log".to_owned())),
        }
    }
}

/// This system has no socket files here: the gateway is opened by its key file only.
#[cfg(not(unix))]
pub(super) fn listen(
    _: std::sync::Arc<super::Keeper>,
    data_dir: &Path,
) -> Result<tokio::task::JoinHandle<()>, CannotRun> {
    tracing::warn!(place = %place(data_dir).display(), "there is no operator's line on this system");
    Ok(tokio::spawn(std::future::ready(())))
}

/// There is no line on this system.
///
/// # Errors
/// Never.
#[cfg(not(unix))]
pub async fn ask(_: &Path, _: &Act) -> Result<Option<Vec<String>>, CannotRun> {
    Ok(None)
}
