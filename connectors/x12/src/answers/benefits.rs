//! EB lines as benefits. What is about the same service, network, level, kind of insurance, plan, procedure, places and
//! words becomes one benefit; base, met and remaining become one accumulator. Whatever does not fit together without
//! doubt stays apart, and nothing is computed from anything else.

use std::collections::HashMap;

use connector_sdk::Phi;
use connector_sdk::answer::{AuthorizationNeed, Benefit, Coded, Level as Whose, Network};

use super::slots::{Slot, place_in, slot};
use super::words::{coded, coded_some, contact, date, identifier, period, provenance};
use crate::codes::Table;
use crate::eligibility::{Eb, EligibilityBenefit, Level};
use crate::model::common::Procedure;
use crate::model::health::DiagnosisPointers;

/// Service types that one EB is spread over; there are about 190 codes.
const MAX_SERVICES_PER_LINE: usize = 250;
/// Lines and their details after spreading over service types; later lines are kept whole, with their service types
/// as text.
const MAX_SPREAD: usize = 50_000;
/// Lines that are looked at together, to see whether they make one benefit; real answers have a handful.
const MAX_GROUP_LINES: usize = 200;

/// One EB line for one of its service types.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) eb: &'a EligibilityBenefit<'a>,
    service: &'a str,
    /// All service types stand in this one line.
    unspread: bool,
}

/// What must agree for lines to be one benefit.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    service: &'a str,
    procedure: [&'a str; 8],
    network: &'a str,
    level: &'a str,
    insurance_type: &'a str,
    plan: &'a str,
    informations: Vec<(&'a str, &'a str, &'a str)>,
    pointers: [&'a str; 4],
    messages: Vec<&'a str>,
}

/// The benefits of the lines that `wanted` picks, with the service types it picks.
pub(super) fn benefits<'a>(
    transaction: u32,
    level: &Level<'a>,
    wanted: impl Fn(&EligibilityBenefit<'_>) -> bool,
    service_wanted: impl Fn(&EligibilityBenefit<'_>, &str) -> bool,
) -> Vec<Benefit> {
    let mut groups: Vec<Vec<Line<'a>>> = Vec::new();
    let mut by_key: HashMap<Key<'a>, usize> = HashMap::new();
    let mut spread = 0;
    for eb in level.benefits.iter().filter(|line| wanted(line)) {
        for line in services(eb, &service_wanted, spread >= MAX_SPREAD) {
            spread += 1 + details(eb);
            let next = groups.len();
            let at = *by_key.entry(key(&line)).or_insert(next);
            match groups.get_mut(at) {
                Some(group) if group.len() < MAX_GROUP_LINES => group.push(line),
                Some(_) => {
                    by_key.insert(key(&line), next);
                    groups.push(vec![line]);
                }
                None => groups.push(vec![line]),
            }
        }
    }
    let mut found = Vec::new();
    for group in groups {
        for part in by_context(group) {
            found.extend(build(transaction, level, &part));
        }
    }
    found
}

fn details(eb: &EligibilityBenefit<'_>) -> usize {
    eb.messages.len() + eb.dates.len() + eb.references.len() + eb.entities.len() + eb.information.len()
}

/// EB03, each repeat that says something.
pub(super) fn service_types<'a>(eb: &'a Eb<'_>) -> impl Iterator<Item = &'a str> + Clone {
    eb.service_types.iter().map(|code| &**code).filter(|code| !code.is_empty())
}

/// EB13, where it names a procedure.
pub(super) fn asked_procedure<'a, 'm>(eb: &'a Eb<'m>) -> Option<&'a Procedure<'m>> {
    Some(&eb.procedure).filter(|procedure| !procedure.system.is_empty() || !procedure.code.is_empty())
}

/// One line per distinct service type of an EB.
fn services<'a>(
    eb: &'a EligibilityBenefit<'a>,
    wanted: &impl Fn(&EligibilityBenefit<'_>, &str) -> bool,
    whole: bool,
) -> Vec<Line<'a>> {
    let codes = service_types(&eb.benefit);
    let count = codes.clone().count();
    if whole || count > MAX_SERVICES_PER_LINE {
        return vec![Line { eb, service: codes.clone().next().unwrap_or_default(), unspread: count > 1 }];
    }
    let mut lines: Vec<Line<'a>> = Vec::new();
    for service in codes.filter(|service| wanted(eb, service)) {
        if !lines.iter().any(|line| line.service == service) {
            lines.push(Line { eb, service, unspread: false });
        }
    }
    if count == 0 {
        lines.push(Line { eb, service: "", unspread: false });
    }
    lines
}

fn key<'a>(line: &Line<'a>) -> Key<'a> {
    let EligibilityBenefit { benefit: eb, information, messages, .. } = line.eb;
    let Procedure { system, code, modifier_1, modifier_2, modifier_3, modifier_4, description, code_to, .. } =
        &eb.procedure;
    let procedure: [&str; 8] = [system, code, modifier_1, modifier_2, modifier_3, modifier_4, description, code_to];
    let DiagnosisPointers { first, second, third, fourth, .. } = &eb.diagnoses;
    Key {
        service: line.service,
        procedure,
        network: &eb.network,
        level: &eb.coverage_level,
        insurance_type: &eb.insurance_type,
        plan: &eb.plan,
        informations: information.iter().map(|iii| (&*iii.qualifier, &*iii.code, &*iii.text)).collect(),
        pointers: [first, second, third, fourth].map(|pointer| &**pointer),
        messages: messages.iter().map(|message| &*message.text).collect(),
    }
}

/// Dates, identifiers, entities and authorization of a line. Lines without any belong with the others as long as
/// there is only one such set; where there are several, each set is a benefit of its own.
fn by_context(group: Vec<Line<'_>>) -> Vec<Vec<Line<'_>>> {
    let context = |line: &Line<'_>| {
        let eb = line.eb;
        let mut parts: Vec<String> = eb.dates.iter().map(|d| format!("D{} {}", d.qualifier, d.value)).collect();
        parts.extend(eb.references.iter().map(|r| format!("R{} {}", r.qualifier, r.value)));
        let entities = eb.entities.iter().map(|entity| &entity.name);
        parts.extend(entities.map(|nm1| format!("P{} {} {} {}", nm1.entity, nm1.last_name, nm1.first_name, nm1.id)));
        if matches!(eb.benefit.authorization.as_ref(), "Y" | "N") {
            parts.push(format!("A{}", eb.benefit.authorization));
        }
        if !matches!(slot(eb), Slot::Limit(..) | Slot::Covered) {
            parts.extend(eb.deliveries.iter().map(super::words::pattern));
        }
        parts
    };
    let mut sets: Vec<(Vec<String>, Vec<Line<'_>>)> = Vec::new();
    for line in group {
        let own = context(&line);
        match sets.iter_mut().find(|(set, _)| *set == own) {
            Some((_, lines)) => lines.push(line),
            None => sets.push((own, vec![line])),
        }
    }
    if sets.iter().filter(|(set, _)| !set.is_empty()).count() <= 1 {
        let mut all: Vec<Line<'_>> = sets.into_iter().flat_map(|(_, lines)| lines).collect();
        all.sort_by_key(|line| line.eb.benefit.at.0);
        return vec![all];
    }
    sets.into_iter().map(|(_, lines)| lines).collect()
}

/// Lines of one key and one context: one benefit, and one more for each line that contradicts another.
fn build(transaction: u32, level: &Level<'_>, lines: &[Line<'_>]) -> Vec<Benefit> {
    let mut found = Vec::new();
    for together in place_in(lines) {
        let mut benefit = Benefit::default();
        for line in &together {
            describe(&mut benefit, transaction, level, line);
        }
        super::slots::fill(&mut benefit, transaction, &level.kind.loop_id("2110"), &together);
        found.push(benefit);
    }
    found
}

/// What a line says besides its number: service, network, places, dates, words.
fn describe(benefit: &mut Benefit, transaction: u32, level: &Level<'_>, line: &Line<'_>) {
    let eb = line.eb;
    benefit.service = match line.service {
        "" => Coded::new("", "Service not named"),
        code => coded(Table::ServiceType, code),
    };
    benefit.procedure = asked_procedure(&eb.benefit).map(procedure);
    benefit.network = match eb.benefit.network.as_ref() {
        "Y" => Network::In,
        "N" => Network::Out,
        "W" => Network::Both,
        _ => Network::NotStated,
    };
    benefit.level = whose(&eb.benefit.coverage_level);
    match eb.benefit.authorization.as_ref() {
        "Y" => benefit.authorization = AuthorizationNeed::Required,
        "N" => benefit.authorization = AuthorizationNeed::NotRequired,
        _ => {}
    }
    benefit.insurance_type = coded_some(Table::InsuranceType, &eb.benefit.insurance_type);
    benefit.plan = super::words::some(&eb.benefit.plan);
    for iii in &eb.information {
        match information_field(&iii.qualifier) {
            "places" => add(&mut benefit.places, coded(Table::Place, &iii.code)),
            "diagnoses" => add(&mut benefit.diagnoses, Phi::new(iii.code.to_string())),
            _ => {
                let text = [&*iii.qualifier, &*iii.code, &*iii.text].join(" ");
                add(&mut benefit.messages, Phi::new(text.trim().to_owned()));
            }
        }
        if iii.qualifier == "ZZ" && !iii.text.is_empty() {
            add(&mut benefit.messages, Phi::new(iii.text.to_string()));
        }
    }
    let DiagnosisPointers { first, second, third, fourth, .. } = &eb.benefit.diagnoses;
    for pointer in [first, second, third, fourth].into_iter().filter(|pointer| !pointer.is_empty()) {
        let codes = level.health().map_or(&[][..], |hi| &hi.codes);
        let named = pointer.parse::<usize>().ok().and_then(|at| codes.get(at.checked_sub(1)?));
        let code = named.map(|code| &code.code).filter(|code| !code.is_empty());
        add(&mut benefit.diagnoses, Phi::new(code.unwrap_or(pointer).to_string()));
    }
    let span = period(&eb.dates);
    if !span.is_open() {
        benefit.period = span;
    }
    for value in &eb.dates {
        add(&mut benefit.dates, date(value));
    }
    for reference in &eb.references {
        add(&mut benefit.identifiers, identifier(reference));
    }
    for party in &eb.entities {
        add(&mut benefit.contacts, contact(party));
    }
    for message in eb.messages.iter().filter(|message| !message.text.is_empty()) {
        add(&mut benefit.messages, Phi::new(message.text.to_string()));
    }
    if line.unspread {
        let also = format!("Holds for the service types {}", service_types(&eb.benefit).collect::<Vec<_>>().join(" "));
        add(&mut benefit.messages, Phi::new(also));
    }
    places_of(benefit, transaction, &level.kind.loop_id("2110"), eb);
}

/// The field that an III segment of this kind (III01) goes to.
fn information_field(kind: &str) -> &'static str {
    match kind {
        "ZZ" => "places",
        "BF" | "BK" | "ABF" | "ABK" => "diagnoses",
        _ => "messages",
    }
}

/// Where the details of a line stand. The EB itself is noted with the field its number went to.
fn places_of(benefit: &mut Benefit, transaction: u32, loop_id: &str, eb: &EligibilityBenefit<'_>) {
    // A line stands once in a benefit, so each place is new; looking for it among a hostile file's would take minutes.
    let mut note = |position: u32, id: &str, field: &str| {
        benefit.provenance.push(provenance(transaction, position, id, loop_id, &[field]));
    };
    eb.information.iter().for_each(|iii| note(iii.at.0, "III", information_field(&iii.qualifier)));
    eb.dates.iter().for_each(|value| note(value.at.0, "DTP", "dates"));
    eb.references.iter().for_each(|reference| note(reference.at.0, "REF", "identifiers"));
    eb.entities.iter().for_each(|party| note(party.name.at.0, "NM1", "contacts"));
    eb.messages.iter().for_each(|message| note(message.at.0, "MSG", "messages"));
}

pub(super) fn add<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

fn procedure(sent: &Procedure<'_>) -> Coded {
    let mut code = format!("{}:{}", sent.system, sent.code);
    if !sent.code_to.is_empty() {
        code.push('-');
        code.push_str(&sent.code_to);
    }
    let modifiers = [&sent.modifier_1, &sent.modifier_2, &sent.modifier_3, &sent.modifier_4];
    for modifier in modifiers.into_iter().filter(|modifier| !modifier.is_empty()) {
        code.push(':');
        code.push_str(modifier);
    }
    let label = if sent.description.is_empty() { code.clone() } else { sent.description.to_string() };
    Coded::new(code, label)
}

fn whose(code: &str) -> Whose {
    match code {
        "" => Whose::NotStated,
        "IND" => Whose::Individual,
        "FAM" => Whose::Family,
        "EMP" => Whose::EmployeeOnly,
        "ESP" => Whose::EmployeeAndSpouse,
        "ECH" => Whose::EmployeeAndChildren,
        "SPC" => Whose::SpouseAndChildren,
        "SPO" => Whose::SpouseOnly,
        "CHD" => Whose::ChildrenOnly,
        "DEP" => Whose::DependentsOnly,
        other => Whose::Unknown(other.to_owned()),
    }
}
