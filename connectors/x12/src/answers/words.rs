//! Small conversions shared by the files beside this one.

use connector_sdk::Phi;
use connector_sdk::answer::{Coded, Contact, DateFact, DateSpan, Identifier, Place, Provenance};

use jiff::civil::Date;

use crate::codes::{Table, label};
use crate::eligibility::{RelatedEntity, ResponseParty};
use crate::model::common::{Dtp, Hsd, N3, N4, Nm1, Per, Prv, Ref};
use crate::review::ReviewParty;

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

/// Where something was read.
pub(super) fn provenance(transaction: u32, position: u32, id: &str, loop_id: &str, of: &[&str]) -> Provenance {
    Provenance {
        of: of.iter().map(|field| (*field).to_owned()).collect(),
        place: Place::Segment { transaction, position, id: id.to_owned(), loop_id: loop_id.to_owned() },
    }
}

/// A date with its meaning.
pub(super) fn date(value: &Dtp<'_>) -> DateFact {
    let span = value.span().map(|(from, to)| DateSpan { from: Some(from), to: Some(to) }).unwrap_or_default();
    DateFact { kind: coded(Table::Date, &value.qualifier), span, text: value.value.to_string() }
}

/// The span that dates of a plan or a benefit describe: a span given as such, or separate begin and end dates.
/// A single day of "plan" or "service" is the day asked about, not a span.
pub(super) fn period<'a>(dates: impl IntoIterator<Item = &'a Dtp<'a>>) -> DateSpan {
    let mut found = DateSpan::default();
    for value in dates {
        let Some((from, to)) = value.span() else { continue };
        match value.qualifier.as_ref() {
            "291" | "292" | "307" | "435" if value.value.contains('-') => {
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

/// Whether dates of a member say that its coverage lies wholly before or after the days asked about: all ends before the
/// first day with no new beginning behind them, or all beginnings after the last day. A single day of "plan" or
/// "eligibility" is the day asked about, as in [`period`]; other dates (COBRA, premiums) end no coverage.
pub(super) fn out_of_force<'a>(dates: impl IntoIterator<Item = &'a Dtp<'a>>, first: Date, last: Date) -> bool {
    let (mut begins, mut ends) = (Vec::new(), Vec::new());
    for value in dates {
        let Some((from, to)) = value.span() else { continue };
        match value.qualifier.as_ref() {
            "291" | "292" | "307" if value.value.contains('-') => {
                begins.push(from);
                ends.push(to);
            }
            "346" | "348" | "356" | "539" => begins.push(from),
            "347" | "349" | "357" | "540" => ends.push(to),
            _ => {}
        }
    }
    let over = ends.iter().max().is_some_and(|end| *end < first && begins.iter().all(|begin| begin <= end));
    over || begins.iter().min().is_some_and(|begin| *begin > last)
}

/// A REF segment.
pub(super) fn identifier(reference: &Ref<'_>) -> Identifier {
    Identifier {
        kind: coded(Table::Reference, &reference.qualifier),
        value: Phi::new(reference.value.to_string()),
        description: phi(&reference.description),
    }
}

/// Somebody named: an NM1 and what belongs to it, whichever loop it stands in.
#[derive(Clone, Copy)]
pub(super) struct Named<'a> {
    name: &'a Nm1<'a>,
    street: Option<&'a N3<'a>>,
    city: Option<&'a N4<'a>>,
    contacts: &'a [Per<'a>],
    provider: Option<&'a Prv<'a>>,
}

impl<'a> From<&'a ResponseParty<'a>> for Named<'a> {
    fn from(party: &'a ResponseParty<'a>) -> Self {
        let ResponseParty { name, street, city, contacts, provider, .. } = party;
        Self { name, street: street.as_ref(), city: city.as_ref(), contacts, provider: provider.as_ref() }
    }
}

impl<'a> From<&'a RelatedEntity<'a>> for Named<'a> {
    fn from(entity: &'a RelatedEntity<'a>) -> Self {
        let RelatedEntity { name, street, city, contacts, provider, .. } = entity;
        Self { name, street: street.as_ref(), city: city.as_ref(), contacts, provider: provider.as_ref() }
    }
}

impl Named<'_> {
    /// N3 and N4, line by line.
    pub(super) fn address(&self) -> Vec<Phi<String>> {
        let street = self.street.into_iter().flat_map(|n3| [n3.line_1.to_string(), n3.line_2.to_string()]);
        let place = |n4: &N4<'_>| {
            let parts = [&n4.city, &n4.state, &n4.postal_code, &n4.country];
            parts.into_iter().filter(|part| !part.is_empty()).map(|part| &**part).collect::<Vec<_>>().join(" ")
        };
        street.chain(self.city.map(place)).filter(|line| !line.is_empty()).map(Phi::new).collect()
    }

    /// PER: ways to reach it; a name alone is one too.
    fn reach(&self) -> Vec<Identifier> {
        let numbers = self.contacts.iter().flat_map(|per| {
            let all = [
                (&per.qualifier_1, &per.number_1, !per.name.is_empty()),
                (&per.qualifier_2, &per.number_2, false),
                (&per.qualifier_3, &per.number_3, false),
            ];
            let given = all.into_iter().filter(|(_, number, named)| *named || !number.is_empty());
            given.map(|(kind, number, _)| Identifier {
                kind: coded(Table::Reach, kind),
                value: Phi::new(number.to_string()),
                description: phi(&per.name),
            })
        });
        numbers.collect()
    }
}

impl<'a> From<&'a ReviewParty<'a>> for Named<'a> {
    fn from(party: &'a ReviewParty<'a>) -> Self {
        let ReviewParty { name, street, city, contacts, provider, .. } = party;
        let contacts = crate::review::few(contacts);
        Self { name, street: street.as_ref(), city: city.as_ref(), contacts, provider: provider.as_ref() }
    }
}

/// An entity one can turn to.
pub(super) fn contact<'a>(named: impl Into<Named<'a>>) -> Contact {
    let named = named.into();
    let nm1 = named.name;
    let name = [&nm1.first_name, &nm1.middle_name, &nm1.last_name, &nm1.suffix];
    let name: Vec<&str> = name.into_iter().filter(|part| !part.is_empty()).map(|part| &**part).collect();
    let mut identifiers = Vec::new();
    if !nm1.id.is_empty() {
        let kind = coded(Table::IdKind, &nm1.qualifier);
        identifiers.push(Identifier { kind, value: Phi::new(nm1.id.to_string()), description: None });
    }
    if let Some(prv) = named.provider {
        let taxonomy = prv.qualifier == "PXC" || prv.qualifier == "ZZ";
        let label = if taxonomy { "Provider taxonomy" } else { &prv.qualifier };
        let kind = Coded::new(&*prv.qualifier, label);
        identifiers.push(Identifier { kind, value: Phi::new(prv.code.to_string()), description: phi(&prv.role) });
    }
    Contact {
        role: coded_some(Table::Entity, &nm1.entity),
        name: phi(&name.join(" ")),
        identifiers,
        address: named.address(),
        reach: named.reach(),
    }
}

/// A delivery pattern in words: `12 visits per calendar year`.
pub(super) fn pattern(delivery: &Hsd<'_>) -> String {
    let mut words = Vec::new();
    let quantity = delivery.quantity.text();
    let one = quantity == "1";
    if !quantity.is_empty() || !delivery.quantity_qualifier.is_empty() {
        let kind = &delivery.quantity_qualifier;
        let kind = label(Table::Quantity, kind).unwrap_or(kind).to_lowercase();
        let kind = if one { kind.strip_suffix('s').unwrap_or(&kind).to_owned() } else { kind };
        words.push(format!("{quantity} {kind}").trim().to_owned());
    }
    let unit = |code: &str| label(Table::DeliveryUnit, code).unwrap_or(code).to_owned();
    match (delivery.unit.as_ref(), delivery.every.text().as_ref()) {
        ("", "") => {}
        (code, "" | "1") => words.push(format!("per {}", unit(code))),
        (code, every) => words.push(format!("per {every} {}s", unit(code))),
    }
    let spans = [("6", "hour"), ("7", "day"), ("21", "year"), ("34", "month"), ("35", "week")];
    let span = spans.iter().find(|(code, _)| *code == delivery.period).map(|(_, word)| *word);
    match (span, delivery.period.as_ref(), delivery.periods.text().as_ref()) {
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
    fn patterns_in_words() {
        let hsd = |kind: &'static str, quantity: u32, unit: &'static str, period: &'static str, periods: u64| Hsd {
            quantity_qualifier: kind.into(),
            quantity: rust_decimal::Decimal::from(quantity).into(),
            unit: unit.into(),
            period: period.into(),
            periods: periods.into(),
            ..Hsd::default()
        };
        assert_eq!(pattern(&hsd("VS", 12, "", "23", 1)), "12 visits per calendar year");
        assert_eq!(pattern(&hsd("VS", 1, "WK", "34", 3)), "1 visit per week in 3 months");
    }
}
