//! Client certificates for mutual TLS (RFC 8446 section 4.4.2): what somebody stores is checked here, and opened for the
//! handshakes of one credential. Nothing of a key is in any message.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SigningKey};
use x509_cert::Certificate;
use x509_cert::der::{Decode as _, Encode as _};
use x509_cert::ext::pkix::BasicConstraints;
use zeroize::{Zeroize as _, Zeroizing};

use crate::carriers::{CLIENT_CERTIFICATE, CLIENT_KEY};

/// Most certificates in one chain.
const CHAIN_MAX: usize = 8;

/// What proves in a handshake who we are, and until when.
pub(super) struct Identity {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) ends: Timestamp,
}

impl Identity {
    /// Opens a stored certificate and its key.
    ///
    /// # Errors
    /// What is wrong with them, in fixed words.
    pub(super) fn open(certificate: &str, key: &str) -> Result<Self, &'static str> {
        let chain = chain(certificate).map_err(|_| "its certificate cannot be read")?;
        let key = open_key(key).map_err(|_| "its key cannot be read")?;
        let leaf = chain.first().ok_or("it has no certificate")?;
        if public_half(&key).is_some_and(|public| public != leaf.public) {
            return Err("its key does not belong to its certificate");
        }
        let ends = end_of(&chain).ok_or("its certificate has no end")?;
        let chain = chain.into_iter().map(|one| one.der).collect();
        Ok(Self { certified: Arc::new(CertifiedKey::new(chain, key)), ends })
    }
}

/// When the client certificate among these values ends: the first end in its chain. `None`: there is none, or it cannot be
/// read.
pub fn values_end(fields: &BTreeMap<String, Zeroizing<String>>) -> Option<Timestamp> {
    end_of(&chain(fields.get(CLIENT_CERTIFICATE)?).ok()?)
}

/// Everything that is wrong with a client certificate and its key, each with its field.
pub(super) fn problems(certificate: Option<&str>, key: Option<&str>, now: Timestamp) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let chain = match certificate.map(chain) {
        Some(Ok(chain)) => chain,
        Some(Err(problem)) => {
            found.push((CLIENT_CERTIFICATE, problem));
            Vec::new()
        }
        None => Vec::new(),
    };
    found.extend(in_chain(&chain, now).into_iter().map(|problem| (CLIENT_CERTIFICATE, problem)));
    match key.map(open_key) {
        Some(Ok(key)) => found.extend(mismatch(&key, &chain).map(|problem| (CLIENT_KEY, problem))),
        Some(Err(problem)) => found.push((CLIENT_KEY, problem.to_owned())),
        None => {}
    }
    found
}

/// A certificate, with what is looked at.
struct Link {
    der: CertificateDer<'static>,
    parsed: Certificate,
    /// Its public key (SubjectPublicKeyInfo), DER.
    public: Vec<u8>,
    begins: Timestamp,
    ends: Timestamp,
}

impl Link {
    fn read(der: CertificateDer<'static>) -> Option<Self> {
        let parsed = Certificate::from_der(&der).ok()?;
        let body = &parsed.tbs_certificate;
        let time = |time: x509_cert::time::Time| {
            Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok()
        };
        let (begins, ends) = (time(body.validity.not_before)?, time(body.validity.not_after)?);
        let public = body.subject_public_key_info.to_der().ok()?;
        Some(Self { der, parsed, public, begins, ends })
    }

    fn is_authority(&self) -> bool {
        let constraints = self.parsed.tbs_certificate.get::<BasicConstraints>();
        matches!(constraints, Ok(Some((_, constraints))) if constraints.ca)
    }

    fn issued(&self, other: &Self) -> bool {
        self.parsed.tbs_certificate.subject == other.parsed.tbs_certificate.issuer
    }
}

/// The certificates of a PEM text, in its order; at least one.
fn chain(pem: &str) -> Result<Vec<Link>, String> {
    if pem.contains("PRIVATE KEY-----") {
        return Err(
            "A private key stands in here. It goes into client_key; this field takes the certificates alone.".into()
        );
    }
    if pem.contains("-----BEGIN CERTIFICATE REQUEST-----") || pem.contains("-----BEGIN NEW CERTIFICATE REQUEST-----") {
        return Err("This is the request for a certificate. Store what the authority made of it.".into());
    }
    if !pem.contains("-----BEGIN CERTIFICATE-----") {
        return Err("This is no certificate as PEM text. Give the whole file, from -----BEGIN CERTIFICATE----- to its last line (out of a .p12 file: openssl pkcs12 -in file.p12 -nokeys -out certificate.pem).".into());
    }
    let mut chain = Vec::new();
    for (place, der) in CertificateDer::pem_slice_iter(pem.as_bytes()).enumerate() {
        let number = place + 1;
        if number > CHAIN_MAX {
            return Err(format!(
                "These are more than {CHAIN_MAX} certificates. Give the practice's own and those that vouch for it."
            ));
        }
        let unreadable = || format!("Certificate {number} cannot be read: a part of it is missing or was changed.");
        let der = der.map_err(|_| unreadable())?;
        chain.push(Link::read(der).ok_or_else(unreadable)?);
    }
    if chain.is_empty() {
        return Err("This PEM text cannot be read: a part of it is missing or was changed.".into());
    }
    Ok(chain)
}

fn end_of(chain: &[Link]) -> Option<Timestamp> {
    chain.iter().map(|one| one.ends).min()
}

/// What is wrong with certificates that can be read: their order, their time.
fn in_chain(chain: &[Link], now: Timestamp) -> Vec<String> {
    let mut found = Vec::new();
    if chain.first().is_some_and(Link::is_authority) {
        found.push("The first certificate is an authority's. Put the practice's own first, then those that vouch for it, each behind the one that it issued.".to_owned());
    }
    let out_of_order = chain.windows(2).position(|pair| matches!(pair, [one, next] if !next.issued(one)));
    if let Some(place) = out_of_order {
        let (one, next) = (place + 1, place + 2);
        found.push(format!(
            "Certificate {next} did not issue certificate {one}. Put the practice's own first, then those that vouch for it, each behind the one that it issued."
        ));
    }
    for (place, one) in chain.iter().enumerate() {
        let number = place + 1;
        if one.ends <= now {
            found.push(format!("Certificate {number} ended on {}. Store the renewed one.", day(one.ends)));
        } else if one.begins > now {
            found.push(format!("Certificate {number} is good only from {} on. Store it then.", day(one.begins)));
        }
    }
    found
}

fn day(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d").to_string()
}

fn open_key(pem: &str) -> Result<Arc<dyn SigningKey>, &'static str> {
    if !pem.contains("-----BEGIN ") {
        return Err(
            "This is no PEM text. Give the whole file, from -----BEGIN PRIVATE KEY----- to its last line (out of a .p12 file: openssl pkcs12 -in file.p12 -nocerts -nodes -out key.pem).",
        );
    }
    if pem.contains("ENCRYPTED") {
        return Err(
            "This key is protected by a passphrase. Write it without one (openssl pkey -in key.pem -out plain.pem); the vault seals it.",
        );
    }
    if !pem.contains("PRIVATE KEY-----") {
        return Err("This is no private key, but a certificate or the public half. The private key belongs here.");
    }
    let mut key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
        .map_err(|_| "This PEM text cannot be read: a part of it is missing or was changed.")?;
    let opened = any_supported_type(&key);
    key.zeroize();
    opened.map_err(|_| {
        "This key is damaged or of a kind that is not used here. RSA of 2048 bits or more, P-256, P-384 and Ed25519 are."
    })
}

/// The public key that belongs to a private one (SubjectPublicKeyInfo), DER.
fn public_half(key: &Arc<dyn SigningKey>) -> Option<Vec<u8>> {
    key.public_key().map(|public| public.as_ref().to_vec())
}

fn mismatch(key: &Arc<dyn SigningKey>, chain: &[Link]) -> Option<String> {
    let (public, leaf) = (public_half(key)?, chain.first()?);
    if public == leaf.public {
        return None;
    }
    Some(match chain.iter().position(|one| one.public == public) {
        Some(place) => format!("This key belongs to certificate {}. Put that one first.", place + 1),
        None => "This key does not belong to the certificate.".to_owned(),
    })
}

#[cfg(test)]
#[path = "certificate_tests.rs"]
mod tests;
