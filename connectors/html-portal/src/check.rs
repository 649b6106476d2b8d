//! Everything that may be wrong with a portal's description, found at once, before it is used.

use std::collections::BTreeSet;

use connector_sdk::{Settings, SettingsProblem};

use crate::address::join;
use crate::css::Css;
use crate::settings::{
    BenefitPlaces, Clue, Detail, EligibilitySettings, Find, Identity, PageKind, PersonAnswer, PersonPlaces, PlanPlaces,
    PortalSettings, Step,
};
use crate::template::{ASK_NAMES, Filter, Filters, Name, Template, unknown};

/// What is wrong with a description; empty when it can be used.
pub fn check(settings: &PortalSettings, file: &Settings) -> Vec<SettingsProblem> {
    let mut checker = Checker { settings, file, problems: Vec::new() };
    checker.whole();
    checker.problems
}

struct Checker<'a> {
    settings: &'a PortalSettings,
    file: &'a Settings,
    problems: Vec<SettingsProblem>,
}

/// Which steps are being checked, and what may stand in them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    SignIn,
    SignOut,
    Question,
    /// A person's answer to a page; whether it is a new password.
    Answer {
        password: bool,
    },
}

impl Checker<'_> {
    fn say(&mut self, path: &str, message: impl Into<String>) {
        self.problems.push(SettingsProblem::new(path, message));
    }

    fn say_with(&mut self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(SettingsProblem::new(path, message).help(help));
    }

    fn whole(&mut self) {
        let settings = self.settings;
        if let Err(problem) = self.file.address("base_url", &settings.base_url) {
            self.problems.push(problem);
        } else if !settings.base_url.ends_with('/') {
            self.say_with(
                "base_url",
                "base_url must end with a slash: paths are relative to it.",
                format!("Write \"{}/\"", settings.base_url),
            );
        }
        self.clues("signed_in", &settings.signed_in, true);
        self.clues("signed_out", &settings.signed_out, true);
        for (place, rule) in settings.pages.iter().enumerate() {
            self.clues(&format!("pages.{place}.when"), &rule.when, true);
            if let Some(answer) = &rule.answer {
                self.answer(&format!("pages.{place}.answer"), rule.kind, answer);
            }
        }
        let mut taken = BTreeSet::new();
        self.steps("sign_in", &settings.sign_in, Part::SignIn, &mut taken);
        self.steps("sign_out", &settings.sign_out, Part::SignOut, &mut BTreeSet::new());
        let sends = settings.sign_in.iter().flat_map(|step| step.fields.values().chain(step.extra.values()));
        if settings.sign_in.is_empty() {
            self.say_with(
                "sign_in",
                "The sign-in has no steps.",
                "Add [[settings.sign_in]] with name and get, then one with submit.",
            );
        } else if !sends.flat_map(Template::names).any(|(name, _)| matches!(name, Name::Secret(_))) {
            self.say_with(
                "sign_in",
                "No step of the sign-in sends a credential.",
                "fields = { user = \"{username}\", pass = \"{password}\" }",
            );
        }
        self.formats();
        if let Some(eligibility) = &settings.eligibility {
            self.eligibility(eligibility);
        }
    }

    fn formats(&mut self) {
        let sample = jiff::civil::date(1987, 11, 25);
        for (place, format) in self.settings.formats.dates.iter().enumerate() {
            let back = jiff::fmt::strtime::format(format, sample)
                .ok()
                .and_then(|text| jiff::civil::Date::strptime(format, text).ok());
            if back != Some(sample) {
                self.say_with(
                    &format!("formats.dates.{place}"),
                    "This is no date format with year, month and day.",
                    "Write it in strftime letters: %m/%d/%Y is 11/25/1987.",
                );
            }
        }
        let limits = &self.settings.limits;
        if !(1024..=16 << 20).contains(&limits.page_max_bytes) {
            self.say("limits.page_max_bytes", "A page may have 1,024 to 16,777,216 bytes.");
        }
        if !(1..=900).contains(&limits.person_secs) {
            self.say("limits.person_secs", "A person has 1 to 900 seconds.");
        }
        if !(1..=100).contains(&limits.pages_max) {
            self.say("limits.pages_max", "1 to 100 pages of a list can be read.");
        }
    }

    fn clues(&mut self, path: &str, clues: &[Clue], needed: bool) {
        if needed && clues.is_empty() {
            self.say_with(
                path,
                "At least one clue is needed.",
                "Write [{ css = \"form#login\" }] or [{ text = \"words on the page\" }].",
            );
        }
        for (place, clue) in clues.iter().enumerate() {
            let path = format!("{path}.{place}");
            if clue.css.is_none() && clue.text.is_none() && clue.address.is_none() && clue.status.is_none() {
                self.say(&path, "A clue needs css, text, address or status.");
            }
            if let Some(css) = &clue.css {
                self.css(&format!("{path}.css"), css);
            }
            if clue.text.as_ref().is_some_and(|text| text.trim().is_empty()) {
                self.say(&format!("{path}.text"), "Empty words stand on every page.");
            }
            if clue.address.as_ref().is_some_and(|part| part.is_empty() || part == "/") {
                self.say(&format!("{path}.address"), "Every address contains this.");
            }
        }
    }

    fn css(&mut self, path: &str, css: &Css) {
        if css.selector().is_none() {
            self.say_with(
                path,
                format!("\"{}\" is no CSS selector that can be read.", css.text().chars().take(80).collect::<String>()),
                "Examples: form#login, table.results tbody tr, input[name=\"ctl00$id\"]",
            );
        }
    }

    fn steps(&mut self, path: &str, steps: &[Step], part: Part, taken: &mut BTreeSet<String>) {
        for (place, step) in steps.iter().enumerate() {
            self.step(&format!("{path}.{place}"), step, part, place == 0, taken);
        }
    }

    fn answer(&mut self, path: &str, kind: PageKind, answer: &PersonAnswer) {
        if matches!(kind, PageKind::Maintenance | PageKind::Error | PageKind::TooMany) {
            self.say(path, "Only pages for a person are answered: captcha, terms, password_change, person.");
        }
        self.css(&format!("{path}.submit"), &answer.submit);
        for (key, css) in [("button", &answer.button), ("words", &answer.words), ("picture", &answer.picture)] {
            if let Some(css) = css {
                self.css(&format!("{path}.{key}"), css);
            }
        }
        self.clues(&format!("{path}.refused"), &answer.refused, false);
        let part = Part::Answer { password: kind == PageKind::PasswordChange };
        for (name, template) in &answer.fields {
            self.field(&format!("{path}.fields"), name, template, part, &BTreeSet::new());
        }
        let mut names = answer.fields.values().flat_map(Template::names);
        let says = names.any(|(name, _)| *name == Name::Answer);
        if !says && kind != PageKind::Terms {
            self.say_with(
                &format!("{path}.fields"),
                "Nothing says where the person's answer goes.",
                "fields = { captcha = \"{answer}\" }",
            );
        }
    }

    fn step(&mut self, path: &str, step: &Step, part: Part, first: bool, taken: &mut BTreeSet<String>) {
        let ways = [step.get.is_some(), step.post.is_some(), step.submit.is_some(), step.follow.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            self.say(path, "A step has exactly one of get, post, submit and follow.");
        } else if first && (step.submit.is_some() || step.follow.is_some()) {
            self.say_with(
                path,
                "The first step has no page before it to take a form or a link from.",
                "Begin with a step that has get.",
            );
        }
        if first && !step.when.is_empty() {
            self.say(&format!("{path}.when"), "The first step has no page before it to look at.");
        }
        if step.name.trim().is_empty() {
            self.say(&format!("{path}.name"), "Give the step a name, for people.");
        }
        for (key, address) in [("get", &step.get), ("post", &step.post)] {
            let Some(address) = address else { continue };
            let path = format!("{path}.{key}");
            match join(&self.settings.base_url, address) {
                // The fault of a base_url that cannot be read has been told already.
                None if self.file.address("base_url", &self.settings.base_url).is_err() => {}
                None => self.say(&path, "This is no path and no web address."),
                Some(whole) => {
                    if let Err(problem) = self.file.address(&path, &whole)
                        && self.file.address("base_url", &self.settings.base_url).is_ok()
                    {
                        self.problems.push(problem);
                    }
                }
            }
        }
        for (key, css) in [("submit", &step.submit), ("follow", &step.follow), ("button", &step.button)] {
            if let Some(css) = css {
                self.css(&format!("{path}.{key}"), css);
            }
        }
        if step.submit.is_none() && step.button.is_some() {
            self.say(&format!("{path}.button"), "button goes with submit.");
        }
        if (step.get.is_some() || step.follow.is_some()) && !(step.fields.is_empty() && step.extra.is_empty()) {
            self.say_with(
                &format!("{path}.fields"),
                "Fields go with submit or post.",
                "To search by a form, use submit = \"form\" on the page that holds it.",
            );
        }
        if part != Part::SignIn && !step.rejected.is_empty() {
            self.say(&format!("{path}.rejected"), "Only the steps of sign_in can be rejected.");
        }
        for (key, clues) in [("when", &step.when), ("expect", &step.expect), ("rejected", &step.rejected)] {
            self.clues(&format!("{path}.{key}"), clues, false);
        }
        for (table, fields) in [("fields", &step.fields), ("extra", &step.extra)] {
            for (name, template) in fields {
                self.field(&format!("{path}.{table}"), name, template, part, taken);
            }
        }
        for (name, what) in &step.take {
            let path = format!("{path}.take.{name}");
            self.find(&path, what, false);
            let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !plain
                || name.is_empty()
                || matches!(name.as_str(), "username" | "password" | "totp" | "code" | "answer" | "today")
            {
                self.say(&path, "Name a taken value in small letters, digits and _, and not like a placeholder that is there already.");
            }
            taken.insert(name.clone());
        }
    }

    fn field(&mut self, table: &str, field: &str, template: &Template, part: Part, taken: &BTreeSet<String>) {
        let path = format!("{table}.{}", field.replace('.', " "));
        let path = path.as_str();
        if let Err(message) = &template.parts {
            self.say(path, message.clone());
            return;
        }
        let mut places = 0;
        for (name, filters) in template.names() {
            places += 1;
            match name {
                Name::Answer if !matches!(part, Part::Answer { .. }) => {
                    self.say(
                        path,
                        "{answer} stands in the fields of a page's answer only; a code in the sign-in is {code}.",
                    );
                }
                Name::Code if part != Part::SignIn => {
                    self.say(
                        path,
                        "{code} stands in the steps of sign_in only; what a person answers to a page is {answer}.",
                    );
                }
                Name::Secret(_) if part == (Part::Answer { password: true }) => {}
                Name::Secret(_) | Name::Totp if part != Part::SignIn => {
                    self.say(path, "Credentials may stand in the steps of sign_in only.");
                }
                Name::Secret(_) | Name::Totp | Name::Code | Name::Answer if !filters.is_empty() => {
                    self.say(path, "A secret takes no filters: nobody here sees it.");
                }
                Name::Ask(_) if part != Part::Question => {
                    self.say(path, "There is no question while signing in or out; use {username}, {password}, {totp} or a taken value.");
                }
                Name::Taken(name) if !taken.contains(name) => {
                    let known = taken
                        .iter()
                        .map(String::as_str)
                        .chain(["username", "password", "totp"])
                        .chain(ASK_NAMES.iter().copied());
                    let message = unknown("placeholder", name, known);
                    self.say_with(
                        path,
                        message,
                        "A value of a page is taken in an earlier step: take.csrf = { css = \"…\", attr = \"value\" }",
                    );
                }
                _ => {}
            }
            self.filters(path, name, filters);
        }
        if places == 0 && is_secret_name(field) && template.parts.as_ref().is_ok_and(|parts| !parts.is_empty()) {
            self.say_with(
                path,
                "A carrier file holds no secret, and this field is named like one.",
                "Write a placeholder: {password}, {totp} or {credential.NAME}.",
            );
        }
    }

    fn filters(&mut self, path: &str, name: &Name, filters: &[Filter]) {
        let is_date = matches!(name, Name::Ask(name) if name.ends_with("date_of_birth") || matches!(*name, "service.from" | "service.to" | "today"));
        for filter in filters {
            match filter {
                Filter::Date(_) if !is_date => {
                    self.say(path, "Only dates can be written with date:, us_date and iso_date.")
                }
                Filter::Map(table) if !self.settings.maps.contains_key(table) => {
                    let message =
                        unknown("table in [settings.maps]", table, self.settings.maps.keys().map(String::as_str));
                    self.say(path, message);
                }
                _ => {}
            }
        }
    }

    fn find(&mut self, path: &str, what: &Find, in_row: bool) {
        let ways = [what.css.is_some(), what.label.is_some(), what.header.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            self.say(path, "A value is found by exactly one of css, label and header.");
        }
        if what.header.is_some() && !in_row {
            self.say_with(
                path,
                "header finds a value in a table's row, and there are no rows here.",
                "Use label or css, or give rows.",
            );
        }
        for words in [&what.label, &what.header].into_iter().flatten() {
            if crate::table::label(words).is_empty() {
                self.say(path, "Empty words find nothing.");
            }
        }
        if what.within.is_some() && what.label.is_none() {
            self.say(path, "within goes with label.");
        }
        for (key, css) in [("css", &what.css), ("within", &what.within)] {
            if let Some(css) = css {
                self.css(&format!("{path}.{key}"), css);
            }
        }
        match what.then.as_ref().map(|Filters(filters)| filters) {
            Some(Err(message)) => self.say(&format!("{path}.then"), message.clone()),
            Some(Ok(filters)) if filters.iter().any(|f| matches!(f, Filter::Date(_) | Filter::Map(_))) => {
                self.say(
                    &format!("{path}.then"),
                    "Dates are read by formats.dates, and map is for fields; neither can stand here.",
                );
            }
            _ => {}
        }
    }

    fn eligibility(&mut self, eligibility: &EligibilitySettings) {
        let mut taken = BTreeSet::new();
        self.steps("eligibility.steps", &eligibility.steps, Part::Question, &mut taken);
        if eligibility.steps.is_empty() {
            self.say("eligibility.steps", "The question has no steps.");
        }
        self.clues("eligibility.not_found", &eligibility.not_found, false);
        for (place, rule) in eligibility.refusals.iter().enumerate() {
            self.clues(&format!("eligibility.refusals.{place}.when"), &rule.when, true);
        }
        if let Some(results) = &eligibility.results {
            self.css("eligibility.results.rows", &results.rows);
            self.css("eligibility.results.link", &results.link);
            if let Some(css) = &results.next {
                self.css("eligibility.results.next", css);
            }
            let columns = &results.columns;
            let named = [
                ("member_id", &columns.member_id),
                ("date_of_birth", &columns.date_of_birth),
                ("name", &columns.name),
                ("first_name", &columns.first_name),
                ("last_name", &columns.last_name),
            ];
            if named.iter().all(|(_, what)| what.is_none()) {
                self.say(
                    "eligibility.results.columns",
                    "Without a column the member's row cannot be told from the others.",
                );
            }
            self.finds("eligibility.results.columns", &named, true);
        }
        if eligibility.detail.is_empty() {
            self.say("eligibility.detail", "No page is read. Add [[settings.eligibility.detail]].");
            return;
        }
        for (place, detail) in eligibility.detail.iter().enumerate() {
            self.detail(&format!("eligibility.detail.{place}"), detail, &mut taken);
        }
        let says_status =
            |detail: &Detail| detail.status.is_some() || detail.plans.iter().any(|plan| plan.read.status.is_some());
        if !eligibility.detail.iter().any(says_status) {
            self.say_with(
                "eligibility.detail",
                "No page says whether there is coverage.",
                "status = { label = \"Coverage status\" }",
            );
        }
        let shows_whose = |person: &PersonPlaces| person.member_id.is_some() || person.date_of_birth.is_some();
        if eligibility.identity == Identity::Check
            && !eligibility.detail.iter().any(|detail| shows_whose(&detail.member))
        {
            self.say_with(
                "eligibility.detail",
                "No page shows whose it is: neither member.member_id nor member.date_of_birth is read.",
                "Read one of them; identity = \"none\" gives the check up, and with it the safeguard against another member's answer.",
            );
        }
    }

    fn detail(&mut self, path: &str, detail: &Detail, taken: &mut BTreeSet<String>) {
        if detail.name.trim().is_empty() {
            self.say(&format!("{path}.name"), "Give the page a name; it appears beside each value of the answer.");
        }
        if let Some(open) = &detail.open {
            self.step(&format!("{path}.open"), open, Part::Question, false, taken);
        }
        if let Some(status) = &detail.status {
            self.find(&format!("{path}.status"), status, false);
        }
        if let Some(css) = &detail.next {
            self.css(&format!("{path}.next"), css);
        }
        for (key, person) in [("member", &detail.member), ("dependent", &detail.dependent)] {
            self.finds(&format!("{path}.{key}"), &person_places(person), false);
        }
        for (place, plan) in detail.plans.iter().enumerate() {
            let path = format!("{path}.plans.{place}");
            if let Some(css) = &plan.rows {
                self.css(&format!("{path}.rows"), css);
            }
            self.finds(&format!("{path}.read"), &plan_places(&plan.read), plan.rows.is_some());
        }
        for (place, rule) in detail.benefits.iter().enumerate() {
            let path = format!("{path}.benefits.{place}");
            if let Some(css) = &rule.rows {
                self.css(&format!("{path}.rows"), css);
            }
            if rule.fixed.service.is_none() && rule.read.service.is_none() {
                self.say_with(
                    &path,
                    "Nothing says which service this benefit is for.",
                    "fixed = { service = \"30\" } is the plan as a whole.",
                );
            }
            let codes = rule.services.values().chain(&rule.fixed.service);
            if codes
                .into_iter()
                .any(|code| code.is_empty() || code.len() > 3 || !code.bytes().all(|b| b.is_ascii_alphanumeric()))
            {
                self.say(&path, "A service type code is one to three letters or digits, such as 30 or MH.");
            }
            self.finds(&format!("{path}.read"), &benefit_places(&rule.read), rule.rows.is_some());
        }
    }

    fn finds(&mut self, path: &str, places: &[(&str, &Option<Find>)], in_row: bool) {
        for (name, what) in places {
            if let Some(what) = what {
                self.find(&format!("{path}.{name}"), what, in_row);
            }
        }
    }
}

/// Whether a form's field is named like one that holds a secret. `token` is not here: forms name their CSRF field so,
/// and what is written there is a placeholder anyway.
fn is_secret_name(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    ["pass", "pwd", "secret", "otp", "answer", "credential"].iter().any(|word| field.contains(word))
        || field.ends_with("pin")
}

fn person_places(p: &PersonPlaces) -> [(&'static str, &Option<Find>); 9] {
    [
        ("member_id", &p.member_id),
        ("name", &p.name),
        ("first_name", &p.first_name),
        ("middle_name", &p.middle_name),
        ("last_name", &p.last_name),
        ("date_of_birth", &p.date_of_birth),
        ("sex", &p.sex),
        ("group_number", &p.group_number),
        ("relationship", &p.relationship),
    ]
}

fn plan_places(p: &PlanPlaces) -> [(&'static str, &Option<Find>); 12] {
    [
        ("name", &p.name),
        ("id", &p.id),
        ("group", &p.group),
        ("network", &p.network),
        ("insurance_type", &p.insurance_type),
        ("from", &p.from),
        ("to", &p.to),
        ("status", &p.status),
        ("primary_care", &p.primary_care),
        ("primary_care_phone", &p.primary_care_phone),
        ("other_payer", &p.other_payer),
        ("message", &p.message),
    ]
}

fn benefit_places(p: &BenefitPlaces) -> [(&'static str, &Option<Find>); 18] {
    [
        ("service", &p.service),
        ("network", &p.network),
        ("level", &p.level),
        ("covered", &p.covered),
        ("authorization", &p.authorization),
        ("copay", &p.copay),
        ("coinsurance", &p.coinsurance),
        ("pays", &p.pays),
        ("deductible", &p.deductible),
        ("deductible_met", &p.deductible_met),
        ("deductible_remaining", &p.deductible_remaining),
        ("out_of_pocket", &p.out_of_pocket),
        ("out_of_pocket_met", &p.out_of_pocket_met),
        ("out_of_pocket_remaining", &p.out_of_pocket_remaining),
        ("limit", &p.limit),
        ("limit_used", &p.limit_used),
        ("limit_remaining", &p.limit_remaining),
        ("message", &p.message),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(settings: &str) -> Vec<String> {
        let table: toml::Table = settings.parse().unwrap();
        let file = Settings::new(table, vec!["p.example".into()]);
        let parsed: PortalSettings = file.parse().unwrap();
        check(&parsed, &file)
            .into_iter()
            .map(|p| format!("{}: {} {}", p.path.join("."), p.message, p.help.unwrap_or_default()))
            .collect()
    }

    const HEAD: &str =
        "base_url = 'https://p.example/'\nsigned_in = [{ css = '#out' }]\nsigned_out = [{ css = '#login' }]\n";

    #[test]
    fn every_fault_is_told_at_once() {
        let found = problems(
            "base_url = 'https://p.example/x'\nsigned_in = []\nsigned_out = [{ css = 'a[' }, {}]\n\
             [[sign_in]]\nname = 'a'\nsubmit = 'form'\nfields = { user = '{user_name}', user_pass = 'hunter2', dob = '{member.date_of_birth}' }\n\
             [[sign_in]]\nname = 'b'\nget = 'https://evil.example/'\n\
             [formats]\ndates = ['%m/%d']\n\
             [[eligibility.steps]]\nname = 's'\npost = 'go'\nfields = { p = '{password}', m = '{member.member_id | map:gone}', d = '{provider.npi | us_date}' }\n\
             [[eligibility.detail]]\nname = 'd'\n[[eligibility.detail.benefits]]\nread = { copay = { header = 'Copay' } }\n",
        );
        for want in [
            "base_url: base_url must end with a slash",
            "signed_in: At least one clue",
            "signed_out.0.css: \"a[\" is no CSS selector",
            "signed_out.1: A clue needs",
            "sign_in.0: The first step has no page before it",
            "sign_in.0.fields.user: There is no placeholder called \"user_name\". Did you mean \"username\"?",
            "sign_in.0.fields.user_pass: A carrier file holds no secret",
            "sign_in.0.fields.dob: There is no question while signing in",
            "sign_in.1.get: The host evil.example is not listed",
            "sign_in: No step of the sign-in sends a credential",
            "formats.dates.0: This is no date format",
            "eligibility.steps.0.fields.p: Credentials may stand in the steps of sign_in only",
            "eligibility.steps.0.fields.m: There is no table",
            "eligibility.steps.0.fields.d: Only dates",
            "eligibility.detail: No page says whether there is coverage",
            "eligibility.detail: No page shows whose it is",
            "eligibility.detail.0.benefits.0: Nothing says which service",
            "eligibility.detail.0.benefits.0.read.copay: header finds a value in a table's row",
        ] {
            assert!(found.iter().any(|problem| problem.starts_with(want)), "{want}\n{found:#?}");
        }
        assert_eq!(found.len(), 18, "{found:#?}");
        assert!(!found.join(" ").contains("hunter2"), "a secret is not repeated");
    }

    #[test]
    fn taken_values_must_be_taken_before() {
        let steps = "[[sign_in]]\nname = 'a'\nget = 'login'\ntake = { csrf = { css = 'input', attr = 'value' } }\n\
                     [[sign_in]]\nname = 'b'\npost = 'login'\nfields = { _csrf = '{csrf}', u = '{username}' }\n";
        assert_eq!(problems(&format!("{HEAD}{steps}")), Vec::<String>::new());
        let wrong = steps.replace("'{csrf}'", "'{crsf}'");
        assert!(problems(&format!("{HEAD}{wrong}"))[0].contains("Did you mean \"csrf\""));
    }
}
