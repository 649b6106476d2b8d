//! What a practice can do about an adjustment: decided by who bears it (CAS01) and why (CARC).

use connector_sdk::answer::remittance::{NextAction, NextStep};

use crate::codes::{Table, label};

/// The step for an adjustment of this group with this reason; `None` where there is nothing to do.
pub fn next_action(group: &str, reason: &str) -> Option<NextAction> {
    let why = label(Table::AdjustmentAction, reason);
    let kind = match (group, why, reason) {
        // What another carrier paid, and what would be paid once the service is given.
        ("OA", _, "23" | "101") => return None,
        ("PR", Some("coverage"), _) => NextStep::CheckCoverage,
        ("PR", Some("other_carrier"), _) => NextStep::OtherCarrier,
        ("PR", _, _) => NextStep::BillPatient,
        (_, Some("correct"), _) => NextStep::Correct,
        (_, Some("documents"), _) => NextStep::SendDocuments,
        (_, Some("authorization"), _) => NextStep::Authorization,
        (_, Some("other_carrier"), _) => NextStep::OtherCarrier,
        (_, Some("coverage"), _) => NextStep::CheckCoverage,
        (_, Some("late"), _) => NextStep::ProveTimeliness,
        (_, Some("appeal"), _) => NextStep::Appeal,
        (_, Some("earlier_payment"), _) => NextStep::FindEarlierPayment,
        ("CO", _, _) => NextStep::WriteOff,
        ("PI", _, _) => NextStep::CheckContract,
        _ => return None,
    };
    Some(NextAction { kind, text: words(kind).to_owned() })
}

fn words(step: NextStep) -> &'static str {
    match step {
        NextStep::WriteOff => "Write it off; the patient may not be billed for it.",
        NextStep::BillPatient => "Bill the patient, or the patient's next carrier with this remittance.",
        NextStep::Correct => "Correct the claim and send it again; the remarks say what is wrong.",
        NextStep::SendDocuments => "Send what the carrier asks for.",
        NextStep::Authorization => {
            "Look for the authorization number and send the claim again with it; where there is none, ask for a \
             retroactive one or appeal."
        }
        NextStep::OtherCarrier => "Send the claim to the carrier that is responsible.",
        NextStep::CheckCoverage => {
            "Check the patient's coverage on the day of service; ask the patient for other coverage."
        }
        NextStep::Appeal => "Compare with the record; ask for a review where the service was needed and covered.",
        NextStep::ProveTimeliness => "Send proof that the claim was filed in time; else it is written off.",
        NextStep::FindEarlierPayment => {
            "Look whether it was paid before, alone or as a part of another service; else check the modifiers."
        }
        NextStep::CheckContract => "Compare with the contract; ask the carrier where it does not fit.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn group_and_reason_decide() {
        let step = |group: &str, reason: &str| next_action(group, reason).map(|action| action.kind);
        assert_eq!(step("CO", "45"), Some(NextStep::WriteOff));
        assert_eq!(step("PR", "1"), Some(NextStep::BillPatient));
        assert_eq!(step("PR", "27"), Some(NextStep::CheckCoverage));
        assert_eq!(step("CO", "197"), Some(NextStep::Authorization));
        assert_eq!(step("CO", "16"), Some(NextStep::Correct));
        assert_eq!(step("OA", "23"), None);
        assert_eq!(step("OA", "18"), Some(NextStep::FindEarlierPayment));
        assert_eq!(step("PI", "45"), Some(NextStep::CheckContract));
        assert_eq!(step("CO", "NEVER-HEARD-OF"), Some(NextStep::WriteOff));
    }

    #[test]
    fn every_word_of_the_table_is_a_step() {
        let words = [
            "correct",
            "documents",
            "authorization",
            "other_carrier",
            "coverage",
            "late",
            "appeal",
            "earlier_payment",
            "contract",
        ];
        let text = include_str!("../../codes/carc_action.tsv");
        for line in text.lines().skip(1) {
            let (code, word) = line.split_once('\t').unwrap();
            assert!(words.contains(&word), "{line}");
            assert!(crate::codes::label(Table::AdjustmentReason, code).is_some(), "{code} has no words");
        }
    }
}
