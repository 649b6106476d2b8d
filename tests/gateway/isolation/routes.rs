//! Every route, one line each: who may, what to call, and which status comes. A route of the OpenAPI document without a
//! line here fails the build: add one.

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Nothing.
    Open,
    /// A key or a whole session, whatever it may do.
    Anyone,
    /// A session, its sign-in complete or not; no key will do.
    Session,
    /// A key or a role with this scope.
    Scope(&'static str),
}
use Gate::{Anyone, Open, Scope, Session};

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// Method, and path as in the OpenAPI document.
    pub method: &'static str,
    pub route: &'static str,
    pub gate: Gate,
    /// What to call; `<ask>`, `<key>`, `<person>`, `<session>`, `<webhook>`, `<patient>` stand for ids of practice A.
    pub call: &'static str,
    /// The body; `<n>` is another number each time.
    pub body: &'static str,
    /// Status for a caller of practice A who may.
    pub own: u16,
    /// Status for a caller of practice B who may, with the same ids.
    pub other: u16,
    /// Callers of practice A for whom it is another status: a role, `key:scope`, or `half`, whose sign-in is not complete.
    pub except: &'static [(&'static str, u16)],
}

const fn line(
    method: &'static str,
    route: &'static str,
    gate: Gate,
    call: &'static str,
    body: &'static str,
    (own, other): (u16, u16),
) -> Line {
    Line { method, route, gate, call, body, own, other, except: &[] }
}

const fn but(line: Line, except: &'static [(&'static str, u16)]) -> Line {
    Line { except, ..line }
}

const ASK: &str = r#"{"carrier": "northstar", "provider": {"npi": "1234567893"}, "member": {"member_id": "<mark>-<n>", "date_of_birth": "1984-03-12"}}"#;
const PATIENT: &str = r#"{"first_name": "<mark>", "last_name": "N<n>", "date_of_birth": "1984-03-12", "coverages": [{"carrier": "northstar", "member_id": "<mark>-<n>"}]}"#;
const PATIENT_CHANGE: &str =
    r#"{"version": 1, "patient": {"first_name": "<mark>", "last_name": "N<n>", "date_of_birth": "1984-03-13"}}"#;
const PHONE: &str = r#"{"carrier": "northstar", "covered": true, "who": "<mark>"}"#;
const SUBMISSION: &str = r#"{"carrier": "northstar", "requester": {"npi": "1234567893"}, "member": {"member_id": "<mark>-<n>"}, "services": [{"service_type": "PT", "from": "2026-12-01"}], "diagnoses": ["M17.11"]}"#;
const VOID: &str = r#"{"decision": "void", "reason": "<mark>"}"#;
const REASON: &str = r#"{"reason": "<mark>"}"#;
const CREDENTIAL: &str = r#"{"fields": {"username": "nsh-practice", "password": "<northstar>"}}"#;
const PRACTICE: &str = r#"{"name": "Clinic <mark>", "npis": [{"npi": "1234567893", "name": "Dr <mark>"}]}"#;
const PERSON: &str = r#"{"email": "n<n>@<mark>.example", "name": "<mark>", "role": "platform_admin"}"#;
const WEBHOOK: &str = r#"{"url": "https://<mark>.example/<n>", "kinds": ["submission."]}"#;
const ANSWER: &str = r#"{"answer": "<mark>"}"#;
/// Whoever administers without seeing patient data changes nobody who does; a key with one scope gives away no role.
const LESS: &[(&str, u16)] = &[("platform_admin", 403), ("key:admin", 403)];
/// Somebody else's session is not there, unless one administers.
const NOT_MINE: &[(&str, u16)] = &[("practice_admin", 200), ("platform_admin", 200), ("key:admin", 200)];

/// All routes.
pub const LINES: &[Line] = &[
    line("get", "/healthz", Open, "/healthz", "", (200, 200)),
    line("get", "/readyz", Open, "/readyz", "", (200, 200)),
    line("get", "/metrics", Open, "/metrics", "", (200, 200)),
    line("get", "/openapi.json", Open, "/openapi.json", "", (200, 200)),
    line("get", "/docs", Open, "/docs", "", (200, 200)),
    line("get", "/v1/carriers", Scope("carriers"), "/v1/carriers?q=north", "", (200, 200)),
    line("get", "/v1/carriers/{id}", Scope("carriers"), "/v1/carriers/northstar", "", (200, 200)),
    line("get", "/v1/carriers/{id}/health", Scope("carriers"), "/v1/carriers/northstar/health", "", (200, 200)),
    line("put", "/v1/carriers/{id}/pause", Scope("resolve"), "/v1/carriers/molasses/pause", REASON, (200, 200)),
    line("post", "/v1/carriers/{id}/resume", Scope("resolve"), "/v1/carriers/molasses/resume", "", (200, 200)),
    // Carriers are shared by all practices: nobody changes them over the network where there are several.
    line("post", "/v1/carriers/{id}/remove", Scope("admin"), "/v1/carriers/northstar/remove", "{}", (403, 403)),
    line("get", "/v1/carriers/removed", Scope("admin"), "/v1/carriers/removed", "", (403, 403)),
    line("post", "/v1/carriers/check", Scope("admin"), "/v1/carriers/check", "{}", (403, 403)),
    line("get", "/v1/carriers/{id}/file", Scope("admin"), "/v1/carriers/northstar/file", "", (200, 200)),
    line("put", "/v1/carriers/{id}/file", Scope("admin"), "/v1/carriers/northstar/file", "{}", (403, 403)),
    line("get", "/v1/carriers/{id}/versions", Scope("admin"), "/v1/carriers/northstar/versions", "", (403, 403)),
    line(
        "get",
        "/v1/carriers/{id}/versions/{number}",
        Scope("admin"),
        "/v1/carriers/northstar/versions/1",
        "",
        (403, 403),
    ),
    line("post", "/v1/eligibility", Scope("ask"), "/v1/eligibility", ASK, (200, 200)),
    line("get", "/v1/eligibility/{id}", Scope("ask"), "/v1/eligibility/<ask>", "", (200, 404)),
    // The question of the matrix is about somebody whom the carrier does not know: there is nothing to print.
    line("get", "/v1/eligibility/{id}/pdf", Scope("ask"), "/v1/eligibility/<ask>/pdf", "", (404, 404)),
    line("get", "/v1/eligibility/{id}/changes", Scope("ask"), "/v1/eligibility/<ask>/changes", "", (200, 404)),
    line("get", "/v1/eligibility/{id}/raw", Scope("raw"), "/v1/eligibility/<ask>/raw", "", (200, 404)),
    // Without an Idempotency-Key nothing is taken in; who sees a batch that was, `batches.rs` beside looks at.
    line("post", "/v1/eligibility/batches", Scope("ask"), "/v1/eligibility/batches", "{}", (422, 422)),
    line("get", "/v1/eligibility/batches", Scope("ask"), "/v1/eligibility/batches", "", (200, 200)),
    line("get", "/v1/eligibility/batches/{id}", Scope("ask"), "/v1/eligibility/batches/none", "", (404, 404)),
    line(
        "get",
        "/v1/eligibility/batches/{id}/items",
        Scope("ask"),
        "/v1/eligibility/batches/none/items",
        "",
        (404, 404),
    ),
    line(
        "get",
        "/v1/eligibility/batches/{id}/events",
        Scope("ask"),
        "/v1/eligibility/batches/none/events",
        "",
        (404, 404),
    ),
    line(
        "post",
        "/v1/eligibility/batches/{id}/pause",
        Scope("ask"),
        "/v1/eligibility/batches/none/pause",
        "",
        (404, 404),
    ),
    line(
        "post",
        "/v1/eligibility/batches/{id}/resume",
        Scope("ask"),
        "/v1/eligibility/batches/none/resume",
        "",
        (404, 404),
    ),
    line(
        "post",
        "/v1/eligibility/batches/{id}/cancel",
        Scope("ask"),
        "/v1/eligibility/batches/none/cancel",
        "",
        (404, 404),
    ),
    line("post", "/v1/patients/search", Scope("ask"), "/v1/patients/search", r#"{"query": "<mark>"}"#, (200, 200)),
    line("post", "/v1/patients", Scope("ask"), "/v1/patients", PATIENT, (201, 201)),
    line("get", "/v1/patients/{id}", Scope("ask"), "/v1/patients/<patient>", "", (200, 404)),
    line("put", "/v1/patients/{id}", Scope("ask"), "/v1/patients/<patient>", PATIENT_CHANGE, (200, 404)),
    line("get", "/v1/patients/{id}/answers", Scope("ask"), "/v1/patients/<patient>/answers", "", (200, 404)),
    line(
        "post",
        "/v1/patients/{id}/phone-verifications",
        Scope("ask"),
        "/v1/patients/<patient>/phone-verifications",
        PHONE,
        (201, 404),
    ),
    line("get", "/v1/schedule", Scope("ask"), "/v1/schedule?date=2030-01-02", "", (200, 200)),
    // Without an appointment nothing is taken in; who sees what was imported, `schedule.rs` beside looks at.
    line("post", "/v1/schedule/import", Scope("ask"), "/v1/schedule/import", "{}", (422, 422)),
    line("post", "/v1/schedule/verify", Scope("ask"), "/v1/schedule/verify", r#"{"date": "2030-01-02"}"#, (200, 200)),
    // Nothing that is there is named; who sees what was added, `schedule.rs` beside looks at.
    line("post", "/v1/schedule/appointments", Scope("ask"), "/v1/schedule/appointments", "{}", (422, 422)),
    line("get", "/v1/schedule/appointments/{id}", Scope("ask"), "/v1/schedule/appointments/none", "", (404, 404)),
    line(
        "put",
        "/v1/schedule/appointments/{id}",
        Scope("ask"),
        "/v1/schedule/appointments/none",
        r#"{"version": 1, "date": "2030-01-02", "visit": {}}"#,
        (404, 404),
    ),
    line("delete", "/v1/schedule/appointments/{id}", Scope("ask"), "/v1/schedule/appointments/none", "", (404, 404)),
    line("get", "/v1/credentials", Scope("credentials"), "/v1/credentials", "", (200, 200)),
    line("put", "/v1/credentials/{carrier}", Scope("credentials"), "/v1/credentials/northstar", CREDENTIAL, (200, 200)),
    line(
        "post",
        "/v1/credentials/{carrier}/verify",
        Scope("credentials"),
        "/v1/credentials/northstar/verify",
        "",
        (200, 200),
    ),
    line("get", "/v1/trail", Scope("trail"), "/v1/trail", "", (200, 200)),
    // Without an Idempotency-Key nothing is handed in; who sees one that was, `submissions.rs` beside looks at.
    line("post", "/v1/authorizations", Scope("submit"), "/v1/authorizations", SUBMISSION, (422, 422)),
    line("get", "/v1/authorizations/{id}", Scope("submit"), "/v1/authorizations/none", "", (404, 404)),
    line(
        "get",
        "/v1/authorizations/{id}/timeline",
        Scope("submit"),
        "/v1/authorizations/none/timeline",
        "",
        (404, 404),
    ),
    line("post", "/v1/authorizations/{id}/cancel", Scope("submit"), "/v1/authorizations/none/cancel", "", (404, 404)),
    line("get", "/v1/submissions", Scope("submit"), "/v1/submissions", "", (200, 200)),
    line("post", "/v1/submissions/{id}/resolve", Scope("resolve"), "/v1/submissions/none/resolve", VOID, (404, 404)),
    line("get", "/v1/holds", Scope("submit"), "/v1/holds", "", (200, 200)),
    // What is held and released, `put_back.rs` beside looks at.
    line("put", "/v1/holds/{carrier}", Scope("resolve"), "/v1/holds/none", REASON, (404, 404)),
    line("post", "/v1/holds/{carrier}/release", Scope("resolve"), "/v1/holds/none/release", REASON, (200, 200)),
    // A task is raised by a carrier: who may answer one, `tasks.rs` beside looks at.
    line("get", "/v1/tasks", Scope("ask"), "/v1/tasks", "", (200, 200)),
    line("get", "/v1/tasks/{id}", Scope("ask"), "/v1/tasks/none", "", (404, 404)),
    line("post", "/v1/tasks/{id}/answer", Scope("resolve"), "/v1/tasks/none/answer", ANSWER, (404, 404)),
    line("post", "/v1/tasks/{id}/dismiss", Scope("resolve"), "/v1/tasks/none/dismiss", "", (404, 404)),
    line("post", "/v1/tasks/{id}/again", Scope("resolve"), "/v1/tasks/none/again", "", (404, 404)),
    line("post", "/v1/trail/search", Scope("trail"), "/v1/trail/search", r#"{"ask": "<mark>-<n>"}"#, (200, 200)),
    // Whole packets are made in tests of their own.
    line("post", "/v1/trail/packets", Scope("trail"), "/v1/trail/packets", "{}", (422, 422)),
    line("get", "/v1/events", Scope("ask"), "/v1/events", "", (200, 200)),
    line("get", "/v1/webhooks", Scope("admin"), "/v1/webhooks", "", (200, 200)),
    line("post", "/v1/webhooks", Scope("admin"), "/v1/webhooks", WEBHOOK, (201, 201)),
    // One that is active cannot be enabled, and says so as one that is not there.
    line("post", "/v1/webhooks/{id}/enable", Scope("admin"), "/v1/webhooks/<webhook>/enable", "", (404, 404)),
    line("delete", "/v1/webhooks/{id}", Scope("admin"), "/v1/webhooks/<webhook>", "", (204, 404)),
    line("get", "/v1/people", Scope("admin"), "/v1/people", "", (200, 200)),
    but(line("post", "/v1/people", Scope("admin"), "/v1/people", PERSON, (200, 200)), &[("key:admin", 403)]),
    but(
        line("patch", "/v1/people/{id}", Scope("admin"), "/v1/people/<person>", r#"{"name": "<mark>"}"#, (200, 404)),
        LESS,
    ),
    but(line("delete", "/v1/people/{id}", Scope("admin"), "/v1/people/<person>", "", (200, 404)), LESS),
    line("get", "/v1/practice", Anyone, "/v1/practice", "", (200, 200)),
    line("put", "/v1/practice", Scope("admin"), "/v1/practice", PRACTICE, (200, 200)),
    line("get", "/v1/keys", Scope("admin"), "/v1/keys", "", (200, 200)),
    line("post", "/v1/keys", Scope("admin"), "/v1/keys", r#"{"label": "<mark>", "scopes": []}"#, (200, 200)),
    line("delete", "/v1/keys/{id}", Scope("admin"), "/v1/keys/<key>", "", (200, 404)),
    line("get", "/v1/sessions", Anyone, "/v1/sessions", "", (200, 200)),
    but(line("delete", "/v1/sessions/{id}", Anyone, "/v1/sessions/<session>", "", (404, 404)), NOT_MINE),
    // Signing in. What needs no session is called with a body that cannot be read, so that nobody signs in.
    line("post", "/v1/setup", Open, "/v1/setup", "{}", (422, 422)),
    line("post", "/v1/session", Open, "/v1/session", "{}", (422, 422)),
    line("post", "/v1/session/password", Open, "/v1/session/password", "{}", (422, 422)),
    line("get", "/v1/session", Session, "/v1/session", "", (200, 200)),
    line("post", "/v1/session/totp", Session, "/v1/session/totp", r#"{"code": "000000"}"#, (409, 409)),
    line("post", "/v1/session/recovery", Session, "/v1/session/recovery", r#"{"code": "X"}"#, (409, 409)),
    but(line("post", "/v1/session/totp-enrol", Session, "/v1/session/totp-enrol", "{}", (422, 422)), &[("half", 200)]),
    but(
        line(
            "post",
            "/v1/session/totp-enrol/confirm",
            Session,
            "/v1/session/totp-enrol/confirm",
            r#"{"code": "0"}"#,
            (409, 409),
        ),
        &[("half", 401)],
    ),
    but(
        line("post", "/v1/session/practice", Session, "/v1/session/practice", r#"{"practice": "gateway"}"#, (404, 404)),
        &[("half", 409)],
    ),
    // Last: it ends the caller's session.
    line("delete", "/v1/session", Session, "/v1/session", "", (200, 200)),
];

/// What each role may do: written down a second time, so that a change of the table in the code is seen.
pub const ROLES: [(&str, &[&str]); 6] = [
    ("front_desk", &["ask", "carriers"]),
    ("biller", &["ask", "carriers", "submit", "resolve"]),
    ("authorization_coordinator", &["ask", "carriers", "submit", "resolve"]),
    ("practice_admin", &["ask", "raw", "carriers", "credentials", "submit", "resolve", "trail", "admin"]),
    ("auditor", &["carriers", "trail"]),
    ("platform_admin", &["carriers", "admin"]),
];

/// All scopes.
pub const SCOPES: [&str; 8] = ["ask", "raw", "carriers", "credentials", "submit", "resolve", "trail", "admin"];

/// Routes of the document that have no line, as lines to paste; and lines without a route.
pub fn missing(document: &serde_json::Value, lines: &[Line]) -> Vec<String> {
    let mut problems = Vec::new();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for method in methods.as_object().into_iter().flatten().map(|(method, _)| method) {
            routes.push((method.as_str(), path.as_str()));
            if !lines.iter().any(|line| line.method == method && line.route == path) {
                problems.push(format!(
                    "add to LINES in tests/gateway/isolation/routes.rs (scope, call, body, and the statuses in the own \
                     and in another practice as they should be):\n    \
                     line({method:?}, {path:?}, Scope(\"…\"), {path:?}, \"\", (200, 404)),"
                ));
            }
        }
    }
    for line in lines.iter().filter(|line| !routes.contains(&(line.method, line.route))) {
        problems.push(format!("take from LINES: there is no route {} {}", line.method, line.route));
    }
    problems
}
