//! What of the answer is another than in the last one.

use connector_sdk::answer::Network;
use maud::{Markup, html};

use super::Scene;
use super::facts::{amount, level};
use crate::api::changes::ChangesView;
use crate::differences::{Difference, Fact, Value};
use crate::pages::parts::money::percent;
use crate::pages::parts::stamp::{day, whole};

/// Changes that are told at once; the others stand in a fold.
const AT_ONCE: usize = 6;

/// The note; nothing where there is no earlier answer.
pub fn changed(scene: &Scene, changes: Option<&ChangesView>) -> Markup {
    let Some((since, changes)) = changes.and_then(|view| Some((view.since.as_ref()?, &view.changes))) else {
        return Markup::default();
    };
    let earlier = html! { a href={ "/checks/" (since.id) } { "the answer of " (whole(since.as_of, &scene.zone)) } };
    html! {
        @if changes.is_empty() { p.soft.small #changed { "Nothing that both speak of has changed since " (earlier) "." } }
        @else {
            div.note.look #changed {
                strong { "Changed since " (earlier) ":" }
                ul { @for one in changes.iter().take(AT_ONCE) { li { (told(one)) } } }
                @if changes.len() > AT_ONCE {
                    details open[scene.paper] {
                        summary { (changes.len() - AT_ONCE) " more" }
                        ul { @for one in changes.iter().skip(AT_ONCE) { li { (told(one)) } } }
                    }
                }
            }
        }
    }
}

/// `copay, office visit, in network: $30 → $40`.
fn told(one: &Difference) -> Markup {
    let mut of = vec![word(one.fact).to_owned()];
    if let Some(procedure) = &one.procedure {
        of.push(format!("procedure {}", procedure.code));
    } else if let Some(service) = &one.service {
        of.push(if service.label.is_empty() {
            format!("service type {}", service.code)
        } else {
            service.label.clone()
        });
    }
    match one.network {
        Network::In => of.push("in network".to_owned()),
        Network::Out => of.push("out of network".to_owned()),
        Network::Both => of.push("in and out of network".to_owned()),
        Network::NotStated => {}
    }
    of.extend(level(&one.level));
    html! {
        (of.join(", ")) ": "
        (values(&one.before)) span.hidden { " before, now " } span aria-hidden="true" { " → " } strong { (values(&one.after)) }
    }
}

fn values(all: &[Value]) -> String {
    let told: Vec<String> = all.iter().map(value).collect();
    if told.is_empty() { "not stated".to_owned() } else { told.join(" and ") }
}

fn value(value: &Value) -> String {
    match value {
        Value::Amount(of) => amount(*of),
        Value::Share(share) => percent(&share.to_string()),
        Value::Count(count) => count.to_string(),
        Value::Day(date) => day(*date),
        Value::Word(word) => word.clone(),
    }
}

fn word(fact: Fact) -> &'static str {
    match fact {
        Fact::Coverage => "Coverage",
        Fact::Plan => "Plan",
        Fact::PlanBegins => "First day of the plan",
        Fact::PlanEnds => "Last day of the plan",
        Fact::OtherPayers => "Other payers",
        Fact::PrimaryCare => "Primary care",
        Fact::Covered => "Covered",
        Fact::Authorization => "Prior authorization",
        Fact::Copay => "Copay",
        Fact::Coinsurance => "Patient pays",
        Fact::LimitAllowed => "Limit",
        Fact::LimitLeft => "Left of the limit",
        Fact::Deductible => "Deductible",
        Fact::DeductibleLeft => "Left of the deductible",
        Fact::OutOfPocket => "Out-of-pocket maximum",
        Fact::OutOfPocketLeft => "Left of the out-of-pocket maximum",
    }
}

#[cfg(test)]
mod tests {
    use connector_sdk::answer::{Coded, Level};

    use super::*;

    #[test]
    fn a_change_is_told_with_both_values() {
        let one = Difference {
            fact: Fact::Copay,
            service: Some(Coded::new("98", "Office visit")),
            procedure: None,
            network: Network::In,
            level: Level::NotStated,
            before: vec![Value::Amount("30".parse().unwrap())],
            after: vec![Value::Amount("40.00".parse().unwrap())],
        };
        let text = told(&one).into_string();
        assert!(text.starts_with("Copay, Office visit, in network: $30<"), "{text}");
        assert!(text.contains("<strong>$40</strong>"), "{text}");
        let gone = told(&Difference { after: Vec::new(), ..one }).into_string();
        assert!(gone.contains("<strong>not stated</strong>"), "{gone}");
    }
}
