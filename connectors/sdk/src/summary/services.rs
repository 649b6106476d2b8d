//! What was said about one service: covered, what the patient pays, limits, authorization.

use rust_decimal::Decimal;

use super::{Topic, pick, words};
use crate::answer::{AuthorizationNeed, Benefit, Copay, Covered, Limit, Network, OtherFact};

/// Most different amounts named one by one.
const AMOUNTS_MOST: usize = 4;

/// More services than these are named in the first sentence alone: whoever listens has heard them.
const LISTED_ONCE: usize = 2;

/// Adds the sentences on all services asked about. Services of which the carrier says the same share their sentences.
pub(super) fn sentences(topics: &[Topic<'_>], said: &mut Vec<String>) {
    let mut groups: Vec<(Vec<String>, Vec<&Topic<'_>>)> = Vec::new();
    for topic in topics {
        let mut alike = Vec::new();
        if !topic.whole_plan {
            one(&topic.called(String::new(), String::new(), false), &mut alike);
        }
        match groups.iter_mut().find(|(words, _)| !topic.whole_plan && *words == alike) {
            Some((_, members)) => members.push(topic),
            None => groups.push((alike, vec![topic])),
        }
    }
    for (_, members) in groups {
        let [first, others @ ..] = members.as_slice() else { continue };
        let labels: Vec<String> = members.iter().map(|topic| topic.label.clone()).collect();
        let many = !others.is_empty() || words::plural(&first.label);
        let named = first.called(words::list(&labels, "and"), words::list(&labels, "or"), many);
        one(&Named { long: labels.len() > LISTED_ONCE, ..named }, said);
    }
}

/// A service, or several of which the same is said, by the names they have in sentences.
struct Named<'t, 'a> {
    topic: &'t Topic<'a>,
    /// `surgery and dental care`
    label: String,
    /// `surgery or dental care`
    either: String,
    /// `are` and not `is`.
    many: bool,
    /// So many that the list is only read once: then it is `they` and `them`.
    long: bool,
}

impl<'a> Topic<'a> {
    fn called(&self, label: String, either: String, many: bool) -> Named<'_, 'a> {
        Named { topic: self, label, either, many, long: false }
    }
}

impl Named<'_, '_> {
    fn is(&self) -> &'static str {
        if self.many { "are" } else { "is" }
    }

    /// ` for an office visit`, or nothing for the plan as a whole.
    fn for_it(&self) -> String {
        match self.topic.whole_plan {
            true => String::new(),
            false if self.long => " for each of them".to_owned(),
            false => format!(" for {}", self.label),
        }
    }
}

fn one(named: &Named<'_, '_>, said: &mut Vec<String>) {
    let topic = named.topic;
    if !topic.whole_plan {
        said.push(covered(named));
    }
    let before = said.len();
    let (copay, coinsurance) = (copay(named), coinsurance(named));
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
        let them = if named.long { "them" } else { &named.label };
        said.push(format!("The carrier did not say what the patient pays for {them}."));
    }
    said.extend(limit(named));
    said.extend(authorization(named));
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

fn covered(named: &Named<'_, '_>) -> String {
    let is = named.is();
    let Some(picked) = coverage(named.topic) else {
        let verb = if words::plural(&named.either) { "are" } else { "is" };
        return format!("The carrier did not say whether {} {verb} covered.", named.either);
    };
    let place = match picked.network {
        Network::In => " in network",
        Network::Out => " out of network",
        Network::Both => " in and out of network",
        Network::NotStated => "",
    };
    let said = |value| picked.values.contains(&value);
    let label = words::start(&named.label);
    if said(Covered::No) && picked.values.len() > 1 {
        format!("{label} {is} covered in some cases and not in others{place}.")
    } else if said(Covered::No) {
        format!("{label} {is} not covered{place}.")
    } else if said(Covered::Limited) {
        format!("{label} {is} covered{place}, within limits.")
    } else {
        format!("{label} {is} covered{place}.")
    }
}

fn copay(named: &Named<'_, '_>) -> Option<(Network, String)> {
    let picked = copays(named.topic)?;
    let amounts: Vec<String> = picked
        .values
        .iter()
        .map(|copay| format!("{}{}", words::money(copay.amount, true), words::per(copay.per.as_ref())))
        .collect();
    let service = named.for_it();
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

fn coinsurance(named: &Named<'_, '_>) -> Option<(Network, String)> {
    let picked = pick::best(named.topic.benefits.iter().copied(), |benefit| {
        benefit.coinsurance.as_ref().and_then(|coinsurance| words::percent(coinsurance.patient_share))
    })?;
    let service = named.for_it();
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

fn limit(named: &Named<'_, '_>) -> Option<String> {
    let picked = limits(named.topic)?;
    let place = picked.network_words();
    let [limit] = picked.values.as_slice() else {
        return Some(format!("There is more than one limit{}. See the details.", named.for_it()));
    };
    let service = named.for_it();
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

/// Whether the carrier says that it does not know if authorization is needed, and says nothing else of it.
pub(super) fn authorization_unknown(topic: &Topic<'_>) -> bool {
    let unknown = |fact: &OtherFact| fact.kind.code == OtherFact::AUTHORIZATION_UNKNOWN;
    authorizations(topic).is_none() && topic.benefits.iter().any(|benefit| benefit.other.iter().any(unknown))
}

fn authorization(named: &Named<'_, '_>) -> Option<String> {
    let picked = authorizations(named.topic)?;
    let (label, place) = (if named.long { "they" } else { &named.label }, picked.network_words());
    let needs = if named.many { "need" } else { "needs" };
    Some(words::start(&match (picked.values.as_slice(), named.topic.whole_plan) {
        ([AuthorizationNeed::Required], true) => "The carrier asks for prior authorization at plan level.".to_owned(),
        ([AuthorizationNeed::Required], false) => format!("{place}{label} {needs} prior authorization."),
        ([AuthorizationNeed::NotRequired], true) => return None,
        ([AuthorizationNeed::NotRequired], false) => format!("{place}{label} {needs} no prior authorization."),
        (_, true) => "In some cases, the carrier asks for prior authorization.".to_owned(),
        (_, false) => format!("In some cases, {label} {needs} prior authorization."),
    }))
}
