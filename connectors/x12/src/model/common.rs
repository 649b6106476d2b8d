//! Segments that many transactions share. Element numbers and meanings are facts of the X12 standard, 005010.

use jiff::civil::Date;

use super::Written;
pub use super::hi::Hi;
use super::{Count, Day, Money, Rare, Text, composites, segments};

composites! {
    /// C003: a procedure, drug or service.
    pub struct Procedure<'a> {
        /// Which code list: `HC` CPT or HCPCS, `AD` dental, `N4` drug, `HP`, `NU`, `WK`, `ER`, `IV`.
        system: Text<'a> = 1,
        /// The code.
        code: Text<'a> = 2,
        /// First modifier.
        modifier_1: Text<'a> = 3,
        /// Second modifier.
        modifier_2: Text<'a> = 4,
        /// Third modifier.
        modifier_3: Text<'a> = 5,
        /// Fourth modifier.
        modifier_4: Text<'a> = 6,
        /// Free description.
        description: Rare<'a> = 7,
        /// The last code of a range.
        code_to: Rare<'a> = 8,
    }

    /// C022: a code about someone's health, with what belongs to it.
    pub struct HealthCode<'a> {
        /// Which code list: `ABK` principal diagnosis, `ABF` other diagnosis, `BK` and `BF` the same in ICD-9, `DR`, `BE` …
        qualifier: Text<'a> = 1,
        /// The code.
        code: Text<'a> = 2,
        /// The form of the date: `D8`, `RD8`.
        date_format: Text<'a> = 3,
        /// A date or a span.
        date: Text<'a> = 4,
        /// An amount of money.
        amount: Money<'a> = 5,
        /// A quantity.
        quantity: Money<'a> = 6,
        /// Version of the code list.
        version: Text<'a> = 7,
        /// The last code of a range.
        code_to: Text<'a> = 8,
        /// Present on admission: `Y`, `N`, `U`, `W`.
        present_on_admission: Text<'a> = 9,
    }

    /// C001: a unit of measurement, possibly composed of two.
    pub struct Unit<'a> {
        /// `UN` units, `ML` millilitres, `GR` grams, `ME` milligrams, `F2` international units …
        unit: Text<'a> = 1,
        /// Its exponent.
        exponent: Money<'a> = 2,
        /// Its multiplier.
        multiplier: Money<'a> = 3,
        /// A second unit.
        unit_2: Text<'a> = 4,
        /// Its exponent.
        exponent_2: Money<'a> = 5,
        /// Its multiplier.
        multiplier_2: Money<'a> = 6,
    }

    /// C035: a provider's specialty.
    pub struct Specialty<'a> {
        /// The code.
        code: Text<'a> = 1,
        /// Whose code it is.
        agency: Text<'a> = 2,
        /// Yes or no.
        indicator: Text<'a> = 3,
    }

    /// C040: one more reference inside another.
    pub struct ReferencePart<'a> {
        /// Which kind.
        qualifier: Text<'a> = 1,
        /// The number.
        value: Text<'a> = 2,
        /// A second kind.
        qualifier_2: Text<'a> = 3,
        /// Its number.
        value_2: Text<'a> = 4,
        /// A third kind.
        qualifier_3: Text<'a> = 5,
        /// Its number.
        value_3: Text<'a> = 6,
    }
}

segments! {
    /// BHT: the beginning of a transaction with levels.
    pub struct Bht<'a> = "BHT" {
        /// BHT01: `0022`, `0010`, `0085`, `0007`, `0019` …: the order of levels.
        structure: Text<'a> = 1,
        /// BHT02: what it is for: `13` request, `11` response, `00` original …
        purpose: Text<'a> = 2,
        /// BHT03: the sender's reference.
        reference: Text<'a> = 3,
        /// BHT04
        date: Day<'a> = 4,
        /// BHT05, `HHMM` or longer.
        time: Text<'a> = 5,
        /// BHT06
        kind: Text<'a> = 6,
    }

    /// NM1: a person or an organisation.
    pub struct Nm1<'a> = "NM1" {
        /// NM101: which part it plays: `IL` insured, `QC` patient, `PR` payer, `85` billing provider …
        entity: Text<'a> = 1,
        /// NM102: `1` a person, `2` not a person.
        kind: Text<'a> = 2,
        /// NM103: last name, or the organisation's.
        last_name: Text<'a> = 3,
        /// NM104
        first_name: Text<'a> = 4,
        /// NM105
        middle_name: Text<'a> = 5,
        /// NM106
        prefix: Rare<'a> = 6,
        /// NM107
        suffix: Text<'a> = 7,
        /// NM108: `XX` NPI, `MI` member id, `PI` payer id, `FI` tax id, `34` social security number …
        qualifier: Text<'a> = 8,
        /// NM109
        id: Text<'a> = 9,
        /// NM110
        relation: Rare<'a> = 10,
        /// NM111
        related_entity: Rare<'a> = 11,
        /// NM112: a second last name.
        second_last_name: Rare<'a> = 12,
    }

    /// N1: a party by name.
    pub struct N1<'a> = "N1" {
        /// N101: `PR` payer, `PE` payee …
        entity: Text<'a> = 1,
        /// N102
        name: Text<'a> = 2,
        /// N103: `XX` NPI, `FI` tax id, `XV` plan id …
        qualifier: Text<'a> = 3,
        /// N104
        id: Text<'a> = 4,
        /// N105
        relation: Text<'a> = 5,
        /// N106
        related_entity: Text<'a> = 6,
    }

    /// N2: more of a name.
    pub struct N2<'a> = "N2" {
        /// N201
        name: Text<'a> = 1,
        /// N202
        more: Text<'a> = 2,
    }

    /// N3: a street.
    pub struct N3<'a> = "N3" {
        /// N301
        line_1: Text<'a> = 1,
        /// N302
        line_2: Text<'a> = 2,
    }

    /// N4: city, state, postal code.
    pub struct N4<'a> = "N4" {
        /// N401
        city: Text<'a> = 1,
        /// N402
        state: Text<'a> = 2,
        /// N403
        postal_code: Text<'a> = 3,
        /// N404
        country: Text<'a> = 4,
        /// N405
        location_qualifier: Text<'a> = 5,
        /// N406
        location: Text<'a> = 6,
        /// N407
        subdivision: Text<'a> = 7,
    }

    /// REF: a number by which something is known.
    pub struct Ref<'a> = "REF" {
        /// REF01: which kind.
        qualifier: Text<'a> = 1,
        /// REF02
        value: Text<'a> = 2,
        /// REF03
        description: Rare<'a> = 3,
        /// REF04
        more: Option<Box<ReferencePart<'a>>> = 4,
    }

    /// PER: whom to reach, and how.
    pub struct Per<'a> = "PER" {
        /// PER01: `IC` information contact, `CX` claims contact, `BL` technical …
        function: Text<'a> = 1,
        /// PER02
        name: Text<'a> = 2,
        /// PER03: `TE` telephone, `EM` e-mail, `FX` fax, `UR` web address, `EX` extension.
        qualifier_1: Text<'a> = 3,
        /// PER04
        number_1: Text<'a> = 4,
        /// PER05
        qualifier_2: Text<'a> = 5,
        /// PER06
        number_2: Text<'a> = 6,
        /// PER07
        qualifier_3: Text<'a> = 7,
        /// PER08
        number_3: Text<'a> = 8,
        /// PER09
        inquiry_reference: Text<'a> = 9,
    }

    /// DTP: a date, a span or a time, in the form its qualifier tells.
    pub struct Dtp<'a> = "DTP" {
        /// DTP01: which date.
        qualifier: Text<'a> = 1,
        /// DTP02: `D8` a day, `RD8` two days with a hyphen between, `DT` day and time, `TM` time …
        format: Text<'a> = 2,
        /// DTP03
        value: Text<'a> = 3,
    }

    /// DTM: a date.
    pub struct Dtm<'a> = "DTM" {
        /// DTM01: which date.
        qualifier: Text<'a> = 1,
        /// DTM02
        date: Day<'a> = 2,
        /// DTM03
        time: Rare<'a> = 3,
        /// DTM04
        zone: Rare<'a> = 4,
        /// DTM05
        format: Rare<'a> = 5,
        /// DTM06
        period: Rare<'a> = 6,
    }

    /// DMG: date of birth, sex and the like.
    pub struct Dmg<'a> = "DMG" {
        /// DMG01: `D8`.
        format: Text<'a> = 1,
        /// DMG02: the day of birth.
        born: Day<'a> = 2,
        /// DMG03: `F`, `M`, `U`.
        sex: Text<'a> = 3,
        /// DMG04
        marital_status: Text<'a> = 4,
        /// DMG05
        race: Vec<ReferencePart<'a>> = 5,
        /// DMG06
        citizenship: Text<'a> = 6,
        /// DMG07
        country: Text<'a> = 7,
        /// DMG08
        verification: Text<'a> = 8,
        /// DMG09
        quantity: Money<'a> = 9,
        /// DMG10
        list: Text<'a> = 10,
        /// DMG11
        industry_code: Text<'a> = 11,
    }

    /// TRN: a trace number.
    pub struct Trn<'a> = "TRN" {
        /// TRN01: `1` ours, `2` the other side's.
        kind: Text<'a> = 1,
        /// TRN02
        number: Text<'a> = 2,
        /// TRN03: who gave it.
        origin: Text<'a> = 3,
        /// TRN04
        division: Text<'a> = 4,
    }

    /// AMT: an amount.
    pub struct Amt<'a> = "AMT" {
        /// AMT01: which amount.
        qualifier: Text<'a> = 1,
        /// AMT02
        amount: Money<'a> = 2,
        /// AMT03: `C`, `D`.
        sign: Rare<'a> = 3,
    }

    /// QTY: a quantity.
    pub struct Qty<'a> = "QTY" {
        /// QTY01: which quantity.
        qualifier: Text<'a> = 1,
        /// QTY02
        quantity: Money<'a> = 2,
        /// QTY03
        unit: Unit<'a> = 3,
        /// QTY04
        text: Text<'a> = 4,
    }

    /// HSD: how services are delivered: so many, so often, over such a time.
    pub struct Hsd<'a> = "HSD" {
        /// HSD01: what is counted: `VS` visits, `DY` days, `HS` hours …
        quantity_qualifier: Text<'a> = 1,
        /// HSD02: how many.
        quantity: Money<'a> = 2,
        /// HSD03: per `DA` day, `WK` week, `MO` month, `VS` visit …
        unit: Text<'a> = 3,
        /// HSD04: every so many of these.
        every: Money<'a> = 4,
        /// HSD05: over which time: `7` day, `34` month, `23` calendar year, `29` remaining …
        period: Text<'a> = 5,
        /// HSD06: how many of these.
        periods: Count<'a> = 6,
        /// HSD07: on which days of the week, coded.
        days: Text<'a> = 7,
        /// HSD08: at which time of day, coded.
        time: Text<'a> = 8,
    }

    /// LX: a number in a row.
    pub struct Lx<'a> = "LX" {
        /// LX01
        number: Count<'a> = 1,
    }

    /// MSG: a text.
    pub struct Msg<'a> = "MSG" {
        /// MSG01
        text: Text<'a> = 1,
        /// MSG02
        carriage: Text<'a> = 2,
        /// MSG03
        number: Text<'a> = 3,
    }

    /// PRV: what kind of provider.
    pub struct Prv<'a> = "PRV" {
        /// PRV01: `BI` billing, `PE` performing, `RF` referring …
        role: Text<'a> = 1,
        /// PRV02: `PXC` taxonomy …
        qualifier: Text<'a> = 2,
        /// PRV03
        code: Text<'a> = 3,
        /// PRV04
        state: Text<'a> = 4,
        /// PRV05
        specialty: Specialty<'a> = 5,
        /// PRV06
        organisation: Text<'a> = 6,
    }

    /// AAA: the request, or a part of it, was not accepted.
    pub struct Aaa<'a> = "AAA" {
        /// AAA01: `Y` the request was valid, `N` it was not.
        valid: Text<'a> = 1,
        /// AAA02
        agency: Text<'a> = 2,
        /// AAA03: why.
        reason: Text<'a> = 3,
        /// AAA04: what to do now.
        follow_up: Text<'a> = 4,
    }

    /// INS: how the insured or the dependent stands to the subscriber.
    pub struct Ins<'a> = "INS" {
        /// INS01: `Y` the subscriber, `N` not.
        subscriber: Text<'a> = 1,
        /// INS02: `18` self, `01` spouse, `19` child …
        relationship: Text<'a> = 2,
        /// INS03
        maintenance: Text<'a> = 3,
        /// INS04
        maintenance_reason: Text<'a> = 4,
        /// INS05
        status: Text<'a> = 5,
        /// INS06
        medicare: Text<'a> = 6,
        /// INS07
        cobra: Text<'a> = 7,
        /// INS08
        employment: Text<'a> = 8,
        /// INS09
        student: Text<'a> = 9,
        /// INS10
        handicap: Text<'a> = 10,
        /// INS11
        death_format: Text<'a> = 11,
        /// INS12
        death: Text<'a> = 12,
        /// INS13
        confidentiality: Text<'a> = 13,
        /// INS14
        city: Text<'a> = 14,
        /// INS15
        state: Text<'a> = 15,
        /// INS16
        country: Text<'a> = 16,
        /// INS17: place among children born together.
        birth_order: Text<'a> = 17,
    }

    /// SVC: a service line, asked about or paid.
    pub struct Svc<'a> = "SVC" {
        /// SVC01: the service as the carrier judged it.
        procedure: Procedure<'a> = 1,
        /// SVC02: charged.
        charged: Money<'a> = 2,
        /// SVC03: paid.
        paid: Money<'a> = 3,
        /// SVC04: revenue code.
        revenue: Text<'a> = 4,
        /// SVC05: units paid for; one where it is not given.
        paid_units: Money<'a> = 5,
        /// SVC06: the service as it was submitted, where that was another.
        submitted: Option<Box<Procedure<'a>>> = 6,
        /// SVC07: units charged, where that is another number.
        units: Money<'a> = 7,
    }
}

impl Dtp<'_> {
    /// First and last day; `None` where the text is no such date. Never guessed.
    pub fn span(&self) -> Option<(Date, Date)> {
        span(&self.value)
    }
}

/// First and last day of a text in the form `D8` or `RD8`.
pub(crate) fn span(text: &str) -> Option<(Date, Date)> {
    match text.split_once('-') {
        Some((from, to)) => Some((day(from)?, day(to)?)),
        None => day(text).map(|date| (date, date)),
    }
}

/// `CCYYMMDD`, with a time of four digits behind it or not.
fn day(text: &str) -> Option<Date> {
    let text = text.trim();
    let plain = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    Date::parse(text.get(..8).filter(|_| plain).unwrap_or(text).as_bytes())
}
