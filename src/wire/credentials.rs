//! What the wire needs from the vault: a lease on one practice's credential, a way to stop it for good, and a durable memory
//! of what the carrier counts (logins, one-time codes).

use std::collections::BTreeMap;
use std::fmt;

use connector_sdk::{BoxFuture, Error, ErrorKind, Result};
use zeroize::Zeroizing;

use crate::carriers::Carrier;
use crate::practice::PracticeId;
use crate::trail::Actor;

/// The vault as the wire sees it.
pub trait Credentials: Send + Sync {
    /// Opens the credential this practice uses at this carrier.
    ///
    /// # Errors
    /// [`connector_sdk::ErrorKind::CredentialMissing`] when there is none, or a field the carrier needs is not filled;
    /// [`connector_sdk::ErrorKind::CredentialRejected`] when it is stopped.
    fn lease(&self, practice: &PracticeId, carrier: &Carrier) -> Result<Lease>;

    /// Stops a credential because of a doubt, durably: once this returns `Ok`, no lease on this generation is given out
    /// any more, not even after a restart, until a person has it tried again or enters a new one. Any login under way
    /// with it counts as ended.
    ///
    /// # Errors
    /// [`connector_sdk::ErrorKind::Internal`] when it could not be stored.
    fn stop<'a>(&'a self, credential_id: &'a str, generation: u64, why: Doubt) -> BoxFuture<'a, Result<()>>;

    /// Notes, durably and before it leaves, that a login is under way. Should the process end before
    /// [`Credentials::login_ended`], the credential is suspect at the next start: nobody knows what the carrier counted.
    /// There is one login under way for a credential at most.
    ///
    /// # Errors
    /// [`ErrorKind::Overloaded`] while another one is under way; [`ErrorKind::CredentialRejected`] when these values are not
    /// to be used any more; [`ErrorKind::Internal`] when it could not be stored. Nothing may leave then.
    fn login_begins<'a>(&'a self, credential_id: &'a str, generation: u64) -> BoxFuture<'a, Result<LoginMark>>;

    /// A login is over: the carrier has `accepted` the values, or said nothing about them (a refusal goes to
    /// [`Credentials::stop`]). Another may begin at once; the future is done when this is durable.
    fn login_ended(&self, credential_id: &str, mark: LoginMark, accepted: bool) -> BoxFuture<'static, Result<()>>;

    /// Takes a step of one-time codes (RFC 6238), durably and before the code leaves; `false` when this step or a later one
    /// was taken before, by whichever process.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when it could not be stored. No code may leave then.
    fn take_step<'a>(&'a self, credential_id: &'a str, step: u64) -> BoxFuture<'a, Result<bool>>;

    /// Stores a new value of one field as the next generation, in the name of whoever entered it; the other fields stay.
    /// The new generation's number. `generation` is the one that the carrier has just had the new value for.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when it could not be stored.
    fn replace<'a>(
        &'a self,
        _credential_id: &'a str,
        _generation: u64,
        _field: &'a str,
        _value: Zeroizing<String>,
        _by: &'a Actor,
    ) -> BoxFuture<'a, Result<u64>> {
        Box::pin(async { Err(Error::new(ErrorKind::Internal, "New values cannot be stored here.")) })
    }
}

/// One login that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginMark(pub i64);

/// Why a credential is not used any more until a person acts: carriers lock accounts after a few failed logins, so that
/// one that may have failed is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The carrier refused it.
    Refused,
    /// The carrier does not take its client certificate.
    CertificateRefused,
    /// The sign-in ended on a page that nobody understands.
    Unrecognised,
    /// The login left and no reply came.
    NoReply,
    /// The gateway ended while the login was under way.
    Interrupted,
    /// The carrier shows a page for a person: a captcha, new terms, a forced change of the password.
    Person,
    /// The carrier asked something of a person at the sign-in, and nobody answered in time.
    Unanswered,
    /// The carrier did not take the code that a person entered.
    CodeRefused,
}

impl Doubt {
    /// The fixed words in the trail and on pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "the carrier refused it",
            Self::CertificateRefused => "the carrier does not take its client certificate",
            Self::Unrecognised => "its sign-in ended on a page that is not understood",
            Self::NoReply => "its sign-in got no reply",
            Self::Interrupted => "the gateway ended during its sign-in",
            Self::Person => "the carrier shows a page that only a person may answer",
            Self::Unanswered => "nobody answered what the carrier asks of a person at its sign-in",
            Self::CodeRefused => "the carrier did not take the code that a person entered",
        }
    }

    /// What everybody is told who would use the credential now.
    pub fn error(self) -> Error {
        let (kind, text) = match self {
            Self::Refused => (
                ErrorKind::CredentialRejected,
                "The carrier refused the stored credential. The practice admin checks it at the carrier's own page, then enters the new one or has this one tried once more.",
            ),
            Self::CertificateRefused => (
                ErrorKind::CredentialRejected,
                "The carrier does not take the stored client certificate. The practice admin asks the carrier which one it knows, then enters that one with its key or has this one tried once more.",
            ),
            Self::Unrecognised | Self::NoReply | Self::Interrupted => (
                ErrorKind::CredentialRejected,
                "Nobody knows how the last sign-in with the stored credential ended, and it is not tried again by itself. The practice admin signs in at the carrier's own page, then has it tried once more.",
            ),
            Self::Person => (
                ErrorKind::NeedsPerson,
                "The carrier shows a page that only a person may answer. The practice admin signs in at the carrier's own page, answers it, then has the credential tried once more.",
            ),
            Self::Unanswered => (
                ErrorKind::NeedsPerson,
                "Nobody answered what the carrier asks of a person when signing in (a code, a captcha). Somebody who can start it again from its task: POST /v1/tasks/{id}/again.",
            ),
            Self::CodeRefused => (
                ErrorKind::NeedsPerson,
                "The carrier did not take the code that a person entered. Somebody who can gets a new one by starting the sign-in again from its task: POST /v1/tasks/{id}/again.",
            ),
        };
        Error::new(kind, text).fact("doubt", self.word())
    }
}

/// One credential, opened for one attempt. The values are wiped from memory when the last user is done.
pub struct Lease {
    /// Ours, free of meaning.
    pub credential_id: String,
    /// Grows with every change of the credential: sessions and tokens made with an older one are not used.
    pub generation: u64,
    /// Whether a person has values tried again that were in doubt, and the carrier has not accepted them yet.
    pub on_trial: bool,
    /// `username`, `password`, `totp_seed` … with their values.
    pub fields: BTreeMap<String, Zeroizing<String>>,
    /// Pinned hosts, written as in a carrier file's `hosts`: the secrets go nowhere else, whatever the file says later.
    pub origins: Vec<String>,
}

impl Lease {
    /// The value of a field; `None` when the credential has no such field or it is empty.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Lease {
    /// Names of fields only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("credential_id", &self.credential_id)
            .field("generation", &self.generation)
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .field("origins", &self.origins)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_and_no_values() {
        let lease = Lease {
            credential_id: "c-1".into(),
            generation: 1,
            on_trial: false,
            fields: BTreeMap::from([("password".to_owned(), Zeroizing::new("canary-of-the-vault".to_owned()))]),
            origins: vec![],
        };
        let text = format!("{lease:?}");
        assert!(text.contains("password"));
        assert!(!text.contains("canary"));
    }
}
