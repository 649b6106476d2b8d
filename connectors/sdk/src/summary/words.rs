//! Numbers, dates and lists as a person writes them.

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::answer::Coded;

/// `$1,500.00`; with `short`, whole dollars lose their cents: `$40`. Never rounds an amount the carrier sent: more
/// than two decimals stay as they are.
pub(super) fn money(amount: Decimal, short: bool) -> String {
    let plain = amount.normalize();
    let mut text = if plain.scale() == 0 && short {
        plain.abs().to_string()
    } else if plain.scale() <= 2 {
        // Pads to cents; nothing is lost, as there are at most two decimals.
        let mut cents = plain.abs().round_dp_with_strategy(2, RoundingStrategy::ToZero);
        cents.rescale(2);
        cents.to_string()
    } else {
        plain.abs().to_string()
    };
    let point = text.find('.').unwrap_or(text.len());
    let mut place = point;
    while place > 3 {
        place -= 3;
        text.insert(place, ',');
    }
    if amount.is_sign_negative() && !amount.is_zero() { format!("-${text}") } else { format!("${text}") }
}

/// `0.20` as `20%`.
pub(super) fn percent(share: Decimal) -> Option<String> {
    let hundred = share.checked_mul(Decimal::ONE_HUNDRED)?.normalize();
    Some(format!("{hundred}%"))
}

/// A count without needless decimals.
pub(super) fn count(number: Decimal) -> String {
    number.normalize().to_string()
}

/// `1 January 2026`.
pub(super) fn day(date: Date) -> String {
    let month = match date.month() {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    };
    format!("{} {month} {}", date.day(), date.year())
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn list(items: &[String], last_word: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} {last_word} {last}", head.join(", ")),
    }
}

/// For the middle of a sentence: the first letter small, unless it begins an abbreviation (`MRI scan`); of a label with all
/// its words large (`Office Visit`), each of them.
pub(super) fn inside(text: &str) -> String {
    let is_large = |word: &str| {
        let mut letters = word.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
    };
    let all = text.split_whitespace().all(is_large);
    let small = |(n, word): (usize, &str)| match is_large(word) && (all || n == 0) {
        true => {
            let mut letters = word.chars();
            letters.next().into_iter().flat_map(char::to_lowercase).chain(letters).collect()
        }
        false => word.to_owned(),
    };
    text.split_whitespace().enumerate().map(small).collect::<Vec<String>>().join(" ")
}

/// For the start of a sentence: the first letter large.
pub(super) fn start(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// ` per visit`, or nothing where the carrier's code is not known in words.
pub(super) fn per(coded: Option<&Coded>) -> String {
    let Some(label) = coded.and_then(known) else { return String::new() };
    let label = inside(label);
    if label.starts_with("per ") { format!(" {label}") } else { format!(" per {label}") }
}

/// The label of a code, where it says more than the code.
pub(super) fn known(coded: &Coded) -> Option<&str> {
    (!coded.label.trim().is_empty() && coded.label != coded.code).then_some(coded.label.as_str())
}

/// Whether the words are a plural (`emergency services`), by their ending. `dialysis`, `orthodontics` are none.
pub(super) fn plural(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower.ends_with('s') && !["ss", "is", "us", "ics"].iter().any(|ending| lower.ends_with(ending))
}

/// At most `most` characters, with a sign that some were left out.
pub(super) fn cut(text: &str, most: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(most).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts() {
        for (sent, long, short) in [
            ("1500", "$1,500.00", "$1,500"),
            ("40.00", "$40.00", "$40"),
            ("7.5", "$7.50", "$7.50"),
            ("1234567.89", "$1,234,567.89", "$1,234,567.89"),
            ("0", "$0.00", "$0"),
            ("-12.5", "-$12.50", "-$12.50"),
            ("0.125", "$0.125", "$0.125"),
            ("999", "$999.00", "$999"),
        ] {
            let amount: Decimal = sent.parse().unwrap();
            assert_eq!((money(amount, false), money(amount, true)), (long.to_owned(), short.to_owned()));
        }
        assert!(!money(Decimal::MAX, false).is_empty());
        assert_eq!(percent("0.2".parse().unwrap()).as_deref(), Some("20%"));
        assert_eq!(percent("0.125".parse().unwrap()).as_deref(), Some("12.5%"));
        assert_eq!(percent(Decimal::MAX), None);
    }

    #[test]
    fn labels_in_and_at_the_start_of_a_sentence() {
        assert_eq!(inside("Physical therapy"), "physical therapy");
        assert_eq!(inside("MRI scan"), "MRI scan");
        assert_eq!(inside("Office Visit"), "office visit");
        assert_eq!(inside("Care under Medicare"), "care under Medicare");
        assert_eq!(inside(""), "");
        assert_eq!(start("élan"), "Élan");
        assert_eq!(per(Some(&Coded::new("27", "Visit"))), " per visit");
        assert_eq!(per(Some(&Coded::new("7", "Per day"))), " per day");
        assert_eq!(per(Some(&Coded::new("ZZ", "ZZ"))), "");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()], "or"), "a, b or c");
        assert_eq!(cut("héllo", 3), "hél…");
        assert_eq!(["home visits", "orthodontics", "dialysis", "surgery"].map(plural), [true, false, false, false]);
    }
}
