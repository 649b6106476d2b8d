//! The demo's carrier files: in a folder like anybody's, so that they can be changed and stay changed. The simulated
//! carriers listen at other ports each time; only these are put right in files that are there already.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use regex_lite::Regex;
use sandbox::Sandbox;

use crate::carriers::edit::replace;

/// Where each simulated carrier listened last time: lines of an id and an address.
const ADDRESSES: &str = ".simulated";

/// The ports at which the simulated carriers of this folder listened last time: logins that were entered for them go to no
/// other, so that a demo that keeps its data listens there again.
pub fn earlier(folder: &Path) -> Vec<(String, u16)> {
    let lines = fs::read_to_string(folder.join(ADDRESSES)).unwrap_or_default();
    let port = |line: &str| {
        let (id, address) = line.split_once(' ')?;
        Some((id.to_owned(), address.parse::<std::net::SocketAddr>().ok()?.port()))
    };
    lines.lines().filter_map(port).collect()
}

/// Writes the files that are missing, and puts right the addresses in those that are there.
///
/// # Errors
/// When the folder cannot be used.
pub fn lay_out(folder: &Path, sandbox: &Sandbox) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let now: Vec<(String, String)> =
        sandbox.addresses().iter().map(|(id, address)| ((*id).to_owned(), address.to_string())).collect();
    let before = fs::read_to_string(folder.join(ADDRESSES)).unwrap_or_default();
    let moved: HashMap<&str, &str> = before
        .lines()
        .filter_map(|line| {
            let (id, old) = line.split_once(' ')?;
            let (_, new) = now.iter().find(|(own, _)| own == id)?;
            Some((old, new.as_str()))
        })
        .collect();
    for path in texts(folder)? {
        let text = fs::read_to_string(&path)?;
        let put_right = readdress(&text, &moved);
        if put_right != text {
            replace(&path, &put_right)?;
        }
    }
    for (id, text) in sandbox.carrier_files() {
        let path = folder.join(format!("{id}.toml"));
        if !path.exists() {
            replace(&path, &text)?;
        }
    }
    let lines: String = now.iter().map(|(id, address)| format!("{id} {address}\n")).collect();
    replace(&folder.join(ADDRESSES), &lines)
}

/// All carrier files and their kept versions.
fn texts(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            match path.extension().and_then(|end| end.to_str()) {
                _ if path.is_dir() => todo.push(path),
                Some("toml") => found.push(path),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// The text with each address exchanged at once: an old one may be another carrier's new one.
fn readdress(text: &str, moved: &HashMap<&str, &str>) -> String {
    let Ok(address) = Regex::new(r"127\.0\.0\.1:\d+") else { return text.to_owned() };
    let mut done = String::with_capacity(text.len());
    let mut from = 0;
    for found in address.find_iter(text) {
        done.push_str(text.get(from..found.start()).unwrap_or_default());
        done.push_str(moved.get(found.as_str()).unwrap_or(&found.as_str()));
        from = found.end();
    }
    done.push_str(text.get(from..).unwrap_or_default());
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_change_places_at_once() {
        let moved = HashMap::from([("127.0.0.1:1", "127.0.0.1:2"), ("127.0.0.1:2", "127.0.0.1:1")]);
        let text = "a = \"127.0.0.1:1\" b = \"http://127.0.0.1:2/x\" c = \"127.0.0.1:12\"";
        let done = readdress(text, &moved);
        assert_eq!(done, "a = \"127.0.0.1:2\" b = \"http://127.0.0.1:1/x\" c = \"127.0.0.1:12\"");
    }
}
