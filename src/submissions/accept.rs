//! Taking a submission in: checked, not a second of its kind, durable. Then, and only then, it is acknowledged.

use connector_sdk::ask::{FieldProblem, Urgency};
use connector_sdk::{AuthorizationRequest, Error, ErrorKind, Operation};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use uuid::Uuid;

use super::Submissions;
use crate::failpoint;
use crate::identity::Caller;
use crate::stack::trace_number;
use crate::store::submissions::{self, NewSubmission};
use crate::store::{self, StoreError};
use crate::trail::{Detail, PatientKey, TrailRecord, Use, bind};

/// Longest idempotency key, bytes.
const KEY_MAX: usize = 200;

/// A submission that was taken, now or before.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its id.
    pub id: String,
    /// Whether it was taken before, with the same key and content.
    pub before: bool,
}

/// Why a submission was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// The ask has problems; all of them.
    Problems(Vec<FieldProblem>),
    /// The practice has used this key for something else.
    KeyUsed,
    /// It looks like these earlier ones, newest first. Whoever means it all the same names one of them.
    LooksLike(Vec<String>),
    /// There is no such carrier, or the store cannot write.
    Error(Error),
}

impl From<StoreError> for NotTaken {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

impl Submissions {
    /// Takes an authorization in, durably, under the caller's idempotency key. A key holds for good and for the whole
    /// practice: a client that was given a new API key and asks again gets the same submission. `beside` names an earlier
    /// submission that looks the same, where it is meant to be a second one.
    ///
    /// # Errors
    /// [`NotTaken`]; nothing was written then.
    pub async fn accept(
        &self,
        caller: &Caller,
        key: &str,
        ask: &AuthorizationRequest,
        beside: Option<String>,
    ) -> Result<Taken, NotTaken> {
        self.check(key, ask)?;
        let practice = caller.practice();
        let id = Uuid::now_v7().to_string();
        let at = store::now();
        let (sealed_ask, file) = self.books.seal_ask(practice, &id, ask)?;
        let new = NewSubmission {
            practice: practice.clone(),
            sealed_ask,
            id: id.clone(),
            carrier: ask.carrier.clone(),
            kind: Operation::Authorization.name(),
            urgent: ask.urgency == Urgency::Expedited,
            actor: caller.id().to_owned(),
            key_digest: key_digest(practice.as_str(), key),
            content_mac: self.books.content_mac(practice, content(ask).to_string().as_bytes()),
            biz_ref: trace_number(),
            at,
            beside,
        };
        let record = TrailRecord::new(practice, &caller.actor(), "submission.accepted_from_caller")
            .carrier(&ask.carrier)
            .operation(Operation::Authorization)
            .purpose(Use::Payment)
            .ask(&id)
            .detail(detail(ask).files(&[file]));
        let taken = submissions::accept(&self.books.store, new, self.books.trail.link(record)).await?;
        failpoint::hit("accept_after_commit");
        match taken {
            submissions::Taken::New => {
                self.wake.notify_one();
                Ok(Taken { id, before: false })
            }
            submissions::Taken::Before(row) if self.books.ask(&row)? == *ask => Ok(Taken { id: row.id, before: true }),
            submissions::Taken::Before(_) => Err(NotTaken::KeyUsed),
            submissions::Taken::LooksLike(earlier) => Err(NotTaken::LooksLike(earlier)),
        }
    }

    fn check(&self, key: &str, ask: &AuthorizationRequest) -> Result<(), NotTaken> {
        let mut problems = ask.problems(self.gateway.today());
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            problems.push(FieldProblem::new(
                "Idempotency-Key",
                "Send this header: 1 to 200 visible characters, a new one for each submission, the same one when you send it again.",
            ));
        }
        match self.gateway.planes().get(&ask.carrier) {
            Some(plane) if plane.carrier.submissions().is_some() => {}
            Some(_) => {
                problems.push(FieldProblem::new("/carrier", "This carrier takes no authorizations through Portico."))
            }
            None if problems.is_empty() => {
                let unknown = "There is no carrier with this id; GET /v1/carriers?q= finds it by name.";
                return Err(NotTaken::Error(Error::new(ErrorKind::CarrierUnknown, unknown)));
            }
            None => {}
        }
        if problems.is_empty() { Ok(()) } else { Err(NotTaken::Problems(problems)) }
    }
}

/// What the record commits to without saying it: by this the patient's submissions are found.
fn detail(ask: &AuthorizationRequest) -> Detail {
    Detail::default()
        .patient(PatientKey::of(&ask.carrier, &ask.member, ask.dependent.as_ref()))
        .say("patient", json!({ "member": ask.member, "dependent": ask.dependent }))
        .say("service", serde_json::to_value(&ask.services).unwrap_or_default())
        .say("provider_npi", ask.requester.npi.clone())
        .say("why", "authorization request")
}

/// The key may hold anything its sender chose, so that only its digest is kept.
fn key_digest(practice: &str, key: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let text = bind(&[b"idempotency v1", practice.as_bytes(), key.as_bytes()]);
    bytes.copy_from_slice(digest(&SHA256, &text).as_ref());
    bytes
}

/// What makes two asks the same to a person: the patient, the requester, the services. Not the note, not the urgency.
fn content(ask: &AuthorizationRequest) -> Value {
    let upper = |text: Option<&connector_sdk::Phi<String>>| text.map(|text| text.text().trim().to_uppercase());
    let mut services: Vec<String> = ask
        .services
        .iter()
        .map(|service| {
            json!([
                service.procedure.as_ref().map(|procedure| (&procedure.system, &procedure.code)),
                service.service_type,
                service.from,
                service.to.unwrap_or(service.from),
                service.units.map(|units| units.normalize().to_string())
            ])
            .to_string()
        })
        .collect();
    services.sort_unstable();
    let member = &ask.member;
    json!([
        ask.carrier,
        ask.kind,
        ask.requester.npi,
        upper(member.member_id.as_ref()),
        upper(member.last_name.as_ref()),
        upper(member.first_name.as_ref()),
        member.date_of_birth.as_ref().map(|born| born.expose()),
        ask.dependent.as_ref().map(|dependent| (
            upper(Some(&dependent.last_name)),
            upper(Some(&dependent.first_name)),
            dependent.date_of_birth.expose()
        )),
        services
    ])
}
