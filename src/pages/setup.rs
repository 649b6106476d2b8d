//! The first run: whoever started the gateway makes the first practice and its administrator. And invitations: a new
//! person, or one whose sign-in was reset, chooses a password.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::html;

use super::fault::Fault;
use super::fields::{Anybody, Fields};
use super::frame;
use super::parts::field::text;
use super::parts::problems::Problems;
use super::sign_in::waiting;
use crate::api::{App, Problem};
use crate::identity::{Declined, Npi, PracticeProfile};

/// `GET /setup`
pub async fn show(State(app): State<App>) -> Result<Response, Fault> {
    match app.identity.nobody_yet().await.map_err(Problem::from)? {
        true => Ok(page(StatusCode::OK, &Fields::default(), &Problems::none())),
        false => Ok(Redirect::to("/sign-in").into_response()),
    }
}

fn page(status: StatusCode, fields: &Fields, problems: &Problems) -> Response {
    let body = html! {
        (problems.summary())
        h1 { "Set up the practice" }
        p { "The gateway printed a token when it was started. It is good for an hour; a restart prints a new one." }
        form.stack method="post" action="/setup" {
            (text("token", "Set-up token").required().focus().show(fields, problems))
            h2 { "The practice" }
            (text("practice.name", "Name").complete("organization").required().show(fields, problems))
            (text("practice.npi", "NPI").hint("Ten digits; of the practice itself. More can be added later.").size("short")
                .mode("numeric").max(20).show(fields, problems))
            (text("practice.tax_id", "Tax ID").hint("Nine digits; may be left empty").size("short").max(20).show(fields, problems))
            h2 { "You, its administrator" }
            (text("admin.name", "Your name").complete("name").required().show(fields, problems))
            (text("admin.email", "Your e-mail address").kind("email").complete("username").required().show(fields, problems))
            (text("admin.password", "A password").hint("Twelve characters at least").kind("password").complete("new-password")
                .required().show(fields, problems))
            button.button.first type="submit" { "Set up" }
        }
    };
    (status, frame::bare("Set up", true, body)).into_response()
}

/// `POST /setup`
pub async fn set_up(State(app): State<App>, Anybody { door, fields }: Anybody) -> Response {
    let name = fields.get("practice.name").to_owned();
    let profile = PracticeProfile {
        npis: fields
            .some("practice.npi")
            .map(|npi| Npi { npi: npi.replace([' ', '-'], ""), name: name.clone(), taxonomy: None })
            .into_iter()
            .collect(),
        tax_id: fields.some("practice.tax_id").map(str::to_owned),
        name,
        locations: Vec::new(),
    };
    let admin = (fields.get("admin.email"), fields.get("admin.name"));
    let password = fields.secret("admin.password");
    match app.identity.set_up(fields.get("token"), &profile, admin, &password, &door.network).await {
        Ok(_) => Redirect::to("/sign-in?said=setup").into_response(),
        Err(Declined::NotValid) => {
            let problems = Problems::none().and("token", Declined::NotValid.text());
            page(StatusCode::UNAUTHORIZED, &fields, &problems)
        }
        Err(declined) => {
            let problem = Problem::from(declined);
            let mut problems = Problems::of(&problem, "");
            // The form has one box where the API takes a list.
            if let Some(message) = problems.about("practice.npis.0.npi").map(str::to_owned) {
                problems = problems.without("practice.npis.0.npi").and("practice.npi", message);
            }
            page(problem.http_status(), &fields, &problems)
        }
    }
}

/// `GET /invitation`
pub async fn invitation() -> Response {
    invitation_page(StatusCode::OK, &Fields::default(), &Problems::none())
}

fn invitation_page(status: StatusCode, fields: &Fields, problems: &Problems) -> Response {
    let body = html! {
        (problems.summary())
        h1 { "Choose your password" }
        form.stack method="post" action="/invitation" {
            (text("invitation", "Invitation").hint("The long word that your administrator gave you").required().focus()
                .show(fields, problems))
            (text("new_password", "New password").hint("Twelve characters at least").kind("password").complete("new-password")
                .required().show(fields, problems))
            button.button.first type="submit" { "Set it" }
        }
    };
    (status, frame::bare("Invitation", false, body)).into_response()
}

/// `POST /invitation`
pub async fn accept(State(app): State<App>, Anybody { door, fields }: Anybody) -> Response {
    let (given, password) = (fields.secret("invitation"), fields.secret("new_password"));
    let given = zeroize::Zeroizing::new(given.trim().to_owned());
    match app.identity.accept_invitation(&given, &password, &door.network).await {
        Ok(_) => Redirect::to("/sign-in?said=ready").into_response(),
        Err(Declined::NotValid) => {
            let problems = Problems::none().and("invitation", Declined::NotValid.text());
            invitation_page(StatusCode::UNAUTHORIZED, &fields, &problems)
        }
        Err(declined) => {
            let problem = Problem::from(declined);
            let problems = match problem.errors().is_empty() {
                true => Problems::said(waiting(&problem)),
                false => Problems::of(&problem, ""),
            };
            invitation_page(problem.http_status(), &fields, &problems)
        }
    }
}
