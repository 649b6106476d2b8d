//! What the tests of this crate share.

use std::path::PathBuf;

use bytes::Bytes;
use connector_sdk::Settings;
use http::Response;

use crate::partner::Partner;

/// The example carrier file's `[settings]`, with some lines put in place of others.
pub(crate) fn settings(changes: &[(&str, &str)]) -> Settings {
    let mut text = include_str!("../example.toml").to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let file: toml::Table = text.parse().unwrap();
    let table = file["settings"].as_table().unwrap().clone();
    Settings::new(table, vec!["edi.acme.example".to_owned()])
}

/// The partner of these settings.
pub(crate) fn partner(changes: &[(&str, &str)]) -> Partner {
    Partner::read(&settings(changes)).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Turns the example into a MIME carrier.
pub(crate) const MIME: [(&str, &str); 3] =
    [("\"soap\"  ", "\"mime\""), ("[settings.soap]", "[unused]"), ("# [settings.mime]", "[settings.mime]")];

/// Turns the example into a plain carrier.
pub(crate) const PLAIN: [(&str, &str); 2] = [("\"soap\"  ", "\"plain\""), ("[settings.soap]", "[unused]")];

/// A reply.
pub(crate) fn reply(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Response<Bytes> {
    Response::builder()
        .status(status)
        .header("content-type", content_type)
        .body(Bytes::copy_from_slice(body.as_ref()))
        .unwrap()
}

/// A message that a real client put on the wire: its head, and its body. `None`, with a printed line, where the
/// examples are not on this machine.
pub(crate) fn captured(name: &str) -> Option<(String, Bytes)> {
    let shared = std::env::var_os("PORTICO_SHARED")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")), PathBuf::from);
    let path = shared.join("data/core").join(name);
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: the captured message {name} is not on this machine");
        return None;
    };
    let bytes = Bytes::from(bytes);
    let (end, gap) = [&b"\r\n\r\n"[..], b"\n\n"]
        .iter()
        .filter_map(|gap| bytes.windows(gap.len()).position(|window| window == *gap).map(|at| (at, gap.len())))
        .min()
        .expect("a blank line ends the head");
    println!("read: {name}, {} bytes", bytes.len());
    Some((String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes.slice(end + gap..)))
}
