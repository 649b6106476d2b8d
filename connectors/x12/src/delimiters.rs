//! The five characters that hold an interchange together, and how they are told from its first bytes.

/// Longest ISA that is still looked for, bytes. A well-formed one has 106; unpadded and over-padded ones exist.
pub(crate) const MAX_ISA_BYTES: usize = 512;

/// Length of a well-formed ISA without its segment terminator, bytes.
pub(crate) const ISA_BYTES: usize = 105;
/// Elements of an ISA.
pub(crate) const ISA_ELEMENTS: usize = 16;

/// Where the element separators of a well-formed ISA stand (offset from the `I`). Fixed by the X12 control standard.
const ISA_SEPARATORS: [usize; 16] = [3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103];

/// The separators of one interchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Delimiters {
    /// Between elements, usually `*`.
    pub element: u8,
    /// Between repeats of one element (ISA11), usually `^`. `None` where the interchange has none (before 00402).
    pub repetition: Option<u8>,
    /// Between the components of a composite (ISA16), usually `:`.
    pub component: u8,
    /// Ends a segment, usually `~`.
    pub segment: u8,
    /// Written: whether a line feed follows each segment end. Read: whether one did.
    pub newline_after: bool,
}

impl Default for Delimiters {
    /// `* ^ : ~`, no line breaks: what most carriers' companion guides ask for.
    fn default() -> Self {
        Self { element: b'*', repetition: Some(b'^'), component: b':', segment: b'~', newline_after: false }
    }
}

impl Delimiters {
    /// Whether a byte is one of these separators.
    pub fn contains(&self, byte: u8) -> bool {
        byte == self.element || byte == self.component || byte == self.segment || Some(byte) == self.repetition
    }

    /// Whether they can be told apart from data and from each other: four (three) different ASCII characters, neither
    /// letters nor digits nor spaces; only the segment end may be a line feed or a carriage return.
    pub fn usable(&self) -> bool {
        let plain = |byte: u8| byte.is_ascii_punctuation();
        let end = plain(self.segment) || matches!(self.segment, b'\n' | b'\r');
        let repeat = self.repetition.is_none_or(plain);
        let mut all = vec![self.element, self.component, self.segment];
        all.extend(self.repetition);
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        plain(self.element) && plain(self.component) && end && repeat && all.len() == count
    }
}

/// What the start of an interchange tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detected {
    pub(crate) delimiters: Delimiters,
    /// The ISA has its 106 characters.
    pub(crate) fixed: bool,
    /// ISA16 holds no usable component separator.
    pub(crate) no_component: bool,
    /// ISA11 holds none, though the version (ISA12, 00402 or later) has one there.
    pub(crate) no_repetition: bool,
    /// It is followed by a segment terminator. Where it is not, [`Delimiters::segment`] is a zero byte.
    pub(crate) terminated: bool,
}

impl Detected {
    /// ISA11 and ISA16 name the same separator.
    pub(crate) fn shared(&self) -> bool {
        self.delimiters.repetition == Some(self.delimiters.component)
    }
}

/// Reads the separators from `bytes`, which begin with `ISA`. `None` where this is no ISA, or it names no segment end
/// that could be told from data.
pub(crate) fn from_isa(bytes: &[u8]) -> Option<Detected> {
    let rest = bytes.strip_prefix(b"ISA")?;
    let element = *rest.first()?;
    if element.is_ascii_alphanumeric() || element.is_ascii_whitespace() || !element.is_ascii() {
        return None;
    }
    let window = bytes.get(..bytes.len().min(MAX_ISA_BYTES))?;
    let mut places = window.iter().enumerate().filter(|(_, byte)| **byte == element).map(|(at, _)| at);
    let fixed = ISA_SEPARATORS.iter().all(|at| window.get(*at) == Some(&element))
        && window.get(3..104).is_some_and(|isa| isa.iter().filter(|byte| **byte == element).count() == 16);
    let tenth = places.by_ref().nth(10)?;
    let eleventh = places.next()?;
    let twelfth = places.next()?;
    let last = places.nth(2)?;
    let version = window.get(eleventh + 1..twelfth)?;
    let repetition = match window.get(tenth + 1..eleventh)? {
        [byte] if byte.is_ascii_punctuation() => Some(*byte),
        _ => None,
    };
    let (first, second) = (*window.get(last + 1)?, window.get(last + 2).copied());
    // `...*P*~` followed by a line break: ISA16 was left out, and `~` ends the segment.
    let left_out = first == b'~' && second.is_none_or(|byte| byte.is_ascii_whitespace() || byte == b'G');
    let (component, segment) = if left_out { (None, first) } else { (Some(first), second.or(fixed.then_some(0))?) };
    let terminated = !(segment == 0 || segment.is_ascii_alphanumeric() || segment == b' ' || segment == element);
    if !terminated && !fixed {
        return None;
    }
    let segment = if terminated { segment } else { 0 };
    let usable = component.filter(|byte| byte.is_ascii_punctuation() && *byte != element && *byte != segment);
    let component = usable.unwrap_or(b':');
    // ISA11 and ISA16 may be the same by mistake: which one is meant follows from the element it stands in.
    let repetition = repetition.filter(|byte| *byte != element && *byte != segment);
    let after = window.get(last + if left_out { 2 } else { 3 }).copied();
    let newline_after = !matches!(segment, b'\n' | b'\r') && matches!(after, Some(b'\n' | b'\r'));
    let delimiters = Delimiters { element, repetition, component, segment, newline_after };
    let no_repetition = repetition.is_none() && version >= b"00402".as_slice();
    Some(Detected { delimiters, fixed, no_component: usable.is_none(), no_repetition, terminated })
}

/// Guesses the separators of a file without ISA from its first segment, a GS or ST at the start of `bytes`.
pub(crate) fn from_first_segment(bytes: &[u8]) -> Option<Delimiters> {
    let rest = bytes.strip_prefix(b"ST").or_else(|| bytes.strip_prefix(b"GS"))?;
    let element = *rest.first()?;
    if !element.is_ascii_punctuation() {
        return None;
    }
    if bytes.starts_with(b"ST")
        && !(rest.get(1..4).is_some_and(|id| id.iter().all(u8::is_ascii_digit)) && rest.get(4) == Some(&element))
    {
        return None;
    }
    // Control numbers, dates and versions are letters and digits; the first other character ends the segment.
    let inside =
        |byte: &u8| byte.is_ascii_alphanumeric() || *byte == element || matches!(*byte, b' ' | b'-' | b'.' | b'_');
    let segment = *rest.iter().take(MAX_ISA_BYTES).find(|byte| !inside(byte))?;
    let component = if element == b':' || segment == b':' { b'>' } else { b':' };
    let repetition = if element == b'^' || segment == b'^' { None } else { Some(b'^') };
    Some(Delimiters { element, repetition, component, segment, newline_after: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISA: &str =
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260101*1200*^*00501*000000001*0*P*:~";

    #[test]
    fn a_well_formed_isa() {
        let found = from_isa(ISA.as_bytes()).unwrap();
        assert_eq!(found.delimiters, Delimiters::default());
        assert!(found.fixed && !found.no_component);
    }

    #[test]
    fn isa11_u_is_no_separator() {
        let found = from_isa(ISA.replace("*^*", "*U*").as_bytes()).unwrap();
        assert!(found.delimiters.repetition.is_none() && found.no_repetition);
        let old = from_isa(ISA.replace("*^*00501*", "*U*00401*").as_bytes()).unwrap();
        assert!(old.delimiters.repetition.is_none() && !old.no_repetition, "there the element has another meaning");
    }

    #[test]
    fn unpadded_and_newline_terminated() {
        let found = from_isa(b"ISA*00**00**ZZ*A*ZZ*B*260101*1200*^*00501*1*0*P*:\r\nGS*").unwrap();
        assert!(!found.fixed);
        assert_eq!(found.delimiters.segment, b'\r');
    }

    #[test]
    fn a_missing_isa16() {
        let found = from_isa(b"ISA*00**00**ZZ*A*ZZ*B*260101*1200*^*00501*1*0*P*~\nGS*").unwrap();
        assert!(found.no_component);
        assert_eq!(found.delimiters.segment, b'~');
    }

    #[test]
    fn a_letter_cannot_end_a_segment() {
        let run_on = from_isa(ISA.replace('~', "GS*HB*").as_bytes()).unwrap();
        assert!(!run_on.terminated && run_on.fixed && run_on.delimiters.segment == 0);
        assert_eq!(from_isa(b"ISA*00**00**ZZ*A*ZZ*B*260101*1200*^*00501*1*0*P*:GS*HB*"), None);
        assert_eq!(from_isa(b"ISA card holders"), None);
        assert_eq!(from_isa(b"ISA*"), None);
    }

    #[test]
    fn one_separator_for_repeats_and_components() {
        let found = from_isa(ISA.replace("*:~", "*^~").as_bytes()).unwrap();
        assert!(found.shared());
        assert_eq!((found.delimiters.repetition, found.delimiters.component), (Some(b'^'), b'^'));
    }

    #[test]
    fn guesses_from_st() {
        assert_eq!(from_first_segment(b"ST*835*1234~BPR*I").unwrap().segment, b'~');
        assert_eq!(from_first_segment(b"ST|837|0001|005010X222\nBHT").unwrap().segment, b'\n');
        assert_eq!(from_first_segment(b"STREET 12"), None);
    }

    #[test]
    fn usable_means_distinct_punctuation() {
        assert!(Delimiters::default().usable());
        assert!(!Delimiters { component: b'*', ..Delimiters::default() }.usable());
        assert!(!Delimiters { element: b'A', ..Delimiters::default() }.usable());
        assert!(Delimiters { segment: b'\n', ..Delimiters::default() }.usable());
    }
}
