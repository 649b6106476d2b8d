//! What a carrier's reason means, in our own words, and which field of the question to look at first.
//!
//! The codes are those of X12's reject reasons (AAA03 in a 271). The words are ours; the carrier's own stand beside them.

/// What a code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// A sentence; `{carrier}` stands for the carrier's name.
    words: &'static str,
    /// Where in the question to look: a field of a person, or a whole path; empty where no field can be blamed.
    pub look_at: &'static str,
}

impl Said {
    /// The sentence.
    pub fn words(self, carrier: &str) -> String {
        self.words.replace("{carrier}", carrier)
    }
}

/// What the code means; `None` for one that nobody here knows: then the carrier's words are all there is.
pub fn of(code: &str) -> Option<Said> {
    let (words, look_at) = match code.trim() {
        "71" => ("{carrier} knows this ID, but not with this date of birth.", "date_of_birth"),
        "72" => ("{carrier} has no member with this ID.", "member_id"),
        "73" => ("The name does not match this ID.", "last_name"),
        "75" => (
            "No member was found with what we sent, or the coverage has ended. {carrier} says no more than that.",
            "member_id",
        ),
        "68" | "76" => ("More than one person fits what we sent.", "first_name"),
        "64" => ("The subscriber is known; the patient’s own ID is missing or wrong.", "member_id"),
        "65" => ("The subscriber is known; the patient’s name is missing or wrong.", "first_name"),
        "67" | "77" => ("The subscriber is known, the patient is not.", "first_name"),
        "66" | "74" => ("The sex on {carrier}’s file is another one.", "sex"),
        "58" => ("The date of birth is missing or cannot be read.", "date_of_birth"),
        "60" => ("The date of birth lies after the service date.", "date_of_birth"),
        "61" => (
            "On {carrier}’s file the member died before the service date. Ask the family before anything else.",
            "service.date",
        ),
        "56" | "57" => ("The service date is missing or cannot be used.", "service.date"),
        "62" => ("The service date lies outside the days {carrier} answers for.", "service.date"),
        "63" => ("{carrier} does not answer for service dates to come.", "service.date"),
        "43" => ("{carrier} does not know this provider’s number.", "provider.npi"),
        "44" => ("The provider’s name is missing or not the one on {carrier}’s file.", "provider.npi"),
        "45" => ("The provider’s specialty is missing or not the one on {carrier}’s file.", "provider.npi"),
        "46" | "47" | "97" => ("The provider’s address or telephone number is missing or wrong.", "provider.npi"),
        "50" => ("{carrier} does not let this provider ask.", "provider.npi"),
        "51" => ("{carrier} does not have this provider on file.", "provider.npi"),
        "79" => ("{carrier} does not know us under the number that was sent.", "provider.npi"),
        "41" => ("Our access to {carrier} is not open yet. An administrator has to clear it up with {carrier}.", ""),
        "48" => ("The referring provider’s number is missing or wrong.", ""),
        "49" => ("This provider is not the patient’s primary care provider.", ""),
        "52" => ("On the service date this provider was not part of the plan.", "service.date"),
        "35" => ("The patient’s plan does not cover this provider’s network.", "provider.npi"),
        "42" => ("{carrier} cannot answer now.", ""),
        "80" => ("{carrier} sent no answer in time.", ""),
        "15" => ("Something that {carrier} needs was missing from the question.", ""),
        "33" => ("Something in the question could not be read by {carrier}.", ""),
        "04" => ("More was asked for than {carrier} allows.", "types"),
        "53" => ("This kind of provider does not give the service that was asked about.", "types"),
        "54" | "55" => ("{carrier} does not know the service that was asked about.", "types"),
        "69" => ("The service does not fit the patient’s age.", "types"),
        "70" => ("The service does not fit the patient’s sex.", "types"),
        "78" => ("The member is known, but not in the group or plan that was named.", "group_number"),
        "98" => ("{carrier} counts this service as experimental.", "types"),
        _ => return None,
    };
    Some(Said { words, look_at })
}

/// What both codes together mean, where that is more than each alone.
pub fn together(codes: &[&str]) -> Option<&'static str> {
    (codes.contains(&"71") && codes.contains(&"73")).then_some(
        "The ID was found, but name and date of birth both differ: this may be another person’s card. Look at the card again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_has_words_of_its_own_kind() {
        let known: Vec<String> = (0..100).map(|code| format!("{code:02}")).filter(|code| of(code).is_some()).collect();
        assert!(known.len() >= 40, "{known:?}");
        for code in &known {
            let said = of(code).unwrap();
            let words = said.words("Acme");
            assert!(!words.contains('{') && words.ends_with('.'), "{code}: {words}");
        }
        // The committee's own words for a birth date, an ID and a name are three different sentences.
        let three: Vec<String> = ["71", "72", "73"].map(|code| of(code).unwrap().words("Acme")).to_vec();
        assert!(three[0] != three[1] && three[1] != three[2]);
        assert!(of("ZZ").is_none());
        assert!(together(&["73", "71"]).is_some() && together(&["71"]).is_none());
    }
}
