//! The carrier said no: what was sent, what it said, where to look first, what else it can be asked by.

use axum::response::{IntoResponse, Response};
use connector_sdk::outcome::CarrierCode;
use connector_sdk::{Refusal, RefusalReason};
use maud::{Markup, html};

use super::outcome::{Try, history, saved, saved_part};
use super::show::{Sheet, label, npis};
use super::suspects::{Good, Suspect, ranked};
use super::typed::Typed;
use super::{carriers, messages};
use crate::carriers::file::MemberField;
use crate::carriers::form::in_words;
use crate::pages::fault::Fault;
use crate::pages::frame::{Place, csrf};
use crate::pages::parts::badge::Tone;
use crate::pages::parts::badge::standing;
use crate::pages::parts::lists::note;
use crate::pages::parts::problems::Problems;
use crate::pages::parts::stamp::{answered, day};
use crate::pages::visit::Visit;
use crate::patients;
use crate::stack::Envelope;

/// Tries after which it is time to stop: carriers slow down or lock out whoever asks again and again.
const ENOUGH: usize = 3;
/// Fields of the form that are shown although nothing points at them.
const OTHERS: [&str; 8] = [
    "member.member_id",
    "patient.first_name",
    "patient.last_name",
    "patient.suffix",
    "patient.date_of_birth",
    "relationship",
    "service.date",
    "provider.npi",
];

/// The page of a refusal.
pub async fn page(visit: &Visit, envelope: &Envelope, typed: &Typed, tries: &[Try]) -> Result<Response, Fault> {
    let carrier = visit.carrier_name(&envelope.carrier);
    let fallback = Refusal::new(RefusalReason::Other);
    let refusal = envelope.refusal.as_ref().unwrap_or(&fallback);
    let npis = npis(visit).await?;
    let plane = carriers::plane(visit, &envelope.carrier);
    let none = Problems::none();
    let sheet = Sheet { visit, fields: &typed.fields, problems: &none, plane: plane.as_ref(), npis: &npis };
    let saved = saved(visit, envelope, &typed.fields).await?;
    let good = saved.as_ref().and_then(Good::of);
    let suspects = ranked(refusal, &typed.fields, visit.app.gateway.today(), good.as_ref());
    let body = html! {
        div.stack {
            div.row { h1 { (heading(refusal, &suspects)) } (standing(patients::badge(envelope))) }
            (said(&carrier, refusal))
            p.stamp {
                (answered(&carrier, envelope.freshness.as_of, envelope.freshness.cached, &visit.zone()))
                " · try " (tries.len().max(1))
            }
            @if tries.len() >= ENOUGH {
                (note(Tone::Look, "That was asked several times now.",
                    "Carriers slow down or lock out whoever asks again and again. Look at the card with the patient, or phone the carrier (the number is on the back of the card)."))
            }
            @if plane.is_some() && !typed.fields.get("carrier").is_empty() {
                (mend(&sheet, envelope, &suspects, refusal))
            } @else {
                (note(Tone::Look, "This cannot be asked again from here.", "What was asked is not known any more, or the carrier’s file is gone."))
                a.button href="/check" { "Check coverage" }
            }
            @if let Some(patient) = typed.fields.some("patient_id") {
                p { a.button href={ "/patients/" (patient) } { "I phoned: record the answer with the patient" } }
            }
            @if let Some(saved) = &saved { (saved_part(visit, saved)) }
            (history(visit, tries))
        }
    };
    Ok(visit.page(Place::Check, title(refusal.reason), body).into_response())
}

fn title(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::MemberNotFound | RefusalReason::DependentNotFound | RefusalReason::MemberAmbiguous => {
            "Not found"
        }
        _ => "Refused by the carrier",
    }
}

fn heading(refusal: &Refusal, suspects: &[Suspect]) -> String {
    let found = title(refusal.reason) != "Not found";
    match suspects.first() {
        Some(first) if !found => format!("Not found: check the {}", lower(label(&first.field))),
        Some(first) => format!("Refused: check the {}", lower(label(&first.field))),
        None if found => "Refused by the carrier".to_owned(),
        None => "Not found".to_owned(),
    }
}

fn lower(label: &str) -> String {
    match label {
        "Member ID" => "member ID".to_owned(),
        "The patient is" => "relationship".to_owned(),
        "Asking about" => "services asked about".to_owned(),
        other => other.to_lowercase(),
    }
}

/// What the carrier said, in our words and its own.
fn said(carrier: &str, refusal: &Refusal) -> Markup {
    let codes: Vec<&str> = refusal.carrier_codes.iter().map(|code| code.code.trim()).collect();
    let mut sentences: Vec<String> = Vec::new();
    if let Some(both) = messages::together(&codes) {
        sentences.push(both.to_owned());
    } else {
        for said in codes.iter().filter_map(|code| messages::of(code)) {
            let words = said.words(carrier);
            if !sentences.contains(&words) {
                sentences.push(words);
            }
        }
    }
    if sentences.is_empty() {
        sentences.push(refusal.text.clone());
    }
    html! {
        p.lead { (sentences.join(" ")) }
        @if refusal.carrier_codes.is_empty() { p.soft { "The carrier gave no code." } }
        @else { ul.soft { @for code in &refusal.carrier_codes { li { (own_words(code)) } } } }
    }
}

fn own_words(code: &CarrierCode) -> Markup {
    html! {
        "The carrier’s code: " span.number { (code.code) }
        @if let Some(at) = &code.loop_id { " in loop " (at) }
        @if let Some(meaning) = &code.meaning { " “" (meaning) "”" }
        @if let Some(next) = &code.follow_up { " · its advice: " (advice(next)) }
    }
}

/// X12 AAA04: what the carrier wants to be done next.
fn advice(code: &str) -> String {
    match code {
        "C" => "correct it and ask again".to_owned(),
        "N" => "do not ask again".to_owned(),
        "R" => "ask again".to_owned(),
        "P" => "ask again as it is".to_owned(),
        "S" => "do not ask again; something else is on its way".to_owned(),
        "W" => "wait 30 days, then ask again".to_owned(),
        "X" => "wait 10 days, then ask again".to_owned(),
        "Y" => "do not ask again; the carrier does so by itself".to_owned(),
        other => other.to_owned(),
    }
}

fn mend(sheet: &Sheet, envelope: &Envelope, suspects: &[Suspect], refusal: &Refusal) -> Markup {
    let shown: Vec<&str> = suspects.iter().map(|suspect| suspect.field.as_str()).collect();
    html! {
        form.stack.check method="post" action={ "/checks/" (envelope.id) "/again" } data-draft {
            (csrf(sheet.visit))
            (sheet.kept())
            button.hidden type="submit" tabindex="-1" aria-hidden="true" { "Ask again" }
            @if !suspects.is_empty() {
                section.card.stack {
                    h2 { "Look here first" }
                    ol.stack.suspects {
                        @for (place, suspect) in suspects.iter().enumerate() {
                            li.tight { (one(sheet, suspect, place == 0)) }
                        }
                    }
                }
            }
            div.row { button.button.first type="submit" { "Ask again" } span.soft { "One press is one question; nothing is tried by itself." } }
            (others(sheet, refusal))
            details.fold {
                summary { "Everything that was sent" }
                div.stack.sent {
                    @for name in OTHERS.into_iter().filter(|name| !shown.contains(name)) { (sheet.one(name, false)) }
                    @if super::form::is_dependent(sheet.fields) {
                        @for name in ["subscriber.first_name", "subscriber.last_name", "subscriber.date_of_birth"] {
                            @if !shown.contains(&name) { (sheet.one(name, false)) }
                        }
                    } @else { @for name in hidden_subscriber() { @if let Some(value) = sheet.fields.some(name) { input type="hidden" name=(name) value=(value); } } }
                    @for name in ["patient.sex", "member.group_number", "types.more"] {
                        @if !shown.contains(&name) && let Some(value) = sheet.fields.some(name) { input type="hidden" name=(name) value=(value); }
                    }
                    @if !shown.contains(&"types") { @for value in sheet.fields.all("types") { input type="hidden" name="types" value=(value); } }
                }
            }
        }
    }
}

fn hidden_subscriber() -> [&'static str; 5] {
    [
        "subscriber.first_name",
        "subscriber.last_name",
        "subscriber.date_of_birth.month",
        "subscriber.date_of_birth.day",
        "subscriber.date_of_birth.year",
    ]
}

fn one(sheet: &Sheet, suspect: &Suspect, focus: bool) -> Markup {
    html! {
        @for why in &suspect.why { p { (why) } }
        (sheet.one(&suspect.field, focus))
        @if let Some(other) = suspect.swapped {
            button.button type="submit" name="swap" value=(suspect.field) { "Ask again with " (day(other)) }
        }
    }
}

/// The other ways this carrier can search; each press asks by it, with what the form has.
fn others(sheet: &Sheet, refusal: &Refusal) -> Markup {
    let has = |field: &str| {
        let name = match field {
            "member_id" | "group_number" => format!("member.{field}"),
            "date_of_birth" => "patient.date_of_birth.year".to_owned(),
            _ => format!("patient.{field}"),
        };
        sheet.fields.some(&name).is_some()
    };
    let dependent = super::form::is_dependent(sheet.fields);
    html! {
        @if dependent || !refusal.other_searches.is_empty() {
            section.card.stack {
                h2 { "Or ask another way" }
                div.row {
                    @if !dependent {
                        @for set in &refusal.other_searches {
                            button.button type="submit" name="search" value=(set.join(",")) { "By " (in_words(set).replace("member id", "member ID")) }
                        }
                    } @else {
                        button.button type="submit" name="as" value="subscriber" { "Ask as the subscriber" }
                    }
                }
                @for set in refusal.other_searches.iter().filter(|_| !dependent) {
                    @let lacks: Vec<&str> = set.iter().filter(|field| !has(field)).filter_map(|field| MemberField::from_name(field)).map(MemberField::label).collect();
                    @if !lacks.is_empty() { p.soft.small { "By " (in_words(set).replace("member id", "member ID")) ": fill in the " (lacks.join(" and the ")) " first." } }
                }
            }
        }
    }
}
