//! `/v1/people`: who belongs to the caller's practice; `/v1/practice`: what it says of itself; `/v1/keys`: its API keys.

use axum::Json;
use axum::extract::{Path, State};
use connector_sdk::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{Body, Done, read};
use super::caller::Authenticated;
use super::problem::Problem;
use crate::identity::{ApiKeyInfo, Invitation, Member, NewMember, PracticeProfile, Role, Scope};

/// Answer of `GET /v1/people`.
#[derive(Serialize, JsonSchema)]
pub struct PeopleList {
    /// Oldest first.
    pub people: Vec<Member>,
}

/// Body of `POST /v1/people`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddPerson {
    /// The address they sign in with.
    email: String,
    /// What the practice calls them.
    name: String,
    /// What they are; with no more rights than the caller has.
    role: Role,
}

/// Body of `PATCH /v1/people/{id}`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePerson {
    /// Another role; their sessions in this practice end.
    role: Option<Role>,
    /// Another name.
    name: Option<String>,
    /// `true` takes password, one-time codes and sessions away and gives a new invitation.
    #[serde(default)]
    reset: bool,
}

/// Somebody was added or changed.
#[derive(Serialize, JsonSchema)]
pub struct PersonChanged {
    /// The account's id.
    pub id: String,
    /// The person as they are now, where they were changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<Member>,
    /// For `POST /v1/session/password`, good for 72 hours; shown this once. Absent where the account has its password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invitation: Option<String>,
}

/// Answer of `GET /v1/keys`.
#[derive(Serialize, JsonSchema)]
pub struct KeyList {
    /// Oldest first.
    pub keys: Vec<ApiKeyInfo>,
}

/// Body of `POST /v1/keys`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateKey {
    /// What it is for.
    label: String,
    /// What it may do; no more than the caller may.
    scopes: Vec<Scope>,
}

/// A new key.
#[derive(Serialize, JsonSchema)]
pub struct KeyCreated {
    /// Its id.
    pub id: String,
    /// Its text; shown this once.
    pub key: String,
}

/// `GET /v1/people`
pub async fn list(State(app): State<App>, caller: Authenticated) -> Result<Json<PeopleList>, Problem> {
    caller.need(Scope::Admin)?;
    let people = app.identity.people(caller.0.practice()).await.map_err(Error::from)?;
    Ok(Json(PeopleList { people }))
}

/// `POST /v1/people`
pub async fn add(
    State(app): State<App>,
    caller: Authenticated,
    Body(body): Body,
) -> Result<Json<PersonChanged>, Problem> {
    caller.need(Scope::Admin)?;
    let body: AddPerson = read(&body)?;
    let new = NewMember { email: &body.email, name: &body.name, role: body.role, second_factor: true };
    let invitation = app.identity.add_person(&caller.0, new).await?;
    Ok(Json(changed(invitation.person.clone(), None, Some(&invitation))))
}

/// `PATCH /v1/people/{id}`
pub async fn change(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<PersonChanged>, Problem> {
    caller.need(Scope::Admin)?;
    let body: ChangePerson = read(&body)?;
    let person = match (body.role, body.name.as_deref()) {
        (None, None) => None,
        (role, name) => Some(app.identity.change_person(&caller.0, &id, role, name).await?),
    };
    let invitation = match body.reset {
        true => Some(app.identity.reset_person(&caller.0, &id).await?),
        false => None,
    };
    Ok(Json(changed(id, person, invitation.as_ref())))
}

/// `DELETE /v1/people/{id}`: takes somebody out of the practice.
pub async fn remove(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Done>, Problem> {
    caller.need(Scope::Admin)?;
    app.identity.remove_person(&caller.0, &id).await?;
    Ok(Json(Done::DONE))
}

fn changed(id: String, person: Option<Member>, invitation: Option<&Invitation>) -> PersonChanged {
    let invitation = invitation.and_then(|one| one.token.as_ref()).map(|token| token.to_string());
    PersonChanged { id, person, invitation }
}

/// `GET /v1/practice`: for everybody in it; the Tax ID for whoever hands in or administers.
pub async fn practice(State(app): State<App>, caller: Authenticated) -> Result<Json<PracticeProfile>, Problem> {
    let mut profile = app.identity.practice(caller.0.practice()).await?;
    if !caller.0.may(Scope::Admin) && !caller.0.may(Scope::Submit) {
        profile.tax_id = None;
    }
    Ok(Json(profile))
}

/// `PUT /v1/practice`
pub async fn put_practice(
    State(app): State<App>,
    caller: Authenticated,
    Body(body): Body,
) -> Result<Json<PracticeProfile>, Problem> {
    caller.need(Scope::Admin)?;
    let profile: PracticeProfile = read(&body)?;
    app.identity.put_practice(&caller.0, &profile).await?;
    Ok(Json(profile))
}

/// `GET /v1/keys`
pub async fn keys(State(app): State<App>, caller: Authenticated) -> Result<Json<KeyList>, Problem> {
    caller.need(Scope::Admin)?;
    let keys = app.identity.list_keys(caller.0.practice()).await.map_err(Error::from)?;
    Ok(Json(KeyList { keys }))
}

/// `POST /v1/keys`
pub async fn create_key(
    State(app): State<App>,
    caller: Authenticated,
    Body(body): Body,
) -> Result<Json<KeyCreated>, Problem> {
    caller.need(Scope::Admin)?;
    let body: CreateKey = read(&body)?;
    let new = app.identity.create_key_for(&caller.0, &body.label, &body.scopes).await?;
    Ok(Json(KeyCreated { id: new.id.clone(), key: new.key.to_string() }))
}

/// `DELETE /v1/keys/{id}`: revokes it, at once.
pub async fn revoke_key(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<Done>, Problem> {
    caller.need(Scope::Admin)?;
    let revoked = app.identity.revoke_key(caller.0.practice(), &id, &caller.0.actor()).await;
    match revoked.map_err(Error::from)? {
        true => Ok(Json(Done::DONE)),
        false => Err(Problem::not_found("This practice has no valid key with this id.")),
    }
}
