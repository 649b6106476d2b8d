//! Passwords set and changed, one-time codes set up, recovery codes made.

use std::fmt;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::declined::Declined;
use super::password::{self, Who};
use super::session::{ABSOLUTE_MICROS, Level, Session};
use super::sign_in::{Next, Started, matching, recovery_hash};
use super::throttle::Place;
use super::{Identity, token};
use crate::store::sessions::Proof;
use crate::store::{self, people};
use crate::totp;
use crate::trail::Actor;

/// Bytes of a seed: as many as SHA-1 gives (RFC 4226, section 4).
const SEED_BYTES: usize = 20;
/// Recovery codes made at a time.
const RECOVERY_CODES: usize = 10;
/// Bytes of a recovery code: sixteen letters and digits.
const RECOVERY_BYTES: usize = 10;

/// A seed to be put into an authenticator app. The only time its text is seen.
pub struct Enrolment {
    /// The seed in Base32, for typing.
    pub secret: Zeroizing<String>,
    /// The same as an `otpauth://` address, for a QR code.
    pub uri: Zeroizing<String>,
}

/// One-time codes are set up.
pub struct Enrolled {
    /// The session, with a new cookie.
    pub started: Started,
    /// Codes for when the app is lost; each is good once. The only time they are seen.
    pub recovery_codes: Vec<Zeroizing<String>>,
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enrolment")
    }
}

impl fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolled").field("started", &self.started).finish_non_exhaustive()
    }
}

impl Identity {
    /// Begins to set up one-time codes. Where they are set up already, or the sign-in is complete, the password is asked
    /// for again: whoever finds a browser open does not put their own app in.
    ///
    /// # Errors
    /// [`Declined::WrongPassword`], [`Declined::NotNow`], or what the store says.
    pub async fn enrol(&self, session: &Session, password: Option<&Zeroizing<String>>) -> Result<Enrolment, Declined> {
        match session.level {
            Level::CodeNeeded => {
                return Err(Declined::NotNow("Complete the sign-in first: a one-time code is needed."));
            }
            Level::EnrolNeeded => {}
            Level::Password | Level::Totp | Level::Recovery => self.again(session, password).await?,
        }
        let seed = token::random::<SEED_BYTES>()?;
        let sealed = self.seal("totp", &session.person, seed.as_ref())?;
        people::draft_totp(&self.store, &session.person, sealed).await?;
        let secret = totp::to_base32(seed.as_ref());
        let label: String = session.email.bytes().map(in_address).collect();
        let uri = Zeroizing::new(format!(
            "otpauth://totp/Portico:{label}?secret={}&issuer=Portico&algorithm=SHA1&digits=6&period=30",
            *secret
        ));
        Ok(Enrolment { secret, uri })
    }

    /// Sets up one-time codes with the first one that the app shows.
    ///
    /// # Errors
    /// [`Declined::WrongCode`], [`Declined::NotNow`], or what the store says.
    pub async fn confirm_enrolment(
        &self,
        session: &Session,
        code: &str,
        device: Option<&str>,
    ) -> Result<Enrolled, Declined> {
        let (row, person, memberships) = &session.found;
        let Some(draft) = person.totp_draft.clone().filter(|_| session.level != Level::CodeNeeded) else {
            return Err(Declined::NotNow("Begin with POST /v1/session/totp-enrol."));
        };
        let key = self.open("totp", &person.id, &draft)?;
        let step = matching(&key, code, Timestamp::now().as_second()).pop().ok_or(Declined::WrongCode)?;
        let mut recovery_codes = Vec::with_capacity(RECOVERY_CODES);
        for _ in 0..RECOVERY_CODES {
            recovery_codes.push(grouped(&totp::to_base32(token::random::<RECOVERY_BYTES>()?.as_ref())));
        }
        let codes = recovery_codes.iter().map(|code| recovery_hash(&person.id, code)).collect();
        let full = session.level.is_full();
        let next = Next {
            practice: &session.practice,
            level: Level::Totp,
            action: "person.totp_enrolled",
            replaces: Some(session.hash),
            expires_at: if full { row.expires_at } else { store::now().saturating_add(ABSOLUTE_MICROS) },
            device,
            proof: Proof::Enrolment { draft, step, codes },
        };
        let started = self.begin(person.clone(), memberships.clone(), next).await?;
        Ok(Enrolled { started: started.ok_or(Declined::WrongCode)?, recovery_codes })
    }

    /// A password that nobody has thought of: sixteen letters and digits, 80 random bits.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn random_password(&self) -> Result<Zeroizing<String>, Declined> {
        Ok(grouped(&totp::to_base32(token::random::<RECOVERY_BYTES>()?.as_ref())))
    }

    /// Another password. Every other session of the person ends, and known browsers are forgotten.
    ///
    /// # Errors
    /// [`Declined::WrongPassword`], [`Declined::Problems`], or what the store says.
    pub async fn change_password(
        &self,
        session: &Session,
        current: &Zeroizing<String>,
        new: &Zeroizing<String>,
    ) -> Result<Started, Declined> {
        if !session.level.is_full() {
            return Err(Declined::NotNow("Complete the sign-in first."));
        }
        let problems = password::problems("/new_password", new, &session.email);
        if !problems.is_empty() {
            return Err(Declined::Problems(problems));
        }
        self.again(session, Some(current)).await?;
        let (row, person, memberships) = &session.found;
        let sealed = self.seal("password", &person.id, &self.passwords.hash(new).await?)?;
        let records = self.records(memberships, &session.actor(), "person.password_changed", &person.id);
        people::set_password(&self.store, &person.id, sealed, session.hash, store::now(), records).await?;
        let next = Next {
            practice: &session.practice,
            level: session.level,
            action: "session.renewed",
            replaces: Some(session.hash),
            expires_at: row.expires_at,
            device: None,
            proof: Proof::None,
        };
        self.begin(person.clone(), memberships.clone(), next).await?.ok_or(Declined::NotValid)
    }

    /// The first password, or one after a reset, with an invitation.
    ///
    /// # Errors
    /// [`Declined::NotValid`], [`Declined::Problems`], [`Declined::Wait`], or what the store says.
    pub async fn accept_invitation(
        &self,
        invitation: &str,
        new: &Zeroizing<String>,
        network: &str,
    ) -> Result<(), Declined> {
        self.throttle.network(network).map_err(Declined::Wait)?;
        if !token::fits(invitation) {
            return Err(Declined::NotValid);
        }
        let invite = token::hash(invitation);
        let person = people::by_invite(&self.store, invite, store::now()).await?.ok_or(Declined::NotValid)?;
        let problems = password::problems("/new_password", new, &person.email);
        if !problems.is_empty() {
            return Err(Declined::Problems(problems));
        }
        let sealed = self.seal("password", &person.id, &self.passwords.hash(new).await?)?;
        let memberships = people::by_id(&self.store, &person.id).await?.map(|(_, all)| all).unwrap_or_default();
        let by = Actor::person(&person.id, "invited", "invitation");
        let records = self.records(&memberships, &by, "person.password_set", &person.id);
        match people::accept_invite(&self.store, &person.id, invite, sealed, records).await? {
            true => Ok(()),
            false => Err(Declined::NotValid),
        }
    }

    /// The password once more, from somebody who has a session.
    async fn again(&self, session: &Session, password: Option<&Zeroizing<String>>) -> Result<(), Declined> {
        let (_, person, _) = &session.found;
        let password = password.filter(|password| password.len() <= password::BYTES_MAX);
        let password = password.ok_or_else(|| Declined::field("/password", "The present password is needed."))?;
        let (account, place) = (token::hash(&session.email), Place::Device(session.hash));
        self.throttle.admit(&account, &place).map_err(Declined::Wait)?;
        let kept = person.password.as_ref().map(|sealed| self.open("password", &person.id, sealed)).transpose()?;
        let kept = kept.as_ref().map(|kept| kept.as_slice());
        if !self.passwords.verify(password, kept, Who::Known).await? {
            return Err(Declined::WrongPassword);
        }
        self.throttle.forgive(&account, &place);
        Ok(())
    }
}

/// Sixteen letters in groups of four, as people can copy them.
fn grouped(text: &str) -> Zeroizing<String> {
    let mut grouped = Zeroizing::new(String::with_capacity(text.len() + text.len() / 4));
    for (place, letter) in text.chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            grouped.push('-');
        }
        grouped.push(letter);
    }
    grouped
}

/// A byte as it may stand in an address (RFC 3986, section 2.3).
fn in_address(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    }
}
