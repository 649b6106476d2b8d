//! `/v1/credentials`: what a practice has stored for its carriers. Secrets go in, never out.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::App;
use super::body::Body;
use super::caller::Authenticated;
use super::problem::Problem;
use crate::carriers::{Carrier, CredentialScope};
use crate::identity::Scope;
use crate::practice::PracticeId;
use crate::stack::Failure;
use crate::vault::{CredentialInfo, CredentialState, Reminder};
use crate::wire::{Doubt, value_problems};

/// A value larger than this is no credential, bytes.
const VALUE_MAX: usize = 16 * 1024;

/// Body of `PUT /v1/credentials/{carrier}`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutCredential {
    /// Field name to value. `GET /v1/carriers/{id}` lists the fields a carrier needs.
    fields: BTreeMap<String, String>,
    /// When the values end (the password's age, the client secret's end): reminders come 30, 14 and 3 days before. The end
    /// of a client certificate is read from it; the earlier of both counts.
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

/// Answer of `GET /v1/credentials`.
#[derive(Serialize, JsonSchema)]
pub struct CredentialList {
    /// One per carrier.
    pub credentials: Vec<CredentialView>,
    /// Those whose values end within 30 days, or have ended; the most urgent first.
    pub reminders: Vec<Reminder>,
}

/// Answer of `POST /v1/credentials/{carrier}/verify`.
#[derive(Serialize, JsonSchema)]
pub struct Verified {
    /// The credential as it is now.
    pub credential: CredentialView,
    /// Whether the carrier let us in; absent where only a question can show it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// One sentence.
    pub text: &'static str,
    /// Why it did not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// A credential, without its values.
#[derive(Serialize, JsonSchema)]
pub struct CredentialView {
    /// Its id.
    pub id: String,
    /// The carrier it is for.
    pub carrier: String,
    /// `active`; `suspect` after the carrier rejected it, or where nobody knows how its last sign-in ended; `verifying`
    /// while a person has it tried once; `disabled` when it was rejected then, too, and only new values help.
    pub state: String,
    /// Why it is suspect or disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Names of the fields stored.
    pub fields: Vec<String>,
    /// Counts up with every change.
    pub generation: u64,
    /// The only hosts its values may be sent to.
    pub origins: Vec<String>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// When it was stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// When its values end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl From<CredentialInfo> for CredentialView {
    fn from(info: CredentialInfo) -> Self {
        Self {
            id: info.id,
            carrier: info.carrier,
            state: info.state.word().to_owned(),
            fields: info.fields,
            generation: info.generation,
            origins: info.origins,
            created_at: info.created_at,
            last_used_at: info.last_used_at,
            stopped_at: info.stopped_at,
            expires_at: info.expires_at,
            reason: info.reason,
        }
    }
}

/// `GET /v1/credentials`
pub async fn list(State(app): State<App>, caller: Authenticated) -> Result<Json<CredentialList>, Problem> {
    caller.need(Scope::Credentials)?;
    let stored = app.vault.list(caller.0.practice());
    let now = Timestamp::now();
    let mut reminders: Vec<Reminder> = stored.iter().filter_map(|info| info.reminder(now)).collect();
    reminders.sort_by_key(|reminder| reminder.expires_at);
    Ok(Json(CredentialList { credentials: stored.into_iter().map(CredentialView::from).collect(), reminders }))
}

/// `PUT /v1/credentials/{carrier}`
pub async fn put(
    State(app): State<App>,
    caller: Authenticated,
    Path(carrier): Path<String>,
    Body(body): Body,
) -> Result<Json<CredentialView>, Problem> {
    caller.need(Scope::Credentials)?;
    let carrier = own_credential(&app, &carrier)?;
    // serde's own message could repeat the body, which holds secrets: say only what is expected.
    let body: PutCredential = serde_json::from_slice(&body).map_err(|_| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "The body cannot be read",
            "Send {\"fields\": {\"<field>\": \"<value>\"}}; GET /v1/carriers/{id} lists the fields.",
        )
    })?;
    let fields: BTreeMap<String, Zeroizing<String>> =
        body.fields.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect();
    let problems = field_problems(&carrier, &fields);
    if !problems.is_empty() {
        return Err(Problem::fields(problems));
    }
    #[cfg(debug_assertions)]
    fields.values().for_each(|value| crate::hygiene::leak_when_a_test_asks(value));
    let practice = caller.0.practice();
    let by = caller.0.actor();
    let stored = app.vault.put_until(practice, &carrier.id, fields, &carrier.hosts, body.expires_at, &by).await;
    let info = stored.map_err(Error::from)?;
    app.gateway.planes().forget(practice, &carrier.id);
    Ok(Json(info.into()))
}

/// `POST /v1/credentials/{carrier}/verify`: a person says that the credential may be tried, once. A suspect one is verifying
/// meanwhile; accepted, it is active again; refused, it is disabled; without a verdict it is suspect as before.
pub async fn verify(
    State(app): State<App>,
    caller: Authenticated,
    Path(carrier): Path<String>,
) -> Result<Json<Verified>, Problem> {
    caller.need(Scope::Credentials)?;
    let carrier = own_credential(&app, &carrier)?;
    let practice = caller.0.practice();
    if app.vault.info(practice, &carrier.id).is_some_and(|info| info.state == CredentialState::Disabled) {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "The carrier refused it twice",
            "The carrier refused this credential, and once more when it was verified. Enter a new one with PUT; a third try could lock the account.",
        ));
    }
    app.vault.enable(practice, &carrier.id, &caller.0.actor()).await.map_err(Error::from)?;
    app.gateway.planes().forget(practice, &carrier.id);
    let signed_in = tried(&app, practice, &carrier.id).await;
    let nothing = || Problem::not_found("No credential is stored for this carrier.");
    let credential = app.vault.info(practice, &carrier.id).ok_or_else(nothing)?.into();
    Ok(Json(match signed_in {
        Ok(true) => Verified { credential, verified: Some(true), text: "The carrier let us in.", failure: None },
        Ok(false) => Verified {
            credential,
            verified: None,
            text: "This carrier checks the credential with each question; the next question shows whether it works.",
            failure: None,
        },
        Err(error) => {
            Verified { credential, verified: Some(false), text: error.message, failure: Some(Failure::of(&error)) }
        }
    }))
}

/// Signs in once. Without a verdict the credential is suspect as before, but for a sign-in that goes on because a person is
/// asked something meanwhile: its own end decides.
///
/// # Errors
/// Why the carrier did not let us in.
pub(super) async fn tried(app: &App, practice: &PracticeId, carrier: &str) -> Result<bool, Error> {
    let signed_in = app.gateway.try_credential(practice, carrier).await;
    let waits = |id: &str| app.tasks.open_id(id).is_some();
    if signed_in.is_err()
        && let Some(info) = app.vault.info(practice, carrier)
        && info.state == CredentialState::Verifying
        && !waits(&info.id)
    {
        app.vault.stop(&info.id, info.generation, Doubt::Unrecognised.word()).await?;
    }
    signed_in
}

fn own_credential(app: &App, id: &str) -> Result<std::sync::Arc<Carrier>, Problem> {
    let carrier =
        app.gateway.planes().book().get(id).ok_or_else(|| {
            Problem::not_found("There is no carrier with this id; GET /v1/carriers?q= finds it by name.")
        })?;
    if carrier.credential == CredentialScope::Gateway {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "Not the practice's to change",
            "This carrier is reached with the gateway's own credential; `portico vault put` stores it.",
        ));
    }
    Ok(carrier)
}

fn field_problems(carrier: &Carrier, fields: &BTreeMap<String, Zeroizing<String>>) -> Vec<FieldProblem> {
    let wanted = carrier.credential_fields();
    let mut problems = Vec::new();
    for field in &wanted {
        let path = format!("/fields/{}", field.name);
        match fields.get(&field.name) {
            None if !field.optional => problems.push(FieldProblem::new(path, "This carrier needs this field.")),
            Some(value) if value.is_empty() => problems.push(FieldProblem::new(path, "The value is empty.")),
            Some(value) if value.len() > VALUE_MAX => problems.push(FieldProblem::new(path, "The value is too long.")),
            Some(_) | None => {}
        }
    }
    let unusable = value_problems(carrier, fields).into_iter();
    problems.extend(unusable.map(|wrong| FieldProblem::new(format!("/fields/{}", wrong.field), wrong.problem)));
    for name in fields.keys().filter(|name| !wanted.iter().any(|field| field.name == **name)) {
        let known: Vec<&str> = wanted.iter().map(|field| field.name.as_str()).collect();
        // The name is the caller's own word and could be a secret in the wrong place: list what is known instead.
        let message = format!("This carrier has no such field; it needs: {}.", known.join(", "));
        let place = fields.keys().position(|key| key == name).unwrap_or(0);
        problems.push(FieldProblem::new(format!("/fields/#{place}"), message));
    }
    problems
}
