//! The words against the facts.

use jiff::civil::{Date, date};
use serde_json::json;

use super::{NO_GUARANTEE, complete};
use crate::answer::{EligibilityAnswer, EligibilityFacts};
use crate::ask::EligibilityRequest;

const TODAY: Date = date(2026, 11, 23);

fn ask(types: &[&str]) -> EligibilityRequest {
    serde_json::from_value(json!({
        "carrier": "northstar",
        "provider": { "npi": "1234567893" },
        "member": { "member_id": "NSH004", "first_name": "Jane", "last_name": "Zanzibar", "date_of_birth": "1986-03-12" },
        "service": { "types": types }
    }))
    .unwrap()
}

/// Benefits as a connector may give them, plus coverage and one plan.
fn facts(coverage: &str, benefits: serde_json::Value) -> EligibilityFacts {
    let mut lines = benefits.as_array().unwrap().clone();
    for line in &mut lines {
        let line = line.as_object_mut().unwrap();
        for (field, value) in [
            ("network", json!("in")),
            ("level", json!("individual")),
            ("covered", json!("not_stated")),
            ("authorization", json!("not_stated")),
            ("provenance", json!([])),
        ] {
            line.entry(field).or_insert(value);
        }
    }
    serde_json::from_value(json!({
        "coverage": coverage,
        "member": { "first_name": "JANE", "corrections": [] },
        "plans": [{ "name": "North Star PPO", "status": coverage, "period": { "from": "2026-01-01" }, "provenance": [] }],
        "benefits": lines,
        "carrier_contacts": [],
        "raw": { "transaction": "271", "segments": 20 }
    }))
    .unwrap()
}

fn service(code: &str, label: &str) -> serde_json::Value {
    json!({ "code": code, "label": label })
}

fn typical() -> EligibilityFacts {
    facts(
        "active",
        json!([
            { "service": service("98", "Office visit"), "covered": "yes", "copay": { "amount": "40.00", "per": { "code": "27", "label": "Visit" } } },
            { "service": service("98", "Office visit"), "network": "out", "covered": "yes", "coinsurance": { "patient_share": "0.50" } },
            { "service": service("PT", "Physical therapy"), "covered": "limited", "coinsurance": { "patient_share": "0.20" },
              "limit": { "allowed": "20", "remaining": "4", "unit": { "code": "VS", "label": "Visits" } } },
            { "service": service("62", "MRI scan"), "covered": "yes", "authorization": "required" },
            { "service": service("30", "Plan"), "deductible": { "base": "1500", "remaining": "600" }, "out_of_pocket": { "base": "6000" } },
            { "service": service("30", "Plan"), "level": "family", "deductible": { "base": "3000", "met": "1000.5" } }
        ]),
    )
}

fn paragraph(answer: &EligibilityAnswer) -> &str {
    answer.summary.paragraph.text()
}

fn kinds(answer: &EligibilityAnswer) -> Vec<&str> {
    answer.summary.alerts.iter().map(|alert| alert.kind.as_str()).collect()
}

fn missing(answer: &EligibilityAnswer) -> Vec<&str> {
    answer.not_stated.iter().map(|gap| gap.what.as_str()).collect()
}

#[test]
fn a_typical_answer_in_full() {
    let answer = complete(typical(), Some(&ask(&["98", "PT", "62", "GN"])), TODAY);
    assert_eq!(
        paragraph(&answer),
        "Jane is covered today by North Star PPO (since 1 January 2026). \
         Office visit is covered in network. In network, the copay for office visit is $40 per visit. \
         Physical therapy is covered in network, within limits. In network, the patient pays 20% of the cost for physical therapy. \
         In network, 4 of 20 visits are left for physical therapy. \
         MRI scan is covered in network. The carrier did not say what the patient pays for MRI scan. In network, MRI scan needs prior authorization. \
         The carrier did not say whether service type GN is covered. \
         In network, $600.00 of the $1,500.00 deductible is left. In network, $1,000.50 of the $3,000.00 deductible for the family is met. \
         In network, the out-of-pocket maximum is $6,000.00. \
         This is not a guarantee of payment."
    );
    assert_eq!(kinds(&answer), ["limit_nearly_used", "authorization_required"]);
    assert_eq!(
        missing(&answer),
        [
            "service 98 authorization",
            "service PT authorization",
            "service 62 cost_share",
            "service GN coverage",
            "service GN cost_share",
            "service GN authorization",
            "deductible.remaining",
            "out_of_pocket.remaining"
        ]
    );
}

#[test]
fn inactive_says_so_and_speaks_of_no_benefit() {
    let mut said = typical();
    said.coverage = crate::answer::Coverage::Inactive;
    said.plans[0].period.to = Some(date(2026, 10, 31));
    let answer = complete(said, Some(&ask(&["98"])), TODAY);
    assert_eq!(
        paragraph(&answer),
        "Jane is not covered today. The coverage ended on 31 October 2026. This is not a guarantee of payment."
    );
    assert_eq!(kinds(&answer), ["inactive"]);
    assert!(missing(&answer).is_empty());
}

#[test]
fn pending_unclear_and_another_day() {
    let mut question = ask(&[]);
    question.service.date = Some(date(2026, 12, 1));
    let answer = complete(facts("pending", json!([])), Some(&question), TODAY);
    assert!(
        paragraph(&answer).starts_with("The carrier is still checking whether Jane is covered on 1 December 2026.")
    );
    assert_eq!(kinds(&answer), ["coverage_pending"]);
    let answer = complete(EligibilityFacts::default(), None, TODAY);
    assert!(
        paragraph(&answer)
            .starts_with("The carrier did not clearly say whether the patient is covered on 23 November 2026.")
    );
    assert_eq!(kinds(&answer), ["coverage_unclear"]);
    assert_eq!(missing(&answer), ["coverage", "plan.name", "plan.period", "deductible", "out_of_pocket"]);
}

#[test]
fn not_covered_limits_and_contradictions() {
    let said = facts(
        "active",
        json!([
            { "service": service("35", "Dental care"), "network": "not_stated", "covered": "no" },
            { "service": service("33", "Chiropractic"), "covered": "yes", "limit": { "allowed": "12", "used": "12", "unit": { "code": "VS", "label": "Visits" } } },
            { "service": service("98", "Office visit"), "covered": "yes", "copay": { "amount": "20" } },
            { "service": service("98", "Office visit"), "covered": "no", "copay": { "amount": "35.5" } }
        ]),
    );
    let answer = complete(said, Some(&ask(&["35", "33", "98"])), TODAY);
    let text = paragraph(&answer);
    assert!(text.contains("Dental care is not covered."), "{text}");
    assert!(text.contains("12 of 12 visits are used for chiropractic."), "{text}");
    assert!(text.contains("Office visit is covered in some cases and not in others in network."), "{text}");
    assert!(text.contains("the copay for office visit is $20 or $35.50."), "{text}");
    assert_eq!(kinds(&answer), ["not_covered", "limit_reached"]);
    assert!(!missing(&answer).contains(&"service 35 cost_share"));
}

#[test]
fn other_payers_primary_care_corrections_and_notes() {
    let mut said: serde_json::Value = serde_json::to_value(typical()).unwrap();
    said["plans"][0]["other_payers"] = json!([{ "name": "Acme Auto", "provenance": [] }]);
    said["plans"][0]["primary_care"] = json!({ "name": "Dr. Mallory Finch" });
    said["plans"][0]["messages"] = json!(["CALL FOR DENTAL BENEFITS"]);
    said["member"]["corrections"] =
        json!([{ "field": "member.last_name", "asked": "Zanzibar", "on_file": "Zanzibarr" }]);
    let answer = complete(serde_json::from_value(said).unwrap(), Some(&ask(&["30"])), TODAY);
    let text = paragraph(&answer);
    assert!(text.contains("The carrier reports other coverage, too. It names Acme Auto."), "{text}");
    assert!(text.contains("The primary care provider on file is Dr. Mallory Finch."), "{text}");
    assert!(text.contains("The carrier has another last name on file."), "{text}");
    assert_eq!(kinds(&answer), ["other_payer", "correction", "carrier_note"]);
}

#[test]
fn debug_shows_no_patient() {
    let answer = complete(typical(), Some(&ask(&["98"])), TODAY);
    let shown = format!("{answer:?}");
    assert!(!shown.contains("Jane") && !shown.contains("JANE"), "{shown}");
    assert!(serde_json::to_string(&answer).unwrap().contains("Jane is covered"));
}

/// A small generator of pseudo-random numbers, so that a failing case can be found again by its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn maybe(&mut self, value: impl FnOnce(&mut Self) -> serde_json::Value) -> serde_json::Value {
        if self.roll(2) == 0 { serde_json::Value::Null } else { value(self) }
    }

    fn amount(&mut self) -> serde_json::Value {
        json!(format!("{}.{:02}", self.roll(5000), self.roll(100)))
    }

    fn accumulator(&mut self) -> serde_json::Value {
        json!({ "base": self.maybe(Self::amount), "met": self.maybe(Self::amount), "remaining": self.maybe(Self::amount) })
    }

    fn line(&mut self) -> serde_json::Value {
        let pick =
            |dice: &mut Self, words: &[&str]| json!(words[usize::try_from(dice.roll(words.len() as u64)).unwrap()]);
        json!({
            "service": pick(self, &["98", "PT", "30"]).as_str().map(|code| service(code, "A service")).unwrap(),
            "network": pick(self, &["in", "out", "both", "not_stated"]),
            "level": pick(self, &["individual", "family", "not_stated"]),
            "covered": pick(self, &["yes", "no", "limited", "not_stated"]),
            "authorization": pick(self, &["required", "not_required", "not_stated"]),
            "copay": self.maybe(|d| json!({ "amount": d.amount() })),
            "coinsurance": self.maybe(|d| json!({ "patient_share": format!("0.{:02}", d.roll(100)) })),
            "deductible": self.maybe(Self::accumulator),
            "out_of_pocket": self.maybe(Self::accumulator),
            "limit": self.maybe(|d| json!({ "allowed": d.maybe(Self::amount), "used": d.maybe(Self::amount), "remaining": d.maybe(Self::amount) })),
        })
    }
}

/// Numbers in a text, without leading zeros, trailing zeros and thousands separators.
fn numbers(text: &str) -> std::collections::HashSet<String> {
    let mut found = std::collections::HashSet::new();
    let without_separators = text.replace("),", ")").replace(", ", " ").replace(',', "");
    for word in without_separators.split(|c: char| !c.is_ascii_digit() && c != '.') {
        if let Ok(number) = word.trim_matches('.').parse::<rust_decimal::Decimal>() {
            found.insert(number.normalize().to_string());
        }
    }
    found
}

#[test]
fn every_number_in_the_paragraph_is_a_number_of_the_facts() {
    let mut checked = 0;
    for seed in 0..1000 {
        let mut dice = Dice(seed);
        let lines: Vec<_> = (0..dice.roll(12)).map(|_| dice.line()).collect();
        let said = facts("active", json!(lines));
        let mut known = numbers(&serde_json::to_string(&said).unwrap().replace(['"', ','], " "));
        for benefit in &said.benefits {
            if let Some(coinsurance) = &benefit.coinsurance {
                known.insert((coinsurance.patient_share * rust_decimal::Decimal::ONE_HUNDRED).normalize().to_string());
            }
        }
        let answer = complete(said, Some(&ask(&["98", "PT"])), TODAY);
        let text = paragraph(&answer);
        assert!(text.ends_with(NO_GUARANTEE));
        for number in numbers(text) {
            assert!(known.contains(&number), "seed {seed}: {number} is not a number of the facts: {text}");
            checked += 1;
        }
    }
    assert!(checked > 3000, "only {checked} numbers were checked");
}

/// Whoever reads it aloud needs eight years of school.
#[test]
fn the_words_are_plain() {
    for types in [&["30"][..], &["98"], &["98", "PT", "62", "1"]] {
        let answer = complete(typical(), Some(&ask(types)), TODAY);
        let grade = super::reading::grade(paragraph(&answer)).unwrap();
        println!("grade {grade:.1} of {types:?}");
        assert!(grade <= 8.0, "grade {grade:.1}: {}", paragraph(&answer));
    }
}

#[test]
fn services_of_which_the_same_is_said_share_their_sentences() {
    let line = |code: &str, label: &str, amount: &str| json!({ "service": service(code, label), "covered": "yes", "copay": { "amount": amount } });
    let said = facts(
        "active",
        json!([
            line("33", "Chiropractic care", "10"),
            line("35", "Dental care", "25"),
            line("86", "Emergency services", "10")
        ]),
    );
    let answer = complete(said, Some(&ask(&["33", "35", "86", "1", "2"])), TODAY);
    assert!(
        paragraph(&answer).contains(
            "Chiropractic care and emergency services are covered in network. \
             In network, the copay for chiropractic care and emergency services is $10. \
             Dental care is covered in network. In network, the copay for dental care is $25. \
             The carrier did not say whether medical care or surgery is covered. This is"
        ),
        "{}",
        paragraph(&answer)
    );
    assert_eq!(missing(&answer).iter().filter(|what| what.ends_with("coverage")).count(), 2);
    // A long list is heard once.
    let three = json!([
        line("33", "Chiropractic care", "10"),
        line("35", "Dental care", "10"),
        line("86", "Emergency services", "10")
    ]);
    let answer = complete(facts("active", three), Some(&ask(&["33", "35", "86"])), TODAY);
    assert!(
        paragraph(&answer).contains(
            "Chiropractic care, dental care and emergency services are covered in network. \
             In network, the copay for each of them is $10. This is"
        ),
        "{}",
        paragraph(&answer)
    );
}

#[test]
fn a_plan_that_ended_covers_nobody_and_a_file_is_not_about_today() {
    let mut said: serde_json::Value = serde_json::to_value(facts("active", json!([]))).unwrap();
    said["plans"] = json!([
        { "name": "Old Gold", "status": "active", "period": { "from": "2024-01-01", "to": "2024-12-31" }, "provenance": [] },
        { "name": "New Silver", "status": "active", "period": { "from": "2026-01-01", "to": "2026-12-31" }, "provenance": [] },
        { "name": "Next Bronze", "status": "active", "period": { "from": "2027-01-01" }, "provenance": [] }
    ]);
    let said: EligibilityFacts = serde_json::from_value(said).unwrap();
    let answer = complete(said.clone(), Some(&ask(&["30"])), TODAY);
    assert!(paragraph(&answer).starts_with("Jane is covered today by New Silver (since 1 January 2026)."));
    let answer = complete(said, None, TODAY);
    assert!(paragraph(&answer).starts_with("Jane is covered on 23 November 2026 by New Silver"));
}

#[test]
fn other_coverage_that_ended_and_amounts_of_other_people_are_called_so() {
    let mut said: serde_json::Value = serde_json::to_value(facts(
        "active",
        json!([{ "service": service("30", "Plan"), "level": "employee_and_spouse", "deductible": { "base": "1000" } }]),
    ))
    .unwrap();
    said["plans"][0]["other_payers"] =
        json!([{ "name": "Acme Auto", "period": { "from": "2000-05-01", "to": "2000-06-01" }, "provenance": [] }]);
    let answer = complete(serde_json::from_value(said.clone()).unwrap(), Some(&ask(&["30"])), TODAY);
    let text = paragraph(&answer);
    assert!(text.contains("The carrier reports other coverage that has ended.") && !text.contains("Acme"), "{text}");
    assert!(text.contains("the deductible for some members of the family is $1,000.00."), "{text}");
    said["plans"][0]["other_payers"][0]["period"] = json!({ "from": "2000-05-01" });
    let answer = complete(serde_json::from_value(said).unwrap(), Some(&ask(&["30"])), TODAY);
    assert!(paragraph(&answer).contains("other coverage, too. It names Acme Auto."));
}

#[test]
fn a_part_that_was_turned_away_is_an_alert() {
    let refused =
        |code: &str, label: &str, then: &str| json!([{ "kind": { "code": code, "label": label }, "text": then }]);
    let busy = refused("AAA 42", "Payer cannot respond right now", "Sending again is allowed");
    let lines: Vec<_> = ["98", "PT", "62", "33", "35", "1"]
        .map(|code| json!({ "service": service(code, &format!("Service {code}")), "other": busy }))
        .into_iter()
        .chain([json!({ "service": service("", "Remarks"), "other": refused("AAA RC", "RC", "RC") })])
        .collect();
    let answer = complete(facts("active", json!(lines)), Some(&ask(&["30"])), TODAY);
    let texts: Vec<_> = answer.summary.alerts.iter().map(|alert| alert.text.text()).collect();
    assert_eq!(kinds(&answer), ["partly_refused", "partly_refused"]);
    assert_eq!(
        texts,
        [
            "The carrier turned a part of the question away (service 98, service PT, service 62, service 33 and more): \
             Payer cannot respond right now. Sending again is allowed.",
            "The carrier turned a part of the question away: its reason code is RC. RC."
        ]
    );
    // However many reasons there are, a few are shown; none takes the services of another.
    let lines: Vec<_> = (0..9)
        .map(|at| json!({ "service": service("98", &format!("S{at}")), "other": refused(&format!("AAA {at}"), "No", "Wait") }))
        .collect();
    let answer = complete(facts("active", json!(lines)), Some(&ask(&["30"])), TODAY);
    assert_eq!(kinds(&answer), ["partly_refused"; 5]);
    assert!(
        answer.summary.alerts[4].text.text().contains("away (S4): No."),
        "{}",
        answer.summary.alerts[4].text.text()
    );
}

#[test]
fn amounts_of_another_time_are_called_so() {
    let line = |base: &str, left: &str, from: &str, to: &str| json!({ "service": service("30", "Plan"), "deductible": { "base": base, "remaining": left }, "period": { "from": from, "to": to } });
    let past = line("1500", "600", "2025-01-01", "2025-12-31");
    let now = line("1600", "1600", "2026-01-01", "2026-12-31");
    let said = |lines: serde_json::Value| {
        let answer = complete(facts("active", lines), Some(&ask(&["30"])), TODAY);
        (paragraph(&answer).to_owned(), missing(&answer).iter().filter(|what| what.starts_with("deductible")).count())
    };
    let (text, gaps) = said(json!([past, now]));
    assert!(text.contains("In network, $1,600.00 of the $1,600.00 deductible is left. This"), "{text}");
    assert!(!text.contains("600.00 of the $1,500.00"), "{text}");
    assert_eq!(gaps, 0);
    let (text, _) = said(json!([past]));
    assert!(
        text.contains("$600.00 of the $1,500.00 deductible was left from 1 January 2025 to 31 December 2025."),
        "{text}"
    );
    let older = line("1400", "100", "2024-01-01", "2024-12-31");
    let (text, _) = said(json!([past, older]));
    assert!(text.contains("there is more than one deductible, each of another time. See the details."), "{text}");
    // The day asked about decides, not the day of the question.
    let mut asked = ask(&["30"]);
    asked.service.date = Some(date(2025, 6, 1));
    let answer = complete(facts("active", json!([past, now])), Some(&asked), TODAY);
    assert!(paragraph(&answer).contains("$600.00 of the $1,500.00 deductible is left."), "{}", paragraph(&answer));
}

#[test]
fn what_held_last_year_is_no_word_on_today() {
    let used = json!({ "allowed": "12", "remaining": "0", "unit": { "code": "VS", "label": "Visits" } });
    let line = |covered: &str, period: serde_json::Value| json!({ "service": service("33", "Chiropractic"), "covered": covered, "copay": { "amount": "99" }, "limit": used, "period": period });
    let past = json!({ "from": "2025-01-01", "to": "2025-12-31" });
    let answer = complete(facts("active", json!([line("no", past)])), Some(&ask(&["33"])), TODAY);
    assert!(paragraph(&answer).contains("did not say whether chiropractic is covered"), "{}", paragraph(&answer));
    assert!(!paragraph(&answer).contains("99") && kinds(&answer).is_empty(), "{:?}", kinds(&answer));
    assert!(missing(&answer).contains(&"service 33 coverage"));
    let answer =
        complete(facts("active", json!([line("no", json!({ "from": "2026-01-01" }))])), Some(&ask(&["33"])), TODAY);
    assert_eq!(kinds(&answer), ["not_covered", "limit_reached"]);
}

#[test]
fn a_carrier_that_does_not_know_is_told_of() {
    let unknown = json!([{ "kind": { "code": "EB11 U", "label": "Not known" } }]);
    let said = facts(
        "active",
        json!([
            { "service": service("62", "MRI scan"), "covered": "yes", "other": unknown },
            { "service": service("2", "Surgery"), "covered": "yes", "other": unknown },
            { "service": service("98", "Office visit"), "covered": "yes", "other": unknown, "authorization": "required" }
        ]),
    );
    let answer = complete(said, Some(&ask(&["62", "2", "98"])), TODAY);
    assert_eq!(kinds(&answer), ["authorization_required", "authorization_unclear"]);
    assert_eq!(
        answer.summary.alerts[1].text.text(),
        "The carrier could not say whether MRI scan or surgery needs prior authorization."
    );
    let gap = answer.not_stated.iter().find(|gap| gap.what == "service 62 authorization").unwrap();
    assert_eq!(gap.text, "The carrier could not say whether MRI scan needs prior authorization.");
}

#[test]
fn military_service_and_an_end_beside_an_unclear_coverage() {
    let mut said: serde_json::Value = serde_json::to_value(facts("unknown", json!([]))).unwrap();
    said["member"]["military"] = json!({
        "branch": { "code": "C", "label": "Army" }, "employment": { "code": "RU", "label": "Retired in the USA" },
        "rank": { "code": "E1", "label": "E1" }, "provenance": []
    });
    said["plans"][0]["period"]["to"] = json!("2026-10-31");
    let answer = complete(serde_json::from_value(said.clone()).unwrap(), Some(&ask(&["30"])), TODAY);
    assert!(
        paragraph(&answer)
            .contains("whether Jane is covered today. It has 31 October 2026 as the end of the coverage."),
        "{}",
        paragraph(&answer)
    );
    let texts: Vec<_> = answer.summary.alerts.iter().map(|alert| alert.text.text()).collect();
    assert_eq!(
        texts,
        [
            "The carrier did not clearly say whether there is coverage today. It has 31 October 2026 as the end.",
            "The carrier has military service of the patient on file: Army, retired in the USA."
        ]
    );
    // Another plan may go on.
    said["plans"].as_array_mut().unwrap().push(json!({ "status": "unknown", "period": {}, "provenance": [] }));
    said["dependent"] = json!({ "corrections": [] });
    let answer = complete(serde_json::from_value(said).unwrap(), Some(&ask(&["30"])), TODAY);
    assert!(!paragraph(&answer).contains("as the end"));
    assert!(answer.summary.alerts[1].text.text().contains("of the subscriber on file"));
}
