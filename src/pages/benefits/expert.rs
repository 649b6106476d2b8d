//! For experts: where each figure was read, through what and how long, and the way to the bytes.

use connector_sdk::answer::{Benefit, Network};
use maud::{Markup, html};

use super::Scene;
use super::facts;
use crate::identity::Scope;
use crate::pages::parts::stamp::{lasts, moment};

/// Lines of the table at most; all of them stand in the JSON.
const LINES_MAX: usize = 600;

/// The fold.
pub fn expert(scene: &Scene) -> Markup {
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
                    dt { "Stated by the carrier" } dd { (moment(envelope.freshness.as_of, &scene.visit.zone())) }
                    @if let Some(until) = envelope.freshness.stale_after { dt { "Fresh until" } dd { (moment(until, &scene.visit.zone())) " · " (envelope.freshness.why) } }
                    dt { "Through" } dd { (source.connector) " (" (source.transport) ")" }
                    @if let Some(credential) = &source.credential { dt { "Login used" } dd { span.number { (credential) } } }
                    @if let Some(trace) = &source.trace { dt { "Trace no." } dd { span.number { (trace) } } }
                    dt { "Took" }
                    dd { (lasts(envelope.timing.total_ms)) " in all, " (lasts(envelope.timing.carrier_ms)) " with the carrier, " (lasts(envelope.timing.queued_ms)) " waiting for our own limits" }
                    @for warning in &envelope.warnings { dt { "Warning " (warning.code) } dd { (warning.text) } }
                }
                p.row {
                    a.button href={ "/v1/eligibility/" (envelope.id) } { "As JSON" }
                    @if scene.visit.may(Scope::Raw) && envelope.evidence.is_some() { a.button href={ "/checks/" (envelope.id) "/raw" } { "What was exchanged" } }
                }
                (table(&facts.benefits))
            }
        }
    }
}

fn table(benefits: &[Benefit]) -> Markup {
    let lines = benefits.iter().flat_map(|benefit| facts::of(benefit).into_iter().map(move |fact| (benefit, fact)));
    let lines: Vec<_> = lines.take(LINES_MAX + 1).collect();
    html! {
        h3 { "Where each figure was read" }
        div.table tabindex="0" role="region" aria-label="Where each figure was read" {
            table {
                thead { tr { th { "Service" } th { "Network" } th { "Said" } th { "Read at" } } }
                tbody {
                    @for (benefit, fact) in lines.iter().take(LINES_MAX) {
                        tr {
                            td { (benefit.service.code) " " (benefit.service.label) }
                            td { (network(benefit.network)) @if let Some(level) = facts::level(&benefit.level) { ", " (level) } }
                            td { (fact.text) }
                            td.small { (fact.read) }
                        }
                    }
                }
            }
        }
        @if lines.len() > LINES_MAX { p { "There are more: all of them stand in the JSON." } }
    }
}

fn network(network: Network) -> &'static str {
    match network {
        Network::In => "in",
        Network::Out => "out",
        Network::Both => "both",
        Network::NotStated => "not stated",
    }
}
