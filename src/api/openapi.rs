//! The OpenAPI 3.1 document, made from the types the handlers use.

use connector_sdk::{AuthorizationRequest, EligibilityRequest};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::{
    authorizations, carriers, changes, credentials, events, health, holds, openapi_batches, openapi_desk,
    openapi_files, openapi_people, openapi_tasks, packets, problem, submissions, trail,
};
use crate::events::{EventPage, NewWebhook, WebhookInfo};
use crate::stack::Envelope;
use crate::stack::ExchangeView;
use crate::submissions::{AuthorizationView, Resolution, SubmissionSummary};

/// One route as the document shows it.
pub(super) struct Route {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) summary: &'static str,
    pub(super) query: &'static [(&'static str, &'static str)],
    pub(super) headers: &'static [(&'static str, &'static str)],
    pub(super) body: Option<Value>,
    pub(super) answer: Value,
    /// The status under which the object comes.
    pub(super) done: &'static str,
    /// Statuses other than 200 under which the same object comes, with when.
    pub(super) also: &'static [(&'static str, &'static str)],
    pub(super) open: bool,
}

impl Route {
    /// A route that takes a key and nothing else.
    pub(super) fn new(method: &'static str, path: &'static str, summary: &'static str, answer: Value) -> Self {
        Self {
            method,
            path,
            summary,
            query: &[],
            headers: &[],
            body: None,
            answer,
            done: "200",
            also: &[],
            open: false,
        }
    }
}

/// When a question is put, and there is no answer of the carrier's yet, or at all.
const ASKED: &[(&str, &str)] = &[
    ("202", "The carrier has not answered yet; `Location` says where the answer will be."),
    ("424", NO_ANSWER),
    ("429", NO_ANSWER),
    ("500", NO_ANSWER),
    ("502", NO_ANSWER),
    ("503", NO_ANSWER),
    ("504", NO_ANSWER),
];
const NO_ANSWER: &str = "No answer: `failure` says why, who must act, and whether to ask again. Before a carrier is \
    involved, a problem document.";
/// When a stored question is read.
const READ: &[(&str, &str)] = &[("202", "The carrier has not answered yet.")];

/// When there is nothing to say.
const NOTHING: &[(&str, &str)] = &[("204", "Done.")];

/// The whole document.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    let mut routes = routes(&mut schemas);
    routes.extend(openapi_people::routes(&mut schemas));
    routes.extend(openapi_files::routes(&mut schemas));
    routes.extend(openapi_batches::routes(&mut schemas));
    routes.extend(openapi_desk::routes(&mut schemas));
    routes.extend(openapi_tasks::routes(&mut schemas));
    for route in routes {
        let entry = paths.entry(route.path).or_insert_with(|| json!({}));
        entry[route.method] = operation(&route);
    }
    let problem = reference::<problem::Problem>(&mut schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portico",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "One self-hosted gateway to every health insurer. HTTP status says whether Portico did its \
                job; `outcome` says what the carrier said: a refusal is 200. Searches are POST, so that no patient data \
                stands in an address."
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "An API key of a practice." },
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-portico", "description": "A person's \
                    session, for our own pages; what changes something needs the header X-CSRF-Token as well." }
            },
            "responses": { "problem": {
                "description": "What is wrong, all of it at once, and how to mend it (RFC 9457).",
                "content": { "application/problem+json": { "schema": problem } }
            } }
        },
        "security": [{ "key": [] }, { "session": [] }]
    })
}

pub(super) fn reference<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Value {
    schemas.subschema_for::<T>().to_value()
}

pub(super) fn json_body(schema: Value) -> Value {
    json!({ "application/json": { "schema": schema } })
}

fn text_body(kind: &str) -> Value {
    json!({ kind: { "schema": { "type": "string" } } })
}

/// A route that is read, with a key.
fn get(path: &'static str, summary: &'static str, answer: Value) -> Route {
    Route::new("get", path, summary, answer)
}

/// What has an effect at a carrier.
fn of_submissions(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let summary = json_body(reference::<SubmissionSummary>(schemas));
    vec![
        Route {
            method: "post",
            query: &[("override", "The id of an earlier submission that looks the same, where a second one is meant.")],
            headers: &[(
                "Idempotency-Key",
                "A new one for each submission, the same one when it is sent again: then nothing is done twice. It holds for good.",
            )],
            body: Some(reference::<AuthorizationRequest>(schemas)),
            done: "202",
            ..get(
                "/v1/authorizations",
                "Hands in an authorization: durable once this is answered, sent after that (scope submit).",
                summary.clone(),
            )
        },
        get(
            "/v1/authorizations/{id}",
            "The carrier's word on an authorization, and where its submission stands (scope submit).",
            json_body(reference::<AuthorizationView>(schemas)),
        ),
        get(
            "/v1/authorizations/{id}/timeline",
            "Everything that happened to it, oldest first (scope submit).",
            json_body(reference::<authorizations::Timeline>(schemas)),
        ),
        Route {
            method: "post",
            ..get(
                "/v1/authorizations/{id}/cancel",
                "Takes one back that has not been sent; 409 says why not (scope submit).",
                summary.clone(),
            )
        },
        Route {
            query: &[
                ("state", "queued, intent, armed, unknown, accepted, rejected, cancelled or voided."),
                ("limit", "Submissions at most, newest first."),
            ],
            ..get(
                "/v1/submissions",
                "What was handed in; with state=unknown and needs_person, the operator's queue (scope submit).",
                json_body(reference::<submissions::SubmissionList>(schemas)),
            )
        },
        Route {
            method: "post",
            body: Some(reference::<Resolution>(schemas)),
            ..get(
                "/v1/submissions/{id}/resolve",
                "A person's word on a submission whose fate nobody knows (scope resolve).",
                summary,
            )
        },
    ]
}

/// What is held back.
fn of_holds(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let changed = json_body(reference::<holds::Changed>(schemas));
    let reason = reference::<holds::Reason>(schemas);
    vec![
        get(
            "/v1/holds",
            "Carriers to which nothing new is sent, what is not over there, and what to do before they are released (scope submit).",
            json_body(reference::<holds::HoldList>(schemas)),
        ),
        Route {
            method: "put",
            body: Some(reason.clone()),
            ..get(
                "/v1/holds/{carrier}",
                "Sends nothing new to a carrier until it is released (scope resolve).",
                changed.clone(),
            )
        },
        Route {
            method: "post",
            body: Some(reason),
            ..get(
                "/v1/holds/{carrier}/release",
                "Lets what waits for a carrier be sent: after a restore, the person's word that everything there was found out (scope resolve).",
                changed,
            )
        },
    ]
}

fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let envelope = json_body(reference::<Envelope>(schemas));
    let open = |path, summary, answer| Route { open: true, ..get(path, summary, answer) };
    let mut routes = vec![
        open("/healthz", "The process is alive.", text_body("text/plain")),
        open(
            "/readyz",
            "Whether questions can be answered, with what is missing.",
            json_body(reference::<health::Readiness>(schemas)),
        ),
        open("/metrics", "Prometheus metrics.", text_body("text/plain")),
        open("/openapi.json", "This document.", json_body(json!({ "type": "object" }))),
        open("/docs", "This document as a page.", text_body("text/html")),
        Route {
            query: &[("q", "Name, alias, payer id or plan name; typos are forgiven.")],
            ..get("/v1/carriers", "Finds carriers.", json_body(reference::<carriers::CarrierList>(schemas)))
        },
        get(
            "/v1/carriers/{id}",
            "One carrier: what it offers, which searches it accepts, its form rules, limits left, state and hours.",
            json_body(reference::<carriers::CarrierView>(schemas)),
        ),
        Route {
            method: "post",
            query: &[
                ("wait_ms", "Wait at most this long, then answer 202 with the id."),
                (
                    "patient",
                    "The id of the patient whom it is about: the answer is found with the patient then, however it was asked.",
                ),
            ],
            body: Some(reference::<EligibilityRequest>(schemas)),
            also: ASKED,
            ..get("/v1/eligibility", "Asks one eligibility question.", envelope.clone())
        },
        Route { also: READ, ..get("/v1/eligibility/{id}", "The stored answer to a question.", envelope) },
        get(
            "/v1/eligibility/{id}/raw",
            "The bytes that were exchanged with the carrier for it (scope raw); secrets are markers.",
            json_body(reference::<Vec<ExchangeView>>(schemas)),
        ),
        get(
            "/v1/eligibility/{id}/pdf",
            "The answer as the page shows it, on Letter sheets: a tagged PDF. 404 where there is no answer.",
            json!({ "application/pdf": { "schema": { "type": "string", "format": "binary" } } }),
        ),
        get(
            "/v1/eligibility/{id}/changes",
            "What of the answer is another than in the last one about the same person, fact by fact.",
            json_body(reference::<changes::ChangesView>(schemas)),
        ),
        get(
            "/v1/credentials",
            "The practice's credentials: state and fields, never values.",
            json_body(reference::<credentials::CredentialList>(schemas)),
        ),
        Route {
            method: "put",
            body: Some(reference::<credentials::PutCredential>(schemas)),
            ..get(
                "/v1/credentials/{carrier}",
                "Stores a credential; write-only.",
                json_body(reference::<credentials::CredentialView>(schemas)),
            )
        },
        Route {
            method: "post",
            ..get(
                "/v1/credentials/{carrier}/verify",
                "Tries a credential once, started by a person: a suspect one is verifying meanwhile; signs in where that can be done alone.",
                json_body(reference::<credentials::Verified>(schemas)),
            )
        },
        Route {
            query: &[("limit", "Records at most, newest first.")],
            ..get("/v1/trail", "The paper trail, newest first.", json_body(reference::<trail::TrailPage>(schemas)))
        },
        Route {
            query: &[("after", "Number of the last event you have."), ("limit", "Events at most.")],
            ..get("/v1/events", "What happened, oldest first.", json_body(reference::<EventPage>(schemas)))
        },
        get("/v1/webhooks", "Where events are delivered.", json_body(reference::<Vec<WebhookInfo>>(schemas))),
        Route {
            method: "post",
            body: Some(reference::<events::MakeWebhook>(schemas)),
            also: &[("201", "Made. Its secret is shown this once.")],
            ..get("/v1/webhooks", "Has events delivered.", json_body(reference::<NewWebhook>(schemas)))
        },
        Route { also: NOTHING, method: "delete", ..get("/v1/webhooks/{id}", "Takes a webhook away.", json!({})) },
        Route {
            also: NOTHING,
            method: "post",
            ..get("/v1/webhooks/{id}/enable", "Switches a webhook on again, where it stopped.", json!({}))
        },
        Route {
            method: "post",
            body: Some(reference::<trail::SearchBody>(schemas)),
            ..get(
                "/v1/trail/search",
                "Who asked or read about a patient or a question, under which identity at the carrier, and why (scope trail).",
                json_body(reference::<trail::FoundRecords>(schemas)),
            )
        },
        Route {
            method: "post",
            body: Some(reference::<packets::PacketBody>(schemas)),
            ..get(
                "/v1/trail/packets",
                "An evidence packet: a ZIP file with records, answers, exchanged bytes and proofs, which checks itself (scope trail).",
                json!({ "application/zip": { "schema": { "type": "string", "format": "binary" } } }),
            )
        },
    ];
    routes.extend(of_submissions(schemas));
    routes.extend(of_holds(schemas));
    routes
}

fn operation(route: &Route) -> Value {
    let in_path = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    for (name, description) in route.query {
        parameters
            .push(json!({ "name": name, "in": "query", "description": description, "schema": { "type": "string" } }));
    }
    for (name, description) in route.headers {
        let schema = json!({ "type": "string" });
        parameters.push(
            json!({ "name": name, "in": "header", "required": true, "description": description, "schema": schema }),
        );
    }
    let problem = json!({ "$ref": "#/components/responses/problem" });
    let mut operation = json!({
        "summary": route.summary,
        "parameters": parameters,
        "responses": { route.done: { "description": "Done.", "content": route.answer }, "default": problem }
    });
    for (status, description) in route.also {
        operation["responses"][*status] = json!({ "description": description, "content": route.answer });
    }
    if let Some(body) = &route.body {
        operation["requestBody"] = json!({ "required": true, "content": { "application/json": { "schema": body } } });
    }
    if route.open {
        operation["security"] = json!([]);
    }
    operation
}
