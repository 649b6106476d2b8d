//! What was typed is kept beside its question, sealed in the paper trail: a refused question is mended without typing
//! anything again, and the tries at one question stay together. A question that came another way, from a batch or a
//! program, is shown from what its own record commits to.

use connector_sdk::Error;
use connector_sdk::ask::{Dependent, Member, Service};
use serde::Deserialize;
use serde_json::{Value, json};

use super::form::{self, NAMES};
use crate::api::App;
use crate::pages::fault::Fault;
use crate::pages::fields::Fields;
use crate::pages::visit::Visit;
use crate::practice::PracticeId;
use crate::store::StoreError;
use crate::trail::{Detail, Detailed, Search, TrailRecord, Use};

/// Records of a question that are looked at for what was typed: it stands among the first.
const LOOKED_AT: u32 = 40;
/// Tries that are kept together at most.
const TRIES_MAX: usize = 20;
/// Longest text kept of a field, characters.
const TEXT_MAX: usize = 200;
const TYPED: &str = "eligibility.typed";

/// What was typed for a question.
#[derive(Default)]
pub struct Typed {
    /// The form.
    pub fields: Fields,
    /// Earlier tries at the same question, the first one first: ids of questions.
    pub before: Vec<String>,
}

/// What a question's own record commits to.
#[derive(Deserialize)]
struct Asked {
    patient: People,
    #[serde(default)]
    service: Service,
    provider_npi: String,
}

#[derive(Deserialize)]
struct People {
    member: Member,
    dependent: Option<Dependent>,
}

/// Keeps what was typed for the question `id`; `before` are the earlier tries.
pub async fn keep(visit: &Visit, id: &str, carrier: &str, fields: &Fields, before: &[String]) -> Result<(), Fault> {
    let mut typed: Vec<Value> = Vec::new();
    for name in NAMES {
        for value in fields.all(name).filter(|value| !value.is_empty()) {
            typed.push(json!([name, value.chars().take(TEXT_MAX).collect::<String>()]));
        }
    }
    let before: Vec<&String> = before.iter().rev().take(TRIES_MAX).rev().collect();
    let detail = Detail::default().say("typed", typed).say("before", json!(before));
    let record = TrailRecord::new(visit.caller.practice(), &visit.caller.actor(), TYPED)
        .carrier(carrier)
        .purpose(Use::Payment)
        .ask(id)
        .detail(detail);
    visit.app.trail.record(record).await?;
    Ok(())
}

/// What was typed, or else sent, for a question of the practice; `None` where nothing of it is known any more. **The
/// caller records that the question is read.**
pub async fn of(app: &App, practice: &PracticeId, id: &str, carrier: &str) -> Result<Option<Typed>, StoreError> {
    let search = Search { ask: Some(id.to_owned()), ..Search::default() };
    let records = app.trail.search(practice, &search, LOOKED_AT).await?;
    if let Some(record) = records.iter().find(|record| record.entry.action == TYPED) {
        return Ok(typed(record));
    }
    let asked = records.iter().find(|record| record.entry.action == "eligibility.answered");
    Ok(asked.and_then(|record| sent(record, carrier)))
}

fn typed(record: &Detailed) -> Option<Typed> {
    let said = record.said();
    let pairs: Vec<(String, String)> = serde_json::from_value(said["typed"].clone()).ok()?;
    let mut fields = Fields::default();
    for (name, value) in pairs {
        fields.add(&name, value);
    }
    Some(Typed { fields, before: serde_json::from_value(said["before"].clone()).unwrap_or_default() })
}

fn sent(record: &Detailed, carrier: &str) -> Option<Typed> {
    let asked: Asked = serde_json::from_value(record.said()).ok()?;
    let mut fields = Fields::of([("carrier", carrier.to_owned()), ("provider.npi", asked.provider_npi)]);
    form::people(&mut fields, &asked.patient.member, asked.patient.dependent.as_ref());
    form::service(&mut fields, &asked.service);
    Some(Typed { fields, before: Vec::new() })
}

/// The tries before a new one: those of the question that it mends, and that one. A try that is no question of this
/// practice counts for nothing.
pub async fn tries(visit: &Visit, last: &str) -> Result<Vec<String>, Fault> {
    if last.is_empty() {
        return Ok(Vec::new());
    }
    let known = visit.app.trail.get(visit.caller.practice(), last).await.map_err(Error::from)?;
    let Some(known) = known else { return Ok(Vec::new()) };
    let mut before = of(&visit.app, visit.caller.practice(), last, &known.carrier).await?.unwrap_or_default().before;
    before.push(last.to_owned());
    Ok(before)
}
