//! The member's pages to facts, each value with the place it was read at.

use connector_sdk::answer::{
    Coded, Contact, Correction, Coverage, DateFact, DateSpan, EligibilityFacts, Identifier, MemberOnFile, OtherPayer,
    Place, Plan, Provenance, RawRef,
};
use connector_sdk::{Context, EligibilityRequest, Error, ErrorKind, Phi, Result};
use jiff::civil::Date;

use crate::document::Document;
use crate::find::{Found, Scope, find, grids};
use crate::page::Page;
use crate::results::{data_rows, grid_of, is_note};
use crate::settings::{Detail, EligibilitySettings, Find, Identity, PersonPlaces, PlanPlaces, PortalSettings};
use crate::value::{bare, date, name};
use crate::walk::Link;

/// Reads the pages of one question.
pub struct Reader<'a> {
    pub(crate) settings: &'a PortalSettings,
    ask: &'a EligibilityRequest,
    pub(crate) facts: EligibilityFacts,
    status: Option<(String, Coverage, Provenance)>,
    /// Whether a member id or a date of birth read was the one asked with.
    known: bool,
    /// A value that was there and could not be read as what it should be.
    pub(crate) unread: bool,
}

/// The place being read: a page or a row of it.
pub struct Spot<'a> {
    /// Where to look.
    pub scope: Scope<'a>,
    /// The page's name in the file.
    pub page: &'a str,
    /// The row, from 1.
    pub row: Option<u32>,
    /// The page's place in the file, from 1.
    pub number: usize,
}

impl Spot<'_> {
    /// A value as text; `None` when it is not described, may be missing and is, or the portal states nothing.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] with `field` when it must be there and is not.
    pub fn get(&self, field: &'static str, what: Option<&Find>, settings: &PortalSettings) -> Result<Option<String>> {
        let Some(what) = what else { return Ok(None) };
        match find(what, self.scope) {
            Found::Text(text) => Ok((!settings.words.is_nothing(&text)).then_some(text)),
            Found::Missing(_) if what.optional => Ok(None),
            Found::Missing(word) => Err(self.missing(field, word)),
            Found::Unclear => Err(self.missing(field, "one_value")),
        }
    }

    fn missing(&self, field: &'static str, word: &'static str) -> Error {
        let error = Error::new(
            ErrorKind::ProtocolBroken,
            "A page of the portal does not hold what the carrier file reads from it: it has changed, or another page came.",
        )
        .fact("at", "eligibility.detail")
        .fact("step", self.number)
        .fact("field", field)
        .fact("missing", word);
        match self.row {
            Some(row) => error.fact("row", row),
            None => error,
        }
    }

    /// Where a value was read.
    pub fn provenance(&self, of: &str, what: Option<&Find>) -> Provenance {
        let what = what.and_then(|what| {
            what.header
                .clone()
                .or_else(|| what.label.clone())
                .or_else(|| what.css.as_ref().map(|css| css.text().to_owned()))
        });
        let of = if of.is_empty() { Vec::new() } else { vec![of.to_owned()] };
        Provenance {
            of,
            place: Place::Page { page: self.page.to_owned(), selector: what.unwrap_or_default(), row: self.row },
        }
    }
}

impl<'a> Reader<'a> {
    /// Starts.
    pub fn new(settings: &'a PortalSettings, ask: &'a EligibilityRequest) -> Self {
        Self { settings, ask, facts: EligibilityFacts::default(), status: None, known: false, unread: false }
    }

    /// Reads a page; `turn` is 1 for the page itself, more for the pages its tables go on to. Returns the next one.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] when the page is not as described, [`ErrorKind::AnswerMismatch`] when it is of
    /// somebody else.
    pub fn page(&mut self, page: &Page, detail: &Detail, number: usize, turn: u32) -> Result<Option<Link>> {
        let open = page.open()?;
        let spot = Spot { scope: Scope { page: &open, row: None }, page: &detail.name, row: None, number };
        if turn == 1 {
            self.person(&spot, &detail.member, false)?;
            if self.ask.dependent.is_some() {
                self.person(&spot, &detail.dependent, true)?;
            }
            if let Some(text) = spot.get("status", detail.status.as_ref(), self.settings)? {
                self.say_status(text, spot.provenance("status", detail.status.as_ref()));
            }
        }
        for rule in &detail.plans {
            self.rows(&open, detail, number, turn, (rule.rows.as_ref(), rule.optional), |reader, spot| {
                reader.plan(spot, &rule.read)
            })?;
        }
        for rule in &detail.benefits {
            self.rows(&open, detail, number, turn, (rule.rows.as_ref(), rule.optional), |reader, spot| {
                reader.benefit(spot, rule)
            })?;
        }
        let next = detail.next.as_ref().and_then(|css| open.first(css));
        next.map(|element| Link::read(element, &open, page)).transpose()
    }

    /// Runs `read` over the rows of a rule, or once over the page when it has none.
    fn rows(
        &mut self,
        open: &Document,
        detail: &Detail,
        number: usize,
        turn: u32,
        (rows, optional): (Option<&crate::css::Css>, bool),
        read: impl Fn(&mut Self, &Spot<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(css) = rows else {
            if turn == 1 {
                let spot = Spot { scope: Scope { page: open, row: None }, page: &detail.name, row: None, number };
                read(self, &spot)?;
            }
            return Ok(());
        };
        let rows = data_rows(open, css)?;
        let grids = grids(&rows);
        let mut count = 0;
        for row in &rows {
            let grid = grid_of(*row, &grids);
            if is_note(*row, grid) {
                continue;
            }
            count += 1;
            let scope = Scope { page: open, row: Some((*row, grid)) };
            read(self, &Spot { scope, page: &detail.name, row: Some(count), number })?;
        }
        if count == 0 && !optional {
            let spot = Spot { scope: Scope { page: open, row: None }, page: &detail.name, row: None, number };
            return Err(spot.missing("rows", "rows"));
        }
        Ok(())
    }

    fn say_status(&mut self, text: String, place: Provenance) {
        let said = self.settings.words.coverage(&text).unwrap_or_default();
        // Two pages that say different things: nobody knows.
        let said = match &self.status {
            Some((_, before, _)) if *before != said => Coverage::Unknown,
            _ => said,
        };
        self.status = Some((text, said, place));
    }

    fn person(&mut self, spot: &Spot<'_>, places: &PersonPlaces, dependent: bool) -> Result<()> {
        let settings = self.settings;
        let get = |field, what: &Option<Find>| spot.get(field, what.as_ref(), settings);
        let id = get("member_id", &places.member_id)?;
        let born = match get("date_of_birth", &places.date_of_birth)? {
            Some(text) => Some(date(&text, &settings.formats).ok_or_else(|| spot.missing("date_of_birth", "date"))?),
            None => None,
        };
        let whole = get("name", &places.name)?.map(|text| name(&text, settings.formats.names)).unwrap_or_default();
        self.compare(id.as_deref(), born, dependent)?;
        let phi = |text: Option<String>| text.map(Phi::new);
        let read = MemberOnFile {
            member_id: phi(id),
            first_name: phi(get("first_name", &places.first_name)?.or(whole.first)),
            middle_name: phi(get("middle_name", &places.middle_name)?.or(whole.middle)),
            last_name: phi(get("last_name", &places.last_name)?.or(whole.last)),
            date_of_birth: born.map(Phi::new),
            sex: get("sex", &places.sex)?.and_then(|text| settings.words.sex(&text)),
            group_number: phi(get("group_number", &places.group_number)?),
            relationship: get("relationship", &places.relationship)?.map(|text| Coded::new("", text)),
            ..MemberOnFile::default()
        };
        if dependent {
            merge(self.facts.dependent.get_or_insert_default(), read);
        } else {
            merge(&mut self.facts.member, read);
        }
        Ok(())
    }

    /// Compares what a page shows of a person with the question.
    fn compare(&mut self, id: Option<&str>, born: Option<Date>, dependent: bool) -> Result<()> {
        let mismatch = || {
            Error::new(
                ErrorKind::AnswerMismatch,
                "The portal showed the page of another member than the one asked about. It is not shown.",
            )
        };
        let person = self.ask.dependent.as_ref();
        if let Some((asked, shown)) = self.ask.member.member_id.as_ref().zip(id) {
            if bare(asked.text()) != bare(shown) {
                return Err(mismatch());
            }
            // A family shares the id: it does not tell which dependent this is.
            self.known |= person.is_none();
        }
        let asked = match (dependent, person) {
            (true, Some(person)) => Some(*person.date_of_birth.expose()),
            _ => self.ask.member.date_of_birth.as_ref().map(|day| *day.expose()),
        };
        if let Some((asked, shown)) = asked.zip(born) {
            if asked != shown {
                return Err(mismatch());
            }
            self.known |= dependent == person.is_some();
        }
        Ok(())
    }

    fn plan(&mut self, spot: &Spot<'_>, places: &PlanPlaces) -> Result<()> {
        let settings = self.settings;
        let mut plan = Plan::default();
        let mut places_read = Vec::new();
        let mut get = |field: &'static str, what: &Option<Find>| -> Result<Option<String>> {
            let text = spot.get(field, what.as_ref(), settings)?;
            if text.is_some() {
                places_read.push(spot.provenance(field, what.as_ref()));
            }
            Ok(text)
        };
        plan.name = get("name", &places.name)?;
        plan.id = get("id", &places.id)?;
        plan.group = get("group", &places.group)?;
        plan.network = get("network", &places.network)?;
        plan.insurance_type = get("insurance_type", &places.insurance_type)?.map(|text| Coded::new("", text));
        for (field, what, is_first) in [("period.from", &places.from, true), ("period.to", &places.to, false)] {
            let Some(text) = get(field, what)? else { continue };
            let day = date(&text, &settings.formats);
            if is_first {
                plan.period.from = day
            } else {
                plan.period.to = day
            }
            if day.is_none() {
                self.unread = true;
                let words = if is_first { "first day" } else { "last day" };
                plan.dates.push(DateFact { kind: Coded::new("", words), span: DateSpan::default(), text });
            }
        }
        if let Some(text) = get("status", &places.status)? {
            plan.status = settings.words.coverage(&text).unwrap_or_default();
            plan.status_code = Some(Coded::new("", text));
        }
        let doctor = get("primary_care", &places.primary_care)?;
        let phone = get("primary_care.phone", &places.primary_care_phone)?;
        if doctor.is_some() || phone.is_some() {
            plan.primary_care = Some(Contact {
                role: Some(Coded::new("P3", "Primary care provider")),
                name: doctor.map(Phi::new),
                reach: phone
                    .map(|text| Identifier {
                        kind: Coded::new("TE", "Phone"),
                        value: Phi::new(text),
                        description: None,
                    })
                    .into_iter()
                    .collect(),
                ..Contact::default()
            });
        }
        let other = get("other_payers", &places.other_payer)?;
        plan.messages = get("messages", &places.message)?.map(Phi::new).into_iter().collect();
        if let Some(name) = other {
            let provenance = vec![spot.provenance("name", places.other_payer.as_ref())];
            plan.other_payers.push(OtherPayer { name: Some(name), provenance, ..OtherPayer::default() });
        }
        plan.provenance = places_read;
        if !plan.provenance.is_empty() {
            self.facts.plans.push(plan);
        }
        Ok(())
    }

    /// Completes the facts once all pages are read.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] when no page showed whose it is.
    pub fn finish(mut self, ctx: &Context, settings: &EligibilitySettings, pages: u32) -> Result<EligibilityFacts> {
        if !self.known && settings.identity == Identity::Check {
            return Err(Error::new(
                ErrorKind::ProtocolBroken,
                "The portal's pages do not show whose they are (no member id or date of birth that was asked with).",
            )
            .fact("missing", "identity"));
        }
        if self.unread {
            ctx.warn("value_not_read", "A value on a page is not written as expected; it is kept as text.");
        }
        self.settle_status();
        correct(&mut self.facts.member, |facts| asked_of_member(self.ask, facts));
        if let (Some(person), Some(on_file)) = (&self.ask.dependent, &mut self.facts.dependent) {
            let asked = [
                ("dependent.first_name", Some(person.first_name.clone())),
                ("dependent.last_name", Some(person.last_name.clone())),
            ];
            correct(on_file, |facts| {
                let [first, last] = asked.clone();
                vec![(first.0, first.1, facts.first_name.clone()), (last.0, last.1, facts.last_name.clone())]
            });
        }
        self.facts.raw = RawRef { transaction: "html".to_owned(), segments: pages };
        Ok(self.facts)
    }

    fn settle_status(&mut self) {
        let Some((text, said, place)) = self.status.take() else {
            let mut states = self.facts.plans.iter().map(|plan| plan.status);
            let first = states.next().unwrap_or_default();
            self.facts.coverage = if states.all(|state| state == first) { first } else { Coverage::Unknown };
            return;
        };
        self.facts.coverage = said;
        if self.facts.plans.is_empty() {
            self.facts.plans.push(Plan::default());
        }
        for plan in self.facts.plans.iter_mut().filter(|plan| plan.status_code.is_none()) {
            plan.status = said;
            plan.status_code = Some(Coded::new("", text.clone()));
            plan.provenance.push(place.clone());
        }
    }
}

type Compared = (&'static str, Option<Phi<String>>, Option<Phi<String>>);

fn asked_of_member(ask: &EligibilityRequest, facts: &MemberOnFile) -> Vec<Compared> {
    let member = &ask.member;
    vec![
        ("member.first_name", member.first_name.clone(), facts.first_name.clone()),
        ("member.last_name", member.last_name.clone(), facts.last_name.clone()),
        ("member.group_number", member.group_number.clone(), facts.group_number.clone()),
    ]
}

fn correct(on_file: &mut MemberOnFile, compared: impl Fn(&MemberOnFile) -> Vec<Compared>) {
    for (field, asked, shown) in compared(on_file) {
        if let (Some(asked), Some(shown)) = (asked, shown)
            && bare(asked.text()) != bare(shown.text())
        {
            on_file.corrections.push(Correction { field: field.to_owned(), asked, on_file: shown });
        }
    }
}

/// Adds what a further page shows to what is known; the first page to say something counts.
fn merge(known: &mut MemberOnFile, read: MemberOnFile) {
    let MemberOnFile {
        member_id,
        first_name,
        middle_name,
        last_name,
        date_of_birth,
        sex,
        group_number,
        relationship,
        ..
    } = read;
    fn keep<T>(slot: &mut Option<T>, value: Option<T>) {
        if slot.is_none() {
            *slot = value;
        }
    }
    keep(&mut known.member_id, member_id);
    keep(&mut known.first_name, first_name);
    keep(&mut known.middle_name, middle_name);
    keep(&mut known.last_name, last_name);
    keep(&mut known.date_of_birth, date_of_birth);
    keep(&mut known.sex, sex);
    keep(&mut known.group_number, group_number);
    keep(&mut known.relationship, relationship);
}
