//! People from their invitation to a session, and everybody else not.

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::session::{ABSOLUTE_MICROS, IDLE_MICROS, Level};
use super::sign_in::Next;
use super::tests::{Rig, rig};
use super::throttle::Place;
use super::*;
use crate::practice::PracticeId;
use crate::store::sessions::Proof;
use crate::store::{self, people, sessions};
use crate::totp;
use crate::trail::{Filter, Verification};

const PASSWORD: &str = "four words that nobody-else-knows";
const EMAIL: &str = "ada.front@practice.example";

fn secret(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.to_owned())
}

fn code_of(secret: &str, later: i64) -> String {
    let step = totp::step(Timestamp::now().as_second()).checked_add_signed(later).unwrap();
    totp::code(&totp::base32(secret).unwrap(), step).to_string()
}

impl Rig {
    fn admin(&self) -> Caller {
        Caller::command_line(self.practice.clone())
    }

    async fn add(&self, email: &str, role: Role, second_factor: bool) -> String {
        let new = NewMember { email, name: "Zanzibar Canary", role, second_factor };
        let invitation = self.identity.add_person(&self.admin(), new).await.unwrap();
        let token = invitation.token.unwrap();
        self.identity.accept_invitation(&token, &secret(PASSWORD), "n").await.unwrap();
        invitation.person
    }

    async fn enter(&self, email: &str, password: &str, device: Option<&str>) -> Result<Started, Declined> {
        let attempt = Try { email, password: &secret(password), practice: None, network: "192.0.2.1", device };
        self.identity.sign_in(attempt).await
    }

    /// Somebody with one-time codes: the seed, the recovery codes, the session.
    async fn enrolled(&self, email: &str) -> (String, Enrolled) {
        let started = self.enter(email, PASSWORD, None).await.unwrap();
        assert_eq!(started.session.level, Level::EnrolNeeded);
        let seed = self.identity.enrol(&started.session, None).await.unwrap();
        let session = self.identity.session(&started.cookie).await.unwrap();
        let done = self.identity.confirm_enrolment(&session, &code_of(&seed.secret, 0), None).await.unwrap();
        (seed.secret.to_string(), done)
    }

    async fn actions(&self) -> Vec<String> {
        let entries = self.trail.list(&self.practice, Filter::default(), 500).await.unwrap();
        entries.into_iter().map(|entry| entry.action).collect()
    }
}

#[tokio::test]
async fn from_an_invitation_to_a_whole_sign_in() {
    let rig = rig().await;
    let person = rig.add(EMAIL, Role::FrontDesk, true).await;
    let (seed, enrolled) = rig.enrolled(" ADA.front@Practice.example ").await;
    assert_eq!(enrolled.recovery_codes.len(), 10);
    let session = rig.identity.session(&enrolled.started.cookie).await.unwrap();
    let caller = session.caller().unwrap();
    assert_eq!((caller.id(), caller.role()), (person.as_str(), Some(Role::FrontDesk)));
    assert!(caller.may(Scope::Ask) && !caller.may(Scope::Raw) && !caller.may(Scope::Admin));

    let pending = rig.enter(EMAIL, PASSWORD, None).await.unwrap();
    assert_eq!(pending.session.level, Level::CodeNeeded);
    assert!(pending.session.caller().is_none() && pending.device.is_none());
    let identity = &rig.identity;
    let wrong = identity.sign_in_code(&pending.session, "000000", "192.0.2.1", None).await;
    assert_eq!(wrong.unwrap_err(), Declined::WrongCode);
    // The present code was used to set them up: the next one, as from a clock half a minute ahead.
    let code = code_of(&seed, 1);
    let full = identity.sign_in_code(&pending.session, &code, "192.0.2.1", None).await.unwrap();
    assert_ne!(full.cookie.as_str(), pending.cookie.as_str());
    // The session from before the code is over: who knows its cookie has nothing.
    assert_eq!(identity.session(&pending.cookie).await.unwrap_err(), AuthError::NoSession);
    assert!(identity.session(&full.cookie).await.unwrap().caller().is_some());
    // The code was used; the one before it is refused as well.
    let pending = rig.enter(EMAIL, PASSWORD, full.device.as_deref().map(String::as_str)).await.unwrap();
    for used in [code.clone(), code_of(&seed, 0), code_of(&seed, -1)] {
        let again = identity.sign_in_code(&pending.session, &used, "192.0.2.1", None).await;
        assert_eq!(again.unwrap_err(), Declined::WrongCode);
    }

    identity.sign_out(&full.session).await.unwrap();
    assert_eq!(identity.session(&full.cookie).await.unwrap_err(), AuthError::NoSession);
    let actions = rig.actions().await;
    for action in ["person.added", "person.password_set", "person.totp_enrolled", "session.started", "session.ended"] {
        assert!(actions.iter().any(|one| one == action), "{action}: {actions:?}");
    }
    let entries = rig.trail.list(&rig.practice, Filter::default(), 500).await.unwrap();
    let text = serde_json::to_string(&entries).unwrap();
    assert!(
        text.contains(&person) && text.contains("front_desk") && text.contains("\"auth_level\":\"totp\""),
        "{text}"
    );
    assert!(!text.contains("Zanzibar") && !text.to_lowercase().contains("ada.front"), "{text}");
    assert!(matches!(rig.trail.verify(&rig.practice).await.unwrap(), Verification::Whole { .. }));
}

#[tokio::test]
async fn an_account_that_does_not_exist_looks_like_one_with_another_password() {
    let rig = rig().await;
    rig.add(EMAIL, Role::Biller, true).await;
    let before = rig.identity.passwords.done();
    for (count, email) in [(1, "nobody@practice.example"), (2, EMAIL)] {
        assert_eq!(rig.enter(email, "wrong wrong wrong", None).await.unwrap_err(), Declined::WrongPassword);
        assert_eq!(rig.identity.passwords.done() - before, count, "one hash for each");
    }
    // The one is a number, the other a record in the practice's trail.
    let today = store::now().div_euclid(86_400 * 1_000_000);
    assert_eq!(people::unknown_on(&rig.store, today).await.unwrap(), 1);
    assert_eq!(rig.actions().await.iter().filter(|action| *action == "session.refused").count(), 1);
}

#[tokio::test]
async fn failures_slow_down_and_never_lock_a_known_browser_out() {
    let rig = rig().await;
    rig.add(EMAIL, Role::Biller, false).await;
    let known = rig.enter(EMAIL, PASSWORD, None).await.unwrap().device.unwrap();
    let mut tries = 0;
    while let Err(Declined::WrongPassword) = rig.enter(EMAIL, "wrong wrong wrong", None).await {
        tries += 1;
        assert!(tries < 20, "nothing slows down");
    }
    assert!(tries >= 5, "five are free: {tries}");
    assert!(rig.enter(EMAIL, PASSWORD, Some(&known)).await.is_ok());
    // Somebody else's browser is not theirs.
    rig.add("eve@practice.example", Role::Biller, false).await;
    let other = rig.enter("eve@practice.example", PASSWORD, None).await.unwrap().device.unwrap();
    let (person, _) = people::by_email(&rig.store, EMAIL).await.unwrap().unwrap();
    let place = rig.identity.place(&person.id, "192.0.2.1", Some(&other)).await.unwrap();
    assert_eq!(place, Place::Network("192.0.2.1".to_owned()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_replays_of_one_code_are_one_success() {
    let rig = rig().await;
    rig.add(EMAIL, Role::Biller, true).await;
    let (_, enrolled) = rig.enrolled(EMAIL).await;
    let (_, person, memberships) = enrolled.started.session.found.clone();
    let step = i64::try_from(totp::step(Timestamp::now().as_second())).unwrap() + 1;
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (identity, person, memberships) = (Arc::clone(&rig.identity), person.clone(), memberships.clone());
        let practice = rig.practice.clone();
        all.spawn(async move {
            // As after six tries and back-off: only the last step, which decides.
            let next = Next {
                practice: &practice,
                level: Level::Totp,
                action: "session.started",
                replaces: None,
                expires_at: store::now() + ABSOLUTE_MICROS,
                device: None,
                proof: Proof::TotpStep(step),
            };
            identity.begin(person, memberships, next).await.unwrap().is_some()
        });
    }
    let mut successes = 0;
    while let Some(one) = all.join_next().await {
        successes += usize::from(one.unwrap());
    }
    assert_eq!(successes, 1);
    let started = rig.actions().await.iter().filter(|action| *action == "session.started").count();
    assert_eq!(started, 1, "a record for each success, and for no other");
}

#[tokio::test]
async fn after_six_codes_the_password_is_asked_for_again() {
    let rig = rig().await;
    rig.add(EMAIL, Role::Biller, true).await;
    let (seed, enrolled) = rig.enrolled(EMAIL).await;
    let identity = &rig.identity;
    let pending = rig.enter(EMAIL, PASSWORD, None).await.unwrap();
    let hash = pending.session.hash;
    for _ in 0..6 {
        assert!(sessions::take_try(&rig.store, hash, 6, store::now()).await.unwrap());
    }
    let more = identity.sign_in_code(&pending.session, &code_of(&seed, 0), "192.0.2.7", None).await;
    assert_eq!(more.unwrap_err(), Declined::TriesUsedUp);
    assert_eq!(identity.session(&pending.cookie).await.unwrap_err(), AuthError::NoSession);

    // A recovery code, typed as people type, once.
    let typed = enrolled.recovery_codes[3].to_lowercase().replace('-', " ");
    let pending = rig.enter(EMAIL, PASSWORD, None).await.unwrap();
    let full = identity.sign_in_recovery(&pending.session, &typed, "192.0.2.8", None).await.unwrap();
    assert_eq!(full.session.level, Level::Recovery);
    let pending = rig.enter(EMAIL, PASSWORD, None).await.unwrap();
    let again = identity.sign_in_recovery(&pending.session, &typed, "192.0.2.9", None).await;
    assert_eq!(again.unwrap_err(), Declined::WrongCode);
}

#[tokio::test]
async fn sessions_end_by_idleness_by_age_and_by_hand() {
    let rig = rig().await;
    let person = rig.add(EMAIL, Role::Biller, false).await;
    let cookie = |letter: &str| letter.repeat(43);
    let now = store::now();
    let begin = async |letter: &str, seen_at: i64, expires_at: i64| {
        let session = sessions::SessionRow {
            practice: rig.practice.clone(),
            person: person.clone(),
            id: format!("ses_{letter}"),
            level: "totp".to_owned(),
            tries: 0,
            created_at: now - ABSOLUTE_MICROS / 2,
            seen_at,
            expires_at,
            ended_at: None,
        };
        let hash = super::token::hash(&cookie(letter));
        let beginning = sessions::Beginning { session, hash, replaces: None, device: None, records: Vec::new() };
        assert!(sessions::begin(&rig.store, beginning, Proof::None).await.unwrap());
    };
    begin("a", now - IDLE_MICROS - 1, now + 3_600_000_000).await;
    begin("b", now - 1_000_000, now - 1).await;
    begin("c", now - IDLE_MICROS / 2, now + 3_600_000_000).await;
    for over in ["a", "b"] {
        assert_eq!(rig.identity.session(&cookie(over)).await.unwrap_err(), AuthError::NoSession, "{over}");
    }
    let session = rig.identity.session(&cookie("c")).await.unwrap();
    // Use was noted.
    let again = rig.identity.session(&cookie("c")).await.unwrap();
    assert!(again.idle_until > session.idle_until);
    let caller = session.caller().unwrap();
    let listed = rig.identity.sessions(&caller).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["ses_c"]);
    // Somebody else without admin cannot end it, the person can.
    let other = Caller::person(rig.practice.clone(), "person_x".into(), Role::Biller, Level::Totp);
    assert_eq!(rig.identity.revoke_session(&other, "ses_c").await, Err(Declined::NotFound));
    rig.identity.revoke_session(&caller, "ses_c").await.unwrap();
    assert_eq!(rig.identity.session(&cookie("c")).await.unwrap_err(), AuthError::NoSession);
}

#[tokio::test]
async fn nobody_gives_away_or_touches_more_than_they_may() {
    let rig = rig().await;
    let identity = &rig.identity;
    let admin = rig.add(EMAIL, Role::PracticeAdmin, false).await;
    let desk = rig.add("desk@practice.example", Role::FrontDesk, false).await;
    let platform = Caller::person(rig.practice.clone(), "person_p".into(), Role::PlatformAdmin, Level::Totp);
    let new = NewMember { email: "x@practice.example", name: "X", role: Role::FrontDesk, second_factor: true };
    assert_eq!(identity.add_person(&platform, new).await.unwrap_err(), Declined::MoreThanOwn);
    let keys = identity.create_key_for(&platform, "x", &[Scope::Admin, Scope::Ask]).await;
    assert_eq!(keys.unwrap_err(), Declined::MoreThanOwn);
    assert_eq!(identity.reset_person(&platform, &admin).await.unwrap_err(), Declined::MoreThanOwn);
    assert_eq!(identity.remove_person(&platform, &desk).await.unwrap_err(), Declined::MoreThanOwn);
    let caller = rig.admin();
    let demoted = identity.change_person(&caller, &admin, Some(Role::Auditor), None).await;
    assert_eq!(demoted.unwrap_err(), Declined::LastAdmin);
    assert_eq!(identity.remove_person(&caller, &admin).await.unwrap_err(), Declined::LastAdmin);

    // A changed role ends the sessions that had the old one.
    let session = rig.enter("desk@practice.example", PASSWORD, None).await.unwrap();
    let member = identity.change_person(&caller, &desk, Some(Role::Auditor), Some("Renamed")).await.unwrap();
    assert_eq!((member.role, member.name.as_str()), (Role::Auditor, "Renamed"));
    assert_eq!(identity.session(&session.cookie).await.unwrap_err(), AuthError::NoSession);

    // Another practice has no such person, and cannot reset one that it shares.
    let other = identity.ensure_practice("p-2", "Two").await.unwrap();
    let there = Caller::command_line(other.clone());
    assert_eq!(identity.reset_person(&there, &desk).await.unwrap_err(), Declined::NotFound);
    let join = NewMember { email: "desk@practice.example", name: "D", role: Role::Biller, second_factor: true };
    assert!(identity.add_person(&there, join.clone()).await.unwrap().token.is_none());
    assert_eq!(identity.add_person(&there, join).await.unwrap_err(), Declined::Already);
    assert_eq!(identity.reset_person(&there, &desk).await.unwrap_err(), Declined::OtherPractices);
    // The person goes from one to the other with a new cookie.
    let here = rig.enter("desk@practice.example", PASSWORD, None).await.unwrap();
    let gone = identity.switch_practice(&here.session, "p-2").await.unwrap();
    assert_eq!((gone.session.practice.as_str(), gone.session.role), ("p-2", Role::Biller));
    assert_eq!(identity.session(&here.cookie).await.unwrap_err(), AuthError::NoSession);
    assert_eq!(identity.switch_practice(&gone.session, "gateway").await.unwrap_err(), Declined::NotFound);
}

#[tokio::test]
async fn a_reset_and_a_new_password_take_everything_before_away() {
    let rig = rig().await;
    let person = rig.add(EMAIL, Role::Biller, false).await;
    let identity = &rig.identity;
    let (first, second) =
        (rig.enter(EMAIL, PASSWORD, None).await.unwrap(), rig.enter(EMAIL, PASSWORD, None).await.unwrap());
    let new = "a fine new one indeed";
    let wrong = identity.change_password(&first.session, &secret("not the password"), &secret(new)).await;
    assert_eq!(wrong.unwrap_err(), Declined::WrongPassword);
    for bad in ["short", "password-password", "aaaaaaaaaaaaaaaa", "ada.front-2026-x"] {
        let bad = identity.change_password(&first.session, &secret(PASSWORD), &secret(bad)).await;
        assert!(matches!(bad, Err(Declined::Problems(_))));
    }
    let renewed = identity.change_password(&first.session, &secret(PASSWORD), &secret(new)).await.unwrap();
    for over in [&first, &second] {
        assert_eq!(identity.session(&over.cookie).await.unwrap_err(), AuthError::NoSession);
    }
    assert!(identity.session(&renewed.cookie).await.is_ok());
    assert_eq!(rig.enter(EMAIL, PASSWORD, None).await.unwrap_err(), Declined::WrongPassword);

    let invitation = identity.reset_person(&rig.admin(), &person).await.unwrap().token.unwrap();
    assert_eq!(identity.session(&renewed.cookie).await.unwrap_err(), AuthError::NoSession);
    assert_eq!(rig.enter(EMAIL, new, None).await.unwrap_err(), Declined::WrongPassword);
    identity.accept_invitation(&invitation, &secret(PASSWORD), "n").await.unwrap();
    let again = identity.accept_invitation(&invitation, &secret(PASSWORD), "n").await;
    assert_eq!(again.unwrap_err(), Declined::NotValid);
    assert!(rig.enter(EMAIL, PASSWORD, None).await.is_ok());
}

#[tokio::test]
async fn the_first_run_happens_once_and_only_with_its_token() {
    let rig = rig().await;
    let identity = &rig.identity;
    let profile = |npi: &str| PracticeProfile {
        name: "Bone Clinic".into(),
        npis: vec![Npi { npi: npi.into(), name: "Bone Clinic".into(), taxonomy: None }],
        tax_id: Some("12-3456789".into()),
        locations: Vec::new(),
    };
    let good = profile("1234567893");
    let admin = (EMAIL, "Ada");
    let first = identity.setup_token().await.unwrap().unwrap();
    let token = identity.setup_token().await.unwrap().unwrap();
    let try_it = async |token: &str, profile: &PracticeProfile, password: &str| {
        identity.set_up(token, profile, admin, &secret(password), "n").await
    };
    for bad in [first.as_str(), "", "A", &"A".repeat(43)] {
        assert_eq!(try_it(bad, &good, PASSWORD).await.unwrap_err(), Declined::NotValid);
    }
    let Err(Declined::Problems(problems)) = try_it(&token, &profile("1234567890"), "short").await else { panic!() };
    let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(paths, ["/practice/npis/0/npi", "/admin/password"], "{problems:?}");
    let practice = try_it(&token, &good, PASSWORD).await.unwrap();
    assert_eq!(practice, PracticeId::new("default"));
    assert_eq!(identity.practice(&practice).await.unwrap(), good);
    assert_eq!(try_it(&token, &good, PASSWORD).await.unwrap_err(), Declined::NotValid);
    assert!(identity.setup_token().await.unwrap().is_none());
    assert_eq!(rig.enter(EMAIL, PASSWORD, None).await.unwrap().session.level, Level::EnrolNeeded);

    // An hour later, or beside somebody who was added meanwhile, the token is no good.
    let late = super::token::fresh().unwrap();
    sessions::put_setup_token(&rig.store, super::token::hash(&late), store::now() - 1).await.unwrap();
    assert_eq!(try_it(&late, &good, PASSWORD).await.unwrap_err(), Declined::NotValid);
    let other = super::token::fresh().unwrap();
    sessions::put_setup_token(&rig.store, super::token::hash(&other), store::now() + 60_000_000).await.unwrap();
    assert_eq!(try_it(&other, &good, PASSWORD).await.unwrap_err(), Declined::NotValid);
}

#[tokio::test]
async fn no_secret_of_a_person_stands_in_the_files() {
    let rig = rig().await;
    let person = rig.add(EMAIL, Role::Biller, true).await;
    let (seed, enrolled) = rig.enrolled(EMAIL).await;
    let started = &enrolled.started;
    let raw = totp::base32(&seed).unwrap();
    let mut needles: Vec<&[u8]> = vec![PASSWORD.as_bytes(), seed.as_bytes(), &raw, started.cookie.as_bytes()];
    needles.extend([started.session.csrf.as_bytes(), started.device.as_ref().unwrap().as_bytes()]);
    needles.extend(enrolled.recovery_codes.iter().map(|code| code.as_bytes()));
    let mut found = 0;
    for entry in std::fs::read_dir(rig.store.dir()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
        assert!(!needles.iter().any(|needle| holds(needle)));
        found += usize::from(holds(person.as_bytes()));
    }
    assert!(found > 0, "the search itself works");
}
