//! People: one account each, and what they are in which practice. An administrator adds somebody by address, name and
//! role and hands over the invitation; the person sets a password with it.

use connector_sdk::ask::FieldProblem;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::declined::Declined;
use super::profile::text;
use super::session::time;
use super::{Caller, Identity, Role, token};
use crate::practice::PracticeId;
use crate::store::people::{self, Change, Joining, MembershipRow, PersonRow};
use crate::store::{self, StoreError};
use crate::trail::{Actor, TrailRecord};

/// Most people of one practice.
const MEMBERS_MAX: u32 = 1_000;
/// Longest address, characters (RFC 5321, section 4.5.3.1.3, without the brackets).
const EMAIL_MAX: usize = 254;
/// How long an invitation is good.
const INVITE_MICROS: i64 = 72 * 3_600 * 1_000_000;

/// Somebody in a practice, as its administrators see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Member {
    /// The account's id; the trail names people by it.
    pub id: String,
    /// The address they sign in with.
    pub email: String,
    /// What this practice calls them.
    pub name: String,
    /// What they are.
    pub role: Role,
    /// Whether a password is set; else the invitation was not used yet.
    pub password_set: bool,
    /// Whether one-time codes are set up.
    pub totp_set: bool,
    /// Since when they belong to the practice.
    pub since: Timestamp,
}

/// Somebody to be added.
#[derive(Clone, Debug)]
pub struct NewMember<'a> {
    /// The address they sign in with.
    pub email: &'a str,
    /// What the practice calls them.
    pub name: &'a str,
    /// What they are.
    pub role: Role,
    /// Whether they may do nothing without a one-time code. Only the demo and tests go without. An account that exists
    /// stays as it is.
    pub second_factor: bool,
}

/// The text with which somebody sets their first password. Shown once, good for 72 hours.
pub struct Invitation {
    /// Whose.
    pub person: String,
    /// The text; `None` where an account joined that has its password.
    pub token: Option<Zeroizing<String>>,
}

impl std::fmt::Debug for Invitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Invitation").field("person", &self.person).finish_non_exhaustive()
    }
}

/// What is sealed for a person is bound to the person and the kind.
pub(super) fn bound_to(kind: &[u8], person: &str) -> Vec<u8> {
    crate::trail::bind(&[b"person v1", kind, person.as_bytes()])
}

/// An address as it is kept and compared: trimmed, in lower case.
pub(super) fn email(text: &str) -> String {
    text.trim().to_lowercase()
}

pub(super) fn email_problem(path: &str, email: &str) -> Option<FieldProblem> {
    let (local, host) = email.rsplit_once('@').unwrap_or_default();
    let fits = !local.is_empty()
        && !host.is_empty()
        && email.len() <= EMAIL_MAX
        && !email.chars().any(|letter| letter.is_control() || letter.is_whitespace());
    (!fits).then(|| FieldProblem::new(path, "Write an e-mail address: name@example.org."))
}

impl NewMember<'_> {
    pub(super) fn problems(&self, under: &str) -> Vec<FieldProblem> {
        let mut found: Vec<FieldProblem> =
            email_problem(&format!("{under}/email"), &email(self.email)).into_iter().collect();
        text(&mut found, format!("{under}/name"), self.name, true);
        found
    }

    /// The rows of somebody new.
    pub(super) fn joining(&self, practice: &PracticeId, person: PersonRow, is_new: bool, at: i64) -> Joining {
        let membership = MembershipRow {
            practice: practice.clone(),
            practice_name: String::new(),
            person: person.id.clone(),
            name: self.name.trim().to_owned(),
            role: self.role.word().to_owned(),
            created_at: at,
        };
        Joining { person, is_new, membership, invite: None }
    }

    pub(super) fn account(&self, at: i64) -> PersonRow {
        PersonRow {
            id: format!("person_{}", Uuid::now_v7().simple()),
            email: email(self.email),
            second_factor: self.second_factor,
            created_at: at,
            ..PersonRow::default()
        }
    }
}

impl Identity {
    /// The people of a practice, oldest first.
    ///
    /// # Errors
    /// What the store says.
    pub async fn people(&self, practice: &PracticeId) -> Result<Vec<Member>, StoreError> {
        let rows = people::members(&self.store, practice, MEMBERS_MAX).await?;
        rows.into_iter().map(|(person, membership)| member(person, membership)).collect()
    }

    /// Adds somebody to the caller's practice. Who has an account elsewhere joins with it.
    ///
    /// # Errors
    /// [`Declined::Problems`], [`Declined::MoreThanOwn`], [`Declined::Already`], or what the store says.
    pub async fn add_person(&self, caller: &Caller, new: NewMember<'_>) -> Result<Invitation, Declined> {
        let problems = new.problems("");
        if !problems.is_empty() {
            return Err(Declined::Problems(problems));
        }
        if !caller.covers(new.role) {
            return Err(Declined::MoreThanOwn);
        }
        let (practice, at) = (caller.practice(), store::now());
        let known = people::by_email(&self.store, &email(new.email)).await?;
        let is_new = known.is_none();
        let person = known.map_or_else(|| new.account(at), |(person, _)| person);
        let mut joining = new.joining(practice, person, is_new, at);
        let token = if is_new { Some(token::fresh()?) } else { None };
        joining.invite = token.as_ref().map(|token| (token::hash(token), at.saturating_add(INVITE_MICROS)));
        let id = joining.person.id.clone();
        let record = TrailRecord::new(practice, &caller.actor(), "person.added").subject(&id);
        match people::join(&self.store, joining, MEMBERS_MAX, self.trail.link(record)).await? {
            true => Ok(Invitation { person: id, token }),
            false => Err(Declined::Already),
        }
    }

    /// Gives somebody in the caller's practice another role or name. Sessions there end when the role changes.
    ///
    /// # Errors
    /// [`Declined::NotFound`], [`Declined::MoreThanOwn`], [`Declined::LastAdmin`], or what the store says.
    pub async fn change_person(
        &self,
        caller: &Caller,
        id: &str,
        role: Option<Role>,
        name: Option<&str>,
    ) -> Result<Member, Declined> {
        let (person, mut membership) = self.member_of(caller, id).await?;
        if let Some(role) = role {
            if !caller.covers(role) {
                return Err(Declined::MoreThanOwn);
            }
            membership.role = role.word().to_owned();
        }
        if let Some(name) = name {
            let mut problems = Vec::new();
            text(&mut problems, "/name".to_owned(), name, true);
            if !problems.is_empty() {
                return Err(Declined::Problems(problems));
            }
            membership.name = name.trim().to_owned();
        }
        let action = if role.is_some() { "person.role_changed" } else { "person.renamed" };
        let record = self.trail.link(TrailRecord::new(caller.practice(), &caller.actor(), action).subject(id));
        let admin = Role::PracticeAdmin.word();
        let change = people::change_member(&self.store, membership.clone(), admin, store::now(), record).await?;
        done(change)?;
        Ok(member(person, membership)?)
    }

    /// Takes somebody out of the caller's practice; their sessions there end. The account stays.
    ///
    /// # Errors
    /// As [`Identity::change_person`].
    pub async fn remove_person(&self, caller: &Caller, id: &str) -> Result<(), Declined> {
        self.member_of(caller, id).await?;
        let practice = caller.practice();
        let record = self.trail.link(TrailRecord::new(practice, &caller.actor(), "person.removed").subject(id));
        let admin = Role::PracticeAdmin.word();
        done(people::remove_member(&self.store, practice, id, admin, store::now(), record).await?)
    }

    /// Takes password, one-time codes, known browsers and sessions from somebody and gives a new invitation. For an
    /// account that belongs to this practice alone.
    ///
    /// # Errors
    /// [`Declined::NotFound`], [`Declined::MoreThanOwn`], [`Declined::OtherPractices`], or what the store says.
    pub async fn reset_person(&self, caller: &Caller, id: &str) -> Result<Invitation, Declined> {
        self.member_of(caller, id).await?;
        let (_, memberships) = people::by_id(&self.store, id).await?.ok_or(Declined::NotFound)?;
        if memberships.len() > 1 {
            return Err(Declined::OtherPractices);
        }
        self.reset(id, &memberships, &caller.actor()).await
    }

    /// As [`Identity::reset_person`], for whoever runs the gateway: any account, by its address.
    ///
    /// # Errors
    /// [`Declined::NotFound`], or what the store says.
    pub async fn operator_reset(&self, address: &str) -> Result<Invitation, Declined> {
        let (person, memberships) = people::by_email(&self.store, &email(address)).await?.ok_or(Declined::NotFound)?;
        self.reset(&person.id, &memberships, &Actor::command_line()).await
    }

    async fn reset(&self, id: &str, memberships: &[MembershipRow], by: &Actor) -> Result<Invitation, Declined> {
        let (token, at) = (token::fresh()?, store::now());
        let invite = (token::hash(&token), at.saturating_add(INVITE_MICROS));
        let records = self.records(memberships, by, "person.reset", id);
        people::reset(&self.store, id, invite, at, records).await?;
        Ok(Invitation { person: id.to_owned(), token: Some(token) })
    }

    /// One record for each practice of a person: what happens to the account concerns them all.
    pub(super) fn records(
        &self,
        memberships: &[MembershipRow],
        by: &Actor,
        action: &'static str,
        subject: &str,
    ) -> Vec<crate::store::trail::Append> {
        let record = |one: &MembershipRow| TrailRecord::new(&one.practice, by, action).subject(subject);
        memberships.iter().map(|one| self.trail.link(record(one))).collect()
    }

    /// Somebody in the caller's practice whom the caller may touch: nobody changes a person who may do more.
    async fn member_of(&self, caller: &Caller, id: &str) -> Result<(PersonRow, MembershipRow), Declined> {
        let (person, memberships) = people::by_id(&self.store, id).await?.ok_or(Declined::NotFound)?;
        let membership = memberships.into_iter().find(|one| one.practice == *caller.practice());
        let membership = membership.ok_or(Declined::NotFound)?;
        if Role::from_word(&membership.role).is_some_and(|role| !caller.covers(role)) {
            return Err(Declined::MoreThanOwn);
        }
        Ok((person, membership))
    }
}

fn done(change: Change) -> Result<(), Declined> {
    match change {
        Change::Done => Ok(()),
        Change::NoSuchMember => Err(Declined::NotFound),
        Change::LastAdmin => Err(Declined::LastAdmin),
    }
}

fn member(person: PersonRow, membership: MembershipRow) -> Result<Member, StoreError> {
    Ok(Member {
        id: person.id,
        email: person.email,
        name: membership.name,
        role: role(&membership.role)?,
        password_set: person.password.is_some(),
        totp_set: person.totp.is_some(),
        since: time(membership.created_at)?,
    })
}

pub(super) fn role(word: &str) -> Result<Role, StoreError> {
    Role::from_word(word).ok_or(StoreError::Damaged { what: "a member has an unknown role" })
}
