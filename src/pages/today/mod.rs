//! Today: who comes, where each one's coverage stands, what needs a person first; and the batch that asks.
//!
//! `filters` narrows the list, `rows` is the list, `panel` the batch, `import` takes a file in, `add` and `correct` are about
//! one appointment by hand, `huddle` is the sheet for the morning.

pub mod add;
pub mod correct;
mod filters;
pub mod huddle;
pub mod import;
mod panel;
mod rows;

use axum::extract::{Path, Query};
use axum::response::Redirect;
use connector_sdk::ErrorKind;
use jiff::ToSpan;
use jiff::civil::Date;
use maud::{Markup, html};
use serde::Deserialize;

use super::carrier_health;
use super::fault::Fault;
use super::fields::{Fields, Sent};
use super::frame::{self, Place, csrf};
use super::parts::badge::Tone;
use super::parts::lists::{empty, note};
use super::parts::stamp::{ago, weekday};
use super::parts::words::count;
use super::visit::Visit;
use crate::api::Problem;
use crate::batches::{NotMade, Wish, too_many};
use crate::identity::Scope;
use crate::patients::Badge;
use crate::schedule::{DayView, Only};

/// Rows on one page: what needs a person comes first, and a hundred are more than one looks through at once.
const PAGE: usize = 100;

/// Query of `GET /today`. Days, words of closed lists, numbers, and codes in place of names: nothing of a patient.
#[derive(Clone, Default, Deserialize)]
pub struct Asked {
    /// The day, `YYYY-MM-DD`; today where it is left out or is none.
    date: Option<String>,
    /// A badge's word, or `needs_you`.
    show: Option<String>,
    /// Codes of who is seen and where, see [`crate::schedule::Choice`].
    provider: Option<String>,
    location: Option<String>,
    /// Rows before these are on an earlier page.
    from: Option<usize>,
    /// What an import did.
    added: Option<usize>,
    changed: Option<usize>,
    same: Option<usize>,
    vanished: Option<usize>,
    left_out: Option<usize>,
    /// What a start of a batch did.
    asked: Option<usize>,
    fresh: Option<usize>,
    cannot: Option<usize>,
    /// What was done with one appointment: a word of a closed list.
    said: Option<String>,
}

impl Asked {
    /// The day asked for.
    fn day(&self, visit: &Visit) -> Date {
        let named = self.date.as_deref().and_then(|date| date.parse().ok());
        named.unwrap_or_else(|| visit.app.gateway.today())
    }

    fn badge(&self) -> Option<Badge> {
        self.show.as_deref().and_then(Badge::from_word)
    }

    fn needs_you(&self) -> bool {
        self.show.as_deref() == Some("needs_you")
    }

    fn only(&self) -> Only {
        Only { provider: self.provider.clone(), location: self.location.clone() }
    }
}

/// A day's list as an address: its rows from `from` on, those of `show`, narrowed as the day is.
fn address(day: &DayView, show: Option<&str>, from: Option<usize>) -> String {
    // Only words of the closed list go on.
    let show = show.filter(|word| *word == "needs_you" || Badge::from_word(word).is_some());
    let show = show.map(|word| format!("&show={word}")).unwrap_or_default();
    let from = from.filter(|from| *from > 0).map(|from| format!("&from={from}")).unwrap_or_default();
    format!("/today?date={}{}{show}{from}", day.date, narrowed(&day.only))
}

/// What a list is narrowed to, as it goes on in addresses.
fn narrowed(only: &Only) -> String {
    let part = |name: &str, code: &Option<String>| code.as_ref().map(|code| format!("&{name}={code}"));
    let parts = [part("provider", &only.provider), part("location", &only.location)];
    parts.into_iter().flatten().collect()
}

/// What the list was narrowed to when a form was sent: only what is a code goes on.
fn only_of(fields: &Fields) -> Only {
    let code =
        |name: &str| fields.some(name).filter(|code| code.bytes().all(|c| c.is_ascii_hexdigit())).map(str::to_owned);
    Only { provider: code("provider"), location: code("location") }
}

/// `GET /today`
pub async fn show(visit: Visit, Query(asked): Query<Asked>) -> Result<Markup, Fault> {
    visit.need(Scope::Ask)?;
    let date = asked.day(&visit);
    let day = visit.app.schedule.day(&visit.caller, date, &asked.only()).await?;
    let live = html! { (paused(&visit, &day).await?) (live(&visit, &day, &asked)) };
    if visit.part {
        return Ok(live);
    }
    let body = html! {
        div.stack {
            (head(&visit, &day))
            (frame::said(asked.said.as_deref()))
            (done(&asked))
            div #live.stack { (live) }
        }
    };
    Ok(visit.page(Place::Today, "Today", body))
}

/// Who has paused a carrier before whose door patients wait, since when, and why.
async fn paused(visit: &Visit, day: &DayView) -> Result<Markup, Problem> {
    let mut notices = Vec::new();
    for held in day.carriers.iter().filter(|held| held.reason == ErrorKind::CarrierPaused.name()) {
        notices.push(carrier_health::notice(visit, &held.carrier).await?);
    }
    Ok(html! { @for notice in notices { (notice) } })
}

/// The day's name, and the ways to other days.
fn head(visit: &Visit, day: &DayView) -> Markup {
    let (today, date) = (visit.app.gateway.today(), day.date);
    // Who looks at one doctor's patients goes on to the same doctor's next day.
    let to = |date: Date| format!("/today?date={date}{}", narrowed(&day.only));
    let (before, after) = (date.checked_sub(1.day()).unwrap_or(date), date.checked_add(1.day()).unwrap_or(date));
    let relation = match (date - today).get_days() {
        0 => "today",
        1 => "tomorrow",
        -1 => "yesterday",
        _ => "",
    };
    html! {
        div.head {
            h1 { (weekday(date)) @if !relation.is_empty() { " " span.soft { "· " (relation) } } }
            nav.row.no-print aria-label="Days" {
                a.button href=(to(before)) data-key="[" rel="prev" { "‹ Day before" }
                @if date != today { a.button href=(to(today)) { "Today" } }
                a.button href=(to(after)) data-key="]" rel="next" { "Day after ›" }
                form.row method="get" action="/today" {
                    label.hidden for="date" { "Another day" }
                    input.day #date type="date" name="date" value=(date);
                    (filters::carried(&day.only))
                    button.button type="submit" { "Go" }
                }
            }
        }
    }
}

/// What was just done, in numbers.
fn done(asked: &Asked) -> Markup {
    let parts = |all: &[(Option<usize>, &str)]| {
        let said: Vec<String> =
            all.iter().filter_map(|(n, what)| n.filter(|n| *n > 0).map(|n| format!("{n} {what}"))).collect();
        said.join(", ")
    };
    html! {
        @if asked.added.is_some() {
            @let said = parts(&[(asked.added, "added"), (asked.changed, "changed"), (asked.same, "as they were"),
                (asked.vanished, "no longer in the file"), (asked.left_out, "left out: they have problems")]);
            (note(Tone::Good, "Imported.", &format!("Appointments: {}.", if said.is_empty() { "none" } else { &said })))
        }
        @if let Some(n) = asked.asked {
            @let said = parts(&[(asked.fresh, "still fresh, not asked again"), (asked.cannot, "cannot be asked; see below")]);
            @let rest = if said.is_empty() { String::new() } else { format!(" {said}.") };
            @if n == 0 { (note(Tone::Calm, "Nothing to ask.", &rest)) }
            @else { (note(Tone::Good, "Asking.", &format!("{}.{rest}", count(n as u64, "appointment", "appointments")))) }
        }
    }
}

/// What changes while a batch runs.
fn live(visit: &Visit, day: &DayView, asked: &Asked) -> Markup {
    let runs = day.batch.as_ref().is_some_and(|batch| batch.state == "running");
    let again = address(day, asked.show.as_deref(), asked.from);
    html! {
        @if runs {
            // Where scripts run, this part fetches itself; else the page does.
            div data-hx-get=(again) data-hx-trigger="every 2s" data-hx-target="#live" data-hx-swap="innerMorph" {}
            // Not in a part: a script reads this as an element, which would load the whole page again.
            @if !visit.part {
                noscript { meta http-equiv="refresh" content="5"; p { "This page refreshes itself while the carriers are asked." } }
            }
        }
        @if day.rows.is_empty() {
            (empty(&format!("No appointments for {}.", weekday(day.date)), html! {
                a.button.first href={ "/schedule/import?date=" (day.date) } { "Import a schedule" }
                a.button href={ "/today/add?date=" (day.date) } { "Add one" }
                a.button href="/check" { "Check a walk-in" }
            }))
        } @else {
            div.row.ends {
                (filters::counters(day, asked))
                (filters::places(day, asked))
            }
            (banners(day))
            (actions(visit, day))
            (panel::panel(visit, day))
            (rows::table(day, asked, PAGE))
        }
    }
}

/// What holds up several rows, once for each carrier and not once for each row.
fn banners(day: &DayView) -> Markup {
    html! {
        @for held in &day.carriers {
            @let rows = count(held.rows as u64, "patient waits", "patients wait");
            @let until = held.until.map(|until| format!(" until {}", until.strftime("%H:%M UTC"))).unwrap_or_default();
            @let (tone, what, then) = panel::words_of(&held.reason);
            @let then = if held.by_itself && tone == Tone::Calm { "They are asked as soon as it answers again. Do nothing." } else { then };
            (note(tone, &held.name, &format!("{what}{until}. {rows}. {then}")))
        }
    }
}

/// What can be done with the whole day.
fn actions(visit: &Visit, day: &DayView) -> Markup {
    html! {
        div.row.ends.no-print {
            form.row #verify method="post" action="/today/verify" {
                (csrf(visit))
                input type="hidden" name="date" value=(day.date);
                (filters::carried(&day.only))
                @if day.to_ask > 0 {
                    button.button.first type="submit" name="what" value="stale" data-key="v" { "Verify " (day.to_ask) }
                }
                button.button type="submit" name="what" value="chosen" data-chosen { "Verify the ticked ones" }
                span.soft {
                    @if day.fresh > 0 { (day.fresh) " still fresh" @if day.to_ask > 0 { ", skipped" } }
                    @if day.under_way > 0 { " · " (day.under_way) " under way" }
                }
            }
            div.row {
                a.button href={ "/today/add?date=" (day.date) } data-key="a" { "Add one" }
                a.button href={ "/schedule/import?date=" (day.date) } { "Import" }
                a.button href={ "/today/huddle?date=" (day.date) (narrowed(&day.only)) } data-key="p" { "Print huddle" }
                @if let Some(at) = day.imported_at { span.soft.small { "imported " (ago(at)) } }
            }
        }
    }
}

/// `POST /today/verify`
pub async fn verify(Sent { visit, fields }: Sent) -> Result<Redirect, Fault> {
    visit.need(Scope::Ask)?;
    let date = fields.get("date").parse().unwrap_or_else(|_| visit.app.gateway.today());
    let chosen: Vec<String> = fields.all("id").map(str::to_owned).collect();
    let ids = (fields.get("what") == "chosen").then_some(chosen.as_slice());
    let only = only_of(&fields);
    let done = visit.app.schedule.verify(&visit.caller, date, ids, &only).await.map_err(|not_made| match not_made {
        NotMade::KeyUsed | NotMade::TooMany => Problem::from(too_many()),
        NotMade::Error(error) => error.into(),
    })?;
    let (asked, fresh, cannot) = (done.asked, done.fresh, done.not_askable.len());
    Ok(Redirect::to(&format!("/today?date={date}{}&asked={asked}&fresh={fresh}&cannot={cannot}", narrowed(&only))))
}

/// `POST /today/batch/{id}`: pauses, resumes or cancels the day's batch.
pub async fn turn(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Redirect, Fault> {
    visit.need(Scope::Ask)?;
    let wish = Wish::from_word(fields.get("wish")).ok_or_else(Fault::not_found)?;
    // One that is over stays as it is: the page shows how it stands.
    visit.app.batches.turn(&visit.caller, &id, wish).await?;
    let date: Date = fields.get("date").parse().unwrap_or_else(|_| visit.app.gateway.today());
    Ok(Redirect::to(&format!("/today?date={date}{}", narrowed(&only_of(&fields)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_carries_codes_on_and_nothing_else() {
        let sent = |provider: &str, location: &str| {
            let fields = [("provider", provider.to_owned()), ("location", location.to_owned())];
            narrowed(&only_of(&Fields::of(fields)))
        };
        assert_eq!(sent("0a1b", "2c3d"), "&provider=0a1b&location=2c3d");
        assert_eq!(sent("", "2c3d"), "&location=2c3d");
        assert_eq!(sent("Dr Rao&x=1", ""), "", "a name is no code, and goes into no address");
    }
}
