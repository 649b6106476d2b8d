//! EB lines as benefits. What is about the same service, network, level, kind of insurance, plan, procedure, places and
//! words becomes one benefit; base, met and remaining become one accumulator. Whatever does not fit together without
//! doubt stays apart, and nothing is computed from anything else.

use std::collections::HashMap;

use connector_sdk::Phi;
use connector_sdk::answer::{AuthorizationNeed, Benefit, Coded, Level as Whose, Network};

use super::slots::{Slot, place_in, slot};
use super::words::{coded, coded_some, contact, date, identifier, provenance};
use crate::codes::Table;
use crate::response::{BenefitLine, Level, ProcedureRef};

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
    pub(super) eb: &'a BenefitLine,
    service: &'a str,
    /// All service types stand in this one line.
    unspread: bool,
}

/// What must agree for lines to be one benefit.
#[derive(PartialEq, Eq, Hash)]
struct Key<'a> {
    service: &'a str,
    procedure: Option<&'a ProcedureRef>,
    network: &'a str,
    level: &'a str,
    insurance_type: &'a str,
    plan: &'a str,
    informations: Vec<(&'a str, &'a str, &'a str)>,
    pointers: &'a [String],
    messages: Vec<&'a str>,
}

/// The benefits of the lines that `wanted` picks, with the service types it picks.
pub(super) fn benefits<'a>(
    transaction: u32,
    level: &'a Level,
    wanted: impl Fn(&BenefitLine) -> bool,
    service_wanted: impl Fn(&BenefitLine, &str) -> bool,
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

fn details(eb: &BenefitLine) -> usize {
    eb.messages.len() + eb.dates.len() + eb.references.len() + eb.parties.len() + eb.informations.len()
}

/// One line per distinct service type of an EB.
fn services<'a>(eb: &'a BenefitLine, wanted: &impl Fn(&BenefitLine, &str) -> bool, whole: bool) -> Vec<Line<'a>> {
    let first = eb.services.first().map(String::as_str).unwrap_or_default();
    if whole || eb.services.len() > MAX_SERVICES_PER_LINE {
        return vec![Line { eb, service: first, unspread: eb.services.len() > 1 }];
    }
    let mut lines: Vec<Line<'a>> = Vec::new();
    for service in eb.services.iter().map(String::as_str).filter(|service| wanted(eb, service)) {
        if !lines.iter().any(|line| line.service == service) {
            lines.push(Line { eb, service, unspread: false });
        }
    }
    if eb.services.is_empty() {
        lines.push(Line { eb, service: "", unspread: false });
    }
    lines
}

fn key<'a>(line: &Line<'a>) -> Key<'a> {
    let eb = line.eb;
    Key {
        service: line.service,
        procedure: eb.procedure.as_ref(),
        network: &eb.network,
        level: &eb.level,
        insurance_type: &eb.insurance_type,
        plan: &eb.plan,
        informations: eb
            .informations
            .iter()
            .map(|iii| (iii.kind.as_str(), iii.code.as_str(), iii.text.as_str()))
            .collect(),
        pointers: &eb.diagnosis_pointers,
        messages: eb.messages.iter().map(|(text, _)| text.as_str()).collect(),
    }
}

/// Dates, identifiers, entities and authorization of a line. Lines without any belong with the others as long as
/// there is only one such set; where there are several, each set is a benefit of its own.
fn by_context(group: Vec<Line<'_>>) -> Vec<Vec<Line<'_>>> {
    let context = |line: &Line<'_>| {
        let eb = line.eb;
        let mut parts: Vec<String> = eb.dates.iter().map(|d| format!("D{} {}", d.kind, d.text)).collect();
        parts.extend(eb.references.iter().map(|r| format!("R{} {}", r.kind, r.value)));
        parts.extend(eb.parties.iter().map(|p| format!("P{} {} {} {}", p.role, p.name, p.first, p.id)));
        if matches!(eb.authorization.as_str(), "Y" | "N") {
            parts.push(format!("A{}", eb.authorization));
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
        all.sort_by_key(|line| line.eb.position);
        return vec![all];
    }
    sets.into_iter().map(|(_, lines)| lines).collect()
}

/// Lines of one key and one context: one benefit, and one more for each line that contradicts another.
fn build(transaction: u32, level: &Level, lines: &[Line<'_>]) -> Vec<Benefit> {
    let mut found = Vec::new();
    for together in place_in(lines) {
        let mut benefit = Benefit::default();
        for line in &together {
            describe(&mut benefit, transaction, level, line);
        }
        super::slots::fill(&mut benefit, transaction, &together);
        found.push(benefit);
    }
    found
}

/// What a line says besides its number: service, network, places, dates, words.
fn describe(benefit: &mut Benefit, transaction: u32, level: &Level, line: &Line<'_>) {
    let eb = line.eb;
    benefit.service = match line.service {
        "" => Coded::new("", "Service not named"),
        code => coded(Table::ServiceType, code),
    };
    benefit.procedure = eb.procedure.as_ref().map(procedure);
    benefit.network = match eb.network.as_str() {
        "Y" => Network::In,
        "N" => Network::Out,
        "W" => Network::Both,
        _ => Network::NotStated,
    };
    benefit.level = whose(&eb.level);
    match eb.authorization.as_str() {
        "Y" => benefit.authorization = AuthorizationNeed::Required,
        "N" => benefit.authorization = AuthorizationNeed::NotRequired,
        _ => {}
    }
    benefit.insurance_type = coded_some(Table::InsuranceType, &eb.insurance_type);
    benefit.plan = super::words::some(&eb.plan);
    for iii in &eb.informations {
        match information_field(&iii.kind) {
            "places" => add(&mut benefit.places, coded(Table::Place, &iii.code)),
            "diagnoses" => add(&mut benefit.diagnoses, Phi::new(iii.code.clone())),
            _ => {
                let text = [iii.kind.as_str(), iii.code.as_str(), iii.text.as_str()].join(" ");
                add(&mut benefit.messages, Phi::new(text.trim().to_owned()));
            }
        }
        if iii.kind == "ZZ" && !iii.text.is_empty() {
            add(&mut benefit.messages, Phi::new(iii.text.clone()));
        }
    }
    for pointer in &eb.diagnosis_pointers {
        let named = pointer.parse::<usize>().ok().and_then(|at| level.diagnoses.get(at.checked_sub(1)?));
        add(&mut benefit.diagnoses, Phi::new(named.unwrap_or(pointer).clone()));
    }
    for value in &eb.dates {
        add(&mut benefit.dates, date(value));
    }
    for reference in &eb.references {
        add(&mut benefit.identifiers, identifier(reference));
    }
    for party in &eb.parties {
        add(&mut benefit.contacts, contact(party));
    }
    for (text, _) in eb.messages.iter().filter(|(text, _)| !text.is_empty()) {
        add(&mut benefit.messages, Phi::new(text.clone()));
    }
    if line.unspread {
        let also = format!("Holds for the service types {}", eb.services.join(" "));
        add(&mut benefit.messages, Phi::new(also));
    }
    places_of(benefit, transaction, eb);
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
fn places_of(benefit: &mut Benefit, transaction: u32, eb: &BenefitLine) {
    let loop_id = &eb.loop_id;
    // A line stands once in a benefit, so each place is new; looking for it among a hostile file's would take minutes.
    let mut note = |position: u32, id: &str, field: &str| {
        benefit.provenance.push(provenance(transaction, position, id, loop_id, &[field]));
    };
    eb.informations.iter().for_each(|iii| note(iii.position, "III", information_field(&iii.kind)));
    eb.dates.iter().for_each(|value| note(value.position, "DTP", "dates"));
    eb.references.iter().for_each(|reference| note(reference.position, "REF", "identifiers"));
    eb.parties.iter().for_each(|party| note(party.position, "NM1", "contacts"));
    eb.messages.iter().for_each(|(_, position)| note(*position, "MSG", "messages"));
}

pub(super) fn add<T: PartialEq>(list: &mut Vec<T>, value: T) {
    if !list.contains(&value) {
        list.push(value);
    }
}

fn procedure(sent: &ProcedureRef) -> Coded {
    let mut code = format!("{}:{}", sent.system, sent.code);
    if !sent.to.is_empty() {
        code.push('-');
        code.push_str(&sent.to);
    }
    for modifier in &sent.modifiers {
        code.push(':');
        code.push_str(modifier);
    }
    let label = if sent.description.is_empty() { code.clone() } else { sent.description.clone() };
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
