//! What each carrier last said about a patient, and everything that was ever asked.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::phoned::Phoned;
use super::{Badge, Copay, Gist, PatientView, Patients, fold};
use crate::identity::Caller;
use crate::practice::PracticeId;
use crate::store::patients::LinkRow;
use crate::store::{self, StoreError, patients as rows};
use crate::trail::{PatientKey, TrailRecord, Use};

/// Questions looked at for one patient and carrier: the last word is among them, or was tried for too often.
const LOOKED_AT: u32 = 8;
/// Questions in a patient's history at most.
const PAST_MAX: u32 = 200;

/// Where a patient's coverage by one carrier stands, as far as anybody asked.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Standing {
    /// The carrier.
    pub carrier: String,
    /// The word: that of the last answer, refusal or phone call, else that of the last try.
    pub badge: Badge,
    /// The question that led to it: `GET /v1/eligibility/{id}` gives the whole answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// When the carrier said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// One sentence: why not, or the first thing to look at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The plan, as the carrier names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// What the carrier says the patient pays at each visit, in network.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub copays: Vec<Copay>,
    /// The kinds of alerts: `other_payer`, `authorization_required` …
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
    /// Of a refusal: the fields of the question to look at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub look_at: Vec<String>,
    /// A later try that came to nothing. The word above stays: a failed call never hides what is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried: Option<Tried>,
    /// What was said on the phone, where that is the last word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_phone: Option<Phoned>,
}

/// A question that came to nothing, or waits.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Tried {
    /// The question.
    pub ask: String,
    /// When.
    pub at: Timestamp,
    /// `carrier_down`, `cannot_ask` or `waiting`.
    pub badge: Badge,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// One thing that was asked about a patient.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Past {
    /// When.
    pub at: Timestamp,
    /// Whom.
    pub carrier: String,
    /// What came of it.
    pub badge: Badge,
    /// The question; absent for a phone call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ask: Option<String>,
    /// When the carrier said it: earlier than `at` for a saved answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<Timestamp>,
    /// One sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What was said on the phone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_phone: Option<Phoned>,
}

impl Standing {
    /// Nobody asked.
    pub fn not_checked(carrier: &str) -> Self {
        Self {
            carrier: carrier.to_owned(),
            badge: Badge::NotChecked,
            ask: None,
            as_of: None,
            text: None,
            plan: None,
            copays: Vec::new(),
            alerts: Vec::new(),
            look_at: Vec::new(),
            tried: None,
            by_phone: None,
        }
    }

    /// Takes in one more question, the newest first; `false` once the last word is there.
    fn take(&mut self, gist: &Gist) -> bool {
        if gist.badge.is_word() {
            self.badge = gist.badge;
            self.ask = Some(gist.ask.clone());
            self.as_of = Some(gist.as_of);
            self.text = gist.text.clone();
            self.plan = gist.plan.clone();
            self.copays = gist.copays.clone();
            self.alerts = gist.alerts.clone();
            self.look_at = gist.look_at.clone();
            return false;
        }
        if self.tried.is_none() {
            let (ask, at, badge, text) = (gist.ask.clone(), gist.as_of, gist.badge, gist.text.clone());
            self.tried = Some(Tried { ask, at, badge, text });
        }
        true
    }

    /// Takes in what was said on the phone, and says which word counts.
    fn end(mut self, call: Option<&Phoned>) -> Self {
        if let Some(call) = call
            && self.as_of.is_none_or(|as_of| as_of < call.at)
        {
            let tried = self.tried.take().filter(|tried| tried.at > call.at);
            self = Self { tried, ..Self::not_checked(&self.carrier) };
            self.badge = if call.covered { Badge::VerifiedByPhone } else { Badge::NotActive };
            self.as_of = Some(call.at);
            self.by_phone = Some(call.clone());
        }
        if self.badge == Badge::NotChecked
            && let Some(tried) = &self.tried
        {
            self.badge = tried.badge;
            self.text = tried.text.clone();
        }
        self
    }
}

impl Patients {
    /// Where each of these patients stands: by the carrier that is named, else by every carrier of their coverages, in
    /// their order. **The caller records that they were read.**
    ///
    /// # Errors
    /// What the store says.
    pub async fn standings(
        &self,
        practice: &PracticeId,
        asked: &[(&PatientView, Option<&str>)],
    ) -> Result<Vec<Vec<Standing>>, StoreError> {
        let mut keys: Vec<(usize, PatientKey)> = Vec::new();
        for (place, (view, carrier)) in asked.iter().enumerate() {
            let mut seen = HashSet::new();
            let coverages = view.patient.coverages.iter();
            for coverage in coverages.filter(|one| carrier.is_none() || one.carrier.as_deref() == *carrier) {
                if let Some(key) = view.patient.trail_key(coverage)
                    && seen.insert(key.carrier.clone())
                {
                    keys.push((place, key));
                }
            }
        }
        let ids: Vec<String> = asked.iter().map(|(view, _)| view.id.clone()).collect();
        let linked = self.links(practice, ids.clone(), LOOKED_AT).await?;
        let called = self.calls(practice, ids).await?;
        let only: Vec<PatientKey> = keys.iter().map(|(_, key)| key.clone()).collect();
        let found = self.trail.questions_about(practice, &only, LOOKED_AT).await?;
        let mut standings: Vec<Vec<Standing>> = asked.iter().map(|_| Vec::new()).collect();
        for ((place, key), mut questions) in keys.into_iter().zip(found) {
            let Some((view, _)) = asked.get(place) else { continue };
            let of_carrier = (view.id.clone(), key.carrier.clone());
            questions.extend(linked.get(&of_carrier).into_iter().flatten().cloned());
            questions.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
            let first = fold::name(view.patient.first_name.text());
            let mut standing = Standing::not_checked(&key.carrier);
            for (ask, _) in &questions {
                let gist = self.gist(practice, ask).await?.filter(|gist| gist.may_be(&first));
                if gist.is_some_and(|gist| !standing.take(&gist)) {
                    break;
                }
            }
            if let Some(own) = standings.get_mut(place) {
                own.push(standing.end(called.get(&of_carrier).and_then(|calls| calls.first())));
            }
        }
        Ok(standings)
    }

    /// Everything that was asked about a patient, the newest first, at most 200. **The caller records it.**
    ///
    /// # Errors
    /// What the store says.
    pub async fn past(&self, practice: &PracticeId, view: &PatientView) -> Result<Vec<Past>, StoreError> {
        let keys: Vec<PatientKey> =
            view.patient.coverages.iter().filter_map(|coverage| view.patient.trail_key(coverage)).collect();
        let found = self.trail.questions_about(practice, &keys, PAST_MAX).await?;
        let linked = self.links(practice, vec![view.id.clone()], PAST_MAX).await?;
        let mut asks: HashMap<String, i64> = found.into_iter().flatten().collect();
        asks.extend(linked.into_values().flatten());
        let mut asks: Vec<(String, i64)> = asks.into_iter().collect();
        asks.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
        asks.truncate(usize::try_from(PAST_MAX).unwrap_or(0));
        let first = fold::name(view.patient.first_name.text());
        let mut past = Vec::with_capacity(asks.len());
        for (ask, at) in asks {
            let gist: Option<Arc<Gist>> = self.gist(practice, &ask).await?;
            if let Some(gist) = gist.filter(|gist| gist.may_be(&first)) {
                past.push(Past {
                    at: store::time(at),
                    carrier: gist.carrier.clone(),
                    badge: gist.badge,
                    as_of: gist.badge.is_word().then_some(gist.as_of),
                    text: gist.text.clone(),
                    ask: Some(ask),
                    by_phone: None,
                });
            }
        }
        for call in self.calls(practice, vec![view.id.clone()]).await?.into_values().flatten() {
            past.push(Past {
                at: call.at,
                carrier: call.carrier.clone(),
                badge: if call.covered { Badge::VerifiedByPhone } else { Badge::NotActive },
                ask: None,
                as_of: Some(call.at),
                text: None,
                by_phone: Some(call),
            });
        }
        past.sort_by_key(|one| std::cmp::Reverse(one.at));
        Ok(past)
    }

    /// Says that a question was put about this patient: call it as soon as the question has its id, before its answer is
    /// awaited. The question's own record is the record of it; this one only says of whom.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the practice has no such patient.
    pub async fn link(&self, caller: &Caller, id: &str, carrier: &str, ask: &str) -> Result<(), StoreError> {
        let record = TrailRecord::new(caller.practice(), &caller.actor(), "patient.asked_about")
            .purpose(Use::Payment)
            .carrier(carrier)
            .ask(ask)
            .subject(id);
        let link =
            LinkRow { ask: ask.to_owned(), patient: id.to_owned(), carrier: carrier.to_owned(), at: store::now() };
        rows::link(&self.store, caller.practice(), link, self.trail.link(record)).await
    }

    /// The questions that were put from a patient's page, by patient and carrier, the newest first.
    async fn links(
        &self,
        practice: &PracticeId,
        ids: Vec<String>,
        each: u32,
    ) -> Result<HashMap<(String, String), Vec<(String, i64)>>, StoreError> {
        let mut by_carrier: HashMap<(String, String), Vec<(String, i64)>> = HashMap::new();
        for link in rows::links(&self.store, practice, ids, each).await? {
            by_carrier.entry((link.patient, link.carrier)).or_default().push((link.ask, link.at));
        }
        Ok(by_carrier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gist(badge: Badge, ask: &str, at: i64) -> Gist {
        let mut envelope = crate::stack::Envelope::awaited(
            ask,
            connector_sdk::Operation::Eligibility,
            "northstar",
            store::time(at),
            None,
        );
        envelope.freshness.as_of = store::time(at);
        let mut gist = Gist::of(&envelope);
        gist.badge = badge;
        gist
    }

    fn call(at: i64, covered: bool) -> Phoned {
        Phoned { at: store::time(at), covered, ..Phoned::example() }
    }

    #[test]
    fn a_failed_try_never_hides_what_is_known() {
        let mut standing = Standing::not_checked("northstar");
        assert!(standing.take(&gist(Badge::CarrierDown, "c", 30)));
        assert!(standing.take(&gist(Badge::CannotAsk, "b", 20)));
        assert!(!standing.take(&gist(Badge::Active, "a", 10)));
        let standing = standing.end(None);
        assert_eq!((standing.badge, standing.ask.as_deref()), (Badge::Active, Some("a")));
        assert_eq!(standing.tried.unwrap().ask, "c");
    }

    #[test]
    fn without_any_word_the_last_try_tells() {
        let mut standing = Standing::not_checked("northstar");
        standing.take(&gist(Badge::CarrierDown, "c", 30));
        assert_eq!(standing.end(None).badge, Badge::CarrierDown);
        assert_eq!(Standing::not_checked("northstar").end(None).badge, Badge::NotChecked);
    }

    #[test]
    fn the_phone_counts_where_it_was_later() {
        let answered = || {
            let mut standing = Standing::not_checked("northstar");
            standing.take(&gist(Badge::NotFound, "a", 10));
            standing
        };
        assert_eq!(answered().end(Some(&call(20, true))).badge, Badge::VerifiedByPhone);
        assert_eq!(answered().end(Some(&call(20, false))).badge, Badge::NotActive);
        assert_eq!(answered().end(Some(&call(5, true))).badge, Badge::NotFound);
    }
}
