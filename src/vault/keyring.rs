//! Keys in memory, and what is done with them: AES-256-GCM from `ring`, keys derived by HKDF-SHA256.
//!
//! One level up from each text: the key file's key wraps the root key; the root key gives one key for each purpose; a
//! purpose's key gives each sealed text a key of its own from 16 random bytes, so that no key ever seals enough texts
//! for two random nonces to meet.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::trail::{Purpose, SealBroken, Sealer};

/// Bytes of every key.
pub(super) const KEY_BYTES: usize = 32;
/// A key outside of `ring`, wiped when dropped.
pub(super) type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// First byte of every sealed text: the layout below.
const LAYOUT: u8 = 1;
const SALT_BYTES: usize = 16;
const HEADER_BYTES: usize = 1 + SALT_BYTES + NONCE_LEN;

/// A key that seals texts: each under a key of its own.
pub(super) struct SealingKey(Prk);

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn expand(from: &Prk, info: &[&[u8]]) -> Result<KeyBytes, SealBroken> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    from.expand(info, Length(KEY_BYTES)).and_then(|okm| okm.fill(key.as_mut())).map_err(|_| SealBroken)?;
    Ok(key)
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, SealBroken> {
    let mut bytes = Zeroizing::new([0; N]);
    SystemRandom::new().fill(bytes.as_mut()).map_err(|_| SealBroken)?;
    Ok(bytes)
}

impl SealingKey {
    pub(super) fn new(key: &KeyBytes) -> Self {
        Self(Prk::new_less_safe(HKDF_SHA256, key.as_ref()))
    }

    fn text_key(&self, salt: &[u8]) -> Result<LessSafeKey, SealBroken> {
        let key = expand(&self.0, &[b"portico text v1", salt])?;
        UnboundKey::new(&AES_256_GCM, key.as_ref()).map(LessSafeKey::new).map_err(|_| SealBroken)
    }

    /// `layout ‖ salt ‖ nonce ‖ ciphertext and tag`.
    pub(super) fn seal(&self, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        let salt = random::<SALT_BYTES>()?;
        let nonce = random::<NONCE_LEN>()?;
        // Sized at once: a vector that grows would leave plain text behind in freed memory.
        let mut text = Zeroizing::new(Vec::with_capacity(plain.len() + AES_256_GCM.tag_len()));
        text.extend_from_slice(plain);
        self.text_key(salt.as_ref())?
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(*nonce), Aad::from(bound_to), &mut *text)
            .map_err(|_| SealBroken)?;
        let mut sealed = Vec::with_capacity(HEADER_BYTES + text.len());
        sealed.push(LAYOUT);
        sealed.extend_from_slice(salt.as_ref());
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    pub(super) fn open(&self, bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        let rest = match sealed.split_first() {
            Some((&LAYOUT, rest)) => rest,
            _ => return Err(SealBroken),
        };
        let (salt, rest) = rest.split_at_checked(SALT_BYTES).ok_or(SealBroken)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LEN).ok_or(SealBroken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealBroken)?;
        let mut text = Zeroizing::new(text.to_vec());
        let plain =
            self.text_key(salt)?.open_in_place(nonce, Aad::from(bound_to), &mut text).map_err(|_| SealBroken)?.len();
        text.truncate(plain);
        Ok(text)
    }
}

/// The keys of all purposes.
pub(super) struct Keyring {
    purposes: Vec<(Purpose, SealingKey, hmac::Key)>,
}

impl Keyring {
    /// Derives all keys from the root key.
    pub(super) fn new(root: &KeyBytes) -> Result<Self, SealBroken> {
        let root = Prk::new_less_safe(HKDF_SHA256, root.as_ref());
        let purposes = Purpose::ALL.into_iter().map(|purpose| {
            let sealing = expand(&root, &[b"portico seal v1", purpose.word().as_bytes()])?;
            let codes = expand(&root, &[b"portico code v1", purpose.word().as_bytes()])?;
            Ok((purpose, SealingKey::new(&sealing), hmac::Key::new(hmac::HMAC_SHA256, codes.as_ref())))
        });
        Ok(Self { purposes: purposes.collect::<Result<_, _>>()? })
    }

    pub(super) fn sealing(&self, purpose: Purpose) -> Result<&SealingKey, SealBroken> {
        self.purposes.iter().find(|found| found.0 == purpose).map(|found| &found.1).ok_or(SealBroken)
    }
}

impl Sealer for Keyring {
    fn seal(&self, purpose: Purpose, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, SealBroken> {
        self.sealing(purpose)?.seal(bound_to, plain)
    }

    fn open(&self, purpose: Purpose, bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealBroken> {
        self.sealing(purpose)?.open(bound_to, sealed)
    }

    fn mac(&self, purpose: Purpose, text: &[u8]) -> [u8; 32] {
        let mut code = [0; 32];
        // `purposes` holds all of them, by construction.
        if let Some((_, _, key)) = self.purposes.iter().find(|found| found.0 == purpose) {
            for (to, from) in code.iter_mut().zip(hmac::sign(key, text).as_ref()) {
                *to = *from;
            }
        }
        code
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring() -> Keyring {
        Keyring::new(&Zeroizing::new([7; KEY_BYTES])).unwrap()
    }

    #[test]
    fn opens_what_it_sealed_and_nothing_else() {
        let keys = keyring();
        let sealed = keys.seal(Purpose::Evidence, b"here", b"plain text").unwrap();
        assert_eq!(&**keys.open(Purpose::Evidence, b"here", &sealed).unwrap(), b"plain text");
        assert_eq!(keys.open(Purpose::Evidence, b"there", &sealed), Err(SealBroken));
        assert_eq!(keys.open(Purpose::Answers, b"here", &sealed), Err(SealBroken));
        let other = Keyring::new(&Zeroizing::new([8; KEY_BYTES])).unwrap();
        assert_eq!(other.open(Purpose::Evidence, b"here", &sealed), Err(SealBroken));
        assert_ne!(sealed, keys.seal(Purpose::Evidence, b"here", b"plain text").unwrap());
        assert_ne!(keys.mac(Purpose::Cache, b"x"), keys.mac(Purpose::Trail, b"x"));
        assert_ne!(keys.mac(Purpose::Cache, b"x"), [0; 32]);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let keys = keyring();
        let sealed = keys.seal(Purpose::Credentials, b"", b"secret").unwrap();
        let mut tried = 0;
        for bit in 0..sealed.len() * 8 {
            let mut changed = sealed.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys.open(Purpose::Credentials, b"", &changed), Err(SealBroken), "bit {bit}");
            tried += 1;
        }
        for length in 0..sealed.len() {
            assert_eq!(keys.open(Purpose::Credentials, b"", &sealed[..length]), Err(SealBroken));
            tried += 1;
        }
        println!("{tried} changes noticed");
    }
}
