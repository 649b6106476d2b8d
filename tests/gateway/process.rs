//! The real `portico` program in a folder of its own: its commands, and its gateway as a child process.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http::Method;
use sandbox::Sandbox;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{self, Reply};

/// Nothing here may take longer; what does hangs. Longer than the longest deadline of a carrier, 60 seconds.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A folder with a configuration, carrier files, data and the vault's key.
pub struct Folder {
    dir: TempDir,
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// What it printed, after making sure that it ended well.
    pub fn fine(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }
}

impl Folder {
    /// With a `gateway.toml` that listens at any free port; `more` is added to it.
    pub fn new(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for name in ["carriers", "tmp"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        let folder = Self { dir };
        let place = |name: &str| folder.path(name).display().to_string();
        let text = format!(
            "listen = \"127.0.0.1:0\"\ndata_dir = {:?}\nvault_key_file = {:?}\ncarriers_dir = {:?}\n{more}",
            place("data"),
            place("keys/vault.key"),
            place("carriers")
        );
        folder.write("gateway.toml", &text);
        folder
    }

    /// With the sandbox's carrier files, and its credentials put into the vault through standard input.
    pub fn for_sandbox(sandbox: &Sandbox, more: &str) -> Self {
        let folder = Self::new(more);
        for (id, text) in sandbox.carrier_files() {
            folder.write(&format!("carriers/{id}.toml"), &text);
        }
        folder.enter_credentials();
        folder
    }

    /// The sandbox's credentials, for whichever of its carriers has a file here.
    pub fn enter_credentials(&self) {
        if !self.path("keys/vault.key").exists() {
            self.portico(&["vault", "init"], "").fine();
        }
        for (carrier, fields) in sandbox::credentials() {
            let lines: String = fields.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
            self.portico(&["vault", "put", carrier], &lines).fine();
        }
    }

    /// A place in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file in one step, as editors do.
    pub fn write(&self, name: &str, text: &str) {
        let draft = self.path("draft");
        std::fs::write(&draft, text).unwrap();
        std::fs::rename(draft, self.path(name)).unwrap();
    }

    /// Runs one command with this folder's configuration, to its end.
    pub fn portico(&self, arguments: &[&str], input: &str) -> Ended {
        let config = self.path("gateway.toml").display().to_string();
        let mut all = arguments.to_vec();
        all.extend(["--config", &config]);
        run(&all, input.as_bytes(), &[("TMPDIR", &self.path("tmp").display().to_string())])
    }

    /// A new API key with every scope.
    pub fn key(&self) -> String {
        self.portico(&["keys", "create"], "").fine().trim().to_owned()
    }

    /// Starts the gateway and waits until it listens.
    pub fn serve(&self) -> Gateway {
        self.serve_with(&[])
    }

    /// As [`Folder::serve`], with more in its environment.
    pub fn serve_with(&self, environment: &[(&str, &str)]) -> Gateway {
        let mut child = command(&["serve", "--config", &self.path("gateway.toml").display().to_string()])
            .env("TMPDIR", self.path("tmp"))
            .envs(environment.iter().copied())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut readers = vec![collect(child.stderr.take().unwrap(), log.clone())];
        let mut first = String::new();
        said.read_line(&mut first).unwrap();
        let told = first.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next()).map(str::to_owned);
        let Some(address) = told else {
            let _ = child.kill();
            panic!("the gateway does not listen: {first} {}", text_of(&log));
        };
        log.lock().unwrap().extend_from_slice(first.as_bytes());
        readers.push(collect(said, log.clone()));
        Gateway { child, address, log, readers }
    }
}

/// A running gateway. It is killed when this is dropped.
pub struct Gateway {
    child: Child,
    /// Host and port.
    pub address: String,
    log: Arc<Mutex<Vec<u8>>>,
    readers: Vec<std::thread::JoinHandle<()>>,
}

impl Gateway {
    /// One request with JSON or nothing.
    pub async fn call(&self, key: &str, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let bytes = body.map(|body| serde_json::to_vec(body).unwrap()).unwrap_or_default();
        self.send(key, method, path, bytes).await.unwrap()
    }

    /// One request with any body; `None` when the gateway went away before it replied.
    pub async fn send(&self, key: &str, method: Method, path: &str, body: Vec<u8>) -> Option<Reply> {
        send(&self.address, key, method, path, body).await
    }

    /// Everything it has printed so far, errors included.
    pub fn log(&self) -> Vec<u8> {
        self.log.lock().unwrap().clone()
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name: `HUP`, `TERM`.
    pub fn signal(&self, name: &str) {
        let sent =
            Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it at once, as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator would; its exit code.
    pub fn stop(self) -> i32 {
        self.stop_and_log().0
    }

    /// Ends it as an operator would; its exit code, and everything it has printed.
    pub fn stop_and_log(mut self) -> (i32, Vec<u8>) {
        self.signal("TERM");
        let code = wait(&mut self.child).unwrap_or(-1);
        std::mem::take(&mut self.readers).into_iter().for_each(|reader| reader.join().unwrap());
        (code, self.log())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One request to a gateway at `address`; `None` when it went away before it replied.
pub async fn send(address: &str, key: &str, method: Method, path: &str, body: Vec<u8>) -> Option<Reply> {
    let exchange = support::send(address, Some(key), method, path, body);
    tokio::time::timeout(PATIENCE, exchange).await.expect("a request to the gateway hangs")
}

/// Runs `portico` to its end with something on standard input.
pub fn run(arguments: &[&str], input: &[u8], environment: &[(&str, &str)]) -> Ended {
    let mut child = command(arguments).envs(environment.iter().copied()).spawn().unwrap();
    let (out, err) = (Arc::default(), Arc::default());
    let readers = [
        collect(child.stdout.take().unwrap(), Arc::clone(&out)),
        collect(child.stderr.take().unwrap(), Arc::clone(&err)),
    ];
    // A command that does not read its input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let code = wait(&mut child);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    let code = code.unwrap_or_else(|| panic!("portico {arguments:?} ended by a signal: {}", text_of(&err)));
    Ended { code, out: text_of(&out), err: text_of(&err) }
}

/// The program with these arguments, all three of its streams piped.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_portico"));
    command.args(arguments).env_remove("PORTICO_URL").env_remove("PORTICO_API_KEY");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

#[allow(
    clippy::disallowed_methods,
    reason = "the standard library's child processes can only be asked again and again"
)]
fn wait(child: &mut Child) -> Option<i32> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("portico does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Reads everything that comes, in a thread of its own.
pub fn collect(mut from: impl Read + Send + 'static, into: Arc<Mutex<Vec<u8>>>) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        let mut block = [0; 8192];
        while let Ok(count @ 1..) = from.read(&mut block) {
            into.lock().unwrap().extend_from_slice(&block[..count]);
        }
    })
}

/// What was collected so far, as text.
pub fn text_of(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8_lossy(&bytes.lock().unwrap()).into_owned()
}

/// All files below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found
}
