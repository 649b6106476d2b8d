//! Benefits: what a carrier answered, in the order in which it is needed at a counter: who and which plan, a paragraph to
//! read aloud, what to look at, what was asked about, money, services, what is not covered and what was not said, where the
//! carrier's file differs from ours, whom to call, and for experts where each figure was read.
//!
//! Nothing is worked out here: every figure is one that the carrier sent, and says where it was read.

mod changed;
mod expert;
mod facts;
mod head;
pub mod mismatches;
mod money;
pub mod paper;
mod rest;
mod services;

use connector_sdk::EligibilityAnswer;
use connector_sdk::answer::Coverage;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use super::check::types;
use super::fields::Fields;
use super::frame::{self, Place};
use super::parts::badge::Tone;
use super::parts::lists::note;
use super::parts::stamp::{answered, answered_on, whole};
use super::visit::Visit;
use crate::api::App;
use crate::api::changes::ChangesView;
use crate::pages::check::{Try, ask_again, history};
use crate::pages::parts::badge::standing;
use crate::patients::{self, PatientView};
use crate::stack::Envelope;

/// What the parts of the page are made from: the same on a screen and on paper.
pub struct Scene<'a> {
    envelope: &'a Envelope,
    answer: &'a EligibilityAnswer,
    /// What was typed, or asked.
    typed: &'a Fields,
    /// Service types that were asked about.
    asked: Vec<String>,
    /// The day it is.
    today: Date,
    carrier: String,
    zone: TimeZone,
    /// For paper: all folds open, whole moments.
    paper: bool,
}

/// What only a screen has: what can be pressed, and by whom.
pub struct Hands<'a> {
    /// Who looks.
    pub visit: &'a Visit,
    /// The tries at the same question.
    pub tries: &'a [Try],
    /// The patient whom it is about, where the practice has them.
    pub known: Option<&'a PatientView>,
    /// A word of what was done.
    pub said: Option<&'a str>,
}

impl<'a> Scene<'a> {
    /// Of an answered question; `None` for another one.
    pub fn of(app: &App, envelope: &'a Envelope, typed: &'a Fields, paper: bool) -> Option<Self> {
        let book = app.gateway.planes().book();
        let carrier = book.get(&envelope.carrier).map_or_else(|| envelope.carrier.clone(), |one| one.name.clone());
        Some(Self {
            envelope,
            answer: envelope.answer.as_deref()?,
            typed,
            asked: types(typed),
            today: app.gateway.today(),
            carrier,
            zone: app.gateway.zone().clone(),
            paper,
        })
    }
}

/// The page of an answer.
pub fn page(hands: &Hands, scene: &Scene, changes: Option<&ChangesView>) -> Markup {
    hands.visit.page(Place::Check, "Benefits", sheet(scene, changes, Some(hands)))
}

/// An earlier answer under another question that has none: never hidden, and never taken for today's.
pub fn earlier(app: &App, envelope: &Envelope, typed: &Fields) -> Markup {
    let Some(scene) = Scene::of(app, envelope, typed, false) else { return Markup::default() };
    html! {
        section.stack.benefits.earlier #earlier aria-labelledby="earlier-title" {
            div.row {
                h2 #earlier-title { "The last answer, of " (whole(envelope.freshness.as_of, &scene.zone)) }
                (standing(patients::badge(envelope)))
                a.button.slim href={ "/checks/" (envelope.id) } { "Open the saved answer" }
            }
            (note(Tone::Look, "Saved, not live.", "What follows is what the carrier said then."))
            (body(&scene, None, None))
        }
    }
}

fn sheet(scene: &Scene, changes: Option<&ChangesView>, hands: Option<&Hands>) -> Markup {
    html! {
        div.stack.benefits {
            @if let Some(hands) = hands { (frame::said(hands.said)) }
            (scene.top(hands))
            (body(scene, changes, hands))
            @if let Some(hands) = hands {
                (history(hands.visit, hands.tries))
                (expert::expert(scene, hands.visit))
            }
        }
    }
}

fn body(scene: &Scene, changes: Option<&ChangesView>, hands: Option<&Hands>) -> Markup {
    let answer = scene.answer;
    html! {
        (head::head(scene))
        section.stack #say {
            h2.hidden { "In words" }
            p.lead { (answer.summary.paragraph.text()) }
            (changed::changed(scene, changes))
            (alerts(answer))
        }
        @if answer.facts.benefits.is_empty() {
            (note(Tone::Look, "No details.", &format!("{} said whether there is coverage, and nothing about services or money. Phone for the rest.", scene.carrier)))
        } @else {
            @if hands.is_some() { (jump()) }
            (services::asked(scene))
            (money::money(scene))
            (services::services(scene))
        }
        (rest::unsaid(scene))
        (mismatches::mismatches(scene, hands.map(|hands| (hands.visit, hands.known))))
        (rest::contacts(scene))
    }
}

impl Scene<'_> {
    fn top(&self, hands: Option<&Hands>) -> Markup {
        let envelope = self.envelope;
        let (at, saved) = (envelope.freshness.as_of, envelope.freshness.cached);
        html! {
            div.head {
                div.row { h1 { "Benefits" } (standing(patients::badge(envelope))) }
                @if let Some(hands) = hands {
                    div.row.no-print {
                        (ask_again(hands.visit, &envelope.id, "Refresh"))
                        a.button href={ "/checks/" (envelope.id) "?print=1" } { "For paper" }
                        a.button href={ "/checks/" (envelope.id) "/pdf" } data-key="p" { "PDF" }
                        @if self.paper { button.button.script-only type="button" data-print { "Print" } }
                    }
                }
            }
            p {
                @if self.paper { (answered_on(&self.carrier, at, saved, &self.zone)) }
                @else { (answered(&self.carrier, at, saved, &self.zone)) }
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

#[cfg(test)]
mod tests;
