//! Forms: the fields a browser would send, with ours filled in.

use connector_sdk::{Error, ErrorKind, Result};
use scraper::ElementRef;

use crate::css::Css;
use crate::document::{Document, fold, text_of};

/// Most controls of one form.
const CONTROLS_MAX: usize = 5000;

/// A form as it stands on a page. It may hold patient data, so it has no `Debug`.
pub struct Form {
    /// Its `action`, as written; empty sends to the page's own address.
    pub action: String,
    /// Whether it is sent by POST.
    pub post: bool,
    controls: Vec<Control>,
}

struct Control {
    name: String,
    id: Option<String>,
    kind: Kind,
    /// What a browser sends for it as the page stands; `None`: nothing.
    value: Option<String>,
    /// Choices of a list or a set of radio buttons: value and words.
    choices: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Choice,
    Radio,
    Tick,
    Button,
}

impl Form {
    /// Reads the form a selector finds. `button` names the button that is pressed; the first one otherwise.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] when the form or the button is not there, or is sent in a way not supported.
    pub fn read(page: &Document, css: &Css, button: Option<&Css>) -> Result<Self> {
        let mut forms = page.select(css).filter(|element| element.value().name() == "form");
        let Some(form) = forms.next() else { return Err(missing("form")) };
        Self::read_element(page, form, button)
    }

    /// Reads a form given as its element.
    ///
    /// # Errors
    /// As [`Form::read`].
    pub fn read_element(page: &Document, form: ElementRef<'_>, button: Option<&Css>) -> Result<Self> {
        let pressed = match button {
            None => None,
            Some(css) => Some(page.first(css).ok_or_else(|| missing("button"))?),
        };
        let mut action = form.attr("action").unwrap_or_default().to_owned();
        let mut method = form.attr("method").unwrap_or("get").to_owned();
        if form.attr("enctype").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/")) {
            return Err(Error::new(
                ErrorKind::ProtocolBroken,
                "A form of the portal is sent as multipart, which is not supported.",
            ));
        }
        let mut controls = Vec::new();
        let mut buttons = 0_usize;
        for element in owned(page, form) {
            if controls.len() >= CONTROLS_MAX {
                return Err(Error::new(
                    ErrorKind::ProtocolBroken,
                    "A form of the portal has more fields than any form for people.",
                ));
            }
            let is_pressed = pressed.is_some_and(|button| button.id() == element.id());
            let Some(mut control) = control(element, is_pressed) else { continue };
            if control.kind == Kind::Button {
                buttons += 1;
                if !(is_pressed || pressed.is_none() && buttons == 1) {
                    control.value = None;
                }
            }
            if is_pressed {
                action = element.attr("formaction").map_or(action, str::to_owned);
                method = element.attr("formmethod").map_or(method, str::to_owned);
            }
            controls.push(control);
        }
        Ok(Self { action, post: method.eq_ignore_ascii_case("post"), controls })
    }

    /// Fills a field in, named by its `name` or by `#id`. A list takes a choice by its value, else by its words.
    ///
    /// # Errors
    /// [`ErrorKind::ProtocolBroken`] when the form has no such field or the list no such choice.
    pub fn fill(&mut self, field: &str, value: &str) -> Result<()> {
        let named = match field.strip_prefix('#') {
            None => field.to_owned(),
            Some(id) => self
                .controls
                .iter()
                .find(|control| control.id.as_deref() == Some(id))
                .map(|control| control.name.clone())
                .ok_or_else(|| missing("field"))?,
        };
        let mut filled = false;
        for control in self.controls.iter_mut().filter(|control| control.name == named) {
            if filled && control.kind != Kind::Radio && control.kind != Kind::Choice {
                control.value = None;
                continue;
            }
            match control.kind {
                Kind::Text | Kind::Button | Kind::Tick => {
                    control.value = (control.kind != Kind::Tick || !value.is_empty()).then(|| value.to_owned());
                    filled = true;
                }
                Kind::Choice | Kind::Radio => {
                    let chosen = choice(&control.choices, value);
                    filled |= chosen.is_some();
                    control.value = chosen;
                }
            }
        }
        let there = self.controls.iter().any(|control| control.name == named);
        match (there, filled) {
            (true, true) => Ok(()),
            (true, false) => Err(missing("choice")),
            (false, _) => Err(missing("field")),
        }
    }

    /// Sets a field whether the form has it or not.
    pub fn set(&mut self, name: &str, value: &str) {
        self.controls.retain(|control| control.name != name);
        self.controls.push(Control {
            name: name.to_owned(),
            id: None,
            kind: Kind::Text,
            value: Some(value.to_owned()),
            choices: Vec::new(),
        });
    }

    /// No button is pressed: a script sends the form.
    pub fn without_button(&mut self) {
        self.controls.retain(|control| control.kind != Kind::Button);
    }

    /// Names and values, in the order of the page.
    pub fn pairs(&self) -> Vec<(String, String)> {
        self.controls.iter().filter_map(|c| c.value.clone().map(|value| (c.name.clone(), value))).collect()
    }
}

fn missing(what: &'static str) -> Error {
    Error::new(ErrorKind::ProtocolBroken, "A form of the portal is not as the carrier file describes it.")
        .fact("missing", what)
}

fn choice(choices: &[(String, String)], wanted: &str) -> Option<String> {
    let by_value = choices.iter().find(|(value, _)| value == wanted);
    let folded = fold(wanted);
    by_value.or_else(|| choices.iter().find(|(_, words)| fold(words) == folded)).map(|(value, _)| value.clone())
}

/// The controls that belong to a form: inside it, or tied to it by `form=`, or (a form that a table has torn apart, as
/// parsers are told to do) standing after it and before the next form without being inside any.
fn owned<'a>(page: &'a Document, form: ElementRef<'a>) -> Vec<ElementRef<'a>> {
    let is_control =
        |element: &ElementRef<'_>| matches!(element.value().name(), "input" | "select" | "textarea" | "button");
    let form_of = |element: ElementRef<'a>| {
        element.ancestors().filter_map(ElementRef::wrap).find(|parent| parent.value().name() == "form")
    };
    let torn = !form.descendent_elements().any(|element| is_control(&element));
    let mut last_form = None;
    let mut found = Vec::new();
    for element in page.elements() {
        if element.value().name() == "form" {
            last_form = Some(element.id());
        }
        if !is_control(&element) {
            continue;
        }
        let own = match (element.attr("form"), form_of(element)) {
            (Some(id), _) => form.value().id() == Some(id),
            (None, Some(parent)) => parent.id() == form.id(),
            (None, None) => torn && last_form == Some(form.id()),
        };
        if own {
            found.push(element);
        }
    }
    found
}

fn control(element: ElementRef<'_>, pressed: bool) -> Option<Control> {
    let name = element.attr("name").unwrap_or_default().to_owned();
    if name.is_empty() && !pressed || element.attr("disabled").is_some() {
        return None;
    }
    let tag = element.value().name();
    let kind_word = element.attr("type").unwrap_or_default().to_ascii_lowercase();
    let value = element.attr("value").unwrap_or_default().to_owned();
    let (kind, value, choices) = match (tag, kind_word.as_str()) {
        ("button", "" | "submit") | ("input", "submit" | "image") => {
            (Kind::Button, (!name.is_empty()).then_some(value), Vec::new())
        }
        ("button", _) | ("input", "reset" | "button" | "file") => return None,
        ("input", "radio" | "checkbox") => {
            let sent = element.attr("value").unwrap_or("on").to_owned();
            let on = element.attr("checked").is_some().then(|| sent.clone());
            if kind_word == "radio" {
                (Kind::Radio, on, vec![(sent, String::new())])
            } else {
                (Kind::Tick, on, Vec::new())
            }
        }
        ("select", _) => {
            let options: Vec<ElementRef<'_>> =
                element.descendent_elements().filter(|option| option.value().name() == "option").collect();
            let pair = |option: &ElementRef<'_>| {
                let words = text_of(*option);
                (option.attr("value").map_or_else(|| words.clone(), str::to_owned), words)
            };
            let chosen = options
                .iter()
                .find(|option| option.attr("selected").is_some())
                .or_else(|| options.first().filter(|_| element.attr("multiple").is_none()));
            (Kind::Choice, chosen.map(|option| pair(option).0), options.iter().map(pair).collect())
        }
        ("textarea", _) => (Kind::Text, Some(element.text().collect()), Vec::new()),
        _ => (Kind::Text, Some(value), Vec::new()),
    };
    Some(Control { name, id: element.value().id().map(str::to_owned), kind, value, choices })
}

/// The two values of an ASP.NET link `javascript:__doPostBack('target','argument')`.
pub fn post_back(link: &str) -> Option<(String, String)> {
    let inside = link.split_once("__doPostBack(")?.1;
    let mut quoted = inside.split('\'');
    let (_, target, comma, argument) = (quoted.next()?, quoted.next()?, quoted.next()?, quoted.next()?);
    (comma.trim() == "," && !target.is_empty()).then(|| (target.to_owned(), argument.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<form id=f action="/go" method=POST>
        <input type=hidden name=__VIEWSTATE value="/wEP+"><input name=user><input type=checkbox name=a checked>
        <input type=checkbox name=b><input type=radio name=r value=1 checked><input type=radio name=r value=2>
        <select name=s><option value=A>All<option value=O>Office visit</select><textarea name=t>x</textarea>
        <input disabled name=no value=1><input type=submit name=go value=Search><button name=reset2 id=second>x</button></form>
        <input name=far form=f value=9>"#;

    fn read(page: &str, css: &str) -> Result<Form> {
        Form::read(&Document::parse(page).unwrap(), &Css::from(css.to_owned()), None)
    }

    fn text(form: &Form) -> String {
        crate::address::form_encode(&form.pairs())
    }

    #[test]
    fn what_a_browser_sends() {
        let form = read(PAGE, "#f").unwrap();
        assert!(form.post && form.action == "/go");
        assert_eq!(text(&form), "__VIEWSTATE=%2FwEP%2B&user=&a=on&r=1&s=A&t=x&go=Search&far=9");
    }

    #[test]
    fn filling_in() {
        let mut form = read(PAGE, "#f").unwrap();
        for (field, value) in [("user", "u"), ("r", "2"), ("s", "office VISIT"), ("a", ""), ("b", "yes")] {
            form.fill(field, value).unwrap();
        }
        assert_eq!(text(&form), "__VIEWSTATE=%2FwEP%2B&user=u&b=yes&r=2&s=O&t=x&go=Search&far=9");
        assert!(form.fill("gone", "1").unwrap_err().to_string().contains("missing=field"));
        assert!(form.fill("s", "zz").unwrap_err().to_string().contains("missing=choice"));
        assert!(form.fill("#nope", "zz").is_err());
    }

    #[test]
    fn a_form_torn_by_a_table_and_forms_not_there() {
        let torn = "<table><form id=f action=a method=post><tr><td><input name=x value=1></td></tr></form></table><form id=g></form><input name=y>";
        assert_eq!(text(&read(torn, "#f").unwrap()), "x=1");
        assert!(read(PAGE, "#g").err().unwrap().to_string().contains("missing=form"));
        assert!(read("<form id=f enctype=multipart/form-data></form>", "#f").is_err());
    }

    #[test]
    fn aspnet_links() {
        assert_eq!(
            post_back("javascript:__doPostBack('ctl00$g','Select$0')"),
            Some(("ctl00$g".into(), "Select$0".into()))
        );
        assert_eq!(post_back("javascript:__doPostBack('ctl00$g','')"), Some(("ctl00$g".into(), String::new())));
        assert_eq!(post_back("javascript:void(0)"), None);
    }
}
