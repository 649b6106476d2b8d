//! The API explorer: one operation, its body, sent as oneself through the very router that programs use.
//!
//! Without a tick it reads, and it asks simulated carriers; what changes something, or asks a real carrier, needs one.

use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt;

use super::example;
use crate::api::{self, App};
use crate::identity::Scope;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{Place, csrf};
use crate::pages::parts::badge::{Tone, badge, shape};
use crate::pages::parts::field::{area, text, tick};
use crate::pages::parts::lists::raw;
use crate::pages::parts::problems::Problems;
use crate::pages::visit::Visit;

/// Most of an answer that is shown, bytes.
const SHOWN_MAX: usize = 256 * 1024;
/// Largest answer that is read at all, bytes.
const READ_MAX: usize = 16 << 20;

static DOCUMENT: LazyLock<Value> = LazyLock::new(api::openapi_document);

/// Query: the operation to begin with.
#[derive(Deserialize)]
pub struct Chosen {
    /// Method and path: `post /v1/eligibility`.
    #[serde(default)]
    operation: String,
}

/// One operation of the document.
struct Operation {
    method: String,
    path: String,
    summary: String,
    query: Vec<(String, String)>,
    body: Option<Value>,
}

/// The operations that are about the practice's work; signing in and out is for the browser itself.
fn operations() -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, methods) in DOCUMENT["paths"].as_object().into_iter().flatten() {
        if !path.starts_with("/v1/") || path.starts_with("/v1/session") || path == "/v1/setup" {
            continue;
        }
        for (method, operation) in methods.as_object().into_iter().flatten() {
            // A stream has no end that could be waited for.
            if operation["responses"]["200"]["content"]["text/event-stream"].is_object() {
                continue;
            }
            let query = operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "query");
            let said = |one: &Value, key: &str| one[key].as_str().unwrap_or_default().to_owned();
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                summary: said(operation, "summary"),
                query: query.map(|one| (said(one, "name"), said(one, "description"))).collect(),
                body: (!schema.is_null()).then(|| schema.clone()),
            });
        }
    }
    found
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn form(&self) -> Fields {
        let body = match (self.name().as_str(), &self.body) {
            ("POST /v1/eligibility", _) => Some(example::question()),
            (_, Some(schema)) => Some(example::body(&DOCUMENT, schema)),
            (_, None) => None,
        };
        let body = body.and_then(|body| serde_json::to_string_pretty(&body).ok()).unwrap_or_default();
        Fields::of([("method", self.method.clone()), ("path", self.path.clone()), ("body", body)])
    }
}

/// `GET /developer/explorer`
pub async fn show(visit: Visit, Query(chosen): Query<Chosen>) -> Result<Markup, Fault> {
    visit.need(Scope::Admin)?;
    let all = operations();
    let wanted = if chosen.operation.is_empty() { "POST /v1/eligibility" } else { &chosen.operation };
    let one = all.iter().find(|one| one.name() == wanted);
    let fields = one.map(Operation::form).unwrap_or_default();
    Ok(whole(&visit, &all, one, &fields, &Problems::none(), &html! {}))
}

fn whole(
    visit: &Visit,
    all: &[Operation],
    one: Option<&Operation>,
    fields: &Fields,
    problems: &Problems,
    answer: &Markup,
) -> Markup {
    let body = html! {
        div.stack {
            p { a href="/developer" { "Developer" } }
            (problems.summary())
            h1 { "Try the API" }
            form.row.bottoms method="get" action="/developer/explorer" {
                div.field {
                    label for="operation" { "Operation" }
                    select #operation name="operation" {
                        @for other in all {
                            option value=(other.name()) selected[one.is_some_and(|one| one.name() == other.name())] { (other.name()) }
                        }
                    }
                }
                button.button type="submit" { "Choose" }
            }
            @if let Some(one) = one { p { (one.summary) } }
            form.stack method="post" action="/developer/explorer" {
                (csrf(visit))
                input type="hidden" name="method" value=(fields.raw("method"));
                input type="hidden" name="operation" value=(one.map(Operation::name).unwrap_or_default());
                (text("path", "Address").hint("Put ids in place of {…}, and a query after ?").max(500).show(fields, problems))
                @if let Some(one) = one.filter(|one| !one.query.is_empty()) {
                    dl.pairs { @for (name, means) in &one.query { dt { code { "?" (name) "=" } } dd { (means) } } }
                }
                @if fields.get("method") != "GET" { (area("body", "Body", None, true, fields, problems)) }
                (tick("confirmed", "I mean it: this may change something, or ask a real carrier", fields))
                button.button.first type="submit" data-key="ctrl-enter" { "Send as yourself" }
                p.soft.small { "Reading, and asking simulated carriers, needs no tick. It is on record like any other call." }
            }
            (answer)
            details.fold { summary { "The same from a command line" } (raw("curl", &curl(visit, fields))) }
        }
    };
    visit.page(Place::Developer, "Try the API", body)
}

/// The call as a command; the key comes from the environment, so that it does not stand in a shell's history.
fn curl(visit: &Visit, fields: &Fields) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    let address = quoted(&format!("https://YOUR-GATEWAY{}", fields.get("path")));
    let mut command =
        format!("curl -s -X {} {address} \\\n  -H \"Authorization: Bearer $PORTICO_KEY\"", fields.get("method"));
    if visit.is_sandbox() {
        command = command.replace("https://YOUR-GATEWAY", "http://127.0.0.1:8700");
    }
    if !fields.get("body").is_empty() && fields.get("method") != "GET" {
        command.push_str(&format!(" \\\n  -H 'Content-Type: application/json' -d {}", quoted(fields.get("body"))));
    }
    command
}

/// `POST /developer/explorer`
pub async fn send(State(app): State<App>, headers: HeaderMap, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Admin)?;
    let all = operations();
    let one = all.iter().find(|one| one.name() == fields.get("operation"));
    let problems = match one {
        Some(one) => wrong(&visit, one, &fields),
        None => Problems::said("There is no such operation; choose one from the list."),
    };
    if !problems.is_empty() {
        let page = whole(&visit, &all, one, &fields, &problems, &html! {});
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    let Some(request) = one.and_then(|one| request(&visit, one, &headers, &fields)) else {
        let problems = Problems::none().and("path", "This address cannot be sent as it stands.");
        return Ok(
            (StatusCode::UNPROCESSABLE_ENTITY, whole(&visit, &all, one, &fields, &problems, &html! {})).into_response()
        );
    };
    let answer = match api::router(app).oneshot(request).await {
        Ok(response) => answer(response).await,
        Err(never) => match never {},
    };
    Ok(whole(&visit, &all, one, &fields, &problems, &answer).into_response())
}

/// Everything that keeps a call from being sent.
fn wrong(visit: &Visit, one: &Operation, fields: &Fields) -> Problems {
    let mut problems = Problems::none();
    let path = fields.get("path");
    if !fits(&one.path, path.split('?').next().unwrap_or_default()) {
        problems = problems.and("path", format!("The address is {}, with ids in place of {{…}}.", one.path));
    }
    let body: Result<Value, _> = serde_json::from_str(fields.get("body"));
    if one.body.is_some()
        && let Err(error) = &body
    {
        let message = format!("The body is not JSON: line {}, column {}.", error.line(), error.column());
        problems = problems.and("body", message);
    }
    let simulated = one.name() == "POST /v1/eligibility"
        && body.as_ref().is_ok_and(|body| body["carrier"].as_str().is_none_or(|id| is_simulated(visit, id)));
    if one.method != "GET" && !simulated && !fields.ticked("confirmed") {
        problems =
            problems.and("confirmed", "Tick “I mean it” first: this may change something, or ask a real carrier.");
    }
    problems
}

/// Whether a path is the operation's, with ids of ours in place of its parameters.
fn fits(template: &str, path: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte))
            && part != "."
            && part != ".."
    };
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    wanted.len() == given.len()
        && wanted
            .iter()
            .zip(given)
            .all(|(want, given)| if want.starts_with('{') { plain(given) } else { *want == given })
}

/// Whether a carrier is asked at this very machine; one that there is not is asked nowhere.
fn is_simulated(visit: &Visit, id: &str) -> bool {
    let carrier = visit.app.gateway.planes().book().get(id);
    let here = |host: &String| host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
    carrier.is_none_or(|carrier| carrier.hosts.iter().all(here))
}

/// The call, with what proves who sends it: the browser's own cookie, and the session's token, which the form has shown.
fn request(visit: &Visit, one: &Operation, headers: &HeaderMap, fields: &Fields) -> Option<Request<Body>> {
    let method = Method::from_bytes(one.method.as_bytes()).ok()?;
    let body = if method == Method::GET { String::new() } else { fields.get("body").to_owned() };
    let mut request = Request::builder().method(method).uri(fields.get("path")).body(Body::from(body)).ok()?;
    let passed = [header::COOKIE, header::HOST, header::ORIGIN];
    let by_name = ["sec-fetch-site", "x-forwarded-proto", "x-forwarded-for"].map(http::HeaderName::from_static);
    for name in passed.into_iter().chain(by_name) {
        if let Some(value) = headers.get(&name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    request.headers_mut().insert("x-csrf-token", HeaderValue::from_str(&visit.session.csrf).ok()?);
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(request)
}

/// What came back. Its cookies are not passed on.
async fn answer(response: Response) -> Markup {
    let (head, body) = response.into_parts();
    let kind =
        head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let Ok(bytes) = axum::body::to_bytes(body, READ_MAX).await else {
        return html! { p.note.bad { "The answer is too large to be shown here." } };
    };
    let json: Option<Value> = serde_json::from_slice(&bytes).ok();
    let whole = match &json {
        Some(value) => serde_json::to_string_pretty(value).unwrap_or_default(),
        None if kind.contains("json") || kind.starts_with("text/") => String::from_utf8_lossy(&bytes).into_owned(),
        None => format!("{} bytes of {kind}", bytes.len()),
    };
    let shown: String = whole.chars().take(SHOWN_MAX).collect();
    let good = head.status.is_success();
    let (tone, sign) = if good { (Tone::Good, shape::CHECK) } else { (Tone::Look, shape::BOLT) };
    html! {
        section.stack #answer {
            h2 { "Answer" }
            p.row { (badge(tone, sign, head.status.as_str())) (head.status.canonical_reason().unwrap_or_default()) " · " (kind) " · " (bytes.len()) " bytes" }
            (raw("Answer", &shown))
            @if shown.len() < whole.len() { p.soft { "Only the beginning is shown." } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_operation_is_sent() {
        assert!(fits("/v1/carriers/{id}", "/v1/carriers/northstar"));
        for path in
            ["/v1/carriers/", "/v1/carriers/..", "/v1/carriers/a/b", "/v1/keys/a", "v1/carriers/a", "/v1/carriers/%2e"]
        {
            assert!(!fits("/v1/carriers/{id}", path), "{path}");
        }
        let all = operations();
        assert!(all.len() > 30 && all.iter().all(|one| !one.path.starts_with("/v1/session")));
        for one in all {
            assert_eq!(one.form().get("body").is_empty(), one.body.is_none(), "{}", one.name());
        }
    }
}
