//! Deductible and out-of-pocket maximum: for one person and the family, in and out of network.

use connector_sdk::answer::{Accumulator, Benefit, Level, Network};
use maud::{Markup, html};

use super::Scene;
use super::facts::{level, read};
use crate::pages::parts::money::bar;

/// Bars shown at most; the rest stands with the services.
const BARS_MAX: usize = 24;

struct Bar<'a> {
    label: String,
    network: Network,
    of: &'a Accumulator,
    read: String,
}

/// The section.
pub fn money(scene: &Scene) -> Markup {
    let bars = bars(scene);
    html! {
        section.stack #money {
            h2 { "Money" span.soft.small { ", as stated by the carrier" } }
            @if bars.is_empty() { p { "The carrier did not say anything about a deductible or an out-of-pocket maximum." } }
            @else {
                div.grid {
                    @for (network, title) in [(Network::In, "In network"), (Network::Out, "Out of network"), (Network::Both, "In and out of network"), (Network::NotStated, "Network not stated")] {
                        @let own: Vec<&Bar> = bars.iter().filter(|bar| bar.network == network).collect();
                        @if !own.is_empty() {
                            div.tight {
                                h3 { (title) }
                                @for one in own { (shown(one)) }
                            }
                        } @else if matches!(network, Network::In | Network::Out) && !bars.iter().any(|bar| bar.network == Network::Both) {
                            div.tight { h3 { (title) } p.soft { "The carrier did not say." } }
                        }
                    }
                }
            }
        }
    }
}

fn shown(one: &Bar) -> Markup {
    let text = |value: Option<rust_decimal::Decimal>| value.map(|value| value.to_string());
    let (base, met, left) = (text(one.of.base), text(one.of.met), text(one.of.remaining));
    html! { div title={ "Read at: " (one.read) } { (bar(&one.label, base.as_deref(), met.as_deref(), left.as_deref())) } }
}

/// Those of the plan as a whole; where there are none, those of the single services, with the service's name.
fn bars<'a>(scene: &Scene<'a>) -> Vec<Bar<'a>> {
    let all = &scene.answer.facts.benefits;
    let whole = |benefit: &&Benefit| benefit.service.code == "30" || benefit.service.code.is_empty();
    let own: Vec<&Benefit> = all.iter().filter(whole).collect();
    let mut bars: Vec<Bar> = own.iter().flat_map(|benefit| of(benefit, false)).collect();
    if bars.is_empty() {
        bars = all.iter().flat_map(|benefit| of(benefit, true)).collect();
    }
    bars.truncate(BARS_MAX);
    bars
}

fn of(benefit: &Benefit, named: bool) -> Vec<Bar<'_>> {
    let both =
        [("deductible", "Deductible", &benefit.deductible), ("out_of_pocket", "Out of pocket", &benefit.out_of_pocket)];
    both.into_iter()
        .filter_map(|(field, word, of)| {
            let of = of.as_ref()?;
            let mut label = word.to_owned();
            if named {
                label = format!("{label}, {}", benefit.service.label);
            }
            if let Some(level) = level(&benefit.level).filter(|_| benefit.level != Level::NotStated) {
                label = format!("{label}, {level}");
            }
            if let Some(period) = &of.period {
                label = format!("{label}, {}", period.label.to_lowercase());
            }
            Some(Bar { label, network: benefit.network, of, read: read(&benefit.provenance, field) })
        })
        .collect()
}
