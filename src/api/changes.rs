//! `/v1/eligibility/{id}/changes`: what of an answer is another than in the one before.

use axum::Json;
use axum::extract::{Path, State};
use connector_sdk::Error;
use connector_sdk::ask::{Dependent, Member};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::caller::Authenticated;
use super::eligibility::{self, Stored};
use super::problem::Problem;
use crate::differences::{self, Difference};
use crate::identity::Scope;
use crate::stack::Envelope;
use crate::trail::{PatientKey, Search, TrailRecord, Use};

/// Earlier questions about the same person that are looked at for an answer.
const LOOKED_AT: u32 = 12;
/// Records of a question that are looked at for what was asked: it stands among the first.
const RECORDS_MAX: u32 = 40;

/// Answer of `GET /v1/eligibility/{id}/changes`.
#[derive(Serialize, JsonSchema)]
pub struct ChangesView {
    /// The answer before this one: absent where the carrier was not asked about this person before, or did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Earlier>,
    /// What is another one now, the gravest first. Compared is what both answers speak of.
    pub changes: Vec<Difference>,
}

/// An earlier answer.
#[derive(Serialize, JsonSchema)]
pub struct Earlier {
    /// The id of its question.
    pub id: String,
    /// When the carrier said it.
    #[schemars(with = "String")]
    pub as_of: Timestamp,
}

/// What a question's own record commits to.
#[derive(Deserialize)]
struct Asked {
    patient: People,
}

#[derive(Deserialize)]
struct People {
    member: Member,
    dependent: Option<Dependent>,
}

/// `GET /v1/eligibility/{id}/changes`
pub async fn read(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<ChangesView>, Problem> {
    let nothing = || ChangesView { since: None, changes: Vec::new() };
    let Stored::Ended(bytes) = eligibility::stored(&app, &caller, &id).await? else { return Ok(Json(nothing())) };
    let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| Problem::not_found("It cannot be read."))?;
    Ok(Json(since(&app, &caller, &envelope).await?.unwrap_or_else(nothing)))
}

/// What of `envelope`'s answer is another than in the last answer about the same person before it; `None` where there is
/// none. That the earlier one is read is on record before anything of it leaves.
///
/// # Errors
/// 403 without the scope; what the store says.
pub async fn since(app: &App, caller: &Authenticated, envelope: &Envelope) -> Result<Option<ChangesView>, Problem> {
    caller.need(Scope::Ask)?;
    let Some(now) = &envelope.answer else { return Ok(None) };
    let before = earlier(app, caller, envelope).await?;
    Ok(before.and_then(|before| {
        let answer = before.answer.as_ref()?;
        let changes = differences::between(&answer.facts, &now.facts);
        Some(ChangesView { since: Some(Earlier { id: before.id, as_of: before.freshness.as_of }), changes })
    }))
}

/// The last answer about the same person, by the same carrier, that is older than what `envelope` says (of a failed
/// question: than the question). That it is read is on record.
///
/// # Errors
/// What the store says.
pub async fn earlier(app: &App, caller: &Authenticated, envelope: &Envelope) -> Result<Option<Envelope>, Problem> {
    let practice = caller.0.practice();
    let search = Search { ask: Some(envelope.id.clone()), ..Search::default() };
    let records = app.trail.search(practice, &search, RECORDS_MAX).await.map_err(Error::from)?;
    let asked = records.iter().find(|record| record.entry.action == "eligibility.answered");
    let asked: Option<Asked> = asked.and_then(|record| serde_json::from_value(record.said()).ok());
    let Some(Asked { patient }) = asked else { return Ok(None) };
    let key = PatientKey::of(&envelope.carrier, &patient.member, patient.dependent.as_ref());
    let found = app.trail.questions_about(practice, &[key], LOOKED_AT).await.map_err(Error::from)?;
    for (id, _) in found.into_iter().flatten().filter(|(id, _)| *id != envelope.id) {
        let stored = app.trail.get(practice, &id).await.map_err(Error::from)?;
        let Some(bytes) = stored.and_then(|stored| stored.envelope) else { continue };
        let Ok(before) = serde_json::from_slice::<Envelope>(&bytes) else { continue };
        // The same answer again, out of the cache, is no earlier one.
        let older = before.freshness.as_of < envelope.freshness.as_of;
        if older && before.answer.is_some() && same_person(&before, envelope) {
            let record =
                TrailRecord::new(practice, &caller.0.actor(), "eligibility.read").purpose(Use::Payment).ask(&before.id);
            app.trail.record(record).await.map_err(Error::from)?;
            return Ok(Some(before));
        }
    }
    Ok(None)
}

/// Twins share carrier, member id and birth date: where the carrier named both, the names must be the same.
fn same_person(one: &Envelope, other: &Envelope) -> bool {
    let name = |envelope: &Envelope| {
        let facts = &envelope.answer.as_ref()?.facts;
        let person = facts.dependent.as_ref().unwrap_or(&facts.member);
        person.first_name.as_ref().map(|name| name.text().trim().to_lowercase())
    };
    match (name(one), name(other)) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}
