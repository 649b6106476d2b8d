//! What somebody typed into the one box, taken apart: words, numbers, days. Everything of it must fit a patient.

use jiff::civil::Date;

use super::{dates, fold};

/// Longest query looked at, characters; what is beyond is ignored.
pub const QUERY_CHARS_MAX: usize = 100;
/// Pieces of a query looked at.
const PIECES_MAX: usize = 8;

/// A query, ready to be compared.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    /// The whole without spaces and signs: a card's number, however it is grouped; a phone number.
    pub whole: String,
    /// All of these must fit.
    pub pieces: Vec<Piece>,
    /// Words before and after a comma: last names, then first names.
    pub comma: bool,
}

/// One piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Part of a name, folded; or of an identifier, as it stands in `id`.
    Word { name: String, id: String, after_comma: bool },
    /// Digits, or letters and digits: part of an identifier, of a phone number, of a day.
    Number { id: String, days: Vec<Day> },
    /// A day and nothing else.
    Day(Day),
}

/// A day, or what is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    pub year: Option<i16>,
    pub month: Option<i8>,
    pub day: Option<i8>,
}

impl Day {
    fn whole(date: Date) -> Self {
        Self { year: Some(date.year()), month: Some(date.month()), day: Some(date.day()) }
    }

    /// Whether all that is known of it is true of `date`.
    pub(super) fn fits(self, date: Date) -> bool {
        self.year.is_none_or(|year| year == date.year())
            && self.month.is_none_or(|month| month == date.month())
            && self.day.is_none_or(|day| day == date.day())
    }

    /// Day and month the other way round, where that is a month.
    pub(super) fn swapped(self) -> Option<Self> {
        let (month, day) = self.month.zip(self.day)?;
        (month != day && day <= 12).then_some(Self { month: Some(day), day: Some(month), ..self })
    }

    /// Whether one wrong digit, or two that changed places, make a whole day of it that is `date`.
    pub(super) fn nearly(self, date: Date) -> bool {
        let (Some(year), Some(month), Some(day)) = (self.year, self.month, self.day) else { return false };
        let whole = Date::new(year, month, day).map(digits);
        whole.is_ok_and(|own| match (std::str::from_utf8(&own), std::str::from_utf8(&digits(date))) {
            (Ok(own), Ok(other)) => fold::one_step(own, other),
            _ => false,
        })
    }
}

impl Query {
    /// Takes a text apart; `today` says which century a year of two digits can only mean: nobody is born tomorrow.
    pub(super) fn read(text: &str, today: Date) -> Self {
        let text: String = text.chars().take(QUERY_CHARS_MAX).collect();
        let mut query = Self { whole: fold::id(&text), ..Self::default() };
        let (before, after) = text.split_once(',').filter(|(before, _)| is_name(before)).unwrap_or((&text, ""));
        query.comma = !after.trim().is_empty() && is_name(before);
        query.take(before, false, today);
        query.take(after, query.comma, today);
        query
    }

    fn take(&mut self, text: &str, after_comma: bool, today: Date) {
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';')).filter(|word| !word.is_empty()).collect();
        let mut at = 0;
        while at < words.len() && self.pieces.len() < PIECES_MAX {
            let rest = words.get(at..).unwrap_or_default();
            if let Some((day, used)) = day_of_words(rest, today) {
                self.pieces.push(Piece::Day(day));
                at += used;
                continue;
            }
            let word = rest.first().copied().unwrap_or_default();
            at += 1;
            if word.chars().any(|c| c.is_ascii_digit()) {
                // Numbers that stand together are one: a phone number, a card's groups.
                let run = rest.iter().take_while(|word| word.chars().all(is_of_number)).count();
                if run > 1 {
                    self.pieces.push(number(&rest.get(..run).unwrap_or_default().concat(), today));
                    at += run - 1;
                } else {
                    self.pieces.push(number(word, today));
                }
            } else {
                let name = fold::name(word);
                if !name.is_empty() {
                    // A hyphenated name is two words, each of which must fit.
                    let id = fold::id(word);
                    let one = |name: &str| Piece::Word { name: name.to_owned(), id: id.clone(), after_comma };
                    self.pieces.extend(name.split(' ').map(one));
                }
            }
        }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// `YYYYMMDD`.
fn digits(date: Date) -> [u8; 8] {
    let (year, month, day) = (date.year().unsigned_abs(), date.month().unsigned_abs(), date.day().unsigned_abs());
    let mut rest = u32::from(year) * 10_000 + u32::from(month) * 100 + u32::from(day);
    let mut digits = [b'0'; 8];
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
    }
    digits
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && !text.chars().any(|c| c.is_ascii_digit()) && dates::month(text.trim()).is_none()
}

fn is_of_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '(' | ')' | '-' | '.' | '+' | '/')
}

/// A day over one to three words: `12 Mar 1986`, `Mar 12 1986`, `3 12 1986`, `12 Mar`, `03/12/1986`, `3/12`, `3/12/86`.
fn day_of_words(words: &[&str], today: Date) -> Option<(Day, usize)> {
    let plain = |n: usize| words.get(n).map(|word| word.trim_end_matches('.'));
    let small =
        |n: usize| plain(n).filter(|word| (1..=2).contains(&word.len())).and_then(|word| word.parse::<i8>().ok());
    let word_month = |n: usize| plain(n).filter(|word| word.len() >= 3).and_then(dates::month)?.parse::<i8>().ok();
    let year = |n: usize| plain(n).and_then(|word| year_of(word, today));
    let four = |n: usize| plain(n).filter(|word| word.len() == 4).and_then(|word| year_of(word, today));
    let of = |year, month, day| Day { year, month: Some(month), day: Some(day) };
    if let (Some(month), Some(day)) = (word_month(0), small(1)) {
        return match year(2) {
            Some(year) => Some((of(Some(year), month, day), 3)),
            None => Some((of(None, month, day), 2)),
        };
    }
    if let (Some(day), Some(month)) = (small(0), word_month(1)) {
        return match year(2) {
            Some(year) => Some((of(Some(year), month, day), 3)),
            None => Some((of(None, month, day), 2)),
        };
    }
    if let (Some(month), Some(day), Some(year)) = (small(0), small(1), four(2)) {
        return Some((month_first(Some(year), month, day)?, 3));
    }
    let first = words.first()?;
    if let Ok(date) = dates::read(first).map_err(drop)
        && first.len() > 8
    {
        return Some((Day::whole(date), 1));
    }
    let parts: Vec<&str> = first.split(['/', '-', '.']).collect();
    let digits =
        |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [month, day] if digits(month, 2) && digits(day, 2) => {
            Some((month_first(None, month.parse().ok()?, day.parse().ok()?)?, 1))
        }
        [month, day, year] if digits(month, 2) && digits(day, 2) && digits(year, 4) => {
            let year = year_of(year, today)?;
            Some((month_first(Some(year), month.parse().ok()?, day.parse().ok()?)?, 1))
        }
        _ => None,
    }
}

/// Month before day; the other way round where it can be nothing else: this only looks, and writes nothing down.
fn month_first(year: Option<i16>, month: i8, day: i8) -> Option<Day> {
    match (month, day) {
        (1..=12, 1..=31) => Some(Day { year, month: Some(month), day: Some(day) }),
        (13..=31, 1..=12) => Some(Day { year, month: Some(day), day: Some(month) }),
        _ => None,
    }
}

/// A year; of two digits, the last such year before today.
fn year_of(text: &str, today: Date) -> Option<i16> {
    let number = text.parse::<i16>().ok().filter(|number| *number >= 0)?;
    match text.len() {
        4 if (1880..=today.year()).contains(&number) => Some(number),
        2 => {
            let this = today.year() / 100 * 100 + number;
            Some(if this > today.year() { this - 100 } else { this })
        }
        _ => None,
    }
}

/// A number with every day that its digits may mean.
fn number(text: &str, today: Date) -> Piece {
    let id = fold::id(text);
    let mut days = Vec::new();
    if id.bytes().all(|byte| byte.is_ascii_digit()) {
        let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
        let small = |from: usize, to: usize| part(from, to).parse::<i8>().unwrap_or(0);
        match id.len() {
            8 => {
                days.extend(
                    year_of(part(0, 4), today).and_then(|year| month_first(Some(year), small(4, 6), small(6, 8))),
                );
                days.extend(
                    year_of(part(4, 8), today).and_then(|year| month_first(Some(year), small(0, 2), small(2, 4))),
                );
            }
            6 => {
                days.extend(
                    year_of(part(4, 6), today).and_then(|year| month_first(Some(year), small(0, 2), small(2, 4))),
                );
            }
            4 => {
                days.extend(month_first(None, small(0, 2), small(2, 4)));
                days.extend(year_of(part(0, 4), today).map(|year| Day { year: Some(year), ..Day::default() }));
            }
            _ => {}
        }
    }
    Piece::Number { id, days }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn pieces(text: &str) -> Vec<Piece> {
        Query::read(text, TODAY).pieces
    }

    #[test]
    fn a_day_is_one_piece_in_every_spelling() {
        let day = Piece::Day(Day { year: Some(1986), month: Some(3), day: Some(12) });
        for text in [
            "03/12/1986",
            "3-12-1986",
            "1986-03-12",
            "12 Mar 1986",
            "mar 12 1986",
            "3 12 1986",
            "3/12/86",
            "Mar 12, 1986",
        ] {
            assert_eq!(
                pieces(text),
                [Piece::Day(Day {
                    ..match &day {
                        Piece::Day(day) => *day,
                        _ => panic!(),
                    }
                })],
                "{text}"
            );
        }
        let Piece::Number { days, .. } = &pieces("03121986")[0] else { panic!() };
        assert_eq!(days.as_slice(), [Day { year: Some(1986), month: Some(3), day: Some(12) }]);
        let Piece::Number { days, .. } = &pieces("0312")[0] else { panic!() };
        assert_eq!(days.as_slice(), [Day { year: None, month: Some(3), day: Some(12) }]);
        let Piece::Number { days, .. } = &pieces("1986")[0] else { panic!() };
        assert_eq!(days.as_slice(), [Day { year: Some(1986), ..Day::default() }]);
    }

    #[test]
    fn words_and_numbers_are_told_apart() {
        let all = pieces("ortiz 503 555-0142");
        assert_eq!(all.len(), 2);
        assert!(matches!(&all[1], Piece::Number { id, .. } if id == "5035550142"));
        let query = Query::read("NSH 0041 8823 7", TODAY);
        assert_eq!(query.whole, "NSH004188237");
        let query = Query::read("Ortiz, Maria", TODAY);
        assert!(
            query.comma && matches!(&query.pieces[1], Piece::Word { name, after_comma: true, .. } if name == "maria")
        );
        assert!(Query::read(" ,;- ", TODAY).is_empty());
    }

    #[test]
    fn nobody_is_born_tomorrow() {
        assert_eq!(year_of("30", TODAY), Some(1930));
        assert_eq!(year_of("26", TODAY), Some(2026));
        assert_eq!(year_of("2030", TODAY), None);
    }
}
