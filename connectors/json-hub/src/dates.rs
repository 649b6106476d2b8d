//! Dates as carriers write them.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a date is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DateFormat {
    /// `2026-11-23`, also with a time behind it.
    #[default]
    #[serde(rename = "YYYY-MM-DD")]
    Iso,
    /// `20261123`
    #[serde(rename = "YYYYMMDD")]
    Compact,
    /// `11/23/2026`
    #[serde(rename = "MM/DD/YYYY")]
    American,
    /// `11-23-2026`
    #[serde(rename = "MM-DD-YYYY")]
    AmericanDashes,
    /// `11232026`
    #[serde(rename = "MMDDYYYY")]
    AmericanCompact,
    /// `23/11/2026`
    #[serde(rename = "DD/MM/YYYY")]
    DayFirst,
}

impl DateFormat {
    const ALL: [Self; 6] =
        [Self::Iso, Self::Compact, Self::American, Self::AmericanDashes, Self::AmericanCompact, Self::DayFirst];

    /// Reads the name of a format.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.pattern() == name)
    }

    fn pattern(self) -> &'static str {
        match self {
            Self::Iso => "YYYY-MM-DD",
            Self::Compact => "YYYYMMDD",
            Self::American => "MM/DD/YYYY",
            Self::AmericanDashes => "MM-DD-YYYY",
            Self::AmericanCompact => "MMDDYYYY",
            Self::DayFirst => "DD/MM/YYYY",
        }
    }

    /// Writes a date.
    pub fn write(self, date: Date) -> String {
        self.pattern()
            .replace("YYYY", &format!("{:04}", date.year()))
            .replace("MM", &format!("{:02}", date.month()))
            .replace("DD", &format!("{:02}", date.day()))
    }

    /// Reads a date; a time behind it (`T00:00:00Z`) is left out.
    pub fn read(self, text: &str) -> Option<Date> {
        let bytes = text.trim().as_bytes();
        let pattern = self.pattern().as_bytes();
        let (mut year, mut month, mut day) = (0i16, 0i8, 0i8);
        for (place, wanted) in pattern.iter().enumerate() {
            let given = *bytes.get(place)?;
            let digit = given.wrapping_sub(b'0');
            match wanted {
                b'Y' | b'M' | b'D' if digit > 9 => return None,
                b'Y' => year = year * 10 + i16::from(digit),
                b'M' => month = month.checked_mul(10)?.checked_add(i8::try_from(digit).ok()?)?,
                b'D' => day = day.checked_mul(10)?.checked_add(i8::try_from(digit).ok()?)?,
                literal if *literal != given => return None,
                _ => {}
            }
        }
        let behind = bytes.get(pattern.len()..)?;
        let time = matches!(behind, [b'T' | b' ', hour, ..] if hour.is_ascii_digit()) && behind.contains(&b':');
        if behind.is_empty() || time { Date::new(year, month, day).ok() } else { None }
    }
}

/// Reads a date in the first format that fits.
pub fn read(formats: &[DateFormat], text: &str) -> Option<Date> {
    formats.iter().find_map(|format| format.read(text))
}

/// Reads one day or a span `20260101-20261231` (also with spaces or `/` of ISO 8601 between).
pub fn read_span(formats: &[DateFormat], text: &str) -> Option<(Date, Date)> {
    if let Some(day) = read(formats, text) {
        return Some((day, day));
    }
    let middle = text.match_indices(['-', '/', ' ']).map(|(place, _)| place);
    for place in middle {
        let (from, to) = text.split_at(place);
        let to = to.trim_start_matches(['-', '/', ' ']);
        let to = to.strip_prefix("to ").unwrap_or(to);
        if let (Some(from), Some(to)) = (read(formats, from), read(formats, to)) {
            return Some((from, to));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn written_and_read_back() {
        for format in DateFormat::ALL {
            let text = format.write(date(2026, 3, 9));
            assert_eq!(format.read(&text), Some(date(2026, 3, 9)), "{text}");
            assert_eq!(DateFormat::named(format.pattern()), Some(format));
        }
        assert_eq!(DateFormat::Iso.read("2026-03-09T00:00:00+0000"), Some(date(2026, 3, 9)));
        for bad in ["2026-02-30", "2026-3-9", "", "2026-03-091", "20260309", "é026-03-09"] {
            assert_eq!(DateFormat::Iso.read(bad), None, "{bad}");
        }
    }

    #[test]
    fn spans() {
        let formats = [DateFormat::Compact, DateFormat::Iso];
        let year = Some((date(2026, 1, 1), date(2026, 12, 31)));
        for text in ["20260101-20261231", "2026-01-01/2026-12-31", "2026-01-01 - 2026-12-31", "20260101 to 20261231"] {
            assert_eq!(read_span(&formats, text), year, "{text}");
        }
        assert_eq!(read_span(&formats, "20260101"), Some((date(2026, 1, 1), date(2026, 1, 1))));
        assert_eq!(read_span(&formats, "OPEN-ENDED"), None);
    }
}
