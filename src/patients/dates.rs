//! Days as people write them in the United States: read where they can mean one day only, else refused.

use jiff::civil::Date;

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// How to write a day.
pub const HOW: &str = "Write the day as MM/DD/YYYY or YYYY-MM-DD, the year with four digits.";

/// A day from one of: `YYYY-MM-DD` (a time may follow after `T` or a space), `MM/DD/YYYY` (also with `-` or `.`),
/// `YYYYMMDD`, `12 Mar 1986`, `Mar 12, 1986`. A year of two digits and a day before the month are not guessed at.
///
/// # Errors
/// How to write it.
pub fn read(text: &str) -> Result<Date, &'static str> {
    let text = text.trim();
    let day = match text.find(['T', ' ']) {
        // What follows must look like a time, or it is no date with a time.
        Some(at) if text.get(at + 1..).is_some_and(|rest| rest.contains(':')) => text.get(..at).unwrap_or(text),
        _ => text,
    };
    if day.len() == 8 && day.bytes().all(|byte| byte.is_ascii_digit()) {
        return of(day.get(..4), day.get(4..6), day.get(6..8));
    }
    let parts: Vec<&str> = day
        .split(|letter: char| matches!(letter, '/' | '-' | '.' | ',') || letter.is_whitespace())
        .filter(|part| !part.is_empty())
        .collect();
    let [one, two, three] = parts.as_slice() else { return Err(HOW) };
    if one.len() == 4 && one.bytes().all(|byte| byte.is_ascii_digit()) {
        return of(Some(one), Some(two), Some(three));
    }
    match (month(one), month(two)) {
        (Some(month), None) => of(Some(three), Some(month), Some(two)),
        (None, Some(month)) => of(Some(three), Some(month), Some(one)),
        _ => of(Some(three), Some(one), Some(two)),
    }
}

/// The number of a month that is written as a word of at least three letters.
pub fn month(word: &str) -> Option<&'static str> {
    const NUMBERS: [&str; 12] = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"];
    const WHOLE: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let word = word.to_lowercase();
    let place = MONTHS.iter().position(|month| word.starts_with(month))?;
    let whole = WHOLE.get(place)?;
    (whole.starts_with(&word) || word == "sept").then(|| NUMBERS.get(place).copied()).flatten()
}

fn of(year: Option<&str>, month: Option<&str>, day: Option<&str>) -> Result<Date, &'static str> {
    let number = |text: Option<&str>, most: usize| {
        let text = text.filter(|text| (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()))?;
        text.parse::<i16>().ok()
    };
    let year = number(year.filter(|year| year.len() == 4), 4).ok_or(HOW)?;
    let (month, day) = number(month, 2).zip(number(day, 2)).ok_or(HOW)?;
    let small = |number: i16| i8::try_from(number).map_err(|_| HOW);
    if month > 12 && (1..=12).contains(&day) {
        return Err("The month is larger than 12: write month before day, MM/DD/YYYY, or YYYY-MM-DD.");
    }
    Date::new(year, small(month)?, small(day)?).map_err(|_| "There is no such day.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_in_many_spellings() {
        let day = jiff::civil::date(1986, 3, 12);
        for text in [
            "1986-03-12",
            "03/12/1986",
            "3/12/1986",
            "3-12-1986",
            "03.12.1986",
            "19860312",
            "12 Mar 1986",
            "Mar 12, 1986",
            "March 12 1986",
            " 1986-03-12T00:00:00Z ",
            "3/12/1986 12:00:00 AM",
        ] {
            assert_eq!(read(text), Ok(day), "{text}");
        }
        assert_eq!(read("Sept 3, 2001"), Ok(jiff::civil::date(2001, 9, 3)));
    }

    #[test]
    fn nothing_is_guessed() {
        for text in
            ["", "03/12/86", "25/12/1986", "1986-13-01", "02/30/1980", "12", "Mar 1986", "mar 12 1986 x", "3 12"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read("25/12/1986").unwrap_err().contains("month before day"));
    }
}
