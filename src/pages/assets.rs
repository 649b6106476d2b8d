//! What pages are dressed with: one style sheet and two scripts, in the binary, each under the hash of its bytes, so that a
//! browser keeps it for good and never has an old one. They are packed for who takes that; pages are not: what they show of
//! patients, and the proof in their forms, would tell something by its packed length.

use std::io::Write;
use std::sync::OnceLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

/// One file.
struct Asset {
    stem: &'static str,
    ending: &'static str,
    kind: &'static str,
    text: &'static str,
}

const CSS: Asset =
    Asset { stem: "portico", ending: "css", kind: "text/css; charset=utf-8", text: include_str!("assets/portico.css") };
const JS: Asset = Asset {
    stem: "portico",
    ending: "js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("assets/portico.js"),
};
/// Somebody else's file, as it was published (licence 0BSD); a test holds it against its digest.
const HTMX: Asset = Asset {
    stem: "htmx-4.0.1",
    ending: "min.js",
    kind: "text/javascript; charset=utf-8",
    text: include_str!("assets/htmx-4.0.1.min.js"),
};

const ALL: [Asset; 3] = [CSS, JS, HTMX];

/// Where the files are.
pub struct Addresses {
    /// The style sheet.
    pub css: String,
    /// Our script.
    pub js: String,
    /// htmx.
    pub htmx: String,
}

/// The addresses of this build's files.
pub fn addresses() -> &'static Addresses {
    static ADDRESSES: OnceLock<Addresses> = OnceLock::new();
    ADDRESSES.get_or_init(|| {
        let at = |asset: &Asset| format!("/assets/{}", name(asset));
        Addresses { css: at(&CSS), js: at(&JS), htmx: at(&HTMX) }
    })
}

fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name(asset: &Asset) -> String {
    format!("{}.{}.{}", asset.stem, &digest(asset.text)[..12], asset.ending)
}

/// The file packed, made once.
fn packed(place: usize) -> Option<&'static [u8]> {
    static PACKED: [OnceLock<Option<Vec<u8>>>; ALL.len()] = [const { OnceLock::new() }; ALL.len()];
    let pack = |asset: &Asset| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(asset.text.as_bytes()).and_then(|()| packer.finish()).ok()
    };
    PACKED.get(place)?.get_or_init(|| ALL.get(place).and_then(pack)).as_deref()
}

/// `GET /assets/{name}`
pub async fn get(Path(asked): Path<String>, headers: HeaderMap) -> Response {
    let Some((place, asset)) = ALL.iter().enumerate().find(|(_, asset)| name(asset) == asked) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let head = [
        (header::CONTENT_TYPE, asset.kind),
        (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept-encoding"),
    ];
    let takes = headers.get(header::ACCEPT_ENCODING).and_then(|takes| takes.to_str().ok()).unwrap_or_default();
    let gzip = takes.split(',').any(|one| one.trim() == "gzip");
    match packed(place).filter(|_| gzip) {
        Some(bytes) => (head, [(header::CONTENT_ENCODING, "gzip")], bytes).into_response(),
        None => (head, asset.text).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn htmx_is_the_file_that_was_published() {
        assert_eq!(digest(HTMX.text), "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130");
    }

    #[test]
    fn a_first_visit_stays_small() {
        let bytes: usize = ALL.iter().map(|asset| asset.text.len()).sum();
        assert!(CSS.text.len() < 24 * 1024, "{}", CSS.text.len());
        assert!(JS.text.len() < 10 * 1024, "{}", JS.text.len());
        assert!(bytes < 75 * 1024, "{bytes}");
        let on_the_way: usize = (0..ALL.len()).map(|place| packed(place).unwrap().len()).sum();
        assert!(on_the_way < 28 * 1024, "{on_the_way}");
    }
}
