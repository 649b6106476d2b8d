//! An appointment added by hand: whose (found as everywhere, or somebody new), and when.

use axum::extract::Query;
use axum::response::{IntoResponse, Redirect, Response};
use connector_sdk::Phi;
use connector_sdk::ask::FieldProblem;
use http::StatusCode;
use jiff::civil::{Date, Time};
use maud::{Markup, html};

use crate::api::Problem;
use crate::identity::Scope;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{Place, csrf};
use crate::pages::parts::field::{date, select, text};
use crate::pages::parts::lists::empty;
use crate::pages::parts::problems::Problems;
use crate::pages::parts::stamp::day;
use crate::pages::patient::{self, form};
use crate::pages::visit::Visit;
use crate::patients::{Found, NotKept, PatientCoverage, PatientView, QUERY_CHARS_MAX};
use crate::schedule::{self, NotAdded};

/// Patients shown at most.
const SHOWN_MAX: usize = 8;

/// Query of `GET /today/add`.
#[derive(serde::Deserialize)]
pub struct For {
    date: Option<String>,
    patient: Option<String>,
}

/// What the page shows beside what was typed.
#[derive(Default)]
struct Whose {
    /// The patient who was chosen.
    chosen: Option<PatientView>,
    /// Those whom a search found; `None`: nothing was searched.
    found: Option<Vec<Found>>,
}

/// `GET /today/add`
pub async fn show(visit: Visit, Query(wanted): Query<For>) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    let date = wanted.date.as_deref().and_then(|date| date.parse().ok()).unwrap_or_else(|| visit.app.gateway.today());
    let chosen = match &wanted.patient {
        Some(id) => Some(patient::read(&visit, id).await?),
        None => None,
    };
    let fields = Fields::of([("date", date.to_string())]);
    Ok(page(&visit, &Whose { chosen, found: None }, &fields, &Problems::none()))
}

/// `POST /today/add/find`: who fits what was typed.
pub async fn find(Sent { visit, fields }: Sent) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    let query: String = fields.get("q").chars().take(QUERY_CHARS_MAX).collect();
    let today = visit.app.gateway.today();
    let found = visit.app.patients.search(&visit.caller, &query, today, SHOWN_MAX).await?;
    Ok(page(&visit, &Whose { chosen: None, found: Some(found) }, &fields, &Problems::none()))
}

/// `POST /today/add`
pub async fn take(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let today = visit.app.gateway.today();
    let (date, booked, mut problems) = sent(&fields, schedule::Visit::default());
    problems = problems.with(named(visit.app.schedule.problems(date.unwrap_or(today), &booked)));
    let known = match fields.some("patient") {
        Some(id) => Some(patient::read(&visit, id).await?),
        None => None,
    };
    // Somebody new is entered only when the appointment can be: else they would be there twice at the second try.
    let new = match known {
        Some(_) => None,
        None => match form::sent(&fields, today) {
            Ok(patient) => {
                for problem in patient.problems("", today) {
                    problems = problems.and(problem.path.trim_start_matches('/').replace('/', "."), problem.message);
                }
                Some(patient)
            }
            Err(wrong) => {
                problems = wrong.with(problems);
                None
            }
        },
    };
    let again = |known: Option<PatientView>, problems: Problems| {
        let whose = Whose { chosen: known, found: None };
        (StatusCode::UNPROCESSABLE_ENTITY, page(&visit, &whose, &fields, &problems)).into_response()
    };
    let Some(date) = date.filter(|_| problems.is_empty()) else { return Ok(again(known, problems)) };
    let known = match (known, new) {
        (Some(known), _) => known,
        (None, Some(patient)) => match visit.app.patients.make(&visit.caller, patient, today).await {
            Ok(made) => made,
            Err(NotKept::Problems(found)) => return Ok(again(None, form::problems(found))),
            Err(not_kept) => return Err(Problem::from(not_kept).into()),
        },
        (None, None) => return Ok(again(None, problems)),
    };
    match visit.app.schedule.add(&visit.caller, date, &known.id, booked).await {
        Ok(_) => Ok(Redirect::to(&format!("/today?date={date}&said=added")).into_response()),
        Err(NotAdded::Problems(found)) => Ok(again(Some(known), named(found))),
        Err(not_added) => Err(Problem::from(not_added).into()),
    }
}

/// What the schedule's own check found, at the form's fields.
pub fn named(found: Vec<FieldProblem>) -> Problems {
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    found.into_iter().fold(Problems::none(), |all, problem| all.and(name(&problem.path), problem.message))
}

/// The day and the appointment as the form has them, and what cannot be read. What the form does not show stays as it is
/// in `before`.
pub fn sent(fields: &Fields, before: schedule::Visit) -> (Option<Date>, schedule::Visit, Problems) {
    let mut problems = Problems::none();
    let date = fields.get("date").parse::<Date>().ok();
    if date.is_none() {
        problems = problems.and("date", "Choose the day.");
    }
    let time = fields.some("time").map(|text| text.parse::<Time>());
    if time.as_ref().is_some_and(Result::is_err) {
        problems = problems.and("time", "Write the time with hours and minutes, for example 14:30.");
    }
    let optional = |name: &str| fields.some(name).map(str::to_owned);
    let booked = schedule::Visit {
        time: time.and_then(Result::ok),
        visit_type: optional("visit_type").map(Phi::new),
        provider: optional("provider"),
        location: optional("location"),
        // There is nothing to choose where there is only one carrier: then the form has no such field.
        carrier: if fields.has("carrier") { optional("carrier") } else { before.carrier },
        ..before
    };
    (date, booked, problems)
}

/// The carriers to choose from: the patient's, and the appointment's own, which need not be one of them. Nothing where
/// there is no choice.
fn carriers<'a>(at_patient: &'a [PatientCoverage], own: Option<&'a str>) -> Vec<&'a str> {
    let mut ids: Vec<&str> = Vec::new();
    for id in at_patient.iter().filter_map(|one| one.carrier.as_deref()) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    match own.filter(|own| !ids.contains(own)) {
        Some(own) => ids.push(own),
        None if ids.len() < 2 => ids.clear(),
        None => {}
    }
    ids
}

/// The fields of an appointment; `own` is the carrier that it names itself.
pub fn fields_of(
    visit: &Visit,
    known: &PatientView,
    own: Option<&str>,
    fields: &Fields,
    problems: &Problems,
) -> Markup {
    let offered = carriers(&known.patient.coverages, own);
    let named = offered.iter().map(|id| ((*id).to_owned(), visit.carrier_name(id)));
    let options: Vec<_> = std::iter::once((String::new(), "As at the patient".to_owned())).chain(named).collect();
    let mut chosen = Fields::default();
    // A form that had nothing to choose did not choose anything else.
    chosen.put("carrier", if fields.has("carrier") { fields.get("carrier") } else { own.unwrap_or_default() });
    html! {
        (when(fields, problems))
        @if !offered.is_empty() { (select("carrier", "Carrier", &options, &chosen, problems)) }
    }
}

fn when(fields: &Fields, problems: &Problems) -> Markup {
    html! {
        div.fields {
            (text("date", "Day").kind("date").size("short").required().show(fields, problems))
            (text("time", "Time, if there is one").kind("time").size("short").show(fields, problems))
        }
        div.fields {
            (text("visit_type", "Kind of visit").max(120).show(fields, problems))
            (text("provider", "Who is seen").max(120).show(fields, problems))
            (text("location", "Where").max(120).show(fields, problems))
        }
    }
}

fn page(visit: &Visit, whose: &Whose, fields: &Fields, problems: &Problems) -> Markup {
    let back =
        format!("/today?date={}", fields.get("date").parse::<Date>().unwrap_or_else(|_| visit.app.gateway.today()));
    let body = html! {
        div.stack {
            (problems.summary())
            h1 { "Add an appointment" }
            @match &whose.chosen {
                Some(known) => {
                    form.stack method="post" action="/today/add" data-draft {
                        (csrf(visit))
                        input type="hidden" name="patient" value=(known.id);
                        p.lead {
                            strong { (known.patient.last_name.text()) ", " (known.patient.first_name.text()) }
                            ", born " (day(*known.patient.date_of_birth.expose()))
                        }
                        (fields_of(visit, known, None, fields, problems))
                        div.row { button.button.first type="submit" { "Add" } a.button href=(back) { "Back" } }
                    }
                }
                None => {
                    section.card.stack {
                        h2 { "Somebody known here" }
                        form.row.bottoms role="search" method="post" action="/today/add/find" aria-label="Find a patient" {
                            (csrf(visit))
                            input type="hidden" name="date" value=(fields.get("date"));
                            (text("q", "Name, date of birth, member ID, telephone or your own number").kind("search").focus().show(fields, problems))
                            button.button.first type="submit" { "Find" }
                        }
                        @if let Some(found) = &whose.found { (choices(found, fields.get("date"))) }
                    }
                    details.fold open[!problems.is_empty()] {
                        summary { "Somebody new" }
                        form.stack method="post" action="/today/add" data-draft {
                            (csrf(visit))
                            div.fields {
                                (text("last_name", "Last name").max(60).show(fields, problems))
                                (text("first_name", "First name").max(60).show(fields, problems))
                            }
                            (date("date_of_birth", "Date of birth", "For example 3 12 1986", false, fields, problems))
                            (form::coverage(0, &form::carriers(visit), fields, problems))
                            (when(fields, problems))
                            div.row { button.button.first type="submit" { "Add" } a.button href=(back) { "Back" } }
                        }
                    }
                }
            }
            p.soft { "No import takes it away. When your own system's file brings the same patient at the same time, the file's row takes its place." }
        }
    };
    visit.page(Place::Today, "Add an appointment", body)
}

fn choices(found: &[Found], date: &str) -> Markup {
    html! {
        @if found.is_empty() { (empty("Nobody here fits that.", html! { span { "Enter them below." } })) }
        @else {
            ul.options {
                @for one in found {
                    @let patient = &one.patient.patient;
                    li {
                        a href={ "/today/add?date=" (date) "&patient=" (one.patient.id) } {
                            strong { (patient.last_name.text()) ", " (patient.first_name.text()) }
                            span.soft { "born " (day(*patient.date_of_birth.expose())) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_does_not_show_stays() {
        let before = schedule::Visit {
            location: Some("Main St".to_owned()),
            provider_npi: Some("1234567893".to_owned()),
            procedures: vec!["99213".to_owned()],
            carrier: Some("northstar".to_owned()),
            carrier_as_written: Some("NORTHSTAR PPO".to_owned()),
            ..schedule::Visit::default()
        };
        let typed = [("date", "2026-11-24".to_owned()), ("time", "16:50".to_owned()), ("location", String::new())];
        let (_, now, problems) = sent(&Fields::of(typed.clone()), before.clone());
        assert!(problems.is_empty());
        let time = Some(jiff::civil::time(16, 50, 0, 0));
        assert_eq!(now, schedule::Visit { time, location: None, ..before.clone() });
        // A form that has the field may also empty it.
        let with = typed.into_iter().chain([("carrier", String::new())]);
        let (_, now, _) = sent(&Fields::of(with), before.clone());
        assert_eq!((now.carrier, now.carrier_as_written), (None, before.carrier_as_written));
    }

    #[test]
    fn the_appointments_own_carrier_is_among_those_to_choose_from() {
        let chosen = |at_patient: &[&str], own| {
            let of = |id: &&str| PatientCoverage { carrier: Some((*id).to_owned()), ..PatientCoverage::default() };
            let at_patient: Vec<_> = at_patient.iter().map(of).collect();
            carriers(&at_patient, own).join(" ")
        };
        assert_eq!(chosen(&["northstar"], None), "");
        assert_eq!(chosen(&["northstar"], Some("northstar")), "");
        assert_eq!(chosen(&["northstar", "northstar"], None), "");
        assert_eq!(chosen(&["northstar", "evergreen"], None), "northstar evergreen");
        assert_eq!(chosen(&["northstar"], Some("evergreen")), "northstar evergreen");
        assert_eq!(chosen(&[], Some("evergreen")), "evergreen");
    }
}
