//! A FHIR R4 Bundle of Appointment resources, with the Patient, Coverage, Organization, Practitioner and Location
//! resources they refer to where the bundle has them (hl7.org/fhir/R4/appointment.html, coverage.html, bundle.html).

use std::collections::HashMap;

use connector_sdk::Phi;
use connector_sdk::ask::{FieldProblem, check_npi};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::Value;

use super::ROWS_MAX;
use super::cells;
use super::table::Setting;
use super::visit::{Booked, ReadFile, TEXT_MAX, Visit};
use crate::patients::{Patient, PatientCoverage, Subscriber, dates};

/// Entries of a bundle at most.
const ENTRIES_MAX: usize = 10 * ROWS_MAX;
const NPI_SYSTEM: &str = "http://hl7.org/fhir/sid/us-npi";

/// Reads a bundle. Times are turned to `zone`, the practice's.
pub(super) fn read(body: &[u8], zone: &TimeZone, setting: &Setting<'_>) -> ReadFile {
    let none = |path: &str, message: &str| ReadFile::none(vec![FieldProblem::new(path, message)]);
    let Ok(bundle) = serde_json::from_slice::<Value>(body) else { return none("/", "This is not JSON.") };
    if bundle["resourceType"] != "Bundle" {
        return none("/resourceType", "Send a FHIR R4 Bundle with Appointment resources in it.");
    }
    let empty = Vec::new();
    let entries = bundle["entry"].as_array().unwrap_or(&empty);
    let appointments =
        || entries.iter().enumerate().filter(|(_, entry)| entry["resource"]["resourceType"] == "Appointment");
    if entries.len() > ENTRIES_MAX || appointments().count() > ROWS_MAX {
        return none("/entry", "The bundle has too many entries; import it in parts.");
    }
    if appointments().count() == 0 {
        return none("/entry", "The bundle has no Appointment.");
    }
    let known = Known::of(entries);
    let mut file = ReadFile::default();
    for (place, entry) in appointments() {
        let appointment = &entry["resource"];
        if matches!(
            text(&appointment["status"]),
            Some("cancelled" | "noshow" | "entered-in-error" | "proposed" | "waitlist")
        ) {
            file.cancelled += 1;
            continue;
        }
        let mut one = One { at: format!("/entry/{place}/resource"), known: &known, appointment, problems: Vec::new() };
        match one.booked(zone, setting) {
            Some(booked) if one.problems.is_empty() => file.booked.push(booked),
            _ => file.bad(one.problems),
        }
    }
    file
}

/// The bundle's resources by what refers to them.
struct Known<'a> {
    by_reference: HashMap<String, &'a Value>,
    coverages: Vec<&'a Value>,
}

impl<'a> Known<'a> {
    fn of(entries: &'a [Value]) -> Self {
        let mut by_reference = HashMap::new();
        let mut coverages = Vec::new();
        for entry in entries {
            let resource = &entry["resource"];
            if let Some(url) = text(&entry["fullUrl"]) {
                by_reference.insert(url.to_owned(), resource);
            }
            if let (Some(kind), Some(id)) = (text(&resource["resourceType"]), text(&resource["id"])) {
                by_reference.insert(format!("{kind}/{id}"), resource);
                if kind == "Coverage" && !matches!(text(&resource["status"]), Some("cancelled" | "entered-in-error")) {
                    coverages.push(resource);
                }
            }
        }
        coverages.sort_by_key(|coverage| coverage["order"].as_u64().unwrap_or(u64::MAX));
        Self { by_reference, coverages }
    }

    /// What a reference leads to; one to a place elsewhere (`https://…/Patient/1`) is followed by its end.
    fn get(&self, reference: &Value) -> Option<&'a Value> {
        let reference = text(&reference["reference"])?;
        if let Some(found) = self.by_reference.get(reference) {
            return Some(found);
        }
        let mut steps = reference.rsplit('/');
        let (id, kind) = (steps.next()?, steps.next()?);
        self.by_reference.get(&format!("{kind}/{id}")).copied()
    }

    fn same(&self, one: &Value, other: &Value) -> bool {
        match (self.get(one), self.get(other)) {
            (Some(one), Some(other)) => std::ptr::eq(one, other),
            _ => one["reference"].is_string() && one["reference"] == other["reference"],
        }
    }
}

/// One appointment on its way.
struct One<'a> {
    at: String,
    known: &'a Known<'a>,
    appointment: &'a Value,
    problems: Vec<FieldProblem>,
}

impl One<'_> {
    fn booked(&mut self, zone: &TimeZone, setting: &Setting<'_>) -> Option<Booked> {
        let begins = text(&self.appointment["start"]).and_then(|start| start.parse::<Timestamp>().ok());
        if begins.is_none() {
            self.problem("/start", "Give start as an instant, such as 2026-11-24T08:20:00-08:00.");
        }
        let patient = self.patient(setting);
        let begins = begins?.to_zoned(zone.clone());
        let identifier = self.appointment["identifier"].as_array().and_then(|all| all.first());
        let key = identifier.and_then(|one| text(&one["value"])).or(text(&self.appointment["id"]));
        let (patient, reference) = patient?;
        let coverages = self.coverages(&reference, setting);
        let mut visit = self.visit(begins.time());
        if let Some(first) = coverages.first() {
            visit.carrier = first.carrier.clone();
            visit.carrier_as_written = first.as_written.clone();
        }
        let patient = Patient { coverages, ..patient };
        for problem in patient.problems("", setting.today) {
            self.problem(
                "/participant",
                &format!("The patient's {}: {}", problem.path.trim_start_matches('/'), problem.message),
            );
        }
        Some(Booked { date: begins.date(), key: key.map(cut), visit, patient })
    }

    fn actors(&self, kind: &str) -> Vec<&Value> {
        let empty = Vec::new();
        let participants = self.appointment["participant"].as_array().unwrap_or(&empty);
        let is = |actor: &&Value| match self.known.get(actor) {
            Some(resource) => resource["resourceType"] == kind,
            None => text(&actor["reference"]).is_some_and(|text| text.rsplit('/').nth(1) == Some(kind)),
        };
        // The appointment outlives this call: what is collected points into it.
        let actors: Vec<usize> = (0..participants.len()).filter(|place| is(&&participants[*place]["actor"])).collect();
        actors.into_iter().map(|place| &self.appointment["participant"][place]["actor"]).collect()
    }

    fn patient(&mut self, setting: &Setting<'_>) -> Option<(Patient, Value)> {
        let _ = setting;
        let Some(reference) = self.actors("Patient").first().map(|actor| (*actor).clone()) else {
            self.problem("/participant", "No participant is a Patient.");
            return None;
        };
        let Some(resource) = self.known.get(&reference) else {
            self.problem("/participant", "The Patient is not in the bundle; put it in (_include=Appointment:patient).");
            return None;
        };
        let names = resource["name"].as_array();
        let name = names.and_then(|all| all.iter().find(|name| name["use"] == "official").or(all.first()))?;
        let given = name["given"].as_array().and_then(|all| all.first()).and_then(text).unwrap_or_default();
        let born = text(&resource["birthDate"]).map(dates::read);
        let Some(Ok(born)) = born else {
            self.problem("/participant", "The Patient has no whole birthDate (YYYY-MM-DD).");
            return None;
        };
        let (last, late) = cells::without_suffix(text(&name["family"]).unwrap_or_default());
        let suffix = name["suffix"].as_array().and_then(|all| all.first()).and_then(text).map(str::to_owned);
        let phone = resource["telecom"]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["system"] == "phone").and_then(|one| text(&one["value"])));
        let number = resource["identifier"].as_array().and_then(|all| {
            let is_mrn = |one: &&Value| {
                one["type"]["coding"].as_array().is_some_and(|codes| codes.iter().any(|code| code["code"] == "MR"))
            };
            all.iter().find(is_mrn).and_then(|one| text(&one["value"]))
        });
        let patient = Patient {
            first_name: Phi::new(given.to_owned()),
            last_name: Phi::new(last),
            suffix: suffix.or(late).map(Phi::new),
            date_of_birth: Phi::new(born),
            sex: text(&resource["gender"]).and_then(|gender| cells::sex(gender).ok()),
            phone: phone.map(|phone| Phi::new(phone.to_owned())),
            mrn: number.map(|number| Phi::new(number.to_owned())),
            coverages: Vec::new(),
        };
        Some((patient, reference))
    }

    fn coverages(&mut self, patient: &Value, setting: &Setting<'_>) -> Vec<PatientCoverage> {
        let known = self.known;
        let own = known.coverages.iter().filter(|coverage| known.same(&coverage["beneficiary"], patient));
        own.take(crate::patients::COVERAGES_MAX).map(|coverage| self.coverage(coverage, setting)).collect()
    }

    fn coverage(&self, coverage: &Value, setting: &Setting<'_>) -> PatientCoverage {
        let payor = &coverage["payor"][0];
        let organization = self.known.get(payor);
        let name = organization.and_then(|one| text(&one["name"])).or(text(&payor["display"]));
        let numbers = organization.and_then(|one| one["identifier"].as_array()).into_iter().flatten();
        let by_number = || numbers.filter_map(|one| text(&one["value"])).find_map(setting.carriers);
        let relationship = coverage["relationship"]["coding"].as_array().into_iter().flatten();
        let relationship = relationship
            .filter_map(|code| text(&code["code"]))
            .find_map(|code| cells::relationship(code).ok())
            .flatten();
        let group = coverage["class"].as_array().into_iter().flatten().find(|class| {
            class["type"]["coding"].as_array().is_some_and(|codes| codes.iter().any(|code| code["code"] == "group"))
        });
        let subscriber = relationship.and_then(|_| self.known.get(&coverage["subscriber"])).map(|person| Subscriber {
            first_name: text(&person["name"][0]["given"][0]).map(|name| Phi::new(name.to_owned())),
            last_name: text(&person["name"][0]["family"]).map(|name| Phi::new(name.to_owned())),
            date_of_birth: text(&person["birthDate"]).and_then(|born| dates::read(born).ok()).map(Phi::new),
            sex: text(&person["gender"]).and_then(|gender| cells::sex(gender).ok()),
        });
        PatientCoverage {
            carrier: name.and_then(setting.carriers).or_else(by_number),
            as_written: Some(cut(name.unwrap_or("not named"))),
            member_id: text(&coverage["subscriberId"]).map(|id| Phi::new(id.to_owned())),
            group_number: group.and_then(|class| text(&class["value"])).map(|value| Phi::new(value.to_owned())),
            relationship,
            subscriber,
        }
    }

    fn visit(&mut self, time: civil::Time) -> Visit {
        let practitioner = self.actors("Practitioner").first().map(|actor| (*actor).clone());
        let doctor = practitioner.as_ref().and_then(|actor| self.known.get(actor));
        let npi = doctor.and_then(|doctor| doctor["identifier"].as_array()).and_then(|all| {
            all.iter().find(|one| one["system"] == NPI_SYSTEM).and_then(|one| text(&one["value"])).map(str::to_owned)
        });
        if let Some(Err(message)) = npi.as_deref().map(check_npi) {
            self.problem("/participant", message);
        }
        let name = |person: &Value| {
            let name = &person["name"][0];
            text(&name["text"])
                .map(str::to_owned)
                .or_else(|| Some(format!("{} {}", text(&name["given"][0])?, text(&name["family"])?)))
        };
        let provider = doctor
            .and_then(name)
            .or_else(|| practitioner.as_ref().and_then(|actor| text(&actor["display"])).map(str::to_owned));
        let place = self.actors("Location").first().and_then(|actor| {
            self.known.get(actor).and_then(|place| text(&place["name"])).or(text(&actor["display"])).map(cut)
        });
        let words =
            |concept: &Value| text(&concept["text"]).or(text(&concept["coding"][0]["display"])).map(str::to_owned);
        let kind = words(&self.appointment["serviceType"][0])
            .or_else(|| words(&self.appointment["appointmentType"]))
            .or_else(|| text(&self.appointment["description"]).map(str::to_owned));
        Visit {
            time: Some(time),
            visit_type: kind.map(|kind| Phi::new(cut(&kind))),
            provider_npi: npi,
            provider: provider.map(|name| cut(&name)),
            location: place,
            ..Visit::default()
        }
    }

    fn problem(&mut self, under: &str, message: &str) {
        self.problems.push(FieldProblem::new(format!("{}{under}", self.at), message));
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// One line of bounded length.
fn cut(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn carriers(text: &str) -> Option<String> {
        (text == "Northstar Health" || text == "NSH01").then(|| "northstar".to_owned())
    }

    fn read(bundle: &Value) -> ReadFile {
        let setting = Setting { date: None, today: civil::date(2026, 11, 23), carriers: &carriers };
        let zone = TimeZone::get("America/Los_Angeles").unwrap();
        super::read(bundle.to_string().as_bytes(), &zone, &setting)
    }

    fn bundle() -> Value {
        json!({ "resourceType": "Bundle", "type": "searchset", "entry": [
            { "resource": { "resourceType": "Appointment", "id": "a1", "status": "booked",
                "start": "2026-11-24T16:20:00Z", "appointmentType": { "text": "New patient" },
                "participant": [
                    { "actor": { "reference": "Patient/p1" }, "status": "accepted" },
                    { "actor": { "reference": "https://ehr.example/fhir/Practitioner/d1" }, "status": "accepted" },
                    { "actor": { "reference": "Location/l1", "display": "Main St" }, "status": "accepted" }] } },
            { "fullUrl": "urn:uuid:1", "resource": { "resourceType": "Patient", "id": "p1", "gender": "female",
                "name": [{ "family": "Lindqvist", "given": ["Ingrid", "M"] }], "birthDate": "1987-01-17",
                "identifier": [{ "type": { "coding": [{ "code": "MR" }] }, "value": "M-7" }],
                "telecom": [{ "system": "phone", "value": "503-555-0142" }] } },
            { "resource": { "resourceType": "Patient", "id": "p2", "birthDate": "1985-06-02",
                "name": [{ "family": "Lindqvist", "given": ["Sven"] }] } },
            { "resource": { "resourceType": "Coverage", "id": "c1", "status": "active", "subscriberId": "NSH-1",
                "beneficiary": { "reference": "urn:uuid:1" }, "subscriber": { "reference": "Patient/p2" },
                "relationship": { "coding": [{ "code": "spouse" }] }, "payor": [{ "reference": "Organization/o1" }],
                "class": [{ "type": { "coding": [{ "code": "group" }] }, "value": "0071443" }] } },
            { "resource": { "resourceType": "Organization", "id": "o1", "name": "Northstar Health" } },
            { "resource": { "resourceType": "Practitioner", "id": "d1",
                "name": [{ "family": "Rao", "given": ["Anil"] }],
                "identifier": [{ "system": NPI_SYSTEM, "value": "1234567893" }] } },
            { "resource": { "resourceType": "Appointment", "id": "a2", "status": "cancelled" } }] })
    }

    #[test]
    fn an_appointment_with_everything_it_refers_to() {
        let file = read(&bundle());
        assert_eq!((file.booked.len(), file.cancelled, file.count), (1, 1, 0), "{:?}", file.problems);
        let booked = &file.booked[0];
        assert_eq!((booked.date.to_string().as_str(), booked.key.as_deref()), ("2026-11-24", Some("a1")));
        // 16:20 in UTC is 8:20 in California in winter.
        assert_eq!(booked.visit.time, Some(civil::time(8, 20, 0, 0)));
        assert_eq!(
            (booked.visit.provider.as_deref(), booked.visit.location.as_deref()),
            (Some("Anil Rao"), Some("Main St"))
        );
        let coverage = &booked.patient.coverages[0];
        assert_eq!((coverage.carrier.as_deref(), coverage.subscriber.is_some()), (Some("northstar"), true));
        assert_eq!(booked.patient.mrn.as_ref().unwrap().text(), "M-7");
    }

    #[test]
    fn what_is_missing_is_told_where() {
        let mut bad = bundle();
        bad["entry"][0]["resource"]["start"] = json!("tomorrow");
        bad["entry"][1]["resource"]["birthDate"] = json!("1987");
        let file = read(&bad);
        let paths: Vec<_> = file.problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(paths, ["/entry/0/resource/start", "/entry/0/resource/participant"]);
        for wrong in [json!([]), json!({ "resourceType": "Patient" }), json!({ "resourceType": "Bundle" })] {
            assert_eq!(read(&wrong).count, 1);
        }
    }
}
