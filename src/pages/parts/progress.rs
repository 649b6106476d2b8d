//! How far long work is: a bar, the same in words, and how each carrier's share stands.

use maud::{Markup, html};

/// So many of so many.
pub fn bar(label: &str, done: u64, all: u64) -> Markup {
    html! {
        div.tight {
            p { strong { (label) } " " span.number { (done) " of " (all) } }
            progress max=(all.max(1)) value=(done) aria-label=(label) { (done) " of " (all) }
        }
    }
}

/// One carrier's share of the work.
pub struct Lane {
    /// The carrier.
    pub carrier: String,
    /// Done.
    pub done: u64,
    /// In all.
    pub all: u64,
    /// Why it waits, if it does.
    pub waits: Option<String>,
}

/// All shares.
pub fn lanes(lanes: &[Lane]) -> Markup {
    html! {
        ul.lanes {
            @for lane in lanes {
                li {
                    (lane.carrier) " " span.number { (lane.done) "/" (lane.all) }
                    @if let Some(why) = &lane.waits { " " span.soft { "waits: " (why) } }
                }
            }
        }
    }
}

/// Columns, oldest first: how many, and how many of these went wrong. The numbers stand in a table beside it.
pub fn columns(label: &str, values: &[(u64, u64)]) -> Markup {
    let most = values.iter().map(|(all, _)| *all).max().unwrap_or(0).max(1) as f64;
    let wide = 100.0 / values.len().max(1) as f64;
    let height = |count: u64| count as f64 / most * 30.0;
    html! {
        svg.columns viewBox="0 0 100 32" preserveAspectRatio="none" role="img" aria-label=(label) {
            @for (place, (all, wrong)) in values.iter().enumerate() {
                @let x = format!("{:.2}", place as f64 * wide + wide * 0.1);
                @let width = format!("{:.2}", wide * 0.8);
                rect.all x=(x) width=(width) y=(format!("{:.2}", 32.0 - height(*all))) height=(format!("{:.2}", height(*all))) {}
                rect.wrong x=(x) width=(width) y=(format!("{:.2}", 32.0 - height(*wrong))) height=(format!("{:.2}", height(*wrong))) {}
            }
        }
    }
}

/// A line of what was measured lately, oldest first; the numbers stand beside it.
pub fn spark(label: &str, values: &[f64]) -> Markup {
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let last = (values.len().max(2) - 1) as f64;
    let points = values
        .iter()
        .enumerate()
        .map(|(place, value)| format!("{:.1},{:.1}", place as f64 / last * 100.0, 22.0 - (value / most) * 20.0));
    html! {
        @if values.len() > 1 {
            svg.spark viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label=(label) {
                polyline points=(points.collect::<Vec<_>>().join(" ")) vector-effect="non-scaling-stroke" {}
            }
        }
    }
}
