//! Walking a portal's pages: one step after the other, each page judged before the next is asked for.
//!
//! Nothing here knows what is asked: signing in, signing out and every operation walk in the same way.

use std::collections::BTreeMap;

use bytes::Bytes;
use connector_sdk::{Context, EligibilityRequest, Error, ErrorKind, Result, Retry};
use http::{Method, Request, header};

use crate::Portal;
use crate::address::form_encode;
use crate::document::Document;
use crate::find::{Found, Scope, find};
use crate::form::{Form, post_back};
use crate::page::Page;
use crate::settings::Step;
use crate::template::{Name, Template, Values};

/// Most pages of one walk, lists included.
const PAGES_MAX: u32 = 250;

/// Largest value taken from a page, bytes.
const TAKEN_MAX: usize = 256 * 1024;

/// A walk through a portal.
pub struct Walk<'a> {
    pub(crate) portal: &'a Portal,
    pub(crate) ctx: &'a Context,
    pub(crate) values: Values<'a>,
    pub(crate) phase: Phase,
    page: Option<Page>,
    /// Pages read so far.
    pub pages: u32,
    /// Whether a request with a secret has left.
    pub secret_sent: bool,
    /// Whether a person has changed the password, and the portal wants to be signed in to anew.
    pub begins_anew: bool,
}

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Signing in.
    SignIn,
    /// Signing out.
    SignOut,
    /// The steps of the eligibility question.
    Search,
    /// The list of results.
    Results,
    /// The pages that are read.
    Detail,
}

impl Phase {
    /// The word in an error's facts.
    pub fn word(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::Search => "eligibility.steps",
            Self::Results => "eligibility.results",
            Self::Detail => "eligibility.detail",
        }
    }

    /// A list that goes on for longer than the file allows. A part of it would read as the whole.
    pub fn too_many_pages(self) -> Error {
        Error::new(ErrorKind::ProtocolBroken, "A list of the portal goes over more pages than limits.pages_max allows.")
            .fact("at", self.word())
    }
}

/// A request ready to leave.
pub(crate) struct Draft {
    pub(crate) request: Request<Bytes>,
    /// Holds a secret that a carrier may lock an account over.
    guarded: bool,
    secret: bool,
}

impl<'a> Walk<'a> {
    /// Starts a walk.
    pub fn new(portal: &'a Portal, ctx: &'a Context, ask: Option<&'a EligibilityRequest>, phase: Phase) -> Self {
        let values =
            Values { ask, taken: BTreeMap::new(), maps: &portal.settings.maps, today: ctx.today(), by_person: false };
        Self { portal, ctx, values, phase, page: None, pages: 0, secret_sent: false, begins_anew: false }
    }

    /// Goes on to another part of the description; errors name it.
    pub fn enter(&mut self, phase: Phase) {
        self.phase = phase;
    }

    /// The page reached.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] before the first step.
    pub fn page(&self) -> Result<&Page> {
        self.page.as_ref().ok_or_else(|| Error::new(ErrorKind::Internal, "A walk has not opened a page yet."))
    }

    /// Takes step `number` (from 1). `false`: its `when` does not hold, and it was left out.
    ///
    /// # Errors
    /// Whatever stops the walk; the facts say where.
    pub async fn step(&mut self, number: usize, step: &Step) -> Result<bool> {
        let phase = self.phase.word();
        let at = |error: Error| placed(error, phase, Some(number));
        let mut code = self.wants_code(step).map_err(at)?;
        loop {
            if let Some(again) = code {
                self.ask_code(again).await.map_err(at)?;
            }
            let Some(draft) = self.draft(step).map_err(at)? else { return Ok(false) };
            let guarded = draft.guarded;
            self.send(draft).await.map_err(at)?;
            match self.settle(step, guarded).await {
                Ok(()) => return Ok(true),
                Err(error) if code.is_some() && self.takes_another_code(step, &error).map_err(at)? => code = Some(true),
                Err(error) => return Err(at(error)),
            }
        }
    }

    /// Follows a link of the page reached, found by the caller.
    ///
    /// # Errors
    /// Whatever stops the walk.
    pub async fn follow(&mut self, link: &Link) -> Result<()> {
        let phase = self.phase.word();
        let draft = self.link_draft(link);
        let at = |error: Error| placed(error, phase, None);
        self.send(draft.map_err(at)?).await.map_err(at)?;
        self.settle(&Step::default(), false).await.map_err(at)
    }

    /// Judges the page that came, with what a person must answer before it.
    async fn settle(&mut self, step: &Step, guarded: bool) -> Result<()> {
        while let Some(rule) = self.arrive(step, guarded)? {
            self.answer_page(rule).await?;
        }
        Ok(())
    }

    /// Makes the step's request. Parses the page before and drops it again: a parsed page may not wait for a reply.
    pub(crate) fn draft(&self, step: &Step) -> Result<Option<Draft>> {
        let before = self.page.as_ref().map(|page| page.open().map(|open| (page, open))).transpose()?;
        if !step.when.is_empty() && !before.as_ref().is_some_and(|(page, open)| page.shows(open, &step.when)) {
            return Ok(None);
        }
        if let Some(address) = &step.get {
            return self.get(self.portal.resolve(address)?).map(Some);
        }
        if let Some(address) = &step.post {
            let mut filled = Filled::default();
            for (name, template) in step.fields.iter().chain(&step.extra) {
                self.fill(name, template, &mut filled)?;
            }
            let pairs: Vec<_> = filled.pairs.into_iter().map(|(name, value, _)| (name, value)).collect();
            return self.post(self.portal.resolve(address)?, &pairs, filled.guarded, filled.secret).map(Some);
        }
        let Some((page, open)) = before else {
            return Err(Error::new(ErrorKind::Internal, "A step needs a page before it."));
        };
        if let Some(css) = &step.follow {
            let element = open.first(css).ok_or_else(|| missing("link"))?;
            return self.link_draft(&Link::read(element, &open, page)?).map(Some);
        }
        let Some(css) = &step.submit else {
            return Err(Error::new(ErrorKind::Internal, "A step does nothing."));
        };
        let form = Form::read(&open, css, step.button.as_ref())?;
        self.submit(step, form, page, &open).map(Some)
    }

    fn submit(&self, step: &Step, mut form: Form, page: &Page, open: &Document) -> Result<Draft> {
        let mut filled = Filled::default();
        for (name, template) in &step.fields {
            self.fill(name, template, &mut filled)?;
        }
        for (name, value, _) in &filled.pairs {
            form.fill(name, value)?;
        }
        let mut extra = Filled::default();
        for (name, template) in &step.extra {
            self.fill(name, template, &mut extra)?;
        }
        for (name, value, _) in &extra.pairs {
            form.set(name, value);
        }
        let secret = filled.secret || extra.secret;
        let patient = filled.pairs.iter().chain(&extra.pairs).any(|(_, _, patient)| *patient);
        let target = self.portal.link(&open.base(&page.address), &page.address, &form.action)?;
        if form.post {
            return self.post(target, &form.pairs(), filled.guarded || extra.guarded, secret);
        }
        if secret {
            return Err(Error::new(
                ErrorKind::ProtocolBroken,
                "The portal's form would put a secret into an address (method GET); it was not sent.",
            ));
        }
        if patient && !step.allow_get {
            return Err(Error::new(
                ErrorKind::ProtocolBroken,
                "The portal's form would put patient data into an address (method GET). Set allow_get on this step if the practice accepts that.",
            ));
        }
        let plain = target.split('?').next().unwrap_or_default().to_owned();
        self.get(format!("{plain}?{}", form_encode(&form.pairs())))
    }

    fn fill(&self, name: &str, template: &Template, into: &mut Filled) -> Result<()> {
        if let Some(rendered) = self.values.render(template, self.ctx)? {
            into.secret |= rendered.secret;
            // A user name alone locks no account.
            into.guarded |= rendered.secret
                && template.names().any(|(name, _)| match name {
                    Name::Secret(field) => field != "username",
                    Name::Totp | Name::Code | Name::Answer => true,
                    _ => false,
                });
            into.pairs.push((name.to_owned(), rendered.text, rendered.patient));
        }
        Ok(())
    }

    fn link_draft(&self, link: &Link) -> Result<Draft> {
        match link {
            Link::Address { base, page, href } => self.get(self.portal.link(base, page, href)?),
            Link::PostBack { base, page, action, pairs } => {
                self.post(self.portal.link(base, page, action)?, pairs, false, false)
            }
        }
    }

    pub(crate) fn get(&self, address: String) -> Result<Draft> {
        self.request(Method::GET, address, String::new(), false, false)
    }

    fn post(&self, address: String, pairs: &[(String, String)], guarded: bool, secret: bool) -> Result<Draft> {
        self.request(Method::POST, address, form_encode(pairs), guarded, secret)
    }

    fn request(&self, method: Method, address: String, body: String, guarded: bool, secret: bool) -> Result<Draft> {
        let mut builder = Request::builder().uri(address).header(header::ACCEPT, "text/html,application/xhtml+xml");
        if method == Method::POST {
            builder = builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        }
        let request = builder
            .method(method)
            .body(Bytes::from(body))
            .map_err(|_| Error::new(ErrorKind::ProtocolBroken, "The portal gave an address that is none."))?;
        Ok(Draft { request, guarded, secret })
    }

    pub(crate) async fn send(&mut self, draft: Draft) -> Result<()> {
        self.pages += 1;
        if self.pages > PAGES_MAX {
            return Err(Error::new(
                ErrorKind::ProtocolBroken,
                "The portal leads through more pages than are read for one question.",
            ));
        }
        self.secret_sent |= draft.secret;
        let asked = draft.request.uri().clone();
        let sent = self.ctx.send(draft.request).await;
        // A form with a password is sent once, whatever became of it: three tries lock an account at many carriers.
        let reply = sent.map_err(|error| if draft.guarded { error.retry(Retry::Never) } else { error })?;
        self.page = Some(Page::new(&reply, &asked, self.portal.settings.limits.page_max_bytes)?);
        Ok(())
    }

    /// Judges the page that came and takes from it what the step says. `Some`: a page for a person came instead, by this
    /// rule, and the file says how an answer is sent.
    fn arrive(&mut self, step: &Step, guarded: bool) -> Result<Option<usize>> {
        let page = self.page()?;
        let open = page.open()?;
        let settings = &self.portal.settings;
        let refused = |message| Err(Error::new(ErrorKind::CredentialRejected, message));
        // Before the page rules: a portal may answer a wrong password with an error status.
        if !step.rejected.is_empty() && page.shows(&open, &step.rejected) {
            return refused("The portal refused the sign-in. Check the stored credential at the portal itself.");
        }
        if guarded && self.phase == Phase::SignIn && matches!(page.status, 401 | 403) {
            return refused("The portal refused the sign-in. Check the stored credential at the portal itself.");
        }
        let is_signed_out = self.portal.is_signed_out(page, &open);
        if is_signed_out && !matches!(self.phase, Phase::SignIn | Phase::SignOut) {
            return Err(Error::new(
                ErrorKind::CarrierUnavailable,
                "The portal ended the session in the middle of the question.",
            ));
        }
        if let Some(rule) = self.for_person(page, &open) {
            return Ok(Some(rule));
        }
        page.judge(&open, settings)?;
        if guarded && self.phase == Phase::SignIn && is_signed_out {
            return refused(
                "The portal shows its sign-in page again after the password; it is not sent a second time.",
            );
        }
        if !step.expect.is_empty() && !page.shows(&open, &step.expect) {
            return Err(missing("expect"));
        }
        let mut taken = Vec::new();
        for (name, what) in &step.take {
            match find(what, Scope { page: &open, row: None }) {
                Found::Text(text) if text.len() <= TAKEN_MAX => taken.push((name.clone(), text)),
                Found::Text(_) => return Err(missing("take_too_long")),
                Found::Missing(_) if what.optional => {}
                Found::Missing(_) => return Err(missing("take")),
                Found::Unclear => return Err(missing("take_unclear")),
            }
        }
        self.values.taken.extend(taken);
        Ok(None)
    }
}

/// Says where in the file an error happened. One that says so already keeps its place: the host signs in inside a step.
fn placed(error: Error, phase: &'static str, step: Option<usize>) -> Error {
    if error.facts.iter().any(|(name, _)| *name == "at") {
        return error;
    }
    let error = error.fact("at", phase);
    match step {
        Some(number) => error.fact("step", number),
        None => error,
    }
}

pub(crate) fn missing(what: &'static str) -> Error {
    Error::new(
        ErrorKind::ProtocolBroken,
        "A page of the portal is not as the carrier file describes it: it has changed, or another page came.",
    )
    .fact("missing", what)
}

/// Fields filled in: name, text, whether patient data stands in it.
#[derive(Default)]
struct Filled {
    pairs: Vec<(String, String, bool)>,
    secret: bool,
    guarded: bool,
}

/// A link, free of its page. It may hold patient data, so it has no `Debug`.
#[derive(Clone)]
pub enum Link {
    /// An address.
    Address {
        /// Where relative addresses start.
        base: String,
        /// The page's own address.
        page: String,
        /// The reference as written.
        href: String,
    },
    /// An ASP.NET post-back: the form it sends.
    PostBack {
        /// Where relative addresses start.
        base: String,
        /// The page's own address.
        page: String,
        /// The form's action.
        action: String,
        /// Its fields.
        pairs: Vec<(String, String)>,
    },
}

impl Link {
    /// Reads a link's target.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] when it has none.
    pub fn read(element: scraper::ElementRef<'_>, open: &Document, page: &Page) -> Result<Self> {
        let href = element.attr("href").unwrap_or_default();
        let base = open.base(&page.address);
        let page = page.address.clone();
        let script = [href, element.attr("onclick").unwrap_or_default()].into_iter().find_map(post_back);
        if let Some((target, argument)) = script {
            let own = element.ancestors().filter_map(scraper::ElementRef::wrap).find(|up| up.value().name() == "form");
            let form = own.or_else(|| open.elements().find(|element| element.value().name() == "form"));
            let mut form = Form::read_element(open, form.ok_or_else(|| missing("form"))?, None)?;
            form.without_button();
            form.set("__EVENTTARGET", &target);
            form.set("__EVENTARGUMENT", &argument);
            return Ok(Self::PostBack { base, page, action: form.action.clone(), pairs: form.pairs() });
        }
        if href.is_empty() {
            return Err(missing("href"));
        }
        Ok(Self::Address { base, page, href: href.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_counts() {
        let inner = placed(missing("form"), "sign_in", Some(2));
        let error = placed(inner, "eligibility.steps", Some(1)).to_string();
        assert!(error.contains("at=sign_in step=2") && !error.contains("eligibility.steps"), "{error}");
        assert!(placed(missing("link"), "eligibility.detail", None).to_string().ends_with("at=eligibility.detail"));
    }
}
