//! A whole 837: who sends it, and the levels of billing provider, subscriber and patient above the claims.

use super::detail::Claim;
use super::segments::{Pat, Sbr};
use crate::model::common::{Bht, Dmg, Dtp, N2, N3, N4, Nm1, Per, Prv, Ref};
use crate::model::{Hl, loops, transactions};
use crate::remittance::Cur;

transactions! {
    /// An 837: claims of one submitter to one receiver, by billing provider, subscriber and patient. Professional,
    /// institutional and dental claims are the same tree ([`Claims::kind`] tells them apart).
    ///
    /// Typed whole it takes memory in proportion to its segments, of which the only limit is that of a block
    /// ([`MAX_BLOCK_SEGMENTS`](crate::read::MAX_BLOCK_SEGMENTS), [`MAX_BLOCK_BYTES`](crate::read::MAX_BLOCK_BYTES)). A large
    /// one is better read with [`Stream`](super::Stream), claim by claim and in flat memory.
    pub struct Claims<'a> = "837", "005010X222A1" {
        /// BHT
        beginning: Option<Bht<'a>>,
        /// REF*87: the guide, in 004010.
        references: Vec<Ref<'a>>,
        /// Loop 1000A: who sends it.
        submitter: Option<Party<'a>> where 1 = "41",
        /// Loop 1000B: who gets it.
        receiver: Option<Party<'a>> where 1 = "40",
        /// Loop 2000A
        billing: Vec<Billing<'a>>,
    }
}

loops! {
    /// Loop 2000A: a billing provider and those it treated.
    pub struct Billing<'a> {
        /// HL*20
        level: Hl<'a> where 3 = "20",
        /// PRV*BI: its specialty.
        specialty: Option<Prv<'a>>,
        /// CUR
        currency: Option<Cur<'a>>,
        /// Loop 2010AA, NM1*85: the billing provider.
        provider: Option<Party<'a>> where 1 = "85",
        /// Loop 2010AB, NM1*87: where payment goes, if not there.
        pay_to: Option<Party<'a>> where 1 = "87",
        /// Loop 2010AC, NM1*PE: the plan that payment goes to.
        pay_to_plan: Option<Party<'a>> where 1 = "PE",
        /// Other parties.
        others: Vec<Party<'a>>,
        /// Loop 2000B
        subscribers: Vec<Subscriber<'a>>,
    }

    /// Loop 2000B: a subscriber, with the claims where the subscriber is the patient.
    pub struct Subscriber<'a> {
        /// HL*22
        level: Hl<'a> where 3 = "22",
        /// SBR
        insurance: Option<Sbr<'a>>,
        /// PAT: about the subscriber as a patient.
        patient: Option<Pat<'a>>,
        /// Loop 2010BA, NM1*IL: the subscriber.
        name: Option<Person<'a>> where 1 = "IL",
        /// Loop 2010BB, NM1*PR: the payer the claim goes to.
        payer: Option<Party<'a>> where 1 = "PR",
        /// Other parties (004010): the responsible person `QD`, the holder of a credit card `AO`.
        others: Vec<Party<'a>>,
        /// Loop 2300
        claims: Vec<Claim<'a>>,
        /// Loop 2000C
        patients: Vec<Patient<'a>>,
    }

    /// Loop 2000C: a patient who is not the subscriber, with the claims.
    pub struct Patient<'a> {
        /// HL*23
        level: Hl<'a> where 3 = "23",
        /// PAT
        patient: Option<Pat<'a>>,
        /// Loop 2010CA, NM1*QC: the patient.
        name: Option<Person<'a>> where 1 = "QC",
        /// Other parties.
        others: Vec<Party<'a>>,
        /// Loop 2300
        claims: Vec<Claim<'a>>,
    }

    /// A party by name, address and numbers: submitter, receiver, payer, provider, facility, place.
    pub struct Party<'a> {
        /// NM1
        name: Nm1<'a>,
        /// N2: more of the name (004010).
        more_name: Option<N2<'a>>,
        /// PRV: its specialty.
        specialty: Option<Prv<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// REF: further numbers.
        references: Vec<Ref<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
    }

    /// A person: subscriber or patient, of this insurance or another.
    pub struct Person<'a> {
        /// NM1
        name: Nm1<'a>,
        /// N2: more of the name (004010).
        more_name: Option<N2<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// DMG: date of birth and sex.
        demographics: Option<Dmg<'a>>,
        /// REF: further numbers.
        references: Vec<Ref<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
    }

    /// Loop 2330B: another payer.
    pub struct OtherPayer<'a> {
        /// NM1*PR
        name: Nm1<'a>,
        /// N2: more of the name (004010).
        more_name: Option<N2<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// PER (004010).
        contacts: Vec<Per<'a>>,
        /// DTP*573: when it decided.
        dates: Vec<Dtp<'a>>,
        /// REF: its number for the claim `F8`, authorization `G1`, referral `9F`, `T4` an adjustment …
        references: Vec<Ref<'a>>,
    }
}
