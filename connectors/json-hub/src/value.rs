//! Single values of a JSON reply: text, money, shares, dates. Reads what is written, never guesses.

use connector_sdk::Phi;
use connector_sdk::answer::{Place, Provenance};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::path::{Found, Path};
use crate::settings::Shares;

/// Longest text taken from one value, characters.
const TEXT_MOST: usize = 4000;

/// A JSON value as text, without surrounding blanks; `None` for empty text, lists and objects.
pub fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().chars().take(TEXT_MOST).collect(),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// An amount: `1500`, `"1,500.00"`, `"$40"`. `None` where it cannot be read for certain.
pub fn amount(value: &Value) -> Option<Decimal> {
    let text = text(value)?;
    let plain = text.strip_prefix('$').unwrap_or(&text).trim();
    decimal(&without_separators(plain)?)
}

/// A share as a decimal: `0.2`, or `20` where shares are percents, or `"20%"`. `None` where it would be more than
/// the whole, since that cannot be a share.
pub fn share(value: &Value, written: Shares) -> Option<Decimal> {
    let text = text(value)?;
    let (plain, percent) = match text.strip_suffix('%') {
        Some(plain) => (plain.trim(), true),
        None => (text.as_str(), written == Shares::Percent),
    };
    let number = decimal(plain)?;
    let share = if percent { number.checked_div(Decimal::ONE_HUNDRED)? } else { number };
    (Decimal::ZERO..=Decimal::ONE).contains(&share).then_some(share)
}

fn decimal(text: &str) -> Option<Decimal> {
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(text).ok();
    }
    Decimal::from_str_exact(text).ok()
}

/// Takes out thousands separators, which must stand where they belong: `1,500` yes, `1,5` no (a decimal comma?).
fn without_separators(text: &str) -> Option<String> {
    if !text.contains(',') {
        return Some(text.to_owned());
    }
    let whole = text.split('.').next().unwrap_or(text);
    let mut groups = whole.split(',');
    let first = groups.next()?;
    // `1.500,00` would otherwise be read as one and a half.
    let none_after_point = text.split_once('.').is_none_or(|(_, cents)| !cents.contains(','));
    let fits = none_after_point && !first.is_empty() && first.len() <= 3 && groups.all(|group| group.len() == 3);
    fits.then(|| text.replace(',', ""))
}

/// One object of a reply, from which paths start.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// The object.
    pub value: &'a Value,
    /// Where it stands.
    pub pointer: &'a str,
    /// Which reply of the exchange, from 1.
    pub reply: u32,
}

impl<'a> Item<'a> {
    /// The first value at a path.
    pub fn find(&self, path: Option<&Path>) -> Option<Found<'a>> {
        path?.first(self.value, self.pointer)
    }

    /// The first text at a path, and where it stands.
    pub fn text_at(&self, path: Option<&Path>) -> Option<(String, String)> {
        self.all_texts(path).into_iter().next()
    }

    /// The first text at a path.
    pub fn text(&self, path: Option<&Path>) -> Option<String> {
        self.text_at(path).map(|(text, _)| text)
    }

    /// The first text at a path, about a patient.
    pub fn phi(&self, path: Option<&Path>) -> Option<Phi<String>> {
        self.text(path).map(Phi::new)
    }

    /// All texts at a path, lists opened.
    pub fn texts(&self, path: Option<&Path>) -> Vec<String> {
        self.all_texts(path).into_iter().map(|(text, _)| text).collect()
    }

    fn all_texts(&self, path: Option<&Path>) -> Vec<(String, String)> {
        let Some(path) = path else { return Vec::new() };
        let leaves = path.leaves(self.value, self.pointer);
        leaves.into_iter().filter_map(|leaf| Some((text(&leaf.value)?, leaf.pointer))).collect()
    }

    /// The provenance of fields read at a pointer.
    pub fn provenance(&self, of: &[&str], pointer: &str) -> Provenance {
        Provenance {
            of: of.iter().map(|name| (*name).to_owned()).collect(),
            place: Place::Json { reply: self.reply, pointer: pointer.to_owned() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn amounts_and_shares() {
        for (written, read) in [
            (json!(40), Some("40")),
            (json!(40.1), Some("40.1")),
            (json!("$1,500.00"), Some("1500.00")),
            (json!("1,234,567"), Some("1234567")),
            (json!("1e3"), Some("1000")),
            (json!("1,5"), None),
            (json!("1.500,00"), None),
            (json!("see plan"), None),
            (json!("1e999"), None),
            (json!(true), None),
            (json!([1]), None),
        ] {
            assert_eq!(amount(&written).map(|d| d.to_string()).as_deref(), read, "{written}");
        }
        assert_eq!(share(&json!("20%"), Shares::Fraction), Some(Decimal::new(2, 1)));
        assert_eq!(share(&json!(20), Shares::Percent), Some(Decimal::new(2, 1)));
        assert_eq!(share(&json!(20), Shares::Fraction), None);
        assert_eq!(share(&json!(0.2), Shares::Fraction), Some(Decimal::new(2, 1)));
        assert_eq!(share(&json!(-0.2), Shares::Fraction), None);
    }
}
