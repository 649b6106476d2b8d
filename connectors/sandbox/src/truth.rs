//! What is true: for each scenario a question and what a gateway should make of the carrier's answer.

use serde_json::{Value, json};

use crate::credentials::{BLUE_LETTERS, BLUE_PASSWORD, BLUE_PEOPLE};
use crate::people::{Person, insured_by};
use crate::sandbox::CARRIERS;
use crate::search::{NOT_ENROLLED_NPI, UNKNOWN_NPI};

/// The practice's NPI in all questions here; the well-known example number.
const NPI: &str = "1234567893";

/// All scenarios: `[{"carrier", "scenario", "about", "ask", "expect"}]`. `ask` is a whole question as the gateway's API
/// takes it. `expect.outcome` is `answered` (with `truth`: what is true of the person, see [`crate::people`]),
/// `refused` (with `reason` and the carrier's `codes`) or `failed` (with `kind`). A case with `sign_in` is asked as another
/// user of the carrier's, whose sign-in waits for a person.
pub fn truth() -> Value {
    let mut all = Vec::new();
    for carrier in CARRIERS {
        for person in insured_by(carrier) {
            all.push(of_person(carrier, &person));
            for dependent in &person.dependents {
                let relationship = if dependent.relationship == "01" { "spouse" } else { "child" };
                let mut ask = ask(carrier, &person);
                ask["dependent"] = json!({
                    "first_name": dependent.first_name,
                    "last_name": dependent.last_name,
                    "date_of_birth": dependent.date_of_birth,
                    "relationship": relationship,
                });
                let mut expect = answered(&person);
                expect["dependent"] = json!(dependent);
                all.push(case(carrier, person.member_id, "a dependent of this member", ask, expect));
            }
        }
        all.extend(mistakes(carrier));
        all.extend(sign_ins(carrier));
    }
    Value::Array(all)
}

fn case(carrier: &str, scenario: &str, about: &str, ask: Value, expect: Value) -> Value {
    json!({ "carrier": carrier, "scenario": scenario, "about": about, "ask": ask, "expect": expect })
}

fn ask(carrier: &str, person: &Person) -> Value {
    json!({
        "carrier": carrier,
        "provider": { "npi": NPI },
        "member": {
            "member_id": person.member_id,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "date_of_birth": person.date_of_birth,
        },
        "service": { "types": ["30"] },
    })
}

fn answered(person: &Person) -> Value {
    json!({ "outcome": "answered", "truth": person })
}

fn refused(reason: &str, codes: &[&str]) -> Value {
    json!({ "outcome": "refused", "reason": reason, "codes": codes })
}

fn failed(kind: &str) -> Value {
    json!({ "outcome": "failed", "kind": kind })
}

/// What asking rightly about a person leads to.
fn of_person(carrier: &str, person: &Person) -> Value {
    let (about, expect) =
        scripted(person.member_id).unwrap_or_else(|| ("a right question about a member", answered(person)));
    case(carrier, person.member_id, about, ask(carrier, person), expect)
}

/// Member ids whose question does not lead to a plain answer.
fn scripted(member_id: &str) -> Option<(&'static str, Value)> {
    let told = match member_id {
        "NSH-AAA71-DOBSWAP" => ("the carrier has day and month swapped", refused("member_not_found", &["71"])),
        "NSH-AAA73-NAME" => ("the carrier has another name", refused("member_not_found", &["73"])),
        "NSH-AAA42-BUSY" => ("the carrier's system is busy", refused("carrier_busy", &["42"])),
        "NSH-AAA-SEVERAL" => ("three codes at once", refused("member_not_found", &["73", "71", "72"])),
        "NSH-FAULT-500" => ("a SOAP fault with status 500", failed("carrier_unavailable")),
        "NSH-FAULT-200" => ("a SOAP fault with status 200", failed("carrier_unavailable")),
        "NSH-ENV-VERSION" => ("CORE error VersionMismatch", failed("protocol_broken")),
        "NSH-TA1-REJECT" => ("a TA1 that rejects the interchange", failed("protocol_broken")),
        "NSH-999-REJECT" => ("a 999 that rejects the transaction", failed("protocol_broken")),
        "HHM-NEVER" => ("the answer is never ready", failed("carrier_timeout")),
        "HHM-429" => ("429 without Retry-After", failed("carrier_throttled")),
        "HHM-ERR200" => ("an error with status 200", failed("carrier_unavailable")),
        "HHM-OTHER-MEMBER" => ("an answer about somebody else", failed("answer_mismatch")),
        "BVP-GHOST" => ("\"No records found\", unexplained", refused("member_not_found", &[])),
        "BVP-ERRORPAGE" => ("an error page with status 200", failed("carrier_unavailable")),
        "BVP-CAPTCHA" => ("a captcha in place of the result", failed("needs_person")),
        "BVP-TERMS" => ("terms of use in place of the result", failed("needs_person")),
        "BVP-MAINTAIN" => ("a maintenance page with status 200", failed("carrier_closed")),
        "HUB-ERR79" => ("the payer does not know the participant", refused("other", &["79"])),
        "HUB-ERR42" => ("the payer behind the hub is busy", refused("carrier_busy", &["42"])),
        "HUB-TOPERROR" => ("an error of the hub itself", failed("carrier_unavailable")),
        "MOL-DRIP" => ("one byte each half second", failed("carrier_timeout")),
        "MOL-HANG" => ("no answer at all", failed("carrier_timeout")),
        "MOL-RESET" => ("reset in the middle of the body", failed("carrier_unavailable")),
        "MOL-TRUNCATED" => ("cut off in the middle of the body", failed("carrier_unavailable")),
        "MOL-GZIPBOMB" => ("a gzip bomb", failed("protocol_broken")),
        "MOL-1GB" => ("a body of 1 GB", failed("protocol_broken")),
        "MOL-REDIRECT" => ("a redirect to another host", failed("egress_refused")),
        "MOL-WRONG-MEMBER" => ("an answer about somebody else", failed("answer_mismatch")),
        "MOL-WRONG-TRACE" => ("an answer to another question", failed("answer_mismatch")),
        "MOL-GARBAGE" => ("bytes that are no X12", failed("protocol_broken")),
        "MOL-LOGIN-PAGE" => ("200 with an HTML login page", failed("protocol_broken")),
        "MOL-502" => ("502 with an HTML page", failed("carrier_unavailable")),
        "MOL-503" => ("503 with Retry-After", failed("carrier_unavailable")),
        "MOL-EMPTY" => ("200 with an empty body", failed("protocol_broken")),
        "MOL-AAA42" => ("a 271 that says: cannot respond now", refused("carrier_busy", &["42"])),
        _ => return None,
    };
    Some(told)
}

/// Users whose sign-in asks something of a person. `sign_in` says as whom to sign in, which kind of task comes and what to
/// answer; without the one answer there is none. The answer to `mailed` stands in the control plane's state.
fn sign_ins(carrier: &str) -> Vec<Value> {
    let people = insured_by(carrier);
    let Some(person) = people.first().filter(|_| carrier == "bluevalley") else { return Vec::new() };
    let asks = [
        ("mail", "a code that is mailed", "second_factor_code", "mailed"),
        ("captcha", "letters to read", "captcha", BLUE_LETTERS),
        ("terms", "terms of use to accept", "terms", "accept"),
        ("expired", "a new password", "password_change", "at least 12 characters, another one"),
    ];
    let case_of = |(name, about, kind, answer): (&str, &str, &str, &str)| {
        let user = BLUE_PEOPLE.iter().find(|user| user.ends_with(name));
        let mut case =
            case(carrier, &format!("SIGN-IN-{}", name.to_uppercase()), about, ask(carrier, person), answered(person));
        case["sign_in"] = json!({ "username": user, "password": BLUE_PASSWORD, "task": kind, "answer": answer });
        case
    };
    asks.into_iter().map(case_of).collect()
}

/// Wrong questions about the first person of each carrier.
fn mistakes(carrier: &str) -> Vec<Value> {
    let people = insured_by(carrier);
    let Some(person) = people.first() else { return Vec::new() };
    let changed = |pointer: &str, value: &str| {
        let mut ask = ask(carrier, person);
        if let Some(place) = ask.pointer_mut(pointer) {
            *place = json!(value);
        }
        ask
    };
    let codes = |x12: &'static str, words: &'static str| -> Vec<&'static str> {
        match carrier {
            "harborhmo" => vec![words],
            "bluevalley" => vec![],
            "statemed" if matches!(x12, "71" | "72") => vec!["75"],
            _ => vec![x12],
        }
    };
    let wrong_id = format!("{}X", person.member_id);
    let mut all = vec![
        case(
            carrier,
            "WRONG-ID",
            "a wrong digit in the member id",
            changed("/member/member_id", &wrong_id),
            refused("member_not_found", &codes("72", "MEMBER_NOT_FOUND")),
        ),
        case(
            carrier,
            "WRONG-DOB",
            "a wrong date of birth",
            changed("/member/date_of_birth", "1950-05-05"),
            refused("member_not_found", &codes("71", "BIRTHDATE_MISMATCH")),
        ),
    ];
    // The portal does not ask who the provider is: it knows its user.
    if carrier != "bluevalley" {
        all.push(case(
            carrier,
            "UNKNOWN-PROVIDER",
            "an NPI the carrier does not know",
            changed("/provider/npi", UNKNOWN_NPI),
            refused("provider_not_recognised", &codes("51", "PROVIDER_UNKNOWN")),
        ));
        all.push(case(
            carrier,
            "NOT-ENROLLED",
            "an NPI that may not ask",
            changed("/provider/npi", NOT_ENROLLED_NPI),
            refused("provider_not_enrolled", &codes("41", "PROVIDER_NOT_CONTRACTED")),
        ));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scenarios_are_many_and_their_names_are_unique_per_question() {
        let all = truth();
        let all = all.as_array().unwrap();
        let answered = all.iter().filter(|case| case["expect"]["outcome"] == "answered").count();
        println!("{} scenarios, {answered} of them answered", all.len());
        assert!(all.len() > 70 && answered >= 20);
        let distinct: std::collections::HashSet<String> =
            all.iter().map(|case| format!("{} {}", case["ask"], case["sign_in"])).collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn every_npi_passes_its_check_digit() {
        for npi in [NPI, UNKNOWN_NPI, NOT_ENROLLED_NPI, "1000000004"] {
            let sum: u32 = npi.bytes().rev().enumerate().fold(24, |sum, (place, byte)| {
                let digit = u32::from(byte - b'0') * if place % 2 == 1 { 2 } else { 1 };
                sum + digit / 10 + digit % 10
            });
            assert_eq!(sum % 10, 0, "{npi}");
        }
    }

    #[test]
    fn every_molasses_scenario_has_its_outcome() {
        for (member_id, _) in crate::molasses::SCENARIOS {
            assert!(
                scripted(member_id).is_some() || matches!(member_id, "MOL-POISON" | "MOL-DUPLICATE"),
                "{member_id}"
            );
        }
    }
}
