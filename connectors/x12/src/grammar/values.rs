//! What a value must look like: numbers, dates, times, check digits. Pure functions over bytes.

/// Bits of [`Classes`].
pub(super) const NOT_DIGIT: u8 = 1;
/// A control character.
pub(super) const CONTROL: u8 = 2;
/// The component separator.
pub(super) const COMPONENT: u8 = 4;
/// The repetition separator.
pub(super) const REPETITION: u8 = 8;
/// Outside ASCII.
pub(super) const WIDE: u8 = 16;

/// What each byte is, under one set of separators.
#[derive(Clone)]
pub(super) struct Classes([u8; 256]);

impl Classes {
    pub(super) fn new(delimiters: crate::Delimiters) -> Self {
        let mut classes = [0u8; 256];
        for (byte, class) in (0..=u8::MAX).zip(classes.iter_mut()) {
            if !byte.is_ascii_digit() {
                *class |= NOT_DIGIT;
            }
            if byte.is_ascii_control() {
                *class |= CONTROL;
            }
            if !byte.is_ascii() {
                *class |= WIDE;
            }
            if byte == delimiters.component {
                *class |= COMPONENT;
            }
            if Some(byte) == delimiters.repetition {
                *class |= REPETITION;
            }
        }
        Self(classes)
    }

    /// The classes of all bytes together.
    pub(super) fn of(&self, bytes: &[u8]) -> u8 {
        bytes.iter().fold(0, |classes, byte| classes | self.0[usize::from(*byte)])
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0u32, |sum, byte| {
        byte.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u32::from(byte - b'0')))
    })
}

/// A date: CCYYMMDD, or YYMMDD where six are expected.
pub(crate) fn is_date(bytes: &[u8]) -> bool {
    let (year, rest) = match bytes.len() {
        8 => (bytes.get(..4).and_then(digits), bytes.get(4..)),
        6 => (bytes.get(..2).and_then(digits).map(|year| 2000 + year), bytes.get(2..)),
        _ => return false,
    };
    let Some((month, day)) = rest.and_then(|rest| Some((digits(rest.get(..2)?)?, digits(rest.get(2..)?)?))) else {
        return false;
    };
    let Some(year) = year else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// A time: HHMM, HHMMSS, or with tenths or hundredths behind.
pub(crate) fn is_time(bytes: &[u8]) -> bool {
    let below = |range: std::ops::Range<usize>, limit: u32| {
        bytes.get(range).and_then(digits).is_some_and(|number| number < limit)
    };
    match bytes.len() {
        4 => below(0..2, 24) && below(2..4, 60),
        6..=8 => below(0..2, 24) && below(2..4, 60) && below(4..6, 60) && digits(bytes).is_some(),
        _ => false,
    }
}

/// A whole number: digits with at most one minus before them.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// A decimal number: digits with at most one minus before them and one point among them.
pub(super) fn is_decimal(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let points = bytes.iter().filter(|byte| **byte == b'.').count();
    bytes.len() > points && points <= 1 && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// The length that counts for a number: signs and points do not.
pub(super) fn number_length(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| byte.is_ascii_digit()).count()
}

/// A National Provider Identifier: ten digits that begin with 1 or 2, the last one a Luhn digit over `80840` and the
/// first nine (US Centers for Medicare & Medicaid Services).
pub(super) fn is_npi(bytes: &[u8]) -> bool {
    if bytes.len() != 10 || !bytes.iter().all(u8::is_ascii_digit) || !matches!(bytes.first(), Some(b'1' | b'2')) {
        return false;
    }
    // 24 is what the prefix 80840 adds.
    let sum = bytes.iter().rev().enumerate().fold(24u32, |sum, (at, byte)| {
        let digit = u32::from(byte - b'0');
        let doubled = digit * 2;
        sum + if at % 2 == 0 { digit } else { doubled / 10 + doubled % 10 }
    });
    sum % 10 == 0
}

/// What a format qualifier (1250) asks of its value (1251). `None`: a form this crate does not know.
pub(super) fn is_formatted(format: &[u8], value: &[u8]) -> Option<bool> {
    let pair = |each: fn(&[u8]) -> bool| {
        let mut ends = value.split(|byte| *byte == b'-');
        match (ends.next(), ends.next(), ends.next()) {
            (Some(from), Some(to), None) => each(from) && each(to),
            _ => false,
        }
    };
    Some(match format {
        b"D8" => value.len() == 8 && is_date(value),
        b"D6" => value.len() == 6 && is_date(value),
        b"RD8" => pair(|end| end.len() == 8 && is_date(end)),
        b"RD6" => pair(|end| end.len() == 6 && is_date(end)),
        b"TM" => value.len() == 4 && is_time(value),
        b"TS" => value.len() == 6 && is_time(value),
        b"DT" => value.len() == 12 && value.get(..8).is_some_and(is_date) && value.get(8..).is_some_and(is_time),
        b"RDT" => pair(|end| end.len() == 12 && end.get(..8).is_some_and(is_date) && end.get(8..).is_some_and(is_time)),
        b"CY" => value.len() == 5 && value.iter().all(u8::is_ascii_digit),
        b"D4" | b"YY" => value.len() <= 4 && value.iter().all(u8::is_ascii_digit),
        _ => return None,
    })
}

/// The form in words, for a finding.
pub(super) fn format_words(format: &[u8]) -> &'static str {
    match format {
        b"D8" => "CCYYMMDD",
        b"D6" => "YYMMDD",
        b"RD8" => "CCYYMMDD-CCYYMMDD",
        b"RD6" => "YYMMDD-YYMMDD",
        b"TM" => "HHMM",
        b"TS" => "HHMMSS",
        b"DT" => "CCYYMMDDHHMM",
        b"RDT" => "CCYYMMDDHHMM-CCYYMMDDHHMM",
        _ => "the form that the qualifier before it names",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        assert!(is_date(b"20240229") && !is_date(b"20230229") && !is_date(b"20231301") && !is_date(b"2023013"));
        assert!(is_date(b"260101") && !is_date(b"2601a1"));
        assert!(is_time(b"2359") && !is_time(b"2400") && is_time(b"23595999") && !is_time(b"236"));
        assert_eq!(is_formatted(b"RD8", b"20240101-20240131"), Some(true));
        assert_eq!(is_formatted(b"RD8", b"20240101"), Some(false));
        assert_eq!(is_formatted(b"QQ", b"x"), None);
    }

    #[test]
    fn numbers() {
        assert!(is_decimal(b"-12.50") && is_decimal(b".5") && is_decimal(b"5."));
        assert!(!is_decimal(b"1,000") && !is_decimal(b".") && !is_decimal(b"1.2.3") && !is_decimal(b"-"));
        assert!(is_whole(b"-3") && !is_whole(b"3.0") && !is_whole(b""));
        assert_eq!(number_length(b"-12.50"), 4);
    }

    #[test]
    fn check_digits() {
        assert!(is_npi(b"1234567893") && !is_npi(b"1234567890") && !is_npi(b"123456789") && !is_npi(b"9234567893"));
    }
}
