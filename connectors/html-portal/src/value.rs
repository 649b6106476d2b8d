//! The portal's ways of writing: money, shares, dates, names, words. What cannot be read for sure is not read.

use connector_sdk::answer::{AuthorizationNeed, Coverage, Covered, Level, Network};
use connector_sdk::ask::Sex;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::document::fold;
use crate::settings::{DecimalMark, Formats, NameOrder, Words};

/// Reads an amount of money, written with or without `$` or `USD`: `$1,500.00`. Digits are grouped by threes or not at
/// all; anything else is no amount.
pub fn money(text: &str, mark: DecimalMark) -> Option<Decimal> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-').or_else(|| text.strip_prefix('−')) {
        Some(rest) => (true, rest.trim()),
        None => (false, text),
    };
    let text = text.strip_prefix("US").filter(|rest| rest.starts_with('$')).unwrap_or(text);
    let text = text.strip_prefix('$').or_else(|| text.strip_prefix("USD")).unwrap_or(text).trim();
    let text = text.strip_suffix('$').or_else(|| text.strip_suffix("USD")).unwrap_or(text).trim();
    let value = number(text, mark)?;
    Some(if negative { -value } else { value })
}

/// Reads a plain number.
pub fn number(text: &str, mark: DecimalMark) -> Option<Decimal> {
    let (group, point) = match mark {
        DecimalMark::Point => (',', '.'),
        DecimalMark::Comma => ('.', ','),
    };
    let (whole, cents) = match text.split_once(point) {
        Some((whole, cents)) => (whole, Some(cents)),
        None => (text, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut groups = whole.split(group);
    let first = groups.next()?;
    if !digits(first) || cents.is_some_and(|cents| !digits(cents) || cents.len() > 6) || whole.len() > 20 {
        return None;
    }
    let mut plain = first.to_owned();
    for next in groups {
        if first.len() > 3 || next.len() != 3 || !digits(next) {
            return None;
        }
        plain.push_str(next);
    }
    if let Some(cents) = cents {
        plain.push('.');
        plain.push_str(cents);
    }
    plain.parse().ok()
}

/// Reads a share: `20%` is `0.20`. Without the sign it is no share.
pub fn share(text: &str, mark: DecimalMark) -> Option<Decimal> {
    let value = number(text.trim().strip_suffix('%')?.trim(), mark)?;
    let share = value.checked_div(Decimal::ONE_HUNDRED)?;
    (share <= Decimal::ONE)
        .then(|| share.normalize())
        .map(|share| if share.scale() < 2 { rescaled(share) } else { share })
}

fn rescaled(mut share: Decimal) -> Decimal {
    share.rescale(2);
    share
}

/// A copay or a share out of words, when exactly one stands there: `$25 copay`, `20% after deductible`.
pub fn pays(text: &str, mark: DecimalMark) -> Option<Pays> {
    let mut found = None;
    let mut rest = Vec::new();
    for word in text.split_whitespace() {
        let bare = word.trim_matches(|c: char| matches!(c, ',' | ';' | '(' | ')'));
        let hit = if bare.starts_with('$') {
            money(bare, mark).map(Pays::Copay)
        } else if bare.ends_with('%') {
            share(bare, mark).map(Pays::Share)
        } else {
            None
        };
        match hit {
            Some(hit) if found.is_none() => found = Some(hit),
            Some(_) => return None,
            // A number without its sign could be the other half of an amount.
            None if bare.chars().any(|c| c.is_ascii_digit()) => return None,
            None => rest.push(word),
        }
    }
    found
}

/// What a patient pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pays {
    /// An amount.
    Copay(Decimal),
    /// A share.
    Share(Decimal),
}

/// A number and the words after it: `20 visits per year`.
pub fn counted(text: &str, mark: DecimalMark) -> Option<(Decimal, Option<String>)> {
    let text = text.trim();
    if text.starts_with('$') {
        return money(text, mark).map(|amount| (amount, Some("US dollars".to_owned())));
    }
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    if rest.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    Some((number(first, mark)?, (!rest.is_empty()).then(|| rest.to_owned())))
}

/// Reads a date in one of the portal's formats.
pub fn date(text: &str, formats: &Formats) -> Option<Date> {
    let text = text.trim();
    formats
        .dates
        .iter()
        .find_map(|format| Date::strptime(format, text).ok())
        .filter(|day| (1800..=9999).contains(&day.year()))
}

/// A name taken apart: last, first, the rest.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Name {
    /// Last name.
    pub last: Option<String>,
    /// First name.
    pub first: Option<String>,
    /// What stands after the first name.
    pub middle: Option<String>,
}

/// Takes a whole name apart; nothing when it is not written as `order` says.
pub fn name(text: &str, order: NameOrder) -> Name {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let some = |words: &[String]| (!words.is_empty()).then(|| words.join(" "));
    match order {
        NameOrder::LastCommaFirst => {
            let Some((last, given)) = text.split_once(',') else { return Name::default() };
            let given = words(given);
            let (first, middle) = given.split_at(given.len().min(1));
            Name { last: some(&words(last)), first: some(first), middle: some(middle) }
        }
        NameOrder::FirstLast => {
            let all = words(text);
            let [first, middle @ .., last] = all.as_slice() else { return Name::default() };
            Name { last: Some(last.clone()), first: Some(first.clone()), middle: some(middle) }
        }
    }
}

/// Letters and digits in upper case: how member ids and names are compared.
pub fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

impl Words {
    fn has(list: &[String], text: &str) -> bool {
        let text = fold(text);
        list.iter().any(|word| fold(word) == text)
    }

    /// Whether the portal says that it says nothing.
    pub fn is_nothing(&self, text: &str) -> bool {
        text.trim().is_empty() || Self::has(&self.nothing, text)
    }

    /// Coverage; `None` for words nobody listed.
    pub fn coverage(&self, text: &str) -> Option<Coverage> {
        let lists = [
            (&self.active, Coverage::Active),
            (&self.inactive, Coverage::Inactive),
            (&self.pending, Coverage::Pending),
        ];
        lists.into_iter().find(|(list, _)| Self::has(list, text)).map(|(_, state)| state)
    }

    /// Covered or not.
    pub fn covered(&self, text: &str) -> Option<Covered> {
        let lists = [(&self.no, Covered::No), (&self.yes, Covered::Yes), (&self.limited, Covered::Limited)];
        lists.into_iter().find(|(list, _)| Self::has(list, text)).map(|(_, state)| state)
    }

    /// Authorization required or not.
    pub fn authorization(&self, text: &str) -> Option<AuthorizationNeed> {
        let lists = [(&self.no, AuthorizationNeed::NotRequired), (&self.yes, AuthorizationNeed::Required)];
        lists.into_iter().find(|(list, _)| Self::has(list, text)).map(|(_, state)| state)
    }

    /// In or out of network.
    pub fn network(&self, text: &str) -> Option<Network> {
        let lists = [
            (&self.in_network, Network::In),
            (&self.out_of_network, Network::Out),
            (&self.both_networks, Network::Both),
        ];
        lists.into_iter().find(|(list, _)| Self::has(list, text)).map(|(_, state)| state)
    }

    /// Individual or family; other words are kept.
    pub fn level(&self, text: &str) -> Level {
        if Self::has(&self.individual, text) {
            Level::Individual
        } else if Self::has(&self.family, text) {
            Level::Family
        } else {
            Level::Unknown(text.to_owned())
        }
    }

    /// Sex as on file.
    pub fn sex(&self, text: &str) -> Option<Sex> {
        let lists = [(&self.female, Sex::Female), (&self.male, Sex::Male)];
        lists.into_iter().find(|(list, _)| Self::has(list, text)).map(|(_, sex)| sex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: Option<Decimal>) -> String {
        value.map_or_else(|| "none".to_owned(), |value| value.to_string())
    }

    #[test]
    fn amounts() {
        let read = |t: &str| text(money(t, DecimalMark::Point));
        for (written, want) in [
            ("$1,500.00", "1500.00"),
            ("1500", "1500"),
            ("$ 25", "25"),
            ("-$5.50", "-5.50"),
            ("US$12", "12"),
            ("25 USD", "25"),
            ("$1,50.00", "none"),
            ("1500,00", "none"),
            ("$1.500.00", "none"),
            ("$25 copay", "none"),
            ("", "none"),
            ("$", "none"),
            ("99999999999999999999999", "none"),
            ("1234,567", "none"),
            ("$٣", "none"),
        ] {
            assert_eq!(read(written), want, "{written}");
        }
        assert_eq!(text(money("1.500,00", DecimalMark::Comma)), "1500.00");
        assert_eq!(text(money("1,500.00", DecimalMark::Comma)), "none");
    }

    #[test]
    fn shares_and_mixed_cells() {
        assert_eq!(text(share("20%", DecimalMark::Point)), "0.20");
        assert_eq!(text(share("12.5 %", DecimalMark::Point)), "0.125");
        assert_eq!(text(share("0%", DecimalMark::Point)), "0.00");
        assert_eq!(text(share("20", DecimalMark::Point)), "none");
        assert_eq!(text(share("250%", DecimalMark::Point)), "none");
        let mixed = |t: &str| pays(t, DecimalMark::Point);
        assert_eq!(mixed("$25 copay"), Some(Pays::Copay(Decimal::from(25))));
        assert_eq!(mixed("20% after deductible"), Some(Pays::Share(Decimal::new(20, 2))));
        assert_eq!(mixed("$25 copay, then 20%"), None);
        assert_eq!(mixed("$25 for 3 visits"), None);
        assert_eq!(mixed("No charge"), None);
    }

    #[test]
    fn counts_dates_names() {
        let mark = DecimalMark::Point;
        assert_eq!(counted("20 visits per year", mark), Some((Decimal::from(20), Some("visits per year".into()))));
        assert_eq!(counted("12", mark), Some((Decimal::from(12), None)));
        assert_eq!(counted("1 per 6 months", mark), None);
        assert_eq!(counted("unlimited", mark), None);
        let formats = Formats::default();
        assert_eq!(date("02/29/1980", &formats), Some(jiff::civil::date(1980, 2, 29)));
        assert_eq!(date("2026-01-31", &formats), Some(jiff::civil::date(2026, 1, 31)));
        assert_eq!(date("13/01/2026", &formats), None);
        assert_eq!(date("01/01/26", &formats), None);
        let apart = name("De La Cruz,  Ana Maria", NameOrder::LastCommaFirst);
        assert_eq!(
            (apart.last.as_deref(), apart.first.as_deref(), apart.middle.as_deref()),
            (Some("De La Cruz"), Some("Ana"), Some("Maria"))
        );
        assert_eq!(name("Ana Cruz", NameOrder::LastCommaFirst), Name::default());
        assert_eq!(name("Ana Cruz", NameOrder::FirstLast).last.as_deref(), Some("Cruz"));
        assert_eq!(name("Cruz", NameOrder::FirstLast), Name::default());
    }

    #[test]
    fn words_are_wholes() {
        let words = Words::default();
        assert_eq!(words.coverage(" ACTIVE "), Some(Coverage::Active));
        assert_eq!(words.coverage("Not  eligible"), Some(Coverage::Inactive));
        assert_eq!(words.coverage("Active - COBRA"), None);
        assert_eq!(words.covered("Not covered"), Some(Covered::No));
        assert_eq!(words.level("Subscriber + 1"), Level::Unknown("Subscriber + 1".into()));
        assert!(words.is_nothing(" — ") && words.is_nothing("N/A") && !words.is_nothing("0"));
    }
}
