use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate good from so many days on, for so many days, and its key.
fn leaf(issuer: &Authority, from: i64, to: i64) -> (String, String) {
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Bone Clinic");
    let day = |days: i64| {
        let secs = Duration::from_secs((Timestamp::now().as_second() + days * 86_400).try_into().unwrap());
        std::time::SystemTime::UNIX_EPOCH + secs
    };
    params.not_before = day(from).into();
    params.not_after = day(to).into();
    let key = KeyPair::generate().unwrap();
    (params.signed_by(&key, issuer).unwrap().pem(), key.serialize_pem())
}

fn said(certificate: &str, key: &str) -> Vec<(&'static str, String)> {
    problems(Some(certificate), Some(key), Timestamp::now())
}

/// Nothing of a key, in any message.
fn has_nothing_of(key: &str, said: &[(&str, String)]) {
    let lines: Vec<&str> = key.lines().filter(|line| !line.starts_with("-----")).collect();
    for (_, problem) in said {
        assert!(lines.iter().all(|line| !problem.contains(line)), "{problem}");
    }
}

#[test]
fn a_certificate_its_chain_and_its_key_are_good_whatever_stands_around_them() {
    let root = authority("Root");
    let mut between = CertificateParams::new(vec![]).unwrap();
    between.distinguished_name.push(DnType::CommonName, "Between");
    between.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let between = CertifiedIssuer::signed_by(between, KeyPair::generate().unwrap(), &root).unwrap();
    let mut params = CertificateParams::new(vec![]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "Bone Clinic");
    let key = KeyPair::generate().unwrap();
    let own = params.signed_by(&key, &between).unwrap().pem();
    let chain = format!("Bag Attributes\n    friendlyName: bone\n{own}{}{}", between.pem(), root.pem());
    assert_eq!(said(&chain, &key.serialize_pem()), []);
    // As a text area of a page sends it.
    assert_eq!(said(&chain.replace('\n', "\r\n"), &key.serialize_pem().replace('\n', "\r\n")), []);
    let opened = Identity::open(&chain, &key.serialize_pem()).ok().unwrap();
    assert_eq!(opened.certified.cert.len(), 3);
    let backwards = format!("{own}{}{}", root.pem(), between.pem());
    let found = said(&backwards, &key.serialize_pem());
    assert!(found.len() == 1 && found[0].1.contains("Certificate 2 did not issue certificate 1"), "{found:?}");
    let authority_first = format!("{}{own}", between.pem());
    let found = said(&authority_first, &key.serialize_pem());
    let text = format!("{found:?}");
    assert!(text.contains("an authority's") && text.contains("did not issue"), "{text}");
    assert!(text.contains("This key belongs to certificate 2. Put that one first."), "{text}");
}

#[test]
fn everything_wrong_is_said_at_once_and_nothing_of_the_key() {
    let ca = authority("CA");
    let (good, key) = leaf(&ca, -1, 30);
    let (ended, other_key) = leaf(&ca, -30, -1);
    let (early, early_key) = leaf(&ca, 2, 30);
    let broken = good.replacen("M", "", 1);
    let sealed = key.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let many = good.repeat(9);
    for (certificate, key, says) in [
        (good.as_str(), "canary", vec![(CLIENT_KEY, "no PEM text")]),
        ("canary", key.as_str(), vec![(CLIENT_CERTIFICATE, "no certificate as PEM")]),
        ("canary", "canary", vec![(CLIENT_CERTIFICATE, "no certificate as PEM"), (CLIENT_KEY, "no PEM text")]),
        (&key, &key, vec![(CLIENT_CERTIFICATE, "client_key")]),
        (&good, &good, vec![(CLIENT_KEY, "no private key")]),
        (&good, &sealed, vec![(CLIENT_KEY, "passphrase")]),
        (&good, &other_key, vec![(CLIENT_KEY, "does not belong")]),
        (&ended, &key, vec![(CLIENT_CERTIFICATE, "ended on 20"), (CLIENT_KEY, "does not belong")]),
        (&early, &early_key, vec![(CLIENT_CERTIFICATE, "good only from 20")]),
        (&broken, &key, vec![(CLIENT_CERTIFICATE, "cannot be read")]),
        (&many, &key, vec![(CLIENT_CERTIFICATE, "more than 8")]),
        ("-----BEGIN CERTIFICATE REQUEST-----", &key, vec![(CLIENT_CERTIFICATE, "request for a certificate")]),
        (
            &good,
            "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            vec![(CLIENT_KEY, "kind that is not used")],
        ),
    ] {
        let found = said(certificate, key);
        let fits = found.len() == says.len()
            && found.iter().zip(&says).all(|(found, says)| found.0 == says.0 && found.1.contains(says.1));
        assert!(fits, "{says:?}: {found:?}");
        assert!(!format!("{found:?}").contains("canary"));
        has_nothing_of(key, &found);
    }
}

#[test]
fn keys_of_every_kind_that_is_used_are_taken() {
    use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
    for algorithm in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let certificate = CertificateParams::new(vec!["bone.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        assert_eq!(said(&certificate.pem(), &key.serialize_pem()), []);
    }
}

#[test]
fn the_first_end_in_the_chain_is_the_end() {
    let ca = authority("CA");
    let (certificate, _) = leaf(&ca, -1, 20);
    let fields = |text: &str| BTreeMap::from([(CLIENT_CERTIFICATE.to_owned(), Zeroizing::new(text.to_owned()))]);
    let ends = values_end(&fields(&format!("{certificate}{}", ca.pem()))).unwrap();
    let days = ends.since(Timestamp::now()).unwrap().total(jiff::Unit::Hour).unwrap() / 24.0;
    assert!((19.9..20.1).contains(&days), "{days}");
    assert_eq!(values_end(&fields("canary")), None);
    assert_eq!(values_end(&BTreeMap::new()), None);
}
