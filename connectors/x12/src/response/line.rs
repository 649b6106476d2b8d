//! One EB segment with everything that belongs to it.

use super::{DateValue, Party, Reference, Rejection};
use crate::read::Segment;

/// A 2110 loop: EB, and the HSD, REF, DTP, AAA, MSG, III and 2120 entities after it.
#[derive(Clone, Default)]
pub struct BenefitLine {
    /// Place of the EB.
    pub position: u32,
    /// `2110C` or `2110D`.
    pub loop_id: String,
    /// EB01
    pub info: String,
    /// EB02
    pub level: String,
    /// EB03, each repeat.
    pub services: Vec<String>,
    /// EB04
    pub insurance_type: String,
    /// EB05
    pub plan: String,
    /// EB06
    pub period: String,
    /// EB07, as it came.
    pub amount: String,
    /// EB08, as it came.
    pub share: String,
    /// EB09
    pub quantity_kind: String,
    /// EB10, as it came.
    pub quantity: String,
    /// EB11
    pub authorization: String,
    /// EB12
    pub network: String,
    /// EB13
    pub procedure: Option<ProcedureRef>,
    /// EB14: places in the level's HI segment, from 1.
    pub diagnosis_pointers: Vec<String>,
    /// HSD segments.
    pub deliveries: Vec<Delivery>,
    /// REF segments.
    pub references: Vec<Reference>,
    /// DTP segments.
    pub dates: Vec<DateValue>,
    /// AAA segments.
    pub rejections: Vec<Rejection>,
    /// MSG01 and its place.
    pub messages: Vec<(String, u32)>,
    /// III segments (loop 2115).
    pub informations: Vec<Information>,
    /// Loop 2120.
    pub parties: Vec<Party>,
}

/// EB13: a procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProcedureRef {
    /// `HC`, `AD`, `N4` …
    pub system: String,
    /// The code.
    pub code: String,
    /// Modifiers.
    pub modifiers: Vec<String>,
    /// Words sent beside it.
    pub description: String,
    /// Last code of a range.
    pub to: String,
}

/// An HSD segment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delivery {
    /// HSD01
    pub quantity_kind: String,
    /// HSD02
    pub quantity: String,
    /// HSD03
    pub unit: String,
    /// HSD04
    pub every: String,
    /// HSD05
    pub period: String,
    /// HSD06
    pub periods: String,
    /// HSD07
    pub days: String,
    /// HSD08
    pub time: String,
    /// Place.
    pub position: u32,
}

/// An III segment.
#[derive(Clone, Default)]
pub struct Information {
    /// III01: `ZZ` place of service, `BK`, `BF`, `ABK`, `ABF` diagnosis …
    pub kind: String,
    /// III02
    pub code: String,
    /// III04
    pub text: String,
    /// Place.
    pub position: u32,
}

impl BenefitLine {
    /// Reads an EB segment.
    pub(super) fn read(eb: Segment<'_>, loop_id: String) -> Self {
        let text = |element| eb.text(element).into_owned();
        let services = eb
            .repeats(3)
            .map(|code| String::from_utf8_lossy(code.trim_ascii()).into_owned())
            .filter(|code| !code.is_empty())
            .collect();
        let parts: Vec<String> = eb.components(eb.raw(13)).map(|part| part.into_owned()).collect();
        let part = |at: usize| parts.get(at).cloned().unwrap_or_default();
        let procedure = (!part(0).is_empty() || !part(1).is_empty()).then(|| ProcedureRef {
            system: part(0),
            code: part(1),
            modifiers: (2..6).map(part).filter(|modifier| !modifier.is_empty()).collect(),
            description: part(6),
            to: part(7),
        });
        let pointers = eb.components(eb.raw(14)).filter(|pointer| !pointer.is_empty());
        Self {
            position: eb.position,
            loop_id,
            info: text(1),
            level: text(2),
            services,
            insurance_type: text(4),
            plan: text(5),
            period: text(6),
            amount: text(7),
            share: text(8),
            quantity_kind: text(9),
            quantity: text(10),
            authorization: text(11),
            network: text(12),
            procedure,
            diagnosis_pointers: pointers.map(|pointer| pointer.into_owned()).collect(),
            ..Self::default()
        }
    }
}

impl Delivery {
    /// Reads an HSD segment.
    pub(super) fn read(hsd: Segment<'_>) -> Self {
        let text = |element| hsd.text(element).into_owned();
        Self {
            quantity_kind: text(1),
            quantity: text(2),
            unit: text(3),
            every: text(4),
            period: text(5),
            periods: text(6),
            days: text(7),
            time: text(8),
            position: hsd.position,
        }
    }
}

impl Information {
    /// Reads an III segment.
    pub(super) fn read(iii: Segment<'_>) -> Self {
        let text = |element| iii.text(element).into_owned();
        Self { kind: text(1), code: text(2), text: text(4), position: iii.position }
    }
}
