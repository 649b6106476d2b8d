//! One value of a patient put in place of another: where the carrier's file differs, and a person says that the carrier is
//! right.

use connector_sdk::Phi;
use connector_sdk::ask::Sex;

use super::Patient;

impl Patient {
    /// What stands here for a field of the question, as text: `member.last_name`, `dependent.date_of_birth`. `None` where
    /// nothing does, or where the field is not one of a patient.
    pub fn known(&self, carrier: &str, field: &str) -> Option<String> {
        let coverage = self.coverage(Some(carrier));
        let text = |phi: &Option<Phi<String>>| phi.as_ref().map(|text| text.text().to_owned());
        let sex = |sex: Option<Sex>| sex.and_then(|sex| Some(serde_json::to_value(sex).ok()?.as_str()?.to_owned()));
        let own = match self.place(carrier, field)? {
            Place::Coverage("member_id") => return text(&coverage?.member_id),
            Place::Coverage(_) => return text(&coverage?.group_number),
            Place::Subscriber(own) => {
                let subscriber = coverage?.subscriber.as_ref()?;
                return match own {
                    "first_name" => text(&subscriber.first_name),
                    "last_name" => text(&subscriber.last_name),
                    "date_of_birth" => subscriber.date_of_birth.as_ref().map(|date| date.expose().to_string()),
                    _ => sex(subscriber.sex),
                };
            }
            Place::Own(own) => own,
        };
        match own {
            "first_name" => Some(self.first_name.text().to_owned()),
            "last_name" => Some(self.last_name.text().to_owned()),
            "date_of_birth" => Some(self.date_of_birth.expose().to_string()),
            _ => sex(self.sex),
        }
    }

    /// The same patient with `value` in this field; `None` where the field is not one of a patient, or the value cannot
    /// stand in it. What else is wrong with it, [`Patient::problems`] says.
    pub fn with(&self, carrier: &str, field: &str, value: &str) -> Option<Self> {
        let mut new = self.clone();
        let text = || Some(Phi::new(value.trim().to_owned()));
        let day = || value.trim().parse().ok().map(Phi::new);
        let place = self.place(carrier, field)?;
        if let Place::Own(own) = place {
            match own {
                "first_name" => new.first_name = text()?,
                "last_name" => new.last_name = text()?,
                "date_of_birth" => new.date_of_birth = day()?,
                _ => new.sex = Some(sex_of(value)?),
            }
            return Some(new);
        }
        let coverage = new.coverages.iter_mut().find(|one| one.carrier.as_deref() == Some(carrier))?;
        match place {
            Place::Coverage("member_id") => coverage.member_id = text(),
            Place::Coverage(_) => coverage.group_number = text(),
            Place::Subscriber(own) => {
                let subscriber = coverage.subscriber.get_or_insert_default();
                match own {
                    "first_name" => subscriber.first_name = text(),
                    "last_name" => subscriber.last_name = text(),
                    "date_of_birth" => subscriber.date_of_birth = Some(day()?),
                    _ => subscriber.sex = Some(sex_of(value)?),
                }
            }
            Place::Own(_) => {}
        }
        Some(new)
    }

    /// Where a field of the question stands in a patient.
    fn place<'f>(&self, carrier: &str, field: &'f str) -> Option<Place<'f>> {
        let (whose, own) = field.split_once('.')?;
        let person = matches!(own, "first_name" | "last_name" | "date_of_birth" | "sex");
        let coverage = self.coverage(Some(carrier));
        let relative = coverage.is_some_and(|coverage| coverage.relationship.is_some());
        match whose {
            "member" if matches!(own, "member_id" | "group_number") => coverage.map(|_| Place::Coverage(own)),
            "member" if person && relative => Some(Place::Subscriber(own)),
            "member" if person => Some(Place::Own(own)),
            "dependent" if person => Some(Place::Own(own)),
            _ => None,
        }
    }
}

enum Place<'f> {
    /// Of the patient.
    Own(&'f str),
    /// Of the subscriber who is somebody else.
    Subscriber(&'f str),
    /// Of the coverage.
    Coverage(&'f str),
}

fn sex_of(word: &str) -> Option<Sex> {
    match word.trim().to_ascii_lowercase().as_str() {
        "f" | "female" => Some(Sex::Female),
        "m" | "male" => Some(Sex::Male),
        "u" | "unknown" => Some(Sex::Unknown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use connector_sdk::ask::Relationship;

    use super::super::person::tests::patient;

    #[test]
    fn a_value_goes_where_the_question_came_from() {
        let own = patient("Ada", "Zanzibar", "1980-02-01", "northstar", "W100");
        let new = own.with("northstar", "member.last_name", "ZANZIBAR-HILL").unwrap();
        assert_eq!(new.known("northstar", "member.last_name").as_deref(), Some("ZANZIBAR-HILL"));
        let new = new.with("northstar", "member.member_id", " W101 ").unwrap();
        assert_eq!(new.known("northstar", "member.member_id").as_deref(), Some("W101"));
        assert_eq!(new.first_name, own.first_name, "nothing else is touched");
        let new = new.with("northstar", "member.sex", "F").unwrap();
        assert_eq!(new.known("northstar", "member.sex").as_deref(), Some("female"));
        for (carrier, field, value) in [
            ("northstar", "member.date_of_birth", "31 Feb"),
            ("other", "member.member_id", "W1"),
            ("northstar", "member.phone", "555"),
            ("northstar", "sex", "F"),
        ] {
            assert!(own.with(carrier, field, value).is_none(), "{carrier} {field}");
        }
    }

    #[test]
    fn of_a_dependent_the_subscriber_is_somebody_else() {
        let mut child = patient("Milo", "Zanzibar", "2015-09-30", "northstar", "W100");
        child.coverages[0].relationship = Some(Relationship::Child);
        let new = child.with("northstar", "member.first_name", "ADA").unwrap();
        assert_eq!(new.first_name, child.first_name);
        assert_eq!(new.known("northstar", "member.first_name").as_deref(), Some("ADA"));
        let new = new.with("northstar", "dependent.date_of_birth", "2015-09-03").unwrap();
        assert_eq!(new.date_of_birth.expose().to_string(), "2015-09-03");
    }
}
