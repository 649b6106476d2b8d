//! The switches of the simulated carriers: slow, out of order, behind a page; and back to normal. Only where the carriers
//! are simulated by this very program: elsewhere there is no such page.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use maud::{Markup, html};
use sandbox::{CARRIERS, Control, Counters, Down, Layout, Page, Switches};

use crate::identity::Scope;
use crate::pages::account::Said;
use crate::pages::fault::Fault;
use crate::pages::fields::{Fields, Sent};
use crate::pages::frame::{self, Place, csrf};
use crate::pages::parts::badge::{Tone, badge, shape};
use crate::pages::parts::field::{select, text, tick};
use crate::pages::parts::lists::pairs;
use crate::pages::parts::problems::Problems;
use crate::pages::parts::words::count;
use crate::pages::visit::Visit;
use crate::trail::TrailRecord;

const HERE: &str = "/developer/sandbox";
/// What the simulated carriers honour at most, milliseconds.
const LATENCY_MAX_MS: u64 = 120_000;
/// The clock is pushed on by this much at most, minutes: a week.
const MINUTES_MAX: u64 = 7 * 24 * 60;

/// The switches, for whoever may see them, where there are any.
fn control(visit: &Visit) -> Result<Control, Fault> {
    visit.need(Scope::Admin)?;
    visit.app.simulated.clone().ok_or_else(Fault::not_found)
}

/// `GET /developer/sandbox`
pub async fn show(visit: Visit, Query(said): Query<Said>) -> Result<Markup, Fault> {
    let control = control(&visit)?;
    Ok(whole(&visit, &control, said.said.as_deref(), None))
}

/// The page; `typed`: a form that cannot be done, and what is wrong with it.
fn whole(visit: &Visit, control: &Control, said: Option<&str>, typed: Option<(&str, &Fields, &Problems)>) -> Markup {
    let changed = CARRIERS.iter().filter(|id| control.switches(id) != Some(Switches::default())).count();
    let ahead = control.state()["clock_ahead_secs"].as_i64().unwrap_or(0) / 60;
    let none = (Fields::default(), Problems::none());
    let of = |id: &str| match typed {
        Some((own, fields, problems)) if own == id => (fields, problems),
        _ => (&none.0, &none.1),
    };
    let body = html! {
        div.stack {
            p { a href="/developer" { "Developer" } }
            (frame::said(said))
            @if let Some((_, _, problems)) = typed { (problems.summary()) }
            div.head {
                h1 { "Simulated carriers" }
                form method="post" action={ (HERE) "/normal" } {
                    (csrf(visit))
                    button.button .first[changed > 0] type="submit" { "Everything back to normal" }
                }
            }
            p { "These carriers run inside this program, on this machine; their people are invented. What you set here holds until you set it back or the program ends." }
            @if changed > 0 { p.note.look role="status" { strong { (changed) " of " (CARRIERS.len()) " are not as usual." } } }
            @else { p.note.good { "All are as usual." } }
            div.grid { @for id in CARRIERS { @let (fields, problems) = of(id); (card(visit, control, id, fields, problems)) } }
            (clock(visit, ahead, of("clock")))
        }
    };
    visit.page(Place::Developer, "Simulated carriers", body)
}

fn card(visit: &Visit, control: &Control, id: &str, typed: &Fields, problems: &Problems) -> Markup {
    let (Some(now), Some(counters)) = (control.switches(id), control.counters(id)) else { return html! {} };
    let set = form_of(id, now);
    let fields = if problems.is_empty() { &set } else { typed };
    html! {
        section.card.stack #{ "of-" (id) } {
            div.row.ends {
                h2 { (visit.carrier_name(id)) " " span.soft.small { (id) } }
                @if now == Switches::default() { (badge(Tone::Good, shape::CHECK, "As usual")) } @else { (badge(Tone::Look, shape::BOLT, "Changed")) }
            }
            @if now != Switches::default() { p { strong { "Now: " } (in_words(now)) "." } }
            form.stack method="post" action={ (HERE) "/" (id) } {
                (csrf(visit))
                (select(&format!("{id}.down"), "State", &words(&[("no", "works"), ("refuse", "refuses connections"), ("unavailable", "says 503, out of order")]), fields, &Problems::none()))
                (text(&format!("{id}.latency_ms"), "Milliseconds more for every answer").hint("0 to 120000").size("short").mode("numeric").max(6).show(fields, problems))
                @if id == "bluevalley" {
                    (select(&format!("{id}.page"), "In front of everything stands", &words(&[("none", "nothing"), ("maintenance", "a maintenance page"), ("captcha", "“Are you a person?”"), ("terms", "new terms of use")]), fields, &Problems::none()))
                    (select(&format!("{id}.layout"), "The benefits table", &words(&[("A", "as usual"), ("B", "with its columns moved")]), fields, &Problems::none()))
                }
                @if id == "molasses" || id == "northstar" { (tick(&format!("{id}.random"), if id == "molasses" { "A fault, by chance, for every question" } else { "A fault, by chance, for every authorization" }, fields)) }
                div.row {
                    button.button type="submit" name="do" value="set" { "Set" span.hidden { " for " (id) } }
                    @if now != Switches::default() { button.button type="submit" name="do" value="normal" { "Back to normal" span.hidden { ": " (id) } } }
                }
            }
            (seen(counters, control.mailed(id)))
        }
    }
}

fn words(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(value, text)| ((*value).to_owned(), (*text).to_owned())).collect()
}

/// What it has seen since the start, or since everything was set back.
fn seen(counters: Counters, mailed: Option<String>) -> Markup {
    pairs(&[
        (
            "Has seen",
            html! { (count(counters.requests, "request", "requests")) ", " (count(counters.questions, "question", "questions")) ", at most " (counters.concurrent_peak) " at once" },
        ),
        ("Sign-ins", html! { (counters.logins) ", " (counters.logins_failed) " refused" }),
        (
            "Last mailed code",
            html! { @match mailed { Some(code) => { code { (code) } } None => { span.soft { "none" } } } },
        ),
    ])
}

/// What is not as usual, in words.
fn in_words(now: Switches) -> String {
    let mut all = Vec::new();
    match now.down {
        Down::No => {}
        Down::Refuse => all.push("it refuses connections".to_owned()),
        Down::Unavailable => all.push("it says that it is out of order".to_owned()),
    }
    match now.page {
        Page::None => {}
        Page::Captcha => all.push("a captcha stands in front of everything".to_owned()),
        Page::Terms => all.push("new terms stand in front of everything".to_owned()),
        Page::Maintenance => all.push("a maintenance page stands in front of everything".to_owned()),
    }
    if now.latency_ms > 0 {
        all.push(format!("every answer takes {} ms more", now.latency_ms));
    }
    if now.layout == Layout::B {
        all.push("its table has other columns".to_owned());
    }
    if now.random {
        all.push("faults come by chance".to_owned());
    }
    all.join("; ")
}

fn form_of(id: &str, now: Switches) -> Fields {
    let mut fields = Fields::default();
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut put = |name: &str, value: String| fields.put(&format!("{id}.{name}"), value);
    put("down", word(serde_json::to_value(now.down).unwrap_or_default()));
    put("page", word(serde_json::to_value(now.page).unwrap_or_default()));
    put("layout", word(serde_json::to_value(now.layout).unwrap_or_default()));
    put("latency_ms", now.latency_ms.to_string());
    if now.random {
        put("random", "yes".to_owned());
    }
    fields
}

/// `POST /developer/sandbox/{carrier}`
pub async fn set(Path(id): Path<String>, Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let control = control(&visit)?;
    let Some(id) = CARRIERS.into_iter().find(|own| *own == id) else { return Err(Fault::not_found()) };
    let switches = match fields.get("do") {
        "normal" => Ok(Switches::default()),
        _ => wanted(id, &fields),
    };
    match switches {
        Ok(switches) => {
            noted(&visit, id).await?;
            control.set(id, switches);
            Ok(Redirect::to(&format!("{HERE}?said=done#of-{id}")).into_response())
        }
        Err(problems) => {
            let page = whole(&visit, &control, None, Some((id, &fields, &problems)));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
    }
}

fn wanted(id: &str, fields: &Fields) -> Result<Switches, Problems> {
    let get = |name: &str| fields.get(&format!("{id}.{name}")).to_owned();
    let latency_ms = get("latency_ms");
    let latency_ms = if latency_ms.is_empty() { Some(0) } else { latency_ms.parse().ok() };
    let Some(latency_ms) = latency_ms.filter(|ms| *ms <= LATENCY_MAX_MS) else {
        let message = format!("Write a whole number from 0 to {LATENCY_MAX_MS}.");
        return Err(Problems::none().and(format!("{id}.latency_ms"), message));
    };
    Ok(Switches {
        down: serde_json::from_value(get("down").into()).unwrap_or_default(),
        layout: serde_json::from_value(get("layout").into()).unwrap_or_default(),
        page: serde_json::from_value(get("page").into()).unwrap_or_default(),
        latency_ms,
        random: fields.ticked(&format!("{id}.random")),
    })
}

/// `POST /developer/sandbox/normal`: counters, lock-outs, sessions and the clock too.
pub async fn normal(Sent { visit, .. }: Sent) -> Result<Redirect, Fault> {
    let control = control(&visit)?;
    noted(&visit, "all").await?;
    control.reset();
    Ok(Redirect::to("/developer/sandbox?said=done"))
}

fn clock(visit: &Visit, ahead: i64, (fields, problems): (&Fields, &Problems)) -> Markup {
    html! {
        section.card.stack {
            h2 { "Their clock" }
            p { @if ahead == 0 { "It shows the right time." } @else { "It runs " (ahead) " minutes ahead; “Everything back to normal” sets it right." } " Sessions and tokens live by it: push it on to see them end." }
            form.row.bottoms method="post" action={ (HERE) "/clock" } {
                (csrf(visit))
                (text("minutes", "Minutes to push it on").size("short").mode("numeric").max(5).show(fields, problems))
                button.button type="submit" { "Push on" }
            }
        }
    }
}

/// `POST /developer/sandbox/clock`
pub async fn advance(Sent { visit, fields }: Sent) -> Result<Response, Fault> {
    let control = control(&visit)?;
    let minutes = fields.get("minutes").parse().ok().filter(|minutes| (1..=MINUTES_MAX).contains(minutes));
    let Some(minutes) = minutes else {
        let problems = Problems::none().and("minutes", format!("Write a whole number from 1 to {MINUTES_MAX}."));
        let page = whole(&visit, &control, None, Some(("clock", &fields, &problems)));
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    };
    noted(&visit, "clock").await?;
    control.advance(minutes * 60);
    Ok(Redirect::to("/developer/sandbox?said=done").into_response())
}

/// What is switched changes what the gateway will see: it is on record like everything that is done.
async fn noted(visit: &Visit, what: &str) -> Result<(), Fault> {
    let record = TrailRecord::new(visit.caller.practice(), &visit.caller.actor(), "sandbox.switched").subject(what);
    visit.app.trail.record(record).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_stands_in_the_form_again_and_is_told_in_words() {
        let now =
            Switches { down: Down::Unavailable, layout: Layout::B, page: Page::Terms, latency_ms: 70, random: true };
        assert_eq!(wanted("bluevalley", &form_of("bluevalley", now)).ok(), Some(now));
        assert_eq!(wanted("hubline", &form_of("hubline", Switches::default())).ok(), Some(Switches::default()));
        assert_eq!(in_words(now).split("; ").count(), 5);
        let mut fields = form_of("hubline", now);
        for wrong in ["x", "-1", "120001"] {
            fields.put("hubline.latency_ms", wrong);
            assert!(wanted("hubline", &fields).is_err(), "{wrong}");
        }
    }
}
