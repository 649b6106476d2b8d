//! Fields of forms: a label, a hint, what is wrong, and what was typed, as it was typed.

use maud::{Markup, html};

use super::problems::{Problems, id};
use crate::pages::fields::Fields;

/// One line of text.
pub struct Text<'a> {
    name: &'a str,
    label: &'a str,
    hint: Option<&'a str>,
    kind: &'a str,
    size: &'a str,
    complete: &'a str,
    mode: Option<&'a str>,
    max: u32,
    required: bool,
    focus: bool,
    sends: Option<u32>,
}

/// A line of text.
pub fn text<'a>(name: &'a str, label: &'a str) -> Text<'a> {
    Text {
        name,
        label,
        hint: None,
        kind: "text",
        size: "",
        complete: "off",
        mode: None,
        max: 200,
        required: false,
        focus: false,
        sends: None,
    }
}

impl<'a> Text<'a> {
    /// What helps to fill it in.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// The input's type: `email`, `password`, `date`, `search`, `url`.
    pub fn kind(mut self, kind: &'a str) -> Self {
        self.kind = kind;
        self
    }

    /// `short` or `tiny`.
    pub fn size(mut self, size: &'a str) -> Self {
        self.size = size;
        self
    }

    /// What a browser may fill in.
    pub fn complete(mut self, word: &'a str) -> Self {
        self.complete = word;
        self
    }

    /// Which keyboard a telephone shows.
    pub fn mode(mut self, mode: &'a str) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Characters at most.
    pub fn max(mut self, max: u32) -> Self {
        self.max = max;
        self
    }

    /// Must be filled in. Said in words by those that need not: most must.
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Has the focus when the page comes.
    pub fn focus(mut self) -> Self {
        self.focus = true;
        self
    }

    /// Sends the form by itself, where scripts run, when so many digits are typed.
    pub fn sends(mut self, digits: u32) -> Self {
        self.sends = Some(digits);
        self
    }

    /// The field.
    pub fn show(self, fields: &Fields, problems: &Problems) -> Markup {
        let (own, wrong) = (id(self.name), problems.about(self.name));
        // A password is typed again: it does not come back in a page.
        let value = (self.kind != "password").then(|| fields.raw(self.name)).filter(|value| !value.is_empty());
        html! {
            div.field .short[self.size == "short"] .tiny[self.size == "tiny"] .has-wrong[wrong.is_some()] {
                label for=(own) { (self.label) }
                (beside(&own, self.hint, wrong))
                input id=(own) name=(self.name) type=(self.kind) value=[value] autocomplete=(self.complete) maxlength=(self.max)
                    inputmode=[self.mode] required[self.required] autofocus[self.focus] data-sends=[self.sends]
                    aria-invalid=[wrong.map(|_| "true")] aria-describedby=[described(&own, self.hint, wrong)];
                @if self.kind == "password" {
                    button.button.slim.script-only type="button" data-show=(own) aria-pressed="false" { "Show" }
                }
            }
        }
    }
}

fn beside(own: &str, hint: Option<&str>, wrong: Option<&str>) -> Markup {
    html! {
        @if let Some(hint) = hint { span.hint id={ (own) "-hint" } { (hint) } }
        @if let Some(wrong) = wrong { span.wrong id={ (own) "-wrong" } { span.hidden { "Error: " } (wrong) } }
    }
}

fn described(own: &str, hint: Option<&str>, wrong: Option<&str>) -> Option<String> {
    let parts = [hint.map(|_| format!("{own}-hint")), wrong.map(|_| format!("{own}-wrong"))];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

/// Several lines of text; `code` in letters of one width.
pub fn area(name: &str, label: &str, hint: Option<&str>, code: bool, fields: &Fields, problems: &Problems) -> Markup {
    let (own, wrong) = (id(name), problems.about(name));
    html! {
        div.field .has-wrong[wrong.is_some()] {
            label for=(own) { (label) }
            (beside(&own, hint, wrong))
            textarea .code[code] id=(own) name=(name) spellcheck=(if code { "false" } else { "true" }) autocomplete="off"
                aria-invalid=[wrong.map(|_| "true")] aria-describedby=[described(&own, hint, wrong)] { "\n" (fields.raw(name)) }
        }
    }
}

/// One of a few, all of them in sight.
pub fn radios(name: &str, label: &str, options: &[(&str, &str)], fields: &Fields, problems: &Problems) -> Markup {
    let (own, wrong, now) = (id(name), problems.about(name), fields.get(name));
    html! {
        fieldset.field id=(own) .has-wrong[wrong.is_some()] aria-describedby=[described(&own, None, wrong)] {
            legend { (label) }
            (beside(&own, None, wrong))
            div.choices {
                @for (value, text) in options {
                    label { input type="radio" name=(name) value=(value) checked[*value == now]; (text) }
                }
            }
        }
    }
}

/// One of many.
pub fn select(name: &str, label: &str, options: &[(String, String)], fields: &Fields, problems: &Problems) -> Markup {
    let (own, wrong, now) = (id(name), problems.about(name), fields.get(name));
    html! {
        div.field .has-wrong[wrong.is_some()] {
            label for=(own) { (label) }
            (beside(&own, None, wrong))
            select id=(own) name=(name) aria-invalid=[wrong.map(|_| "true")] aria-describedby=[described(&own, None, wrong)] {
                @for (value, text) in options { option value=(value) selected[value == now] { (text) } }
            }
        }
    }
}

/// A box to tick.
pub fn tick(name: &str, label: &str, fields: &Fields) -> Markup {
    html! {
        div.choices.tick { label { input type="checkbox" name=(name) value="yes" checked[fields.ticked(name)]; (label) } }
    }
}

/// A file.
pub fn file(name: &str, label: &str, hint: &str, accept: &str, problems: &Problems) -> Markup {
    let (own, wrong) = (id(name), problems.about(name));
    html! {
        div.field .has-wrong[wrong.is_some()] {
            label for=(own) { (label) }
            (beside(&own, Some(hint), wrong))
            input id=(own) type="file" name=(name) accept=(accept) aria-describedby=[described(&own, Some(hint), wrong)];
        }
    }
}

/// Month, day and year in three boxes, in the order in which they stand on a card of this country. The fields are
/// `name.month`, `name.day` and `name.year`; [`date_of`] reads them.
pub fn date(name: &str, label: &str, hint: &str, focus: bool, fields: &Fields, problems: &Problems) -> Markup {
    let (own, wrong) = (id(name), problems.about(name));
    let boxes = [("month", "Month", 9, "bday-month"), ("day", "Day", 2, "bday-day"), ("year", "Year", 4, "bday-year")];
    html! {
        fieldset.field .has-wrong[wrong.is_some()] aria-describedby=[described(&own, Some(hint), wrong)] {
            legend { (label) }
            (beside(&own, Some(hint), wrong))
            div.birth {
                @for (place, (part, word, max, _)) in boxes.into_iter().enumerate() {
                    @let field = format!("{name}.{part}");
                    // The problem's line leads to the first box.
                    @let at = if place == 0 { own.clone() } else { id(&field) };
                    div {
                        label for=(at) { (word) }
                        input id=(at) name=(field) value=(fields.raw(&field)) inputmode=(if part == "month" { "text" } else { "numeric" })
                            maxlength=(max) autocomplete="off" autofocus[focus && place == 0] aria-invalid=[wrong.map(|_| "true")];
                    }
                }
            }
        }
    }
}

/// The date in the three boxes of [`date`], as the API takes it; `None` where all three are empty.
///
/// # Errors
/// One sentence for the person: which part is wrong, and how to write it.
pub fn date_of(fields: &Fields, name: &str, today: jiff::civil::Date) -> Result<Option<jiff::civil::Date>, String> {
    let part = |part| fields.get(&format!("{name}.{part}")).to_owned();
    let (month, day, year) = (part("month"), part("day"), part("year"));
    if month.is_empty() && day.is_empty() && year.is_empty() {
        return Ok(None);
    }
    let month = month_of(&month).ok_or("Write the month as a number from 1 to 12, or by its name.")?;
    let day: i8 = day.parse().map_err(|_| "Write the day as a number from 1 to 31.".to_owned())?;
    let year = year_of(&year, today)?;
    let date = jiff::civil::Date::new(year, month, day);
    Ok(Some(date.map_err(|_| "There is no such day: look at the month and the day.".to_owned())?))
}

/// The three boxes' texts of a date.
pub fn date_fields(name: &str, date: jiff::civil::Date) -> [(String, String); 3] {
    [
        (format!("{name}.month"), format!("{:02}", date.month())),
        (format!("{name}.day"), format!("{:02}", date.day())),
        (format!("{name}.year"), date.year().to_string()),
    ]
}

fn month_of(text: &str) -> Option<i8> {
    const NAMES: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    if let Ok(number) = text.parse::<i8>() {
        return (1..=12).contains(&number).then_some(number);
    }
    let start: String = text.to_lowercase().chars().take(3).collect();
    NAMES.iter().position(|name| *name == start).and_then(|place| i8::try_from(place + 1).ok())
}

fn year_of(text: &str, today: jiff::civil::Date) -> Result<i16, String> {
    let year: i16 = text.parse().map_err(|_| "Write the year with four digits.".to_owned())?;
    match (text.len(), year) {
        // Never guessed: a child and a great-grandmother have the same two digits.
        (2, _) => {
            let century = today.year() / 100 * 100;
            let (late, early) = (century + year, century - 100 + year);
            Err(match late <= today.year() {
                true => format!("Write the year with four digits: {late} or {early}?"),
                false => format!("Write the year with four digits: {early}?"),
            })
        }
        (4, 1800..) => Ok(year),
        _ => Err("Write the year with four digits.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(month: &str, day: &str, year: &str) -> Result<Option<String>, String> {
        let mut fields = Fields::of([]);
        for (name, value) in [("b.month", month), ("b.day", day), ("b.year", year)] {
            fields.put(name, value);
        }
        date_of(&fields, "b", "2026-11-23".parse().unwrap()).map(|date| date.map(|date| date.to_string()))
    }

    #[test]
    fn a_date_is_read_and_never_guessed() {
        assert_eq!(typed("03", "12", "1986"), Ok(Some("1986-03-12".to_owned())));
        assert_eq!(typed("March", " 2 ", "2026"), Ok(Some("2026-03-02".to_owned())));
        assert_eq!(typed("", "", ""), Ok(None));
        assert_eq!(typed("3", "12", "26").unwrap_err(), "Write the year with four digits: 2026 or 1926?");
        assert_eq!(typed("3", "12", "86").unwrap_err(), "Write the year with four digits: 1986?");
        assert!(typed("13", "1", "1986").unwrap_err().contains("month"));
        assert!(typed("2", "30", "1986").unwrap_err().contains("no such day"));
        assert!(typed("2", "", "1986").unwrap_err().contains("day"));
    }

    #[test]
    fn what_was_typed_stands_in_the_field_again_escaped() {
        let mut fields = Fields::of([]);
        fields.put("name", "\"><script>");
        fields.put("word", "hunter2");
        let shown = text("name", "Name").show(&fields, &Problems::none().and("name", "Not so.")).into_string();
        assert!(shown.contains("&quot;&gt;&lt;script&gt;") && shown.contains("Not so."), "{shown}");
        let shown = text("word", "Password").kind("password").show(&fields, &Problems::none()).into_string();
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
