//! What the elements of an eligibility question and its answer (270, 271) are called, and which table explains their codes:
//! for the plain view of a transaction. Our own words; the elements are those of the X12 005010 guides.

use super::{Table, label};

/// One element of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ElementName {
    /// What it is called.
    pub words: &'static str,
    table: Option<Table>,
}

impl ElementName {
    /// What a code in this element means, where we know it.
    pub fn meaning(self, code: &str) -> Option<&'static str> {
        self.table.and_then(|table| label(table, code))
    }
}

const fn plain(words: &'static str) -> ElementName {
    ElementName { words, table: None }
}

const fn coded(words: &'static str, table: Table) -> ElementName {
    ElementName { words, table: Some(table) }
}

/// What an element is called, counted from 1; `None` where nobody here has a name for it.
pub fn element_name(segment: &str, element: usize) -> Option<ElementName> {
    names(segment).get(element.checked_sub(1)?).copied().filter(|name| !name.words.is_empty())
}

fn names(segment: &str) -> &'static [ElementName] {
    use Table::{
        Benefit, Date, DeliveryUnit, Entity, FollowUp, IdKind, InsuranceType, Level, MilitaryBranch,
        MilitaryEmployment, MilitaryStatus, Period, Quantity, Reach, Reference, RejectReason, Relationship,
        ServiceType,
    };
    const NONE: ElementName = plain("");
    match segment {
        "AAA" => {
            const ALL: &[ElementName] =
                &[plain("Valid"), NONE, coded("Reason", RejectReason), coded("What to do", FollowUp)];
            ALL
        }
        "BHT" => {
            const ALL: &[ElementName] = &[
                plain("Structure"),
                plain("Purpose"),
                plain("Reference"),
                plain("Date"),
                plain("Time"),
                plain("Type"),
            ];
            ALL
        }
        "DMG" => {
            const ALL: &[ElementName] = &[plain("Form of the date"), plain("Date of birth"), plain("Sex")];
            ALL
        }
        "DTP" => {
            const ALL: &[ElementName] = &[coded("Which date", Date), plain("Form of the date"), plain("Date")];
            ALL
        }
        "EB" => {
            const ALL: &[ElementName] = &[
                coded("What is said", Benefit),
                coded("For whom", Level),
                coded("Service type", ServiceType),
                coded("Kind of insurance", InsuranceType),
                plain("Plan"),
                coded("Period", Period),
                plain("Amount"),
                plain("Share"),
                coded("Unit of the count", Quantity),
                plain("Count"),
                plain("Prior authorization"),
                plain("In the plan’s network"),
                plain("Procedure"),
                plain("Diagnosis"),
            ];
            ALL
        }
        "EQ" => {
            const ALL: &[ElementName] = &[
                coded("Service type", ServiceType),
                plain("Procedure"),
                coded("For whom", Level),
                coded("Kind of insurance", InsuranceType),
                plain("Diagnosis"),
            ];
            ALL
        }
        "HL" => {
            const ALL: &[ElementName] = &[plain("Number"), plain("Under"), plain("Level"), plain("Has levels below")];
            ALL
        }
        "HSD" => {
            const ALL: &[ElementName] = &[
                coded("Unit of the count", Quantity),
                plain("Count"),
                coded("Unit of frequency", DeliveryUnit),
                plain("Frequency"),
                coded("Period", Period),
                plain("Periods"),
                plain("Pattern"),
                plain("Time of day"),
            ];
            ALL
        }
        "III" => {
            const ALL: &[ElementName] = &[plain("Which list"), plain("Code"), plain("Category"), plain("Words")];
            ALL
        }
        "INS" => {
            const ALL: &[ElementName] = &[
                plain("Is the subscriber"),
                coded("Relationship", Relationship),
                plain("Kind of change"),
                plain("Why changed"),
            ];
            ALL
        }
        "LS" | "LE" => {
            const ALL: &[ElementName] = &[plain("Loop")];
            ALL
        }
        "MPI" => {
            const ALL: &[ElementName] = &[
                coded("How current", MilitaryStatus),
                coded("Employment", MilitaryEmployment),
                coded("Branch", MilitaryBranch),
                plain("Words"),
                plain("Rank"),
                plain("Form of the date"),
                plain("Date"),
            ];
            ALL
        }
        "MSG" => {
            const ALL: &[ElementName] = &[plain("Message")];
            ALL
        }
        "N3" => {
            const ALL: &[ElementName] = &[plain("Street"), plain("Street, second line")];
            ALL
        }
        "N4" => {
            const ALL: &[ElementName] = &[plain("City"), plain("State"), plain("Postal code"), plain("Country")];
            ALL
        }
        "NM1" => {
            const ALL: &[ElementName] = &[
                coded("Who", Entity),
                plain("Person or organization"),
                plain("Last name or organization"),
                plain("First name"),
                plain("Middle name"),
                plain("Prefix"),
                plain("Suffix"),
                coded("Kind of number", IdKind),
                plain("Number"),
            ];
            ALL
        }
        "PER" => {
            const ALL: &[ElementName] = &[
                plain("Function"),
                plain("Name"),
                coded("Way", Reach),
                plain("Number or address"),
                coded("Second way", Reach),
                plain("Number or address"),
                coded("Third way", Reach),
                plain("Number or address"),
            ];
            ALL
        }
        "PRV" => {
            const ALL: &[ElementName] = &[plain("Role"), plain("Kind of number"), plain("Number")];
            ALL
        }
        "REF" => {
            const ALL: &[ElementName] = &[coded("Kind of number", Reference), plain("Number"), plain("Words")];
            ALL
        }
        "SE" => {
            const ALL: &[ElementName] = &[plain("Segments"), plain("Control number")];
            ALL
        }
        "ST" => {
            const ALL: &[ElementName] = &[plain("Transaction set"), plain("Control number"), plain("Guide")];
            ALL
        }
        "TRN" => {
            const ALL: &[ElementName] =
                &[plain("Whose number"), plain("Trace number"), plain("Company"), plain("Second number")];
            ALL
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_have_names_and_codes_have_meanings() {
        let said = element_name("EB", 1).unwrap();
        assert_eq!((said.words, said.meaning("C")), ("What is said", Some("Deductible")));
        assert_eq!(element_name("EB", 7).map(|name| name.words), Some("Amount"));
        assert_eq!(element_name("AAA", 2), None);
        assert!(
            element_name("EB", 0).is_none() && element_name("EB", 99).is_none() && element_name("ZZZ", 1).is_none()
        );
    }
}
