//! What of a stored answer a list shows. An answer never changes, so that its gist is held in memory once it was read.

use std::sync::Arc;

use connector_sdk::EligibilityAnswer;
use connector_sdk::answer::{Benefit, Level, Network};
use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Badge, Patients, badge, fold};
use crate::practice::PracticeId;
use crate::stack::Envelope;
use crate::store::StoreError;
use crate::trail::AskState;

/// Copays of one answer that are kept.
const COPAYS_MAX: usize = 20;

const INTERRUPTED: &str = "The gateway was stopped before the carrier answered. Ask again.";

/// What the carrier says the patient pays at each visit, in network, for one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Copay {
    /// X12 service type code.
    pub service: String,
    /// US dollars.
    #[schemars(with = "String")]
    pub amount: Decimal,
}

/// An answer in short. May hold patient data.
#[derive(Clone)]
pub struct Gist {
    /// The question's id: `GET /v1/eligibility/{id}` gives the whole.
    pub ask: String,
    /// Whom it was put to.
    pub carrier: String,
    /// The word.
    pub badge: Badge,
    /// When the carrier said it.
    pub as_of: Timestamp,
    /// One sentence: why not, or the first thing to look at.
    pub text: Option<String>,
    /// The plan, as the carrier names it.
    pub plan: Option<String>,
    /// What the patient pays at each visit.
    pub copays: Vec<Copay>,
    /// The kinds of alerts: `other_payer`, `authorization_required` …
    pub alerts: Vec<String>,
    /// Of a refusal: the fields of the question to look at, `member.date_of_birth`.
    pub look_at: Vec<String>,
    /// The patient's first name as the carrier has it, folded: twins share everything else.
    on_file: Option<String>,
}

impl Gist {
    /// Of an envelope.
    pub fn of(envelope: &Envelope) -> Self {
        let mut gist = Self {
            ask: envelope.id.clone(),
            carrier: envelope.carrier.clone(),
            badge: badge(envelope),
            as_of: envelope.freshness.as_of,
            text: None,
            plan: None,
            copays: Vec::new(),
            alerts: Vec::new(),
            look_at: Vec::new(),
            on_file: None,
        };
        if let Some(answer) = &envelope.answer {
            gist.answered(answer);
        } else if let Some(refusal) = &envelope.refusal {
            gist.text = Some(refusal.text.clone());
            gist.look_at = refusal.look_at.clone();
        } else if let Some(failure) = &envelope.failure {
            gist.text = Some(failure.text.clone());
        }
        gist
    }

    fn answered(&mut self, answer: &EligibilityAnswer) {
        self.text = answer.summary.alerts.first().map(|alert| alert.text.text().to_owned());
        self.alerts = answer.summary.alerts.iter().map(|alert| alert.kind.clone()).collect();
        self.alerts.dedup();
        self.plan = answer.facts.plans.iter().find_map(|plan| plan.name.clone());
        let patient = answer.facts.dependent.as_ref().unwrap_or(&answer.facts.member);
        self.on_file = patient.first_name.as_ref().map(|name| fold::name(name.text())).filter(|name| !name.is_empty());
        let own = |benefit: &&Benefit| {
            matches!(benefit.network, Network::In | Network::Both)
                && matches!(benefit.level, Level::Individual | Level::NotStated)
                && benefit.procedure.is_none()
        };
        for benefit in answer.facts.benefits.iter().filter(own) {
            let known = self.copays.iter().any(|copay| copay.service == benefit.service.code);
            if let Some(copay) = &benefit.copay
                && !known
                && self.copays.len() < COPAYS_MAX
            {
                self.copays.push(Copay { service: benefit.service.code.clone(), amount: copay.amount });
            }
        }
        // Two amounts, or an amount here and a share there: which one holds for the visit, the whole answer tells.
        let doubtful = |benefit: &Benefit, copay: &Copay| {
            let share = benefit.coinsurance.as_ref().is_some_and(|one| one.patient_share > Decimal::ZERO);
            benefit.service.code == copay.service
                && (share || benefit.copay.as_ref().is_some_and(|other| other.amount != copay.amount))
        };
        let benefits = &answer.facts.benefits;
        self.copays.retain(|copay| !benefits.iter().filter(own).any(|benefit| doubtful(benefit, copay)));
    }

    /// Whether it can be about somebody of this first name; `first` is folded. Where the carrier said none, it can.
    pub(super) fn may_be(&self, first: &str) -> bool {
        let Some(on_file) = &self.on_file else { return true };
        on_file.starts_with(first) || first.starts_with(on_file.as_str()) || fold::one_step(on_file, first)
    }
}

impl Patients {
    /// The gist of a stored question of the practice; `None` when there is no such question.
    ///
    /// # Errors
    /// What the store says.
    pub async fn gist(&self, practice: &PracticeId, ask: &str) -> Result<Option<Arc<Gist>>, StoreError> {
        let key = (practice.clone(), ask.to_owned());
        if let Some(known) = self.gists.get(&key) {
            return Ok(Some(known));
        }
        let Some(stored) = self.trail.get(practice, ask).await? else { return Ok(None) };
        if let Some(bytes) = &stored.envelope {
            let damaged = StoreError::Damaged { what: "a stored answer cannot be read" };
            let envelope: Envelope = serde_json::from_slice(bytes).map_err(|_| damaged)?;
            let gist = Arc::new(Gist::of(&envelope));
            self.gists.insert(key, gist.clone());
            return Ok(Some(gist));
        }
        let pending = stored.state == AskState::Pending;
        Ok(Some(Arc::new(Gist {
            ask: stored.id,
            carrier: stored.carrier,
            badge: if pending { Badge::Waiting } else { Badge::CarrierDown },
            as_of: stored.completed_at.unwrap_or(stored.created_at),
            text: (!pending).then(|| INTERRUPTED.to_owned()),
            plan: None,
            copays: Vec::new(),
            alerts: Vec::new(),
            look_at: Vec::new(),
            on_file: None,
        })))
    }
}

#[cfg(test)]
mod tests {
    use connector_sdk::EligibilityFacts;
    use connector_sdk::answer::{Coded, Coinsurance, Copay as Said, Coverage};

    use super::*;

    fn line(service: &str, copay: Option<&str>, share: Option<&str>) -> Benefit {
        Benefit {
            service: Coded::new(service, ""),
            network: Network::In,
            level: Level::Individual,
            copay: copay.map(|amount| Said { amount: amount.parse().unwrap(), per: None }),
            coinsurance: share.map(|share| Coinsurance { patient_share: share.parse().unwrap(), per: None }),
            ..Benefit::default()
        }
    }

    #[test]
    fn a_copay_is_told_only_where_there_is_one() {
        let benefits = vec![
            line("98", Some("40.00"), None),
            line("98", Some("40.00"), None),
            line("33", Some("0.00"), None),
            line("33", None, Some("0.20")),
            line("UC", Some("75.00"), None),
            line("UC", Some("50.00"), None),
            Benefit { network: Network::Out, ..line("98", Some("90.00"), None) },
        ];
        let facts = EligibilityFacts { coverage: Coverage::Active, benefits, ..EligibilityFacts::default() };
        let answer = connector_sdk::summary::complete(facts, None, jiff::civil::date(2026, 11, 23));
        let mut envelope =
            Envelope::awaited("q", connector_sdk::Operation::Eligibility, "northstar", Timestamp::UNIX_EPOCH, None);
        envelope.answer = Some(answer.into());
        let copays = Gist::of(&envelope).copays;
        assert_eq!(copays, [Copay { service: "98".to_owned(), amount: "40.00".parse().unwrap() }]);
    }
}
