//! Which column of a file is which: headers as practice systems write them.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Column {
    Key,
    Date,
    Time,
    Status,
    Name,
    FirstName,
    LastName,
    Suffix,
    Born,
    Sex,
    Phone,
    Mrn,
    Carrier,
    MemberId,
    Group,
    Relationship,
    SubscriberFirst,
    SubscriberLast,
    SubscriberBorn,
    Npi,
    Provider,
    Location,
    VisitType,
    ServiceTypes,
    Procedures,
}

use Column::{
    Born, Carrier, Date, FirstName, Group, Key, LastName, Location, MemberId, Mrn, Name, Npi, Phone, Procedures,
    Provider, Relationship, ServiceTypes, Sex, Status, SubscriberBorn, SubscriberFirst, SubscriberLast, Suffix, Time,
    VisitType,
};

/// Each column with its name in messages, and the other names it has in files: lower case, words apart by one space.
const COLUMNS: &[(Column, &str, &[&str])] = &[
    (
        Key,
        "appointment_id",
        &["appointment id", "appt id", "appointment number", "appt no", "visit id", "encounter id", "booking id"],
    ),
    (
        Date,
        "date",
        &[
            "date",
            "appt date",
            "appointment date",
            "visit date",
            "date of service",
            "dos",
            "service date",
            "day",
            "start",
            "start time",
            "appointment",
            "appt date time",
            "appointment date time",
            "start date",
        ],
    ),
    (Time, "time", &["time", "appt time", "appointment time", "visit time", "begin time", "from time", "time of day"]),
    (Status, "status", &["status", "appt status", "appointment status", "visit status"]),
    (Name, "patient", &["patient", "patient name", "name", "full name", "pt name", "patient full name"]),
    (
        FirstName,
        "first_name",
        &[
            "first name",
            "first",
            "patient first name",
            "pt first name",
            "fname",
            "given name",
            "patient first",
            "firstname",
        ],
    ),
    (
        LastName,
        "last_name",
        &[
            "last name",
            "last",
            "patient last name",
            "pt last name",
            "lname",
            "surname",
            "family name",
            "patient last",
            "lastname",
        ],
    ),
    (Suffix, "suffix", &["suffix", "name suffix", "patient suffix"]),
    (
        Born,
        "date_of_birth",
        &[
            "date of birth",
            "dob",
            "birth date",
            "birthdate",
            "birthday",
            "patient dob",
            "pt dob",
            "patient date of birth",
            "patient birth date",
            "born",
        ],
    ),
    (Sex, "sex", &["sex", "gender", "patient sex", "patient gender", "sex at birth", "birth sex"]),
    (
        Phone,
        "phone",
        &[
            "phone",
            "phone number",
            "mobile",
            "cell",
            "cell phone",
            "mobile phone",
            "home phone",
            "patient phone",
            "telephone",
            "primary phone",
        ],
    ),
    (
        Mrn,
        "mrn",
        &[
            "mrn",
            "medical record number",
            "chart",
            "chart number",
            "chart no",
            "patient id",
            "patient number",
            "patient account",
            "account",
            "account number",
            "acct",
            "acct no",
            "pt id",
            "patient no",
        ],
    ),
    (
        Carrier,
        "carrier",
        &[
            "carrier",
            "insurance",
            "payer",
            "payor",
            "primary insurance",
            "insurance name",
            "insurance company",
            "primary payer",
            "primary carrier",
            "plan",
            "insurance plan",
            "carrier id",
            "payer name",
            "primary ins",
            "ins",
            "payer id",
        ],
    ),
    (
        MemberId,
        "member_id",
        &[
            "member id",
            "member number",
            "member no",
            "policy",
            "policy number",
            "policy no",
            "policy id",
            "subscriber id",
            "subscriber number",
            "insurance id",
            "insurance number",
            "id number",
            "primary policy number",
            "primary member id",
            "cardholder id",
            "memberid",
        ],
    ),
    (Group, "group_number", &["group", "group number", "group no", "group id", "primary group number"]),
    (
        Relationship,
        "relationship",
        &[
            "relationship",
            "relation",
            "relationship to subscriber",
            "relation to subscriber",
            "relationship to insured",
            "patient relationship",
            "rel",
        ],
    ),
    (
        SubscriberFirst,
        "subscriber_first_name",
        &[
            "subscriber first name",
            "subscriber first",
            "insured first name",
            "policyholder first name",
            "guarantor first name",
        ],
    ),
    (
        SubscriberLast,
        "subscriber_last_name",
        &[
            "subscriber last name",
            "subscriber last",
            "insured last name",
            "policyholder last name",
            "guarantor last name",
        ],
    ),
    (
        SubscriberBorn,
        "subscriber_date_of_birth",
        &[
            "subscriber date of birth",
            "subscriber dob",
            "insured dob",
            "insured date of birth",
            "policyholder dob",
            "subscriber birth date",
        ],
    ),
    (Npi, "npi", &["npi", "provider npi", "rendering npi", "rendering provider npi", "doctor npi"]),
    (
        Provider,
        "provider",
        &["provider", "provider name", "doctor", "physician", "rendering provider", "clinician", "resource", "with"],
    ),
    (
        Location,
        "location",
        &["location", "facility", "office", "site", "department", "place", "clinic", "service location"],
    ),
    (
        VisitType,
        "visit_type",
        &[
            "visit type",
            "appt type",
            "appointment type",
            "type",
            "reason",
            "reason for visit",
            "visit reason",
            "appointment reason",
            "service",
            "description",
        ],
    ),
    (
        ServiceTypes,
        "service_types",
        &["service types", "service type", "service type code", "service type codes", "stc"],
    ),
    (
        Procedures,
        "procedures",
        &[
            "procedures",
            "procedure",
            "cpt",
            "cpt code",
            "cpt codes",
            "procedure code",
            "procedure codes",
            "codes",
            "hcpcs",
        ],
    ),
];

impl Column {
    /// Its name in messages and paths.
    pub(super) fn name(self) -> &'static str {
        COLUMNS.iter().find(|(column, ..)| *column == self).map_or("", |(_, name, _)| name)
    }
}

/// Which column a header means.
pub(super) fn of_header(header: &str) -> Option<Column> {
    let plain: String =
        header.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let plain: Vec<&str> = plain.split_whitespace().collect();
    let plain = plain.join(" ");
    let is = |(_, name, others): &&(Column, &str, &[&str])| {
        name.replace('_', " ") == plain || others.contains(&plain.as_str())
    };
    COLUMNS.iter().find(is).map(|(column, ..)| *column)
}

/// The names that always work, for a message.
pub(super) fn names() -> String {
    COLUMNS.iter().map(|(_, name, _)| *name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_many_systems_are_known() {
        for (header, column) in [
            ("Patient DOB", Born),
            ("APPT_DATE", Date),
            ("Last Name", LastName),
            ("Primary Insurance", Carrier),
            ("Policy #", MemberId),
            ("Chart #", Mrn),
            ("member_id", MemberId),
            ("Provider NPI", Npi),
        ] {
            assert_eq!(of_header(header), Some(column), "{header}");
        }
        assert_eq!(of_header("Zanzibar"), None);
    }

    #[test]
    fn no_header_means_two_columns() {
        let mut seen = std::collections::HashMap::new();
        for (column, name, others) in COLUMNS {
            for header in others.iter().map(|other| (*other).to_owned()).chain([name.replace('_', " ")]) {
                let before = seen.insert(header.clone(), *column);
                assert!(before.is_none_or(|before| before == *column), "{header}");
                assert_eq!(of_header(&header), Some(*column), "{header}");
            }
        }
    }
}
