//! What is not covered, what was not said, what we did not ask; whom to call.

use connector_sdk::answer::{Benefit, Contact, Covered, Identifier};
use maud::{Markup, html};

use super::Scene;

/// Three different things, in three different sentences.
pub fn unsaid(scene: &Scene) -> Markup {
    let answer = scene.answer;
    let mut excluded: Vec<String> = Vec::new();
    for benefit in answer.facts.benefits.iter().filter(|benefit| benefit.covered == Covered::No) {
        let text = what(benefit);
        if !excluded.contains(&text) {
            excluded.push(text);
        }
    }
    let asked = &scene.asked;
    html! {
        section.stack #unsaid {
            h2 { "Not covered, not said, not asked" }
            dl.pairs {
                dt { "The carrier says not covered" }
                dd { @if excluded.is_empty() { span.soft { "nothing" } } @else { ul { @for text in &excluded { li { (text) } } } } }
                dt { "The carrier did not say" }
                dd { @if answer.not_stated.is_empty() { span.soft { "nothing that was asked is missing" } } @else { ul { @for one in &answer.not_stated { li { (one.text) } } } } }
                dt { "We did not ask" }
                dd {
                    @if asked.is_empty() { "about anything but what is shown." }
                    @else { "about services other than " (asked.iter().map(|code| connector_sdk::summary::service_type_label(code).map_or_else(|| format!("service type {code}"), str::to_owned)).collect::<Vec<_>>().join(", ")) "." }
                }
            }
        }
    }
}

fn what(benefit: &Benefit) -> String {
    let name = match &benefit.procedure {
        Some(procedure) => {
            format!("procedure {}", if procedure.label.is_empty() { &procedure.code } else { &procedure.label })
        }
        None if benefit.service.label.is_empty() => format!("service type {}", benefit.service.code),
        None => benefit.service.label.clone(),
    };
    match benefit.network {
        connector_sdk::answer::Network::In => format!("{name}, in network"),
        connector_sdk::answer::Network::Out => format!("{name}, out of network"),
        _ => name,
    }
}

/// Whom to ask at the carrier, or instead of it.
pub fn contacts(scene: &Scene) -> Markup {
    let contacts = &scene.answer.facts.carrier_contacts;
    html! {
        section.stack #contacts {
            h2 { "Whom to ask" }
            @if contacts.is_empty() { p { "The carrier gave no contact. The telephone number stands on the back of the card." } }
            @else { ul { @for one in contacts { li { (contact(one)) } } } }
        }
    }
}

/// A contact in one line.
pub fn contact(one: &Contact) -> Markup {
    html! {
        @if let Some(role) = &one.role { (role.label) ": " }
        @if let Some(name) = &one.name { strong { (name.text()) } }
        @for way in &one.reach { " · " (way.kind.label) " " span.number { (way.value.text()) } }
        @if !one.address.is_empty() { " · " (one.address.iter().map(|line| line.text()).collect::<Vec<_>>().join(", ")) }
        @for own in &one.identifiers { " · " (own.kind.label) " " (identifier(own)) }
    }
}

/// An identifier with the words beside it.
pub fn identifier(own: &Identifier) -> Markup {
    html! { span.number { (own.value.text()) } @if let Some(text) = &own.description { " " span.soft { (text.text()) } } }
}
