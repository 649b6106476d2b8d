//! Why, and what to do now.

use connector_sdk::answer::authorization::{AuthorizationState as State, DecisionReason, NextStep};

use crate::codes::{Table, label};
use crate::review::{Case, Hcr, RefusedAt, few};

/// Things to do that one answer tells.
const MAX_STEPS: usize = 100;

/// The reasons of a decision.
pub(super) fn reasons(decision: &Hcr<'_>) -> Vec<DecisionReason> {
    let given = decision.reasons.iter().filter(|code| !code.is_empty());
    given
        .map(|code| {
            let text = label(Table::DecisionReason, code).unwrap_or(code);
            let plain = match label(Table::DecisionReason, code) {
                Some(text) => plain(code).map_or_else(|| format!("{text}."), str::to_owned),
                None => format!("The carrier gave the reason {code}, which is not in our list. Ask the carrier."),
            };
            DecisionReason { code: code.to_string(), text: text.to_owned(), plain }
        })
        .collect()
}

/// The same as one would tell it at the front desk, where the meaning alone is too short.
fn plain(code: &str) -> Option<&'static str> {
    Some(match code {
        "0F" => "The carrier does not find the service necessary on what it was sent.",
        "0G" => "The carrier would allow the care in another setting.",
        "0H" => "The carrier needs no authorization for this service.",
        "0D" => "The primary care provider has to ask for this.",
        "0L" => "The plan's maximum for this service is used up, or would be.",
        "0M" => "The plan does not cover this service.",
        "0N" => "The carrier should have been asked before the service was given.",
        "0P" => "The carrier asked for information and did not get it.",
        "0Q" => "The carrier has had the same request before.",
        "0R" => "The service does not fit the diagnosis that was sent.",
        "0T" => "The carrier calls the service experimental.",
        "0U" => "The carrier needs more information about the patient.",
        "0V" | "0W" => "A reviewer at the carrier is looking at it.",
        "9" => "The provider is outside the plan's network.",
        "4" => "More was asked for than the carrier allows.",
        _ => return None,
    })
}

/// What to do about a reason, where it tells.
fn about(code: &str) -> Option<&'static str> {
    Some(match code {
        "0U" | "0P" => "Send the information about the patient that the carrier asks for.",
        "0D" | "0E" => "Ask the patient's primary care provider to request it.",
        "0R" => "Compare the diagnosis with the service, and send the request again if one was wrong.",
        "0Q" => "Look for the answer to the earlier request before sending another one.",
        "9" | "12" | "13" => "Ask which provider the carrier allows, or request an exception.",
        "0X" | "26" => "Compare the provider that was sent with the one who gives the service.",
        "4" | "10" => "Plan with the number that was approved, or ask for more before it is used up.",
        "0N" | "17" => "Ask whether the carrier reviews it afterwards, and say why it came late.",
        _ => return None,
    })
}

/// One sentence for a state.
pub(super) fn headline(state: State) -> &'static str {
    match state {
        State::Approved => "The carrier approved it.",
        State::PartiallyApproved => "The carrier approved it in part, or with changes.",
        State::Denied => "The carrier denied it.",
        State::Pended => "The carrier has it and is still deciding.",
        State::Cancelled => "It was cancelled.",
        State::NotRequired => "The carrier needs no authorization for this.",
        State::NeedsPerson => "The carrier wants to be called about it.",
        _ => "The carrier answered; what it decided is not clear.",
    }
}

/// What to do now. Only what follows from what the carrier said.
pub(super) fn steps(case: &Case<'_, '_>, state: State, refusals: &[RefusedAt<'_, '_>]) -> Vec<NextStep> {
    let phone = phone(case);
    let mut all: Vec<NextStep> = Vec::new();
    let mut add = |what: String, with_phone: bool| {
        if all.len() < MAX_STEPS && !all.iter().any(|step| step.what == what) {
            all.push(NextStep { what, by_when: None, phone: phone.clone().filter(|_| with_phone) });
        }
    };
    let decisions =
        || case.matter.decision.into_iter().chain(case.services.iter().filter_map(|one| one.matter.decision));
    for code in decisions().flat_map(|decision| &decision.reasons) {
        if let Some(what) = about(code) {
            add(what.to_owned(), matches!(&**code, "9" | "12" | "13" | "0N" | "17"));
        }
    }
    let paperwork = case.matter.paperwork.iter().chain(case.services.iter().flat_map(|one| one.matter.paperwork));
    if state == State::Pended {
        for document in paperwork {
            let number = Some(&*document.control_number).filter(|number| !number.is_empty());
            let number = number.map(|number| format!(", with the number {number}")).unwrap_or_default();
            add(format!("Send the document the carrier asks for (report type {}{number}).", document.report), false);
        }
    }
    for at in refusals {
        let follow_up = label(Table::FollowUp, &at.refusal.follow_up);
        let reason = label(Table::RejectReason, &at.refusal.reason).unwrap_or(&at.refusal.reason);
        add(format!("{reason} (loop {}). {}", at.loop_id, follow_up.unwrap_or("Ask the carrier.")), false);
    }
    match state {
        State::Approved | State::PartiallyApproved => {
            add("Put the authorization number on the claim.".to_owned(), false);
            if state == State::PartiallyApproved {
                add("Compare what was approved with what was asked for before the service is given.".to_owned(), false);
            }
        }
        State::Denied => add("If you disagree, ask the carrier how to appeal and until when.".to_owned(), true),
        State::Pended => add("Wait for the decision; ask again with the carrier's number.".to_owned(), true),
        State::NeedsPerson | State::Unknown => add("Call the carrier.".to_owned(), true),
        _ => {}
    }
    all
}

/// The carrier's telephone.
fn phone(case: &Case<'_, '_>) -> Option<String> {
    let contacts = few(&case.organization.names).iter().flat_map(|party| few(&party.contacts));
    let mut numbers = contacts.flat_map(|per| {
        [(&per.qualifier_1, &per.number_1), (&per.qualifier_2, &per.number_2), (&per.qualifier_3, &per.number_3)]
    });
    numbers.find(|(kind, number)| *kind == "TE" && !number.is_empty()).map(|(_, number)| number.to_string())
}
