//! The routes of sign-in, people, practice and keys, as the OpenAPI document shows them.

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use super::body::Done;
use super::openapi::{Route, json_body, reference};
use super::{people, session};
use crate::identity::PracticeProfile;

pub(super) fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let mut routes = sign_in(schemas);
    routes.extend(sessions(schemas));
    routes.extend(people_and_keys(schemas));
    routes
}

fn route<A: JsonSchema>(
    schemas: &mut SchemaGenerator,
    method: &'static str,
    path: &'static str,
    summary: &'static str,
    body: Option<Value>,
) -> Route {
    let answer = json_body(reference::<A>(schemas));
    Route { body, ..Route::new(method, path, summary, answer) }
}

fn sign_in(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let body = |body: Value| Some(body);
    let code = reference::<session::Code>(schemas);
    let (set_up, enter) = (reference::<session::Setup>(schemas), reference::<session::SignIn>(schemas));
    let new_password = reference::<session::NewPassword>(schemas);
    vec![
        Route {
            open: true,
            ..route::<session::IsSetUp>(
                schemas,
                "post",
                "/v1/setup",
                "The first run: makes the first practice and its administrator, with the token that `portico serve` prints.",
                body(set_up),
            )
        },
        Route {
            open: true,
            ..route::<session::SessionView>(
                schemas,
                "post",
                "/v1/session",
                "Signs in with address and password. `level` says whether a one-time code must follow.",
                body(enter),
            )
        },
        route::<session::SessionView>(
            schemas,
            "post",
            "/v1/session/totp",
            "Completes a sign-in with a one-time code; each is taken once.",
            body(code.clone()),
        ),
        route::<session::SessionView>(
            schemas,
            "post",
            "/v1/session/recovery",
            "Completes a sign-in with a recovery code, which is used up.",
            body(code),
        ),
        Route {
            open: true,
            ..route::<Done>(
                schemas,
                "post",
                "/v1/session/password",
                "Sets a password with an invitation; or another one, in a session, with the present one (answers with the session).",
                body(new_password),
            )
        },
    ]
}

fn sessions(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let (enrol, code) = (reference::<session::Enrol>(schemas), reference::<session::Code>(schemas));
    let practice = reference::<session::InPractice>(schemas);
    let view = "The session of the cookie, with the token for X-CSRF-Token.";
    vec![
        route::<session::SessionView>(schemas, "get", "/v1/session", view, None),
        route::<Done>(schemas, "delete", "/v1/session", "Signs out.", None),
        route::<session::Seed>(
            schemas,
            "post",
            "/v1/session/totp-enrol",
            "Begins to set up one-time codes: a seed for an authenticator app.",
            Some(enrol),
        ),
        route::<session::WithCodes>(
            schemas,
            "post",
            "/v1/session/totp-enrol/confirm",
            "Sets them up with the first code; gives ten recovery codes, once.",
            Some(code),
        ),
        route::<session::SessionView>(
            schemas,
            "post",
            "/v1/session/practice",
            "Goes on in another practice of the person.",
            Some(practice),
        ),
        route::<session::SessionList>(
            schemas,
            "get",
            "/v1/sessions",
            "Who is signed in: one's own sessions; the practice's with the scope admin.",
            None,
        ),
        route::<Done>(schemas, "delete", "/v1/sessions/{id}", "Ends a session, at once.", None),
    ]
}

fn people_and_keys(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let (add, change) = (reference::<people::AddPerson>(schemas), reference::<people::ChangePerson>(schemas));
    let (profile, key) = (reference::<PracticeProfile>(schemas), reference::<people::CreateKey>(schemas));
    vec![
        route::<people::PeopleList>(schemas, "get", "/v1/people", "The people of the practice.", None),
        route::<people::PersonChanged>(
            schemas,
            "post",
            "/v1/people",
            "Adds somebody; the invitation is for them to set a password with.",
            Some(add),
        ),
        route::<people::PersonChanged>(
            schemas,
            "patch",
            "/v1/people/{id}",
            "Another role or name, or a reset of the sign-in.",
            Some(change),
        ),
        route::<Done>(schemas, "delete", "/v1/people/{id}", "Takes somebody out of the practice.", None),
        route::<PracticeProfile>(schemas, "get", "/v1/practice", "The practice: name, NPIs, Tax ID, locations.", None),
        route::<PracticeProfile>(schemas, "put", "/v1/practice", "Changes it as a whole.", Some(profile)),
        route::<people::KeyList>(schemas, "get", "/v1/keys", "The practice's API keys, without their text.", None),
        route::<people::KeyCreated>(
            schemas,
            "post",
            "/v1/keys",
            "Makes an API key, with no more rights than the caller has; shown this once.",
            Some(key),
        ),
        route::<Done>(schemas, "delete", "/v1/keys/{id}", "Revokes an API key, at once.", None),
    ]
}
