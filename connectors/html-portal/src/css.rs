//! A CSS selector of a carrier file, read once.

use std::borrow::Cow;

use scraper::Selector;
use serde::Deserialize;

/// A CSS selector. One that cannot be read is kept with its fault, so that a check names all faults of a file at once.
#[derive(Clone, Debug, Deserialize)]
#[serde(from = "String")]
pub struct Css {
    text: String,
    selector: Option<Selector>,
}

impl Css {
    /// As it stands in the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The selector; `None` when it cannot be read, which [`crate::check`] reports.
    pub fn selector(&self) -> Option<&Selector> {
        self.selector.as_ref()
    }
}

impl From<String> for Css {
    fn from(text: String) -> Self {
        // A selector as long as a page is a mistake, and a deeply nested one would cost the parser its stack.
        let selector = (text.len() <= 500).then(|| Selector::parse(&text).ok()).flatten();
        Self { text, selector }
    }
}

impl schemars::JsonSchema for Css {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Css".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "maxLength": 500 })
    }
}

#[cfg(test)]
mod tests {
    use super::Css;

    #[test]
    fn good_and_bad_selectors() {
        for good in ["form#login", "table#r tbody tr", "a[href*='detail']", "tr:has(td)", "input[name=\"ctl00$x\"]"] {
            assert!(Css::from(good.to_owned()).selector().is_some(), "{good}");
        }
        for bad in ["", "form##", "a[", ">>"] {
            assert!(Css::from(bad.to_owned()).selector().is_none(), "{bad}");
        }
    }
}
