//! What a portal asks of a person while a walk goes on: codes that the vault cannot make, and the pages that the file says
//! how to answer.
//!
//! Nothing here knows an answer: the host asks, and puts it where the marker stands.

use std::time::Duration;

use connector_sdk::{Error, ErrorKind, Picture, Prompt, PromptKind, Result, Retry};

use crate::document::{Document, text_of};
use crate::page::Page;
use crate::settings::{PageKind, PersonAnswer, Step};
use crate::template::Name;
use crate::walk::{Phase, Walk, missing};

impl Walk<'_> {
    /// Whether a person must enter the code of this step: `Some(false)`, for the first time.
    ///
    /// # Errors
    /// When the page before cannot be read.
    pub(crate) fn wants_code(&self, step: &Step) -> Result<Option<bool>> {
        let by_person = |name: &Name| match name {
            Name::Code => true,
            Name::Totp => !self.ctx.has_secret("totp_seed"),
            _ => false,
        };
        let mut names = step.fields.values().chain(step.extra.values()).flat_map(|template| template.names());
        if !names.any(|(name, _)| by_person(name)) {
            return Ok(None);
        }
        let taken = step.when.is_empty() || {
            let page = self.page()?;
            page.shows(&page.open()?, &step.when)
        };
        Ok(taken.then_some(false))
    }

    /// Asks a person for the code of the page reached.
    ///
    /// # Errors
    /// When nobody gives one.
    pub(crate) async fn ask_code(&mut self, again: bool) -> Result<()> {
        let prompt = {
            let page = self.page()?;
            let open = page.open()?;
            self.prompt(PromptKind::SecondFactorCode, page, &open, None).again(again)
        };
        self.ctx.ask_person(prompt).await?;
        self.values.by_person = true;
        Ok(())
    }

    /// Whether the portal has refused a person's code and shows the form for it once more, so that another one can be entered
    /// without the password leaving again.
    ///
    /// # Errors
    /// When the page cannot be read.
    pub(crate) fn takes_another_code(&self, step: &Step, error: &Error) -> Result<bool> {
        let Some(form) = step.submit.as_ref().filter(|_| error.kind == ErrorKind::CredentialRejected) else {
            return Ok(false);
        };
        let mut names = step.fields.values().chain(step.extra.values()).flat_map(|template| template.names());
        if names.any(|(name, _)| matches!(name, Name::Secret(_))) {
            return Ok(false);
        }
        let page = self.page()?;
        let open = page.open()?;
        Ok(!self.portal.is_signed_out(page, &open) && open.first(form).is_some())
    }

    /// The rule of a page for a person, where the file says how an answer is sent. A new password is given while signing in
    /// only: there the credential is in one hand.
    pub(crate) fn for_person(&self, page: &Page, open: &Document) -> Option<usize> {
        let pages = &self.portal.settings.pages;
        let place = pages.iter().position(|rule| page.shows(open, &rule.when))?;
        let rule = pages.get(place)?;
        let here = rule.kind != PageKind::PasswordChange || self.phase == Phase::SignIn;
        (rule.answer.is_some() && here && self.phase != Phase::SignOut).then_some(place)
    }

    /// Asks a person to answer the page reached, and sends the answer; until it is taken.
    ///
    /// # Errors
    /// When nobody answers; [`ErrorKind::CarrierUnavailable`] where everything begins anew after it.
    pub(crate) async fn answer_page(&mut self, place: usize) -> Result<()> {
        let portal = self.portal;
        let rule = portal.settings.pages.get(place);
        let Some((kind, answer)) = rule.and_then(|rule| Some((kind_of(rule.kind), rule.answer.as_ref()?))) else {
            return Err(Error::new(ErrorKind::Internal, "A page for a person has no rule."));
        };
        let step = Step {
            submit: Some(answer.submit.clone()),
            button: answer.button.clone(),
            fields: answer.fields.clone(),
            ..Step::default()
        };
        let mut again = false;
        loop {
            let (mut prompt, picture) = {
                let page = self.page()?;
                let open = page.open()?;
                let picture = answer.picture.as_ref().map(|css| self.picture_address(page, &open, css)).transpose()?;
                (self.prompt(kind, page, &open, Some(answer)).again(again), picture)
            };
            if let Some(address) = picture {
                prompt = prompt.picture(self.picture(address).await?);
            }
            self.ctx.ask_person(prompt).await?;
            let draft = self.draft(&step)?.ok_or_else(|| missing("form"))?;
            self.send(draft).await?;
            let (refused, signed_out) = {
                let page = self.page()?;
                let open = page.open()?;
                let same = self.for_person(page, &open) == Some(place);
                (same || page.shows(&open, &answer.refused), portal.is_signed_out(page, &open))
            };
            if refused {
                again = true;
                continue;
            }
            if kind == PromptKind::PasswordChange {
                self.ctx.keep_answer("password").await?;
                self.begins_anew = signed_out;
            }
            if self.phase == Phase::SignIn && !self.begins_anew {
                return Ok(());
            }
            return Err(Error::new(
                ErrorKind::CarrierUnavailable,
                "A person has answered a page of the portal; everything begins anew after it.",
            )
            .retry(Retry::Safe));
        }
    }

    fn prompt(&self, kind: PromptKind, page: &Page, open: &Document, answer: Option<&PersonAnswer>) -> Prompt {
        let narrow = answer.and_then(|answer| answer.words.as_ref()).and_then(|css| open.first(css));
        let words = narrow.or_else(|| open.root()).map(text_of).unwrap_or_default();
        let within = Duration::from_secs(self.portal.settings.limits.person_secs);
        Prompt { within: Some(within), ..Prompt::new(kind, &words).link(&page.address) }
    }

    fn picture_address(&self, page: &Page, open: &Document, css: &crate::css::Css) -> Result<String> {
        let source = open.first(css).and_then(|element| element.attr("src")).ok_or_else(|| missing("picture"))?;
        self.portal.link(&open.base(&page.address), &page.address, source)
    }

    /// Fetches a picture. The page reached stays the page reached.
    async fn picture(&mut self, address: String) -> Result<Picture> {
        let draft = self.get(address)?;
        self.pages += 1;
        let reply = self.ctx.send(draft.request).await?;
        if !reply.status().is_success() {
            return Err(Error::new(ErrorKind::CarrierUnavailable, "The portal does not send its picture.")
                .fact("status", reply.status()));
        }
        Picture::new(reply.into_body())
    }
}

fn kind_of(kind: PageKind) -> PromptKind {
    match kind {
        PageKind::Captcha => PromptKind::Captcha,
        PageKind::Terms => PromptKind::Terms,
        PageKind::PasswordChange => PromptKind::PasswordChange,
        PageKind::Person | PageKind::Maintenance | PageKind::Error | PageKind::TooMany => PromptKind::Other,
    }
}
