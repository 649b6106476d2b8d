//! Timelines, pairs, empty places, numbers with their kind, and raw texts.

use maud::{Markup, html};

/// One entry of a timeline.
pub struct Entry {
    /// When, as [`super::stamp::moment`] shows it.
    pub when: Markup,
    /// What, in a few words.
    pub what: String,
    /// Who and through what, in small letters.
    pub how: Markup,
}

/// What happened, in the order given.
pub fn timeline(entries: &[Entry]) -> Markup {
    html! {
        ol.timeline {
            @for entry in entries {
                li { div.row { span.stamp { (entry.when) } span.what { (entry.what) } } div.soft.small { (entry.how) } }
            }
        }
    }
}

/// Names and values.
pub fn pairs(pairs: &[(&str, Markup)]) -> Markup {
    html! { dl.pairs { @for (name, value) in pairs { dt { (name) } dd { (value) } } } }
}

/// Where there is nothing: one sentence, and what to do about it.
pub fn empty(sentence: &str, ways: Markup) -> Markup {
    html! { div.empty { p { (sentence) } div.row { (ways) } } }
}

/// A number with its kind. They are taken for one another all the time: the kind goes into the clipboard too.
pub fn number(kind: &str, value: &str) -> Markup {
    html! {
        span.row {
            span.kind { (kind) } span.number { (value) }
            button.button.slim.script-only type="button" data-copy={ (kind) " " (value) } aria-label={ "Copy " (kind) } { "Copy" }
        }
    }
}

/// What a carrier sent, letter by letter.
pub fn raw(label: &str, text: &str) -> Markup {
    html! { pre.raw tabindex="0" role="region" aria-label=(label) { (text) } }
}

/// A sentence that must be seen, in a tone.
pub fn note(tone: super::badge::Tone, title: &str, text: &str) -> Markup {
    html! { div class={ "note " (tone.class()) } { strong { (title) } " " (text) } }
}

/// A thing that waits for a person.
pub fn task(title: &str, text: &str, until: Option<Markup>, ways: Markup) -> Markup {
    html! {
        article.card.stack {
            div.row.ends { h3 { (title) } @if let Some(until) = until { span.stamp { "within " (until) } } }
            p { (text) }
            div.row { (ways) }
        }
    }
}
