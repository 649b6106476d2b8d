//! Harbor HMO: a regional HMO. JSON with OAuth2 client credentials; a question is taken with `202` and its answer
//! fetched at the `Location` given, which says `202` until it is ready.
//!
//! `POST /oauth/token`, `POST /v2/eligibilities`, `GET /v2/eligibilities/{id}`. Tokens last 300 (virtual) seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};

use crate::assertion::Seen;
use crate::clock::today;
use crate::control::{Desk, Login, lock};
use crate::credentials::{HARBOR_CLIENT, HARBOR_SECRET};
use crate::people::{Accumulator, Benefit, Person, Status, insured_by};
use crate::random::token;
use crate::search::{Found, Patient, Query, Rules, date, find, iso};

pub(crate) const RULES: Rules = Rules { strict: false, by_name: false, back_months: 24, forward_months: 3 };
/// How long a token lasts, virtual seconds.
const TOKEN_SECS: i64 = 300;
/// Most tokens and most questions kept; above it, all are forgotten.
const KEPT_MAX: usize = 5_000;

struct Harbor {
    desk: Arc<Desk>,
    people: Vec<Person>,
    /// Token: when it ends, virtual seconds; and the epoch it was given in.
    tokens: Mutex<HashMap<String, (i64, u64)>>,
    jobs: Mutex<HashMap<String, Job>>,
    /// Client assertions that have come.
    seen: Seen,
    /// Whether member `HHM-TOKEN401` has cost a token already.
    token_lost: AtomicBool,
}

/// A question that waits to be fetched.
#[derive(Clone)]
struct Job {
    /// Fetches left that say "not ready".
    polls_left: u32,
    status: StatusCode,
    answer: Value,
    loses_token: bool,
}

pub(crate) fn router(desk: Arc<Desk>) -> Router {
    let harbor = Harbor {
        desk,
        people: insured_by("harborhmo"),
        tokens: Mutex::default(),
        jobs: Mutex::default(),
        seen: Seen::default(),
        token_lost: AtomicBool::new(false),
    };
    Router::new()
        .route("/oauth/token", post(give_token))
        .route("/v2/eligibilities", post(ask))
        .route("/v2/eligibilities/{id}", get(fetch))
        .with_state(Arc::new(harbor))
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn errors(status: StatusCode, code: &str, message: &str) -> Response {
    reply(status, &json!({ "errors": [{ "code": code, "message": message }] }))
}

async fn give_token(State(harbor): State<Arc<Harbor>>, headers: HeaderMap, body: Bytes) -> Response {
    let form: HashMap<String, String> = form_fields(&body);
    let (client, secret) = basic(&headers).unwrap_or_else(|| {
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        (field("client_id"), field("client_secret"))
    });
    if form.get("grant_type").map(String::as_str) != Some("client_credentials") {
        return reply(StatusCode::BAD_REQUEST, &json!({ "error": "unsupported_grant_type" }));
    }
    let user = (client == HARBOR_CLIENT).then_some(HARBOR_CLIENT);
    let (user, right) = match form.get("client_assertion") {
        None => (user, secret == HARBOR_SECRET),
        Some(text) => (Some(HARBOR_CLIENT), harbor.asserted(&headers, &form, text)),
    };
    match harbor.desk.login(user, right) {
        Login::Accepted => {}
        Login::Wrong => return reply(StatusCode::UNAUTHORIZED, &json!({ "error": "invalid_client" })),
        Login::Locked => {
            let body = json!({ "error": "invalid_client", "error_description": "client is locked" });
            return reply(StatusCode::LOCKED, &body);
        }
    }
    let given = token();
    let ends = harbor.desk.clock.now_secs() + TOKEN_SECS;
    let mut tokens = lock(&harbor.tokens);
    if tokens.len() >= KEPT_MAX {
        tokens.clear();
    }
    tokens.insert(given.clone(), (ends, harbor.desk.epoch()));
    reply(
        StatusCode::OK,
        &json!({ "access_token": given, "token_type": "Bearer", "expires_in": TOKEN_SECS, "scope": "live" }),
    )
}

fn form_fields(body: &[u8]) -> HashMap<String, String> {
    crate::form::fields(&String::from_utf8_lossy(body)).into_iter().collect()
}

/// User and password of an HTTP Basic header.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let text = String::from_utf8(STANDARD.decode(value.strip_prefix("Basic ")?.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

impl Harbor {
    /// Whether the client has proven itself with a key that it handed in.
    fn asserted(&self, headers: &HeaderMap, form: &HashMap<String, String>, text: &str) -> bool {
        let kind = form.get("client_assertion_type").map(String::as_str);
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
        let audience = format!("http://{host}/oauth/token");
        let now = jiff::Timestamp::now().as_second();
        kind == Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
            && self.seen.fault(text, HARBOR_CLIENT, &self.desk.client_keys(), &audience, now).is_none()
    }

    /// The bearer's token where it is good.
    fn bearer(&self, headers: &HeaderMap) -> Option<String> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?.trim().to_owned();
        let (ends, epoch) = *lock(&self.tokens).get(&given)?;
        (self.desk.clock.now_secs() < ends && epoch == self.desk.epoch()).then_some(given)
    }

    fn job(&self, asked: &Value) -> Job {
        let member_id = text(asked, "memberId").to_ascii_uppercase();
        let polls_left = match member_id.as_str() {
            "HHM-SLOWPOLL" => 5,
            "HHM-NEVER" => u32::MAX,
            _ => 2,
        };
        let loses_token = member_id == "HHM-TOKEN401" && !self.token_lost.swap(true, Ordering::SeqCst);
        let (status, mut answer) = if member_id == "HHM-ERR200" {
            let error = json!({ "code": "SYS-0503", "message": "Member system is not available, try again later" });
            (StatusCode::OK, json!({ "status": "Error", "errors": [error] }))
        } else {
            match find(&self.people, &query(asked), RULES, today()) {
                Ok(mut found) => {
                    if found.person.member_id == "HHM-OTHER-MEMBER" {
                        found.person = self.people.first().cloned().unwrap_or(found.person);
                    }
                    (StatusCode::OK, answer(&found))
                }
                Err(rejects) => {
                    let words: Vec<Value> = rejects.iter().map(|reject| said(reject.code)).collect();
                    (StatusCode::UNPROCESSABLE_ENTITY, json!({ "status": "Rejected", "errors": words }))
                }
            }
        };
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("traceId".into(), asked.get("traceId").cloned().unwrap_or(Value::Null));
        }
        Job { polls_left, status, answer, loses_token }
    }
}

async fn ask(State(harbor): State<Arc<Harbor>>, headers: HeaderMap, body: Bytes) -> Response {
    if harbor.bearer(&headers).is_none() {
        return errors(StatusCode::UNAUTHORIZED, "TOKEN_EXPIRED", "The token is missing or has expired");
    }
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return errors(StatusCode::BAD_REQUEST, "MALFORMED", "The body is not JSON");
    };
    harbor.desk.question();
    if body.iter().any(|byte| b"<>;|".contains(byte)) {
        return errors(StatusCode::BAD_REQUEST, "INBOUND_INJECTION", "Inbound injection suspected");
    }
    if text(&asked, "memberId").eq_ignore_ascii_case("HHM-429") {
        // No Retry-After: this carrier never sends one.
        return errors(StatusCode::TOO_MANY_REQUESTS, "QUOTA", "Too many requests");
    }
    let id = token();
    let mut jobs = lock(&harbor.jobs);
    if jobs.len() >= KEPT_MAX {
        jobs.clear();
    }
    jobs.insert(id.clone(), harbor.job(&asked));
    let location = format!("/v2/eligibilities/{id}");
    let body = json!({ "id": id, "status": "In Progress" }).to_string();
    let headers = [(header::LOCATION, location), (header::CONTENT_TYPE, "application/json".to_owned())];
    (StatusCode::ACCEPTED, headers, body).into_response()
}

async fn fetch(State(harbor): State<Arc<Harbor>>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let Some(bearer) = harbor.bearer(&headers) else {
        return errors(StatusCode::UNAUTHORIZED, "TOKEN_EXPIRED", "The token is missing or has expired");
    };
    let mut jobs = lock(&harbor.jobs);
    let Some(job) = jobs.get_mut(&id) else {
        return errors(StatusCode::NOT_FOUND, "UNKNOWN_ID", "No such question");
    };
    if std::mem::take(&mut job.loses_token) {
        lock(&harbor.tokens).remove(&bearer);
        return errors(StatusCode::UNAUTHORIZED, "TOKEN_EXPIRED", "The token is missing or has expired");
    }
    if job.polls_left > 0 {
        job.polls_left -= u32::from(job.polls_left != u32::MAX);
        return reply(StatusCode::ACCEPTED, &json!({ "id": id, "status": "In Progress" }));
    }
    let job = job.clone();
    reply(job.status, &job.answer)
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn query(asked: &Value) -> Query {
    let dependent = asked.get("dependent").filter(|value| value.is_object()).map(|patient| Patient {
        first_name: text(patient, "firstName"),
        last_name: text(patient, "lastName"),
        date_of_birth: iso(&text(patient, "birthDate")),
    });
    let services = asked.get("serviceTypes").and_then(Value::as_array);
    Query {
        npi: text(asked, "providerNpi"),
        member_id: text(asked, "memberId"),
        first_name: text(asked, "firstName"),
        last_name: text(asked, "lastName"),
        date_of_birth: iso(&text(asked, "birthDate")),
        dependent,
        days: date(&text(asked, "asOf")).map(|day| (day, day)),
        services: services.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        ..Query::default()
    }
}

/// This carrier's own words for what X12 says in AAA codes.
fn said(code: &str) -> Value {
    let (code, field, message) = match code {
        "71" => ("BIRTHDATE_MISMATCH", "birthDate", "The birth date does not match our records"),
        "72" | "75" => ("MEMBER_NOT_FOUND", "memberId", "No member with this id"),
        "73" => ("NAME_MISMATCH", "lastName", "The name does not match our records"),
        "67" => ("DEPENDENT_NOT_FOUND", "dependent", "No such dependent"),
        "51" => ("PROVIDER_UNKNOWN", "providerNpi", "The provider is not on file"),
        "41" => ("PROVIDER_NOT_CONTRACTED", "providerNpi", "The provider is not contracted"),
        "62" | "63" => ("DATE_OUT_OF_RANGE", "asOf", "The date is outside the allowed range"),
        _ => ("MISSING_DATA", "memberId", "More data is needed to find the member"),
    };
    json!({ "code": code, "field": field, "message": message })
}

fn answer(found: &Found) -> Value {
    let person = &found.person;
    let pcp = person.primary_care.as_ref();
    let active = person.coverage == Status::Active;
    json!({
        "status": "Complete",
        "subscriber": {
            "memberId": person.member_id,
            "firstName": person.first_name,
            "lastName": person.last_name,
            "birthDate": person.date_of_birth,
            "groupNumber": person.group_number,
        },
        // No colon in the offset: as the carrier writes its times.
        "answeredAt": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(),
        "plans": [{
            "name": person.plan.name,
            "insuranceType": person.plan.insurance_type,
            "coverageStatus": if active { "Active" } else { "Terminated" },
            "effectiveDate": person.plan.from,
            "terminationDate": person.plan.to,
            "primaryCareProvider": pcp.map(|pcp| json!({ "name": pcp.name, "npi": pcp.number, "phone": pcp.phone })),
        }],
        "benefits": person.benefits.iter().filter(|_| active).map(benefit).collect::<Vec<_>>(),
    })
}

fn benefit(benefit: &Benefit) -> Value {
    let accumulator = |accumulator: &Option<Accumulator>| {
        accumulator.as_ref().map(|a| json!({ "total": a.base, "met": a.met, "remaining": a.remaining }))
    };
    let limit = benefit.limit.as_ref().map(
        |limit| json!({ "allowed": limit.allowed, "used": limit.used, "remaining": limit.remaining, "unit": "visits" }),
    );
    let mut fields = json!({
        "serviceType": benefit.service,
        "network": benefit.network,
        "level": benefit.level,
        "covered": benefit.covered,
        "priorAuthorization": benefit.authorization,
        "copay": benefit.copay,
        "copayPer": benefit.copay.map(|_| "visit"),
        "coinsurance": benefit.coinsurance,
        "deductible": accumulator(&benefit.deductible),
        "outOfPocket": accumulator(&benefit.out_of_pocket),
        "limit": limit,
        "notes": benefit.messages,
    });
    // What is not said is left out, not sent as null.
    if let Some(fields) = fields.as_object_mut() {
        fields.retain(|_, value| !value.is_null() && value != "not_stated");
    }
    fields
}
