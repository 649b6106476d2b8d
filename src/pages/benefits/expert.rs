//! For experts: where each figure was read, through what and how long, and the way to the bytes.

use connector_sdk::EligibilityFacts;
use connector_sdk::answer::{Benefit, Network, Plan, Provenance};
use maud::{Markup, html};

use super::facts;
use super::{Scene, coverage};
use crate::identity::Scope;
use crate::pages::parts::stamp::{lasts, moment};
use crate::pages::visit::Visit;

/// Lines of the table at most; all of them stand in the JSON.
const LINES_MAX: usize = 600;

/// The fold.
pub fn expert(scene: &Scene, visit: &Visit) -> Markup {
    let (envelope, facts) = (scene.envelope, &scene.answer.facts);
    let source = &envelope.source;
    html! {
        details.fold.no-print #expert {
            summary data-key="e" {
                "Expert: " (facts.raw.transaction) ", " (facts.raw.segments) " segments or replies · " (lasts(envelope.timing.total_ms)) " · connector " (source.connector)
            }
            div.stack {
                dl.pairs {
                    dt { "Question" } dd { span.number { (envelope.id) } }
                    dt { "Stated by the carrier" } dd { (moment(envelope.freshness.as_of, &scene.zone)) }
                    @if let Some(until) = envelope.freshness.stale_after { dt { "Fresh until" } dd { (moment(until, &scene.zone)) " · " (envelope.freshness.why) } }
                    dt { "Through" } dd { (source.connector) " (" (source.transport) ")" }
                    @if let Some(credential) = &source.credential { dt { "Login used" } dd { span.number { (credential) } } }
                    @if let Some(trace) = &source.trace { dt { "Trace no." } dd { span.number { (trace) } } }
                    dt { "Took" }
                    dd { (lasts(envelope.timing.total_ms)) " in all, " (lasts(envelope.timing.carrier_ms)) " with the carrier, " (lasts(envelope.timing.queued_ms)) " waiting for our own limits" }
                    @for warning in &envelope.warnings { dt { "Warning " (warning.code) } dd { (warning.text) } }
                }
                p.row {
                    a.button href={ "/v1/eligibility/" (envelope.id) } { "As JSON" }
                    @if visit.may(Scope::Raw) && envelope.evidence.is_some() { a.button href={ "/checks/" (envelope.id) "/raw" } { "What was exchanged" } }
                }
                (table(facts))
            }
        }
    }
}

/// One line of the table.
struct Line {
    of: String,
    where_for: String,
    said: String,
    read: String,
}

/// Every fact with the place where it was read; what a line was read from beside its facts stands there too.
pub(super) fn table(facts: &EligibilityFacts) -> Markup {
    let lines: Vec<Line> =
        plans(&facts.plans).chain(facts.benefits.iter().flat_map(benefit)).take(LINES_MAX + 1).collect();
    html! {
        h3 { "Where each figure was read" }
        div.table tabindex="0" role="region" aria-label="Where each figure was read" {
            table {
                thead { tr { th { "Service" } th { "Network" } th { "Said" } th { "Read at" } } }
                tbody {
                    @for line in lines.iter().take(LINES_MAX) {
                        tr { td { (line.of) } td { (line.where_for) } td { (line.said) } td.small { (line.read) } }
                    }
                }
            }
        }
        @if lines.len() > LINES_MAX { p { "There are more: all of them stand in the JSON." } }
    }
}

fn plans(plans: &[Plan]) -> impl Iterator<Item = Line> {
    let line = |of: &str, said: String, provenance: &[Provenance]| Line {
        of: of.to_owned(),
        where_for: String::new(),
        said,
        read: facts::places(provenance.iter()),
    };
    plans.iter().flat_map(move |plan| {
        let said = plan.name.clone().unwrap_or_else(|| coverage(plan.status).to_owned());
        let payers = plan.other_payers.iter().map(move |payer| {
            line("Other payer", payer.name.clone().unwrap_or_else(|| "not named".to_owned()), &payer.provenance)
        });
        std::iter::once(line("Plan", said, &plan.provenance)).chain(payers)
    })
}

fn benefit(benefit: &Benefit) -> Vec<Line> {
    let of = format!("{} {}", benefit.service.code, benefit.service.label);
    let level = facts::level(&benefit.level).map(|level| format!(", {level}")).unwrap_or_default();
    let where_for = format!("{}{level}", network(benefit.network));
    let line = |said: String, read: String| Line { of: of.clone(), where_for: where_for.clone(), said, read };
    let told = facts::of(benefit);
    let rest = benefit.provenance.iter().filter(|one| {
        let own = facts::places(std::iter::once(*one));
        !told.iter().any(|fact| fact.read.split("; ").any(|read| read == own))
    });
    let rest = facts::places(rest);
    let mut lines: Vec<Line> = told.into_iter().map(|fact| line(fact.text, fact.read)).collect();
    if !rest.is_empty() {
        lines.push(line(if lines.is_empty() { "named, without details" } else { "the same" }.to_owned(), rest));
    }
    lines
}

fn network(network: Network) -> &'static str {
    match network {
        Network::In => "in",
        Network::Out => "out",
        Network::Both => "both",
        Network::NotStated => "not stated",
    }
}
