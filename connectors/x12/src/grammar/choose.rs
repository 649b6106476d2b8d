//! Which guide a transaction set follows: told by ST01 and its content; ST03 or GS08 only where the content is silent.
//! Some content stands behind the header, so that choosing may look a bounded number of segments ahead.

use super::GuideName;
use crate::finding::Oddity;
use crate::read::Segment;

/// Segments that are looked at before ST03 or GS08 decides.
pub const MAX_LOOK_AHEAD: u32 = 400;

/// The guide of a transaction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The guide; `None`: there is no table for it.
    pub guide: Option<GuideName>,
    /// It is of an older version of the standard than the table.
    pub older: bool,
    /// What is to be remarked about the choice.
    pub remark: Option<Oddity>,
    /// ST03 is empty, though the guide asks for it.
    pub unnamed: bool,
}

/// Sets whose ST names no guide: 005010X221A1 does not use ST03, and the 997 has no guide of its own.
const NO_ST03: [&str; 2] = ["835", "997"];

/// Chooses a guide along the first segments of a transaction set.
#[derive(Clone, Debug)]
pub struct Chooser {
    set: [u8; 3],
    /// What ST03 or GS08 names.
    named: Option<GuideName>,
    /// They name something, be it known or not.
    names: bool,
    /// ST03 names something.
    st03: bool,
    older: bool,
    seen: u32,
    /// 837: what CLM05-2 says.
    facility: Option<u8>,
    /// A 999 under the number of its forerunner.
    renumbered: bool,
}

impl Chooser {
    /// For a transaction set that begins with `st`; `implementation`: ST03, else GS08.
    pub fn new(st: &Segment<'_>, implementation: &str) -> Self {
        let id = st.raw(1).trim_ascii();
        let mut set = [b' '; 3];
        if let Some(room) = set.get_mut(..id.len()) {
            room.copy_from_slice(id);
        }
        let named = GuideName::ALL.iter().copied().find(|name| {
            name.get().is_some_and(|guide| {
                guide.set.as_bytes() == set && guide.versions.iter().any(|version| implementation.starts_with(version))
            })
        });
        // 00401, 004010X098A1
        let older = implementation.starts_with("0040") || implementation.starts_with("0030");
        let renumbered = set == *b"997" && implementation.starts_with("005010X231");
        let st03 = !st.raw(3).trim_ascii().is_empty();
        Self { set, named, names: implementation.contains('X'), st03, older, seen: 0, facility: None, renumbered }
    }

    /// Looks at the next segment, the one behind ST first. The choice, as soon as it is clear.
    pub fn look(&mut self, segment: &Segment<'_>) -> Option<Choice> {
        self.seen = self.seen.saturating_add(1);
        let file = match &self.set {
            b"837" => self.claim(segment)?,
            b"277" => self.status(segment),
            _ => self.only(),
        };
        Some(self.choice(file))
    }

    /// The choice where no more segments come.
    pub fn end(&self) -> Choice {
        let file = match &self.set {
            b"837" => self.claim_default(),
            b"277" => "277",
            _ => self.only(),
        };
        self.choice(file)
    }

    fn choice(&self, file: &str) -> Choice {
        let guide = GuideName::by_file(file);
        let remark = match (guide, self.named) {
            (None, _) => Some(Oddity::NoGuide),
            (Some(_), None) if !self.names => Some(Oddity::GuideUnnamed),
            (Some(chosen), named) if named != Some(chosen) => Some(Oddity::GuideMismatch),
            _ => None,
        };
        let unnamed = guide.is_some() && !NO_ST03.contains(&file) && !self.older && !self.st03;
        Choice { guide, older: self.older, remark, unnamed }
    }

    fn only(&self) -> &'static str {
        self.named.map_or_else(
            || match &self.set {
                b"270" => "270",
                b"271" => "271",
                b"275" => "275",
                b"276" => "276",
                b"278" => "278",
                b"835" => "835",
                b"997" if self.renumbered => "999",
                b"997" => "997",
                b"999" => "999",
                _ => "",
            },
            named_file,
        )
    }

    /// Professional, institutional or dental: the service lines say it, CLM05-2 half of it.
    fn claim(&mut self, segment: &Segment<'_>) -> Option<&'static str> {
        match segment.id_bytes() {
            b"SV1" => return Some("837p"),
            b"SV2" => return Some("837i"),
            b"SV3" => return Some("837d"),
            b"CLM" => self.facility = segment.component(5, 2).bytes().next(),
            _ => {}
        }
        (self.seen >= MAX_LOOK_AHEAD).then(|| self.claim_default())
    }

    fn claim_default(&self) -> &'static str {
        match (self.facility, self.named) {
            (Some(b'A'), _) => "837i",
            (_, Some(named)) => named_file(named),
            _ => "837p",
        }
    }

    /// BHT01 tells the answer to a 276 from the acknowledgment of claims; other uses have no table here.
    fn status(&self, segment: &Segment<'_>) -> &'static str {
        if self.names && self.named.is_none() && !self.older {
            return "";
        }
        match (segment.raw(1).trim_ascii(), segment.raw(6).trim_ascii()) {
            (b"0085", _) | (_, b"TH") => "277ca",
            (b"0010", _) | (_, b"DG") => "277",
            _ => self.named.map_or("277", named_file),
        }
    }
}

fn named_file(name: GuideName) -> &'static str {
    name.get().map_or("", super::Guide::name)
}
