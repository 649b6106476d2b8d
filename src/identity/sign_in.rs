//! Address and password, then a one-time code or a recovery code, to a session.

use std::fmt;

use jiff::Timestamp;
use subtle::ConstantTimeEq;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::Identity;
use super::declined::Declined;
use super::password::{BYTES_MAX, Who};
use super::people::{bound_to, email};
use super::session::{ABSOLUTE_MICROS, Level, PENDING_MICROS, Session};
use super::throttle::Place;
use super::token::{self, Hash};
use crate::practice::PracticeId;
use crate::store::people::{MembershipRow, PersonRow};
use crate::store::sessions::{Beginning, Proof, SessionRow};
use crate::store::{self, StoreError, sessions};
use crate::totp;
use crate::trail::{Actor, Purpose, TrailRecord};

/// One-time codes that may be tried before the password is asked for again.
const CODE_TRIES: i64 = 6;
/// Steps before and after the present one whose codes are taken: clocks differ.
const STEPS_AROUND: u64 = 1;
/// Microseconds of a day.
const DAY_MICROS: i64 = 86_400 * 1_000_000;

/// Somebody who signs in.
pub struct Try<'a> {
    /// The address.
    pub email: &'a str,
    /// The password.
    pub password: &'a Zeroizing<String>,
    /// In which practice, where the person belongs to several; else the first one.
    pub practice: Option<&'a str>,
    /// The network address it comes from: an IPv4 address, or the first half of an IPv6 one.
    pub network: &'a str,
    /// The cookie of a browser that was used before.
    pub device: Option<&'a str>,
}

/// A session that has begun, or gone a step further.
pub struct Started {
    /// The cookie: the only time its text is seen.
    pub cookie: Zeroizing<String>,
    /// The cookie by which this browser is known, once the sign-in is complete.
    pub device: Option<Zeroizing<String>>,
    /// The session.
    pub session: Session,
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").field("session", &self.session).finish_non_exhaustive()
    }
}

/// What a session is to become.
pub(super) struct Next<'a> {
    pub(super) practice: &'a PracticeId,
    pub(super) level: Level,
    pub(super) action: &'static str,
    pub(super) replaces: Option<Hash>,
    pub(super) expires_at: i64,
    pub(super) device: Option<&'a str>,
    pub(super) proof: Proof,
}

impl Identity {
    /// First step: address and password.
    ///
    /// # Errors
    /// [`Declined::WrongPassword`], [`Declined::Wait`], [`Declined::Busy`], or what the store says.
    pub async fn sign_in(&self, attempt: Try<'_>) -> Result<Started, Declined> {
        let address = email(attempt.email);
        if attempt.password.len() > BYTES_MAX {
            return Err(Declined::WrongPassword);
        }
        let account = token::hash(&address);
        let found = store::people::by_email(&self.store, &address).await?;
        let person_id = found.as_ref().map(|(person, _)| person.id.clone()).unwrap_or_default();
        let place = self.place(&person_id, attempt.network, attempt.device).await?;
        self.throttle.admit(&account, &place).map_err(Declined::Wait)?;
        let who = if matches!(place, Place::Device(_)) { Who::Known } else { Who::Stranger };
        let kept = match found.as_ref().and_then(|(person, _)| person.password.as_ref()) {
            Some(sealed) => Some(self.open("password", &person_id, sealed)?),
            None => None,
        };
        let right = self.passwords.verify(attempt.password, kept.as_ref().map(|kept| kept.as_slice()), who).await?;
        let Some((person, memberships)) = found.filter(|(_, memberships)| right && !memberships.is_empty()) else {
            return self.refused(&person_id).await;
        };
        let wanted = |one: &&MembershipRow| attempt.practice.is_none_or(|wanted| one.practice.as_str() == wanted);
        let Some(membership) = memberships.iter().find(wanted) else { return self.refused(&person_id).await };
        let level = match (person.second_factor, person.totp.is_some()) {
            (_, true) => Level::CodeNeeded,
            (true, false) => Level::EnrolNeeded,
            (false, false) => Level::Password,
        };
        let now = store::now();
        let next = Next {
            practice: &membership.practice,
            level,
            action: if level.is_full() { "session.started" } else { "session.password_accepted" },
            replaces: None,
            expires_at: now.saturating_add(if level.is_full() { ABSOLUTE_MICROS } else { PENDING_MICROS }),
            device: attempt.device,
            proof: Proof::None,
        };
        let started = self.begin(person.clone(), memberships.clone(), next).await?;
        if level.is_full() {
            self.throttle.forgive(&account, &place);
        }
        started.ok_or(Declined::NotValid)
    }

    /// Second step: a one-time code. Each is taken once, and none that is older than one that was taken.
    ///
    /// # Errors
    /// [`Declined::WrongCode`], [`Declined::TriesUsedUp`], [`Declined::Wait`], or what the store says.
    pub async fn sign_in_code(
        &self,
        session: &Session,
        code: &str,
        network: &str,
        device: Option<&str>,
    ) -> Result<Started, Declined> {
        let (account, place) = self.second_step(session, network, device).await?;
        let (_, person, _) = &session.found;
        let sealed = person.totp.as_ref().ok_or(Declined::NotNow("One-time codes are not set up for this account."))?;
        let key = self.open("totp", &person.id, sealed)?;
        let steps = matching(&key, code, Timestamp::now().as_second());
        let Some(step) = steps.into_iter().find(|step| *step > person.totp_step) else {
            return self.wrong_code(session).await;
        };
        let started = self.complete(session, Level::Totp, Proof::TotpStep(step), device).await?;
        let Some(started) = started else { return self.wrong_code(session).await };
        self.throttle.forgive(&account, &place);
        Ok(started)
    }

    /// Second step with a recovery code instead; it is used up.
    ///
    /// # Errors
    /// As [`Identity::sign_in_code`].
    pub async fn sign_in_recovery(
        &self,
        session: &Session,
        code: &str,
        network: &str,
        device: Option<&str>,
    ) -> Result<Started, Declined> {
        let (account, place) = self.second_step(session, network, device).await?;
        let proof = Proof::RecoveryCode(recovery_hash(&session.person, code));
        let started = self.complete(session, Level::Recovery, proof, device).await?;
        let Some(started) = started else { return self.wrong_code(session).await };
        self.throttle.forgive(&account, &place);
        Ok(started)
    }

    /// Goes on in another practice that the person belongs to.
    ///
    /// # Errors
    /// [`Declined::NotFound`], or what the store says.
    pub async fn switch_practice(&self, session: &Session, practice: &str) -> Result<Started, Declined> {
        let (row, person, memberships) = &session.found;
        if !session.level.is_full() {
            return Err(Declined::NotNow("Complete the sign-in first."));
        }
        let found = memberships.iter().find(|one| one.practice.as_str() == practice).ok_or(Declined::NotFound)?;
        let next = Next {
            practice: &found.practice,
            level: session.level,
            action: "session.practice_changed",
            replaces: Some(session.hash),
            expires_at: row.expires_at,
            device: None,
            proof: Proof::None,
        };
        self.begin(person.clone(), memberships.clone(), next).await?.ok_or(Declined::NotValid)
    }

    /// Begins a session. `None`: the proof was used before, or the session to be replaced has ended.
    pub(super) async fn begin(
        &self,
        person: PersonRow,
        memberships: Vec<MembershipRow>,
        next: Next<'_>,
    ) -> Result<Option<Started>, Declined> {
        let (cookie, now) = (token::fresh()?, store::now());
        let row = SessionRow {
            practice: next.practice.clone(),
            person: person.id.clone(),
            id: format!("ses_{}", Uuid::now_v7().simple()),
            level: next.level.word().to_owned(),
            tries: 0,
            created_at: now,
            seen_at: now,
            expires_at: next.expires_at,
            ended_at: None,
        };
        let session = Session::of(&cookie, (row.clone(), person, memberships))?;
        let device = if next.level.is_full() { self.device_cookie(&session.person, next.device).await? } else { None };
        let record = TrailRecord::new(next.practice, &session.actor(), next.action).subject(&row.id);
        let beginning = Beginning {
            session: row,
            hash: session.hash,
            replaces: next.replaces,
            device: device.as_ref().map(|device| token::hash(device)),
            records: vec![self.trail.link(record)],
        };
        let begun = sessions::begin(&self.store, beginning, next.proof).await?;
        Ok(begun.then_some(Started { cookie, device, session }))
    }

    /// The step from a password to a whole sign-in.
    async fn complete(
        &self,
        session: &Session,
        level: Level,
        proof: Proof,
        device: Option<&str>,
    ) -> Result<Option<Started>, Declined> {
        let (_, person, memberships) = &session.found;
        let next = Next {
            practice: &session.practice,
            level,
            action: "session.started",
            replaces: Some(session.hash),
            expires_at: store::now().saturating_add(ABSOLUTE_MICROS),
            device,
            proof,
        };
        self.begin(person.clone(), memberships.clone(), next).await
    }

    /// Whether a second step may be tried now; counts it.
    async fn second_step(
        &self,
        session: &Session,
        network: &str,
        device: Option<&str>,
    ) -> Result<(Hash, Place), Declined> {
        if session.level != Level::CodeNeeded {
            return Err(Declined::NotNow("This session waits for no code."));
        }
        let place = self.place(&session.person, network, device).await?;
        let account = token::hash(&session.email);
        self.throttle.admit(&account, &place).map_err(Declined::Wait)?;
        if !sessions::take_try(&self.store, session.hash, CODE_TRIES, store::now()).await? {
            return Err(Declined::TriesUsedUp);
        }
        Ok((account, place))
    }

    pub(super) async fn place(&self, person: &str, network: &str, device: Option<&str>) -> Result<Place, StoreError> {
        if let Some(device) = device.filter(|device| token::fits(device)) {
            let hash = token::hash(device);
            if store::people::knows_device(&self.store, person, hash).await?.0 {
                return Ok(Place::Device(hash));
            }
        }
        Ok(Place::Network(network.to_owned()))
    }

    /// The cookie by which a browser will be known: the one it has, if we gave it; people share the one at the desk.
    async fn device_cookie(&self, person: &str, had: Option<&str>) -> Result<Option<Zeroizing<String>>, StoreError> {
        if let Some(had) = had.filter(|had| token::fits(had))
            && store::people::knows_device(&self.store, person, token::hash(had)).await?.1
        {
            return Ok(Some(Zeroizing::new(had.to_owned())));
        }
        token::fresh().map(Some)
    }

    /// Records a refused sign-in: in the trail of each practice of the person, or as a number where there is no such
    /// account. One durable write either way, so that the time does not tell which it was.
    async fn refused<T>(&self, person: &str) -> Result<T, Declined> {
        let known = if person.is_empty() { None } else { store::people::by_id(&self.store, person).await? };
        metrics::counter!("portico_sign_ins_refused_total", "account" => if known.is_some() { "known" } else { "unknown" })
            .increment(1);
        match known {
            Some((person, memberships)) if !memberships.is_empty() => {
                let records = self.records(&memberships, &Actor::gateway(), "session.refused", &person.id);
                store::people::record_all(&self.store, records).await?;
            }
            _ => store::people::count_unknown(&self.store, store::now().div_euclid(DAY_MICROS)).await?,
        }
        Err(Declined::WrongPassword)
    }

    async fn wrong_code<T>(&self, session: &Session) -> Result<T, Declined> {
        let record = TrailRecord::new(&session.practice, &session.actor(), "session.code_refused").subject(&session.id);
        self.trail.record(record).await?;
        Err(Declined::WrongCode)
    }

    /// Opens what is sealed for a person.
    pub(super) fn open(&self, kind: &str, person: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Declined> {
        Ok(self.trail.sealer().open(Purpose::Identity, &bound_to(kind.as_bytes(), person), sealed)?)
    }

    /// Seals something for a person.
    pub(super) fn seal(&self, kind: &str, person: &str, plain: &[u8]) -> Result<Vec<u8>, Declined> {
        Ok(self.trail.sealer().seal(Purpose::Identity, &bound_to(kind.as_bytes(), person), plain)?)
    }
}

/// The steps around this second whose code it is, oldest first.
pub(super) fn matching(key: &[u8], code: &str, unix_secs: i64) -> Vec<i64> {
    let code: String = code.chars().filter(|letter| !letter.is_whitespace()).collect();
    let now = totp::step(unix_secs);
    let around = now.saturating_sub(STEPS_AROUND)..=now.saturating_add(STEPS_AROUND);
    let fits = |step: &u64| bool::from(totp::code(key, *step).as_bytes().ct_eq(code.as_bytes()));
    around.filter(fits).filter_map(|step| i64::try_from(step).ok()).collect()
}

/// What is kept of a recovery code, however it was typed.
pub(super) fn recovery_hash(person: &str, code: &str) -> Hash {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
    token::digest(&[b"portico recovery v1\0", person.as_bytes(), b"\0", code.as_bytes()])
}
