//! What was said about one service: covered, what the patient pays, limits, authorization.

use rust_decimal::Decimal;

use super::{Topic, pick, words};
use crate::answer::{AuthorizationNeed, Benefit, Copay, Covered, Limit, Network};

/// Most different amounts named one by one.
const AMOUNTS_MOST: usize = 4;

/// Adds the sentences on one service.
pub(super) fn sentences(topic: &Topic<'_>, said: &mut Vec<String>) {
    if !topic.whole_plan {
        said.push(covered(topic));
    }
    let before = said.len();
    let (copay, coinsurance) = (copay(topic), coinsurance(topic));
    // What holds out of network is only told where nothing was said for in network.
    let inside = |cost: &Option<(Network, String)>| cost.as_ref().is_some_and(|(network, _)| *network != Network::Out);
    let in_network = inside(&copay) || inside(&coinsurance);
    for (network, sentence) in [copay, coinsurance].into_iter().flatten() {
        if network != Network::Out || !in_network {
            said.push(sentence);
        }
    }
    let nothing_on_cost = said.len() == before;
    if nothing_on_cost && !topic.whole_plan && is_covered(topic) {
        said.push(format!("The carrier did not say what the patient pays for {}.", topic.label));
    }
    said.extend(limit(topic));
    said.extend(authorization(topic));
}

/// Whether the carrier says that the service is covered, at least within limits, and never says that it is not.
pub(super) fn is_covered(topic: &Topic<'_>) -> bool {
    coverage(topic).is_some_and(|picked| !picked.values.contains(&Covered::No))
}

/// What was said of coverage in the best network.
pub(super) fn coverage(topic: &Topic<'_>) -> Option<pick::Picked<Covered>> {
    pick::best(topic.benefits.iter().copied(), |benefit| {
        (benefit.covered != Covered::NotStated).then_some(benefit.covered)
    })
}

fn covered(topic: &Topic<'_>) -> String {
    let label = &topic.label;
    let Some(picked) = coverage(topic) else {
        return format!("The carrier did not say whether {label} is covered.");
    };
    let place = match picked.network {
        Network::In => " in network",
        Network::Out => " out of network",
        Network::Both => " in and out of network",
        Network::NotStated => "",
    };
    let said = |value| picked.values.contains(&value);
    let label = words::start(label);
    if said(Covered::No) && picked.values.len() > 1 {
        format!("{label} is covered in some cases and not in others{place}.")
    } else if said(Covered::No) {
        format!("{label} is not covered{place}.")
    } else if said(Covered::Limited) {
        format!("{label} is covered{place}, within limits.")
    } else {
        format!("{label} is covered{place}.")
    }
}

/// `for an office visit`, or nothing for the plan as a whole.
fn service_words(topic: &Topic<'_>) -> String {
    if topic.whole_plan { String::new() } else { format!(" for {}", topic.label) }
}

fn copay(topic: &Topic<'_>) -> Option<(Network, String)> {
    let picked = copays(topic)?;
    let amounts: Vec<String> = picked
        .values
        .iter()
        .map(|copay| format!("{}{}", words::money(copay.amount, true), words::per(copay.per.as_ref())))
        .collect();
    let service = service_words(topic);
    let sentence = words::start(&match amounts.as_slice() {
        [one] => format!("{}the copay{service} is {one}.", picked.network_words()),
        some if some.len() <= AMOUNTS_MOST => {
            format!(
                "{}the copay{service} is {}. The details tell which holds.",
                picked.network_words(),
                words::list(some, "or")
            )
        }
        _ => format!("{}the copay{service} depends on the case. See the details.", picked.network_words()),
    });
    Some((picked.network, sentence))
}

fn copays<'a>(topic: &Topic<'a>) -> Option<pick::Picked<&'a Copay>> {
    pick::best(topic.benefits.iter().copied(), |benefit| benefit.copay.as_ref())
}

fn coinsurance(topic: &Topic<'_>) -> Option<(Network, String)> {
    let picked = pick::best(topic.benefits.iter().copied(), |benefit| {
        benefit.coinsurance.as_ref().and_then(|coinsurance| words::percent(coinsurance.patient_share))
    })?;
    let service = service_words(topic);
    let sentence = words::start(&match picked.values.as_slice() {
        [one] => format!("{}the patient pays {one} of the cost{service}.", picked.network_words()),
        some if some.len() <= AMOUNTS_MOST => format!(
            "{}the patient pays {} of the cost{service}. The details tell which holds.",
            picked.network_words(),
            words::list(some, "or")
        ),
        _ => format!("{}the patient's share{service} depends on the case. See the details.", picked.network_words()),
    });
    Some((picked.network, sentence))
}

/// The one limit that holds, where the carrier gave one only.
pub(super) fn one_limit<'a>(topic: &Topic<'a>) -> Option<&'a Limit> {
    let picked = limits(topic)?;
    match picked.values.as_slice() {
        [one] => Some(one),
        _ => None,
    }
}

fn limits<'a>(topic: &Topic<'a>) -> Option<pick::Picked<&'a Limit>> {
    let counted = |benefit: &'a Benefit| {
        benefit.limit.as_ref().filter(|limit| limit.allowed.or(limit.used).or(limit.remaining).is_some())
    };
    pick::best(topic.benefits.iter().copied(), counted)
}

fn limit(topic: &Topic<'_>) -> Option<String> {
    let picked = limits(topic)?;
    let place = picked.network_words();
    let [limit] = picked.values.as_slice() else {
        return Some(format!("{} has more than one limit. See the details.", words::start(&topic.label)));
    };
    let service = service_words(topic);
    let period = words::per(limit.period.as_ref());
    let unit = |number: Decimal| quantity(number, limit);
    Some(words::start(&match (limit.allowed, limit.used, limit.remaining) {
        (Some(allowed), _, Some(remaining)) => {
            format!("{place}{} of {}{period} are left{service}.", bare(remaining, limit), unit(allowed))
        }
        (Some(allowed), Some(used), None) => {
            format!("{place}{} of {}{period} are used{service}.", bare(used, limit), unit(allowed))
        }
        (Some(allowed), None, None) => format!("{place}the limit{service} is {}{period}.", unit(allowed)),
        (None, Some(used), Some(remaining)) => {
            format!("{place}{} are used and {} are left{service}.", unit(used), bare(remaining, limit))
        }
        (None, None, Some(remaining)) => format!("{place}{} are left{service}.", unit(remaining)),
        (None, Some(used), None) => format!("{place}{} are used{service}.", unit(used)),
        (None, None, None) => return None,
    }))
}

fn is_money(limit: &Limit) -> bool {
    limit.unit.as_ref().is_some_and(|unit| {
        matches!(unit.code.as_str(), "$" | "USD") || unit.label.to_ascii_lowercase().contains("dollar")
    })
}

fn bare(number: Decimal, limit: &Limit) -> String {
    if is_money(limit) { words::money(number, false) } else { words::count(number) }
}

fn quantity(number: Decimal, limit: &Limit) -> String {
    let text = bare(number, limit);
    match limit.unit.as_ref().and_then(words::known) {
        Some(unit) if !is_money(limit) => format!("{text} {}", words::inside(unit)),
        _ => text,
    }
}

/// What was said of authorization in the best network.
pub(super) fn authorizations(topic: &Topic<'_>) -> Option<pick::Picked<AuthorizationNeed>> {
    pick::best(topic.benefits.iter().copied(), |benefit| {
        (benefit.authorization != AuthorizationNeed::NotStated).then_some(benefit.authorization)
    })
}

fn authorization(topic: &Topic<'_>) -> Option<String> {
    let picked = authorizations(topic)?;
    let label = if topic.whole_plan { "a service under this plan" } else { &topic.label };
    let text = match picked.values.as_slice() {
        [AuthorizationNeed::Required] if topic.whole_plan => {
            "The carrier asks for prior authorization at plan level.".to_owned()
        }
        [AuthorizationNeed::Required] => {
            format!("{}{label} needs prior authorization.", picked.network_words())
        }
        [AuthorizationNeed::NotRequired] if topic.whole_plan => return None,
        [AuthorizationNeed::NotRequired] => {
            format!("{}{label} needs no prior authorization.", picked.network_words())
        }
        _ => format!("In some cases, {label} needs prior authorization."),
    };
    Some(words::start(&text))
}
