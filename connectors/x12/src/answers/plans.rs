//! Coverage lines as plans: status, dates, primary care provider, other payers.

use connector_sdk::Phi;
use connector_sdk::answer::{Contact, Coverage, DateSpan, Identifier, OtherPayer, Plan};
use jiff::civil::Date;

use super::benefits::{asked_procedure, service_types};
use super::patient::Patient;
use super::words::{coded, coded_some, contact, date, identifier, out_of_force, period, provenance, some};
use crate::codes::Table;
use crate::eligibility::{EligibilityBenefit, Level};
use crate::model::Value;

/// Plans that are told apart by looking through them all; real answers have a handful.
const MAX_COMPARED: usize = 200;

/// Dates of a member that are noted with its plans, all plans together, where there are several.
const MAX_NOTED: usize = 400;

/// How far a coverage status reaches: what EB01 says of the plan.
pub(super) fn status(info: &str) -> Option<Coverage> {
    match info {
        "1" | "2" | "3" | "4" => Some(Coverage::Active),
        "6" => Some(Coverage::Inactive),
        "5" | "7" | "8" => Some(Coverage::Pending),
        _ => None,
    }
}

/// Whether a line speaks of the plan as a whole: no service named, or 30 among them, and no procedure.
pub(super) fn whole_plan(line: &EligibilityBenefit<'_>) -> bool {
    let mut services = service_types(&line.benefit).peekable();
    asked_procedure(&line.benefit).is_none() && (services.peek().is_none() || services.any(|service| service == "30"))
}

/// REF qualifiers that have a field of their own in a plan.
fn is_plan_reference(kind: &str) -> bool {
    matches!(kind, "18" | "6P" | "1L" | "N6")
}

/// Whether a coverage line says more than a plan can hold.
pub(super) fn says_more(line: &EligibilityBenefit<'_>) -> bool {
    let eb = &line.benefit;
    let lists = [line.deliveries.len(), line.information.len(), line.entities.len(), line.rejections.len()];
    // Whose coverage it is, and for which period, are fields of a benefit; a plan has none for them.
    !eb.coverage_level.is_empty()
        || !eb.period.is_empty()
        || eb.amount.given()
        || eb.share.given()
        || eb.quantity.given()
        || !eb.authorization.is_empty()
        || !eb.network.is_empty()
        || eb.diagnoses.given()
        || lists.iter().any(|count| *count > 0)
        || line.references.iter().any(|reference| !is_plan_reference(&reference.qualifier))
}

/// The plans of a patient. Lines for [`whole_plan`] with a status, with `L` (primary care) and with `R` (other payer)
/// are all represented in what is returned.
pub(super) fn plans(patient: &Patient<'_>, level: &Level<'_>) -> Vec<Plan> {
    let transaction = patient.response.transaction;
    let loop_id = &level.kind.loop_id("2110");
    let mut plans: Vec<Plan> = Vec::new();
    for line in level.benefits.iter().filter(|line| whole_plan(line)) {
        let Some(status) = status(&line.benefit.information) else { continue };
        let insurance_type = coded_some(Table::InsuranceType, &line.benefit.insurance_type);
        let name = some(&line.benefit.plan);
        let span = period(&line.dates);
        let same = |plan: &Plan| {
            plan.name == name
                && plan.insurance_type == insurance_type
                && plan.status_code.as_ref().is_some_and(|code| code.code == line.benefit.information)
                && (plan.period == span || span == DateSpan::default() || plan.period == DateSpan::default())
        };
        let at = plans.iter().take(MAX_COMPARED).position(same);
        let plan = match at.and_then(|at| plans.get_mut(at)) {
            Some(plan) => plan,
            None => {
                let status_code = Some(coded(Table::Benefit, &line.benefit.information));
                plans.push(Plan { name, insurance_type, status, status_code, ..Plan::default() });
                let Some(plan) = plans.last_mut() else { continue };
                plan
            }
        };
        if span != DateSpan::default() {
            plan.period = span;
        }
        fill(plan, line, transaction, loop_id);
    }
    from_services(&mut plans, level, transaction, loop_id);
    from_level(&mut plans, patient, level);
    for line in level.benefits {
        match line.benefit.information.as_ref() {
            "R" => {
                let payer = other_payer(line, transaction, loop_id);
                plan_for(&mut plans, line).other_payers.push(payer);
            }
            "L" if takes_primary_care(line) => primary_care(plan_for(&mut plans, line), line, transaction, loop_id),
            _ => {}
        }
    }
    plans
}

/// Whether an `L` line goes to the plan rather than to a benefit: one provider, for the plan as a whole.
pub(super) fn takes_primary_care(line: &EligibilityBenefit<'_>) -> bool {
    line.benefit.information == "L" && whole_plan(line) && line.entities.len() <= 1 && line.rejections.is_empty()
}

/// What a coverage line adds to its plan.
fn fill(plan: &mut Plan, line: &EligibilityBenefit<'_>, transaction: u32, loop_id: &str) {
    for reference in &line.references {
        references(plan, &reference.qualifier, &reference.value);
    }
    plan.dates.extend(line.dates.iter().map(date));
    for text in line.messages.iter().map(|message| &*message.text).filter(|text| !text.is_empty()) {
        if !plan.messages.iter().take(MAX_COMPARED).any(|message| message.text() == text) {
            plan.messages.push(Phi::new(text.to_owned()));
        }
    }
    plan.provenance.push(provenance(
        transaction,
        line.benefit.at.0,
        "EB",
        loop_id,
        &["status", "name", "insurance_type"],
    ));
    for message in &line.messages {
        plan.provenance.push(provenance(transaction, message.at.0, "MSG", loop_id, &["messages"]));
    }
    for value in &line.dates {
        plan.provenance.push(provenance(transaction, value.at.0, "DTP", loop_id, &["dates"]));
    }
}

fn references(plan: &mut Plan, kind: &str, value: &str) {
    let slot = match kind {
        "18" => &mut plan.id,
        "6P" | "1L" => &mut plan.group,
        "N6" => &mut plan.network,
        _ => return,
    };
    if slot.is_none() {
        *slot = some(value);
    }
}

/// Dates and numbers of the member's own loop hold for the plan. Where there are several plans, only the dates are
/// noted, each with its meaning: which plan they belong to was not said.
fn from_level(plans: &mut Vec<Plan>, patient: &Patient<'_>, level: &Level<'_>) {
    let member = dated(patient, level);
    if plans.is_empty() && member.dates().next().is_some() && !level.benefits.is_empty() {
        plans.push(Plan::default());
    }
    let one = plans.len() == 1;
    let own = level.dates().next().is_some();
    let noted = if one && own { usize::MAX } else { MAX_NOTED.checked_div(plans.len()).unwrap_or_default().max(2) };
    let noted = if own { noted } else { noted.min(patient.repeated) };
    for plan in plans.iter_mut().take(MAX_COMPARED) {
        plan.dates.extend(member.dates().take(noted).map(date));
        for value in member.dates().take(noted) {
            let loop_id = member.kind.loop_id("2100");
            let place = provenance(patient.response.transaction, value.at.0, "DTP", &loop_id, &["dates"]);
            plan.provenance.push(place);
        }
        if one {
            let span = period(member.dates());
            plan.period.from = plan.period.from.or(span.from);
            plan.period.to = plan.period.to.or(span.to);
            for reference in level.references() {
                references(plan, &reference.qualifier, &reference.value);
            }
        }
    }
}

/// The level whose dates are the patient's: its own, or the subscriber's where it has none.
fn dated<'a>(patient: &Patient<'a>, level: &Level<'a>) -> Level<'a> {
    if level.dates().next().is_none() { patient.subscriber.unwrap_or(*level) } else { *level }
}

/// The plan a line belongs to: the one of the same name and kind, else the first; made where there is none.
fn plan_for<'a>(plans: &'a mut Vec<Plan>, line: &EligibilityBenefit<'_>) -> &'a mut Plan {
    let same = |plan: &Plan| {
        plan.name.as_deref().unwrap_or_default() == line.benefit.plan
            && plan.insurance_type.as_ref().map(|kind| kind.code.as_str()).unwrap_or_default()
                == line.benefit.insurance_type
    };
    let at = plans.iter().take(MAX_COMPARED).position(same).unwrap_or(0);
    if plans.is_empty() {
        plans.push(Plan::default());
    }
    let at = at.min(plans.len() - 1);
    &mut plans[at]
}

fn primary_care(plan: &mut Plan, line: &EligibilityBenefit<'_>, transaction: u32, loop_id: &str) {
    let named = line.entities.first().map(contact);
    plan.provenance.push(provenance(transaction, line.benefit.at.0, "EB", loop_id, &["primary_care"]));
    plan.messages.extend(line.messages.iter().map(|message| Phi::new(message.text.to_string())));
    if !line.benefit.plan.is_empty() && plan.name.as_deref() != Some(line.benefit.plan.as_ref()) {
        plan.messages.push(Phi::new(line.benefit.plan.to_string()));
    }
    plan.dates.extend(line.dates.iter().map(date));
    if let Some(mut named) = named {
        named.identifiers.extend(line.references.iter().map(identifier));
        match &mut plan.primary_care {
            // A second one is noted beside the first; which of them holds was not said.
            Some(first) if *first != named => {
                let name = named.name.clone().unwrap_or_default();
                first.identifiers.push(Identifier { kind: coded(Table::Entity, "P3"), value: name, description: None });
                first.identifiers.extend(named.identifiers);
                first.reach.extend(named.reach);
                first.address.extend(named.address);
            }
            Some(_) => {}
            slot => *slot = Some(named),
        }
    }
}

fn other_payer(line: &EligibilityBenefit<'_>, transaction: u32, loop_id: &str) -> OtherPayer {
    let is_payer = |role: &str| matches!(role, "PR" | "PRP" | "SEP" | "TTP" | "IN" | "P4" | "2B" | "GP");
    let payer = line.entities.iter().find(|party| is_payer(&party.name.entity));
    let order = payer.filter(|party| matches!(party.name.entity.as_ref(), "PRP" | "SEP" | "TTP"));
    let contacts: Vec<Contact> = line.entities.iter().map(contact).collect();
    let mut identifiers: Vec<Identifier> = line.references.iter().map(identifier).collect();
    identifiers.extend(payer.into_iter().flat_map(|party| contact(party).identifiers));
    let named = payer.and_then(|party| some(&party.name.last_name));
    let mut messages: Vec<Phi<String>> =
        line.messages.iter().map(|message| Phi::new(message.text.to_string())).collect();
    if named.is_some() && !line.benefit.plan.is_empty() {
        messages.push(Phi::new(line.benefit.plan.to_string()));
    }
    let mut places = vec![provenance(transaction, line.benefit.at.0, "EB", loop_id, &[])];
    places.extend(
        line.entities.iter().map(|party| provenance(transaction, party.name.at.0, "NM1", loop_id, &["contacts"])),
    );
    OtherPayer {
        name: named.or_else(|| some(&line.benefit.plan)),
        order: order.map(|party| coded(Table::Entity, &party.name.entity)),
        insurance_type: coded_some(Table::InsuranceType, &line.benefit.insurance_type),
        services: service_types(&line.benefit).map(|code| coded(Table::ServiceType, code)).collect(),
        identifiers,
        period: period(&line.dates),
        contacts,
        messages,
        provenance: places,
    }
}

/// A carrier that speaks of services only (a dental plan asked for 35) names its plan there. Without a line for the plan
/// as a whole, those with active services are the plans.
fn from_services(plans: &mut Vec<Plan>, level: &Level<'_>, transaction: u32, loop_id: &str) {
    if level.benefits.iter().any(|line| whole_plan(line) && status(&line.benefit.information).is_some()) {
        return;
    }
    let active = |line: &&EligibilityBenefit<'_>| {
        asked_procedure(&line.benefit).is_none() && status(&line.benefit.information) == Some(Coverage::Active)
    };
    for line in level.benefits.iter().filter(active) {
        let (name, insurance_type) =
            (some(&line.benefit.plan), coded_some(Table::InsuranceType, &line.benefit.insurance_type));
        let known = plans.iter().any(|plan| plan.name == name && plan.insurance_type == insurance_type);
        if known || plans.len() >= MAX_COMPARED {
            continue;
        }
        let of = ["status", "name", "insurance_type"];
        plans.push(Plan {
            name,
            insurance_type,
            status: Coverage::Active,
            status_code: Some(coded(Table::Benefit, &line.benefit.information)),
            provenance: vec![provenance(transaction, line.benefit.at.0, "EB", loop_id, &of)],
            ..Plan::default()
        });
    }
}

/// Coverage on the days asked about: from the lines for the plan as a whole. Where there are none, an active service of
/// those asked about (any, where `services` is empty) is coverage; beside an inactive plan it leaves open which holds.
pub(super) fn coverage(
    patient: &Patient<'_>,
    level: &Level<'_>,
    services: &[&str],
    days: Option<(Date, Date)>,
) -> Coverage {
    let asked = |line: &EligibilityBenefit<'_>| {
        let names_it = service_types(&line.benefit).any(|service| services.contains(&service));
        asked_procedure(&line.benefit).is_none() && !whole_plan(line) && (services.is_empty() || names_it)
    };
    let judge = Judge { level, days, out_of_force: member_out_of_force(patient, level, days) };
    let plan = judge.lines(whole_plan);
    let own = judge.lines(asked).filter(|own| matches!(own, Coverage::Active | Coverage::Pending));
    match (plan, own) {
        (Some(Coverage::Inactive), Some(_)) => Coverage::Unknown,
        (Some(plan), _) => plan,
        (None, own) => own.unwrap_or_default(),
    }
}

/// Whether the dates of the member's own loop say that the coverage is over, or has not begun.
fn member_out_of_force(patient: &Patient<'_>, level: &Level<'_>, days: Option<(Date, Date)>) -> bool {
    days.is_some_and(|(first, last)| out_of_force(dated(patient, level).dates(), first, last))
}

/// Judges status lines for the days asked about.
struct Judge<'a> {
    level: &'a Level<'a>,
    days: Option<(Date, Date)>,
    /// The member's dates do not reach the days; they hold for lines that have none of their own.
    out_of_force: bool,
}

impl Judge<'_> {
    /// Whether a line speaks of the days asked about: by its own dates, else by those of the member.
    fn holds(&self, line: &EligibilityBenefit<'_>) -> bool {
        let span = period(&line.dates);
        match self.days {
            Some((first, last)) if !span.is_open() => span.meets(first, last),
            _ => !self.out_of_force,
        }
    }

    /// What the status lines that `wanted` picks say together; `None` where there are none. Lines whose dates end
    /// before or begin after the days do not count, unless they are all there is against it; active and inactive at
    /// once is `Unknown`.
    fn lines(&self, wanted: impl Fn(&EligibilityBenefit<'_>) -> bool) -> Option<Coverage> {
        let lines: Vec<_> = self
            .level
            .benefits
            .iter()
            .filter(|line| wanted(line))
            .filter_map(|line| Some((status(&line.benefit.information)?, self.holds(line))))
            .collect();
        if lines.is_empty() {
            return None;
        }
        let any =
            |wanted: Coverage, held: bool| lines.iter().any(|(status, holds)| *status == wanted && (*holds || !held));
        Some(match (any(Coverage::Active, true), any(Coverage::Inactive, true), any(Coverage::Pending, true)) {
            (true, true, _) => Coverage::Unknown,
            (true, false, false) => Coverage::Active,
            (true, false, true) | (false, true, true) => Coverage::Unknown,
            (false, true, false) => Coverage::Inactive,
            (false, false, true) => Coverage::Pending,
            // An inactive line is about the time after its span: nothing speaks for coverage then.
            (false, false, false) if any(Coverage::Inactive, false) && !any(Coverage::Active, false) => {
                Coverage::Inactive
            }
            (false, false, false) => Coverage::Unknown,
        })
    }
}
