//! Services: first those that were asked about, then all of them, each in and out of network.

use connector_sdk::answer::{AuthorizationNeed, Benefit, Coded, Covered, Network};
use connector_sdk::summary::service_type_label;
use maud::{Markup, html};

use super::facts::{self, limited};
use super::{Scene, coverage};
use crate::pages::parts::badge::{Tone, badge, shape};
use crate::pages::parts::money::percent;

/// Everything the carrier said of one service.
struct Service<'a> {
    code: &'a Coded,
    procedure: Option<&'a Coded>,
    benefits: Vec<&'a Benefit>,
}

impl Service<'_> {
    fn name(&self) -> String {
        match self.procedure {
            Some(procedure) if !procedure.label.is_empty() => format!("Procedure {}", procedure.label),
            Some(procedure) => format!("Procedure {}", procedure.code),
            None if self.code.label.is_empty() => format!("Service type {}", self.code.code),
            None => self.code.label.clone(),
        }
    }

    fn of(&self, network: Network) -> impl Iterator<Item = &Benefit> {
        self.benefits
            .iter()
            .copied()
            .filter(move |benefit| benefit.network == network || benefit.network == Network::Both)
    }

    /// What one pays in network, in a few words.
    fn short(&self) -> Vec<String> {
        let near: Vec<&Benefit> = self
            .of(Network::In)
            .chain(self.benefits.iter().copied().filter(|b| b.network == Network::NotStated))
            .collect();
        let mut said: Vec<String> = Vec::new();
        for benefit in near {
            if benefit.covered == Covered::No {
                said.push("not covered".to_owned());
            }
            if let Some(copay) = &benefit.copay {
                said.push(format!("{} copay", facts::amount(copay.amount)));
            }
            if let Some(share) = &benefit.coinsurance {
                said.push(format!("patient pays {}", percent(&share.patient_share.to_string())));
            }
        }
        said.dedup();
        said.truncate(3);
        said
    }

    /// Whether all of it stands among the bars of the money.
    fn only_fills(&self) -> bool {
        let fills = |benefit: &&Benefit| {
            let rest = Benefit { deductible: None, out_of_pocket: None, ..(**benefit).clone() };
            facts::of(&rest).is_empty()
        };
        self.code.code == "30" && self.benefits.iter().all(fills)
    }

    fn authorization(&self) -> AuthorizationNeed {
        let all = |need| self.benefits.iter().any(|benefit| benefit.authorization == need);
        match () {
            () if all(AuthorizationNeed::Required) => AuthorizationNeed::Required,
            () if all(AuthorizationNeed::NotRequired) => AuthorizationNeed::NotRequired,
            () => AuthorizationNeed::NotStated,
        }
    }

    fn covered(&self) -> &'static str {
        let any = |covered| self.benefits.iter().any(|benefit| benefit.covered == covered);
        match () {
            () if any(Covered::No) && any(Covered::Yes) => "in part: see below",
            () if any(Covered::No) => "no, the carrier says",
            () if any(Covered::Limited) => "within limits",
            () if any(Covered::Yes) => "yes",
            () => "the carrier did not say",
        }
    }
}

/// All services in the carrier's order; the plan as a whole first.
fn all<'a>(scene: &Scene<'a>) -> Vec<Service<'a>> {
    let mut found: Vec<Service<'a>> = Vec::new();
    for benefit in &scene.answer.facts.benefits {
        let known = found.iter_mut().find(|one| {
            one.code.code == benefit.service.code
                && one.code.label == benefit.service.label
                && one.procedure == benefit.procedure.as_ref()
        });
        match known {
            Some(one) => one.benefits.push(benefit),
            None => found.push(Service {
                code: &benefit.service,
                procedure: benefit.procedure.as_ref(),
                benefits: vec![benefit],
            }),
        }
    }
    found.sort_by_key(|one| one.code.code != "30");
    found
}

/// What was asked about, service by service; what the carrier did not answer is said.
pub fn asked(scene: &Scene) -> Markup {
    let wanted = &scene.asked;
    let services = all(scene);
    html! {
        section.stack #asked {
            h2 { "What was asked about" }
            @if wanted.is_empty() { p.soft { "The plan as a whole." } }
            @else {
                div.table {
                    table.cards {
                        thead { tr { th { "Service" } th { "Covered" } th { "Patient pays, in network" } th { "Limit" } th { "Prior authorization" } } }
                        tbody {
                            @for code in wanted {
                                @match services.iter().find(|one| one.code.code == *code && one.procedure.is_none()) {
                                    Some(service) => (row(scene, service)),
                                    None => {
                                        tr {
                                            th scope="row" { (service_type_label(code).map_or_else(|| format!("Service type {code}"), capital)) }
                                            td data-label="Answer" colspan="4" { "We asked; the carrier did not say anything about it." }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn row(scene: &Scene, service: &Service) -> Markup {
    let plan = service.code.code == "30";
    let pays = service.short().into_iter().filter(|said| said != "not covered").collect::<Vec<_>>();
    let limit: Vec<String> = service
        .benefits
        .iter()
        .filter_map(|benefit| benefit.limit.as_ref())
        .map(|limit| limited(limit).trim_start_matches("Limit: ").to_owned())
        .collect();
    html! {
        tr {
            th scope="row" { (service.name()) }
            td data-label="Covered" { @if plan { (coverage(scene.answer.facts.coverage)) } @else { (service.covered()) } }
            td data-label="Patient pays" { @if plan { "see the money below" } @else if pays.is_empty() { span.soft { "not stated" } } @else { (pays.join(", ")) } }
            td data-label="Limit" { @if limit.is_empty() { span.soft { "none stated" } } @else { (limit.join("; ")) } }
            td data-label="Authorization" { (authorization(service.authorization())) }
        }
    }
}

fn authorization(need: AuthorizationNeed) -> Markup {
    match need {
        AuthorizationNeed::Required => badge(Tone::Look, shape::FLAG, "Needed"),
        AuthorizationNeed::NotRequired => badge(Tone::Good, shape::CHECK, "Not needed"),
        AuthorizationNeed::NotStated => html! { span.soft { "not stated" } },
    }
}

/// Every service the carrier spoke of.
pub fn services(scene: &Scene) -> Markup {
    let services = all(scene);
    html! {
        section #services {
            h2 { "Services" span.soft.small { " (" (services.len()) ")" } }
            @for service in &services { (fold(service, scene.paper)) }
        }
    }
}

fn fold(service: &Service, open: bool) -> Markup {
    let short = service.short();
    let columns = [(Network::In, "In network"), (Network::Out, "Out of network")];
    let unsaid: Vec<&Benefit> =
        service.benefits.iter().copied().filter(|benefit| benefit.network == Network::NotStated).collect();
    // Where no line names a network, two empty columns would say nothing.
    let split = service.benefits.iter().any(|benefit| benefit.network != Network::NotStated);
    html! {
        details.fold .no-print[service.only_fills()] open[open] {
            summary {
                (service.name())
                @if !service.code.code.is_empty() && service.procedure.is_none() { span.soft.small { " " (service.code.code) } }
                @if !short.is_empty() { span.soft { " · " (short.join(", ")) } }
                @if service.authorization() == AuthorizationNeed::Required { " " (authorization(AuthorizationNeed::Required)) }
            }
            div.grid.columns {
                @if split {
                    @for (network, title) in columns {
                        @let own: Vec<&Benefit> = service.of(network).collect();
                        div { h3 { (title) } @if own.is_empty() { p.soft { "The carrier did not say." } } @else { @for benefit in own { (lines(benefit)) } } }
                    }
                }
                @if !unsaid.is_empty() {
                    div { h3 { @if split { "Network not stated" } @else { "In and out of network are not told apart" } } @for benefit in unsaid { (lines(benefit)) } }
                }
            }
            @if service.authorization() == AuthorizationNeed::NotStated { p.soft.small { "Prior authorization: the carrier did not say." } }
        }
    }
}

fn lines(benefit: &Benefit) -> Markup {
    let told = facts::of(benefit);
    html! {
        @if let Some(level) = facts::level(&benefit.level) { p.soft.small { "For " (level) } }
        @if told.is_empty() { p.soft { "Named, without details." } } @else { (facts::list(&told)) }
    }
}
