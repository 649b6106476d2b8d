//! One benefit in words, fact by fact, each with where it was read. What the carrier did not say is said to be unsaid.

use connector_sdk::answer::{
    Accumulator, AuthorizationNeed, Benefit, Coded, Covered, Level, Limit, OtherFact, Place, Provenance,
};
use maud::{Markup, html};
use rust_decimal::Decimal;

use super::head::span;
use crate::pages::parts::money::{dollars, percent};

/// Places told of one fact at most.
const PLACES_MAX: usize = 64;

/// One thing that the carrier said.
pub struct Fact {
    /// In words.
    pub text: String,
    /// Where it was read.
    pub read: String,
}

/// Everything that a benefit says; nothing that it does not.
pub fn of(benefit: &Benefit) -> Vec<Fact> {
    let mut facts = Facts { benefit, found: Vec::new() };
    match benefit.covered {
        Covered::Yes => facts.add("covered", "Covered".to_owned()),
        Covered::No => facts.add("covered", "Not covered: the carrier says so".to_owned()),
        Covered::Limited => facts.add("covered", "Covered within limits".to_owned()),
        Covered::NotStated => {}
    }
    if let Some(copay) = &benefit.copay {
        let free = if copay.amount.is_zero() { " (nothing to collect)" } else { "" };
        facts.add("copay", format!("{} copay{}{free}", amount(copay.amount), per(copay.per.as_ref())));
    }
    if let Some(share) = &benefit.coinsurance {
        let text = percent(&share.patient_share.to_string());
        facts.add("coinsurance", format!("Patient pays {text}{}", per(share.per.as_ref())));
    }
    for (name, word, filled) in [
        ("deductible", "Deductible", &benefit.deductible),
        ("out_of_pocket", "Out-of-pocket maximum", &benefit.out_of_pocket),
    ] {
        if let Some(filled) = filled {
            facts.add(name, format!("{word}: {}", accumulated(filled)));
        }
    }
    if let Some(limit) = &benefit.limit {
        facts.add("limit", limited(limit));
    }
    match benefit.authorization {
        AuthorizationNeed::Required => facts.add("authorization", "Prior authorization NEEDED".to_owned()),
        AuthorizationNeed::NotRequired => facts.add("authorization", "No prior authorization needed".to_owned()),
        AuthorizationNeed::NotStated => {}
    }
    for other in &benefit.other {
        facts.add("other", told(other));
    }
    facts.around();
    facts.found
}

struct Facts<'a> {
    benefit: &'a Benefit,
    found: Vec<Fact>,
}

impl Facts<'_> {
    fn add(&mut self, name: &str, text: String) {
        self.found.push(Fact { text, read: read(&self.benefit.provenance, name) });
    }

    /// For whom, where and when it holds, and what else stands beside it.
    fn around(&mut self) {
        let benefit = self.benefit;
        if !benefit.places.is_empty() {
            self.add("places", format!("Where: {}", labels(&benefit.places)));
        }
        if !benefit.diagnoses.is_empty() {
            let all: Vec<&str> = benefit.diagnoses.iter().map(connector_sdk::Phi::text).collect();
            self.add("diagnoses", format!("For diagnoses {}", all.join(", ")));
        }
        if !benefit.period.is_open() {
            self.add("period", format!("Holds {}", span(&benefit.period)));
        }
        for date in &benefit.dates {
            let when = if date.span.is_open() { date.text.clone() } else { span(&date.span) };
            self.add("dates", format!("{}: {when}", date.kind.label));
        }
        if let Some(kind) = &benefit.insurance_type {
            self.add("insurance_type", format!("Kind of insurance: {}", kind.label));
        }
        if let Some(plan) = &benefit.plan {
            self.add("plan", format!("Plan: {plan}"));
        }
        for own in &benefit.identifiers {
            self.add("identifiers", format!("{}: {}", own.kind.label, own.value.text()));
        }
        for one in &benefit.contacts {
            let role = one.role.as_ref().map_or("Contact", |role| role.label.as_str());
            let name = one.name.as_ref().map_or("", |name| name.text());
            let reach: Vec<String> =
                one.reach.iter().map(|way| format!("{} {}", way.kind.label, way.value.text())).collect();
            self.add("contacts", format!("{role}: {name} {}", reach.join(", ")).trim_end().to_owned());
        }
        for message in &benefit.messages {
            self.add("messages", format!("The carrier’s words: “{}”", message.text()));
        }
    }
}

/// An amount, as the carrier sent it.
pub fn amount(value: Decimal) -> String {
    dollars(&value.to_string())
}

/// `, per visit`.
fn per(per: Option<&Coded>) -> String {
    per.filter(|per| !per.label.is_empty()).map_or_else(String::new, |per| format!(", per {}", lower(&per.label)))
}

fn lower(label: &str) -> String {
    // A word of capitals is an abbreviation.
    if label.chars().skip(1).any(char::is_uppercase) { label.to_owned() } else { label.to_lowercase() }
}

fn labels(all: &[Coded]) -> String {
    all.iter().map(|one| one.label.as_str()).collect::<Vec<_>>().join(", ")
}

/// What is said of an amount that fills up.
pub fn accumulated(of: &Accumulator) -> String {
    let mut said = Vec::new();
    if let Some(base) = of.base {
        said.push(amount(base));
    }
    if let Some(met) = of.met {
        said.push(format!("{} met", amount(met)));
    }
    if let Some(left) = of.remaining {
        said.push(format!("{} left", amount(left)));
    }
    if let Some(period) = &of.period {
        said.push(lower(&period.label));
    }
    if said.is_empty() { "amount not stated".to_owned() } else { said.join(", ") }
}

/// A limit: `8 of 20 visits left, per calendar year`.
pub fn limited(limit: &Limit) -> String {
    let unit = limit.unit.as_ref().map_or("", |unit| unit.label.as_str());
    let money = unit.eq_ignore_ascii_case("US dollars") || unit.eq_ignore_ascii_case("dollars");
    let one = |value: Decimal| if money { amount(value) } else { value.normalize().to_string() };
    let unit = if money || unit.is_empty() { String::new() } else { format!(" {}", lower(unit)) };
    let mut said = Vec::new();
    match (limit.remaining, limit.allowed) {
        (Some(left), Some(all)) => said.push(format!("{} of {}{unit} left", one(left), one(all))),
        (Some(left), None) => said.push(format!("{}{unit} left", one(left))),
        (None, Some(all)) => said.push(format!("{}{unit} allowed", one(all))),
        (None, None) => {}
    }
    if let Some(used) = limit.used {
        said.push(format!("{} used", one(used)));
    }
    if let Some(period) = &limit.period {
        said.push(format!("per {}", lower(&period.label)));
    }
    said.extend(limit.patterns.iter().cloned());
    format!("Limit: {}", if said.is_empty() { "the carrier gave no number".to_owned() } else { said.join(", ") })
}

fn told(other: &OtherFact) -> String {
    let mut said = Vec::new();
    if let Some(value) = other.amount {
        said.push(amount(value));
    }
    if let Some(share) = other.share {
        said.push(percent(&share.to_string()));
    }
    if let Some(quantity) = other.quantity {
        let unit = other.unit.as_ref().map_or(String::new(), |unit| format!(" {}", lower(&unit.label)));
        said.push(format!("{}{unit}", quantity.normalize()));
    }
    if let Some(period) = &other.period {
        said.push(format!("per {}", lower(&period.label)));
    }
    if let Some(text) = &other.text {
        said.push(format!("“{text}”"));
    }
    let kind = if other.kind.label.is_empty() { "The carrier adds" } else { other.kind.label.as_str() };
    if said.is_empty() { kind.to_owned() } else { format!("{kind}: {}", said.join(", ")) }
}

/// For whom: one person, the family.
pub fn level(level: &Level) -> Option<String> {
    Some(match level {
        Level::Individual => "one person".to_owned(),
        Level::Family => "the family".to_owned(),
        Level::EmployeeOnly => "the employee only".to_owned(),
        Level::EmployeeAndSpouse => "employee and spouse".to_owned(),
        Level::EmployeeAndChildren => "employee and children".to_owned(),
        Level::SpouseAndChildren => "spouse and children".to_owned(),
        Level::SpouseOnly => "the spouse only".to_owned(),
        Level::ChildrenOnly => "children only".to_owned(),
        Level::DependentsOnly => "dependents only".to_owned(),
        Level::NotStated => return None,
        Level::Unknown(code) => format!("level {code}"),
    })
}

/// Where something was read: the place of this field, else of the whole.
pub fn read(all: &[Provenance], field: &str) -> String {
    let names_it = |one: &&Provenance| {
        one.of.iter().any(|of| of == field || of.strip_prefix(field).is_some_and(|rest| rest.starts_with(['.', '['])))
    };
    let mut found: Vec<&Provenance> = all.iter().filter(names_it).collect();
    if found.is_empty() {
        found = all.iter().filter(|one| one.of.is_empty()).collect();
    }
    if found.is_empty() {
        found = all.iter().take(1).collect();
    }
    let places = places(found.into_iter());
    if places.is_empty() { "place not kept".to_owned() } else { places }
}

/// Places, each once, with `; ` between them.
pub fn places<'a>(all: impl Iterator<Item = &'a Provenance>) -> String {
    let mut places: Vec<String> = Vec::new();
    for one in all.take(PLACES_MAX) {
        let text = place(&one.place);
        if !places.contains(&text) {
            places.push(text);
        }
    }
    places.join("; ")
}

fn place(place: &Place) -> String {
    match place {
        Place::Segment { transaction, position, id, loop_id } => {
            let of = if *transaction > 1 { format!(" of transaction {transaction}") } else { String::new() };
            format!("{id}, segment {position}{of}, loop {loop_id}")
        }
        Place::Json { reply, pointer } => format!("{pointer} in reply {reply}"),
        Place::Page { page, selector, row } => {
            let row = row.map_or_else(String::new, |row| format!(", row {row}"));
            format!("page {page}, “{selector}”{row}")
        }
    }
}

/// Facts as a list; where each was read stands in its title, and in full in the expert's table.
pub fn list(facts: &[Fact]) -> Markup {
    html! { ul.facts { @for fact in facts { li title={ "Read at: " (fact.read) } { (fact.text) } } } }
}
