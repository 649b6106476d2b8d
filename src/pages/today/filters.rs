//! What the list is narrowed to: counters that are ways to see only those, and by whom and where patients are seen.

use maud::{Markup, html};

use super::{Asked, address};
use crate::pages::parts::badge::counted;
use crate::patients::Badge;
use crate::schedule::{Choice, DayView, Only};

/// How many stand how; each is a way to see only these.
pub fn counters(day: &DayView, asked: &Asked) -> Markup {
    let waiting = day.rows.iter().filter(|row| row.needs_you).count();
    let chosen = asked.badge();
    html! {
        nav.filters aria-label="Show only" {
            a href=(address(day, None, None)) aria-current=[(chosen.is_none() && !asked.needs_you()).then_some("true")] {
                span.badge.calm { span { "All " (day.appointments) } }
            }
            @if waiting > 0 {
                a href=(address(day, Some("needs_you"), None)) aria-current=[asked.needs_you().then_some("true")] {
                    span.badge.look { span { "Needs you " (waiting) } }
                }
            }
            @for badge in Badge::ALL.iter().rev() {
                @if let Some(n) = day.counters.get(badge.word()) {
                    a href=(address(day, Some(badge.word()), None)) aria-current=[(chosen == Some(*badge)).then_some("true")] {
                        (counted(*badge, *n))
                    }
                }
            }
        }
    }
}

/// By whom and where; nothing where there is nothing to choose from.
pub fn places(day: &DayView, asked: &Asked) -> Markup {
    let kinds = [
        ("provider", "Provider", &day.providers, &day.only.provider),
        ("location", "Location", &day.locations, &day.only.location),
    ];
    let offered = |choices: &[Choice], chosen: &Option<String>| choices.len() > 1 || chosen.is_some();
    let narrowed = day.only != Only::default();
    html! {
        @if kinds.iter().any(|(_, _, choices, chosen)| offered(choices, chosen)) {
            form.row.beside.no-print method="get" action="/today" aria-label="Narrow the list" {
                input type="hidden" name="date" value=(day.date);
                @if let Some(show) = asked.badge().map(Badge::word).or(asked.needs_you().then_some("needs_you")) {
                    input type="hidden" name="show" value=(show);
                }
                @for (name, label, choices, chosen) in kinds {
                    @if offered(choices, chosen) {
                        div.field.short {
                            label for={ "only-" (name) } { (label) }
                            select id={ "only-" (name) } name=(name) {
                                option value="" { "All" }
                                @for choice in choices {
                                    option value=(choice.code) selected[chosen.as_ref() == Some(&choice.code)] {
                                        (choice.name) " (" (choice.appointments) ")"
                                    }
                                }
                            }
                        }
                    }
                }
                button.button type="submit" { "Show" }
                @if narrowed { a.button href={ "/today?date=" (day.date) } { "Show all" } }
            }
        }
    }
}

/// What the list is narrowed to, carried along in a form.
pub fn carried(only: &Only) -> Markup {
    html! {
        @for (name, code) in [("provider", &only.provider), ("location", &only.location)] {
            @if let Some(code) = code { input type="hidden" name=(name) value=(code); }
        }
    }
}

/// The same in words.
pub fn words(day: &DayView) -> Vec<&str> {
    let name = |choices: &'_ [Choice], code: &Option<String>| -> Option<usize> {
        choices.iter().position(|choice| Some(&choice.code) == code.as_ref())
    };
    let provider = name(&day.providers, &day.only.provider).and_then(|place| day.providers.get(place));
    let location = name(&day.locations, &day.only.location).and_then(|place| day.locations.get(place));
    provider.into_iter().chain(location).map(|choice| choice.name.as_str()).collect()
}
