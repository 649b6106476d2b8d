//! Words that must not be found, in the ways in which a program may write them down.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::NO_PAD;

/// Shorter words would be found by chance.
const SHORTEST: usize = 6;

/// Words to look for, each in every encoding.
#[derive(Default)]
pub struct Needles {
    all: BTreeSet<(Vec<u8>, Needle)>,
}

/// What a run of bytes means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needle {
    pub what: &'static str,
    pub word: String,
    pub encoding: &'static str,
}

impl Needles {
    /// Adds a word as it stands; `what` says what it is. Words that are too short are left out.
    pub fn add(&mut self, what: &'static str, word: &str) {
        if word.len() < SHORTEST {
            return;
        }
        let mut known = BTreeSet::new();
        // Many words are the same in several encodings.
        for (encoding, bytes) in encodings(word).into_iter().filter(|(_, bytes)| known.insert(bytes.clone())) {
            self.all.insert((bytes, Needle { what, word: word.to_owned(), encoding }));
        }
    }

    /// Adds a word as it stands, in capitals and in small letters.
    pub fn add_any_case(&mut self, what: &'static str, word: &str) {
        for word in [word.to_owned(), word.to_uppercase(), word.to_lowercase()] {
            self.add(what, &word);
        }
    }

    /// Adds a date `YYYY-MM-DD` in the formats of X12, of forms, of people.
    pub fn add_date(&mut self, what: &'static str, date: &str) {
        let date: jiff::civil::Date = date.parse().unwrap();
        for format in
            ["%F", "%Y%m%d", "%m/%d/%Y", "%-m/%-d/%Y", "%d.%m.%Y", "%d %B %Y", "%B %-d, %Y", "%m%d%Y", "%Y/%m/%d"]
        {
            self.add(what, &date.strftime(format).to_string());
        }
    }

    /// How many runs of bytes are looked for.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Everything that is found, with the place.
    pub fn search(&self, hay: &[u8]) -> Vec<(&Needle, usize)> {
        // Most places of a hay begin no needle; two bytes tell that quickly.
        let mut begins = vec![false; 1 << 16];
        let mut by_four: HashMap<&[u8], Vec<(&[u8], &Needle)>> = HashMap::new();
        for (bytes, needle) in &self.all {
            begins[usize::from(bytes[0]) << 8 | usize::from(bytes[1])] = true;
            by_four.entry(&bytes[..4]).or_default().push((bytes, needle));
        }
        let mut found = Vec::new();
        for (place, four) in hay.windows(4).enumerate() {
            if !begins[usize::from(four[0]) << 8 | usize::from(four[1])] {
                continue;
            }
            for (bytes, needle) in by_four.get(four).into_iter().flatten() {
                if hay[place..].starts_with(bytes) {
                    found.push((*needle, place));
                }
            }
        }
        found
    }
}

/// A word in every encoding.
fn encodings(word: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = vec![
        ("plain", word.as_bytes().to_vec()),
        ("hex", hex(word, false)),
        ("HEX", hex(word, true)),
        ("URL", url(word)),
        ("JSON", json(word)),
        ("JSON \\u", word.encode_utf16().flat_map(|unit| format!("\\u{unit:04x}").into_bytes()).collect()),
        ("XML", xml(word)),
        ("UTF-16LE", word.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    for (name, alphabet) in [("base64", STANDARD), ("base64url", URL_SAFE)] {
        all.extend((0..3).map(|before| (name, base64_inside(word, before, &alphabet))));
    }
    all
}

/// The part of the base64 of a longer text that this word alone decides, when `before` bytes (modulo three) precede it.
fn base64_inside(word: &str, before: usize, alphabet: &Alphabet) -> Vec<u8> {
    let text = [vec![0; before], word.as_bytes().to_vec()].concat();
    let encoded = GeneralPurpose::new(alphabet, NO_PAD).encode(&text);
    let (first, end) = ((before * 8).div_ceil(6), text.len() * 8 / 6);
    encoded.as_bytes()[first..end].to_vec()
}

fn hex(word: &str, capitals: bool) -> Vec<u8> {
    let hex: String = word.bytes().map(|byte| format!("{byte:02x}")).collect();
    if capitals { hex.to_uppercase() } else { hex }.into_bytes()
}

fn url(word: &str) -> Vec<u8> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    word.bytes().flat_map(|byte| if plain(byte) { vec![byte] } else { format!("%{byte:02X}").into_bytes() }).collect()
}

fn json(word: &str) -> Vec<u8> {
    serde_json::to_string(word).unwrap().trim_matches('"').as_bytes().to_vec()
}

fn xml(word: &str) -> Vec<u8> {
    word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").into_bytes()
}

/// The search finds what it is for: a word written down by others' encoders, in the middle of something else.
#[test]
fn a_planted_word_is_found_in_every_encoding() {
    const WORD: &str = "Sandbox-Blue-&-Valley<1>/\"ü";
    let mut needles = Needles::default();
    needles.add("password", WORD);
    let mut planted = vec![
        ("plain", WORD.as_bytes().to_vec()),
        ("hex", WORD.bytes().flat_map(|b| format!("{b:02x}").into_bytes()).collect()),
        ("HEX", WORD.bytes().flat_map(|b| format!("{b:02X}").into_bytes()).collect()),
        ("URL", b"Sandbox-Blue-%26-Valley%3C1%3E%2F%22%C3%BC".to_vec()),
        ("JSON", serde_json::json!({ "x": WORD }).to_string().into_bytes()),
        ("XML", "Sandbox-Blue-&amp;-Valley&lt;1&gt;/\"ü".as_bytes().to_vec()),
        ("UTF-16LE", WORD.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ];
    for user in ["u", "us", "use", "user"] {
        let text = format!("{user}:{WORD} and more");
        planted.push(("base64", base64::engine::general_purpose::STANDARD.encode(&text).into_bytes()));
        planted.push(("base64url", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&text).into_bytes()));
    }
    let noise: Vec<u8> = (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    assert!(needles.search(&noise).is_empty());
    let dir = tempfile::tempdir().unwrap();
    for (encoding, bytes) in planted {
        let file = dir.path().join("log");
        std::fs::write(&file, [&noise[..70_001], &bytes, &noise[70_001..]].concat()).unwrap();
        let found = needles.search(&std::fs::read(&file).unwrap());
        assert!(
            found.iter().any(|(needle, _)| encoding.starts_with(needle.encoding)),
            "{encoding} is not found: {found:?}"
        );
    }
    let mut dates = Needles::default();
    dates.add_date("date of birth", "1984-03-12");
    for text in ["D8|19840312~", "03/12/1984", "born March 12, 1984.", "1984-03-12"] {
        assert!(!dates.search(text.as_bytes()).is_empty(), "{text}");
    }
}
