//! When a carrier is closed, by its own clock.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::{ClosedWindow, Hours};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: u16 = 24 * 60;
/// How to write a window, for messages.
const HELP: &str = "write it like \"Sun 02:00-06:00 America/New_York\"";

impl Hours {
    /// Until when the carrier is closed, when it is closed at `now`; windows that touch are one, sixteen of them at
    /// most (a carrier that is closed at all times).
    pub fn closed_until(&self, now: Timestamp) -> Option<Timestamp> {
        let mut until = None;
        // Each step goes to the end of one window, where the next one may begin.
        for _ in 0..16 {
            let at = until.unwrap_or(now);
            match self.closed.iter().filter_map(|window| window.end_at(at)).max() {
                Some(end) => until = Some(end),
                None => break,
            }
        }
        until
    }
}

/// Days ahead in which the next window is looked for: all windows are weekly.
const LOOK_DAYS: usize = 8;

impl Hours {
    /// When the carrier closes next, after `now`, and until when.
    pub fn next_closed(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let next = self.closed.iter().filter_map(|window| window.next_after(now)).min()?;
        Some((next, self.closed_until(next)?))
    }
}

impl ClosedWindow {
    /// When this window begins next, after `now`.
    fn next_after(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let mut day = now.to_zoned(zone.clone()).date();
        for _ in 0..=LOOK_DAYS {
            let its = self.weekday.is_none_or(|weekday| day.weekday().to_monday_one_offset() == weekday);
            let from = instant(day, self.from_minute, &zone).filter(|from| its && *from > now);
            if from.is_some() {
                return from;
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    /// The end of this window's occurrence that holds at `now`.
    fn end_at(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = TimeZone::get(&self.zone).ok()?;
        let today = now.to_zoned(zone.clone()).date();
        let past_midnight = self.to_minute <= self.from_minute;
        // An occurrence that began yesterday may still hold.
        [today.yesterday().ok()?, today].into_iter().find_map(|day| {
            if self.weekday.is_some_and(|weekday| day.weekday().to_monday_one_offset() != weekday) {
                return None;
            }
            let last = if past_midnight { day.tomorrow().ok()? } else { day };
            let from = instant(day, self.from_minute, &zone)?;
            let to = instant(last, self.to_minute, &zone)?;
            (from <= now && now < to).then_some(to)
        })
    }

    /// Reads `"Sun 02:00-06:00 America/New_York"`; `Mon-Fri` and `daily` (or no day) give several days or every day.
    ///
    /// # Errors
    /// What is wrong, and how to write it.
    pub fn parse(text: &str) -> Result<Vec<Self>, (String, String)> {
        let wrong = |message: String| (message, HELP.to_owned());
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, span, zone) = match words.as_slice() {
            [days, span, zone] => (*days, *span, *zone),
            [span, zone] if span.contains(':') => ("daily", *span, *zone),
            _ => return Err(wrong("a closed window is a day, a time span and a time zone".to_owned())),
        };
        let weekdays = weekdays(days).ok_or_else(|| wrong(format!("\"{days}\" is no day of the week")))?;
        let (from, to) =
            span.split_once('-').ok_or_else(|| wrong(format!("\"{span}\" is no time span such as 02:00-06:00")))?;
        let minute = |text: &str| minute_of_day(text).ok_or_else(|| wrong(format!("\"{text}\" is no time of day")));
        let (from_minute, to_minute) = (minute(from)?, minute(to)?);
        if from_minute == to_minute || from_minute == DAY_MINUTES {
            let help = "write the whole day as 00:00-24:00".to_owned();
            return Err((format!("the span \"{span}\" is empty"), help));
        }
        TimeZone::get(zone).map_err(|_| {
            (format!("\"{zone}\" is no known time zone"), "write an IANA name, such as America/Chicago".to_owned())
        })?;
        let zone = zone.to_owned();
        Ok(weekdays.into_iter().map(|weekday| Self { weekday, from_minute, to_minute, zone: zone.clone() }).collect())
    }
}

fn instant(day: Date, minute: u16, zone: &TimeZone) -> Option<Timestamp> {
    let (day, minute) = if minute >= DAY_MINUTES { (day.tomorrow().ok()?, 0) } else { (day, minute) };
    let midnight = day.to_datetime(Time::midnight());
    let wall = midnight.checked_add(i64::from(minute).minutes()).ok()?;
    // A time that the clock skips in spring or shows twice in autumn is read as jiff reads it: the later wall time
    // after a gap, the first of two.
    zone.to_ambiguous_timestamp(wall).compatible().ok()
}

fn weekdays(text: &str) -> Option<Vec<Option<i8>>> {
    let text = text.to_lowercase();
    if text == "daily" {
        return Some(vec![None]);
    }
    let number = |name: &str| -> Option<i8> {
        let place = DAYS.iter().position(|day| name == *day || (name.len() > 3 && name.starts_with(day)))?;
        i8::try_from(place + 1).ok()
    };
    let Some((first, last)) = text.split_once('-') else { return Some(vec![Some(number(&text)?)]) };
    let (mut day, last) = (number(first)?, number(last)?);
    let mut days = vec![Some(day)];
    while day != last && days.len() < 7 {
        day = day % 7 + 1;
        days.push(Some(day));
    }
    Some(days)
}

fn minute_of_day(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY_MINUTES).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(windows: &[&str]) -> Hours {
        Hours { closed: windows.iter().flat_map(|text| ClosedWindow::parse(text).unwrap()).collect() }
    }

    fn until(hours: &Hours, now: &str) -> Option<String> {
        hours.closed_until(now.parse().unwrap()).map(|end| end.to_string())
    }

    #[test]
    fn the_next_window_is_found() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let closed = ["Sun 02:00-06:00 UTC", "Sun 06:00-07:00 UTC", "Mon-Fri 23:00-01:00 UTC"];
        let hours = Hours { closed: closed.iter().flat_map(|text| ClosedWindow::parse(text).unwrap()).collect() };
        // A Saturday, then a Monday.
        assert_eq!(
            hours.next_closed(at("2026-11-21T12:00:00Z")),
            Some((at("2026-11-22T02:00:00Z"), at("2026-11-22T07:00:00Z")))
        );
        assert_eq!(
            hours.next_closed(at("2026-11-23T23:30:00Z")),
            Some((at("2026-11-24T23:00:00Z"), at("2026-11-25T01:00:00Z")))
        );
        assert_eq!(Hours::default().next_closed(at("2026-11-21T12:00:00Z")), None);
    }

    #[test]
    fn a_weekly_window_by_the_carriers_clock() {
        let hours = hours(&["Sun 02:00-06:00 America/New_York"]);
        // 2026-11-22 is a Sunday; New York is five hours behind in winter.
        assert_eq!(until(&hours, "2026-11-22T06:59:59Z"), None);
        assert_eq!(until(&hours, "2026-11-22T07:00:00Z").unwrap(), "2026-11-22T11:00:00Z");
        assert_eq!(until(&hours, "2026-11-22T10:59:59Z").unwrap(), "2026-11-22T11:00:00Z");
        assert_eq!(until(&hours, "2026-11-22T11:00:00Z"), None);
        assert_eq!(until(&hours, "2026-11-23T08:00:00Z"), None);
        // Four hours behind in summer.
        assert_eq!(until(&hours, "2026-07-05T06:00:00Z").unwrap(), "2026-07-05T10:00:00Z");
    }

    #[test]
    fn a_window_past_midnight_and_windows_that_touch() {
        let night = hours(&["Sat 22:00-04:00 America/New_York"]);
        assert_eq!(until(&night, "2026-11-22T03:00:00Z").unwrap(), "2026-11-22T09:00:00Z");
        assert_eq!(until(&night, "2026-11-22T08:00:00Z").unwrap(), "2026-11-22T09:00:00Z");
        assert_eq!(until(&night, "2026-11-23T08:00:00Z"), None);
        let two = hours(&["daily 22:00-24:00 UTC", "Mon 00:00-01:00 UTC"]);
        assert_eq!(until(&two, "2026-11-22T23:00:00Z").unwrap(), "2026-11-23T01:00:00Z");
        assert_eq!(until(&two, "2026-11-23T23:00:00Z").unwrap(), "2026-11-24T00:00:00Z");
        let always = hours(&["daily 00:00-24:00 UTC"]);
        assert!(until(&always, "2026-11-23T23:00:00Z").is_some());
    }

    #[test]
    fn the_clock_jumps() {
        // Spring: 02:00 to 03:00 does not exist on 2026-03-08 in New York; the window begins at 03:00 EDT.
        let hours = hours(&["Sun 02:00-06:00 America/New_York"]);
        assert_eq!(until(&hours, "2026-03-08T06:59:00Z"), None);
        assert_eq!(until(&hours, "2026-03-08T07:00:00Z").unwrap(), "2026-03-08T10:00:00Z");
        // Autumn: 01:30 comes twice on 2026-11-01; the window holds from the first to 06:00 EST.
        let hours = super::tests::hours(&["Sun 01:30-06:00 America/New_York"]);
        assert_eq!(until(&hours, "2026-11-01T05:30:00Z").unwrap(), "2026-11-01T11:00:00Z");
        assert_eq!(until(&hours, "2026-11-01T06:45:00Z").unwrap(), "2026-11-01T11:00:00Z");
    }

    #[test]
    fn spans_of_days_and_bad_windows() {
        assert_eq!(ClosedWindow::parse("Fri-Mon 01:00-02:00 UTC").unwrap().len(), 4);
        assert_eq!(ClosedWindow::parse("23:00-01:00 UTC").unwrap()[0].weekday, None);
        assert_eq!(ClosedWindow::parse("Sunday 01:00-02:00 UTC").unwrap()[0].weekday, Some(7));
        for (bad, word) in [
            ("", "a closed window"),
            ("Sum 02:00-06:00 UTC", "Sum"),
            ("Sun 2:00-06:00 UTC", "2:00"),
            ("Sun 02:00-24:01 UTC", "24:01"),
            ("Sun 02:00 UTC", "02:00"),
            ("Sun 02:00-02:00 UTC", "empty"),
            ("Sun 02:00-06:00 Mars/Olympus", "Mars"),
            ("Sün 02:00-06:00 UTC", "Sün"),
        ] {
            let (message, _) = ClosedWindow::parse(bad).unwrap_err();
            assert!(message.contains(word), "{bad}: {message}");
        }
    }
}
