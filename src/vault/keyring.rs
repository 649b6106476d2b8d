//! The keys in memory, by number.
//!
//! A way to unseal (key file, passphrase, recovery code) opens the root key; the root key wraps one key for each practice;
//! a practice's key wraps one data key for each sealed text; the data key gives one key for each purpose. New texts are
//! sealed under the practice's newest key; its number stands in the text, so that older keys go on opening theirs until
//! the texts are re-wrapped.
//!
//! `2 ‖ key number ‖ wrapped data key ‖ ciphertext and tag`. Re-wrapping exchanges the middle and needs neither the plain
//! text nor the purpose nor what it is bound to: whoever holds the data key alone cannot move a text, because the text
//! itself is bound.
//!
//! Key number 0, the first one, also makes the codes (HMAC) and opens what was sealed before there were numbers. It is not
//! replaced: a paper trail's past must stay provable.

use std::collections::BTreeMap;

use ring::hmac;
use zeroize::Zeroizing;

use super::GATEWAY_PRACTICE;
use super::sealing::{KEY_BYTES, KeyBytes, SealingKey, expand, open_once, random, seal_once};
use crate::practice::PracticeId;
use crate::store::vault::KeyRow;
use crate::trail::{Purpose, SealBroken, bind};

/// First byte of a text sealed under a numbered key.
const NUMBERED: u8 = 2;
/// Bytes before the wrapped data key: the layout and the key's number.
const NUMBER_ENDS: usize = 5;
/// Bytes of a wrapped data key: layout, salt, nonce, key, tag.
const DATA_KEY_BYTES: usize = 1 + 16 + 12 + KEY_BYTES + 16;
/// The first key: codes, and texts without a number.
pub(super) const FIRST: u32 = 0;

/// All keys of an open vault. The bytes stay where they are and are wiped when this is dropped; `ring`'s own form of a key
/// is made for each use, because it cannot be wiped.
pub(super) struct Keyring {
    root: Box<KeyBytes>,
    /// The root key's version: a number that grows with each rotation.
    pub(super) version: i64,
    keys: BTreeMap<u32, Box<KeyBytes>>,
    newest: BTreeMap<PracticeId, u32>,
}

/// What a practice's key is wrapped for: it opens in no other row.
fn key_bound_to(practice: &PracticeId, id: i64, version: i64, at: i64) -> Vec<u8> {
    bind(&[
        b"practice key v1",
        practice.as_str().as_bytes(),
        &id.to_be_bytes(),
        &version.to_be_bytes(),
        &at.to_be_bytes(),
    ])
}

fn wrap(
    root: &KeyBytes,
    practice: &PracticeId,
    id: u32,
    version: i64,
    at: i64,
    key: &KeyBytes,
) -> Result<KeyRow, SealBroken> {
    let bound_to = key_bound_to(practice, id.into(), version, at);
    let wrapped = SealingKey::new(root).seal(&bound_to, key.as_ref())?;
    Ok(KeyRow { practice: practice.clone(), id: id.into(), root: version, wrapped, created_at: at })
}

fn unwrap(root: &KeyBytes, row: &KeyRow) -> Result<KeyBytes, SealBroken> {
    SealingKey::new(root).open_key(&key_bound_to(&row.practice, row.id, row.root, row.created_at), &row.wrapped)
}

/// The first row that does not open under the root key, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadKey(pub(super) i64);

impl Keyring {
    /// Opens all wrapped keys.
    pub(super) fn open(root: KeyBytes, version: i64, rows: &[KeyRow]) -> Result<Self, BadKey> {
        let mut ring = Self { root: Box::new(root), version, keys: BTreeMap::new(), newest: BTreeMap::new() };
        for row in rows {
            let id = u32::try_from(row.id).map_err(|_| BadKey(row.id))?;
            if row.root != version {
                return Err(BadKey(row.id));
            }
            let key = unwrap(&ring.root, row).map_err(|SealBroken| BadKey(row.id))?;
            ring.take(&row.practice, id, key);
        }
        if ring.keys.contains_key(&FIRST) { Ok(ring) } else { Err(BadKey(FIRST.into())) }
    }

    /// A ring with a new root key around `first` and one key for the gateway itself; and its rows.
    pub(super) fn found(first: &KeyBytes, at: i64) -> Result<(Self, Vec<KeyRow>), SealBroken> {
        let root = random::<KEY_BYTES>()?;
        let mut ring = Self { root: Box::new(root), version: 1, keys: BTreeMap::new(), newest: BTreeMap::new() };
        let gateway = PracticeId::new(GATEWAY_PRACTICE);
        let first_row = wrap(&ring.root, &gateway, FIRST, ring.version, at, first)?;
        ring.take(&gateway, FIRST, first.clone());
        let (next, row) = ring.with_new_key(&gateway, at)?;
        Ok((next, vec![first_row, row]))
    }

    fn take(&mut self, practice: &PracticeId, id: u32, key: KeyBytes) {
        self.keys.insert(id, Box::new(key));
        let newest = self.newest.entry(practice.clone()).or_insert(id);
        *newest = id.max(*newest);
    }

    fn copy(&self) -> Self {
        Self { root: self.root.clone(), version: self.version, keys: self.keys.clone(), newest: self.newest.clone() }
    }

    /// The ring with one more key, which is the practice's newest from then on; and its row.
    pub(super) fn with_new_key(&self, practice: &PracticeId, at: i64) -> Result<(Self, KeyRow), SealBroken> {
        let id = self.keys.keys().next_back().and_then(|last| last.checked_add(1)).ok_or(SealBroken)?;
        let key = random::<KEY_BYTES>()?;
        let row = wrap(&self.root, practice, id, self.version, at, &key)?;
        let mut next = self.copy();
        next.take(practice, id, key);
        Ok((next, row))
    }

    /// The same keys under a new root key; and all their rows.
    pub(super) fn with_new_root(&self, rows: &[KeyRow]) -> Result<(Self, Vec<KeyRow>), SealBroken> {
        let mut next = self.copy();
        next.root = Box::new(random::<KEY_BYTES>()?);
        next.version = self.version.checked_add(1).ok_or(SealBroken)?;
        let rows = rows.iter().map(|row| {
            let id = u32::try_from(row.id).map_err(|_| SealBroken)?;
            wrap(&next.root, &row.practice, id, next.version, row.created_at, &unwrap(&self.root, row)?)
        });
        let rows = rows.collect::<Result<_, _>>()?;
        Ok((next, rows))
    }

    /// The ring without these keys.
    pub(super) fn without(&self, gone: &[u32]) -> Self {
        let mut next = self.copy();
        next.keys.retain(|id, _| !gone.contains(id));
        next
    }

    /// The root key, to be wrapped by a way to unseal.
    pub(super) fn root(&self) -> &KeyBytes {
        &self.root
    }

    /// The practice's newest key; the gateway's own where it has none.
    pub(super) fn newest(&self, practice: &PracticeId) -> Option<u32> {
        let gateway = || self.newest.get(&PracticeId::new(GATEWAY_PRACTICE));
        self.newest.get(practice).or_else(gateway).copied()
    }

    /// Whether the practice has a key of its own.
    pub(super) fn knows(&self, practice: &PracticeId) -> bool {
        self.newest.contains_key(practice)
    }

    /// The numbers of all keys.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.keys.keys().copied().collect()
    }

    /// Keys under which nothing new is sealed, but the first.
    pub(super) fn older(&self) -> Vec<u32> {
        let newest = |id: &u32| self.newest.values().any(|newest| newest == id);
        self.keys.keys().filter(|id| **id != FIRST && !newest(id)).copied().collect()
    }

    fn key(&self, id: u32) -> Result<&KeyBytes, SealBroken> {
        self.keys.get(&id).map(AsRef::as_ref).ok_or(SealBroken)
    }

    /// Wraps data keys: a key of its own below the practice's, so that no key does two things.
    fn wrapping(&self, id: u32) -> Result<SealingKey, SealBroken> {
        Ok(SealingKey::new(&expand(self.key(id)?, &[b"portico data keys v2"])?))
    }

    pub(super) fn seal(
        &self,
        practice: &PracticeId,
        purpose: Purpose,
        bound_to: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, SealBroken> {
        let id = self.newest(practice).ok_or(SealBroken)?;
        let data_key = random::<KEY_BYTES>()?;
        let wrapped = self.wrapping(id)?.seal(&id.to_be_bytes(), data_key.as_ref())?;
        let body = seal_once(&content_key(&data_key, purpose)?, bound_to, plain)?;
        Ok(joined(id, &wrapped, &body))
    }

    pub(super) fn open_text(
        &self,
        purpose: Purpose,
        bound_to: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        match parts(sealed) {
            Some((id, wrapped, body)) => {
                let data_key = self.wrapping(id)?.open_key(&id.to_be_bytes(), wrapped)?;
                open_once(&content_key(&data_key, purpose)?, bound_to, body)
            }
            None => self.unnumbered(purpose)?.open(bound_to, sealed),
        }
    }

    /// What opens texts from before there were numbers.
    pub(super) fn unnumbered(&self, purpose: Purpose) -> Result<SealingKey, SealBroken> {
        Ok(SealingKey::new(&expand(self.key(FIRST)?, &[b"portico seal v1", purpose.word().as_bytes()])?))
    }

    /// The text with its data key wrapped by the practice's newest key. `None`: it is already, or has no number.
    pub(super) fn rewrap(&self, practice: &PracticeId, sealed: &[u8]) -> Result<Option<Vec<u8>>, SealBroken> {
        let Some((id, wrapped, body)) = parts(sealed) else { return Ok(None) };
        let newest = self.newest(practice).ok_or(SealBroken)?;
        if id == newest {
            return Ok(None);
        }
        let data_key = self.wrapping(id)?.open_key(&id.to_be_bytes(), wrapped)?;
        let wrapped = self.wrapping(newest)?.seal(&newest.to_be_bytes(), data_key.as_ref())?;
        Ok(Some(joined(newest, &wrapped, body)))
    }

    /// HMAC-SHA256 under the purpose's key.
    pub(super) fn mac(&self, purpose: Purpose, text: &[u8]) -> Result<[u8; 32], SealBroken> {
        let key = expand(self.key(FIRST)?, &[b"portico code v1", purpose.word().as_bytes()])?;
        let mut code = [0; 32];
        let signed = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), text);
        for (to, from) in code.iter_mut().zip(signed.as_ref()) {
            *to = *from;
        }
        Ok(code)
    }
}

fn content_key(data_key: &KeyBytes, purpose: Purpose) -> Result<KeyBytes, SealBroken> {
    expand(data_key, &[b"portico text v2", purpose.word().as_bytes()])
}

fn joined(id: u32, wrapped: &[u8], body: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(NUMBER_ENDS + wrapped.len() + body.len());
    sealed.push(NUMBERED);
    sealed.extend_from_slice(&id.to_be_bytes());
    sealed.extend_from_slice(wrapped);
    sealed.extend_from_slice(body);
    sealed
}

/// Number, wrapped data key, body. `None`: the text has no number, or is too short for one.
fn parts(sealed: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (header, rest) = sealed.split_at_checked(NUMBER_ENDS)?;
    let (&NUMBERED, id) = header.split_first()? else { return None };
    let (wrapped, body) = rest.split_at_checked(DATA_KEY_BYTES)?;
    Some((u32::from_be_bytes(id.try_into().ok()?), wrapped, body))
}

/// What a text sealed under this key begins with.
pub(super) fn mark(id: u32) -> [u8; NUMBER_ENDS] {
    let [a, b, c, d] = id.to_be_bytes();
    [NUMBERED, a, b, c, d]
}

/// The number in a mark; `None`: the texts with it have none.
pub(super) fn number(mark: &[u8]) -> Option<u32> {
    let (&NUMBERED, id) = mark.split_first()? else { return None };
    Some(u32::from_be_bytes(id.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn practice(name: &str) -> PracticeId {
        PracticeId::new(name)
    }

    fn ring() -> Keyring {
        let (ring, rows) = Keyring::found(&Zeroizing::new([7; KEY_BYTES]), 1).unwrap();
        let (ring, row) = ring.with_new_key(&practice("p-1"), 2).unwrap();
        let rows = [rows, vec![row]].concat();
        Keyring::open(ring.root().clone(), 1, &rows).unwrap()
    }

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let keys = ring();
        let p = practice("p-1");
        let sealed = keys.seal(&p, Purpose::Evidence, b"here", b"plain text").unwrap();
        assert_eq!(&**keys.open_text(Purpose::Evidence, b"here", &sealed).unwrap(), b"plain text");
        assert_eq!(keys.open_text(Purpose::Evidence, b"there", &sealed), Err(SealBroken));
        assert_eq!(keys.open_text(Purpose::Answers, b"here", &sealed), Err(SealBroken));
        assert_eq!(ring().open_text(Purpose::Evidence, b"here", &sealed), Err(SealBroken));
        assert_ne!(sealed, keys.seal(&p, Purpose::Evidence, b"here", b"plain text").unwrap());
        assert_ne!(keys.mac(Purpose::Cache, b"x"), keys.mac(Purpose::Trail, b"x"));
        assert_ne!(keys.mac(Purpose::Cache, b"x"), Ok([0; 32]));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let keys = ring();
        let sealed = keys.seal(&practice("p-1"), Purpose::Credentials, b"", b"secret").unwrap();
        let mut tried = 0;
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys.open_text(Purpose::Credentials, b"", &changed), Err(SealBroken), "bit {bit}");
            tried += 1;
        }
        for length in 0..sealed.len() {
            assert_eq!(keys.open_text(Purpose::Credentials, b"", &sealed[..length]), Err(SealBroken));
            tried += 1;
        }
        println!("{tried} changes noticed");
    }

    #[test]
    fn a_practices_key_gone_its_texts_are_gone_and_no_others() {
        let keys = ring();
        let (one, other) = (practice("p-1"), practice("p-2"));
        let sealed = keys.seal(&one, Purpose::Answers, b"", b"x").unwrap();
        // A practice without a key of its own uses the gateway's.
        let others = keys.seal(&other, Purpose::Answers, b"", b"y").unwrap();
        let shredded = keys.without(&[keys.newest(&one).unwrap()]);
        assert_eq!(shredded.open_text(Purpose::Answers, b"", &sealed), Err(SealBroken));
        assert!(shredded.open_text(Purpose::Answers, b"", &others).is_ok());
    }

    #[test]
    fn a_rewrapped_text_opens_under_the_new_key_alone() {
        let keys = ring();
        let p = practice("p-1");
        let sealed = keys.seal(&p, Purpose::Answers, b"place", b"x").unwrap();
        let (next, _) = keys.with_new_key(&p, 3).unwrap();
        assert_eq!(next.older(), [keys.newest(&p).unwrap()]);
        assert!(next.open_text(Purpose::Answers, b"place", &sealed).is_ok());
        let moved = next.rewrap(&p, &sealed).unwrap().unwrap();
        assert_eq!(next.rewrap(&p, &moved), Ok(None));
        let alone = next.without(&next.older());
        assert_eq!(&**alone.open_text(Purpose::Answers, b"place", &moved).unwrap(), b"x");
        assert_eq!(alone.open_text(Purpose::Answers, b"place", &sealed), Err(SealBroken));
        assert_eq!(keys.open_text(Purpose::Answers, b"place", &moved), Err(SealBroken));
    }

    #[test]
    fn under_a_new_root_the_old_one_opens_nothing() {
        let (keys, rows) = Keyring::found(&Zeroizing::new([7; KEY_BYTES]), 1).unwrap();
        let (next, new_rows) = keys.with_new_root(&rows).unwrap();
        assert_eq!(next.version, 2);
        let open = |ring: &Keyring, version, rows: &[KeyRow]| Keyring::open(ring.root().clone(), version, rows).is_ok();
        assert!(open(&next, 2, &new_rows) && open(&keys, 1, &rows));
        assert!(!open(&keys, 1, &new_rows) && !open(&keys, 2, &new_rows) && !open(&next, 2, &rows));
    }
}
