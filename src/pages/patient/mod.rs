//! A patient: coverages with the last word of each carrier, everything that was asked, and the form to mend them.
//!
//! `form` is the form and what it sends; of two who mend the same patient the second sees both versions.

pub mod form;

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use connector_sdk::Phi;
use http::StatusCode;
use maud::{Markup, html};

use super::account::Said;
use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::{self, Place, csrf};
use super::parts::badge::standing as badge_of;
use super::parts::field::{area, radios, select, text};
use super::parts::lists::{Entry, empty, timeline};
use super::parts::problems::Problems;
use super::parts::stamp::{ago, day, moment};
use super::visit::Visit;
use crate::api::Problem;
use crate::identity::Scope;
use crate::patients::{Changed, NotKept, Past, Patient, PatientView, PhoneWord, Standing};

/// What a page of a patient shows.
struct Shown {
    view: PatientView,
    standings: Vec<Standing>,
    past: Vec<Past>,
}

impl Shown {
    async fn of(visit: &Visit, view: PatientView) -> Result<Self, Fault> {
        let patients = &visit.app.patients;
        let practice = visit.caller.practice();
        let standings = patients.standings(practice, &[(&view, None)]).await?.into_iter().next().unwrap_or_default();
        let past = patients.past(practice, &view).await?;
        Ok(Self { view, standings, past })
    }
}

/// `GET /patients/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>, Query(said): Query<Said>) -> Result<Markup, Fault> {
    let view = read(&visit, &id).await?;
    let fields = form::filled(&view.patient);
    let shown = Shown::of(&visit, view).await?;
    Ok(page(&visit, &shown, &fields, &Problems::none(), said.said.as_deref(), None))
}

/// The patient; the reading is on record before anything leaves.
///
/// # Errors
/// There is none such, or the visitor may not see them, or what the store says.
pub async fn read(visit: &Visit, id: &str) -> Result<PatientView, Fault> {
    visit.need(Scope::Ask)?;
    let view = visit.app.patients.get(visit.caller.practice(), id).await?.ok_or_else(Fault::not_found)?;
    visit.app.patients.record_reading(&visit.caller, "patient.read", id).await?;
    Ok(view)
}

/// `POST /patients/{id}`
pub async fn change(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let today = visit.app.gateway.today();
    let sent = form::sent(&fields, today);
    let version = fields.get("version").parse().unwrap_or(0);
    let problems = match sent {
        Err(problems) => problems,
        Ok(patient) => match visit.app.patients.change(&visit.caller, &id, version, patient.clone(), today, None).await
        {
            Ok(Changed::Kept(_)) => return Ok(Redirect::to(&format!("/patients/{id}?said=saved")).into_response()),
            Ok(Changed::Unknown) => return Err(Fault::not_found()),
            Ok(Changed::Meanwhile(theirs)) => {
                visit.app.patients.record_reading(&visit.caller, "patient.read", &id).await?;
                return Ok((StatusCode::CONFLICT, conflict(&visit, &theirs, &patient)).into_response());
            }
            Err(NotKept::Problems(found)) => form::problems(found),
            Err(not_kept) => return Err(Problem::from(not_kept).into()),
        },
    };
    let shown = Shown::of(&visit, read(&visit, &id).await?).await?;
    let page = page(&visit, &shown, &fields, &problems, None, Some(version));
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
}

/// `POST /patients/{id}/phone`
pub async fn phone(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let optional = |name: &str| fields.some(name).map(|text| Phi::new(text.to_owned()));
    let word = PhoneWord {
        carrier: fields.get("phone.carrier").to_owned(),
        covered: fields.get("phone.covered") == "yes",
        service_date: fields.get("phone.date").parse().ok(),
        who: Phi::new(fields.get("phone.who").to_owned()),
        reference: optional("phone.reference"),
        note: optional("phone.note"),
    };
    let mut problems = Problems::none();
    if fields.some("phone.covered").is_none() {
        problems = problems.and("phone.covered", "Say what the carrier said: covered, or not.");
    } else {
        match visit.app.patients.phoned(&visit.caller, &id, word).await {
            Ok(Some(_)) => return Ok(Redirect::to(&format!("/patients/{id}?said=recorded")).into_response()),
            Ok(None) => return Err(Fault::not_found()),
            Err(NotKept::Problems(found)) => {
                for problem in found {
                    problems = problems.and(format!("phone.{}", problem.path.trim_start_matches('/')), problem.message);
                }
            }
            Err(not_kept) => return Err(Problem::from(not_kept).into()),
        }
    }
    let view = read(&visit, &id).await?;
    let mut all = form::filled(&view.patient);
    for name in ["phone.carrier", "phone.covered", "phone.date", "phone.who", "phone.reference", "phone.note"] {
        all.put(name, fields.raw(name));
    }
    let shown = Shown::of(&visit, view).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page(&visit, &shown, &all, &problems, None, None)).into_response())
}

fn page(
    visit: &Visit,
    shown: &Shown,
    fields: &Fields,
    problems: &Problems,
    said: Option<&str>,
    version: Option<i64>,
) -> Markup {
    let view = &shown.view;
    let patient = &view.patient;
    let version = version.unwrap_or(view.version);
    let body = html! {
        div.stack {
            (problems.summary())
            (frame::said(said))
            div.head {
                h1 {
                    (patient.last_name.text()) ", " (patient.first_name.text())
                    @if let Some(suffix) = &patient.suffix { " " (suffix.text()) }
                }
                a.button.first href={ "/check?patient=" (view.id) } { "Check coverage" }
            }
            p.soft {
                "Born " (day(*patient.date_of_birth.expose()))
                @if let Some(mrn) = &patient.mrn { " · chart no. " span.number { (mrn.text()) } }
                @if let Some(phone) = &patient.phone { " · " span.number { (phone.text()) } }
            }
            (coverages(visit, shown))
            section.stack {
                h2 { "What was asked" }
                (history(visit, shown))
            }
            details.fold #edit open[!problems.is_empty() && !about_phone(problems)] {
                summary { "Mend the patient's details" }
                (form::form(visit, view, version, fields, problems))
            }
            details.fold #phone open[about_phone(problems)] {
                summary { "I phoned: record what the carrier said" }
                (phone_form(visit, shown, fields, problems))
            }
        }
    };
    visit.page(Place::Check, "Patient", body)
}

fn about_phone(problems: &Problems) -> bool {
    ["carrier", "covered", "who", "reference", "note"]
        .iter()
        .any(|name| problems.about(&format!("phone.{name}")).is_some())
}

/// A carrier's name; its id where there is no such carrier any more.
fn name_of(visit: &Visit, carrier: &str) -> String {
    let plane = visit.app.gateway.planes().get(carrier);
    plane.map_or_else(|| carrier.to_owned(), |plane| plane.carrier.name.clone())
}

fn coverages(visit: &Visit, shown: &Shown) -> Markup {
    let name = |carrier: &str| name_of(visit, carrier);
    let coverages = &shown.view.patient.coverages;
    html! {
        @if coverages.is_empty() {
            (empty("No coverage is known of this patient.", html! { a.button href="#edit" { "Add one" } }))
        }
        div.grid {
            @for coverage in coverages {
                @let standing = coverage.carrier.as_ref().and_then(|carrier| shown.standings.iter().find(|one| one.carrier == *carrier));
                section.card.tight {
                    h2 {
                        @match &coverage.carrier {
                            Some(carrier) => (name(carrier)),
                            None => { (coverage.as_written.as_deref().unwrap_or("not named")) " " span.soft.small { "not known here: choose the carrier below" } }
                        }
                    }
                    @if let Some(id) = &coverage.member_id { p { span.kind { "Member ID" } " " span.number { (id.text()) } } }
                    @if let Some(group) = &coverage.group_number { p { span.kind { "Group" } " " span.number { (group.text()) } } }
                    @if let Some(standing) = standing { (stands(standing)) }
                }
            }
        }
    }
}

fn stands(standing: &Standing) -> Markup {
    html! {
        p.row {
            (badge_of(standing.badge))
            @if let Some(at) = standing.as_of { span.soft { (ago(at)) } }
            @if let Some(ask) = &standing.ask { a href={ "/checks/" (ask) } { "See the answer" } }
        }
        @if let Some(plan) = &standing.plan { p.soft { (plan) } }
        @if let Some(text) = &standing.text { p { (text) } }
        @if let Some(tried) = standing.tried.as_ref().filter(|_| standing.badge.is_word()) {
            p.soft.small { "Asked again " (ago(tried.at)) ": " (tried.badge.label()) @if let Some(text) = &tried.text { ". " (text) } }
        }
        @if let Some(call) = &standing.by_phone {
            p.soft { "Said by " (call.who.text()) @if let Some(number) = &call.reference { ", call reference " span.number { (number.text()) } } }
        }
    }
}

fn history(visit: &Visit, shown: &Shown) -> Markup {
    let entry = |past: &Past| Entry {
        when: moment(past.at, &visit.zone()),
        what: format!("{} {}", past.badge.shape(), past.badge.label()),
        how: html! {
            (name_of(visit, &past.carrier))
            @if let Some(ask) = &past.ask { " · " a href={ "/checks/" (ask) } { "see it" } }
            @if let Some(as_of) = past.as_of.filter(|as_of| past.at.duration_since(*as_of).as_secs() > 60) { " · saved answer, said " (ago(as_of)) }
            @if let Some(text) = &past.text { " · " (text) }
            @if let Some(call) = &past.by_phone {
                " · phoned: " (call.who.text())
                @if let Some(number) = &call.reference { " · call reference " (number.text()) }
                @if let Some(note) = &call.note { " · " (note.text()) }
            }
        },
    };
    let entries: Vec<Entry> = shown.past.iter().map(entry).collect();
    html! {
        @if entries.is_empty() { p.soft { "Nobody has asked about this patient yet." } } @else { (timeline(&entries)) }
    }
}

fn phone_form(visit: &Visit, shown: &Shown, fields: &Fields, problems: &Problems) -> Markup {
    let carriers: Vec<(String, String)> = shown
        .view
        .patient
        .coverages
        .iter()
        .filter_map(|coverage| coverage.carrier.clone())
        .map(|carrier| {
            let name = name_of(visit, &carrier);
            (carrier, name)
        })
        .collect();
    html! {
        @if carriers.is_empty() { p { "Add a coverage with a carrier first." } }
        @else {
            form.stack method="post" action={ "/patients/" (shown.view.id) "/phone" } {
                (csrf(visit))
                (select("phone.carrier", "Carrier", &carriers, fields, problems))
                (radios("phone.covered", "The carrier said", &[("yes", "Covered"), ("no", "Not covered")], fields, problems))
                (text("phone.date", "For the day").kind("date").size("short").show(fields, problems))
                (text("phone.who", "Who said it").hint("The person at the carrier, or the website").show(fields, problems))
                (text("phone.reference", "Call reference no.").size("short").show(fields, problems))
                (area("phone.note", "What else was said", None, false, fields, problems))
                button.button.first type="submit" { "Record it" }
            }
        }
    }
}

/// Two on the same patient: both versions side by side, and the form with what was typed.
pub fn conflict(visit: &Visit, theirs: &PatientView, yours: &Patient) -> Markup {
    let (now, typed) = (form::lines(&theirs.patient), form::lines(yours));
    let mut names: Vec<&String> = now.keys().chain(typed.keys()).collect();
    names.sort();
    names.dedup();
    let none = String::new();
    let fields = form::filled(yours);
    let body = html! {
        div.stack {
            div.problems role="alert" tabindex="-1" autofocus {
                h2 { "Somebody else has changed this patient meanwhile" }
                p { "Nothing of yours is lost, and nothing was written yet. Compare, mend the form below, and save it: it then goes over what stands there now." }
            }
            h1 { "Both versions" }
            div.table {
                table {
                    thead { tr { th { "Detail" } th { "As it stands now" } th { "As you typed it" } } }
                    tbody {
                        @for name in names {
                            @let (one, other) = (now.get(name).unwrap_or(&none), typed.get(name).unwrap_or(&none));
                            @if one != other { tr { td { (name) } td { (one) } td { strong { (other) } } } }
                        }
                    }
                }
            }
            p { a.button href={ "/patients/" (theirs.id) } { "Keep it as it stands, drop mine" } }
            section.card.stack { (form::form(visit, theirs, theirs.version, &fields, &Problems::none())) }
        }
    };
    visit.page(Place::Check, "Changed meanwhile", body)
}
