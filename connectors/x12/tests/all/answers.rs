//! What a 271 means, segment by segment, and whether it belongs to the question. Synthetic people only.

use std::collections::BTreeSet;

use connector_sdk::answer::{Accumulator, AuthorizationNeed, Benefit, Coverage, Covered, Level, Network, Place};
use connector_sdk::{EligibilityFacts, EligibilityRequest, ErrorKind, Outcome, RefusalReason};
use proptest::prelude::*;
use rust_decimal::Decimal;
use x12::answers::{Expected, MemberIdMatch, answer, eligibility, represented};
use x12::write::{Envelope, TransactionWriter};
use x12::{Delimiters, Document, Response};

const HEAD: &str = "BHT*0022*11*REF-1*20261123*1200~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*60054~\
    PER*IC*MEMBER SERVICES*TE*8005550100~HL*2*1*21*1~NM1*1P*2*BONE CLINIC*****XX*1234567893~";
const SUBSCRIBER: &str = "HL*3*2*22*0~TRN*2*T1*9123456789~NM1*IL*1*ZANZIBAR*ADA****MI*W100~DMG*D8*19800201*F~";

/// A 271 of `body`, segments separated by `~`, as one interchange.
fn interchange(body: &str) -> Vec<u8> {
    let header = "ISA*00*          *00*          *ZZ*A              *ZZ*B              *261123*1200*^*00501*000000001*0*P*:~\
        GS*HB*A*B*20261123*1200*1*X*005010X279A1~ST*271*0001*005010X279A1~";
    let count = body.matches('~').count() + 2;
    format!("{header}{body}SE*{count}*0001~GE*1*1~IEA*1*000000001~").into_bytes()
}

fn response(body: &str) -> Response {
    let document = Document::read(&interchange(body)).unwrap();
    Response::read(document.transactions().next().unwrap()).unwrap()
}

/// The facts of the only patient of a 271 whose subscriber has these EB segments.
fn facts_on(lines: &str, ask: Option<&EligibilityRequest>) -> EligibilityFacts {
    let response = response(&format!("{HEAD}{SUBSCRIBER}{lines}"));
    assert!(response.findings.is_empty(), "{:?}", response.findings);
    let mut all = eligibility(&response, ask);
    assert_eq!(all.len(), 1);
    match all.remove(0).outcome {
        Outcome::Answered(facts) => facts,
        Outcome::Refused(refusal) => panic!("refused: {refusal:?}"),
    }
}

fn facts(lines: &str) -> EligibilityFacts {
    facts_on(lines, None)
}

fn dec(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

/// Network, base, met, remaining.
type Deductible = (Network, Option<Decimal>, Option<Decimal>, Option<Decimal>);

fn deductibles(facts: &EligibilityFacts) -> Vec<Deductible> {
    let one = |benefit: &Benefit| {
        let Accumulator { base, met, remaining, .. } = benefit.deductible.clone()?;
        Some((benefit.network, base, met, remaining))
    };
    facts.benefits.iter().filter_map(one).collect()
}

#[test]
fn base_met_and_remaining_are_paired_and_networks_kept_apart() {
    let facts = facts(
        "EB*1**30**GOLD~EB*C*IND*30***23*1500*****Y~EB*C*IND*30***24*900*****Y~EB*C*IND*30***29*600*****Y~\
         EB*C*IND*30***23*3000*****N~EB*C*IND*30***29*3000*****N~EB*G*IND*30***23*6000*****Y~EB*G*IND*30***29*5100*****Y~",
    );
    assert_eq!(
        deductibles(&facts),
        [(Network::In, dec("1500"), dec("900"), dec("600")), (Network::Out, dec("3000"), None, dec("3000")),]
    );
    let inside = &facts.benefits[0];
    assert_eq!(inside.level, Level::Individual);
    assert_eq!(inside.deductible.as_ref().unwrap().period.as_ref().unwrap().code, "23");
    let pocket = inside.out_of_pocket.as_ref().unwrap();
    assert_eq!((pocket.base, pocket.remaining), (dec("6000"), dec("5100")));
    let fields: Vec<_> = inside.provenance.iter().flat_map(|place| place.of.clone()).collect();
    for field in ["deductible.base", "deductible.met", "deductible.remaining", "out_of_pocket.base"] {
        assert!(fields.contains(&field.to_owned()), "{field} in {fields:?}");
    }
    let base = inside.provenance.iter().find(|place| place.of == ["deductible.base"]).unwrap();
    let Place::Segment { position, id, loop_id, .. } = &base.place else { panic!("a segment") };
    assert_eq!((*position, id.as_str(), loop_id.as_str()), (13, "EB", "2110C"));
}

#[test]
fn what_does_not_fit_without_doubt_stays_apart_and_nothing_is_computed() {
    // Two bases and one remaining: which base is it the rest of?
    let two = facts("EB*C*IND*30***23*1500~EB*C*IND*30***25*2000~EB*C*IND*30***29*600~");
    assert_eq!(deductibles(&two).len(), 3);
    // Other words, other meaning.
    let words = facts("EB*C*IND*30***23*1500~MSG*MEDICAL~EB*C*IND*30***29*600~MSG*PHARMACY~");
    assert_eq!(deductibles(&words).len(), 2);
    // Level and kind of insurance must agree.
    assert_eq!(deductibles(&facts("EB*C*IND*30***23*1500~EB*C*FAM*30***29*600~")).len(), 2);
    assert_eq!(deductibles(&facts("EB*C*IND*30*HM**23*1500~EB*C*IND*30*PR**29*600~")).len(), 2);
    // A plan year's dates on both of two years.
    let years = facts(
        "EB*C*IND*30***23*1500~DTP*292*RD8*20250101-20251231~EB*C*IND*30***23*1600~DTP*292*RD8*20260101-20261231~\
         EB*C*IND*30***29*600~DTP*292*RD8*20260101-20261231~",
    );
    let kept = deductibles(&years);
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&(Network::NotStated, dec("1600"), None, dec("600"))), "{kept:?}");
    // Only the remaining was sent: no base appears.
    assert_eq!(deductibles(&facts("EB*C*IND*30***29*600~")), [(Network::NotStated, None, None, dec("600"))]);
    let lone = facts("EB*C*IND*30***29*600~");
    assert_eq!(lone.benefits[0].deductible.as_ref().unwrap().period, None, "\"remaining\" is no period");
    // The same line twice is one statement.
    assert_eq!(deductibles(&facts("EB*C*IND*30***23*1500~EB*C*IND*30***23*1500~")).len(), 1);
    // A lifetime stands beside the year.
    let lifetime = facts("EB*G*IND*30***23*6000~EB*G*IND*30***29*5000~EB*G*IND*30***32*100000~EB*G*IND*30***33*90000~");
    let pockets: Vec<_> = lifetime.benefits.iter().filter_map(|benefit| benefit.out_of_pocket.clone()).collect();
    assert_eq!(pockets.len(), 2);
    assert_eq!((pockets[1].base, pockets[1].remaining), (dec("100000"), dec("90000")));
}

#[test]
fn service_repeats_copays_and_coinsurance() {
    let facts = facts(
        "EB*1**30^98^UC**GOLD~EB*B**98^UC***27*25.50*****Y~EB*A*IND*98*****.20****Y~EB*A**86*****20~EB*I**35~EB*B**UC***27**.5~",
    );
    let of = |code: &str| -> Vec<&Benefit> { facts.benefits.iter().filter(|b| b.service.code == code).collect() };
    assert_eq!(facts.plans.len(), 1);
    assert_eq!(
        of("98").iter().filter_map(|b| b.copay.as_ref()).map(|c| c.amount).collect::<Vec<_>>(),
        [dec("25.50").unwrap()]
    );
    assert_eq!(of("UC").iter().filter(|b| b.copay.is_some()).count(), 1);
    assert_eq!(of("98").iter().filter(|b| b.covered == Covered::Yes).count(), 1);
    assert_eq!(
        of("98").iter().filter_map(|b| b.coinsurance.as_ref()).map(|c| c.patient_share).collect::<Vec<_>>(),
        [dec("0.20").unwrap()]
    );
    assert_eq!(of("35")[0].covered, Covered::No);
    // `20` is no share: shown as it came, not divided.
    assert!(of("86")[0].coinsurance.is_none());
    assert_eq!(of("86")[0].other[0].text.as_deref(), Some("20"));
    // A copay that is a share has no field: kept beside.
    assert!(of("UC").iter().any(|b| b.other.iter().any(|fact| fact.share == dec("0.5"))));
    assert!(of("30").is_empty(), "the plan line is told by the plan");
}

#[test]
fn limits_patterns_places_and_words() {
    let facts = facts(
        "EB*1**PT~EB*F**PT***23***VS*30~HSD*VS*30***23*1~MSG*COMBINED WITH OT~EB*F**PT***29***VS*12~MSG*COMBINED WITH OT~\
         EB*B**98***27*10~III*ZZ*11~EB*B**98***27*40~III*ZZ*22~EB*F**AL***32*500~EB*1**33~HSD*VS*2*WK**34*3~",
    );
    let of = |code: &str| -> Vec<&Benefit> { facts.benefits.iter().filter(|b| b.service.code == code).collect() };
    let limited = of("PT").into_iter().find(|b| b.limit.is_some()).unwrap();
    let limit = limited.limit.as_ref().unwrap();
    assert_eq!((limit.allowed, limit.used, limit.remaining), (dec("30"), None, dec("12")));
    assert_eq!(
        (limit.unit.as_ref().unwrap().code.as_str(), limit.period.as_ref().unwrap().code.as_str()),
        ("VS", "23")
    );
    assert_eq!(limit.patterns, ["30 visits per calendar year"]);
    assert_eq!(limited.covered, Covered::Limited);
    assert_eq!(limited.messages[0].text(), "COMBINED WITH OT");
    let places: Vec<_> = of("98").iter().map(|b| (b.places[0].code.clone(), b.copay.clone().unwrap().amount)).collect();
    assert_eq!(places, [("11".to_owned(), dec("10").unwrap()), ("22".to_owned(), dec("40").unwrap())]);
    assert_eq!(of("AL")[0].limit.as_ref().unwrap().unit.as_ref().unwrap().code, "USD");
    assert_eq!(of("33")[0].covered, Covered::Limited);
    assert_eq!(of("33")[0].limit.as_ref().unwrap().patterns, ["2 visits per week in 3 months"]);
}

#[test]
fn procedures_authorization_and_unknown_codes() {
    let facts = facts(
        "EB*1********X9*4*Y*Y*HC:99213:25~EB*QQ*ZZZ*!!*XX*ODD*98*twelve****U*W~EB*1**98********N~EB*~EB*H**98~EB*V~EB*E**98~MSG*COSMETIC~",
    );
    let procedure = facts.benefits.iter().find(|b| b.procedure.is_some()).unwrap();
    assert_eq!(procedure.procedure.as_ref().unwrap().code, "HC:99213:25");
    assert_eq!((procedure.authorization, procedure.network), (AuthorizationNeed::Required, Network::In));
    let odd = facts.benefits.iter().find(|b| b.service.code == "!!").unwrap();
    assert_eq!((odd.level.clone(), odd.network), (Level::Unknown("ZZZ".into()), Network::Both));
    assert_eq!((odd.other[0].kind.code.as_str(), odd.other[0].text.as_deref()), ("QQ", Some("twelve")));
    assert_eq!(odd.other[1].kind.code, "EB11 U");
    assert!(facts.benefits.iter().any(|b| b.authorization == AuthorizationNeed::NotRequired));
    assert_eq!(represented(&facts).len(), 7);
}

#[test]
fn plans_other_payers_primary_care_and_contacts() {
    let facts = facts(
        "REF*6P*G77~DTP*346*D8*20260101~EB*1*IND*30*HM*GOLD 123~REF*18*P9~MSG*READ THE BOOKLET~EB*R**30*MA~REF*F6*HIC1~\
         DTP*290*D8*20250101~LS*2120~NM1*PRP*2*OTHER HEALTH*****PI*777~PER*IC**TE*8005550111~LE*2120~EB*L~LS*2120~\
         NM1*P3*1*MARCUS*JO****XX*1234567893~LE*2120~EB*U**AL~LS*2120~NM1*VN*2*EYE VENDOR~PER*IC**TE*8005550122~LE*2120~",
    );
    let plan = &facts.plans[0];
    assert_eq!(
        (plan.name.as_deref(), plan.id.as_deref(), plan.group.as_deref()),
        (Some("GOLD 123"), Some("P9"), Some("G77"))
    );
    assert_eq!(plan.period.from, Some(jiff::civil::date(2026, 1, 1)));
    assert_eq!(plan.messages[0].text(), "READ THE BOOKLET");
    let payer = &plan.other_payers[0];
    assert_eq!((payer.name.as_deref(), payer.order.as_ref().unwrap().code.as_str()), (Some("OTHER HEALTH"), "PRP"));
    assert_eq!(payer.identifiers[0].kind.code, "F6");
    assert_eq!(plan.primary_care.as_ref().unwrap().name.as_ref().unwrap().text(), "JO MARCUS");
    let names: Vec<_> = facts.carrier_contacts.iter().map(|c| c.name.as_ref().unwrap().text()).collect();
    assert_eq!(names, ["NORTHSTAR", "EYE VENDOR"]);
    assert_eq!(represented(&facts).len(), 4);
    assert_eq!(facts.member.group_number.as_ref().unwrap().text(), "G77");
}

#[test]
fn coverage_on_the_day() {
    let on = |lines: &str| facts_on(lines, Some(&ask())).coverage;
    assert_eq!(on("EB*1**30~"), Coverage::Active);
    assert_eq!(on("EB*6**30~"), Coverage::Inactive);
    assert_eq!(on("EB*5**30~"), Coverage::Pending);
    assert_eq!(on("EB*1**30~EB*6**30~"), Coverage::Unknown);
    assert_eq!(on("EB*1**98~"), Coverage::Unknown, "one service says nothing of the plan");
    assert_eq!(on("EB*C**30***23*5~"), Coverage::Unknown);
    // An old span that ended does not speak against the present one.
    assert_eq!(on("EB*1**30~DTP*346*D8*20260101~EB*6**30~DTP*347*D8*20251231~"), Coverage::Active);
    assert_eq!(on("EB*6**30~DTP*347*D8*20251231~"), Coverage::Inactive);
    assert_eq!(on("EB*1**30~DTP*291*RD8*20240101-20241231~"), Coverage::Unknown, "active then, not said for today");
    assert_eq!(on("EB*1**30~DTP*291*D8*20261123~"), Coverage::Active, "one day is the day asked about");
}

#[test]
fn a_rejection_beside_benefits_is_a_remark() {
    let facts = facts("EB*1**30**GOLD~AAA*N**42*R~EB*1**98~");
    assert_eq!(facts.coverage, Coverage::Active);
    let remarks: Vec<_> = facts.benefits.iter().flat_map(|b| &b.other).map(|fact| fact.kind.code.as_str()).collect();
    assert_eq!(remarks, ["AAA 42"]);
    let above = response(&format!("{HEAD}AAA*N**79*C~{SUBSCRIBER}EB*1**30~"));
    let Outcome::Answered(facts) = eligibility(&above, None).remove(0).outcome else { panic!("answered") };
    let remark = facts.benefits.last().unwrap();
    assert_eq!(remark.other[0].kind.code, "AAA 79");
    assert!(matches!(&remark.provenance[0].place, Place::Segment { loop_id, .. } if loop_id == "2100B"));
}

/// The summary of facts, for the day the answers here are dated.
fn summary(facts: EligibilityFacts, ask: &EligibilityRequest) -> connector_sdk::answer::EligibilityAnswer {
    connector_sdk::summary::complete(facts, Some(ask), jiff::civil::date(2026, 11, 23))
}

fn alert<'a>(answer: &'a connector_sdk::answer::EligibilityAnswer, kind: &str) -> Option<&'a str> {
    answer.summary.alerts.iter().find(|alert| alert.kind == kind).map(|alert| alert.text.text())
}

#[test]
fn a_rejection_beside_benefits_is_an_alert() {
    let facts = facts_on("EB*1**30**GOLD~EB*1**98~AAA*N**42*R~", Some(&ask()));
    let answer = summary(facts, &ask());
    assert_eq!(
        alert(&answer, "partly_refused"),
        Some(
            "The carrier turned a part of the question away (office visit): Payer cannot respond right now. Sending again is allowed."
        )
    );
    assert!(alert(&summary(self::facts("EB*1**30**GOLD~"), &ask()), "partly_refused").is_none());
}

#[test]
fn whose_coverage_it_is_and_for_which_period_is_kept() {
    let facts = facts("EB*1*FAM*30**GOLD~EB*1**30**SILVER*23~EB*6*ESP*30*HM~EB*1**30**PLAIN~");
    assert_eq!(facts.plans.len(), 4);
    let told: Vec<_> = facts
        .benefits
        .iter()
        .map(|b| (b.plan.as_deref(), b.level.clone(), b.covered, b.other.first().and_then(|f| f.period.clone())))
        .map(|(plan, level, covered, period)| (plan, level, covered, period.map(|period| period.code)))
        .collect();
    assert_eq!(
        told,
        [
            (Some("GOLD"), Level::Family, Covered::Yes, None),
            (Some("SILVER"), Level::NotStated, Covered::Yes, Some("23".to_owned())),
            (None, Level::EmployeeAndSpouse, Covered::No, None),
        ],
        "the last line says no more than its plan"
    );
    assert_eq!(represented(&facts).len(), 4);
}

#[test]
fn what_the_carrier_does_not_know_is_kept_and_told() {
    let asked = asking(&["98", "62"]);
    let facts = facts_on("EB*1**30**GOLD~EB*1**98********U*U~EB*1**62********Q~EB*1**30********U~", Some(&asked));
    let fact = |service: &str, code: &str| {
        let lines = facts.benefits.iter().filter(|benefit| benefit.service.code == service);
        lines.flat_map(|benefit| &benefit.other).any(|fact| fact.kind.code == code)
    };
    assert!(fact("98", "EB11 U") && fact("98", "EB12 U") && fact("62", "EB11 Q") && fact("30", "EB11 U"));
    let visit = facts.benefits.iter().find(|benefit| benefit.service.code == "98").unwrap();
    assert_eq!((visit.authorization, visit.network), (AuthorizationNeed::NotStated, Network::NotStated));
    assert!(visit.provenance.iter().any(|place| place.of.contains(&"other".to_owned())));
    let answer = summary(facts, &asked);
    assert_eq!(
        alert(&answer, "authorization_unclear"),
        Some("The carrier could not say whether office visit needs prior authorization.")
    );
}

#[test]
fn military_service_is_kept_and_told() {
    let facts = facts("MPI*C*RU*A*RESERVE FIRST*E5*RD8*20000101-20200101~EB*1**30~");
    let military = facts.member.military.as_ref().unwrap();
    let labels = [&military.status, &military.employment, &military.branch, &military.rank];
    assert_eq!(
        labels.map(|code| code.as_ref().unwrap().label.as_str()),
        ["Current", "Retired in the USA", "Air Force", "E5"]
    );
    assert_eq!(military.description.as_ref().unwrap().text(), "RESERVE FIRST");
    assert_eq!(military.dates.as_ref().unwrap().span.to, Some(jiff::civil::date(2020, 1, 1)));
    assert!(
        matches!(&military.provenance[0].place, Place::Segment { id, loop_id, .. } if id == "MPI" && loop_id == "2100C")
    );
    assert!(!format!("{facts:?}").contains("RESERVE FIRST"));
    let answer = summary(facts, &ask());
    assert_eq!(
        alert(&answer, "military"),
        Some("The carrier has military service of the patient on file: Air Force, retired in the USA, current.")
    );
    assert!(self::facts("EB*1**30~").member.military.is_none());
}

#[test]
fn amounts_of_a_year_that_is_over_are_not_told_as_of_today() {
    let year = |base: u32, year: u32| format!("EB*C*IND*30***23*{base}*****Y~DTP*292*RD8*{year}0101-{year}1231~");
    let facts = facts_on(&format!("EB*1**30**GOLD~{}{}", year(1500, 2025), year(1600, 2026)), Some(&ask()));
    let periods: Vec<_> = facts.benefits.iter().map(|benefit| benefit.period.to.unwrap().year()).collect();
    assert_eq!(periods, [2025, 2026]);
    let text = summary(facts, &ask()).summary.paragraph;
    assert!(text.text().contains("the deductible is $1,600.00.") && !text.text().contains("1,500"), "{}", text.text());
    let facts = facts_on(&format!("EB*1**30**GOLD~{}", year(1500, 2025)), Some(&ask()));
    let text = summary(facts, &ask()).summary.paragraph;
    let told = "the deductible was $1,500.00 from 1 January 2025 to 31 December 2025.";
    assert!(text.text().contains(told), "{}", text.text());
}

#[test]
fn dates_of_the_member_count_for_lines_without_their_own() {
    let on = |dates: &str, lines: &str| facts_on(&format!("{dates}{lines}"), Some(&ask())).coverage;
    let active = "EB*1**30**GOLD~";
    for end in ["347", "357", "349", "540"] {
        assert_eq!(on(&format!("DTP*{end}*D8*20251231~"), active), Coverage::Unknown, "{end}: active, and ended");
        assert_eq!(on(&format!("DTP*{end}*D8*20251231~"), "EB*6**30~"), Coverage::Inactive, "{end}");
        assert_eq!(on(&format!("DTP*{end}*D8*20261231~"), active), Coverage::Active, "{end}: to come");
        assert_eq!(on(&format!("DTP*{end}*D8*20261123~"), active), Coverage::Active, "{end}: the last day is covered");
    }
    assert_eq!(on("DTP*291*RD8*20250101-20251231~", active), Coverage::Unknown);
    assert_eq!(on("DTP*307*RD8*20260101-20261231~", active), Coverage::Active);
    assert_eq!(on("DTP*346*D8*20270101~", active), Coverage::Unknown, "it has not begun");
    assert_eq!(on("DTP*346*D8*20270101~", "EB*6**30~"), Coverage::Inactive);
    // A day is no end; other dates end nothing; a line's own dates come first; a new beginning follows an end.
    assert_eq!(on("DTP*291*D8*20251231~", active), Coverage::Active);
    assert_eq!(on("DTP*341*D8*20251231~DTP*343*D8*20251231~", active), Coverage::Active);
    assert_eq!(on("DTP*347*D8*20251231~", &format!("{active}DTP*346*D8*20260101~")), Coverage::Active);
    assert_eq!(on("DTP*347*D8*20251231~DTP*346*D8*20260101~", active), Coverage::Active);
    assert_eq!(on("DTP*347*D8*20251231~DTP*357*D8*20261231~", active), Coverage::Active);
    assert_eq!(on("DTP*347*D8*20251231~", "EB*1**98~"), Coverage::Unknown);
    // A dependent without dates has those of the subscriber.
    let body = |own: &str| {
        format!(
            "{HEAD}HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W100~DTP*347*D8*20251231~HL*4*3*23*0~NM1*03*1*ZANZIBAR*BEN~{own}{active}"
        )
    };
    let coverage = |own: &str| match eligibility(&response(&body(own)), Some(&ask())).remove(0).outcome {
        Outcome::Answered(facts) => facts.coverage,
        Outcome::Refused(_) => panic!("answered"),
    };
    assert_eq!((coverage(""), coverage("DTP*347*D8*20261231~")), (Coverage::Unknown, Coverage::Active));
    // What is unclear says when it ended.
    let text = summary(facts_on(&format!("DTP*357*D8*20251231~{active}"), Some(&ask())), &ask()).summary.paragraph;
    assert!(text.text().contains("It has 31 December 2025 as the end of the coverage."), "{}", text.text());
}

#[test]
fn refusals_keep_every_code_of_every_level() {
    let body = format!(
        "{HEAD}HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W100~AAA*N**73*C~HL*4*3*23*0~TRN*2*T1*9123456789~NM1*03*1*ZANZIBAR*BEN~\
         AAA*N**67*C~AAA*Y**71*C~"
    );
    let all = eligibility(&response(&body), None);
    assert_eq!(all.len(), 1);
    let Outcome::Refused(refusal) = &all[0].outcome else { panic!("refused") };
    assert_eq!(refusal.reason, RefusalReason::DependentNotFound);
    let codes: Vec<_> = refusal.carrier_codes.iter().map(|c| (c.loop_id.clone().unwrap(), c.code.clone())).collect();
    let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
    assert_eq!(codes, [pair("2100C", "73"), pair("2100D", "67"), pair("2100D", "71")]);
    assert!(refusal.look_at.contains(&"dependent.date_of_birth".to_owned()), "{:?}", refusal.look_at);
    assert!(refusal.look_at.contains(&"member.last_name".to_owned()));
}

#[test]
fn debug_output_shows_no_patient() {
    let bytes = interchange(&format!("{HEAD}{SUBSCRIBER}EB*1**30~MSG*ZANZIBAR~"));
    let document = Document::read(&bytes).unwrap();
    let response = Response::read(document.transactions().next().unwrap()).unwrap();
    let answers = eligibility(&response, Some(&ask()));
    let text = format!("{document:?} {response:?} {answers:?}");
    for planted in ["ZANZIBAR", "Zanzibar", "W100", "W-100", "19800201", "1980-02-01", "ADA"] {
        assert!(!text.contains(planted), "{planted} in {text}");
    }
}

#[test]
fn odd_hierarchies_are_read() {
    // A parent that is not there, a number used twice, no level code, no HL at all.
    for body in [
        "HL*1**20*1~NM1*PR*2*X~HL*9*7*22*0~NM1*IL*1*DOE~EB*1**30~",
        "HL*1**20*1~NM1*PR*2*X~HL*1*1*22*0~NM1*IL*1*DOE~EB*1**30~",
        "HL*1**20*1~NM1*PR*2*X~HL*2*1**0~NM1*IL*1*DOE~EB*1**30~",
        "NM1*PR*2*X~NM1*IL*1*DOE~EB*1**30~",
        "EB*1**30~",
    ] {
        let response = response(body);
        assert!(!response.findings.is_empty(), "{body}");
        let all = eligibility(&response, None);
        assert_eq!(all.len(), 1, "{body}");
        let Outcome::Answered(facts) = &all[0].outcome else { panic!("answered: {body}") };
        assert_eq!((facts.coverage, represented(facts).len()), (Coverage::Active, 1), "{body}");
        if body.contains("DOE") {
            assert_eq!(facts.member.last_name.as_ref().unwrap().text(), "DOE", "{body}");
        }
    }
}

// ---- does it belong to the question? ----

fn ask() -> EligibilityRequest {
    serde_json::from_value(serde_json::json!({
        "carrier": "northstar", "provider": { "npi": "1234567893" },
        "member": { "member_id": "W-100", "first_name": "Ada", "last_name": "Zanzibar", "date_of_birth": "1980-02-01" },
        "service": { "date": "2026-11-23" }
    }))
    .unwrap()
}

fn checked(body: &str, ask: &EligibilityRequest) -> Result<Outcome<EligibilityFacts>, ErrorKind> {
    let expected = Expected { ask, trace: "T1", control: "0001", member_id: MemberIdMatch::Formatting };
    answer(&interchange(body), &expected).map_err(|error| {
        let text = format!("{error} {error:?}");
        for planted in ["ZANZIBAR", "W100", "W-100", "OTHER", "MEMBER9"] {
            assert!(!text.contains(planted), "{text}");
        }
        error.kind
    })
}

#[test]
fn our_answer_is_accepted_whatever_its_formatting() {
    let ours = checked(&format!("{HEAD}{SUBSCRIBER}EB*1**30~"), &ask()).unwrap();
    let Outcome::Answered(facts) = ours else { panic!("answered") };
    assert!(facts.member.corrections.is_empty(), "dashes and case are no correction");
    // Several traces, one of them ours; none at all.
    let several = SUBSCRIBER.replace("TRN*2*T1", "TRN*1*THEIRS*1~TRN*2*HOUSE*1~TRN*2*T1");
    assert!(checked(&format!("{HEAD}{several}EB*1**30~"), &ask()).is_ok());
    let none = SUBSCRIBER.replace("TRN*2*T1*9123456789~", "");
    assert!(checked(&format!("{HEAD}{none}EB*1**30~"), &ask()).is_ok());
    // Another first name alone is a nickname: told as a correction.
    let nick = SUBSCRIBER.replace("*ADA*", "*ADELAIDE*");
    let Outcome::Answered(facts) = checked(&format!("{HEAD}{nick}EB*1**30~"), &ask()).unwrap() else { panic!() };
    assert_eq!(facts.member.corrections[0].field, "member.first_name");
}

#[test]
fn another_members_answer_is_not_shown() {
    let wrong = |from: &str, to: &str| checked(&format!("{HEAD}{}EB*1**30~", SUBSCRIBER.replace(from, to)), &ask());
    assert_eq!(wrong("W100", "MEMBER9").map(|_| ()), Err(ErrorKind::AnswerMismatch));
    assert_eq!(wrong("TRN*2*T1", "TRN*2*T2").map(|_| ()), Err(ErrorKind::AnswerMismatch));
    assert_eq!(
        wrong("ZANZIBAR*ADA****MI*W100~DMG*D8*19800201", "OTHER*PERSON****MI*W100~DMG*D8*19990101").map(|_| ()),
        Err(ErrorKind::AnswerMismatch)
    );
    assert_eq!(wrong("****MI*W100~DMG*D8*19800201", "~DMG*D8*19990101").map(|_| ()), Err(ErrorKind::AnswerMismatch));
    // No trace number, no member: nothing contradicts, and nothing ties it to the question either.
    assert_eq!(
        checked(&format!("{HEAD}HL*3*2*22*0~NM1*IL*1~EB*1**30~"), &ask()).map(|_| ()),
        Err(ErrorKind::AnswerMismatch)
    );
    // The carrier says outright that it changed an identifying value.
    let changed = SUBSCRIBER.replace("W100", "MEMBER9") + "INS*Y*18*001*25~";
    let Outcome::Answered(facts) = checked(&format!("{HEAD}{changed}EB*1**30~"), &ask()).unwrap() else { panic!() };
    assert_eq!(facts.member.corrections[0].field, "member.member_id");
}

#[test]
fn the_right_patient_of_several_is_chosen() {
    let mut asked = ask();
    asked.dependent = Some(
        serde_json::from_value(serde_json::json!({
            "first_name": "Ben", "last_name": "Zanzibar", "date_of_birth": "2010-03-04", "relationship": "child" }))
        .unwrap(),
    );
    let twin = |first: &str, hl: u8| {
        format!("HL*{hl}*3*23*0~TRN*2*T1*9123456789~NM1*03*1*ZANZIBAR*{first}~DMG*D8*20100304~EB*1**30**{first} PLAN~")
    };
    let head = format!("{HEAD}HL*3*2*22*1~NM1*IL*1*ZANZIBAR*ADA****MI*W100~");
    let both = format!("{head}{}{}", twin("BEA", 4), twin("BEN", 5));
    let Outcome::Answered(facts) = checked(&both, &asked).unwrap() else { panic!("answered") };
    assert_eq!(facts.plans[0].name.as_deref(), Some("BEN PLAN"));
    assert_eq!(checked(&format!("{head}{}", twin("BEA", 4)), &asked).map(|_| ()), Err(ErrorKind::AnswerMismatch));
    // A short name on one side is no other child.
    assert!(checked(&format!("{head}{}", twin("BENJAMIN", 4)), &asked).is_ok());
    // The subscriber's benefits are not the dependent's.
    assert_eq!(checked(&format!("{HEAD}{SUBSCRIBER}EB*1**30~"), &asked).map(|_| ()), Err(ErrorKind::AnswerMismatch));
}

#[test]
fn a_refusal_that_does_not_repeat_the_member_is_accepted() {
    let Outcome::Refused(refusal) = checked(&format!("{HEAD}AAA*N**51*C~"), &ask()).unwrap() else { panic!("refused") };
    assert_eq!(
        (refusal.reason, refusal.look_at),
        (RefusalReason::ProviderNotRecognised, vec!["provider.npi".to_owned()])
    );
}

#[test]
fn rejected_envelopes_and_other_replies_are_no_answer() {
    let ask = ask();
    let expected = Expected { ask: &ask, trace: "T1", control: "0001", member_id: MemberIdMatch::Formatting };
    let plain = Delimiters::default();
    let ta1 = Envelope::new("HB", "V").interchange_ack(&plain, ("000000001", "261123", "1200"), "R", "009").unwrap();
    let error = answer(&ta1, &expected).map(|_| ()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ProtocolBroken);
    assert!(error.to_string().contains("TA105=009 meaning=Receiver ID is not known here"), "{error}");
    let mut tx = TransactionWriter::new(&plain, "999", "0001", None).unwrap();
    tx.segment("AK1", &["HS", "1"]).unwrap();
    tx.segment("AK2", &["270", "0001"]).unwrap();
    tx.segment("IK3", &["NM1", "8", "", "8"]).unwrap();
    tx.segment("IK5", &["R", "5"]).unwrap();
    tx.segment("AK9", &["R", "1", "1", "0"]).unwrap();
    let bytes = Envelope::new("FA", "005010X231A1").wrap(&plain, vec![tx]).unwrap();
    let error = answer(&bytes, &expected).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("acknowledgment=999 verdict=rejected IK3-4=8"), "{error}");
    let mut tx = TransactionWriter::new(&plain, "271", "0001", None).unwrap();
    tx.segment("HL", &["1", "", "22"]).unwrap();
    tx.segment("TRN", &["2", "T1"]).unwrap();
    for _ in 0..x12::eligibility::MAX_RESPONSE_SEGMENTS {
        tx.segment("EB", &["1", "", "30"]).unwrap();
    }
    let bytes = Envelope::new("HB", "005010X279A1").wrap(&plain, vec![tx]).unwrap();
    let error = answer(&bytes, &expected).map(|_| ()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ProtocolBroken);
    assert!(error.to_string().contains("most_segments=50000"), "{error}");
    for rubbish in [&b""[..], b"<html>Sign in</html>", b"ISA*"] {
        assert_eq!(answer(rubbish, &expected).map(|_| ()).unwrap_err().kind, ErrorKind::ProtocolBroken);
    }
}

// ---- any input ----

fn element() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[A-Z0-9]{1,3}",
        prop::sample::select(vec![
            "1",
            "6",
            "30",
            "98",
            "30^98",
            "C",
            "G",
            "F",
            "23",
            "29",
            "IND",
            "Y",
            "N",
            "100",
            "20260101-20261231",
            "IL",
            "PR",
            "22",
            "23",
            "20",
            "21",
            "2120",
            "HC:99213",
            "0.2",
            "99",
            "VS",
        ])
        .prop_map(str::to_owned),
    ]
}

fn segment() -> impl Strategy<Value = String> {
    let id = prop::sample::select(vec![
        "EB", "EB", "EB", "EB", "HL", "NM1", "AAA", "HSD", "REF", "DTP", "MSG", "III", "LS", "LE", "TRN", "INS", "DMG",
        "HI", "PER", "N3", "PRV", "ZZZ",
    ]);
    (id, prop::collection::vec(element(), 0..14)).prop_map(|(id, elements)| format!("{id}*{}~", elements.join("*")))
}

/// A hostile answer may be long, but must not take time or memory that grows with its square.
#[test]
fn long_answers_stay_bounded() {
    let services = (0..250).map(|at| format!("S{at:03}")).collect::<Vec<_>>().join("^");
    let many = |unit: &str, count: usize| unit.repeat(count);
    for lines in [
        format!("EB*1**{services}~{}", many("MSG*WORDS~", 20_000)),
        many(&format!("EB*D**{services}~MSG*WORDS~"), 300),
        (0..20_000).map(|at| format!("EB*C*IND*30***23*{at}~DTP*292*D8*{at:08}~")).collect(),
        (0..20_000).map(|at| format!("EB*1**30**PLAN {at}~")).collect(),
        many("EB*D**30~", 20_000),
        many("AAA*N**42*R~", 20_000) + "EB*1**30~",
        many("DTP*346*D8*20260101~", 5_000) + &(0..5_000).map(|at| format!("EB*1**30**PLAN {at}~")).collect::<String>(),
    ] {
        let response = response(&format!("{HEAD}{SUBSCRIBER}{lines}"));
        let sent = response.benefits().count();
        let Outcome::Answered(facts) = eligibility(&response, None).remove(0).outcome else { panic!("answered") };
        assert_eq!(represented(&facts).len(), sent);
        let entries: usize = facts.benefits.iter().map(|b| b.messages.len() + b.provenance.len()).sum();
        let dates: usize = facts.plans.iter().map(|plan| plan.dates.len()).sum();
        assert!(entries < 200_000 && dates < 21_000, "{entries} entries, {dates} dates");
    }
}

proptest! {
    #[test]
    fn no_eb_disappears_from_any_order_of_segments(segments in prop::collection::vec(segment(), 0..40)) {
        let response = response(&segments.concat());
        let sent: BTreeSet<_> = response.benefits().map(|line| (1, line.benefit.at.0)).collect();
        prop_assert_eq!(sent.len(), segments.iter().filter(|segment| segment.starts_with("EB*")).count());
        let mut told = BTreeSet::new();
        for patient in eligibility(&response, Some(&ask())) {
            if let Outcome::Answered(facts) = &patient.outcome {
                told.extend(represented(facts));
                for benefit in &facts.benefits {
                    prop_assert!(!benefit.provenance.is_empty());
                }
            }
        }
        prop_assert_eq!(sent, told);
        let _ = checked(&segments.concat(), &ask());
    }
}

fn asking(types: &[&str]) -> EligibilityRequest {
    serde_json::from_value(serde_json::json!({
        "carrier": "northstar", "provider": { "npi": "1234567893" },
        "member": { "member_id": "W100" }, "service": { "date": "2026-11-23", "types": types }
    }))
    .unwrap()
}

#[test]
fn a_carrier_that_speaks_of_services_only_says_active_too() {
    let dental = "EB*1*IND*35**DENTAL PPO~EB*B*IND*35**DENTAL PPO*27*25~";
    let coverage = |lines: &str, types: &[&str]| facts_on(lines, Some(&asking(types))).coverage;
    assert_eq!(coverage(dental, &["35"]), Coverage::Active);
    assert_eq!(coverage(dental, &["30"]), Coverage::Unknown, "the plan as a whole was asked about");
    assert_eq!(coverage(dental, &["98"]), Coverage::Unknown);
    assert_eq!(coverage("EB*6*IND*35~", &["35"]), Coverage::Unknown);
    assert_eq!(coverage(&format!("EB*6**30~{dental}"), &["35"]), Coverage::Unknown, "both were said");
    assert_eq!(coverage(&format!("EB*6**30~{dental}"), &["98"]), Coverage::Inactive);
    let facts = facts_on(dental, Some(&asking(&["35"])));
    assert_eq!(facts.plans.iter().map(|plan| plan.name.as_deref()).collect::<Vec<_>>(), [Some("DENTAL PPO")]);
    assert_eq!(represented(&facts).len(), 2);
}

#[test]
fn a_file_is_judged_by_the_day_it_was_written() {
    let ended = "EB*1**30**GOLD~DTP*291*RD8*20240101-20241231~";
    assert_eq!(facts(ended).coverage, Coverage::Unknown);
    assert_eq!(facts(&ended.replace("20241231", "20261231")).coverage, Coverage::Active);
}

#[test]
fn what_is_left_of_a_copay_is_not_its_price() {
    let facts = facts("EB*1**30~EB*B**98***29*25~");
    assert!(facts.benefits[0].copay.is_none());
    assert_eq!(facts.benefits[0].other[0].amount, dec("25"));
}
