//! Error codes of CORE envelopes, SOAP and WS-Security, and what each means for who must act.
//!
//! The codes are those of the CAQH CORE connectivity rules (2.2.0 and 4.0.0, "Envelope Processing Status and Error
//! Codes"): `Success`, `<field>Required`, `<field>Illegal`, `<field>NotRequired`, `VersionMismatch`, `UnAuthorized`,
//! `ChecksumMismatched`; the SOAP 1.1 and 1.2 fault codes; and the WS-Security 1.1 fault codes.

use connector_sdk::error::Fact;
use connector_sdk::{Error, ErrorKind};

/// What an envelope's own code says.
pub(crate) enum Verdict {
    /// The envelope was accepted; the payload tells the rest.
    Success,
    /// It was not.
    Failed(Error),
}

/// Whole codes. Compared without regard to letter case and prefix.
const CODES: &[(&str, ErrorKind, &str)] = &[
    ("UnAuthorized", ErrorKind::CredentialRejected, "The carrier did not accept the user name and password."),
    ("FailedAuthentication", ErrorKind::CredentialRejected, "The carrier did not accept the user name and password."),
    ("InvalidSecurityToken", ErrorKind::CredentialRejected, "The carrier did not accept the user name and password."),
    // Servers that hide the cause of a failed sign-in answer with one of these; treating them as a rejected
    // credential is the side on which no account is locked out.
    ("FailedCheck", ErrorKind::CredentialRejected, "The carrier did not accept the security header."),
    ("InvalidSecurity", ErrorKind::CredentialRejected, "The carrier did not accept the security header."),
    ("SecurityError", ErrorKind::CredentialRejected, "The carrier did not accept the security header."),
    ("SecurityTokenUnavailable", ErrorKind::CredentialRejected, "The carrier did not accept the security header."),
    (
        "UnsupportedSecurityToken",
        ErrorKind::ProtocolBroken,
        "The carrier does not take this kind of sign-in: compare `soap.password_type` in the carrier file.",
    ),
    (
        "UnsupportedAlgorithm",
        ErrorKind::ProtocolBroken,
        "The carrier does not take this kind of sign-in: compare `soap.password_type` in the carrier file.",
    ),
    (
        "MessageExpired",
        ErrorKind::ProtocolBroken,
        "The carrier finds the request too old: compare this machine's clock and `timestamp` in the carrier file.",
    ),
    (
        "VersionMismatch",
        ErrorKind::ProtocolBroken,
        "The carrier does not take this version of the envelope: compare `rule_version` in the carrier file.",
    ),
    ("ChecksumMismatched", ErrorKind::ProtocolBroken, "The carrier computed another checksum than was sent."),
    ("MustUnderstand", ErrorKind::ProtocolBroken, "The carrier does not know a header of the SOAP envelope."),
    ("DataEncodingUnknown", ErrorKind::ProtocolBroken, "The carrier does not know the envelope's encoding."),
    ("Sender", ErrorKind::ProtocolBroken, "The carrier says that the envelope it got is wrong."),
    ("Client", ErrorKind::ProtocolBroken, "The carrier says that the envelope it got is wrong."),
    ("Receiver", ErrorKind::CarrierUnavailable, "The carrier's own system failed on the request."),
    ("Server", ErrorKind::CarrierUnavailable, "The carrier's own system failed on the request."),
];

/// Fields of the envelope, the setting each comes from, and how a code names it.
const FIELDS: &[(&str, &str)] = &[
    ("PayloadType", "payload_type_request"),
    ("ProcessingMode", "processing_mode"),
    ("PayloadID", "payload_id"),
    ("PayloadLength", "payload_length"),
    ("TimeStamp", "timestamp"),
    ("UserName", "username"),
    ("Password", "password"),
    ("SenderID", "sender_id"),
    ("ReceiverID", "receiver_id"),
    ("CORERuleVersion", "rule_version"),
    ("CheckSum", "checksum"),
    ("Payload", "payload"),
    ("ErrorCode", "error_code"),
    ("ErrorMessage", "error_message"),
];

/// Judges one code.
pub(crate) fn judge(code: &str) -> Verdict {
    let code = code.rsplit(':').next().unwrap_or(code).trim();
    // SOAP 1.1 lets a code be refined by dots: `Client.Authentication`.
    let (first, refined) = code.split_once('.').map_or((code, ""), |(first, rest)| (first, rest));
    if code.eq_ignore_ascii_case("success") {
        return Verdict::Success;
    }
    if refined.to_ascii_lowercase().starts_with("auth") {
        return Verdict::Failed(Error::new(
            ErrorKind::CredentialRejected,
            "The carrier did not accept the user name and password.",
        ));
    }
    if let Some((word, kind, message)) = CODES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(first)) {
        return Verdict::Failed(Error::new(*kind, message).fact("code", *word));
    }
    Verdict::Failed(field_error(first).unwrap_or_else(|| {
        Error::new(ErrorKind::ProtocolBroken, "The carrier answered with an error code that is not in the CORE rule.")
    }))
}

/// Judges a code with the words beside it. The words are looked at only where the code itself says nothing, and only to
/// tell a refused sign-in and maintenance apart from the rest; they are not kept.
pub(crate) fn judge_with(code: &str, words: &str) -> Verdict {
    let verdict = judge(code);
    let Verdict::Failed(error) = verdict else { return verdict };
    if is_telling(code) || error.kind == ErrorKind::CredentialRejected {
        return Verdict::Failed(error);
    }
    let words = words.to_ascii_lowercase();
    let says = |list: &[&str]| list.iter().any(|word| words.contains(word));
    if says(&["authenticat", "unauthori", "not authori", "username", "user name", "user id", "password", "credential"])
    {
        return Verdict::Failed(Error::new(
            ErrorKind::CredentialRejected,
            "The carrier did not accept the user name and password.",
        ));
    }
    if says(&["maintenance", "temporarily unavailable", "temporarily closed"]) {
        return Verdict::Failed(Error::new(ErrorKind::CarrierClosed, "The carrier says that it is in maintenance."));
    }
    Verdict::Failed(error)
}

/// Codes by which a carrier says that it did not take the envelope at all: what stood in it was not looked at.
const NOT_TAKEN: [&str; 7] = [
    "VersionMismatch",
    "ChecksumMismatched",
    "MustUnderstand",
    "DataEncodingUnknown",
    "UnsupportedSecurityToken",
    "UnsupportedAlgorithm",
    "MessageExpired",
];

/// The word for why the envelope was not taken, of an error made here: one of the codes of `NOT_TAKEN`, or the setting of the
/// field that was refused. `None` where what stood in the envelope may have been looked at.
pub(crate) fn not_taken(error: &Error) -> Option<&'static str> {
    error.facts.iter().find_map(|(name, value)| match (*name, value) {
        ("code", Fact::Word(word)) if NOT_TAKEN.contains(word) => Some(*word),
        ("field", Fact::Word(field)) if !matches!(*field, "error_code" | "error_message") => Some(*field),
        _ => None,
    })
}

/// Whether a code is one of the named ones (and not just "Sender" or "Receiver", which say nothing).
pub(crate) fn is_telling(code: &str) -> bool {
    let word = code.rsplit(':').next().unwrap_or(code).trim();
    let vague = ["sender", "receiver", "client", "server"].contains(&word.to_ascii_lowercase().as_str());
    let known = CODES.iter().any(|(known, ..)| known.eq_ignore_ascii_case(word));
    !vague && (known || field_error(word).is_some())
}

fn field_error(code: &str) -> Option<Error> {
    let lower = code.to_ascii_lowercase();
    // The longest ending first: every `NotRequired` also ends in `Required`.
    let (stem, said) = [("notrequired", "not_required"), ("required", "required"), ("illegal", "illegal")]
        .iter()
        .find_map(|(ending, said)| lower.strip_suffix(ending).map(|stem| (stem, *said)))?;
    let (_, field) = FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(stem))?;
    let refused_value = said == "illegal" && matches!(*field, "username" | "password");
    let (kind, message) = if refused_value {
        (ErrorKind::CredentialRejected, "The carrier did not accept the user name and password.")
    } else {
        (ErrorKind::ProtocolBroken, "The carrier refused a field of the envelope: compare it in the carrier file.")
    };
    Some(Error::new(kind, message).fact("field", *field).fact("said", said))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: &str) -> Option<ErrorKind> {
        match judge(code) {
            Verdict::Success => None,
            Verdict::Failed(error) => Some(error.kind),
        }
    }

    #[test]
    fn every_code_of_the_rule_has_its_kind() {
        let broken = Some(ErrorKind::ProtocolBroken);
        let rejected = Some(ErrorKind::CredentialRejected);
        let cases = [
            ("Success", None),
            ("SUCCESS", None),
            ("UnAuthorized", rejected),
            ("Unauthorized", rejected),
            ("wsse:FailedAuthentication", rejected),
            ("soap:Client.Authentication", rejected),
            ("PasswordIllegal", rejected),
            ("PasswordRequired", broken),
            ("PayloadTypeRequired", broken),
            ("PayloadIDIllegal", broken),
            ("CheckSumNotRequired", broken),
            ("VersionMismatch", broken),
            ("ChecksumMismatched", broken),
            ("env:Sender", broken),
            ("env:Receiver", Some(ErrorKind::CarrierUnavailable)),
            ("soapenv:Server", Some(ErrorKind::CarrierUnavailable)),
            ("", broken),
            ("Zorg", broken),
        ];
        for (code, wanted) in cases {
            assert_eq!(kind(code), wanted, "{code}");
        }
    }

    #[test]
    fn a_refused_field_is_named() {
        let Verdict::Failed(error) = judge("SenderIDIllegal") else { panic!("accepted") };
        assert!(error.to_string().ends_with("field=sender_id said=illegal"), "{error}");
        let Verdict::Failed(error) = judge("TimeStampNotRequired") else { panic!("accepted") };
        assert!(error.to_string().ends_with("field=timestamp said=not_required"), "{error}");
    }

    #[test]
    fn vague_codes_are_not_telling() {
        assert!(is_telling("ns:UnAuthorized") && is_telling("PayloadRequired"));
        assert!(!is_telling("env:Sender") && !is_telling("SOAP-ENV:Server") && !is_telling("whatever"));
    }
}
