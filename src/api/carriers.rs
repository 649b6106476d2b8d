//! `/v1/carriers`: which carriers there are, found by whatever is printed on the card, and what one of them needs.

use axum::Json;
use axum::extract::{Path, Query, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::App;
use super::caller::Authenticated;
use super::problem::Problem;
use crate::carriers::{ClosedWindow, CredentialScope, Hit};
use crate::gateway::Plane;
use crate::identity::Scope;
use crate::stack::BreakerState;
use crate::vault::{self, CredentialInfo};

/// Carriers given back at most.
const HITS_MAX: usize = 200;

/// Query of `GET /v1/carriers`.
#[derive(Deserialize)]
pub struct Search {
    /// Name, alias, payer id or plan name; typos are forgiven. Absent: all.
    #[serde(default)]
    pub q: String,
}

/// Answer of `GET /v1/carriers`.
#[derive(Serialize, JsonSchema)]
pub struct CarrierList {
    /// Best first.
    pub carriers: Vec<CarrierRow>,
}

/// One carrier in a list.
#[derive(Serialize, JsonSchema)]
pub struct CarrierRow {
    /// Id, name, and what of it matched the search.
    #[serde(flatten)]
    pub hit: Hit,
    /// Payer ids it is known by.
    pub payer_ids: Vec<String>,
}

/// One carrier, with what it offers and needs.
#[derive(Serialize, JsonSchema)]
pub struct CarrierView {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Payer ids.
    pub payer_ids: Vec<String>,
    /// Plan names.
    pub plan_names: Vec<String>,
    /// The connector that speaks to it.
    pub connector: String,
    /// What that connector speaks, in a few words.
    pub speaks: &'static str,
    /// Which operations can be asked.
    pub offers: OffersView,
    /// Whose credential is used: `per_practice` or `gateway`.
    pub credential: &'static str,
    /// Fields the credential needs, never their values.
    pub credential_fields: Vec<connector_sdk::CredentialField>,
    /// Whether a credential is stored, and in which state: `missing`, `active`, `suspect`, `verifying`, `disabled`.
    pub credential_state: &'static str,
    /// When the stored credential's values end, where somebody has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_expires_at: Option<Timestamp>,
    /// What its search form needs.
    pub form: FormView,
    /// What is left of its budget.
    pub limits: LimitsView,
    /// `up`; `down`: it failed repeatedly and is left alone for a while; `trying`: the next question shows.
    pub state: &'static str,
    /// Whether it is closed now, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_until: Option<Timestamp>,
    /// When it closes next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_closed: Option<NextClosed>,
    /// When it is closed each week, by its own clock.
    pub closed: Vec<ClosedView>,
    /// Whether somebody of the practice has paused it: then nothing is asked there.
    pub paused: bool,
    /// Whom people call, as its file has it.
    pub support: SupportView,
    /// How long one attempt at a question may last, seconds.
    pub attempt_timeout_secs: u64,
    /// How long a question may last, retries included, seconds.
    pub deadline_secs: u64,
    /// How long answers stay fresh, seconds.
    pub fresh_for_secs: u64,
}

/// When a carrier closes next.
#[derive(Serialize, JsonSchema)]
pub struct NextClosed {
    /// From …
    pub from: Timestamp,
    /// … until.
    pub until: Timestamp,
}

/// Whom people call.
#[derive(Serialize, JsonSchema)]
pub struct SupportView {
    /// The carrier's telephone number for providers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// What to know before calling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A weekly window in which a carrier is closed.
#[derive(Serialize, JsonSchema)]
pub struct ClosedView {
    /// Day on which it begins, Monday = 1; absent: every day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weekday: Option<i8>,
    /// From this minute of the day …
    pub from_minute: u16,
    /// … to this one; smaller where it runs past midnight.
    pub to_minute: u16,
    /// IANA time zone.
    pub zone: String,
}

impl ClosedView {
    fn of(window: &ClosedWindow) -> Self {
        let ClosedWindow { weekday, from_minute, to_minute, zone } = window.clone();
        Self { weekday, from_minute, to_minute, zone }
    }
}

/// Operations of a carrier.
#[derive(Serialize, JsonSchema)]
pub struct OffersView {
    /// Eligibility questions, with their limits; absent when not offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<connector_sdk::EligibilityLimits>,
    /// Whether authorizations can be handed in.
    pub authorizations: bool,
}

/// Form rules of a carrier.
#[derive(Serialize, JsonSchema)]
pub struct FormView {
    /// Sets of member fields it can search by, best first. Empty: any.
    pub accepts: Vec<Vec<String>>,
    /// Rules of single fields.
    pub fields: Vec<FieldView>,
    /// Months back it answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_months: Option<u16>,
    /// Months ahead it answers for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forward_months: Option<u16>,
}

/// The rule of one field.
#[derive(Serialize, JsonSchema)]
pub struct FieldView {
    /// Field of the member.
    pub field: String,
    /// Pattern the whole value must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What to tell the person who types it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// A carrier's budget.
#[derive(Serialize, JsonSchema)]
pub struct LimitsView {
    /// Requests a minute.
    pub requests_per_minute: u32,
    /// Left now.
    pub remaining: u32,
    /// Seconds until the budget is whole again.
    pub reset_secs: u64,
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
    let plane = plane(&app, &id)?;
    let owner = vault::owner(caller.0.practice(), &plane.carrier);
    let login = app.vault.info(&owner, &id);
    let paused = app.gateway.planes().paused(caller.0.practice(), &id).is_some();
    Ok(Json(view(&plane, caller.0.practice(), login.as_ref(), paused)))
}

/// The carrier of this id.
pub(super) fn plane(app: &App, id: &str) -> Result<Plane, Problem> {
    app.gateway
        .planes()
        .get(id)
        .ok_or_else(|| Problem::not_found("There is no carrier with this id; GET /v1/carriers?q= finds it by name."))
}

/// The word for a circuit's state.
pub(super) fn state(circuit: BreakerState) -> &'static str {
    match circuit {
        BreakerState::Closed => "up",
        BreakerState::Open => "down",
        BreakerState::Probation => "trying",
    }
}

fn view(
    plane: &Plane,
    practice: &crate::practice::PracticeId,
    login: Option<&CredentialInfo>,
    paused: bool,
) -> CarrierView {
    let carrier = &plane.carrier;
    let budget = plane.wire.budget(practice);
    CarrierView {
        id: carrier.id.clone(),
        name: carrier.name.clone(),
        aliases: carrier.aliases.clone(),
        payer_ids: carrier.payer_ids.clone(),
        plan_names: carrier.plan_names.clone(),
        connector: carrier.registration.name.to_owned(),
        speaks: carrier.registration.speaks,
        offers: OffersView {
            eligibility: carrier.eligibility_limits(),
            authorizations: carrier.submissions().is_some(),
        },
        credential: match carrier.credential {
            CredentialScope::PerPractice => "per_practice",
            CredentialScope::Gateway => "gateway",
        },
        credential_fields: carrier.credential_fields(),
        credential_state: login.map_or("missing", |info| info.state.word()),
        credential_expires_at: login.and_then(|info| info.expires_at),
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
        state: state(plane.circuit()),
        closed_until: carrier.hours.closed_until(Timestamp::now()),
        next_closed: carrier.hours.next_closed(Timestamp::now()).map(|(from, until)| NextClosed { from, until }),
        closed: carrier.hours.closed.iter().map(ClosedView::of).collect(),
        paused,
        support: SupportView { phone: carrier.support.phone.clone(), notes: carrier.support.notes.clone() },
        attempt_timeout_secs: carrier.limits.attempt_timeout.as_secs(),
        deadline_secs: carrier.limits.deadline.as_secs(),
        fresh_for_secs: carrier.cache.eligibility.as_secs(),
    }
}
