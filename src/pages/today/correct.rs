//! One appointment: corrected where it was added by hand, or taken off its day.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};

use super::add::{fields_of, named, sent};
use crate::api::Problem;
use crate::identity::Scope;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{Place, csrf};
use crate::pages::parts::problems::Problems;
use crate::pages::parts::stamp::weekday;
use crate::pages::visit::Visit;
use crate::patients::PatientView;
use crate::schedule::{Appointment, Done, NotAdded};

/// `GET /today/appointments/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    let (one, known) = read(&visit, &id).await?;
    Ok(page(&visit, &one, &known, &filled(&one), &Problems::none(), false))
}

/// `POST /today/appointments/{id}`
pub async fn correct(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let (one, known) = read(&visit, &id).await?;
    let (date, booked, mut problems) = sent(&fields, one.visit.clone());
    if let Some(date) = date.filter(|_| problems.is_empty()) {
        let version = fields.get("version").parse().unwrap_or(0);
        match visit.app.schedule.correct(&visit.caller, &id, version, date, booked).await {
            Ok(Done::Kept(_)) => return Ok(Redirect::to(&format!("/today?date={date}&said=saved")).into_response()),
            Ok(Done::Meanwhile(now)) => {
                let body = page(&visit, &now, &known, &fields, &Problems::none(), true);
                return Ok((StatusCode::CONFLICT, body).into_response());
            }
            Ok(Done::Unknown) => return Err(Fault::not_found()),
            Err(NotAdded::Problems(found)) => problems = named(found),
            Err(not_added) => return Err(Problem::from(not_added).into()),
        }
    }
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&visit, &one, &known, &fields, &problems, false)).into_response())
}

/// `POST /today/appointments/{id}/take-off`
pub async fn take_off(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Redirect, Fault> {
    visit.need(Scope::Ask)?;
    let gone = visit.app.schedule.take_off(&visit.caller, &id).await.map_err(Problem::from)?;
    if !gone {
        return Err(Fault::not_found());
    }
    let date: Option<jiff::civil::Date> = fields.get("date").parse().ok();
    let date = date.unwrap_or_else(|| visit.app.gateway.today());
    Ok(Redirect::to(&format!("/today?date={date}&said=removed")))
}

async fn read(visit: &Visit, id: &str) -> Result<(Appointment, PatientView), Fault> {
    let one = visit.app.schedule.appointment(&visit.caller, id).await?.ok_or_else(Fault::not_found)?;
    let known = visit.app.patients.get(visit.caller.practice(), &one.patient).await?.ok_or_else(Fault::not_found)?;
    Ok((one, known))
}

/// The form's fields for an appointment.
fn filled(one: &Appointment) -> Fields {
    let mut fields = Fields::default();
    let time = one.visit.time.map(|time| time.strftime("%H:%M").to_string());
    let kind = one.visit.visit_type.as_ref().map(|kind| kind.text().to_owned());
    fields.put("date", one.date.to_string());
    for (name, text) in [
        ("time", time),
        ("visit_type", kind),
        ("provider", one.visit.provider.clone()),
        ("location", one.visit.location.clone()),
        ("carrier", one.visit.carrier.clone()),
    ] {
        fields.put(name, text.unwrap_or_default());
    }
    fields
}

fn page(
    visit: &Visit,
    one: &Appointment,
    known: &PatientView,
    fields: &Fields,
    problems: &Problems,
    meanwhile: bool,
) -> Markup {
    let now = filled(one);
    let body = html! {
        div.stack {
            (problems.summary())
            @if meanwhile {
                div.problems role="alert" tabindex="-1" autofocus {
                    h2 { "Somebody else has changed this appointment meanwhile" }
                    p { "Nothing of yours is lost, and nothing was written yet. Now it stands for " (weekday(one.date))
                        @for (name, word) in [("time", "at"), ("visit_type", "as"), ("provider", "with"), ("location", "in")] {
                            @if let Some(text) = now.some(name) { ", " (word) " " strong { (text) } }
                        }
                        ". What you typed is below; save it to put it over that." }
                }
            }
            h1 { "Appointment" }
            p.lead {
                a href={ "/patients/" (known.id) } { (known.patient.last_name.text()) ", " (known.patient.first_name.text()) }
                ", " (weekday(one.date))
            }
            @if one.by_hand() {
                form.stack method="post" action={ "/today/appointments/" (one.id) } data-draft {
                    (csrf(visit))
                    input type="hidden" name="version" value=(one.version);
                    (fields_of(visit, known, one.visit.carrier.as_deref(), fields, problems))
                    div.row { button.button.first type="submit" { "Save" } a.button href={ "/today?date=" (one.date) } { "Back" } }
                }
            } @else {
                p { "It came from your own system: mend it there, and import the file again." }
            }
            @if one.by_hand() || one.vanished {
                form.row method="post" action={ "/today/appointments/" (one.id) "/take-off" } {
                    (csrf(visit))
                    input type="hidden" name="date" value=(one.date);
                    button.button type="submit" { "Take it off the day" }
                    span.soft { "What was asked and answered about the patient stays." }
                }
            }
        }
    };
    visit.page(Place::Today, "Appointment", body)
}
