//! What was odd about an interchange. Reading goes on; the oddity is told with its place and how much it matters.

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
    /// What was expected, where that is a count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// What was there instead, where that is a count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<u64>,
}

macro_rules! oddities {
    ($($(#[$doc:meta])* $name:ident = $severity:ident, $code:literal, $message:literal;)*) => {
        /// The oddities this crate knows. The name of each is what callers see as `code`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Oddity { $($(#[$doc])* $name,)* }

        impl Oddity {
            /// How much it matters.
            pub fn severity(self) -> Severity { match self { $(Self::$name => Severity::$severity,)* } }
            /// Its fixed name.
            pub fn code(self) -> &'static str { match self { $(Self::$name => $code,)* } }
            /// One sentence.
            pub fn message(self) -> &'static str { match self { $(Self::$name => $message,)* } }
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
    /// ISA11 equals ISA16.
    SharedSeparator = Warning, "isa11_isa16", "ISA11 and ISA16 name the same separator, for repeats and for components.";
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
    DetailCount = Error, "detail_count", "A loop has more details of one kind than the limit; the rest was left out.";
    /// LS without LE.
    LoopBounds = Warning, "ls_le", "An LS loop header and its LE trailer do not fit.";
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
            expected: None,
            found: None,
        }
    }
}

impl Finding {
    /// Adds a count that was expected and the one that was there.
    #[must_use]
    pub fn counts(mut self, expected: Option<u64>, found: Option<u64>) -> Self {
        self.expected = expected;
        self.found = found;
        self
    }
}

/// A bounded list of findings: the first [`MAX_FINDINGS`], and how many more there were.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    kept: Vec<Finding>,
    left_out: u64,
}

impl Findings {
    /// Adds one, or counts it when the list is full.
    pub fn push(&mut self, finding: Finding) {
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

    /// How many were only counted.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Takes out what was kept so far; the list counts on from there.
    pub fn take(&mut self) -> Vec<Finding> {
        std::mem::take(&mut self.kept)
    }
}
