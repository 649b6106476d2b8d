//! `/v1/carriers/{id}/file`: carrier files, read, checked, changed and put back while the gateway runs.
//!
//! **Who may.** Carriers belong to the gateway: whoever changes a file says where the questions of *every* practice are
//! sent. Roles belong to a practice, and any practice's administrator can make a platform administrator there, so that no
//! role alone can carry this right. On a gateway with one practice (the usual house) its administrators may, with the
//! scope `admin`. On a gateway with several nobody may over the network: there the files are changed by whoever runs it,
//! on its disk, where the gateway sees it within a second.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use connector_sdk::Error;
use connector_sdk::ask::FieldProblem;
use http::StatusCode;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::body::{Body, read, said_why};
use super::caller::Authenticated;
use super::problem::Problem;
use crate::carriers::FileProblem;
use crate::carriers::edit::{Change, NotApplied, REASON_MAX, Removal};
use crate::carriers::file::CarrierFile;
use crate::identity::Scope;
use crate::vault::{self, GATEWAY_PRACTICE};

/// How long to wait until the carrier's connections are made anew.
const IN_FORCE_WITHIN: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Body of `POST /v1/carriers/check`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckBody {
    /// The carrier's id: the name of its file without `.toml`.
    carrier: String,
    /// The file's text.
    text: String,
}

/// Answer of `POST /v1/carriers/check`.
#[derive(Serialize, JsonSchema)]
pub struct Checked {
    /// Everything that is wrong, in the order of the file. None: it could be put in force.
    pub problems: Vec<FileProblem>,
}

/// Answer of `GET /v1/carriers/{id}/file`.
#[derive(Serialize, JsonSchema)]
pub struct FileView {
    /// The carrier's id.
    pub carrier: String,
    /// The file's text, as it is on the disk now.
    pub text: String,
    /// Changes with the text; sent back as `base` by whoever changes it.
    pub version: String,
    /// Whether this very text is what the gateway works with; `false` where the file is broken and the last good one holds.
    pub in_force: bool,
    /// What is wrong with the file as it is now.
    pub problems: Vec<FileProblem>,
    /// Whether the caller may change it.
    pub may_change: bool,
}

/// Body of `PUT /v1/carriers/{id}/file`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PutFile {
    /// The whole new text.
    text: String,
    /// The `version` that it was made from; left out for a carrier that is new.
    base: Option<String>,
    /// Why. Kept with the version, and sealed with the record.
    reason: String,
}

/// Answer of `PUT /v1/carriers/{id}/file`.
#[derive(Serialize, JsonSchema)]
pub struct Applied {
    /// The carrier's id.
    pub carrier: String,
    /// The version's number.
    pub number: u32,
    /// Changes with the text.
    pub version: String,
    /// Whether the gateway works with it now; `false`: it could not be connected as the file says, and the last good one
    /// holds.
    pub in_force: bool,
}

/// Body of `POST /v1/carriers/{id}/remove`.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoveBody {
    /// The `version` of the file that is to go.
    base: String,
    /// Why. Kept with the versions, and sealed with the record.
    reason: String,
}

/// Answer of `POST /v1/carriers/{id}/remove`, and what would keep it from being done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Depends {
    /// Submissions of the practice that are not over. Any keeps the file from being taken away.
    pub submissions: i64,
    /// Items of batches that wait for the carrier. Any keeps the file from being taken away.
    pub batch_items: usize,
    /// Whether a login is stored; it stays, sealed, and is used again should the carrier come back at the same hosts.
    pub login: bool,
}

impl Depends {
    /// Whether something that was taken in would be lost.
    pub fn blocks(&self) -> bool {
        self.submissions > 0 || self.batch_items > 0
    }
}

/// A carrier whose file is gone and whose versions are kept.
#[derive(Serialize, JsonSchema)]
pub struct RemovedView {
    /// Its id.
    pub carrier: String,
    /// When it was taken away; absent where that was done on the disk.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Who took it away, as the paper trail has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Answer of `GET /v1/carriers/removed`.
#[derive(Serialize, JsonSchema)]
pub struct RemovedList {
    /// By id.
    pub removed: Vec<RemovedView>,
}

/// Answer of `GET /v1/carriers/{id}/versions`.
#[derive(Serialize, JsonSchema)]
pub struct VersionList {
    /// Newest first; the last fifty.
    pub versions: Vec<VersionView>,
}

/// A text that was in force once.
#[derive(Serialize, JsonSchema)]
pub struct VersionView {
    /// Counts up from 1.
    pub number: u32,
    /// Changes with the text.
    pub version: String,
    /// When it was kept.
    pub at: Timestamp,
    /// Who applied it, as the paper trail has it; `by_hand`: it was found on the disk.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Whether the file is this text now.
    pub now: bool,
}

/// Answer of `GET /v1/carriers/{id}/versions/{number}`.
#[derive(Serialize, JsonSchema)]
pub struct VersionText {
    /// Its number.
    pub number: u32,
    /// Its text.
    pub text: String,
}

/// Refuses whoever may not change what all practices share; see the head of this file.
pub async fn may_change(app: &App, caller: &Authenticated) -> Result<(), Problem> {
    caller.need(Scope::Admin)?;
    let practices = app.identity.practices().await.map_err(Error::from)?;
    let others = practices.iter().any(|(id, _)| id != caller.0.practice() && id.as_str() != GATEWAY_PRACTICE);
    match others {
        false => Ok(()),
        true => Err(Problem::new(
            StatusCode::FORBIDDEN,
            "Not one practice's to change",
            "This gateway serves several practices, and its carriers are shared by all: whoever runs it changes carrier files on its disk.",
        )),
    }
}

/// `POST /v1/carriers/check`
pub async fn check(State(app): State<App>, caller: Authenticated, Body(body): Body) -> Result<Json<Checked>, Problem> {
    may_change(&app, &caller).await?;
    let body: CheckBody = read(&body)?;
    match app.gateway.planes().book().check(&body.carrier, &body.text).await {
        Ok(()) => Ok(Json(Checked { problems: Vec::new() })),
        Err(NotApplied::Problems(problems)) => Ok(Json(Checked { problems })),
        Err(other) => Err(not_applied(other, "/carrier")),
    }
}

/// `GET /v1/carriers/{id}/file`
pub async fn read_one(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<FileView>, Problem> {
    caller.need(Scope::Admin)?;
    let book = app.gateway.planes().book();
    let file = book.file(&id).await.map_err(|error| not_applied(error, "/id"))?.ok_or_else(no_file)?;
    let name = format!("{id}.toml");
    let own = |problem: &&FileProblem| std::path::Path::new(&problem.file).ends_with(&name);
    // Without the place on this machine's disk.
    let problems = book.snapshot().problems.iter().filter(own).cloned().collect::<Vec<_>>();
    let problems = problems.into_iter().map(|problem| FileProblem { file: name.clone(), ..problem }).collect();
    let in_force = in_force(&app, &id, &file.version);
    let may_change = may_change(&app, &caller).await.is_ok();
    Ok(Json(FileView { carrier: id, text: file.text, version: file.version, in_force, problems, may_change }))
}

/// `PUT /v1/carriers/{id}/file`
pub async fn put(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<Applied>, Problem> {
    may_change(&app, &caller).await?;
    let body: PutFile = read(&body)?;
    let reason = said_why(&body.reason, REASON_MAX)?;
    let change = Change { id: &id, text: &body.text, base: body.base.as_deref(), reason };
    let book = app.gateway.planes().book();
    let applied = book.apply(&app.trail, caller.0.practice(), &caller.0.actor(), change).await;
    let number = applied.map_err(|error| not_applied(error, "/id"))?;
    let version = book.file(&id).await.map_err(|error| not_applied(error, "/id"))?;
    let version = version.map(|file| file.version).unwrap_or_default();
    let in_force = soon_in_force(&app, &id, &version).await;
    Ok(Json(Applied { carrier: id, number, version, in_force }))
}

/// What depends on a carrier; on a gateway where carriers may be changed there is one practice, the caller's.
pub async fn depends(app: &App, caller: &Authenticated, id: &str) -> Result<Depends, Problem> {
    let practice = caller.0.practice();
    let submissions = app.submissions.unfinished(practice, id).await.map_err(Error::from)?;
    let batch_items = app.batches.unfinished_for(practice, id);
    let plane = app.gateway.planes().get(id);
    let login = plane.is_some_and(|plane| app.vault.info(&vault::owner(practice, &plane.carrier), id).is_some());
    Ok(Depends { submissions, batch_items, login })
}

/// `POST /v1/carriers/{id}/remove`
pub async fn remove(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    Body(body): Body,
) -> Result<Json<Depends>, Problem> {
    may_change(&app, &caller).await?;
    let body: RemoveBody = read(&body)?;
    let reason = said_why(&body.reason, REASON_MAX)?;
    let depends = depends(&app, &caller, &id).await?;
    if depends.blocks() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "Something still waits for this carrier",
            format!(
                "{} submissions are not over and {} items of batches wait. Let them end, or cancel them; then take the carrier away.",
                depends.submissions, depends.batch_items
            ),
        ));
    }
    let removal = Removal { id: &id, base: &body.base, reason };
    let book = app.gateway.planes().book();
    let removed = book.remove(&app.trail, caller.0.practice(), &caller.0.actor(), removal).await;
    removed.map_err(|error| not_applied(error, "/id"))?;
    Ok(Json(depends))
}

/// `GET /v1/carriers/removed`
pub async fn removed(State(app): State<App>, caller: Authenticated) -> Result<Json<RemovedList>, Problem> {
    may_change(&app, &caller).await?;
    let found = app.gateway.planes().book().removed().await.map_err(|error| not_applied(error, "/id"))?;
    let view = |one: crate::carriers::edit::Removed| {
        let (at, by, reason) = one.how.map_or((None, None, None), |(at, by, why)| (Some(at), Some(by), Some(why)));
        RemovedView { carrier: one.id, at, by, reason }
    };
    Ok(Json(RemovedList { removed: found.into_iter().map(view).collect() }))
}

/// `GET /v1/carriers/{id}/versions`: also of a carrier whose file is gone.
pub async fn versions(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<VersionList>, Problem> {
    may_change(&app, &caller).await?;
    let book = app.gateway.planes().book();
    let now = book.file(&id).await.map_err(|error| not_applied(error, "/id"))?;
    let kept = book.versions(&id).await.map_err(|error| not_applied(error, "/id"))?;
    if now.is_none() && kept.is_empty() {
        return Err(no_file());
    }
    let view = |one: crate::carriers::edit::Version| VersionView {
        number: one.number,
        now: now.as_ref().is_some_and(|now| one.version == now.version),
        version: one.version,
        at: one.at,
        by: one.by,
        reason: one.reason,
    };
    Ok(Json(VersionList { versions: kept.into_iter().map(view).collect() }))
}

/// `GET /v1/carriers/{id}/versions/{number}`
pub async fn version(
    State(app): State<App>,
    caller: Authenticated,
    Path((id, number)): Path<(String, String)>,
) -> Result<Json<VersionText>, Problem> {
    may_change(&app, &caller).await?;
    let none = || Problem::not_found("This version is not kept, or no longer.");
    let number: u32 = number.parse().map_err(|_| none())?;
    let found = app.gateway.planes().book().version(&id, number).await;
    let file = found.map_err(|error| not_applied(error, "/id"))?.ok_or_else(none)?;
    Ok(Json(VersionText { number, text: file.text }))
}

/// What may stand in a carrier file: each key and what it means, for a page's help.
pub fn keys() -> Vec<(String, String)> {
    let schema = schemars::schema_for!(CarrierFile).to_value();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(key, property)| (key.clone(), property["description"].as_str().unwrap_or_default().replace('\n', " ")))
        .collect()
}

/// Whether the gateway works with this text.
fn in_force(app: &App, id: &str, version: &str) -> bool {
    app.gateway.planes().get(id).is_some_and(|plane| format!("{:016x}", plane.carrier.version) == version)
}

/// The same, with a little patience: the planes follow a reload by themselves.
async fn soon_in_force(app: &App, id: &str, version: &str) -> bool {
    let wait = async {
        while !in_force(app, id, version) {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(IN_FORCE_WITHIN, wait).await.is_ok()
}

fn no_file() -> Problem {
    Problem::not_found("There is no carrier file with this id.")
}

fn not_applied(error: NotApplied, id: &'static str) -> Problem {
    match error {
        NotApplied::Problems(problems) => Problem::fields(problems.iter().map(in_text).collect()),
        NotApplied::Changed(Some(_)) => Problem::new(
            StatusCode::CONFLICT,
            "Somebody else changed it",
            "The file was changed since you read it. Nothing is lost: read it again, put both together, and send `base` with its new version.",
        ),
        NotApplied::Changed(None) => Problem::new(
            StatusCode::CONFLICT,
            "The file is gone",
            "There is no such file any more. Leave `base` out to make it anew.",
        ),
        NotApplied::NoFiles => Problem::new(
            StatusCode::CONFLICT,
            "There are no carrier files",
            "The carriers of this gateway do not come from files.",
        ),
        NotApplied::BadId(help) => Problem::fields(vec![FieldProblem::new(id, format!("This cannot be a carrier's id: {help}."))]),
        NotApplied::File(kind) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "The carrier files cannot be used",
            format!("The folder of the carrier files cannot be read or written ({kind}); nothing was changed. Whoever runs this gateway must look at `carriers_dir`."),
        )
        .by_gateway(),
        NotApplied::Store(error) => Error::from(error).into(),
    }
}

/// A problem of a file as one of the request's field with its text.
fn in_text(problem: &FileProblem) -> FieldProblem {
    let help = problem.help.as_ref().map(|help| format!("; help: {help}")).unwrap_or_default();
    let message = problem.message.trim_end_matches('.');
    FieldProblem::new("/text", format!("Line {}, column {}: {message}{help}.", problem.line, problem.column))
}
