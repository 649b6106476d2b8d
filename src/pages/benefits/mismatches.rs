//! What we asked with beside what the carrier has on file: also where the field is not sent to this carrier, which is when
//! it goes unnoticed longest. For a patient whom the practice knows, the carrier's value is
//! one press away. One press is one field, and of two people who change the same patient neither loses anything.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use connector_sdk::answer::MemberOnFile;
use connector_sdk::ask::Sex;
use connector_sdk::{EligibilityAnswer, Phi};
use http::StatusCode;
use maud::{Markup, html};

use super::Scene;
use crate::api::Problem;
use crate::api::eligibility::{self, Stored};
use crate::identity::Scope;
use crate::pages::check::{is_dependent, label_of, typed, typed_value};
use crate::pages::fault::Fault;
use crate::pages::fields::Sent;
use crate::pages::frame::csrf;
use crate::pages::parts::stamp::day_of;
use crate::pages::parts::words::plain;
use crate::pages::patient;
use crate::pages::visit::Visit;
use crate::patients::{Changed, PatientView, fold};
use crate::stack::Envelope;

/// A field of the patient in which the carrier's file is another than ours.
struct Mismatch {
    /// Its place in the question: `member.last_name`.
    name: String,
    /// Whether the answer itself has the field: then its value can be put in. What a connector only reported as another
    /// value is shown, and mended by hand.
    usable: bool,
    /// What was asked with; of a field that is not sent to this carrier, what stood in the form.
    asked: Option<String>,
    /// What the carrier has.
    on_file: String,
}

/// What the carrier has on file, field by field.
fn on_file(answer: &EligibilityAnswer) -> Vec<(&'static str, String)> {
    let facts = &answer.facts;
    let text = |text: &Option<Phi<String>>| text.as_ref().map(|text| text.text().trim().to_owned());
    let of_person = |person: &MemberOnFile, names: [&'static str; 4]| {
        let born = person.date_of_birth.as_ref().map(|date| date.expose().to_string());
        let values = [text(&person.first_name), text(&person.last_name), born, person.sex.and_then(sex)];
        names.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect::<Vec<_>>()
    };
    let ids = [("member.member_id", &facts.member.member_id), ("member.group_number", &facts.member.group_number)];
    let mut all: Vec<(&str, String)> = ids.into_iter().filter_map(|(name, id)| Some((name, text(id)?))).collect();
    let names = ["member.first_name", "member.last_name", "member.date_of_birth", "member.sex"];
    all.extend(of_person(&facts.member, names));
    if let Some(person) = &facts.dependent {
        let names = ["dependent.first_name", "dependent.last_name", "dependent.date_of_birth", "dependent.sex"];
        all.extend(of_person(person, names));
    }
    all.retain(|(_, value)| !value.is_empty());
    all
}

/// The word of a question for it. That a carrier does not know it differs from nothing.
fn sex(sex: Sex) -> Option<String> {
    match sex {
        Sex::Female => Some("female".to_owned()),
        Sex::Male => Some("male".to_owned()),
        Sex::Unknown => None,
    }
}

/// Case, blanks and punctuation make no difference.
fn same(one: &str, other: &str) -> bool {
    fold::id(one) == fold::id(other)
}

impl Scene<'_> {
    /// The fields that differ from what was asked with, or from what the practice has.
    fn mismatches(&self, known: Option<&PatientView>) -> Vec<Mismatch> {
        let facts = &self.answer.facts;
        let corrections = || {
            let of_dependent = facts.dependent.iter().flat_map(|person| &person.corrections);
            facts.member.corrections.iter().chain(of_dependent)
        };
        let listed = on_file(self.answer);
        let unlisted = corrections().filter(|one| listed.iter().all(|(name, _)| one.field != *name)).map(|one| {
            let (asked, on_file) = (Some(one.asked.text().to_owned()), one.on_file.text().to_owned());
            Mismatch { name: one.field.clone(), usable: false, asked, on_file }
        });
        let unlisted: Vec<Mismatch> = unlisted.collect();
        let found = listed.into_iter().filter_map(|(name, on_file)| {
            // Of a dependent whom we asked about as the subscriber, the subscriber's own names say nothing.
            let comparable = name.starts_with("dependent.") || name.ends_with("_id") || name.ends_with("_number");
            if !comparable && facts.dependent.is_some() && !is_dependent(self.typed) {
                return None;
            }
            let corrected = corrections().find(|one| one.field == name).map(|one| one.asked.text().to_owned());
            let asked = corrected.or_else(|| typed_value(self.typed, name, self.today));
            let ours = known.and_then(|view| view.patient.known(&self.envelope.carrier, name));
            let differs = |value: &Option<String>| value.as_ref().is_some_and(|value| !same(value, &on_file));
            (differs(&asked) || differs(&ours)).then_some(Mismatch {
                name: name.to_owned(),
                usable: true,
                asked,
                on_file,
            })
        });
        found.chain(unlisted).collect()
    }
}

impl Mismatch {
    fn label(&self) -> String {
        if self.usable {
            return label_of(&self.name, self.name.starts_with("dependent.")).to_owned();
        }
        plain(self.name.rsplit(['.', '/']).next().unwrap_or_default())
    }

    /// A value as people say it.
    fn said(&self, value: &str) -> String {
        if self.name.ends_with(".sex") { plain(value) } else { day_of(value) }
    }
}

/// The section; nothing where nothing differs. `hands` has the patient, where the practice has them.
pub fn mismatches(scene: &Scene, hands: Option<(&Visit, Option<&PatientView>)>) -> Markup {
    let known = hands.and_then(|(visit, known)| known.map(|known| (visit, known)));
    let found = scene.mismatches(known.map(|(_, view)| view));
    html! {
        @if !found.is_empty() {
            section.stack #mismatches {
                h2 { "Where the carrier’s file differs from ours" }
                div.table {
                    table.cards {
                        thead { tr {
                            th { "Field" } th { "We asked with" } th { "The carrier has" }
                            @if known.is_some() { th.no-print { "Your records" } }
                        } }
                        tbody {
                            @for one in &found {
                                tr {
                                    th scope="row" { (one.label()) }
                                    td data-label="We asked with" { @match &one.asked { Some(asked) => (one.said(asked)), None => span.soft { "nothing" } } }
                                    td data-label="The carrier has" { strong { (one.said(&one.on_file)) } }
                                    @if let Some((visit, view)) = known {
                                        td.no-print data-label="Your records" { (ours(scene, visit, view, one)) }
                                    }
                                }
                            }
                        }
                    }
                }
                @if known.is_some() { p.soft.no-print { "Look at the card first. Each press changes one field of the patient, and stands in the paper trail." } }
                @else { p.soft { "Nothing was changed here. Look at the card, then mend it in your own system." } }
            }
        }
    }
}

/// What the practice has, and the button that takes the carrier's value over.
fn ours(scene: &Scene, visit: &Visit, view: &PatientView, one: &Mismatch) -> Markup {
    let carrier = &scene.envelope.carrier;
    let known = view.patient.known(carrier, &one.name);
    html! {
        div.tight {
            @match &known { Some(known) => p { (one.said(known)) }, None => p.soft { "nothing" } }
            @if known.as_deref().is_some_and(|known| known.trim() == one.on_file) { p.soft { "(the carrier’s value)" } }
            @else if one.usable && view.patient.with(carrier, &one.name, &one.on_file).is_some() {
                form method="post" action={ "/checks/" (scene.envelope.id) "/use" } {
                    (csrf(visit))
                    input type="hidden" name="version" value=(view.version);
                    button.button.slim type="submit" name="field" value=(one.name) aria-label={ "Use the carrier’s value: " (one.label()) } { "Use the carrier’s value" }
                }
            }
        }
    }
}

/// `POST /checks/{id}/use`: the carrier's value of one field goes into the patient, if nobody has changed the patient since
/// the page was shown.
pub async fn take(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    visit.need(Scope::Ask)?;
    let Stored::Ended(bytes) = eligibility::stored(&visit.app, &visit.api(), &id).await? else {
        return Err(Fault::not_found());
    };
    let envelope: Envelope = serde_json::from_slice(&bytes).map_err(|_| Fault::not_found())?;
    let answer = envelope.answer.as_deref().ok_or_else(Fault::not_found)?;
    let wanted = on_file(answer).into_iter().find(|(name, _)| *name == fields.get("field"));
    let (name, value) = wanted.ok_or_else(Fault::not_found)?;
    let view = known(&visit, &id, &envelope.carrier).await?.ok_or_else(Fault::not_found)?;
    let Some(new) = view.patient.with(&envelope.carrier, name, &value) else {
        return Err(cannot("The carrier’s value cannot stand in this field. Mend the patient by hand."));
    };
    let version = fields.get("version").parse().unwrap_or(0);
    let (today, patients) = (visit.app.gateway.today(), &visit.app.patients);
    let changed = patients
        .change(&visit.caller, &view.id, version, new.clone(), today, Some(&id))
        .await
        .map_err(Problem::from)?;
    match changed {
        Changed::Kept(_) => Ok(Redirect::to(&format!("/checks/{id}?said=saved")).into_response()),
        Changed::Unknown => Err(Fault::not_found()),
        Changed::Meanwhile(theirs) => {
            visit.app.patients.record_reading(&visit.caller, "patient.read", &theirs.id).await?;
            // Beside what stands there now, with this one field put in: what the other person did is not undone.
            let yours = theirs.patient.with(&envelope.carrier, name, &value).unwrap_or(new);
            Ok((StatusCode::CONFLICT, patient::conflict(&visit, &theirs, &yours)).into_response())
        }
    }
}

fn cannot(text: &str) -> Fault {
    Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "Nothing was changed", text)
}

/// The patient whom the question was put about, where the practice has them. **The caller records the reading.**
///
/// # Errors
/// What the store says.
pub async fn known(visit: &Visit, id: &str, carrier: &str) -> Result<Option<PatientView>, Fault> {
    let practice = visit.caller.practice();
    let typed = typed::of(&visit.app, practice, id, carrier).await?.unwrap_or_default();
    let Some(patient) = typed.fields.some("patient_id") else { return Ok(None) };
    Ok(visit.app.patients.get(practice, patient).await?)
}
