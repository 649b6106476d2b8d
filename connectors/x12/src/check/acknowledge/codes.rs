//! How an acknowledgment says what a finding says: the code lists of TA105, AK905, IK502, IK304 and IK403.

use crate::finding::{Finding, Oddity};

/// What an IK3 or AK3 says of a segment, and the IK4 or AK4 of its element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// IK304
    Segment(&'static str),
    /// IK304 is 8; this is IK403.
    Element(&'static str),
    /// Nothing of a segment; this is IK502.
    Set(&'static str),
}

/// What a 999 says of a finding in a transaction set.
pub(super) fn said(finding: &Finding) -> Said {
    use Oddity as O;
    let by_place = |element, segment| match finding.element {
        Some(_) => Said::Element(element),
        None => Said::Segment(segment),
    };
    let said = match finding.oddity {
        O::SeCount => Said::Set("4"),
        O::SeControl => Said::Set("3"),
        O::NoSe => Said::Set("2"),
        O::GuideMismatch => Said::Set("I6"),
        O::UnknownSegment => Said::Segment("1"),
        O::UnexpectedSegment => Said::Segment("2"),
        O::SegmentOrder => Said::Segment("7"),
        O::MissingSegment => Said::Segment("3"),
        O::MissingLoop => Said::Segment("I7"),
        O::SegmentRepeats => Said::Segment("5"),
        O::LoopRepeats => Said::Segment("4"),
        O::MissingElement | O::SetUnnamed => Said::Element("1"),
        O::ElementNotUsed => Said::Element("I10"),
        O::TooManyElements => Said::Element("3"),
        O::TooManyComponents => Said::Element("13"),
        O::ElementRepeats => Said::Element("12"),
        O::TooShort => Said::Element("4"),
        O::TooLong => Said::Element("5"),
        O::Character | O::NumberValue => Said::Element("6"),
        O::DateValue => Said::Element("8"),
        O::TimeValue => Said::Element("9"),
        O::NoteExclusion => Said::Element("10"),
        O::NotePaired | O::NoteRequired | O::NoteConditional | O::NoteList => Said::Element("2"),
        O::RuleMissing | O::RuleAdvice => by_place("I9", "I6"),
        O::RuleForbidden => by_place("I13", "I9"),
        _ if finding.position.is_some() => by_place("7", "2"),
        _ => Said::Set("5"),
    };
    // What has no place in the transaction set can only be said of the whole.
    match said {
        Said::Segment(_) | Said::Element(_) if finding.position.is_none() => Said::Set("5"),
        said => said,
    }
}

/// The 997 knows fewer codes than the 999: the standard's, not the guides'.
pub(super) fn older_segment(code: &'static str) -> &'static str {
    match code {
        "I6" | "I7" | "I8" => "3",
        "I4" | "I9" => "2",
        code => code,
    }
}

/// The same for an element.
pub(super) fn older_element(code: &'static str) -> &'static str {
    match code {
        "I9" | "I11" => "2",
        "I6" | "I12" => "7",
        "I10" | "I13" => "10",
        code => code,
    }
}

/// TA105. The control standard numbers what can be wrong with an ISA by its elements.
pub(super) fn interchange(finding: &Finding) -> &'static str {
    match (finding.oddity, finding.segment_id, finding.element) {
        (Oddity::IeaControl, ..) => "001",
        (Oddity::IeaCount, ..) => "021",
        (Oddity::NoIea, ..) => "023",
        (Oddity::NoGe, ..) => "022",
        (Oddity::CodeUnknown | Oddity::CodeValue, Some("ISA"), Some(12)) => "017",
        (_, Some("ISA"), Some(element)) => match element {
            1 => "010",
            2 => "011",
            3 => "012",
            4 => "013",
            5 => "005",
            6 => "006",
            7 => "007",
            8 => "008",
            9 => "014",
            10 => "015",
            11 => "026",
            12 => "017",
            13 => "018",
            14 => "019",
            15 => "020",
            _ => "027",
        },
        _ => "024",
    }
}

/// AK905 to AK909.
pub(super) fn group(finding: &Finding) -> &'static str {
    match (finding.oddity, finding.segment_id, finding.element) {
        (Oddity::NoGe, ..) => "3",
        (Oddity::GeControl, ..) => "4",
        (Oddity::GeCount, ..) => "5",
        (_, Some("GS"), Some(8)) => "2",
        (_, Some("GS"), Some(1)) => "1",
        _ => "6",
    }
}
