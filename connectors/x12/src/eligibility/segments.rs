//! Segments of the 270 and the 271.

use crate::model::common::Procedure;
use crate::model::health::DiagnosisPointers;
use crate::model::{Money, Text, segments};

segments! {
    /// EQ: what is asked about.
    pub struct AskedService<'a> = "EQ" {
        /// EQ01: service types: `30` the plan as a whole, `98` office visit, `MH` …
        service_types: Vec<Text<'a>> = 1,
        /// EQ02: a procedure instead.
        procedure: Procedure<'a> = 2,
        /// EQ03: whose coverage: `IND`, `FAM` …
        coverage_level: Text<'a> = 3,
        /// EQ04: kind of insurance.
        insurance_type: Text<'a> = 4,
        /// EQ05: the diagnoses it is about.
        diagnoses: DiagnosisPointers<'a> = 5,
    }

    /// III: a place of service, a diagnosis or other information.
    pub struct Iii<'a> = "III" {
        /// III01: which code list: `ZZ` place of service, `BK`, `BF`, `ABK`, `ABF` diagnosis …
        qualifier: Text<'a> = 1,
        /// III02
        code: Text<'a> = 2,
        /// III03: what kind of information.
        category: Text<'a> = 3,
        /// III04: in words.
        text: Text<'a> = 4,
        /// III05
        quantity: Money<'a> = 5,
        /// III06: unit of measurement.
        unit: Text<'a> = 6,
        /// III07
        surface_1: Text<'a> = 7,
        /// III08
        surface_2: Text<'a> = 8,
        /// III09
        surface_3: Text<'a> = 9,
    }

    /// EB: one statement about eligibility or a benefit.
    pub struct Eb<'a> = "EB" {
        /// EB01: what is said: `1` active, `6` inactive, `A` coinsurance, `B` copay, `C` deductible, `F` limit, `G`
        /// out-of-pocket, `I` not covered, `L` primary care provider, `R` other payer …
        information: Text<'a> = 1,
        /// EB02: whose: `IND`, `FAM` …
        coverage_level: Text<'a> = 2,
        /// EB03: service types.
        service_types: Vec<Text<'a>> = 3,
        /// EB04: kind of insurance.
        insurance_type: Text<'a> = 4,
        /// EB05: the plan's name.
        plan: Text<'a> = 5,
        /// EB06: period: `23` calendar year, `24` year to date, `27` visit, `29` remaining …
        period: Text<'a> = 6,
        /// EB07: US dollars.
        amount: Money<'a> = 7,
        /// EB08: a share, `.2` being 20 %.
        share: Money<'a> = 8,
        /// EB09: what is counted: `VS` visits, `DY` days …
        quantity_qualifier: Text<'a> = 9,
        /// EB10
        quantity: Money<'a> = 10,
        /// EB11: authorization is needed: `Y`, `N`, `U` unknown.
        authorization: Text<'a> = 11,
        /// EB12: in the plan's network: `Y`, `N`, `W` both, `U` unknown.
        network: Text<'a> = 12,
        /// EB13: a procedure.
        procedure: Procedure<'a> = 13,
        /// EB14: the diagnoses it is about.
        diagnoses: DiagnosisPointers<'a> = 14,
    }

    /// MPI: military service.
    pub struct Mpi<'a> = "MPI" {
        /// MPI01: how current the information is.
        status: Text<'a> = 1,
        /// MPI02: in which employment.
        employment: Text<'a> = 2,
        /// MPI03: which service.
        service: Text<'a> = 3,
        /// MPI04: in words.
        description: Text<'a> = 4,
        /// MPI05: rank.
        rank: Text<'a> = 5,
        /// MPI06: form of the date: `D8`, `RD8`.
        date_format: Text<'a> = 6,
        /// MPI07: a day or a span.
        date: Text<'a> = 7,
    }

    /// LS: loops of this number begin.
    pub struct Ls<'a> = "LS" {
        /// LS01: `2120`.
        loop_id: Text<'a> = 1,
    }

    /// LE: loops of this number end.
    pub struct Le<'a> = "LE" {
        /// LE01: `2120`.
        loop_id: Text<'a> = 1,
    }
}
