//! AAA segments as a refusal: every code kept, one reason in our words, and the fields to look at.

use connector_sdk::outcome::{CarrierCode, Refusal, RefusalReason};

use crate::codes::{Table, label};
use crate::eligibility::Rejection;

/// One AAA, verbatim.
pub(super) fn carrier_code(rejection: &Rejection<'_>) -> CarrierCode {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    CarrierCode {
        loop_id: some(&rejection.loop_id),
        code: rejection.aaa.reason.to_string(),
        follow_up: some(&rejection.aaa.follow_up),
        meaning: label(Table::RejectReason, &rejection.aaa.reason).map(str::to_owned),
    }
}

/// All AAA of a patient as one refusal. The reason is that of the most telling code: one about the patient before one
/// about the date, the provider or the carrier's system.
pub(super) fn refusal(rejections: &[Rejection<'_>]) -> Refusal {
    let read: Vec<_> = rejections.iter().map(meaning).collect();
    let reason = read.iter().map(|(reason, _)| *reason).min_by_key(|reason| rank(*reason));
    let mut refusal = Refusal::new(reason.unwrap_or(RefusalReason::Other));
    refusal.carrier_codes = rejections.iter().map(carrier_code).collect();
    let mut fields: Vec<String> = Vec::new();
    for field in read.iter().flat_map(|(_, fields)| fields) {
        if !fields.contains(field) {
            fields.push(field.clone());
        }
    }
    if !fields.is_empty() {
        refusal.look_at = fields;
    }
    refusal
}

/// Lower comes first.
fn rank(reason: RefusalReason) -> u8 {
    match reason {
        RefusalReason::DependentNotFound => 0,
        RefusalReason::MemberAmbiguous => 1,
        RefusalReason::MemberNotFound => 2,
        RefusalReason::DateOutOfRange => 3,
        RefusalReason::ServiceNotSupported => 4,
        RefusalReason::ProviderNotRecognised => 5,
        RefusalReason::ProviderNotEnrolled => 6,
        RefusalReason::NeedsMoreInformation => 7,
        RefusalReason::Duplicate => 8,
        RefusalReason::CarrierBusy => 9,
        RefusalReason::Other => 10,
    }
}

/// Why, and which fields of the ask to look at, for one AAA. The loop decides whose field it is.
fn meaning(rejection: &Rejection<'_>) -> (RefusalReason, Vec<String>) {
    use RefusalReason as Reason;
    let dependent = rejection.loop_id.ends_with('D');
    let who = if dependent { "dependent" } else { "member" };
    let of = |fields: &[&str]| fields.iter().map(|field| format!("{who}.{field}")).collect::<Vec<_>>();
    let fixed = |fields: &[&str]| fields.iter().map(|field| (*field).to_owned()).collect::<Vec<_>>();
    let not_found = if dependent { Reason::DependentNotFound } else { Reason::MemberNotFound };
    let everything = ["member_id", "date_of_birth", "last_name", "first_name"];
    match rejection.aaa.reason.as_ref() {
        "42" | "80" => (Reason::CarrierBusy, Vec::new()),
        "41" | "50" => (Reason::ProviderNotEnrolled, fixed(&["provider.npi"])),
        "43" | "46" | "47" | "48" | "49" | "51" | "97" => (Reason::ProviderNotRecognised, fixed(&["provider.npi"])),
        "44" => (Reason::ProviderNotRecognised, fixed(&["provider.name", "provider.npi"])),
        "45" => (Reason::ProviderNotRecognised, fixed(&["provider.taxonomy", "provider.npi"])),
        "79" if rejection.loop_id.ends_with('B') => (Reason::ProviderNotRecognised, fixed(&["provider.npi"])),
        "52" => (Reason::DateOutOfRange, fixed(&["service.date", "provider.npi"])),
        "53" | "98" | "69" | "70" => (Reason::ServiceNotSupported, fixed(&["service.types"])),
        "AG" => (Reason::ServiceNotSupported, fixed(&["service.procedures"])),
        "56" | "57" | "61" | "62" | "63" => (Reason::DateOutOfRange, fixed(&["service.date"])),
        "60" => (Reason::DateOutOfRange, [of(&["date_of_birth"]), fixed(&["service.date"])].concat()),
        "58" => (Reason::NeedsMoreInformation, of(&["date_of_birth"])),
        "71" => (not_found, of(&["date_of_birth"])),
        "64" if dependent => (not_found, of(&["first_name", "last_name", "date_of_birth"])),
        "64" | "72" => (Reason::MemberNotFound, fixed(&["member.member_id"])),
        "65" | "73" => (not_found, of(&["last_name", "first_name"])),
        "66" | "74" => (not_found, of(&["sex"])),
        "67" if dependent => (not_found, of(&["first_name", "last_name", "date_of_birth"])),
        "67" | "75" | "95" => (not_found, of(if dependent { &everything[1..] } else { &everything[..] })),
        "77" => (
            Reason::DependentNotFound,
            fixed(&["dependent.date_of_birth", "dependent.first_name", "dependent.last_name"]),
        ),
        "68" | "76" => (Reason::MemberAmbiguous, fixed(&["member.member_id"])),
        "78" => (Reason::MemberNotFound, fixed(&["member.group_number", "member.member_id"])),
        "15" | "33" | "04" | "T4" | "AF" | "AO" => (Reason::NeedsMoreInformation, Vec::new()),
        _ => (Reason::Other, Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::common::Aaa;

    fn aaa(code: &'static str) -> Aaa<'static> {
        Aaa { valid: "N".into(), reason: code.into(), follow_up: "C".into(), ..Aaa::default() }
    }

    fn at<'a>(loop_id: &str, aaa: &'a Aaa<'a>) -> Rejection<'a> {
        Rejection { aaa, loop_id: loop_id.into() }
    }

    #[test]
    fn all_codes_are_kept_and_all_fields_named() {
        let (a, b, c) = (aaa("42"), aaa("73"), aaa("71"));
        let refusal = refusal(&[at("2100A", &a), at("2100C", &b), at("2100C", &c)]);
        assert_eq!(refusal.reason, RefusalReason::MemberNotFound);
        assert_eq!(refusal.look_at, ["member.last_name", "member.first_name", "member.date_of_birth"]);
        assert_eq!(refusal.carrier_codes.len(), 3);
        assert_eq!(
            refusal.carrier_codes[2].meaning.as_deref(),
            Some("Date of birth does not match the payer's record")
        );
        assert_eq!(refusal.carrier_codes[1].follow_up.as_deref(), Some("C"));
    }

    #[test]
    fn the_loop_decides_whose_field_it_is() {
        let refusal = refusal(&[at("2100D", &aaa("71"))]);
        assert_eq!(refusal.reason, RefusalReason::DependentNotFound);
        assert_eq!(refusal.look_at, ["dependent.date_of_birth"]);
    }

    #[test]
    fn an_unknown_code_is_kept() {
        let refusal = refusal(&[at("2000A", &aaa("RC"))]);
        assert_eq!(refusal.reason, RefusalReason::Other);
        assert_eq!((refusal.carrier_codes[0].code.as_str(), refusal.carrier_codes[0].meaning.clone()), ("RC", None));
    }
}
