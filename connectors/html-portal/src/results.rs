//! The list of members found: which row is the member asked about.

use connector_sdk::{EligibilityRequest, Error, ErrorKind, Result};
use scraper::ElementRef;

use crate::Portal;
use crate::document::Document;
use crate::find::{Found, Scope, find, grids};
use crate::page::Page;
use crate::settings::{Find, PortalSettings, Results};
use crate::table::{Grid, cells, table_of};
use crate::value::{bare, date, name};
use crate::walk::{Link, Phase, Walk};

/// Most rows of one page.
pub const ROWS_MAX: usize = 2000;

/// What choosing gave.
pub enum Chosen {
    /// The link to the one member that fits.
    Link(Link),
    /// No row fits.
    Nobody,
    /// Several rows fit.
    Several,
}

/// A row that fits.
struct Candidate {
    link: Link,
    /// Whether the names in the row are the ones asked with; `None` when they cannot be compared.
    named: Option<bool>,
}

impl Portal {
    /// Goes through the list, page by page, and chooses the row that fits the question.
    pub(crate) async fn choose(
        &self,
        walk: &mut Walk<'_>,
        results: &Results,
        ask: &EligibilityRequest,
    ) -> Result<Chosen> {
        let mut candidates = Vec::new();
        for page in 1.. {
            let next = read_list(walk.page()?, results, &self.settings, ask, page, &mut candidates)?;
            let Some(link) = next else { break };
            if page >= self.settings.limits.pages_max {
                return Err(Phase::Results.too_many_pages());
            }
            walk.follow(&link).await?;
        }
        // Names only tell apart what ids and birthdays leave open: they are written in too many ways.
        if candidates.len() > 1 && candidates.iter().any(|one| one.named == Some(true)) {
            candidates.retain(|one| one.named == Some(true));
        }
        let first = candidates.pop();
        Ok(match first {
            None => Chosen::Nobody,
            Some(only) if candidates.is_empty() => Chosen::Link(only.link),
            Some(_) => Chosen::Several,
        })
    }
}

fn missing(what: &'static str, row: usize) -> Error {
    Error::new(ErrorKind::ProtocolBroken, "The list of members is not as the carrier file describes it.")
        .fact("at", "eligibility.results")
        .fact("missing", what)
        .fact("row", row)
}

/// The rows of a page that hold data: no header, no line that goes across (pagers, remarks).
pub fn data_rows<'a>(page: &'a Document, rows: &'a crate::css::Css) -> Result<Vec<ElementRef<'a>>> {
    let found: Vec<ElementRef<'a>> = page.select(rows).take(ROWS_MAX + 1).collect();
    if found.len() > ROWS_MAX {
        return Err(Error::new(ErrorKind::ProtocolBroken, "A table of the portal has more rows than are read."));
    }
    Ok(found)
}

/// Whether a row is a head, or one cell across the table.
pub fn is_note<'a>(row: ElementRef<'a>, grid: Option<&Grid<'a>>) -> bool {
    let across = |row: ElementRef<'a>| {
        let mut own = cells(row);
        let first = own.next();
        own.next().is_none() && first.is_some_and(|cell| cell.attr("colspan").is_some_and(|span| span.trim() != "1"))
    };
    grid.is_some_and(|grid| grid.is_header(row)) || across(row)
}

/// The layout of the table a row stands in.
pub fn grid_of<'g, 'a>(row: ElementRef<'a>, grids: &'g [(ElementRef<'a>, Grid<'a>)]) -> Option<&'g Grid<'a>> {
    let table = table_of(row)?;
    grids.iter().find(|(own, _)| own.id() == table.id()).map(|(_, grid)| grid)
}

/// Reads one page of the list; returns the link to the next one.
fn read_list(
    page: &Page,
    results: &Results,
    settings: &PortalSettings,
    ask: &EligibilityRequest,
    number: u32,
    candidates: &mut Vec<Candidate>,
) -> Result<Option<Link>> {
    let open = page.open()?;
    let rows = data_rows(&open, &results.rows)?;
    let grids = grids(&rows);
    let mut read = 0;
    for (place, row) in (1..).zip(&rows) {
        let grid = grid_of(*row, &grids);
        if is_note(*row, grid) {
            continue;
        }
        read += 1;
        let scope = Scope { page: &open, row: Some((*row, grid)) };
        if let Some(named) = fits(scope, results, settings, ask, place)? {
            let link = results.link.selector().and_then(|selector| row.select(selector).next());
            let link = Link::read(link.ok_or_else(|| missing("link", place))?, &open, page)?;
            candidates.push(Candidate { link, named });
        }
    }
    if read == 0 && number == 1 {
        return Err(missing("rows", 0));
    }
    let next = results.next.as_ref().and_then(|css| open.first(css));
    next.map(|element| Link::read(element, &open, page)).transpose()
}

/// `Some` when the row is of the member asked about, with whether the names agree too.
fn fits(
    scope: Scope<'_>,
    results: &Results,
    settings: &PortalSettings,
    ask: &EligibilityRequest,
    place: usize,
) -> Result<Option<Option<bool>>> {
    let read = |what: &Option<Find>| -> Result<Option<String>> {
        let Some(what) = what else { return Ok(None) };
        match find(what, scope) {
            Found::Text(text) => Ok((!settings.words.is_nothing(&text)).then_some(text)),
            Found::Missing(_) if what.optional => Ok(None),
            Found::Missing(word) => Err(missing(word, place)),
            Found::Unclear => Err(missing("one_value", place)),
        }
    };
    let columns = &results.columns;
    let (id, born) = (read(&columns.member_id)?, read(&columns.date_of_birth)?);
    let whole = read(&columns.name)?.map(|text| name(&text, settings.formats.names)).unwrap_or_default();
    let last = read(&columns.last_name)?.or(whole.last);
    let first = read(&columns.first_name)?.or(whole.first);
    let asked_born = match &ask.dependent {
        Some(person) => Some(*person.date_of_birth.expose()),
        None => ask.member.date_of_birth.as_ref().map(|day| *day.expose()),
    };
    let (asked_last, asked_first) = match &ask.dependent {
        Some(person) => (Some(&person.last_name), Some(&person.first_name)),
        None => (ask.member.last_name.as_ref(), ask.member.first_name.as_ref()),
    };
    let same_id = ask.member.member_id.as_ref().zip(id).map(|(asked, shown)| bare(asked.text()) == bare(&shown));
    let same_day = match asked_born.zip(born) {
        Some((asked, shown)) => Some(asked == date(&shown, &settings.formats).ok_or_else(|| missing("date", place))?),
        None => None,
    };
    let same_last = asked_last.zip(last).map(|(asked, shown)| bare(asked.text()) == bare(&shown));
    let same_first = asked_first.zip(first).map(|(asked, shown)| bare(asked.text()) == bare(&shown));
    let named = match (same_last, same_first) {
        (None, None) => None,
        (last, first) => Some(last.unwrap_or(true) && first.unwrap_or(true)),
    };
    Ok(match (same_id, same_day) {
        (Some(false), _) | (_, Some(false)) => None,
        (None, None) => (named == Some(true)).then_some(named),
        _ => Some(named),
    })
}
