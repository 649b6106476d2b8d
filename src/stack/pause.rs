//! Asks nothing of a carrier that a person of the practice has paused.

use std::sync::Arc;

use connector_sdk::{Error, ErrorKind};

use super::around::Duty;
use super::{Inner, Question, Told, ask};
use crate::carriers::Carrier;
use crate::pauses::Pauses;

/// Puts the practices' pauses before a carrier's attempts, and behind its saved answers.
#[derive(Clone)]
pub struct PauseLayer {
    carrier: Arc<Carrier>,
    pauses: Option<Arc<Pauses>>,
}

impl PauseLayer {
    /// A layer for one carrier; without pauses everything passes.
    pub fn new(carrier: Arc<Carrier>, pauses: Option<Arc<Pauses>>) -> Self {
        Self { carrier, pauses }
    }
}

impl Duty for PauseLayer {
    async fn pass<S: Inner>(self, inner: S, question: Question) -> Told {
        let paused = self.pauses.as_ref().and_then(|pauses| pauses.of(question.caller.practice(), &self.carrier.id));
        match paused {
            None => ask(inner, question).await,
            Some(_) => Told::failed(Error::new(
                ErrorKind::CarrierPaused,
                "Somebody of your practice has paused this carrier: nothing is asked there. Saved answers are still shown. \
                 A biller, coordinator or administrator resumes it on the carrier's page.",
            )),
        }
    }
}
