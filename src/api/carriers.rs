//! `/v1/carriers`: which carriers there are, found by whatever is printed on the card, and what one of them needs.

use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::caller::Authenticated;
use super::problem::Problem;
use crate::carriers::{CredentialScope, Hit};
use crate::gateway::Plane;
use crate::identity::Scope;
use crate::stack::BreakerState;
use crate::vault;

/// Carriers given back at most.
const HITS_MAX: usize = 200;

/// Query of `GET /v1/carriers`.
#[derive(Deserialize)]
pub struct Search {
    /// Name, alias, payer id or plan name; typos are forgiven. Absent: all.
    #[serde(default)]
    q: String,
}

/// Answer of `GET /v1/carriers`.
#[derive(Serialize, JsonSchema)]
pub struct CarrierList {
    /// Best first.
    carriers: Vec<CarrierRow>,
}

/// One carrier in a list.
#[derive(Serialize, JsonSchema)]
pub struct CarrierRow {
    /// Id, name, and what of it matched the search.
    #[serde(flatten)]
    hit: Hit,
    /// Payer ids it is known by.
    payer_ids: Vec<String>,
}

/// One carrier, with what it offers and needs.
#[derive(Serialize, JsonSchema)]
pub struct CarrierView {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Other names.
    aliases: Vec<String>,
    /// Payer ids.
    payer_ids: Vec<String>,
    /// Plan names.
    plan_names: Vec<String>,
    /// The connector that speaks to it.
    connector: String,
    /// Which operations can be asked.
    offers: OffersView,
    /// Whose credential is used: `per_practice` or `gateway`.
    credential: &'static str,
    /// Fields the credential needs, never their values.
    credential_fields: Vec<connector_sdk::CredentialField>,
    /// Whether a credential is stored, and in which state: `missing`, `active`, `suspect`, `verifying`, `disabled`.
    credential_state: &'static str,
    /// What its search form needs.
    form: FormView,
    /// What is left of its budget.
    limits: LimitsView,
    /// `up`; `down`: it failed repeatedly and is left alone for a while; `trying`: the next question shows.
    state: &'static str,
    /// Whether it is closed now, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_until: Option<Timestamp>,
    /// How long answers stay fresh, seconds.
    fresh_for_secs: u64,
}

/// Operations of a carrier.
#[derive(Serialize, JsonSchema)]
pub struct OffersView {
    /// Eligibility questions, with their limits; absent when not offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    eligibility: Option<connector_sdk::EligibilityLimits>,
}

/// Form rules of a carrier.
#[derive(Serialize, JsonSchema)]
pub struct FormView {
    /// Sets of member fields it can search by, best first. Empty: any.
    accepts: Vec<Vec<String>>,
    /// Rules of single fields.
    fields: Vec<FieldView>,
    /// Months back it answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    back_months: Option<u16>,
    /// Months ahead it answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    forward_months: Option<u16>,
}

/// The rule of one field.
#[derive(Serialize, JsonSchema)]
pub struct FieldView {
    /// Field of the member.
    field: String,
    /// Pattern the whole value must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    /// What to tell the person who types it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

/// A carrier's budget.
#[derive(Serialize, JsonSchema)]
pub struct LimitsView {
    /// Requests a minute.
    requests_per_minute: u32,
    /// Left now.
    remaining: u32,
    /// Seconds until the budget is whole again.
    reset_secs: u64,
}

/// `GET /v1/carriers?q=`
pub async fn search(
    State(app): State<App>,
    caller: Authenticated,
    Query(search): Query<Search>,
) -> Result<Json<CarrierList>, Problem> {
    caller.need(Scope::Carriers)?;
    let found = app.gateway.planes().book().snapshot();
    let carriers = found.search(&search.q, HITS_MAX).into_iter().filter_map(|hit| {
        let carrier = found.carriers.get(&hit.id)?;
        Some(CarrierRow { payer_ids: carrier.payer_ids.clone(), hit })
    });
    Ok(Json(CarrierList { carriers: carriers.collect() }))
}

/// `GET /v1/carriers/{id}`
pub async fn one(
    State(app): State<App>,
    caller: Authenticated,
    Path(id): Path<String>,
) -> Result<Json<CarrierView>, Problem> {
    caller.need(Scope::Carriers)?;
    let plane =
        app.gateway.planes().get(&id).ok_or_else(|| {
            Problem::not_found("There is no carrier with this id; GET /v1/carriers?q= finds it by name.")
        })?;
    let owner = vault::owner(caller.0.practice(), &plane.carrier);
    let state = app.vault.info(&owner, &id).map_or("missing", |info| info.state.word());
    Ok(Json(view(&plane, caller.0.practice(), state)))
}

fn view(plane: &Plane, practice: &crate::practice::PracticeId, credential_state: &'static str) -> CarrierView {
    let carrier = &plane.carrier;
    let budget = plane.wire.budget(practice);
    CarrierView {
        id: carrier.id.clone(),
        name: carrier.name.clone(),
        aliases: carrier.aliases.clone(),
        payer_ids: carrier.payer_ids.clone(),
        plan_names: carrier.plan_names.clone(),
        connector: carrier.registration.name.to_owned(),
        offers: OffersView { eligibility: carrier.eligibility_limits() },
        credential: match carrier.credential {
            CredentialScope::PerPractice => "per_practice",
            CredentialScope::Gateway => "gateway",
        },
        credential_fields: carrier.connector.credential_fields(),
        credential_state,
        form: FormView {
            accepts: carrier.form.accepts.clone(),
            fields: carrier
                .form
                .fields
                .iter()
                .map(|rule| FieldView {
                    field: rule.field.clone(),
                    pattern: rule.pattern_text.clone(),
                    help: rule.help.clone(),
                })
                .collect(),
            back_months: carrier.form.service_date.back_months,
            forward_months: carrier.form.service_date.forward_months,
        },
        limits: LimitsView {
            requests_per_minute: budget.limit_per_minute,
            remaining: budget.remaining,
            reset_secs: budget.reset_secs,
        },
        state: match plane.circuit() {
            BreakerState::Closed => "up",
            BreakerState::Open => "down",
            BreakerState::Probation => "trying",
        },
        closed_until: carrier.hours.closed_until(Timestamp::now()),
        fresh_for_secs: carrier.cache.eligibility.as_secs(),
    }
}
