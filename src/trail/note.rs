//! Signed notes and checkpoints: the text formats of transparency logs (<https://c2sp.org/signed-note>,
//! <https://c2sp.org/tlog-checkpoint>), signed with Ed25519, so that other programs can check ours.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use super::merkle::{Hash, sha256};

/// The format's number for Ed25519.
const ED25519_KIND: u8 = 1;
/// Longest note that is read, bytes.
const NOTE_BYTES_MAX: usize = 16 * 1024;

/// A public key with the name it signs under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    /// The signer's name: no spaces, no `+`.
    pub name: String,
    /// The key.
    pub public: [u8; 32],
}

impl VerifierKey {
    fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = sha256(&[self.name.as_bytes(), b"\n", &[ED25519_KIND], &self.public]);
        [a, b, c, d]
    }

    /// The key as other programs take it: `name+id+key`.
    pub fn text(&self) -> String {
        let key = STANDARD.encode([&[ED25519_KIND][..], &self.public].concat());
        format!("{}+{}+{key}", self.name, hex(&self.id()))
    }

    /// Reads [`VerifierKey::text`]; `None` when it is no Ed25519 key, or the id is not the key's.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, STANDARD.decode(parts.next()?).ok()?);
        let (kind, public) = key.split_first()?;
        let key = Self { name: name.to_owned(), public: public.try_into().ok()? };
        (*kind == ED25519_KIND && hex(&key.id()) == id && !name.is_empty()).then_some(key)
    }

    /// Whether this is the key's signature of the text.
    pub fn verify(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(text, signature).is_ok()
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        text.push_str(&format!("{byte:02x}"));
        text
    })
}

/// Reads [`hex`] of 32 bytes.
pub fn unhex(text: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, place) in hash.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(text.get(place..place + 2)?, 16).ok()?;
    }
    Some(hash)
}

/// The public half of a pair.
pub fn public_of(pair: &Ed25519KeyPair) -> [u8; 32] {
    let mut public = [0; 32];
    for (to, from) in public.iter_mut().zip(pair.public_key().as_ref()) {
        *to = *from;
    }
    public
}

/// Signs a text, which ends with a line break, under a name.
pub fn sign(text: &str, name: &str, pair: &Ed25519KeyPair) -> String {
    let key = VerifierKey { name: name.to_owned(), public: public_of(pair) };
    let signature = STANDARD.encode([&key.id()[..], pair.sign(text.as_bytes()).as_ref()].concat());
    format!("{text}\n\u{2014} {name} {signature}\n")
}

/// The text of a note that one of these keys signed, and which. A wrong signature of a known key spoils the whole note;
/// signatures of others are passed over, as the format asks.
pub fn open<'n, 'k>(note: &'n str, keys: &'k [VerifierKey]) -> Option<(&'n str, &'k VerifierKey)> {
    if note.len() > NOTE_BYTES_MAX {
        return None;
    }
    let end = note.rfind("\n\n")? + 1;
    let (text, signatures) = (note.get(..end)?, note.get(end + 1..)?.strip_suffix('\n')?);
    let mut found = None;
    for line in signatures.split('\n') {
        let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
        let signature = STANDARD.decode(signature).ok()?;
        let (id, signature) = signature.split_at_checked(4)?;
        let Some(key) = keys.iter().find(|key| key.name == name && key.id() == id) else { continue };
        if !key.verify(text.as_bytes(), signature) {
            return None;
        }
        found = found.or(Some(key));
    }
    Some((text, found?))
}

/// What a log says of itself: which log, how many records, and the root over them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many records.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Reads the text back. Extension lines are allowed by the format and passed over.
    pub fn read(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let size: u64 = size.parse().ok().filter(|number: &u64| number.to_string() == size)?;
        let root = STANDARD.decode(root).ok()?.try_into().ok()?;
        Some(Self { origin: origin.to_owned(), size, root }).filter(|found| !found.origin.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the documentation of Go's `golang.org/x/mod/sumdb/note`, which the format was taken from.
    const KEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

    #[test]
    fn a_note_of_another_program_opens() {
        let key = VerifierKey::read(KEY).unwrap();
        assert_eq!(key.text(), KEY);
        assert_eq!(open(NOTE, std::slice::from_ref(&key)).unwrap().0, "This is an example message.\n");
        assert!(VerifierKey::read(&KEY.replace("530d", "530e")).is_none());
    }

    #[test]
    fn every_changed_byte_of_a_note_is_noticed() {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let checkpoint = Checkpoint { origin: "portico/x/trail/p-1".to_owned(), size: 12, root: [3; 32] };
        let note = sign(&checkpoint.text(), "portico/x", &pair);
        let keys = [VerifierKey { name: "portico/x".to_owned(), public: public_of(&pair) }];
        assert_eq!(Checkpoint::read(open(&note, &keys).unwrap().0).unwrap(), checkpoint);
        for place in 0..note.len() {
            let mut changed = note.clone().into_bytes();
            changed[place] ^= 1;
            let opened = String::from_utf8(changed).ok();
            assert!(opened.is_none_or(|note| open(&note, &keys).is_none()), "byte {place}");
        }
        assert_eq!(unhex(&hex(&[9; 32])), Some([9; 32]));
        assert_eq!(unhex("zz"), None);
    }

    #[test]
    fn numbers_have_one_spelling() {
        let text = |size: &str| format!("a\n{size}\n{}\n", STANDARD.encode([0; 32]));
        assert!(Checkpoint::read(&text("10")).is_some());
        for size in ["010", "+10", "-1", "", "1e3"] {
            assert!(Checkpoint::read(&text(size)).is_none(), "{size}");
        }
    }
}
