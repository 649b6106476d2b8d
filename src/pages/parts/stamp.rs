//! Dates, times and ages, as people read them: `12 Mar 1986`, `08:12:04`, `3 min ago`. Never `03/12/1986`.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use maud::{Markup, html};

/// A day: `12 Mar 1986`.
pub fn day(date: Date) -> String {
    date.strftime("%-d %b %Y").to_string()
}

/// A day with its weekday: `Tue 24 Nov 2026`.
pub fn weekday(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

/// A day as the carriers and our API write it, as people read it; as it stands where it is no day.
pub fn day_of(text: &str) -> String {
    text.parse::<Date>().map_or_else(|_| text.to_owned(), day)
}

/// A moment where the practice is: the time today, day and time otherwise. For programs the whole moment stands in it.
pub fn moment(at: Timestamp, zone: &TimeZone) -> Markup {
    let (then, now) = (at.to_zoned(zone.clone()), Timestamp::now().to_zoned(zone.clone()));
    let form = if then.date() == now.date() { "%H:%M:%S" } else { "%-d %b %Y %H:%M" };
    html! { time datetime=(at) { (then.strftime(form).to_string()) } }
}

/// How long ago, in one unit.
pub fn ago(at: Timestamp) -> String {
    let secs = Timestamp::now().as_second().saturating_sub(at.as_second()).max(0);
    match secs {
        0..5 => "just now".to_owned(),
        5..60 => format!("{secs} s ago"),
        60..3_600 => format!("{} min ago", secs / 60),
        3_600..172_800 => format!("{} h ago", secs / 3_600),
        _ => format!("{} days ago", secs / 86_400),
    }
}

/// How long, in words: `usually 3 s`, `2 min`.
pub fn lasts(millis: u64) -> String {
    match millis {
        0..1_000 => format!("{millis} ms"),
        1_000..120_000 => format!("{}.{} s", millis / 1_000, millis % 1_000 / 100),
        _ => format!("{} min", millis / 60_000),
    }
}

/// Who answered, when, how old it is, and whether it was saved before.
pub fn answered(carrier: &str, at: Timestamp, saved: bool, zone: &TimeZone) -> Markup {
    html! {
        span.stamp {
            "Answered by " strong { (carrier) } " at " (moment(at, zone)) " (" (ago(at)) ") · "
            @if saved { "saved answer" } @else { "live" }
        }
    }
}

/// A moment where the practice is, whole: for paper, which is read on other days.
pub fn whole(at: Timestamp, zone: &TimeZone) -> Markup {
    html! { time datetime=(at) { (at.to_zoned(zone.clone()).strftime("%-d %b %Y %H:%M:%S").to_string()) } }
}

/// The same as [`answered`] for paper: nothing in it changes with the day it is looked at.
pub fn answered_on(carrier: &str, at: Timestamp, saved: bool, zone: &TimeZone) -> Markup {
    html! {
        span.stamp {
            "Answered by " strong { (carrier) } " on " (whole(at, zone)) " · "
            @if saved { "saved answer" } @else { "live" }
        }
    }
}

/// A countdown that goes on by itself where scripts run.
pub fn until(at: Timestamp) -> Markup {
    let left = at.as_second().saturating_sub(Timestamp::now().as_second()).max(0);
    html! { time datetime=(at) data-until { (left / 60) " min " (left % 60) " s" } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_told_without_a_doubt() {
        assert_eq!(day_of("1986-03-12"), "12 Mar 1986");
        assert_eq!(day_of("soon"), "soon");
        assert_eq!(weekday("2026-11-24".parse().unwrap()), "Tue 24 Nov 2026");
        assert_eq!(lasts(812), "812 ms");
        assert_eq!(lasts(4_250), "4.2 s");
        assert_eq!(lasts(600_000), "10 min");
    }
}
