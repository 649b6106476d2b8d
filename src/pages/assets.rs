//! What pages are dressed with: one style sheet and two scripts, in the binary, each under the hash of its bytes, so that a
//! browser keeps it for good and never has an old one.

use std::sync::OnceLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};

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

/// `GET /assets/{name}`
pub async fn get(Path(asked): Path<String>) -> Response {
    match [CSS, JS, HTMX].into_iter().find(|asset| name(asset) == asked) {
        Some(asset) => {
            let head = [
                (header::CONTENT_TYPE, asset.kind),
                (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
                (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            ];
            (head, asset.text).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
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
        let bytes: usize = [CSS, JS, HTMX].iter().map(|asset| asset.text.len()).sum();
        assert!(CSS.text.len() < 24 * 1024, "{}", CSS.text.len());
        assert!(JS.text.len() < 10 * 1024, "{}", JS.text.len());
        assert!(bytes < 75 * 1024, "{bytes}");
    }
}
