//! The two programs of the harness as processes of their own: the simulated carriers, and a gateway that may die before
//! it listens.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};

use http::{Method, StatusCode};

use crate::process::{Folder, collect, command, text_of};
use crate::support;

/// The simulated carriers. They are ended when this is dropped.
pub struct Carriers {
    child: Child,
    control: String,
}

impl Carriers {
    /// Starts them on free ports, with a carrier file for each in `files` and northstar's log at `receipts`.
    pub fn start(files: &Path, receipts: &Path, seed: u64) -> Self {
        let seed = seed.to_string();
        let arguments = ["sandbox", "--seed", &seed, "--write-carriers"];
        let mut child = command(&arguments).arg(files).arg("--receipts").arg(receipts).spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let mut control = String::new();
        // The control plane's line is the last: everything listens by then, and the files are written.
        while !control.starts_with("control") {
            control.clear();
            assert!(said.read_line(&mut control).unwrap() > 0, "the simulated carriers do not start");
        }
        let control = control.trim_end().rsplit("http://").next().unwrap_or_default().to_owned();
        Self { child, control }
    }

    /// Sets a carrier's switches.
    pub async fn switch(&self, carrier: &str, switches: &str) {
        let path = format!("/_control/{carrier}/switches");
        let reply =
            support::send(&self.control, None, Method::POST, &path, switches.as_bytes().to_vec()).await.unwrap();
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }
}

impl Drop for Carriers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A gateway that was started. It is killed when this is dropped.
pub struct Life {
    child: Child,
    said: Arc<Mutex<Vec<u8>>>,
}

impl Life {
    /// Starts one with this folder's configuration and returns at once.
    pub fn start(folder: &Folder, environment: &[(&str, &str)]) -> Self {
        let config = folder.path("gateway.toml").display().to_string();
        let mut command = command(&["serve", "--config", &config]);
        command.env("TMPDIR", folder.path("tmp")).envs(environment.iter().copied());
        let mut child = command.spawn().unwrap();
        let said = Arc::default();
        collect(child.stdout.take().unwrap(), Arc::clone(&said));
        collect(child.stderr.take().unwrap(), Arc::clone(&said));
        Self { child, said }
    }

    /// Host and port, once it listens.
    pub fn address(&self) -> Option<String> {
        let said = self.log();
        // A line that is not whole yet may hold half an address.
        let (line, _) = said.split_once("listens at http://")?.1.split_once('\n')?;
        line.split_whitespace().next().map(str::to_owned)
    }

    /// Everything it has printed so far.
    pub fn log(&self) -> String {
        text_of(&self.said)
    }

    /// Whether the process is still there.
    pub fn alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Sends a signal by name, if it is still there.
    pub fn signal(&mut self, name: &str) {
        if self.alive() {
            let id = self.child.id().to_string();
            let _ = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status();
        }
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.kill();
    }
}
