//! `[settings]` of a carrier file: what a portal looks like. Read this file as the reference of the description.

use std::collections::BTreeMap;

use connector_sdk::RefusalReason;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::css::Css;
use crate::template::Template;

/// A portal behind a form login.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PortalSettings {
    /// The address that paths in this file are relative to. End it with `/`: `https://portal.acme.example/providers/`.
    pub base_url: String,
    /// How a page behind the sign-in is recognised (any of these): the sign-in has worked when its last page shows it.
    pub signed_in: Vec<Clue>,
    /// How the sign-in page is recognised when it comes instead of the page wanted (any of these), whatever its status.
    pub signed_out: Vec<Clue>,
    /// Pages that stop the question: captcha, terms, maintenance … Looked for on every page before anything is read.
    #[serde(default)]
    pub pages: Vec<PageRule>,
    /// The sign-in, page by page.
    pub sign_in: Vec<Step>,
    /// How to leave.
    #[serde(default)]
    pub sign_out: Vec<Step>,
    /// Tables for the `map:` filter: a value of the question on the left, the form's value on the right.
    #[serde(default)]
    pub maps: BTreeMap<String, BTreeMap<String, String>>,
    /// How the portal writes dates, names and numbers.
    #[serde(default)]
    pub formats: Formats,
    /// The portal's words for states. A list given here replaces the built-in one.
    #[serde(default)]
    pub words: Words,
    /// Bounds on pages.
    #[serde(default)]
    pub limits: PageLimits,
    /// The eligibility question.
    #[serde(default)]
    pub eligibility: Option<EligibilitySettings>,
}

/// How a page is recognised. Everything given in one clue must hold.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clue {
    /// An element that this CSS selector finds is on the page.
    #[serde(default)]
    pub css: Option<Css>,
    /// These words stand on the page, or in an element that `css` finds. Case and spacing do not matter.
    #[serde(default)]
    pub text: Option<String>,
    /// The page's path, after redirects, contains this: `/login`.
    #[serde(default)]
    pub address: Option<String>,
    /// The reply's HTTP status.
    #[serde(default)]
    #[schemars(range(min = 100, max = 599))]
    pub status: Option<u16>,
}

/// A page that stops the question.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageRule {
    /// What kind of page it is.
    pub kind: PageKind,
    /// How it is recognised: any of these.
    pub when: Vec<Clue>,
    /// How a person's answer is sent. Without it the page stops the question; with it a person is shown the page's words
    /// and picture and answers in time, or not.
    #[serde(default)]
    pub answer: Option<PersonAnswer>,
}

/// How a person's answer to a page is sent to the portal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonAnswer {
    /// The form that is sent (CSS selector), with all its hidden and pre-filled fields.
    pub submit: Css,
    /// The button that is pressed (CSS selector); the form's first one when left out.
    #[serde(default)]
    pub button: Option<Css>,
    /// What is filled in: `{answer}` is what the person said. For a new password, `{username}` and `{password}` (the old one)
    /// may stand here, too.
    #[serde(default)]
    pub fields: BTreeMap<String, Template>,
    /// What the person is shown (CSS selector); the whole page's words when left out.
    #[serde(default)]
    pub words: Option<Css>,
    /// The picture to read (CSS selector of the `img`).
    #[serde(default)]
    pub picture: Option<Css>,
    /// The page that comes shows one of these when the answer was not taken. The same page once more means that, too.
    #[serde(default)]
    pub refused: Vec<Clue>,
}

/// Kinds of pages that stop a question. None is ever answered by this connector itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// A check that a person is there.
    Captcha,
    /// Terms of use that a person must accept.
    Terms,
    /// The password must be changed.
    PasswordChange,
    /// Any other page that only a person may answer: a survey, a new security question.
    Person,
    /// The portal is closed for maintenance.
    Maintenance,
    /// The portal failed; asking again may help.
    Error,
    /// The portal says that we ask too much.
    TooMany,
}

/// One page turned: exactly one of `get`, `post`, `submit`, `follow`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// What happens, in a few words, for people.
    pub name: String,
    /// Opens this address (a path under `base_url`, or a whole address on a listed host).
    #[serde(default)]
    pub get: Option<String>,
    /// Posts `fields` to this address, without a form.
    #[serde(default)]
    pub post: Option<String>,
    /// Sends this form of the page before (CSS selector) as a browser would: its own address and method, all its
    /// hidden and pre-filled fields, with `fields` filled in.
    #[serde(default)]
    pub submit: Option<Css>,
    /// Follows this link of the page before (CSS selector). ASP.NET `__doPostBack` links are followed too.
    #[serde(default)]
    pub follow: Option<Css>,
    /// The button that is pressed (CSS selector); the form's first one when left out.
    #[serde(default)]
    pub button: Option<Css>,
    /// What is filled in: the field's name (or `#id`) and the value, with placeholders: `{username}`, `{member.member_id | upper}`.
    /// A field whose placeholder has no value in this question is left as the page has it.
    #[serde(default)]
    pub fields: BTreeMap<String, Template>,
    /// Fields sent along that the form itself does not have (a script would add them).
    #[serde(default)]
    pub extra: BTreeMap<String, Template>,
    /// Values taken from the page that comes, for later steps: `take.csrf = { css = "meta[name=csrf]", attr = "content" }` gives `{csrf}`.
    #[serde(default)]
    pub take: BTreeMap<String, Find>,
    /// Only when the page before shows one of these; otherwise the step is left out.
    #[serde(default)]
    pub when: Vec<Clue>,
    /// The page that comes must show one of these.
    #[serde(default)]
    pub expect: Vec<Clue>,
    /// Sign-in only: the page that comes shows one of these when the carrier refuses the credential.
    #[serde(default)]
    pub rejected: Vec<Clue>,
    /// `true` lets a form with method GET be sent with patient data: the values then stand in the address.
    #[serde(default)]
    pub allow_get: bool,
}

/// Where a value stands: by `css`, by `label`, or (in table rows) by `header`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// CSS selector of the element, inside the row or the page.
    #[serde(default)]
    pub css: Option<Css>,
    /// The words beside the value (`Member ID`; case, spacing and a final colon do not matter): in the cell before it,
    /// in `dt` before `dd`, in a `label`, or before a colon in the same element.
    #[serde(default)]
    pub label: Option<String>,
    /// The header of the column the value stands in. The order of columns does not matter.
    #[serde(default)]
    pub header: Option<String>,
    /// Looks for `label` only inside this part of the page.
    #[serde(default)]
    pub within: Option<Css>,
    /// Takes this attribute instead of the element's text.
    #[serde(default)]
    pub attr: Option<String>,
    /// Filters for the text found: `"digits | first:9"`, `"before:to"`.
    #[serde(default)]
    pub then: Option<Filters>,
    /// `true` lets the value be missing. Otherwise a missing place stops the question: the page has changed.
    #[serde(default)]
    pub optional: bool,
}

pub use crate::template::Filters;

/// How the portal writes things.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Formats {
    /// Dates, tried in order, in strftime letters: `%m/%d/%Y`.
    pub dates: Vec<String>,
    /// Names written in one piece.
    pub names: NameOrder,
    /// What stands before the cents.
    pub decimal: DecimalMark,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            dates: vec!["%m/%d/%Y".to_owned(), "%Y-%m-%d".to_owned()],
            names: NameOrder::default(),
            decimal: DecimalMark::default(),
        }
    }
}

/// How a whole name is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameOrder {
    /// `Last, First Middle`. A name without a comma is not taken apart.
    #[default]
    LastCommaFirst,
    /// `First Middle Last`: the last word is the last name.
    FirstLast,
}

/// The decimal mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// `1,500.00`
    #[default]
    Point,
    /// `1.500,00`
    Comma,
}

/// The portal's words. Compared as wholes; case and spacing do not matter. Any other word is kept as it is.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Words {
    /// Coverage is active.
    pub active: Vec<String>,
    /// Coverage is not active.
    pub inactive: Vec<String>,
    /// The carrier is still checking.
    pub pending: Vec<String>,
    /// Covered; authorization required.
    pub yes: Vec<String>,
    /// Not covered; authorization not required.
    pub no: Vec<String>,
    /// Covered within limits.
    pub limited: Vec<String>,
    /// In network.
    pub in_network: Vec<String>,
    /// Out of network.
    pub out_of_network: Vec<String>,
    /// The same in and out of network.
    pub both_networks: Vec<String>,
    /// One person.
    pub individual: Vec<String>,
    /// The family.
    pub family: Vec<String>,
    /// Female.
    pub female: Vec<String>,
    /// Male.
    pub male: Vec<String>,
    /// Nothing is stated here.
    pub nothing: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            active: list(&["active", "eligible", "in force", "covered"]),
            inactive: list(&["inactive", "terminated", "not eligible", "cancelled", "canceled", "expired"]),
            pending: list(&["pending"]),
            yes: list(&["yes", "y", "covered", "required"]),
            no: list(&["no", "n", "not covered", "not required", "none required"]),
            limited: list(&["limited", "covered with limits"]),
            in_network: list(&["in network", "in-network", "in", "inn", "participating"]),
            out_of_network: list(&["out of network", "out-of-network", "out", "oon", "non-participating"]),
            both_networks: list(&["both", "in and out", "in and out of network", "all"]),
            individual: list(&["individual", "ind", "single", "member"]),
            family: list(&["family", "fam"]),
            female: list(&["female", "f"]),
            male: list(&["male", "m"]),
            nothing: list(&["-", "–", "—", "n/a", "not available", "not stated"]),
        }
    }
}

/// Bounds on pages.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PageLimits {
    /// Largest page that is read, bytes.
    #[schemars(range(min = 1024, max = 16_777_216))]
    pub page_max_bytes: usize,
    /// Pages read of one list that goes over several pages.
    #[schemars(range(min = 1, max = 100))]
    pub pages_max: u32,
    /// `true` accepts pages without `</html>`. Without it such a page counts as cut off.
    pub unfinished_pages: bool,
    /// How long a person has to answer what the portal asks, seconds.
    #[schemars(range(min = 1, max = 900))]
    pub person_secs: u64,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { page_max_bytes: 2 << 20, pages_max: 10, unfinished_pages: false, person_secs: 300 }
    }
}

/// The eligibility question at this portal.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EligibilitySettings {
    /// From the start to the page with the search's result.
    pub steps: Vec<Step>,
    /// How the page is recognised that says that there is no such member.
    #[serde(default)]
    pub not_found: Vec<Clue>,
    /// Other refusals.
    #[serde(default)]
    pub refusals: Vec<RefusalRule>,
    /// The list of members found; left out when the search leads straight to the member's page.
    #[serde(default)]
    pub results: Option<Results>,
    /// The pages to read, in order. The first one is the page reached by now unless it has an `open`.
    pub detail: Vec<Detail>,
    /// Whether the pages read must show whose they are.
    #[serde(default)]
    pub identity: Identity,
}

/// Whether the pages read must show whose they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// A member id or a date of birth read from the pages must equal the one asked with.
    #[default]
    Check,
    /// The pages show neither; the answer is taken for the member searched for. What they do show is still compared.
    None,
}

/// A refusal by its page.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusalRule {
    /// Why, in Portico's words.
    pub reason: RefusalReason,
    /// The code to be told beside it; the portal's own one if it has codes.
    #[serde(default)]
    pub code: Option<String>,
    /// How the page is recognised: any of these.
    pub when: Vec<Clue>,
}

/// A list of members found.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The rows (CSS selector).
    pub rows: Css,
    /// What a row shows of the member: the row that fits the question is chosen.
    pub columns: ResultColumns,
    /// The link in the row that leads to the member's page (CSS selector).
    pub link: Css,
    /// The link to the next page of the list (CSS selector).
    #[serde(default)]
    pub next: Option<Css>,
}

/// What a result row shows of a member.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ResultColumns {
    /// Member id.
    pub member_id: Option<Find>,
    /// Date of birth.
    pub date_of_birth: Option<Find>,
    /// Whole name.
    pub name: Option<Find>,
    /// First name.
    pub first_name: Option<Find>,
    /// Last name.
    pub last_name: Option<Find>,
}

/// A page to read.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// The page's name; it appears in the answer's provenance.
    pub name: String,
    /// How to get there, when it is not the page reached by now: `{ name = "benefits", follow = "a#benefits" }`.
    #[serde(default)]
    pub open: Option<Step>,
    /// The coverage status, in the words of `[settings.words]`.
    #[serde(default)]
    pub status: Option<Find>,
    /// The subscriber.
    #[serde(default)]
    pub member: PersonPlaces,
    /// The dependent; read only when the question is about one.
    #[serde(default)]
    pub dependent: PersonPlaces,
    /// Plans.
    #[serde(default)]
    pub plans: Vec<PlanRule>,
    /// Benefits.
    #[serde(default)]
    pub benefits: Vec<BenefitRule>,
    /// The link to the next page of the tables here (CSS selector). Only rules with `rows` are read again there.
    #[serde(default)]
    pub next: Option<Css>,
}

/// Where a person's data stands.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PersonPlaces {
    /// Member id.
    pub member_id: Option<Find>,
    /// Whole name, written as `formats.names` says.
    pub name: Option<Find>,
    /// First name.
    pub first_name: Option<Find>,
    /// Middle name.
    pub middle_name: Option<Find>,
    /// Last name.
    pub last_name: Option<Find>,
    /// Date of birth.
    pub date_of_birth: Option<Find>,
    /// Sex.
    pub sex: Option<Find>,
    /// Group number.
    pub group_number: Option<Find>,
    /// Relationship to the subscriber, in the carrier's words.
    pub relationship: Option<Find>,
}

/// Plans: one, or one for each row.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanRule {
    /// The rows (CSS selector); the whole page is one plan when left out.
    #[serde(default)]
    pub rows: Option<Css>,
    /// `true` lets there be no row at all. Otherwise that stops the question: the page has changed.
    #[serde(default)]
    pub optional: bool,
    /// Where its values stand.
    pub read: PlanPlaces,
}

/// Where a plan's values stand.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlanPlaces {
    /// Name.
    pub name: Option<Find>,
    /// Plan number.
    pub id: Option<Find>,
    /// Group.
    pub group: Option<Find>,
    /// Network.
    pub network: Option<Find>,
    /// HMO, PPO … in the carrier's words.
    pub insurance_type: Option<Find>,
    /// First day.
    pub from: Option<Find>,
    /// Last day.
    pub to: Option<Find>,
    /// Status, in the words of `[settings.words]`.
    pub status: Option<Find>,
    /// Name of the primary care provider.
    pub primary_care: Option<Find>,
    /// Phone of the primary care provider.
    pub primary_care_phone: Option<Find>,
    /// Name of another insurer.
    pub other_payer: Option<Find>,
    /// A remark.
    pub message: Option<Find>,
}

/// Benefits: one, or one for each row.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenefitRule {
    /// The rows (CSS selector); the whole page is one benefit when left out.
    #[serde(default)]
    pub rows: Option<Css>,
    /// `true` lets there be no row at all. Otherwise that stops the question: the page has changed.
    #[serde(default)]
    pub optional: bool,
    /// What holds for every benefit of this rule without standing in it.
    #[serde(default)]
    pub fixed: FixedBenefit,
    /// The carrier's words for services, and the service type code of each. Other words are kept without a code.
    #[serde(default)]
    pub services: BTreeMap<String, String>,
    /// Where the values stand.
    pub read: BenefitPlaces,
}

/// What holds for every benefit of a rule.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FixedBenefit {
    /// Service type code.
    pub service: Option<String>,
    /// What the service is called; the code when left out.
    pub label: Option<String>,
    /// Network.
    pub network: Option<FixedNetwork>,
    /// Level.
    pub level: Option<FixedLevel>,
    /// Period of deductibles, maximums and limits, in words: `calendar year`.
    pub period: Option<String>,
    /// What a copay is paid for, in words: `visit`.
    pub copay_per: Option<String>,
    /// What limits count where the value itself does not say: `visits`.
    pub limit_unit: Option<String>,
}

/// A network that a rule sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FixedNetwork {
    /// In network.
    In,
    /// Out of network.
    Out,
    /// The same for both.
    Both,
}

/// A level that a rule sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FixedLevel {
    /// One person.
    Individual,
    /// The family.
    Family,
}

/// Where a benefit's values stand. Money is in US dollars.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BenefitPlaces {
    /// What the service is called.
    pub service: Option<Find>,
    /// In or out of network.
    pub network: Option<Find>,
    /// Individual or family.
    pub level: Option<Find>,
    /// Covered or not.
    pub covered: Option<Find>,
    /// Whether authorization is required.
    pub authorization: Option<Find>,
    /// Fixed amount.
    pub copay: Option<Find>,
    /// The patient's share, with `%`.
    pub coinsurance: Option<Find>,
    /// A copay or a share, whichever it is: `$25 copay`, `20% after deductible`; `Not covered` too.
    pub pays: Option<Find>,
    /// Whole deductible.
    pub deductible: Option<Find>,
    /// Deductible met so far.
    pub deductible_met: Option<Find>,
    /// Deductible still left.
    pub deductible_remaining: Option<Find>,
    /// Whole out-of-pocket maximum.
    pub out_of_pocket: Option<Find>,
    /// Out-of-pocket met so far.
    pub out_of_pocket_met: Option<Find>,
    /// Out-of-pocket still left.
    pub out_of_pocket_remaining: Option<Find>,
    /// Allowed in the period: `20 visits`.
    pub limit: Option<Find>,
    /// Used so far.
    pub limit_used: Option<Find>,
    /// Still left.
    pub limit_remaining: Option<Find>,
    /// A remark, kept as it is.
    pub message: Option<Find>,
}
