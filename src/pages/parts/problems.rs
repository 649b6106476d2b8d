//! What is wrong with a form: all of it at once, above the form and beside each field, in the same words.

use connector_sdk::ask::FieldProblem;
use maud::{Markup, html};

use crate::api::Problem;

/// Everything that is wrong. A field `a.b` of a form answers to the pointer `/a/b`.
#[derive(Default)]
pub struct Problems {
    whole: Option<String>,
    fields: Vec<(String, String)>,
}

impl Problems {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// What the API said; pointers get `prefix` before them, as the form's fields have it.
    pub fn of(problem: &Problem, prefix: &str) -> Self {
        let fields: Vec<_> = problem.errors().iter().map(|problem| Self::named(problem, prefix)).collect();
        let whole = fields.is_empty().then(|| problem.detail().to_owned());
        Self { whole, fields }
    }

    /// One sentence about the whole.
    pub fn said(text: impl Into<String>) -> Self {
        Self { whole: Some(text.into()), fields: Vec::new() }
    }

    /// Adds one about a field.
    pub fn and(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push((field.into(), message.into()));
        self
    }

    /// Both.
    pub fn with(mut self, other: Self) -> Self {
        self.whole = self.whole.or(other.whole);
        self.fields.extend(other.fields);
        self
    }

    /// Without what is said about a field.
    pub fn without(mut self, field: &str) -> Self {
        self.fields.retain(|(name, _)| name != field);
        self
    }

    fn named(problem: &FieldProblem, prefix: &str) -> (String, String) {
        let name = problem.path.trim_start_matches('/').replace('/', ".");
        (format!("{prefix}{name}"), problem.message.clone())
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.whole.is_none() && self.fields.is_empty()
    }

    /// What is wrong with this field.
    pub fn about(&self, field: &str) -> Option<&str> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, message)| message.as_str())
    }

    /// The box above the form; it takes the focus, and each line leads to its field.
    pub fn summary(&self) -> Markup {
        html! {
            @if !self.is_empty() {
                div.problems role="alert" tabindex="-1" autofocus {
                    h2 { "There is a problem" }
                    @if let Some(whole) = &self.whole { p { (whole) } }
                    @if !self.fields.is_empty() {
                        ul { @for (field, message) in &self.fields { li { a href={ "#" (id(field)) } { (message) } } } }
                    }
                }
            }
        }
    }
}

/// The element's id of a field.
pub fn id(field: &str) -> String {
    format!("f-{}", field.replace('.', "-"))
}
