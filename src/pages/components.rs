//! `/dev/components`: everything that pages are put together from, in all states, on one page: for whoever builds pages,
//! and for the checks in a browser, which thereby run over a closed set.

use jiff::Timestamp;
use maud::{Markup, html};

use super::fields::Fields;
use super::frame::Place;
use super::parts::badge::{Tone, badge, shape, standing};
use super::parts::field::{area, date, file, radios, select, text, tick};
use super::parts::lists::{Entry, empty, note, number, pairs, raw, task, timeline};
use super::parts::problems::Problems;
use super::parts::progress::{Lane, bar, columns, lanes, spark};
use super::parts::stamp::{answered, moment, until};
use super::parts::{compare, money};
use super::visit::Visit;
use crate::patients::Badge;

/// `GET /dev/components`
pub async fn show(visit: Visit) -> Markup {
    let body = html! {
        div.stack {
            h1 { "Components" }
            (states(&visit))
            (numbers())
            (forms())
            (work(&visit))
        }
    };
    visit.page(Place::Developer, "Components", body)
}

fn states(visit: &Visit) -> Markup {
    html! {
        section.card.stack {
            h2 { "Badges" }
            div.row { @for word in Badge::ALL { (standing(word)) } }
            div.row {
                @for tone in [Tone::Good, Tone::Look, Tone::Bad, Tone::Calm] { (badge(tone, shape::CLOCK, "A word")) }
            }
            h2 { "Stamps" }
            p { (answered("North Star Health", Timestamp::now(), false, &visit.zone())) }
            p { (answered("North Star Health", Timestamp::now(), true, &visit.zone())) }
            p { "Ends in " (until(Timestamp::now() + jiff::SignedDuration::from_secs(90))) }
            h2 { "Notes" }
            (note(Tone::Good, "Saved.", "It is in force now."))
            (note(Tone::Look, "Other coverage.", "The carrier reports another plan."))
            (note(Tone::Bad, "Not sent.", "The carrier refused our login."))
            (note(Tone::Calm, "Not stated.", "The carrier did not say."))
        }
    }
}

fn numbers() -> Markup {
    html! {
        section.card.stack {
            h2 { "Numbers and money" }
            (number("Tracking no. (not an approval)", "NS-26-00418823"))
            (number("Authorization no.", "A-88123"))
            (money::bar("Deductible, individual", Some("1500.00"), Some("900.00"), Some("600.00")))
            (money::bar("Deductible, family", Some("3000.00"), None, Some("3000.00")))
            (money::bar("Out of pocket", None, None, Some("120.50")))
            (money::bar("Out of pocket, out of network", None, None, None))
            (pairs(&[("Plan", html! { "PPO" }), ("Group", html! { span.number { "77120" } })]))
        }
    }
}

fn forms() -> Markup {
    let none = Fields::default();
    let wrong = Problems::said("Two things must be mended.")
        .and("w.id", "Three letters and nine digits, as on the card.")
        .and("w.born", "There is no such day: look at the month and the day.");
    let options = [("self", "The subscriber"), ("spouse", "Spouse"), ("child", "Child")];
    let many: Vec<(String, String)> = options.iter().map(|(value, text)| ((*value).into(), (*text).into())).collect();
    html! {
        section.card.stack {
            h2 { "Forms" }
            form.stack {
                (text("o.id", "Member ID").hint("As on the card; spaces are fine").show(&none, &Problems::none()))
                (date("o.born", "Date of birth", "For example 3 12 1986", false, &none, &Problems::none()))
                (radios("o.who", "Patient is", &options, &Fields::of([("o.who", "self".into())]), &Problems::none()))
                (select("o.what", "Asking about", &many, &none, &Problems::none()))
                (area("o.text", "A note", Some("For yourself"), false, &none, &Problems::none()))
                (area("o.code", "A carrier file", None, true, &Fields::of([("o.code", "[carrier]\nid = \"acme\"".into())]), &Problems::none()))
                (file("o.file", "A schedule", "CSV, up to 1 MB", ".csv", &Problems::none()))
                (tick("o.yes", "This is a shared computer", &none))
                div.row {
                    button.button.first type="button" { "First" } button.button type="button" { "Other" }
                    button.button.danger type="button" { "Remove" } button.button.slim type="button" { "Slim" }
                    button.button type="button" disabled { "Not now" }
                }
            }
            form.stack {
                (wrong.summary())
                (text("w.id", "Member ID, wrong").hint("As on the card").show(&Fields::of([("w.id", "NSH 0041".into())]), &wrong))
                (date("w.born", "Date of birth, wrong", "For example 3 12 1986", false, &none, &wrong))
            }
        }
    }
}

fn work(visit: &Visit) -> Markup {
    let entry = |what: &str, how: &str| Entry {
        when: moment(Timestamp::now(), &visit.zone()),
        what: what.to_owned(),
        how: html! { (how) },
    };
    let lane = |carrier: &str, done, waits: Option<&str>| Lane {
        carrier: carrier.to_owned(),
        done,
        all: 14,
        waits: waits.map(str::to_owned),
    };
    html! {
        section.card.stack {
            h2 { "Work" }
            (bar("Batch", 29, 41))
            (lanes(&[lane("North Star Health", 14, None), lane("State Medicaid", 6, Some("closed until 06:00"))]))
            (spark("Latency of the last questions, seconds", &[0.8, 1.2, 0.9, 3.1, 0.7]))
            (columns("Questions by hour, oldest first; failed ones are striped", &[(4, 0), (9, 2), (6, 6), (0, 0), (12, 1)]))
            (timeline(&[entry("Asked", "A. Cruz"), entry("Answered", "271, 84 segments")]))
            (task("A code is needed", "North Star Health has sent a code by e-mail.", Some(html! { "90 s" }), html! { button.button type="button" { "Enter it" } }))
            (empty("No appointments for Tue 24 Nov.", html! { a.button href="/today" { "Import a schedule" } }))
            (compare::table("a = 1\nb = 2\n", "a = 1\nb = 3\n"))
            (raw("What the carrier sent", "ISA*00*~\nEB*1*IND*30~"))
            details.fold { summary { "A fold" } p { "What is in it." } }
        }
    }
}
