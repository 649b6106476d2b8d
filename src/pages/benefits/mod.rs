//! Benefits: what a carrier answered, in the order in which it is needed at a counter: who and which plan, a paragraph to
//! read aloud, what to look at, what was asked about, money, services, what is not covered and what was not said, where the
//! carrier's file differs from ours, whom to call, and for experts where each figure was read.
//!
//! Nothing is worked out here: every figure is one that the carrier sent, and says where it was read.

mod expert;
mod facts;
mod head;
mod money;
mod rest;
mod services;

use connector_sdk::EligibilityAnswer;
use connector_sdk::answer::Coverage;
use maud::{Markup, html};

use super::check::typed::Typed;
use super::frame::Place;
use super::parts::badge::Tone;
use super::parts::lists::note;
use super::parts::stamp::answered;
use super::visit::Visit;
use crate::pages::check::{Try, ask_again, history};
use crate::pages::parts::badge::standing;
use crate::patients;
use crate::stack::Envelope;

/// What the parts of the page are made from.
pub struct Scene<'a> {
    visit: &'a Visit,
    envelope: &'a Envelope,
    answer: &'a EligibilityAnswer,
    typed: &'a Typed,
    carrier: String,
    /// Whether all folds are open: for paper.
    open: bool,
}

/// The page of an answer.
pub fn page(visit: &Visit, envelope: &Envelope, typed: &Typed, tries: &[Try], open: bool) -> Markup {
    let Some(answer) = envelope.answer.as_deref() else { return Markup::default() };
    let carrier = visit.carrier_name(&envelope.carrier);
    let scene = Scene { visit, envelope, answer, typed, carrier, open };
    let bare = answer.facts.benefits.is_empty();
    let body = html! {
        div.stack.benefits {
            (scene.top())
            (head::head(&scene))
            section.stack #say {
                h2.hidden { "In words" }
                p.lead { (answer.summary.paragraph.text()) }
                (alerts(answer))
            }
            @if bare {
                (note(Tone::Look, "No details.", &format!("{} said whether there is coverage, and nothing about services or money. Phone for the rest.", scene.carrier)))
            } @else {
                (jump())
                (services::asked(&scene))
                (money::money(&scene))
                (services::services(&scene))
            }
            (rest::unsaid(&scene))
            (rest::mismatches(&scene))
            (rest::contacts(&scene))
            (history(visit, tries))
            (expert::expert(&scene))
        }
    };
    visit.page(Place::Check, "Benefits", body)
}

impl Scene<'_> {
    fn top(&self) -> Markup {
        let (envelope, visit) = (self.envelope, self.visit);
        html! {
            div.head {
                div.row { h1 { "Benefits" } (standing(patients::badge(envelope))) }
                div.row.no-print {
                    (ask_again(visit, &envelope.id, "Refresh"))
                    a.button href={ "/checks/" (envelope.id) "?print=1" } data-key="p" { "For paper" }
                    @if self.open { button.button.script-only type="button" data-print { "Print" } }
                }
            }
            p {
                (answered(&self.carrier, envelope.freshness.as_of, envelope.freshness.cached, &visit.zone()))
                @if let Some(trace) = &envelope.source.trace { span.stamp { " · trace no. " span.number { (trace) } } }
            }
        }
    }
}

fn jump() -> Markup {
    let places = [
        ("asked", "Asked about"),
        ("money", "Money"),
        ("services", "Services"),
        ("unsaid", "Not covered, not said"),
        ("expert", "Expert"),
    ];
    html! {
        nav.jump aria-label="On this page" {
            @for (place, (id, name)) in places.iter().enumerate() {
                a href={ "#" (id) } data-key=(place + 1) { (place + 1) " " (name) }
            }
            button.button.slim.script-only type="button" data-all="services" aria-expanded="false" { "Expand all" }
        }
    }
}

fn alerts(answer: &EligibilityAnswer) -> Markup {
    html! {
        @for alert in &answer.summary.alerts {
            @let tone = if alert.kind == "inactive" { Tone::Bad } else { Tone::Look };
            (note(tone, "Look:", alert.text.text()))
        }
    }
}

/// Coverage in words.
pub(super) fn coverage(coverage: Coverage) -> &'static str {
    match coverage {
        Coverage::Active => "active",
        Coverage::Inactive => "not active",
        Coverage::Pending => "the carrier is still checking",
        Coverage::Unknown => "the carrier did not say",
    }
}
