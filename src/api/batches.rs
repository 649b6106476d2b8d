//! `/v1/eligibility/batches`: many questions at once, their progress and their results.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::{Body as Bytes, to_bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use connector_sdk::ask::FieldProblem;
use connector_sdk::{Error, ErrorKind, Operation};
use futures_util::Stream;
use futures_util::stream::unfold;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::App;
use super::batch_csv;
use super::batch_intake::{Reader, Taken};
use super::caller::Authenticated;
use super::problem::Problem;
use crate::batches::{BatchView, Handed, ItemView, KEY_MAX, NotMade, Progress, Waiting, Wish, too_many};
use crate::identity::Scope;
use crate::practice::PracticeId;
use crate::trail::{OutcomeKind, TrailRecord};

/// The largest body of a batch, bytes.
pub const BODY_MAX: usize = 10 * 1024 * 1024;
/// A body that drips for longer is let go.
const BODY_WITHIN: Duration = Duration::from_secs(60);
/// The header under which a batch is handed in, and handed in again.
const KEY: &str = "idempotency-key";
/// Items on one page of JSON unless told otherwise.
const PAGE: u32 = 100;
/// Items read at once for CSV.
const CSV_PAGE: u32 = 500;
/// Progress is told at most this often.
const TELL_EVERY: Duration = Duration::from_millis(250);
/// A sign of life on a stream with nothing to tell.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends after this; the client comes back with the last event's id and proves its key again.
const STREAM_FOR: Duration = Duration::from_secs(30 * 60);

/// Query of `POST /v1/eligibility/batches`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accept {
    accept: Option<String>,
}

/// Answer of `POST /v1/eligibility/batches`.
#[derive(Serialize, JsonSchema)]
pub struct BatchMade {
    /// The batch.
    #[serde(flatten)]
    pub batch: BatchView,
    /// What is wrong with the items that were left out: the first hundred problems.
    pub problems: Vec<FieldProblem>,
    /// How many problems there are.
    pub problems_count: usize,
}

/// Answer of `GET /v1/eligibility/batches`.
#[derive(Serialize, JsonSchema)]
pub struct BatchList {
    /// Newest first.
    batches: Vec<BatchView>,
}

/// Answer of `GET /v1/eligibility/batches/{id}/items`.
#[derive(Serialize, JsonSchema)]
pub struct ItemPage {
    /// In the order in which they were handed in.
    items: Vec<ItemView>,
    /// `?after=` of the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// What an event tells. No patient data.
#[derive(Serialize, JsonSchema)]
pub struct Tidings {
    state: String,
    progress: Progress,
    waits: Vec<Waiting>,
    #[serde(skip_serializing_if = "Option::is_none")]
    estimate_secs: Option<u64>,
}

/// `POST /v1/eligibility/batches`
pub async fn make(
    State(app): State<App>,
    caller: Authenticated,
    query: Result<Query<Accept>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let valid_only = valid_only(query)?;
    let key = idempotency_key(request.headers())?;
    let is_csv = is_csv(request.headers())?;
    let bytes = body(request).await?;
    let made = take(&app, &caller, Handing { key, is_csv, valid_only, bytes }).await?;
    let location = HeaderValue::from_str(&format!("/v1/eligibility/batches/{}", made.batch.id));
    let mut response = (StatusCode::ACCEPTED, Json(made)).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// What is handed in.
pub struct Handing {
    /// The client's own key: with it, the batch is made once.
    pub key: String,
    /// Whether it is CSV, or JSON.
    pub is_csv: bool,
    /// Whether items with problems are left out.
    pub valid_only: bool,
    /// The whole.
    pub bytes: axum::body::Bytes,
}

/// Takes a batch in, for the API and for the pages.
///
/// # Errors
/// Everything that is wrong with it; nothing was taken then.
pub async fn take(app: &App, caller: &Authenticated, handing: Handing) -> Result<BatchMade, Problem> {
    let Handing { key, is_csv, valid_only, bytes: body } = handing;
    let content: [&[u8]; 2] = [if is_csv { b"csv" } else { b"json" }, &body];
    let practice = caller.0.practice();
    // First of all: what was taken once stays taken, whatever has changed at the carriers since.
    if let Some(id) = app.batches.made_before(practice, &key, &content).await.map_err(not_made)? {
        return accepted(app, practice, &id, Vec::new(), 0).await;
    }
    let (reader, bytes) = (Reader::new(app.gateway.clone()), body.clone());
    let read = tokio::task::spawn_blocking(move || if is_csv { reader.csv(&bytes) } else { reader.json(&bytes) });
    let read =
        read.await.map_err(|_| Problem::from(Error::new(ErrorKind::Internal, "The batch could not be read.")))?;
    let Taken { name, items, left_out, problems, count } = match read {
        Ok(taken) if taken.count == 0 || (valid_only && !taken.items.is_empty()) => taken,
        Ok(taken) => return Err(denied(app, caller, Problem::some_fields(taken.problems, taken.count)).await),
        Err(problem) => return Err(denied(app, caller, problem).await),
    };
    let handed = Handed { key: &key, content: &content, name, items, left_out };
    let id = app.batches.make(&caller.0, handed).await.map_err(not_made)?;
    accepted(app, practice, &id, problems, count).await
}

async fn accepted(
    app: &App,
    practice: &PracticeId,
    id: &str,
    problems: Vec<FieldProblem>,
    problems_count: usize,
) -> Result<BatchMade, Problem> {
    let batch = app.batches.get(practice, id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    Ok(BatchMade { batch, problems, problems_count })
}

/// A batch that was not taken is on record too.
async fn denied(app: &App, caller: &Authenticated, problem: Problem) -> Problem {
    let record = TrailRecord::new(caller.0.practice(), &caller.0.actor(), "batch.denied")
        .operation(Operation::Eligibility)
        .outcome(OutcomeKind::Failed)
        .failure(ErrorKind::RequestInvalid);
    match app.trail.record(record).await {
        Ok(_) => problem,
        Err(error) => Error::from(error).into(),
    }
}

/// `GET /v1/eligibility/batches`
pub async fn list(State(app): State<App>, caller: Authenticated) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let batches = app.batches.list(caller.0.practice()).await.map_err(Error::from)?;
    Ok(Json(BatchList { batches }).into_response())
}

/// `GET /v1/eligibility/batches/{id}`
pub async fn read(State(app): State<App>, caller: Authenticated, Path(id): Path<String>) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let batch = app.batches.get(caller.0.practice(), &id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    Ok(Json(batch).into_response())
}

/// `POST /v1/eligibility/batches/{id}/pause`
pub async fn pause(state: State<App>, caller: Authenticated, id: Path<String>) -> Result<Response, Problem> {
    turn(state, caller, id, Wish::Pause, "paused").await
}

/// `POST /v1/eligibility/batches/{id}/resume`
pub async fn resume(state: State<App>, caller: Authenticated, id: Path<String>) -> Result<Response, Problem> {
    turn(state, caller, id, Wish::Resume, "running").await
}

/// `POST /v1/eligibility/batches/{id}/cancel`
pub async fn cancel(state: State<App>, caller: Authenticated, id: Path<String>) -> Result<Response, Problem> {
    turn(state, caller, id, Wish::Cancel, "cancelled").await
}

async fn turn(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    wish: Wish,
    leads_to: &'static str,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    app.batches.turn(&caller.0, &id, wish).await.map_err(Error::from)?;
    let batch = app.batches.get(caller.0.practice(), &id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    // Asked for twice, it is done once.
    if batch.state != leads_to {
        let detail = format!("This batch is {}: that is its end.", batch.state);
        return Err(Problem::new(StatusCode::CONFLICT, "The batch is over", detail));
    }
    Ok(Json(batch).into_response())
}

/// Query of `GET /v1/eligibility/batches/{id}/items`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    after: Option<u32>,
    limit: Option<u32>,
    format: Option<String>,
}

/// `GET /v1/eligibility/batches/{id}/items`
pub async fn items(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Response, Problem> {
    let wrong = || {
        let message = "The queries are after and limit, numbers of items, and format, json or csv.";
        Problem::fields(vec![FieldProblem::new("?after", message)])
    };
    let page = page.map_err(|_| wrong())?;
    caller.need(Scope::Ask)?;
    let practice = caller.0.practice();
    app.batches.get(practice, &id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    app.batches.record_reading(&caller.0, &id).await.map_err(Error::from)?;
    let after = i64::from(page.after.unwrap_or(0));
    match page.format.as_deref() {
        Some("csv") => Ok(csv(app, practice.clone(), id, after, page.limit.unwrap_or(u32::MAX))),
        None | Some("json") => {
            let limit = page.limit.unwrap_or(PAGE).clamp(1, CSV_PAGE);
            let items = app.batches.items(practice, &id, after, limit).await.map_err(Error::from)?;
            let full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
            let next = items.last().map(|item| item.item).filter(|_| full);
            Ok(Json(ItemPage { items, next }).into_response())
        }
        Some(_) => Err(wrong()),
    }
}

/// All rows as one file, read page by page. One that breaks off in the middle ends without its last chunk, so that the
/// client notices.
fn csv(app: App, practice: PracticeId, id: String, after: i64, limit: u32) -> Response {
    let name = format!("attachment; filename=\"{id}.csv\"");
    let begin = (app, practice, id, after, limit, true);
    let rows = unfold(Some(begin), |state| async {
        let (app, practice, id, after, left, first) = state?;
        let size = left.min(CSV_PAGE);
        let page = match size {
            0 => Ok(Vec::new()),
            _ => app.batches.items(&practice, &id, after, size).await,
        };
        let page = match page {
            Ok(page) => page,
            Err(error) => return Some((Err(error), None)),
        };
        let mut bytes = if first { batch_csv::header() } else { Vec::new() };
        bytes.extend(batch_csv::rows(&page));
        let last = page.last().map(|item| item.item);
        let read = u32::try_from(page.len()).unwrap_or(u32::MAX);
        let next =
            last.filter(|_| read == size && left > read).map(|after| (app, practice, id, after, left - read, false));
        Some((Ok(axum::body::Bytes::from(bytes)), next))
    });
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (
            header::CONTENT_DISPOSITION,
            HeaderValue::from_str(&name).unwrap_or_else(|_| HeaderValue::from_static("attachment")),
        ),
    ];
    (head, Bytes::from_stream(rows)).into_response()
}

/// `GET /v1/eligibility/batches/{id}/events`
pub async fn events(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.need(Scope::Ask)?;
    let practice = caller.0.practice().clone();
    let batch = app.batches.get(&practice, &id).await.map_err(Error::from)?.ok_or_else(unknown)?;
    let seen = headers.get("last-event-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
    if is_over(&batch) && seen.as_ref() == Some(&mark(&batch)) {
        // By the standard this tells the client not to come back.
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let stream = Telling { app, practice, id, seen, since: Instant::now(), told: false, over: false };
    let sse = Sse::new(tell(stream)).keep_alive(KeepAlive::new().interval(HEARTBEAT));
    Ok(sse.into_response())
}

/// One stream of events.
struct Telling {
    app: App,
    practice: PracticeId,
    id: String,
    seen: Option<String>,
    since: Instant,
    told: bool,
    over: bool,
}

fn tell(telling: Telling) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(telling, |mut telling| async {
        if telling.over {
            return None;
        }
        let left = STREAM_FOR.checked_sub(telling.since.elapsed())?;
        let event = tokio::time::timeout(left, telling.next()).await.ok()??;
        Some((Ok(event), telling))
    })
}

impl Telling {
    /// The next state that differs from what was told; `None` when the batch cannot be read.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if self.told {
                tokio::time::sleep(TELL_EVERY).await;
            }
            // Subscribed before looking, so that nothing falls between.
            let changes = self.app.batches.changes(&self.practice, &self.id);
            let batch = self.app.batches.get(&self.practice, &self.id).await.ok()??;
            let mark = mark(&batch);
            self.told = true;
            if self.seen.as_ref() != Some(&mark) {
                self.over = is_over(&batch);
                self.seen = Some(mark.clone());
                let name = if self.over { "ended" } else { "progress" };
                let tidings = Tidings {
                    state: batch.state,
                    progress: batch.progress.unwrap_or_default(),
                    waits: batch.waits,
                    estimate_secs: batch.estimate_secs,
                };
                return Event::default().id(mark).event(name).json_data(tidings).ok();
            }
            match changes {
                Some(mut changes) => {
                    // An error means that it is over: the next look tells.
                    let _ = tokio::time::timeout(HEARTBEAT, changes.changed()).await;
                }
                None => tokio::time::sleep(TELL_EVERY).await,
            }
        }
    }
}

/// What tells one state of a batch from another; the same after a restart.
fn mark(batch: &BatchView) -> String {
    let p = batch.progress.unwrap_or_default();
    format!("{}.{}.{}.{}.{}.{}.{}", batch.state, p.waiting, p.asking, p.answered, p.refused, p.failed, p.cancelled)
}

fn is_over(batch: &BatchView) -> bool {
    let idle = batch.progress.is_none_or(|progress| progress.asking == 0);
    matches!(batch.state.as_str(), "done" | "cancelled") && idle
}

fn valid_only(query: Result<Query<Accept>, QueryRejection>) -> Result<bool, Problem> {
    let wrong =
        || Problem::fields(vec![FieldProblem::new("?accept", "The only query is accept=valid: leave out bad items.")]);
    match query.map_err(|_| wrong())?.0.accept.as_deref() {
        None => Ok(false),
        Some("valid") => Ok(true),
        Some(_) => Err(wrong()),
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    let key = headers.get(KEY).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    if key.is_empty() || key.len() > KEY_MAX {
        let message = "Send the header Idempotency-Key with 1 to 200 characters of your own (a UUID, say): sent again \
            with the same key, the batch is made once.";
        return Err(Problem::fields(vec![FieldProblem::new("Idempotency-Key", message)]));
    }
    Ok(key.to_owned())
}

fn is_csv(headers: &HeaderMap) -> Result<bool, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("application/json");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.to_ascii_lowercase().as_str() {
        "text/csv" => Ok(true),
        "application/json" => Ok(false),
        _ => Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "This kind of body is not read",
            "Send application/json or text/csv.",
        )),
    }
}

async fn body(request: Request) -> Result<axum::body::Bytes, Problem> {
    match tokio::time::timeout(BODY_WITHIN, to_bytes(request.into_body(), BODY_MAX)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "The body is too large",
            format!("A batch may have {BODY_MAX} bytes at most, and must arrive as a whole; make several."),
        )),
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "The body came too slowly",
            "The batch was not there within 60 seconds; send it again.",
        )),
    }
}

fn not_made(not_made: NotMade) -> Problem {
    match not_made {
        NotMade::KeyUsed => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "The key was used before",
            "This Idempotency-Key was used for another batch; a new batch needs a new key.",
        ),
        NotMade::TooMany => too_many().into(),
        NotMade::Error(error) => error.into(),
    }
}

/// The same whether there is none or it belongs to another practice.
fn unknown() -> Problem {
    Problem::not_found("This practice has no batch with this id.")
}
