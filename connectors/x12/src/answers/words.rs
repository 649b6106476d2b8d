//! Small conversions shared by the files beside this one.

use connector_sdk::Phi;
use connector_sdk::answer::{Coded, Contact, DateFact, DateSpan, Identifier, Place, Provenance};
use rust_decimal::Decimal;

use crate::codes::{Table, label};
use crate::response::{DateValue, Delivery, Party, Reference};

/// A code with our words for it, or with itself.
pub(super) fn coded(table: Table, code: &str) -> Coded {
    Coded::new(code, label(table, code).unwrap_or(code))
}

/// The same, `None` where there is no code.
pub(super) fn coded_some(table: Table, code: &str) -> Option<Coded> {
    (!code.is_empty()).then(|| coded(table, code))
}

/// The text, `None` where it is empty.
pub(super) fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// The text as patient's or carrier's text, `None` where it is empty.
pub(super) fn phi(text: &str) -> Option<Phi<String>> {
    some(text).map(Phi::new)
}

/// A number as X12 writes it: digits, one point, a leading minus. Anything else is no number.
pub(super) fn number(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain =
        !digits.is_empty() && digits.len() <= 27 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { text.parse().ok() } else { None }
}

/// Where something was read.
pub(super) fn provenance(transaction: u32, position: u32, id: &str, loop_id: &str, of: &[&str]) -> Provenance {
    Provenance {
        of: of.iter().map(|field| (*field).to_owned()).collect(),
        place: Place::Segment { transaction, position, id: id.to_owned(), loop_id: loop_id.to_owned() },
    }
}

/// A date with its meaning.
pub(super) fn date(value: &DateValue) -> DateFact {
    let span = value.span().map(|(from, to)| DateSpan { from: Some(from), to: Some(to) }).unwrap_or_default();
    DateFact { kind: coded(Table::Date, &value.kind), span, text: value.text.clone() }
}

/// The span that dates of a plan or a benefit describe: a span given as such, or separate begin and end dates.
/// A single day of "plan" or "service" is the day asked about, not a span.
pub(super) fn period(dates: &[DateValue]) -> DateSpan {
    let mut found = DateSpan::default();
    for value in dates {
        let Some((from, to)) = value.span() else { continue };
        match value.kind.as_str() {
            "291" | "292" | "307" | "435" if value.text.contains('-') => {
                found.from = found.from.or(Some(from));
                found.to = found.to.or(Some(to));
            }
            "346" | "348" | "356" | "193" | "539" | "090" => found.from = found.from.or(Some(from)),
            "347" | "349" | "357" | "194" | "540" | "091" | "036" => found.to = found.to.or(Some(to)),
            _ => {}
        }
    }
    found
}

/// A REF segment.
pub(super) fn identifier(reference: &Reference) -> Identifier {
    Identifier {
        kind: coded(Table::Reference, &reference.kind),
        value: Phi::new(reference.value.clone()),
        description: phi(&reference.description),
    }
}

/// An entity one can turn to.
pub(super) fn contact(party: &Party) -> Contact {
    let name = [&party.first, &party.middle, &party.name, &party.suffix];
    let name: Vec<&str> = name.iter().filter(|part| !part.is_empty()).map(|part| part.as_str()).collect();
    let mut identifiers = Vec::new();
    if !party.id.is_empty() {
        let kind = coded(Table::IdKind, &party.id_kind);
        identifiers.push(Identifier { kind, value: Phi::new(party.id.clone()), description: None });
    }
    if let Some((role, qualifier, code)) = &party.provider {
        let label = if qualifier == "PXC" || qualifier == "ZZ" { "Provider taxonomy" } else { qualifier.as_str() };
        let kind = Coded::new(qualifier.as_str(), label);
        identifiers.push(Identifier { kind, value: Phi::new(code.clone()), description: phi(role) });
    }
    let reach = party.reach.iter().map(|reach| Identifier {
        kind: coded(Table::Reach, &reach.kind),
        value: Phi::new(reach.value.clone()),
        description: phi(&reach.name),
    });
    Contact {
        role: coded_some(Table::Entity, &party.role),
        name: phi(&name.join(" ")),
        identifiers,
        address: party.address.iter().map(|line| Phi::new(line.clone())).collect(),
        reach: reach.collect(),
    }
}

/// A delivery pattern in words: `12 visits per calendar year`.
pub(super) fn pattern(delivery: &Delivery) -> String {
    let mut words = Vec::new();
    let one = delivery.quantity == "1";
    if !delivery.quantity.is_empty() || !delivery.quantity_kind.is_empty() {
        let kind = label(Table::Quantity, &delivery.quantity_kind).unwrap_or(&delivery.quantity_kind).to_lowercase();
        let kind = if one { kind.strip_suffix('s').unwrap_or(&kind).to_owned() } else { kind };
        words.push(format!("{} {kind}", delivery.quantity).trim().to_owned());
    }
    let unit = |code: &str| label(Table::DeliveryUnit, code).unwrap_or(code).to_owned();
    match (delivery.unit.as_str(), delivery.every.as_str()) {
        ("", "") => {}
        (code, "" | "1") => words.push(format!("per {}", unit(code))),
        (code, every) => words.push(format!("per {every} {}s", unit(code))),
    }
    let spans = [("6", "hour"), ("7", "day"), ("21", "year"), ("34", "month"), ("35", "week")];
    let span = spans.iter().find(|(code, _)| *code == delivery.period).map(|(_, word)| *word);
    match (span, delivery.period.as_str(), delivery.periods.as_str()) {
        (_, "", "") => {}
        (Some(word), _, "" | "1") => words.push(format!("in one {word}")),
        (Some(word), _, count) => words.push(format!("in {count} {word}s")),
        (None, code, count) => {
            let period = label(Table::Period, code).unwrap_or(code).to_lowercase();
            words.push(if period.starts_with("per ") { period } else { format!("per {period}") });
            if !matches!(count, "" | "1") {
                words.push(format!("({count})"));
            }
        }
    }
    for (name, code) in [("delivery days", &delivery.days), ("delivery time", &delivery.time)] {
        if !code.is_empty() {
            words.push(format!("({name} code {code})"));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_never_guessed() {
        assert_eq!(number("25.50").map(|n| n.to_string()), Some("25.50".into()));
        assert_eq!(number("-3").map(|n| n.to_string()), Some("-3".into()));
        for bad in ["", "-", "$25", "1,000", "1e3", "2 5", "."] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn patterns_in_words() {
        let hsd = |kind: &str, quantity: &str, unit: &str, period: &str, periods: &str| Delivery {
            quantity_kind: kind.into(),
            quantity: quantity.into(),
            unit: unit.into(),
            period: period.into(),
            periods: periods.into(),
            ..Delivery::default()
        };
        assert_eq!(pattern(&hsd("VS", "12", "", "23", "1")), "12 visits per calendar year");
        assert_eq!(pattern(&hsd("VS", "1", "WK", "34", "3")), "1 visit per week in 3 months");
    }
}
