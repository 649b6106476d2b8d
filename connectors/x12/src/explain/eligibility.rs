//! A 271 told as a person would tell it (feature `answers`).

use std::fmt::Write;

use connector_sdk::answer::{Accumulator, Benefit, Coded, EligibilityAnswer, Network};
use connector_sdk::{Outcome, Refusal, answer::Covered};
use jiff::civil::Date;

use crate::eligibility::Response;
use crate::envelope::Transaction;

/// Tells a 271; `false`, and nothing told, where it is something else.
pub(super) fn tell(text: &mut String, transaction: &Transaction, today: Date) -> bool {
    let Some(response) = Response::read(transaction) else { return false };
    let _ = writeln!(text, "Eligibility answer (271), control number {}", transaction.control);
    for answered in crate::answers::eligibility(&response, None) {
        match answered.outcome {
            Outcome::Answered(facts) => {
                answer(text, &connector_sdk::summary::complete(facts, None, response.date().unwrap_or(today)));
            }
            Outcome::Refused(refused) => refusal(text, &refused),
        }
    }
    super::findings(text, "Odd about its structure", &response.findings);
    true
}

/// A refusal with the carrier's codes.
pub(super) fn refusal(text: &mut String, refusal: &Refusal) {
    let _ = writeln!(text, "  Refused: {}", refusal.text);
    for code in &refusal.carrier_codes {
        let meaning = code.meaning.as_deref().unwrap_or("a code nobody here knows");
        let place = code.loop_id.as_deref().unwrap_or("?");
        let _ = writeln!(text, "  - AAA {} in {place}: {meaning}", code.code);
        let follow_up = code.follow_up.as_deref();
        if let Some(words) = follow_up.and_then(|code| crate::codes::label(crate::codes::Table::FollowUp, code)) {
            let _ = writeln!(text, "    {words}.");
        }
    }
    if !refusal.look_at.is_empty() {
        let _ = writeln!(text, "  Look at: {}", refusal.look_at.join(", "));
    }
}

fn answer(text: &mut String, answer: &EligibilityAnswer) {
    let _ = writeln!(text, "  {}", answer.summary.paragraph.text());
    for alert in &answer.summary.alerts {
        let _ = writeln!(text, "  ! {}", alert.text.text());
    }
    for plan in &answer.facts.plans {
        let name = plan.name.as_deref().unwrap_or("Plan without a name");
        let status = plan.status_code.as_ref().map_or("status not said", |code| code.label.as_str());
        let _ = writeln!(text, "  Plan: {name} - {status}");
    }
    for each in &answer.facts.benefits {
        let words = benefit(each);
        let _ = writeln!(text, "  - {words}");
        for message in &each.messages {
            let _ = writeln!(text, "      \"{}\"", message.text());
        }
    }
    for missing in &answer.not_stated {
        let _ = writeln!(text, "  ? {}", missing.text);
    }
}

fn benefit(benefit: &Benefit) -> String {
    let mut words = vec![benefit.service.label.clone()];
    if let Some(procedure) = &benefit.procedure {
        words.push(procedure.code.clone());
    }
    match benefit.network {
        Network::In => words.push("in network".to_owned()),
        Network::Out => words.push("out of network".to_owned()),
        Network::Both => words.push("in and out of network".to_owned()),
        Network::NotStated => {}
    }
    let mut said = Vec::new();
    match benefit.covered {
        Covered::Yes => said.push("covered".to_owned()),
        Covered::No => said.push("not covered".to_owned()),
        Covered::Limited => said.push("covered within limits".to_owned()),
        Covered::NotStated => {}
    }
    if let Some(copay) = &benefit.copay {
        said.push(format!("copay {}{}", copay.amount, per(copay.per.as_ref())));
    }
    if let Some(coinsurance) = &benefit.coinsurance {
        said.push(format!("patient's share {}{}", coinsurance.patient_share, per(coinsurance.per.as_ref())));
    }
    said.extend(benefit.deductible.as_ref().map(|amount| accumulator("deductible", amount)));
    said.extend(benefit.out_of_pocket.as_ref().map(|amount| accumulator("out-of-pocket maximum", amount)));
    if let Some(limit) = &benefit.limit {
        let unit = limit.unit.as_ref().map_or("", |unit| unit.label.as_str());
        for (name, value) in [("limit", limit.allowed), ("used", limit.used), ("left", limit.remaining)] {
            said.extend(value.map(|value| format!("{name} {value} {unit}{}", per(limit.period.as_ref()))));
        }
        said.extend(limit.patterns.iter().cloned());
    }
    for fact in &benefit.other {
        let numbers = [fact.amount, fact.share, fact.quantity].into_iter().flatten();
        let numbers: Vec<String> = numbers.map(|number| number.to_string()).collect();
        let said_of_it = format!("{} {}", fact.kind.label, numbers.join(" ")).trim().to_owned();
        said.push(match &fact.text {
            Some(text) => format!("{said_of_it} ({text})"),
            None => said_of_it,
        });
    }
    format!("{}: {}", words.join(", "), said.join("; "))
}

fn per(period: Option<&Coded>) -> String {
    period.map(|period| format!(" ({})", period.label)).unwrap_or_default()
}

fn accumulator(name: &str, amount: &Accumulator) -> String {
    let parts = [("", amount.base), ("met ", amount.met), ("remaining ", amount.remaining)];
    let parts: Vec<String> =
        parts.iter().filter_map(|(word, value)| value.map(|value| format!("{word}{value}"))).collect();
    format!("{name} {}{}", parts.join(", "), per(amount.period.as_ref()))
}
