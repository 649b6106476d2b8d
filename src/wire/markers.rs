//! Swaps markers for secrets just before the bytes leave, and secrets for markers when they come back.
//!
//! A marker holds a word that is random for each attempt, so text from a patient or a caller cannot forge one, and one
//! that was kept from an earlier attempt means nothing.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use connector_sdk::context::Marker;
use connector_sdk::{Error, ErrorKind, Escape, Result, Secret};
use ring::digest;
use zeroize::Zeroizing;

use super::credentials::Lease;

/// Shorter values are not looked for in replies: they would be found everywhere.
const ECHO_MIN: usize = 4;
/// Shorter values count only where no letter or digit touches them.
const ECHO_ALONE_MAX: usize = 8;
/// Stands where a secret without a marker of its own (a token) was.
const SCRUBBED: &str = "pk-scrubbed-kp";
/// Fields that name an account or a key. They are swapped and pinned like the others, but an echo of them is no leak, and
/// replacing them would damage pages that use the same word.
const NAMES: [&str; 3] = ["username", "client_id", "key_id"];

/// What a marker asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A field of the credential.
    Field(String),
    /// A one-time code.
    TotpCode,
    /// What a person has answered.
    Answer,
    /// A client assertion.
    Assertion,
    /// A WS-Security digest.
    WsDigest {
        /// The nonce's bytes.
        nonce: Vec<u8>,
        /// The `Created` text.
        created: String,
    },
}

/// How every marker of an attempt begins.
pub(crate) fn prefix(word: &str) -> String {
    format!("pk-{word}-")
}

/// The markers in some bytes.
///
/// # Errors
/// [`ErrorKind::RequestInvalid`] when something begins like a marker of this attempt and is none.
pub(crate) fn named(prefix: &str, bytes: &[u8]) -> Result<Vec<Named>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find(bytes, prefix.as_bytes(), from) {
        let (name, _, end) = read(prefix, bytes, at)?;
        found.push(name);
        from = end;
    }
    Ok(found)
}

/// The bytes with every marker replaced by what `value` gives for it, escaped as the marker says.
///
/// # Errors
/// Those of [`named`] and of `value`.
pub(crate) fn swap(
    prefix: &str,
    bytes: &[u8],
    value: &dyn Fn(&Named) -> Result<Zeroizing<String>>,
) -> Result<Zeroizing<Vec<u8>>> {
    let mut out = Zeroizing::new(Vec::with_capacity(bytes.len()));
    let mut from = 0;
    while let Some(at) = find(bytes, prefix.as_bytes(), from) {
        let (name, escape, end) = read(prefix, bytes, at)?;
        out.extend_from_slice(bytes.get(from..at).unwrap_or_default());
        out.extend_from_slice(escaped(&value(&name)?, escape).as_bytes());
        from = end;
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    Ok(out)
}

/// `Base64(SHA-1(nonce + created + password))`: WS-Security UsernameToken Profile 1.1, section 3.1.
pub(crate) fn ws_digest(nonce: &[u8], created: &str, password: &str) -> Zeroizing<String> {
    let mut sum = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    sum.update(nonce);
    sum.update(created.as_bytes());
    sum.update(password.as_bytes());
    Zeroizing::new(BASE64.encode(sum.finish()))
}

/// The value of a field.
///
/// # Errors
/// [`ErrorKind::CredentialMissing`].
pub(crate) fn field<'a>(lease: &'a Lease, name: &str) -> Result<&'a str> {
    lease.field(name).ok_or_else(|| {
        Error::new(ErrorKind::CredentialMissing, "A field of the credential that this carrier needs is not stored.")
    })
}

/// Where `needle` stands at or after `from`.
pub(crate) fn find(bytes: &[u8], needle: &[u8], from: usize) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = from;
    loop {
        let rest = bytes.get(at..)?;
        at += rest.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

/// Reads the marker that begins at `at`: what it names, its escaping, where it ends.
fn read(prefix: &str, bytes: &[u8], at: usize) -> Result<(Named, Escape, usize)> {
    let start = at + prefix.len();
    let parsed = (|| {
        let end = find(bytes, b"-kp", start)?;
        let text = std::str::from_utf8(bytes.get(start..end)?).ok()?;
        let (what, escape) = text.split_once('-')?;
        let name = if what == "totp" {
            Named::TotpCode
        } else if what == "answer" {
            Named::Answer
        } else if what == "assertion" {
            Named::Assertion
        } else if let Some(parts) = what.strip_prefix("ws") {
            let (nonce, created) = parts.split_once('x')?;
            Named::WsDigest { nonce: unhex(nonce)?, created: String::from_utf8(unhex(created)?).ok()? }
        } else {
            Named::Field(String::from_utf8(unhex(what.strip_prefix('f')?)?).ok()?)
        };
        Some((name, Escape::from_word(escape)?, end + 3))
    })();
    parsed.ok_or_else(|| {
        Error::new(ErrorKind::RequestInvalid, "The request holds a damaged marker of a secret.").fact("position", at)
    })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.chars().map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
    let digits = digits?;
    (digits.len() % 2 == 0).then(|| digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |a, b| a << 4 | b)).collect())
}

/// A value as it must stand in its place.
pub(crate) fn escaped(value: &str, escape: Escape) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(value.len() * 2));
    match escape {
        Escape::Plain => out.push_str(value),
        Escape::Form => {
            for byte in value.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
                    b' ' => out.push('+'),
                    _ => {
                        out.push('%');
                        for digit in [byte >> 4, byte & 15] {
                            out.extend(char::from_digit(u32::from(digit), 16).map(|digit| digit.to_ascii_uppercase()));
                        }
                    }
                }
            }
        }
        Escape::Xml => {
            for letter in value.chars() {
                match letter {
                    '&' => out.push_str("&amp;"),
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '"' => out.push_str("&quot;"),
                    '\'' => out.push_str("&#39;"),
                    _ => out.push(letter),
                }
            }
        }
        Escape::Json => {
            let quoted = Zeroizing::new(serde_json::Value::from(value).to_string());
            out.push_str(quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default());
        }
    }
    out
}

/// Knows what must not be seen in a reply.
#[derive(Default)]
pub(crate) struct Scrubber {
    needles: Vec<Needle>,
}

struct Needle {
    value: Zeroizing<Vec<u8>>,
    instead: String,
}

impl Scrubber {
    /// Looks for every secret field of the credential, in every escaping, and for its Basic header.
    pub(crate) fn of(lease: &Lease, word: &str, escape: Escape) -> Self {
        let mut scrubber = Self::default();
        for (name, value) in &lease.fields {
            if NAMES.contains(&name.as_str()) {
                continue;
            }
            let marker = Marker::new(word, &Secret::Field(name), escape);
            scrubber.add_all(value, marker.as_str());
        }
        for (name, secret) in [("username", "password"), ("client_id", "client_secret")] {
            if let (Some(name), Some(secret)) = (lease.field(name), lease.field(secret)) {
                scrubber.hide(&basic(name, secret));
            }
        }
        scrubber
    }

    /// Also looks for a value that has no marker: a token, a digest, a code.
    pub(crate) fn hide(&mut self, value: &str) {
        self.add_all(value, SCRUBBED);
    }

    fn add_all(&mut self, value: &str, instead: &str) {
        let plain = escaped(value, Escape::Plain);
        let lower_form = Zeroizing::new(escaped(value, Escape::Form).to_ascii_lowercase());
        let variants = [escaped(value, Escape::Form), escaped(value, Escape::Xml), escaped(value, Escape::Json)];
        let mut all = vec![plain];
        all.extend(variants.into_iter().filter(|variant| variant.as_str() != value));
        if value.bytes().any(|byte| !byte.is_ascii_alphanumeric()) {
            all.push(lower_form);
        }
        for variant in all {
            if variant.len() >= ECHO_MIN {
                let value = Zeroizing::new(variant.as_bytes().to_vec());
                self.needles.push(Needle { value, instead: instead.to_owned() });
            }
        }
        // The longest first, so that a value inside another does not leave the rest of it behind.
        self.needles.sort_by_key(|needle| std::cmp::Reverse(needle.value.len()));
    }

    /// The bytes without the secrets; borrowed when there were none.
    pub(crate) fn clean<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let mut out: Option<Vec<u8>> = None;
        let mut kept = 0;
        let mut at = 0;
        let mut starts = [false; 256];
        for first in self.needles.iter().filter_map(|needle| needle.value.first()) {
            if let Some(start) = starts.get_mut(usize::from(*first)) {
                *start = true;
            }
        }
        while let Some(byte) = bytes.get(at) {
            let may_start = starts.get(usize::from(*byte)).copied().unwrap_or(false);
            match may_start.then(|| self.needles.iter().find(|needle| needle.stands_at(bytes, at))).flatten() {
                Some(needle) => {
                    let out = out.get_or_insert_default();
                    out.extend_from_slice(bytes.get(kept..at).unwrap_or_default());
                    out.extend_from_slice(needle.instead.as_bytes());
                    at += needle.value.len();
                    kept = at;
                }
                None => at += 1,
            }
        }
        match out {
            None => Cow::Borrowed(bytes),
            Some(mut out) => {
                out.extend_from_slice(bytes.get(kept..).unwrap_or_default());
                Cow::Owned(out)
            }
        }
    }
}

impl Needle {
    fn stands_at(&self, bytes: &[u8], at: usize) -> bool {
        if !bytes.get(at..).is_some_and(|rest| rest.starts_with(&self.value)) {
            return false;
        }
        let touches = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        self.value.len() >= ECHO_ALONE_MAX
            || !(touches(at.checked_sub(1).and_then(|before| bytes.get(before)))
                || touches(bytes.get(at + self.value.len())))
    }
}

/// The Base64 part of an HTTP Basic header.
pub(crate) fn basic(name: &str, secret: &str) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{name}:{secret}"));
    Zeroizing::new(BASE64.encode(pair.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const WORD: &str = "0f3a";

    fn lease(fields: &[(&str, &str)]) -> Lease {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), Zeroizing::new((*v).to_owned())));
        Lease {
            credential_id: "c".into(),
            generation: 1,
            on_trial: false,
            fields: fields.collect::<BTreeMap<_, _>>(),
            origins: vec![],
        }
    }

    fn swapped(text: &str, value: &str) -> Result<String> {
        let out = swap(&prefix(WORD), text.as_bytes(), &|_| Ok(Zeroizing::new(value.to_owned())))?;
        Ok(String::from_utf8(out.to_vec()).unwrap())
    }

    #[test]
    fn each_escaping() {
        let nasty = "a b&<\"'\\\u{e9}";
        for (escape, want) in [
            (Escape::Plain, nasty.to_owned()),
            (Escape::Form, "a+b%26%3C%22%27%5C%C3%A9".to_owned()),
            (Escape::Xml, "a b&amp;&lt;&quot;&#39;\\\u{e9}".to_owned()),
            (Escape::Json, "a b&<\\\"'\\\\\u{e9}".to_owned()),
        ] {
            let marker = Marker::new(WORD, &Secret::Field("password"), escape);
            assert_eq!(swapped(&format!("[{marker}][{marker}]"), nasty).unwrap(), format!("[{want}][{want}]"));
        }
    }

    #[test]
    fn what_a_marker_names_is_read_back() {
        let secrets = [
            (Secret::Field("api_key"), Named::Field("api_key".into())),
            (Secret::TotpCode, Named::TotpCode),
            (Secret::Answer, Named::Answer),
            (Secret::Assertion, Named::Assertion),
            (
                Secret::WsDigest { nonce: &[0, 255], created: "2026-11-23T00:00:00Z" },
                Named::WsDigest { nonce: vec![0, 255], created: "2026-11-23T00:00:00Z".into() },
            ),
        ];
        for (secret, want) in secrets {
            let text = format!("x{}y", Marker::new(WORD, &secret, Escape::Xml));
            assert_eq!(named(&prefix(WORD), text.as_bytes()).unwrap(), [want]);
        }
    }

    #[test]
    fn text_from_a_caller_cannot_forge_a_marker() {
        let forged = Marker::new("0f3b", &Secret::Field("password"), Escape::Plain);
        let text = format!("{forged} pk-f70617373776f7264-plain-kp pk--f00-plain-kp");
        assert_eq!(swapped(&text, "canary").unwrap(), text);
    }

    #[test]
    fn a_damaged_marker_is_refused_and_never_sent() {
        for damaged in ["pk-0f3a-", "pk-0f3a-f7-xml", "pk-0f3a-fzz-xml-kp", "pk-0f3a-totp-pdf-kp", "pk-0f3a-f7-xml-kp"]
        {
            assert_eq!(swapped(damaged, "v").unwrap_err().kind, ErrorKind::RequestInvalid, "{damaged}");
        }
    }

    #[test]
    fn the_digest_of_ws_security() {
        // SHA-1 of "n" + "c" + "p", computed with another tool.
        assert_eq!(ws_digest(b"n", "c", "p").as_str(), BASE64.encode(ring_sha1("ncp")));
        fn ring_sha1(text: &str) -> Vec<u8> {
            digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref().to_vec()
        }
    }

    #[test]
    fn echoed_secrets_become_markers_again() {
        let lease = lease(&[("username", "frontdesk"), ("password", "s3cr&t\"pass")]);
        let scrubber = Scrubber::of(&lease, WORD, Escape::Form);
        let marker = Marker::new(WORD, &Secret::Field("password"), Escape::Form);
        let page = format!(
            "frontdesk s3cr&t\"pass s3cr%26t%22pass s3cr&amp;t&quot;pass s3cr&t\\\"pass {}",
            basic("frontdesk", "s3cr&t\"pass").as_str()
        );
        let clean = String::from_utf8(scrubber.clean(page.as_bytes()).into_owned()).unwrap();
        assert_eq!(clean, format!("frontdesk {marker} {marker} {marker} {marker} {SCRUBBED}"));
        assert!(matches!(scrubber.clean(b"nothing here"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_short_secret_does_not_eat_numbers() {
        let scrubber = Scrubber::of(&lease(&[("password", "1234"), ("api_key", "abc")]), WORD, Escape::Plain);
        assert!(matches!(scrubber.clean(b"W12345678 abc"), Cow::Borrowed(_)));
        assert!(matches!(scrubber.clean(b"pin=1234&x"), Cow::Owned(_)));
    }
}
