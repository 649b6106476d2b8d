//! What codes mean: the carrier's own lists first, then X12's codes and plain words.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use connector_sdk::RefusalReason;
use connector_sdk::answer::{AuthorizationNeed, Coded, Coverage, Covered, Level, Network};
use connector_sdk::ask::Sex;
use schemars::JsonSchema;
use serde::Deserialize;

/// What one item of a benefit list means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The service is covered.
    Covered,
    /// It is not.
    NotCovered,
    /// It is covered within limits.
    Limited,
    /// `amount` is a copay.
    Copay,
    /// `share` is the patient's.
    Coinsurance,
    /// `amount` is a whole deductible; what is left or met of it where `period` says so.
    Deductible,
    /// `amount` is what is met of a deductible.
    DeductibleMet,
    /// `amount` is what is left of a deductible.
    DeductibleRemaining,
    /// `amount` is a whole out-of-pocket maximum; what is left or met of it where `period` says so.
    OutOfPocket,
    /// `amount` is what is met of an out-of-pocket maximum.
    OutOfPocketMet,
    /// `amount` is what is left of an out-of-pocket maximum.
    OutOfPocketRemaining,
    /// `quantity` or `amount` is a limit; what is left of it where `period` says so, or used where `unit` does.
    Limit,
    /// `quantity` or `amount` is what is used of a limit.
    LimitUsed,
    /// `quantity` or `amount` is what is left of a limit.
    LimitRemaining,
    /// Prior authorization is needed.
    AuthorizationRequired,
    /// `entity` is another insurer.
    OtherPayer,
    /// `entity` is the primary care provider.
    PrimaryCare,
    /// Something to be shown as it is.
    Note,
}

/// The name in a list of names that a code belongs to, whatever the case of its letters.
fn listed<T: Copy + Eq + Hash>(map: &HashMap<T, Vec<String>>, code: &str) -> Option<T> {
    map.iter().find(|(_, codes)| codes.iter().any(|known| known.eq_ignore_ascii_case(code))).map(|(name, _)| *name)
}

/// A code as a plain word: small letters, other characters than letters and digits as `_`.
fn word(code: &str) -> String {
    code.trim().chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// Coverage.
pub fn coverage(own: &HashMap<Coverage, Vec<String>>, x12: bool, code: &str) -> Option<Coverage> {
    listed(own, code).or_else(|| {
        if !x12 {
            return None;
        }
        Some(match word(code).as_str() {
            "1" | "2" | "3" | "4" | "5" | "active" | "active_coverage" | "true" | "eligible" | "covered" => {
                Coverage::Active
            }
            "6" | "7" | "8" | "inactive" | "false" | "terminated" | "not_active" | "ineligible" | "not_eligible"
            | "not_covered" => Coverage::Inactive,
            "pending" | "in_review" => Coverage::Pending,
            _ => return None,
        })
    })
}

/// Network.
pub fn network(own: &HashMap<Network, Vec<String>>, x12: bool, code: &str) -> Option<Network> {
    listed(own, code).or_else(|| {
        if !x12 {
            return None;
        }
        Some(match word(code).as_str() {
            "y" | "in" | "in_network" | "innetwork" | "true" => Network::In,
            "n" | "out" | "out_of_network" | "outofnetwork" | "false" => Network::Out,
            "w" | "both" => Network::Both,
            "u" => Network::NotStated,
            _ => return None,
        })
    })
}

/// Level; a code nobody knows stays as it came.
pub fn level(own: &BTreeMap<String, Vec<String>>, x12: bool, code: &str) -> Level {
    let own = own.iter().find(|(_, codes)| codes.iter().any(|known| known.eq_ignore_ascii_case(code)));
    if let Some(level) = own.and_then(|(name, _)| level_named(name)) {
        return level;
    }
    let known = match code.trim().to_ascii_uppercase().as_str() {
        "IND" => Some(Level::Individual),
        "FAM" => Some(Level::Family),
        "EMP" => Some(Level::EmployeeOnly),
        "ESP" => Some(Level::EmployeeAndSpouse),
        "ECH" => Some(Level::EmployeeAndChildren),
        "SPC" => Some(Level::SpouseAndChildren),
        "SPO" => Some(Level::SpouseOnly),
        "CHD" => Some(Level::ChildrenOnly),
        "DEP" => Some(Level::DependentsOnly),
        "" => Some(Level::NotStated),
        _ => level_named(&word(code)),
    };
    known.filter(|_| x12).unwrap_or_else(|| Level::Unknown(code.to_owned()))
}

/// A level by the name it has in answers.
pub fn level_named(name: &str) -> Option<Level> {
    Some(match name {
        "individual" => Level::Individual,
        "family" => Level::Family,
        "employee_only" => Level::EmployeeOnly,
        "employee_and_spouse" => Level::EmployeeAndSpouse,
        "employee_and_children" => Level::EmployeeAndChildren,
        "spouse_and_children" => Level::SpouseAndChildren,
        "spouse_only" => Level::SpouseOnly,
        "children_only" => Level::ChildrenOnly,
        "dependents_only" => Level::DependentsOnly,
        "not_stated" => Level::NotStated,
        _ => return None,
    })
}

/// Covered.
pub fn covered(own: &HashMap<Covered, Vec<String>>, x12: bool, code: &str) -> Option<Covered> {
    listed(own, code).or_else(|| {
        if !x12 {
            return None;
        }
        Some(match word(code).as_str() {
            "y" | "yes" | "true" | "covered" | "1" => Covered::Yes,
            "n" | "no" | "false" | "not_covered" | "i" => Covered::No,
            "limited" | "covered_with_limits" | "f" => Covered::Limited,
            _ => return None,
        })
    })
}

/// Prior authorization.
pub fn authorization(
    own: &HashMap<AuthorizationNeed, Vec<String>>,
    x12: bool,
    code: &str,
) -> Option<AuthorizationNeed> {
    listed(own, code).or_else(|| {
        if !x12 {
            return None;
        }
        Some(match word(code).as_str() {
            "y" | "yes" | "true" | "required" => AuthorizationNeed::Required,
            "n" | "no" | "false" | "not_required" => AuthorizationNeed::NotRequired,
            "u" | "unknown" => AuthorizationNeed::NotStated,
            _ => return None,
        })
    })
}

/// Kind of an item (X12 EB01).
pub fn kind(own: &HashMap<Kind, Vec<String>>, x12: bool, code: &str) -> Option<Kind> {
    listed(own, code).or_else(|| {
        if !x12 {
            return None;
        }
        Some(match code.trim().to_ascii_uppercase().as_str() {
            "1" | "2" | "3" | "4" | "5" => Kind::Covered,
            "6" | "7" | "8" | "I" => Kind::NotCovered,
            "A" => Kind::Coinsurance,
            "B" => Kind::Copay,
            "C" => Kind::Deductible,
            "F" => Kind::Limit,
            "G" => Kind::OutOfPocket,
            "L" => Kind::PrimaryCare,
            "R" => Kind::OtherPayer,
            _ => return None,
        })
    })
}

/// Words for an EB01 code that becomes a note.
pub fn kind_label(code: &str) -> Option<&'static str> {
    Some(match code {
        "D" => "Description of a benefit",
        "E" => "Exclusion",
        "H" => "Unlimited",
        "J" => "Cost containment",
        "K" => "Reserve",
        "M" => "Pre-existing condition",
        "MC" => "Managed care coordinator",
        "N" => "Services only from the provider named",
        "O" => "Not seen as medically necessary",
        "P" => "Disclaimer by the payer",
        "Q" => "A second surgical opinion is needed",
        "S" => "History of earlier years",
        "T" => "Card reported lost or stolen",
        "U" => "Ask the entity named for benefits",
        "V" => "Cannot be processed",
        "W" => "Another source has the data",
        "X" => "Health care facility",
        "Y" => "Spend-down amount",
        "CB" => "How coverage was determined",
        _ => return None,
    })
}

/// A period with its words.
pub fn period(own: &BTreeMap<String, String>, x12: bool, code: &str) -> Coded {
    let known = match code {
        _ if !x12 => None,
        "6" => Some("Hour"),
        "7" => Some("Day"),
        "13" => Some("24 hours"),
        "21" => Some("Year"),
        "22" => Some("Service year"),
        "23" => Some("Calendar year"),
        "24" => Some("Year to date"),
        "25" => Some("Contract"),
        "26" => Some("Episode"),
        "27" => Some("Visit"),
        "29" => Some("Remaining"),
        "32" => Some("Lifetime"),
        "33" => Some("Remaining in the lifetime"),
        "34" => Some("Month"),
        "35" => Some("Week"),
        "36" => Some("Admission"),
        _ => None,
    };
    coded(own, known, code)
}

/// A unit with its words (X12 EB09).
pub fn unit(own: &BTreeMap<String, String>, x12: bool, code: &str) -> Coded {
    let known = match code {
        _ if !x12 => None,
        "VS" => Some("Visits"),
        "DY" => Some("Days"),
        "HS" => Some("Hours"),
        "MN" => Some("Months"),
        "YY" => Some("Years"),
        "P6" => Some("Services or procedures"),
        "99" => Some("Quantity used"),
        _ => None,
    };
    coded(own, known, code)
}

fn coded(own: &BTreeMap<String, String>, known: Option<&str>, code: &str) -> Coded {
    let label = own.get(code).map(String::as_str).or(known).unwrap_or(code);
    Coded::new(code, label)
}

/// Relationship to the subscriber (X12 INS02).
pub fn relationship(code: &str) -> Coded {
    let label = match code {
        "01" => "Spouse",
        "18" => "Self",
        "19" => "Child",
        "21" => "Unknown",
        "34" => "Other adult",
        other => other,
    };
    Coded::new(code, label)
}

/// Sex.
pub fn sex(code: &str) -> Option<Sex> {
    Some(match word(code).as_str() {
        "f" | "female" => Sex::Female,
        "m" | "male" => Sex::Male,
        "u" | "unknown" => Sex::Unknown,
        _ => return None,
    })
}

/// What an X12 AAA03 reject reason is in our words, and which fields of the ask it points at.
pub fn reject(code: &str) -> Option<(RefusalReason, &'static [&'static str])> {
    use RefusalReason as R;
    let member_id: &[_] = &["member.member_id"];
    let member_name: &[_] = &["member.last_name", "member.first_name"];
    let birth: &[_] = &["member.date_of_birth"];
    let provider: &[_] = &["provider.npi"];
    let date: &[_] = &["service.date"];
    Some(match code.trim().to_ascii_uppercase().as_str() {
        "15" | "33" => (R::NeedsMoreInformation, &[]),
        "42" | "80" => (R::CarrierBusy, &[]),
        "43" => (R::ProviderNotRecognised, provider),
        "44" => (R::ProviderNotRecognised, &["provider.name"]),
        "45" => (R::ProviderNotRecognised, &["provider.taxonomy"]),
        "41" | "50" => (R::ProviderNotEnrolled, provider),
        "52" => (R::DateOutOfRange, &["service.date", "provider.npi"]),
        "46" | "47" | "48" | "49" | "51" | "97" => (R::ProviderNotRecognised, provider),
        "53" | "69" | "70" | "98" => (R::ServiceNotSupported, &["service.types"]),
        "56" | "57" | "61" | "62" | "63" => (R::DateOutOfRange, date),
        "60" => (R::DateOutOfRange, &["member.date_of_birth", "service.date"]),
        "58" => (R::NeedsMoreInformation, birth),
        "71" => (R::MemberNotFound, birth),
        "64" | "72" => (R::MemberNotFound, member_id),
        "65" | "73" => (R::MemberNotFound, member_name),
        "66" | "74" => (R::MemberNotFound, &["member.sex"]),
        "67" | "75" | "95" => (R::MemberNotFound, R::MemberNotFound.look_at()),
        "78" => (R::MemberNotFound, &["member.group_number"]),
        "68" | "76" => (R::MemberAmbiguous, R::MemberAmbiguous.look_at()),
        "77" => (R::DependentNotFound, R::DependentNotFound.look_at()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_codes_go_before_x12s() {
        let own = HashMap::from([(Kind::Copay, vec!["C".to_owned()])]);
        assert_eq!(kind(&own, true, "c"), Some(Kind::Copay));
        assert_eq!(kind(&HashMap::new(), true, "C"), Some(Kind::Deductible));
        assert_eq!(kind(&own, false, "B"), None);
    }

    #[test]
    fn unknown_codes_stay_as_they_came() {
        assert_eq!(level(&BTreeMap::new(), true, "E9X"), Level::Unknown("E9X".into()));
        assert_eq!(level(&BTreeMap::new(), true, "Individual"), Level::Individual);
        assert_eq!(level(&BTreeMap::new(), true, "EMPLOYEE_AND_SPOUSE"), Level::EmployeeAndSpouse);
        assert_eq!(period(&BTreeMap::new(), true, "ZZ"), Coded::new("ZZ", "ZZ"));
        assert_eq!(reject("T4"), None);
    }
}
