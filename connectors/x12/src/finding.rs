//! What was odd about an interchange. Reading goes on; the oddity is told with its place and how much it matters.

use rust_decimal::Decimal;
use serde::Serialize;

/// Findings kept for one interchange file; later ones are only counted.
pub const MAX_FINDINGS: usize = 1_000;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Unusual, but allowed or harmless.
    Info,
    /// Against the standard, and read all the same without loss.
    Warning,
    /// Against the standard, and something may be missing or misread.
    Error,
}

/// What was expected instead: a count, or words out of the guide's table, never out of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Expected {
    /// A count.
    Count(u64),
    /// A length, a format, or the codes the guide names, as its table writes them: `85,87`.
    Words(&'static str),
}

/// One oddity. Its words are fixed and its numbers are counts and places: never a value from the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// A fixed name: `se_count`.
    pub code: &'static str,
    /// One sentence.
    pub message: &'static str,
    /// Place of the segment in the file, from 1; 0 before the first one.
    pub segment: u64,
    /// Offset in the file, bytes.
    pub offset: u64,
    /// Place of the transaction set in its interchange, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction: Option<u32>,
    /// Place of the segment in its transaction set, ST being 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// The loop of the guide: `2010AA`.
    #[serde(rename = "loop", skip_serializing_if = "Option::is_none")]
    pub loop_id: Option<&'static str>,
    /// The segment's identifier, where it is one this crate knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segment_id: Option<&'static str>,
    /// The element, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<u16>,
    /// The component of that element, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<u16>,
    /// The repeat of that element, from 1, where it is not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeat: Option<u16>,
    /// The element's number in the X12 dictionary: `67`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_element: Option<&'static str>,
    /// What was expected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// What was there instead, where that is a count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<u64>,
    /// By how much a sum is off: the difference, never an amount of the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub off_by: Option<Decimal>,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<&'static str>,
    /// Which oddity this is.
    #[serde(skip)]
    pub oddity: Oddity,
}

macro_rules! oddities {
    ($($(#[$doc:meta])* $name:ident = $severity:ident, $code:literal, $message:literal $(, $help:literal)?;)*) => {
        /// The oddities this crate knows. The name of each is what callers see as `code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Oddity { $($(#[$doc])* $name,)* }

        impl Oddity {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// How much it matters.
            pub fn severity(self) -> Severity { match self { $(Self::$name => Severity::$severity,)* } }
            /// Its fixed name.
            pub fn code(self) -> &'static str { match self { $(Self::$name => $code,)* } }
            /// One sentence.
            pub fn message(self) -> &'static str { match self { $(Self::$name => $message,)* } }
            /// How to mend it, where the message does not say it.
            pub fn help(self) -> Option<&'static str> {
                let help: &'static [&'static str] = match self { $(Self::$name => &[$($help)?],)* };
                help.first().copied()
            }
        }
    };
}

oddities! {
    /// UTF-8 byte order mark.
    ByteOrderMark = Info, "byte_order_mark", "A byte order mark stands before the interchange.";
    /// Text before ISA.
    TextBefore = Warning, "text_before_isa", "Text stands before the ISA segment.";
    /// Text after IEA.
    TextAfter = Warning, "text_after_iea", "Text that is no segment stands after the interchange.";
    /// No ISA.
    NoIsa = Warning, "no_isa", "There is no ISA segment; the separators were guessed from the first segment.";
    /// ISA is not 106 characters.
    IsaLength = Warning, "isa_length", "The ISA segment does not have its fixed 106 characters.";
    /// ISA16 unusable.
    NoComponent = Warning, "isa16", "ISA16 names no usable component separator; a colon is assumed.";
    /// ISA11 is a letter, or blank.
    NoRepetition = Info, "isa11", "ISA11 names no repetition separator; elements do not repeat here.";
    /// Segments end in a line break.
    NewlineTerminator = Info, "newline_terminator", "Segments end in a line break instead of a character of their own.";
    /// No segment terminator at all.
    NoTerminator = Error, "no_segment_terminator", "The ISA segment names no segment terminator; what follows it cannot be told apart and was left out.";
    /// ISA11 equals ISA16.
    SharedSeparator = Warning, "isa11_isa16", "ISA11 and ISA16 name the same separator, for repeats and for components.";
    /// CR, LF after the terminator.
    LineBreaks = Info, "line_breaks", "Line breaks follow the segment terminators.";
    /// Line breaks of different kinds.
    MixedBreaks = Info, "mixed_line_breaks", "What stands between segments changes: line breaks of another kind, or none.";
    /// Line break within a segment.
    BreakInside = Warning, "line_break_inside", "A line break stands inside a segment; a terminator may be missing.";
    /// Element with blanks at its end.
    Padded = Info, "padded_elements", "Elements are filled up with blanks at their end.";
    /// Empty elements at the end.
    TrailingEmpty = Warning, "trailing_empty_elements", "Empty elements stand at the end of a segment.";
    /// Several interchanges.
    SeveralInterchanges = Info, "several_interchanges", "The file holds several interchanges.";
    /// Several groups.
    SeveralGroups = Info, "several_groups", "The interchange holds several functional groups.";
    /// Several transaction sets.
    SeveralSets = Info, "several_sets", "The functional group holds several transaction sets.";
    /// Indented segments.
    Indented = Info, "leading_space", "Segments begin with spaces or tabs.";
    /// Junk before a segment id.
    TextInside = Warning, "text_between_segments", "Text stands between two segments.";
    /// Bad segment id.
    SegmentId = Error, "segment_id", "A segment does not begin with a two- or three-character identifier.";
    /// Segment too long.
    SegmentLength = Error, "segment_length", "A segment is longer than the limit and was left out.";
    /// Too many elements.
    ElementCount = Error, "element_count", "A segment has more elements than the limit; the rest was left unsplit.";
    /// Unterminated last segment.
    Unterminated = Warning, "no_terminator", "The last segment has no terminator; the file may be cut off.";
    /// Wrong binary length.
    BinaryLength = Error, "binary_length", "A binary segment's length does not fit its data; its end was searched for.";
    /// Not ASCII.
    NotAscii = Info, "not_ascii", "There are bytes outside ASCII.";
    /// A second ISA came before IEA.
    NoIea = Error, "no_iea", "The interchange has no IEA trailer.";
    /// Group without trailer.
    NoGe = Error, "no_ge", "A functional group has no GE trailer.";
    /// Transaction without trailer.
    NoSe = Error, "no_se", "A transaction set has no SE trailer; it may be cut off.";
    /// Trailer without header.
    StrayTrailer = Error, "stray_trailer", "A trailer (SE, GE or IEA) stands without its header.";
    /// Transaction outside a group.
    NoGs = Warning, "no_gs", "A transaction set stands outside a functional group.";
    /// Segment outside a transaction.
    Stray = Warning, "stray_segment", "A segment stands outside a transaction set.";
    /// SE01.
    SeCount = Warning, "se_count", "SE01 does not give the number of segments.";
    /// SE02.
    SeControl = Warning, "se_control", "The control numbers in ST and SE differ.";
    /// GE01.
    GeCount = Warning, "ge_count", "GE01 does not give the number of transaction sets.";
    /// GE02.
    GeControl = Warning, "ge_control", "The control numbers in GS and GE differ.";
    /// IEA01.
    IeaCount = Warning, "iea_count", "IEA01 does not give the number of functional groups.";
    /// IEA02.
    IeaControl = Warning, "iea_control", "The control numbers in ISA and IEA differ.";
    /// Transaction too long.
    TransactionLength = Error, "transaction_length", "A transaction set is longer than the limit; its end was left out.";
    /// HL parent.
    HlParent = Warning, "hl_parent", "An HL segment points to a parent that is not there.";
    /// HL level.
    HlLevel = Error, "hl_level", "An HL segment has a level code that does not belong here.";
    /// HL id used twice.
    HlDuplicate = Warning, "hl_duplicate", "Two HL segments have the same number.";
    /// A segment of the wrong place.
    Misplaced = Warning, "misplaced_segment", "A segment stands where the guide has no place for it.";
    /// More details of one kind than are kept.
    DetailCount = Error, "detail_count", "A loop has more details (or a 278 more cases) of one kind than the limit; the rest was left out.";
    /// More segments than are read of a 271.
    ResponseLength = Error, "response_length", "The 271 has more than 50,000 segments; those after them were left out.",
        "Ask for fewer patients in one 270.";
    /// LS without LE.
    LoopBounds = Warning, "ls_le", "An LS loop header and its LE trailer do not fit.";

    // What the guide's tables say (`grammar`).

    /// Not in the dictionary.
    UnknownSegment = Error, "unknown_segment", "This segment is not known.",
        "Check the segment identifier; private segments are not allowed.";
    /// Known, but the guide does not use it.
    UnexpectedSegment = Error, "unexpected_segment", "The guide does not use this segment here.",
        "Leave it out, or move it into the loop that it belongs to.";
    /// Out of order.
    SegmentOrder = Error, "segment_order", "This segment stands out of its order.",
        "Put it where the guide has it; the segments of a loop come in a fixed order.";
    /// No line of the guide has this qualifier here.
    Qualifier = Error, "qualifier", "The qualifier of this segment is none that the guide has here.",
        "Use one of the expected codes, or move the segment into the loop that it belongs to.";
    /// Required segment missing.
    MissingSegment = Error, "missing_segment", "A required segment is missing in the loop that begins here.",
        "Add the segment.";
    /// Required loop missing.
    MissingLoop = Error, "missing_loop", "A required loop is missing in the loop that begins here.",
        "Add the loop; it begins with the named segment.";
    /// Too many of one segment.
    SegmentRepeats = Error, "segment_repeats", "This segment comes more often than the guide allows.";
    /// Too many of one loop.
    LoopRepeats = Error, "loop_repeats", "This loop comes more often than the guide allows.";
    /// Required element missing.
    MissingElement = Error, "missing_element", "A required element is missing.", "Fill it in.";
    /// Not-used element present.
    ElementNotUsed = Error, "element_not_used", "The guide does not use this element.", "Leave it empty.";
    /// More elements than the segment has.
    TooManyElements = Error, "too_many_elements", "The segment has more elements than it is defined with.",
        "Leave them out; an element separator within a value does this too.";
    /// More components than the composite has.
    TooManyComponents = Error, "too_many_components", "The element has more components than it is defined with.",
        "Leave them out; a component separator within a value does this too.";
    /// More repeats than allowed.
    ElementRepeats = Error, "element_repeats", "The element comes in more repeats than allowed.",
        "A repetition separator within a value does this too.";
    /// Not among the guide's codes.
    CodeValue = Error, "code_value", "The code is none that the guide has here.", "Use one of the expected codes.";
    /// Not in an outside list.
    CodeUnknown = Warning, "code_unknown", "The code is not in our copy of a list that changes often.",
        "Check it against the current list of its owner.";
    /// Not in an outside list of which we have a part.
    CodeUnlisted = Info, "code_unlisted", "The code is not in our copy of its list, which holds only a part of the list.",
        "Check it against the current list of its owner.";
    /// Too short.
    TooShort = Error, "too_short", "The value is too short.";
    /// Too long.
    TooLong = Error, "too_long", "The value is too long.";
    /// A character that cannot stand there.
    Character = Error, "character", "The value holds a character that is not allowed.",
        "Leave out control characters such as tabs and line breaks.";
    /// Not a date.
    DateValue = Error, "date_value", "This is no date of the expected form.";
    /// Not a time.
    TimeValue = Error, "time_value", "This is no time of the expected form.";
    /// Not a number.
    NumberValue = Error, "number_value", "This is no number of the expected form.",
        "Digits with at most one sign and one decimal point; no thousands separators, no currency.";
    /// P note.
    NotePaired = Error, "elements_paired", "These elements stand together or not at all.";
    /// R note.
    NoteRequired = Error, "elements_one_of", "At least one of these elements is required.";
    /// E note.
    NoteExclusion = Error, "elements_exclusive", "Only one of these elements may stand.";
    /// C note.
    NoteConditional = Error, "elements_conditional", "The first of these elements asks for all the others.";
    /// L note.
    NoteList = Error, "elements_list", "The first of these elements asks for one of the others.";
    /// A situational rule: something is missing.
    RuleMissing = Error, "rule_missing", "The guide asks for more in this situation.";
    /// A situational rule: something is too much.
    RuleForbidden = Error, "rule_forbidden", "The guide does not allow this in this situation.";
    /// A rule that carriers read softly.
    RuleAdvice = Warning, "rule_advice", "Carriers expect more in this situation.";
    /// NPI check digit.
    Npi = Warning, "npi", "This is no National Provider Identifier: ten digits, the last one a check digit.",
        "Look the number up in the NPI registry.";
    /// HL01.
    HlNumber = Error, "hl_number", "HL segments are not numbered 1, 2, 3 and so on.", "Number them in order.";
    /// HL02 points at itself or forward.
    HlCycle = Error, "hl_cycle", "An HL segment names itself, or one that has not come yet, as its parent.",
        "HL02 is the number of the HL segment above it.";
    /// HL02 is not the level above.
    HlOrder = Error, "hl_order", "An HL segment does not stand under the parent it names.",
        "Put children right behind their parent.";
    /// HL04.
    HlChild = Warning, "hl_child", "HL04 does not say rightly whether levels follow under this one.",
        "1 where there are children, 0 where there are none.";
    /// Nothing in the interchange.
    NothingInside = Warning, "nothing_inside", "There is no transaction set and no TA1 in the file.";
    /// No guide.
    NoGuide = Info, "no_guide", "There is no guide for this transaction set: only the envelope was checked.";
    /// Before 005010.
    OlderVersion = Info, "older_version", "This is of an older version than 005010 (such as 004010) and was read with the tables of 005010: what only a guide asks for is a remark.",
        "Findings about the guide are advice here; hold it against the older guide.";
    /// ST03 against content.
    GuideMismatch = Warning, "guide_mismatch", "The content is of another guide than ST03 or GS08 names.",
        "Name the guide that the content follows.";
    /// No ST03.
    SetUnnamed = Warning, "st03_missing", "ST03 does not name the guide, which 005010 asks for; carriers may turn the set away.",
        "Put the identifier of the guide there, the same as in GS08.";
    /// No ST03 nor GS08 that names a guide.
    GuideUnnamed = Info, "guide_unnamed", "Neither ST03 nor GS08 names a guide; it was told by the content.";

    // Sums of an 835 (`remittance`).

    /// SVC02 - CAS = SVC03.
    LineBalance = Error, "line_balance", "The line does not balance: charged less adjustments is not what is paid.",
        "SVC03 is SVC02 less the amounts of the line's CAS segments.";
    /// CLP03 - CAS = CLP04.
    ClaimBalance = Error, "claim_balance", "The claim does not balance: charged less adjustments is not what is paid.",
        "CLP04 is CLP03 less the amounts of all CAS segments of the claim and its lines; each adjustment stands once.";
    /// Sum of SVC02 = CLP03.
    LineCharges = Warning, "line_charges", "The lines together do not charge what the claim charges.",
        "CLP03 is the sum of SVC02 where lines are given.";
    /// CLP02 25 and CLP04.
    PredeterminationPaid = Warning, "predetermination_paid", "A predetermination says that something is paid.",
        "CLP04 is zero; what would be paid is an adjustment of group OA with reason 101.";
    /// CLP04 - PLB = BPR02.
    PaymentBalance = Error, "payment_balance", "The payment does not balance: the claims and the provider adjustments add up to another amount.",
        "BPR02 is the sum of CLP04 less the amounts of all PLB segments.";

    // Sums and order of an 837 (`claim`).

    /// No CLM.
    NoClaim = Error, "no_claim", "There is no claim in the transaction set.";
    /// Sum of SV102, SV203, SV302 = CLM02.
    ClaimCharges = Error, "claim_charges", "The lines together do not charge what the claim charges.",
        "CLM02 is the sum of the charges of its lines (SV102, SV203 or SV302).";
    /// AMT*D of loop 2320.
    OtherPayerBalance = Warning, "other_payer_balance", "What another payer paid for the claim does not come out even.",
        "AMT D is what it paid for the lines (SVD02) less its CAS of loop 2320; without lines, the charge less these.";
    /// SVD02 + CAS of loop 2430.
    OtherPayerLine = Warning, "other_payer_line", "What another payer paid and adjusted is not what the line charges.",
        "SVD02 and the CAS amounts after it add up to the charge of the line, for each payer.";
    /// SVD01.
    OtherPayerUnknown = Warning, "other_payer_unknown", "A line was paid by a payer that the claim does not name.",
        "SVD01 is NM109 of a loop 2330B of the claim.";
    /// SV107, SV311.
    DiagnosisPointer = Warning, "diagnosis_pointer", "A line points to a diagnosis that is not there.",
        "Point to a place in HI, from 1.";
    /// LX01.
    LineNumber = Warning, "line_number", "The lines of the claim are not numbered from 1 on.";
    /// N403 of loop 2010AA.
    ShortPostalCode = Warning, "postal_code_short", "The billing provider's postal code has five digits only.",
        "Nine digits are asked for in the United States.";
    /// DTP*472 after BHT04.
    ServiceLater = Warning, "service_later", "A service is dated after the day the file was made on.";
    /// DMG02 after BHT04.
    BornLater = Warning, "born_later", "Somebody was born after the day the file was made on.";
}

impl Oddity {
    /// A finding of this kind at a place.
    pub fn at(self, segment: u64, offset: u64) -> Finding {
        Finding {
            severity: self.severity(),
            code: self.code(),
            message: self.message(),
            segment,
            offset,
            transaction: None,
            position: None,
            loop_id: None,
            segment_id: None,
            element: None,
            component: None,
            repeat: None,
            data_element: None,
            expected: None,
            found: None,
            off_by: None,
            help: self.help(),
            oddity: self,
        }
    }
}

impl Oddity {
    /// Whether a receiver turns the transaction set, group or interchange away for it, though it can be read without
    /// loss.
    pub fn rejects(self) -> bool {
        matches!(
            self,
            Self::SeCount
                | Self::SeControl
                | Self::GeCount
                | Self::GeControl
                | Self::IeaCount
                | Self::IeaControl
                | Self::NoIsa
                | Self::NoGs
                | Self::HlParent
        )
    }
}

impl Finding {
    /// Whether a receiver turns the transaction set, group or interchange away for it.
    pub fn rejects(&self) -> bool {
        self.severity == Severity::Error || self.severity == Severity::Warning && self.oddity.rejects()
    }

    /// Adds a count that was expected and the one that was there.
    #[must_use]
    pub fn counts(mut self, expected: Option<u64>, found: Option<u64>) -> Self {
        self.expected = expected.map(Expected::Count);
        self.found = found;
        self
    }

    /// Adds words out of a table that say what was expected.
    #[must_use]
    pub fn expecting(mut self, words: &'static str) -> Self {
        self.expected = Some(Expected::Words(words));
        self
    }

    /// Adds the element, from 1.
    #[must_use]
    pub fn element(mut self, element: usize) -> Self {
        self.element = u16::try_from(element).ok();
        self
    }
}

/// A bounded list of findings: the first [`MAX_FINDINGS`], and how many more there were.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    left_out: u64,
    rejects: bool,
    remarks: bool,
}

impl Findings {
    /// Adds one, or counts it when the list is full.
    pub fn push(&mut self, finding: Finding) {
        self.rejects |= finding.rejects();
        self.remarks |= finding.severity == Severity::Warning;
        if self.kept.len() < MAX_FINDINGS {
            self.kept.push(finding);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// The kept ones.
    pub fn as_slice(&self) -> &[Finding] {
        &self.kept
    }

    /// Whether any of them, kept or counted, is one that a receiver turns the whole away for.
    pub fn rejects(&self) -> bool {
        self.rejects
    }

    /// Whether any of them is a warning.
    pub fn remarks(&self) -> bool {
        self.remarks
    }

    /// How many were only counted.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Takes out what was kept so far; the list counts on from there.
    pub fn take(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct() {
        let mut codes: Vec<_> = Oddity::ALL.iter().map(|oddity| oddity.code()).collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn places_are_left_out_where_there_are_none() {
        let json = serde_json::to_string(&Oddity::SeCount.at(3, 200).counts(Some(4), Some(5))).unwrap();
        assert!(json.contains(r#""expected":4"#) && !json.contains("loop"), "{json}");
        let json = serde_json::to_string(&Oddity::CodeValue.at(3, 200).element(2).expecting("85,87")).unwrap();
        assert!(json.contains(r#""expected":"85,87""#) && json.contains(r#""element":2"#), "{json}");
    }
}
