//! The eligibility question: search, choose the member, read its pages.

use connector_sdk::{
    Answer, CarrierCode, Context, Eligibility, EligibilityFacts, EligibilityLimits, EligibilityRequest, Error,
    ErrorKind, Outcome, Refusal, RefusalReason, Result,
};

use crate::Portal;
use crate::read::Reader;
use crate::results::Chosen;
use crate::settings::EligibilitySettings;
use crate::template::Name;
use crate::walk::{Phase, Walk};

impl Eligibility for Portal {
    fn limits(&self) -> EligibilityLimits {
        let settings = self.settings.eligibility.as_ref();
        EligibilityLimits {
            dependents: settings
                .is_some_and(|settings| settings.detail.iter().any(|page| page.dependent.date_of_birth.is_some())),
            // A form with a field for the service answers for one at a time; one without shows what it shows.
            service_types_max: if settings.is_some_and(|settings| uses(settings, "service.type")) { 1 } else { 99 },
            procedures: settings.is_some_and(|settings| uses(settings, "procedure.code")),
        }
    }

    fn check<'a>(&'a self, ctx: &'a Context, ask: &'a EligibilityRequest) -> Answer<'a, EligibilityFacts> {
        Box::pin(self.ask(ctx, ask))
    }
}

fn uses(settings: &EligibilitySettings, wanted: &str) -> bool {
    let opens = settings.detail.iter().filter_map(|page| page.open.as_ref());
    settings.steps.iter().chain(opens).any(|step| {
        step.fields
            .values()
            .chain(step.extra.values())
            .any(|template| template.names().any(|(name, _)| matches!(name, Name::Ask(name) if *name == wanted)))
    })
}

impl Portal {
    async fn ask(&self, ctx: &Context, ask: &EligibilityRequest) -> Result<Outcome<EligibilityFacts>> {
        let Some(settings) = &self.settings.eligibility else {
            return Err(Error::new(ErrorKind::Unsupported, "This portal's file describes no eligibility question."));
        };
        self.within_limits(ask)?;
        let mut walk = Walk::new(self, ctx, Some(ask), Phase::Search);
        for (number, step) in (1..).zip(&settings.steps) {
            if walk.step(number, step).await?
                && let Some(refusal) = refusal(&walk, settings)?
            {
                return Ok(Outcome::Refused(refusal));
            }
        }
        if let Some(results) = &settings.results {
            walk.enter(Phase::Results);
            match self.choose(&mut walk, results, ask).await? {
                Chosen::Link(link) => walk.follow(&link).await?,
                Chosen::Nobody => return Ok(Outcome::Refused(Refusal::new(RefusalReason::MemberNotFound))),
                Chosen::Several => return Ok(Outcome::Refused(Refusal::new(RefusalReason::MemberAmbiguous))),
            }
            if let Some(refusal) = refusal(&walk, settings)? {
                return Ok(Outcome::Refused(refusal));
            }
        }
        walk.enter(Phase::Detail);
        let mut reader = Reader::new(&self.settings, ask);
        for (number, detail) in (1..).zip(&settings.detail) {
            if let Some(open) = &detail.open {
                if !walk.step(number, open).await? {
                    continue;
                }
                if let Some(refusal) = refusal(&walk, settings)? {
                    return Ok(Outcome::Refused(refusal));
                }
            }
            let mut next = reader.page(walk.page()?, detail, number, 1)?;
            for page in 2.. {
                let Some(link) = next else { break };
                if page > self.settings.limits.pages_max {
                    return Err(Phase::Detail.too_many_pages());
                }
                walk.follow(&link).await?;
                next = reader.page(walk.page()?, detail, number, page)?;
            }
        }
        reader.finish(ctx, settings, walk.pages).map(Outcome::Answered)
    }

    fn within_limits(&self, ask: &EligibilityRequest) -> Result<()> {
        let limits = self.limits();
        let refuse = |message| Err(Error::new(ErrorKind::Unsupported, message));
        if ask.dependent.is_some() && !limits.dependents {
            return refuse("This portal's file does not describe how to ask about a dependent.");
        }
        if ask.service.types.len() > usize::from(limits.service_types_max) {
            return refuse("This portal answers for one service type at a time.");
        }
        if !ask.service.procedures.is_empty() && !limits.procedures {
            return refuse("This portal does not answer by procedure.");
        }
        Ok(())
    }
}

/// The refusal that the page reached says, if it says one.
fn refusal(walk: &Walk<'_>, settings: &EligibilitySettings) -> Result<Option<Refusal>> {
    let page = walk.page()?;
    let open = page.open()?;
    if let Some(rule) = settings.refusals.iter().find(|rule| page.shows(&open, &rule.when)) {
        let refusal = Refusal::new(rule.reason);
        return Ok(Some(match &rule.code {
            Some(code) => {
                refusal.code(CarrierCode { loop_id: None, code: code.clone(), follow_up: None, meaning: None })
            }
            None => refusal,
        }));
    }
    Ok(page.shows(&open, &settings.not_found).then(|| Refusal::new(RefusalReason::MemberNotFound)))
}
