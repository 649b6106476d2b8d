//! Which field of a benefit an EB line fills, and which lines may fill one benefit together.

use connector_sdk::answer::{
    Accumulator, Benefit, Coded, Coinsurance, Copay, Covered, Level as Whose, Limit, OtherFact,
};
use rust_decimal::Decimal;

use super::benefits::{Line, add};
use super::plans;
use super::words::{coded, coded_some, pattern, provenance, some};
use crate::codes::Table;
use crate::eligibility::EligibilityBenefit;
use crate::model::Money;

/// The field a line fills.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Slot {
    Covered,
    Copay,
    Coinsurance,
    Amount(Family, Part),
    Limit(Part),
    Other,
}

/// Which accumulator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Family {
    Deductible,
    DeductibleLifetime,
    OutOfPocket,
    OutOfPocketLifetime,
}

/// Which part of it (EB06: 24 year to date, 29 remaining, 32 and 33 the same for a lifetime).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Part {
    Base,
    Met,
    Remaining,
}

/// Reads which field a line fills. A line whose number is missing or is none fills no field and is kept as it is.
pub(super) fn slot(eb: &EligibilityBenefit<'_>) -> Slot {
    let amount = eb.benefit.amount.get().is_some();
    let (part, lifetime) = match eb.benefit.period.as_ref() {
        "24" => (Part::Met, false),
        "29" => (Part::Remaining, false),
        "32" => (Part::Base, true),
        "33" => (Part::Remaining, true),
        // Exceeded, not exceeded: no amount of the accumulator.
        "30" | "31" if matches!(eb.benefit.information.as_ref(), "C" | "G") => return Slot::Other,
        _ => (Part::Base, false),
    };
    match (eb.benefit.information.as_ref(), lifetime) {
        ("I", _) => Slot::Covered,
        (info, _) if plans::status(info).is_some() => Slot::Covered,
        // "Remaining" and the like tell how much of a copay is left, not what a visit costs.
        ("B", _) if amount && part == Part::Base => Slot::Copay,
        ("A", _) if eb.benefit.share.get().is_some_and(|share| share >= Decimal::ZERO && share <= Decimal::ONE) => {
            Slot::Coinsurance
        }
        ("C", false) if amount => Slot::Amount(Family::Deductible, part),
        ("C", true) if amount => Slot::Amount(Family::DeductibleLifetime, part),
        ("G", false) if amount => Slot::Amount(Family::OutOfPocket, part),
        ("G", true) if amount => Slot::Amount(Family::OutOfPocketLifetime, part),
        ("F", _) => {
            Slot::Limit(if eb.benefit.quantity_qualifier == "99" && part == Part::Base { Part::Met } else { part })
        }
        _ => Slot::Other,
    }
}

/// What a line says in numbers.
#[derive(PartialEq)]
struct Numbers<'a> {
    amount: &'a Money<'a>,
    share: &'a Money<'a>,
    quantity: &'a Money<'a>,
    unit: &'a str,
    period: &'a str,
    information: &'a str,
}

/// The numbers of a line, to tell a repeated statement from a contradiction. The period counts for a base only:
/// it is what tells one year's base from another's.
fn value<'a>(line: &Line<'a>) -> Numbers<'a> {
    let eb = &line.eb.benefit;
    let slot = slot(line.eb);
    let period = if matches!(slot, Slot::Amount(_, Part::Met | Part::Remaining)) { "" } else { &eb.period };
    let information = if slot == Slot::Covered { &*eb.information } else { "" };
    let unit = &eb.quantity_qualifier;
    Numbers { amount: &eb.amount, share: &eb.share, quantity: &eb.quantity, unit, period, information }
}

/// Splits lines of one key and context into those that make one benefit together. Where two lines give different
/// values for one field, nobody can say which goes with what: each line of that field's family stands alone.
pub(super) fn place_in<'a>(lines: &[Line<'a>]) -> Vec<Vec<Line<'a>>> {
    let group_of = |slot: Slot| match slot {
        Slot::Covered => 0,
        Slot::Copay => 1,
        Slot::Coinsurance => 2,
        Slot::Amount(Family::Deductible, _) => 3,
        Slot::Amount(Family::OutOfPocket, _) => 4,
        Slot::Amount(Family::DeductibleLifetime, _) => 5,
        Slot::Amount(Family::OutOfPocketLifetime, _) => 6,
        Slot::Limit(_) => 7,
        Slot::Other => 8usize,
    };
    let mut families: [Vec<Line<'a>>; 9] = std::array::from_fn(|_| Vec::new());
    for line in lines {
        if let Some(family) = families.get_mut(group_of(slot(line.eb))) {
            family.push(*line);
        }
    }
    let yearly = [!families[3].is_empty(), !families[4].is_empty()];
    let (mut main, mut apart): (Vec<Line<'a>>, Vec<Vec<Line<'a>>>) = (Vec::new(), Vec::new());
    for (at, family) in families.into_iter().enumerate() {
        let limit_units = at == 7 && !units_agree(&family);
        let alone = at != 8 && (contradicts(&family) || limit_units);
        let lifetime_beside_yearly = (at == 5 && yearly[0]) || (at == 6 && yearly[1]);
        if alone {
            apart.extend(family.into_iter().map(|line| vec![line]));
        } else if lifetime_beside_yearly {
            apart.push(family);
        } else {
            main.extend(family);
        }
    }
    main.sort_by_key(|line| line.eb.benefit.at.0);
    let mut all = vec![main];
    all.append(&mut apart);
    all.retain(|part| !part.is_empty());
    all.sort_by_key(|part| part.first().map(|line| line.eb.benefit.at.0));
    all
}

/// Two lines fill one field with different values.
fn contradicts(family: &[Line<'_>]) -> bool {
    let mut seen: Vec<(Slot, Numbers<'_>)> = Vec::new();
    for line in family {
        let (slot, value) = (slot(line.eb), value(line));
        match seen.iter().find(|(known, _)| *known == slot) {
            Some((_, known)) if *known != value => return true,
            Some(_) => {}
            None => seen.push((slot, value)),
        }
    }
    false
}

/// All limits count the same thing: visits with visits. "Quantity used" names no unit and goes with any one.
fn units_agree(family: &[Line<'_>]) -> bool {
    let mut units: Vec<String> = family.iter().filter_map(|line| unit(line.eb)).map(|unit| unit.code).collect();
    units.sort();
    units.dedup();
    units.len() <= 1
}

fn unit(eb: &EligibilityBenefit<'_>) -> Option<Coded> {
    if eb.benefit.amount.given() && !eb.benefit.quantity.given() {
        return Some(Coded::new("USD", "US dollars"));
    }
    if !eb.benefit.quantity_qualifier.is_empty() {
        return (eb.benefit.quantity_qualifier != "99").then(|| coded(Table::Quantity, &eb.benefit.quantity_qualifier));
    }
    single_delivery(eb).and_then(|(_, kind)| coded_some(Table::Quantity, kind))
}

/// A lone HSD that is a plain count, not a rhythm: its quantity and unit.
fn single_delivery<'a>(eb: &'a EligibilityBenefit<'_>) -> Option<(Decimal, &'a str)> {
    match eb.deliveries.as_slice() {
        [only] if only.unit.is_empty() => Some((only.quantity.get()?, &*only.quantity_qualifier)),
        _ => None,
    }
}

/// Fills a benefit with the numbers of lines that go together.
pub(super) fn fill(benefit: &mut Benefit, transaction: u32, loop_id: &str, lines: &[Line<'_>]) {
    for line in lines {
        let eb = line.eb;
        let mut fields: Vec<&'static str> = match slot(eb) {
            Slot::Covered => covered(benefit, eb),
            Slot::Copay => copay(benefit, eb),
            Slot::Coinsurance => coinsurance(benefit, eb),
            Slot::Amount(family, part) => amount(benefit, eb, family, part),
            Slot::Limit(part) => limit(benefit, eb, part),
            Slot::Other => {
                benefit.other.push(other(eb, true, true, true));
                vec!["other"]
            }
        };
        for field in indicators(benefit, eb) {
            add(&mut fields, field);
        }
        add(&mut benefit.provenance, provenance(transaction, eb.benefit.at.0, "EB", loop_id, &fields));
        for rejection in &eb.rejections {
            benefit.other.push(super::rejection_fact(rejection));
            add(&mut benefit.provenance, provenance(transaction, rejection.at.0, "AAA", loop_id, &["other"]));
        }
        for delivery in &eb.deliveries {
            let of = ["limit.patterns"];
            add(&mut benefit.limit.get_or_insert_default().patterns, pattern(delivery));
            benefit.provenance.push(provenance(transaction, delivery.at.0, "HSD", loop_id, &of));
        }
    }
    let limits = lines.iter().any(|line| matches!(slot(line.eb), Slot::Limit(_)));
    let patterns = lines.iter().any(|line| slot(line.eb) == Slot::Covered && !line.eb.deliveries.is_empty());
    if (limits || patterns) && benefit.covered != Covered::No {
        benefit.covered = Covered::Limited;
    }
}

fn covered(benefit: &mut Benefit, eb: &EligibilityBenefit<'_>) -> Vec<&'static str> {
    benefit.covered = match eb.benefit.information.as_ref() {
        "1" | "2" | "3" | "4" => Covered::Yes,
        "6" | "I" => Covered::No,
        _ => Covered::NotStated,
    };
    let plain = matches!(eb.benefit.information.as_ref(), "1" | "6" | "I");
    let EligibilityBenefit { benefit: said, .. } = eb;
    let number = said.amount.given() || said.share.given() || said.quantity.given() || !said.period.is_empty();
    let mut fields = vec!["covered"];
    if benefit.level != Whose::NotStated {
        fields.push("level");
    }
    if !plain || number {
        add(&mut benefit.other, other(eb, true, true, true));
        fields.push("other");
    }
    fields
}

fn copay(benefit: &mut Benefit, eb: &EligibilityBenefit<'_>) -> Vec<&'static str> {
    if let Some(amount) = eb.benefit.amount.get() {
        benefit.copay = Some(Copay { amount, per: coded_some(Table::Period, &eb.benefit.period) });
    }
    leftover(benefit, eb, false, true, "copay.amount")
}

fn coinsurance(benefit: &mut Benefit, eb: &EligibilityBenefit<'_>) -> Vec<&'static str> {
    if let Some(patient_share) = eb.benefit.share.get() {
        benefit.coinsurance = Some(Coinsurance { patient_share, per: coded_some(Table::Period, &eb.benefit.period) });
    }
    leftover(benefit, eb, true, false, "coinsurance.patient_share")
}

fn amount(benefit: &mut Benefit, eb: &EligibilityBenefit<'_>, family: Family, part: Part) -> Vec<&'static str> {
    let deductible = matches!(family, Family::Deductible | Family::DeductibleLifetime);
    let slot = if deductible { &mut benefit.deductible } else { &mut benefit.out_of_pocket };
    let accumulator = slot.get_or_insert_with(Accumulator::default);
    let value = eb.benefit.amount.get();
    let period = coded_some(Table::Period, &eb.benefit.period);
    match part {
        Part::Base => {
            accumulator.base = value;
            accumulator.period = period;
        }
        Part::Met => accumulator.met = value,
        Part::Remaining => accumulator.remaining = value,
    }
    // Without a base, "year to date" and "left in the lifetime" still tell the period; "remaining" tells none.
    if accumulator.period.is_none() {
        accumulator.period = coded_some(Table::Period, &eb.benefit.period).filter(|period| period.code != "29");
    }
    let field = match (deductible, part) {
        (true, Part::Base) => "deductible.base",
        (true, Part::Met) => "deductible.met",
        (true, Part::Remaining) => "deductible.remaining",
        (false, Part::Base) => "out_of_pocket.base",
        (false, Part::Met) => "out_of_pocket.met",
        (false, Part::Remaining) => "out_of_pocket.remaining",
    };
    leftover(benefit, eb, false, true, field)
}

fn limit(benefit: &mut Benefit, eb: &EligibilityBenefit<'_>, part: Part) -> Vec<&'static str> {
    let limit = benefit.limit.get_or_insert_with(Limit::default);
    let by_delivery = single_delivery(eb).filter(|_| !eb.benefit.quantity.given() && !eb.benefit.amount.given());
    let value = match eb.benefit.quantity.get() {
        Some(quantity) => Some(quantity),
        None if !eb.benefit.quantity.given() => eb.benefit.amount.get().or(by_delivery.map(|(quantity, _)| quantity)),
        None => None,
    };
    limit.unit = limit.unit.take().or_else(|| unit(eb));
    let code = match (eb.benefit.period.as_ref(), eb.deliveries.as_slice()) {
        ("", [only]) if by_delivery.is_some() => only.period.as_ref(),
        (code, _) => code,
    };
    let part = match (code, by_delivery.is_some()) {
        ("29" | "33", true) => Part::Remaining,
        _ => part,
    };
    let field = match part {
        Part::Base => {
            limit.allowed = value;
            limit.period = coded_some(Table::Period, code);
            "limit.allowed"
        }
        Part::Met => {
            limit.used = value;
            "limit.used"
        }
        Part::Remaining => {
            limit.remaining = value;
            "limit.remaining"
        }
    };
    if limit.period.is_none() {
        limit.period = coded_some(Table::Period, code).filter(|period| period.code != "29");
    }
    let money_beside = eb.benefit.quantity.given() && eb.benefit.amount.given();
    let unread = value.is_none() && !(!eb.benefit.quantity.given() && !eb.benefit.amount.given());
    if money_beside || unread || eb.benefit.share.given() {
        benefit.other.push(other(eb, true, true, unread));
        return vec![field, "other"];
    }
    vec![field]
}

/// Numbers of a line that its field has no room for are kept beside it.
fn leftover(
    benefit: &mut Benefit,
    eb: &EligibilityBenefit<'_>,
    amount: bool,
    share: bool,
    field: &'static str,
) -> Vec<&'static str> {
    let left =
        (amount && eb.benefit.amount.given()) || (share && eb.benefit.share.given()) || eb.benefit.quantity.given();
    if left {
        add(&mut benefit.other, other(eb, amount, share, true));
        return vec![field, "other"];
    }
    vec![field]
}

/// EB11 and EB12: yes and no have fields; what is neither is kept beside them.
fn indicators(benefit: &mut Benefit, eb: &EligibilityBenefit<'_>) -> Vec<&'static str> {
    let mut fields = Vec::new();
    match eb.benefit.authorization.as_ref() {
        "" => {}
        "Y" | "N" => fields.push("authorization"),
        code => {
            add(&mut benefit.other, unsure("EB11", code));
            fields.push("other");
        }
    }
    match eb.benefit.network.as_ref() {
        "" | "Y" | "N" | "W" => {}
        code => {
            add(&mut benefit.other, unsure("EB12", code));
            fields.push("other");
        }
    }
    fields
}

/// Neither yes nor no: `U` where the carrier does not know, else as it came.
fn unsure(element: &str, code: &str) -> OtherFact {
    let label = match (element, code) {
        ("EB11", "U") => "The carrier does not know whether prior authorization is needed",
        ("EB12", "U") => "The carrier does not know whether it holds in network or out of network",
        _ => code,
    };
    let kind = Coded::new(format!("{element} {code}"), label);
    OtherFact { kind, amount: None, share: None, quantity: None, unit: None, period: None, text: None }
}

/// A line as it is: numbers where they are numbers, else as text.
fn other(eb: &EligibilityBenefit<'_>, amount: bool, share: bool, quantity: bool) -> OtherFact {
    let eb = &eb.benefit;
    let mut unread = Vec::new();
    let mut read = |wanted: bool, number: &Money<'_>| {
        let value = number.get().filter(|_| wanted);
        if wanted && value.is_none() && number.given() {
            unread.push(number.text().into_owned());
        }
        value
    };
    let (amount, quantity) = (read(amount, &eb.amount), read(quantity, &eb.quantity));
    // A share above one is no share (`20` for 20 %?): it is shown as text, not divided.
    let share_value = read(share, &eb.share);
    let share = share_value.filter(|value| *value <= Decimal::ONE);
    if share.is_none() && share_value.is_some() {
        unread.push(eb.share.text().into_owned());
    }
    OtherFact {
        kind: coded(Table::Benefit, &eb.information),
        amount,
        share,
        quantity,
        unit: coded_some(Table::Quantity, &eb.quantity_qualifier),
        period: coded_some(Table::Period, &eb.period),
        text: some(&unread.join(" ")),
    }
}
