//! What is true of a person, cut into benefit lines: the shape that X12 and the hub's JSON share.

use crate::people::{Accumulator, Authorization, Benefit, Covered, Entity, Level, Network, Person, Status};

/// One benefit line, with the codes of X12 segment EB. Empty text: not said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// EB01: what the line says.
    pub(crate) info: &'static str,
    /// EB02: whose.
    pub(crate) level: &'static str,
    /// EB03: service type.
    pub(crate) service: &'static str,
    /// EB04: insurance type.
    pub(crate) insurance: &'static str,
    /// EB05: plan name.
    pub(crate) plan: &'static str,
    /// EB06: period.
    pub(crate) period: &'static str,
    /// EB07: dollars.
    pub(crate) amount: &'static str,
    /// EB08: share.
    pub(crate) share: &'static str,
    /// EB09: quantity qualifier.
    pub(crate) unit: &'static str,
    /// EB10: quantity.
    pub(crate) quantity: &'static str,
    /// EB11: authorization.
    pub(crate) authorization: &'static str,
    /// EB12: in network.
    pub(crate) network: &'static str,
    /// Days the line holds for, `YYYY-MM-DD` each, where it has its own.
    pub(crate) days: Option<(String, String)>,
    /// Words.
    pub(crate) messages: Vec<&'static str>,
    /// Somebody named with it.
    pub(crate) entity: Option<Entity>,
}

/// Calendar year, remaining, year to date, visit: X12 EB06.
const YEAR: &str = "23";
const LEFT: &str = "29";
const SO_FAR: &str = "24";
const VISIT: &str = "27";

/// All lines about a person. `asked`: service types; `30` or nothing asks for everything, else only these are told,
/// beside the plan as a whole.
pub(crate) fn lines(person: &Person, asked: &[String]) -> Vec<Line> {
    let active = person.coverage == Status::Active;
    let mut lines = vec![Line {
        info: if active { "1" } else { "6" },
        service: "30",
        insurance: person.plan.insurance_type,
        plan: person.plan.name,
        ..Line::default()
    }];
    if !active {
        return lines;
    }
    let everything = asked.is_empty() || asked.iter().any(|code| code == "30");
    for benefit in &person.benefits {
        if everything || benefit.service == "30" || asked.iter().any(|code| code == benefit.service) {
            lines.extend(benefit_lines(benefit));
        }
    }
    let mut named = |info, service, entity: &Option<Entity>| {
        if let Some(entity) = entity {
            lines.push(Line { info, service, entity: Some(entity.clone()), ..Line::default() });
        }
    };
    named("L", "", &person.primary_care);
    named("R", "30", &person.other_payer);
    named("MC", "30", &person.managed_by);
    if let Some(dollars) = person.spend_down {
        lines.push(Line { info: "Y", level: "IND", service: "30", amount: dollars, ..Line::default() });
    }
    lines
}

/// One benefit: a line for each thing that is said of it.
fn benefit_lines(benefit: &Benefit) -> Vec<Line> {
    let common = Line {
        level: match benefit.level {
            Level::Individual => "IND",
            Level::Family => "FAM",
            Level::NotStated => "",
        },
        service: benefit.service,
        authorization: match benefit.authorization {
            Authorization::Required => "Y",
            Authorization::NotRequired => "N",
            Authorization::NotStated => "",
        },
        network: match benefit.network {
            Network::In => "Y",
            Network::Out => "N",
            Network::Both => "W",
            Network::NotStated => "",
        },
        ..Line::default()
    };
    let say = |info| Line { info, ..common.clone() };
    let mut lines = Vec::new();
    match benefit.covered {
        Covered::Yes | Covered::Limited => lines.push(say("1")),
        Covered::No => lines.push(say("I")),
        Covered::NotStated => {}
    }
    if let Some(amount) = benefit.copay {
        lines.push(Line { period: VISIT, amount, ..say("B") });
    }
    if let Some(share) = benefit.coinsurance {
        lines.push(Line { share, ..say("A") });
    }
    for (info, accumulator) in [("C", &benefit.deductible), ("G", &benefit.out_of_pocket)] {
        if let Some(Accumulator { base, met, remaining }) = accumulator {
            for (period, amount) in [(YEAR, base), (SO_FAR, met), (LEFT, remaining)] {
                if let Some(amount) = amount {
                    lines.push(Line { period, amount, ..say(info) });
                }
            }
        }
    }
    if let Some(limit) = &benefit.limit {
        for (period, quantity) in [(YEAR, Some(limit.allowed)), (SO_FAR, limit.used), (LEFT, limit.remaining)] {
            if let Some(quantity) = quantity {
                lines.push(Line { period, unit: limit.unit, quantity, ..say("F") });
            }
        }
    }
    if !benefit.messages.is_empty() {
        match lines.last_mut() {
            Some(last) => last.messages.clone_from(&benefit.messages),
            None => lines.push(Line { messages: benefit.messages.clone(), ..say("D") }),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::insured_by;

    #[test]
    fn a_rich_plan_becomes_lines_and_a_question_narrows_them() {
        let people = insured_by("northstar");
        let all = lines(&people[0], &[]);
        assert!(all.len() > 30, "{}", all.len());
        assert!(all.iter().any(|line| line.info == "B" && line.service == "98" && line.amount == "40.00"));
        assert!(all.iter().any(|line| line.info == "C" && line.period == "29" && line.network == "N"));
        let narrow = lines(&people[0], &["PT".to_owned()]);
        assert!(narrow.len() < all.len());
        assert!(narrow.iter().any(|line| line.info == "F" && line.quantity == "18"));
        assert!(!narrow.iter().any(|line| line.service == "MH"));
    }
}
