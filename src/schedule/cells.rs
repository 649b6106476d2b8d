//! Cells as people and systems write them, read where they can mean one thing.

use connector_sdk::ask::{Relationship, Sex};
use jiff::civil::{Date, Time};

use super::visit::CODES_MAX;
use crate::patients::dates;

const SUFFIXES: [&str; 6] = ["JR", "SR", "II", "III", "IV", "V"];

/// A time of day: `08:20`, `8:20 AM`, `8:20:00`, `8 am`, `0820`.
pub(super) fn time(text: &str) -> Result<Time, &'static str> {
    const HOW: &str = "Write the time as 08:20 or 8:20 AM.";
    let lower = text.trim().to_ascii_lowercase().replace('.', "");
    let (clock, half) = match lower.strip_suffix('m').unwrap_or(&lower) {
        rest if rest.ends_with('a') => (rest.trim_end_matches('a').trim(), Some(0)),
        rest if rest.ends_with('p') => (rest.trim_end_matches('p').trim(), Some(12)),
        rest => (rest, None),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = match (parts.next(), parts.next()) {
        (Some(hour), Some(minute)) => (hour, minute),
        (Some(four), None) if four.len() == 4 => four.split_at_checked(2).unwrap_or((four, "")),
        (Some(hour), None) if half.is_some() => (hour, "00"),
        _ => return Err(HOW),
    };
    let number = |text: &str, most: usize| {
        let fits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| text.parse::<i8>().ok()).flatten().ok_or(HOW)
    };
    let (hour, minute) = (number(hour, 2)?, number(minute, 2)?);
    let hour = match half {
        None => hour,
        Some(_) if !(1..=12).contains(&hour) => return Err(HOW),
        Some(half) => hour % 12 + half,
    };
    Time::new(hour, minute, 0, 0).map_err(|_| HOW)
}

/// A day, and the time that may follow it in the same cell.
pub(super) fn day_and_time(text: &str) -> Result<(Date, Option<Time>), &'static str> {
    let text = text.trim();
    let day = dates::read(text)?;
    let rest = text.split_once(['T', ' ']).map(|(_, rest)| rest).filter(|rest| rest.contains(':'));
    Ok((day, rest.map(time).transpose()?))
}

/// `Last, First`, with what may stand around it: a middle initial is left out, a suffix is told apart.
pub(super) fn name(text: &str) -> Result<(String, String, Option<String>), &'static str> {
    const HOW: &str = "Write the name as Last, First, or give the columns first_name and last_name.";
    let (last, first) = text.split_once(',').ok_or(HOW)?;
    let (last, suffix) = without_suffix(last);
    let (first, late) = without_suffix(first);
    let mut words: Vec<&str> = first.split_whitespace().collect();
    if words.len() > 1 && words.last().is_some_and(|word| word.trim_end_matches('.').chars().count() == 1) {
        words.pop();
    }
    let first = words.join(" ");
    if last.is_empty() || first.is_empty() || first.contains(',') {
        return Err(HOW);
    }
    Ok((last, first, suffix.or(late)))
}

/// A last name and its suffix: `Ortiz Jr.` is Ortiz, JR.
pub(super) fn without_suffix(name: &str) -> (String, Option<String>) {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((rest, end)) = name.rsplit_once(' ') {
        let plain = end.trim_end_matches('.').to_ascii_uppercase();
        if SUFFIXES.contains(&plain.as_str()) {
            return (rest.trim_end_matches(',').to_owned(), Some(plain));
        }
    }
    (name, None)
}

/// Sex, by letter or word.
pub(super) fn sex(text: &str) -> Result<Sex, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "f" | "female" | "w" | "woman" => Ok(Sex::Female),
        "m" | "male" | "man" => Ok(Sex::Male),
        "u" | "x" | "o" | "unknown" | "other" => Ok(Sex::Unknown),
        _ => Err("Write F, M or U."),
    }
}

/// How the patient is related to the subscriber; `None`: is the subscriber.
pub(super) fn relationship(text: &str) -> Result<Option<Relationship>, &'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "self" | "subscriber" | "insured" | "18" | "patient" | "s" => Ok(None),
        "spouse" | "husband" | "wife" | "partner" | "01" | "1" => Ok(Some(Relationship::Spouse)),
        "child" | "son" | "daughter" | "dependent" | "19" | "stepchild" => Ok(Some(Relationship::Child)),
        "parent" | "other adult" | "34" => Ok(Some(Relationship::OtherAdult)),
        "other" | "unknown" | "21" | "g8" => Ok(Some(Relationship::Unknown)),
        _ => Err("Write self, spouse, child or other."),
    }
}

/// Whether a status says that nobody comes.
pub(super) fn is_cancelled(text: &str) -> bool {
    let plain = text.to_ascii_lowercase().replace(['-', ' ', '_'], "");
    ["cancel", "noshow", "deleted", "rescheduled", "enteredinerror"].iter().any(|word| plain.contains(word))
}

/// Codes divided by spaces, commas, semicolons or bars.
pub(super) fn codes(text: &str, longest: usize) -> Result<Vec<String>, &'static str> {
    let all: Vec<String> = text
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '+'))
        .filter(|code| !code.is_empty())
        .map(str::to_ascii_uppercase)
        .collect();
    let fits = |code: &String| code.len() <= longest && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if all.len() > CODES_MAX || !all.iter().all(fits) {
        return Err("Write at most 20 codes of letters and digits, divided by semicolons.");
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let at = |hour, minute| Ok(Time::new(hour, minute, 0, 0).unwrap());
        for (text, wanted) in [
            ("08:20", at(8, 20)),
            ("8:20", at(8, 20)),
            ("8:20 AM", at(8, 20)),
            ("8:20pm", at(20, 20)),
            ("12:05 a.m.", at(0, 5)),
            ("12:05 PM", at(12, 5)),
            ("8 pm", at(20, 0)),
            ("0820", at(8, 20)),
            ("13:45:00", at(13, 45)),
        ] {
            assert_eq!(time(text), wanted, "{text}");
        }
        for text in ["", "8", "25:00", "13:00 PM", "soon", "8:2x"] {
            assert!(time(text).is_err(), "{text}");
        }
        let (day, clock) = day_and_time("11/24/2026 8:20 AM").unwrap();
        assert_eq!((day.to_string(), clock), ("2026-11-24".to_owned(), Some(Time::new(8, 20, 0, 0).unwrap())));
    }

    #[test]
    fn names() {
        let of = |text| name(text).unwrap();
        let plain = |last: &str, first: &str, suffix: Option<&str>| {
            (last.to_owned(), first.to_owned(), suffix.map(str::to_owned))
        };
        assert_eq!(of("Ortiz, Maria"), plain("Ortiz", "Maria", None));
        assert_eq!(of("ORTIZ JR., MARIO L."), plain("ORTIZ", "MARIO", Some("JR")));
        assert_eq!(of("de la Cruz,  Mary Jane"), plain("de la Cruz", "Mary Jane", None));
        assert!(name("Maria Ortiz").is_err() && name("Ortiz,").is_err());
    }
}
