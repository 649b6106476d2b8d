//! Who it is and which plan, as the carrier has them on file.

use connector_sdk::answer::{Contact, DateSpan, Identifier, MemberOnFile, OtherPayer, Plan};
use maud::{Markup, html};

use super::rest::{contact, identifier};
use super::{Scene, coverage};
use crate::pages::parts::stamp::day;

/// The header.
pub fn head(scene: &Scene) -> Markup {
    let facts = &scene.answer.facts;
    html! {
        div.grid.heads {
            section.card {
                h2 { "Patient" span.soft.small { ", as " (scene.carrier) " has them" } }
                @match &facts.dependent {
                    Some(dependent) => {
                        (person(dependent))
                        h3 { "Subscriber" }
                        (person(&facts.member))
                    }
                    None => { (person(&facts.member)) }
                }
            }
            section.card {
                h2 { "Coverage" }
                @if facts.plans.is_empty() { p { (coverage(facts.coverage)) "; the carrier named no plan." } }
                @for plan in &facts.plans { (plan_part(scene, plan)) }
            }
        }
    }
}

/// First, middle and last name.
pub fn name(person: &MemberOnFile) -> Option<String> {
    let parts = [&person.first_name, &person.middle_name, &person.last_name, &person.suffix];
    let parts: Vec<&str> = parts.into_iter().flatten().map(connector_sdk::Phi::text).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Whether an identifier says again what stands there as the group's number.
fn told(person: &MemberOnFile, own: &Identifier) -> bool {
    person.group_number.as_ref().is_some_and(|group| own.kind.code == "6P" && group.text() == own.value.text())
}

fn person(person: &MemberOnFile) -> Markup {
    let unsaid = html! { span.soft { "not stated" } };
    html! {
        dl.pairs {
            dt { "Name" } dd { @match name(person) { Some(name) => strong { (name) }, None => (unsaid) } }
            dt { "Born" } dd { @match &person.date_of_birth { Some(date) => (day(*date.expose())), None => (unsaid) } }
            dt { "Member ID" } dd { @match &person.member_id { Some(id) => span.number { (id.text()) }, None => (unsaid) } }
            @if let Some(group) = &person.group_number { dt { "Group no." } dd { span.number { (group.text()) } } }
            @if let Some(kin) = &person.relationship { dt { "Relationship" } dd { (kin.label) } }
            @if !person.address.is_empty() { dt { "Address" } dd { (person.address.iter().map(|line| line.text()).collect::<Vec<_>>().join(", ")) } }
            @for own in person.identifiers.iter().filter(|own| !told(person, own)) { dt { (own.kind.label) } dd { (identifier(own)) } }
            @if let Some(military) = &person.military {
                dt { "Military service" }
                dd {
                    @for word in [&military.status, &military.employment, &military.branch, &military.rank].into_iter().flatten() { (word.label) " " }
                    @if let Some(text) = &military.description { (text.text()) }
                }
            }
        }
    }
}

fn plan_part(scene: &Scene, plan: &Plan) -> Markup {
    let group = plan
        .group
        .as_deref()
        .filter(|group| scene.answer.facts.member.group_number.as_ref().is_none_or(|known| known.text() != *group));
    html! {
        dl.pairs {
            dt { "Plan" }
            dd {
                strong { (plan.name.as_deref().unwrap_or("not named by the carrier")) }
                @if let Some(kind) = &plan.insurance_type { " · " (kind.label) }
                @if let Some(id) = &plan.id { " · plan no. " span.number { (id) } }
            }
            dt { "Status" }
            dd {
                (coverage(plan.status))
                @if let Some(code) = &plan.status_code { span.soft { " (" (code.label) ")" } }
            }
            dt { "Dates" } dd { (span(&plan.period)) }
            @if let Some(group) = group { dt { "Group" } dd { (group) } }
            @if let Some(network) = &plan.network { dt { "Network" } dd { (network) } }
            dt { "Primary care" }
            dd { @match &plan.primary_care { Some(doctor) => (who(doctor)), None => span.soft { "not stated" } } }
            @for payer in &plan.other_payers { dt { "Other payer" } dd { (other_payer(payer)) } }
            @if plan.other_payers.is_empty() { dt { "Other payers" } dd.soft { "none stated" } }
            @for date in plan.dates.iter().filter(|date| date.span != plan.period) {
                dt { (date.kind.label) } dd { @if date.span.is_open() { (date.text) } @else { (span(&date.span)) } }
            }
            @for message in &plan.messages { dt { "The carrier adds" } dd { (message.text()) } }
        }
    }
}

fn who(of: &Contact) -> Markup {
    html! {
        @if let Some(name) = &of.name { (name.text()) }
        @for reach in &of.reach { " · " (reach.kind.label) " " (reach.value.text()) }
        @for own in &of.identifiers { " · " (own.kind.label) " " span.number { (own.value.text()) } }
    }
}

fn other_payer(payer: &OtherPayer) -> Markup {
    html! {
        strong { (payer.name.as_deref().unwrap_or("not named")) }
        @if let Some(order) = &payer.order { " · " (order.label) }
        @if let Some(kind) = &payer.insurance_type { " · " (kind.label) }
        @for service in &payer.services { " · " (service.label) }
        @for own in &payer.identifiers { " · " (identifier(own)) }
        @if !payer.period.is_open() { " · " (span(&payer.period)) }
        @for one in &payer.contacts { " · " (contact(one)) }
        @for message in &payer.messages { " · " (message.text()) }
    }
}

/// From when to when.
pub fn span(span: &DateSpan) -> String {
    match (span.from, span.to) {
        (Some(from), Some(to)) if from == to => day(from),
        (Some(from), Some(to)) => format!("{} to {}", day(from), day(to)),
        (Some(from), None) => format!("since {}, no end stated", day(from)),
        (None, Some(to)) => format!("until {}", day(to)),
        (None, None) => "not stated".to_owned(),
    }
}
