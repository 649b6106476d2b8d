//! Status by status: what it says, in which state that leaves the claim, and what to do then.

use connector_sdk::answer::Coded;
use connector_sdk::answer::claim_status::{ClaimAction, ClaimState, ClaimStatus, ClaimStatusAnswer, ClaimStatusLine};

use super::super::words::{coded, coded_some, phi, provenance};
use super::{ClaimLevel, Gathered};
use crate::codes::{Table, label};
use crate::status::{StatusCode, Stc};

/// What a category (STC01-1) says of a claim; unknown where nobody here knows it, and for `E0` to `E4`, which say that
/// there is no answer.
pub fn state_of(category: &str) -> ClaimState {
    match category {
        "A0" | "A1" | "DR01" => ClaimState::Received,
        "A2" | "A5" | "DR02" | "DR08" => ClaimState::Accepted,
        "A3" | "A6" | "A7" | "A8" | "DR03" | "DR05" | "DR06" | "DR07" => ClaimState::Rejected,
        "A4" | "D0" | "DR04" => ClaimState::NotOnFile,
        "P1" => ClaimState::InProcess,
        "P0" | "P2" | "P3" | "P4" | "P5" | "RQ" => ClaimState::Pended,
        "F1" => ClaimState::Paid,
        "F2" => ClaimState::Denied,
        "F0" | "F3" | "F3F" | "F3N" | "F4" => ClaimState::Finalized,
        _ if requests(category) => ClaimState::Pended,
        _ => ClaimState::Unknown,
    }
}

/// `R0`, `R1` and so on: more information is requested.
fn requests(category: &str) -> bool {
    let number = category.strip_prefix('R').unwrap_or_default();
    (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The statuses of all STC, one entry for each of STC01, STC10 and STC11.
pub(super) fn all(segments: &[Stc<'_>], gathered: &Gathered, loop_id: &str) -> Vec<ClaimStatus> {
    let mut all = Vec::new();
    for stc in segments {
        for status in stc.statuses() {
            let by_action = match &*stc.action {
                "U" if gathered.acknowledges => ClaimState::Rejected,
                "WQ" if gathered.acknowledges => ClaimState::Accepted,
                _ => ClaimState::Unknown,
            };
            let state = match state_of(&status.category) {
                // An acknowledgment tells accepted from rejected twice; where nobody knows the category, the action says it.
                ClaimState::Unknown => by_action,
                state => state,
            };
            all.push(ClaimStatus {
                category: coded(Table::StatusCategory, &status.category),
                code: code(status),
                entity: coded_some(Table::Entity, &status.entity),
                text: phi(&stc.text),
                plain: plain(status),
                effective: stc.effective.get(),
                state,
                provenance: vec![provenance(gathered.transaction, stc.at.0, "STC", loop_id, &[])],
            });
        }
    }
    all
}

/// Codes of another list (the pharmacies') are not looked up in ours.
fn code(status: &StatusCode<'_>) -> Coded {
    match &*status.list {
        "" => coded(Table::ClaimStatus, &status.code),
        "RX" => Coded::new(&*status.code, format!("Pharmacy reject code {}", status.code)),
        list => Coded::new(&*status.code, format!("Code {} of list {list}", status.code)),
    }
}

/// `Rejected because information is invalid. Rendering provider's national provider identifier (NPI).`
fn plain(status: &StatusCode<'_>) -> String {
    let category = label(Table::StatusCategory, &status.category)
        .map_or_else(|| format!("Category {}, which nobody here knows", status.category), str::to_owned);
    let code = code(status);
    let known = code.label != code.code;
    let mut words = if known { code.label } else { format!("Status {}, which nobody here knows", code.code) };
    if !status.entity.is_empty() {
        let entity = label(Table::Entity, &status.entity).unwrap_or(&status.entity);
        words = match (words.strip_prefix("Entity"), words.contains("the entity")) {
            (Some(rest), _) => format!("{entity}{rest}"),
            (None, true) => words.replacen("the entity", &format!("the {}", entity.to_lowercase()), 1),
            (None, false) => format!("{words} ({entity})"),
        };
    }
    if status.code.is_empty() { format!("{category}.") } else { format!("{category}. {words}.") }
}

/// The lower, the more telling.
fn rank(state: ClaimState) -> u8 {
    match state {
        ClaimState::Paid | ClaimState::Denied => 0,
        ClaimState::Finalized => 1,
        ClaimState::Rejected => 2,
        ClaimState::NotOnFile => 3,
        ClaimState::Pended => 4,
        ClaimState::InProcess => 5,
        ClaimState::Accepted => 6,
        ClaimState::Received => 7,
        ClaimState::Unknown => 8,
    }
}

/// Those that count: of the latest effective date, or without one.
fn counting(statuses: &[ClaimStatus]) -> impl Iterator<Item = &ClaimStatus> {
    let latest = statuses.iter().filter_map(|status| status.effective).max();
    statuses.iter().filter(move |status| status.effective.is_none() || status.effective == latest)
}

/// Where the statuses of a claim or a line leave it.
pub(super) fn state(statuses: &[ClaimStatus]) -> ClaimState {
    telling(counting(statuses).map(|status| status.state))
}

/// Where its lines leave a claim without a status of its own: it is decided when all of them are.
pub(super) fn state_of_lines(lines: &[ClaimStatusLine]) -> ClaimState {
    let open = |line: &&ClaimStatusLine| rank(line.state) > rank(ClaimState::Finalized);
    if lines.iter().any(|line| open(&line)) {
        telling(lines.iter().filter(open).map(|line| line.state))
    } else {
        telling(lines.iter().map(|line| line.state))
    }
}

/// The most telling one; paid and denied at once is finalized.
fn telling(states: impl Iterator<Item = ClaimState>) -> ClaimState {
    let (mut told, mut paid, mut denied) = (ClaimState::Unknown, false, false);
    for state in states {
        paid |= state == ClaimState::Paid;
        denied |= state == ClaimState::Denied;
        if rank(state) < rank(told) {
            told = state;
        }
    }
    if paid && denied { ClaimState::Finalized } else { told }
}

/// What to do now. Of a whole submission only what stops it is told; its claims say the rest.
pub(super) fn next_action(level: ClaimLevel, answer: &ClaimStatusAnswer) -> Option<ClaimAction> {
    let has = |categories: &[&str]| {
        let lines = answer.lines.iter().flat_map(|line| counting(&line.statuses));
        counting(&answer.statuses).chain(lines).any(|status| categories.contains(&status.category.code.as_str()))
    };
    let (kind, text) = match answer.state {
        ClaimState::Rejected => {
            let text =
                "Correct what is named and send the claim again as a new one: it never was in the carrier's system.";
            ("correct_and_resend", text)
        }
        ClaimState::NotOnFile => {
            let text = "Check member, dates and provider number of the question and ask again; if they are right, send the \
                        claim again.";
            ("check_and_resend", text)
        }
        ClaimState::Pended if has(&["P4"]) => {
            ("wait", "The patient has to answer the carrier; ask the patient to, and ask again later.")
        }
        ClaimState::Pended if has(&["P3", "RQ"]) || answer.statuses.iter().any(|one| requests(&one.category.code)) => {
            ("send_information", "Send the carrier what it asks for; until then the claim waits.")
        }
        ClaimState::Unknown if has(&["E1", "E2"]) => ("ask_again", "There was no answer; ask again later."),
        ClaimState::Unknown if has(&["E0", "E3", "E4"]) => {
            ("correct_question", "There was no answer, because the question was not right; correct it and ask again.")
        }
        ClaimState::Unknown => return None,
        _ if level != ClaimLevel::Claim => return None,
        ClaimState::Paid => ("match_remittance", "Match the payment with its remittance (835)."),
        ClaimState::Denied => {
            let text =
                "Read the reason in the remittance (835); then correct and send a replacement, or appeal in time.";
            ("read_remittance", text)
        }
        ClaimState::Finalized if has(&["F3F"]) => {
            ("wait", "It was sent on to the next payer; wait for that payer's answer.")
        }
        ClaimState::Finalized => ("read_remittance", "The decision is made; the remittance (835) says which."),
        ClaimState::Received | ClaimState::Accepted | ClaimState::InProcess | ClaimState::Pended => {
            ("wait", "Nothing to do now; ask again later.")
        }
    };
    Some(ClaimAction { kind: kind.to_owned(), text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::Date;

    fn status(category: &str, effective: Option<Date>) -> ClaimStatus {
        let category = Coded::new(category, "");
        ClaimStatus { state: state_of(&category.code), category, effective, ..ClaimStatus::default() }
    }

    fn of(categories: &[&str]) -> ClaimState {
        state(&categories.iter().map(|category| status(category, None)).collect::<Vec<_>>())
    }

    #[test]
    fn the_most_telling_status_wins() {
        assert_eq!(of(&["A1", "P1", "F1"]), ClaimState::Paid);
        assert_eq!(of(&["F2", "F2", "F1", "F2"]), ClaimState::Finalized);
        assert_eq!(of(&["A2", "A7"]), ClaimState::Rejected);
        assert_eq!(of(&["P1", "R16"]), ClaimState::Pended);
        assert_eq!(of(&["E1", "ZZ", "R100", "R"]), ClaimState::Unknown);
        assert_eq!(of(&["D0"]), ClaimState::NotOnFile);
        assert_eq!(of(&[]), ClaimState::Unknown);
    }

    #[test]
    fn every_known_category_says_something_but_errors() {
        let table = include_str!("../../codes/claim_status_category.tsv");
        let codes: Vec<&str> = table.lines().skip(1).filter_map(|line| line.split('\t').next()).collect();
        let silent: Vec<&str> = codes.iter().copied().filter(|code| state_of(code) == ClaimState::Unknown).collect();
        assert_eq!(silent, ["E0", "E1", "E2", "E3", "E4"]);
    }

    #[test]
    fn what_was_said_later_counts() {
        let day = |day| Some(Date::constant(2026, 11, day));
        assert_eq!(state(&[status("A7", day(1)), status("P1", day(5))]), ClaimState::InProcess);
        assert_eq!(state(&[status("F1", day(9)), status("P1", day(5)), status("A2", None)]), ClaimState::Paid);
    }

    #[test]
    fn a_claim_is_decided_when_its_lines_are() {
        let lines = |states: &[ClaimState]| {
            let lines = states.iter().map(|state| ClaimStatusLine { state: *state, ..ClaimStatusLine::default() });
            state_of_lines(&lines.collect::<Vec<_>>())
        };
        assert_eq!(lines(&[ClaimState::Paid, ClaimState::InProcess]), ClaimState::InProcess);
        assert_eq!(lines(&[ClaimState::Paid, ClaimState::Paid]), ClaimState::Paid);
        assert_eq!(lines(&[ClaimState::Paid, ClaimState::Denied]), ClaimState::Finalized);
        assert_eq!(lines(&[]), ClaimState::Unknown);
    }

    #[test]
    fn words_name_the_entity() {
        let words = |category: &'static str, code: &'static str, entity: &'static str, list: &'static str| {
            plain(&StatusCode {
                category: category.into(),
                code: code.into(),
                entity: entity.into(),
                list: list.into(),
                ..StatusCode::default()
            })
        };
        assert_eq!(
            words("A7", "562", "82", ""),
            "Rejected because information is invalid. Rendering provider's national provider identifier (NPI)."
        );
        assert_eq!(
            words("A1", "19", "PR", ""),
            "Received; says nothing yet about acceptance. Payer acknowledges receipt."
        );
        assert_eq!(
            words("ZZ", "9999", "", ""),
            "Category ZZ, which nobody here knows. Status 9999, which nobody here knows."
        );
        assert_eq!(words("F2", "80", "", "RX"), "Finished and denied. Pharmacy reject code 80.");
    }
}
