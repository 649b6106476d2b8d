//! Asking the carriers about a day: one batch of those that are not fresh.

use std::collections::HashMap;

use connector_sdk::EligibilityRequest;
use connector_sdk::ask::{FieldProblem, Lane, Provider, Service};
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use super::Schedule;
use super::day::Case;
use super::places::Only;
use crate::batches::{Handed, Item, NotMade};
use crate::gateway::NotAsked;
use crate::identity::{Caller, Declined};
use crate::store::schedule as rows;
use crate::trail::{TrailRecord, Use};

/// Asked about where an appointment names no service: the plan as a whole, and an office visit.
const USUAL: [&str; 2] = ["30", "98"];

/// What was started.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Verified {
    /// The batch; absent where there was nothing to ask.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// How many appointments are asked about.
    pub asked: usize,
    /// How many need not be: their word is fresh.
    pub fresh: usize,
    /// How many were being asked about already.
    pub under_way: usize,
    /// Those that cannot be asked about, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_askable: Vec<NotAskable>,
}

/// An appointment that cannot be asked about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotAskable {
    /// The appointment.
    pub id: String,
    /// What is missing or wrong, as in a question.
    pub problems: Vec<FieldProblem>,
}

impl Schedule {
    /// Makes one batch of a day's appointments: of those in `ids`, fresh or not; without `ids`, of those that `only` means
    /// and that are not fresh. Appointments that are being asked about are left alone, however often this is called.
    ///
    /// # Errors
    /// What the batches or the store say; nothing is asked then.
    pub async fn verify(
        &self,
        caller: &Caller,
        date: Date,
        ids: Option<&[String]>,
        only: &Only,
    ) -> Result<Verified, NotMade> {
        let practice = caller.practice();
        let gate = self.gate(practice);
        let _one_at_a_time = gate.lock().await;
        let mut day = self.cases(practice, date).await?;
        self.narrow(practice, &mut day, only)?;
        let cases = day.cases;
        let npi = match self.rooms.identity.practice(practice).await {
            Ok(profile) => profile.npis.into_iter().next().map(|npi| npi.npi),
            Err(Declined::Store(error)) => return Err(error.into()),
            Err(_) => None,
        };
        let mut done = Verified { batch: None, asked: 0, fresh: 0, under_way: 0, not_askable: Vec::new() };
        let mut items: Vec<Item> = Vec::new();
        // Two appointments of one patient that ask the same are asked about once.
        let mut numbers: HashMap<Vec<u8>, i64> = HashMap::new();
        let mut remembered: Vec<(String, i64)> = Vec::new();
        for case in cases.iter().filter(|case| !case.vanished()) {
            let chosen = ids.map(|ids| ids.contains(&case.row.id));
            if chosen == Some(false) {
                continue;
            }
            if case.status.under_way {
                done.under_way += 1;
                continue;
            }
            if case.status.fresh && chosen.is_none() {
                done.fresh += 1;
                continue;
            }
            match self.question(case, date, npi.as_deref()) {
                Ok(ask) => {
                    let key = serde_json::to_vec(&ask).unwrap_or_default();
                    let number = *numbers.entry(key).or_insert_with(|| {
                        items.push(Item { reference: Some(case.row.id.clone()), ask });
                        i64::try_from(items.len()).unwrap_or(i64::MAX)
                    });
                    remembered.push((case.row.id.clone(), number));
                }
                Err(problems) => done.not_askable.push(NotAskable { id: case.row.id.clone(), problems }),
            }
        }
        done.asked = remembered.len();
        if items.is_empty() {
            return Ok(done);
        }
        let key = format!("schedule {}", Uuid::now_v7());
        let content = serde_json::to_vec(&remembered).unwrap_or_default();
        let name = Some(format!("Schedule of {date}"));
        let handed = Handed { key: &key, content: &[b"schedule", &content], name, items, left_out: 0 };
        let batch = self.rooms.batches.make(caller, handed).await?;
        let record =
            TrailRecord::new(practice, &caller.actor(), "schedule.verified").purpose(Use::Payment).subject(&batch);
        let record = self.rooms.trail.link(record);
        rows::verifies(&self.rooms.store, practice, &date.to_string(), &batch, remembered, record).await?;
        done.batch = Some(batch);
        Ok(done)
    }

    /// The question about an appointment, checked against its carrier. A carrier that answers for no day to come is asked
    /// about today.
    fn question(&self, case: &Case, date: Date, npi: Option<&str>) -> Result<EligibilityRequest, Vec<FieldProblem>> {
        let one = |path: &str, message: &str| vec![FieldProblem::new(path, message)];
        let Some(carrier) = &case.carrier else {
            return Err(one("/carrier", "Nobody here knows this carrier's name: choose the carrier at the patient."));
        };
        let Some(npi) = case.visit.provider_npi.as_deref().or(npi) else {
            return Err(one("/provider/npi", "No NPI: neither the appointment nor the practice's profile has one."));
        };
        let none = crate::patients::PatientCoverage::default();
        let (member, dependent) = case.patient.patient.asked_as(case.coverage().unwrap_or(&none));
        let plane = self.rooms.gateway.planes().get(carrier);
        let limits = plane.as_ref().and_then(|plane| plane.carrier.eligibility_limits());
        let by_itself = limits.as_ref().is_some_and(|limits| !limits.dependents);
        let (member, dependent) = match dependent {
            Some(dependent) if by_itself => {
                // This carrier knows every patient as a member.
                let mut own = member;
                own.first_name = Some(dependent.first_name);
                own.last_name = Some(dependent.last_name);
                own.date_of_birth = Some(dependent.date_of_birth);
                own.sex = dependent.sex;
                (own, None)
            }
            dependent => (member, dependent),
        };
        let most = limits.map_or(1, |limits| usize::from(limits.service_types_max));
        let types = match case.visit.service_types.as_slice() {
            [] => USUAL.iter().take(most).map(|code| (*code).to_owned()).collect(),
            named => named.iter().take(most).cloned().collect(),
        };
        let mut ask = EligibilityRequest {
            carrier: carrier.clone(),
            provider: Provider { npi: npi.to_owned(), tax_id: None, name: None, taxonomy: None },
            member,
            dependent,
            service: Service { date: Some(date), types, ..Service::default() },
            // It was found not to be fresh: what an earlier question left behind will not do.
            max_age_secs: Some(0),
            lane: Lane::Background,
        };
        match self.rooms.gateway.check(&ask) {
            Err(NotAsked::Problems(problems)) if problems.iter().all(|problem| problem.path == "/service/date") => {
                ask.service.date = None;
                self.rooms.gateway.check(&ask).map_err(problems_of)?;
                Ok(ask)
            }
            Err(not_asked) => Err(problems_of(not_asked)),
            Ok(()) => Ok(ask),
        }
    }
}

fn problems_of(not_asked: NotAsked) -> Vec<FieldProblem> {
    match not_asked {
        NotAsked::Problems(problems) => problems,
        NotAsked::Error(error) => vec![FieldProblem::new("/carrier", error.message)],
    }
}
