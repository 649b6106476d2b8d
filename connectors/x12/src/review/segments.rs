//! The two segments that only the 278 has.

use crate::model::health::{RelatedCauses, ServiceLocation};
use crate::model::{Text, segments};

segments! {
    /// UM: what kind of review.
    pub struct Um<'a> = "UM" {
        /// UM01: `AR` admission, `HS` services, `SC` specialty care (a referral), `IN` individual.
        category: Text<'a> = 1,
        /// UM02: `I` first request, `3` cancel, `4` extension, `R` renewal, `S` revised, `1` and `2` appeal …
        certification: Text<'a> = 2,
        /// UM03: type of service, as EQ01.
        service_type: Text<'a> = 3,
        /// UM04: where.
        location: ServiceLocation<'a> = 4,
        /// UM05: an accident or the like.
        related_causes: RelatedCauses<'a> = 5,
        /// UM06: `U` urgent, `03` emergency, `E` elective.
        level_of_service: Text<'a> = 6,
        /// UM07: how the patient is.
        condition: Text<'a> = 7,
        /// UM08: outlook.
        prognosis: Text<'a> = 8,
        /// UM09: `Y` the patient allows that information is given on.
        release: Text<'a> = 9,
        /// UM10: why it comes late.
        delay_reason: Text<'a> = 10,
    }

    /// HCR: what was decided.
    pub struct Hcr<'a> = "HCR" {
        /// HCR01: `A1` to `A6`, `C`, `CT`, `NA`.
        action: Text<'a> = 1,
        /// HCR02: the number of the decision.
        number: Text<'a> = 2,
        /// HCR03: why.
        reasons: Vec<Text<'a>> = 3,
        /// HCR04: `Y` a second opinion is asked for.
        second_opinion: Text<'a> = 4,
    }
}
