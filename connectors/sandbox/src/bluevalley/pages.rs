//! The portal's HTML. Every value that is shown is escaped.

use super::session::{Hidden, Stage};
use crate::control::Layout;
use crate::credentials::BLUE_USER;
use crate::people::{Accumulator, Authorization, Benefit, Covered, Level, Network, Person, Status};
use crate::xml::escape;

/// Rows of the benefits table on one page.
pub(super) const ROWS_PER_PAGE: usize = 5;

/// The portal's names of services: its own code, X12 code, words.
pub(super) const SERVICES: [(&str, &str, &str); 7] = [
    ("ALL", "30", "Health Benefit Plan Coverage"),
    ("OV", "98", "Office Visit"),
    ("URG", "UC", "Urgent Care"),
    ("BH", "MH", "Mental Health"),
    ("PHT", "PT", "Physical Therapy"),
    ("HOS", "48", "Hospital Inpatient"),
    ("DEN", "35", "Dental Care"),
];

fn frame(title: &str, signed_in: bool, body: &str) -> String {
    let bar = if signed_in {
        "<nav id=\"menu\"><a href=\"/home\">Home</a> <a href=\"/eligibility\">Eligibility</a> \
         <a id=\"signout\" href=\"/logout\">Sign out</a></nav>"
    } else {
        ""
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} - Blue Valley Provider \
         Portal</title></head>\n<body><header>Blue Valley Provider Portal</header>{bar}\n<main>\n{body}\n</main></body>\
         </html>\n"
    )
}

fn hidden_fields(hidden: &Hidden) -> String {
    format!(
        "<input type=\"hidden\" name=\"__VIEWSTATE\" value=\"{}\">\n\
         <input type=\"hidden\" name=\"__EVENTVALIDATION\" value=\"{}\">\n\
         <input type=\"hidden\" name=\"_csrf\" value=\"{}\">",
        hidden.view_state, hidden.event_validation, hidden.csrf
    )
}

fn alert(message: Option<&str>) -> String {
    message.map_or_else(String::new, |message| format!("<div class=\"alert-error\">{message}</div>"))
}

pub(super) fn login(hidden: &Hidden, message: Option<&str>) -> String {
    let body = format!(
        "<h1>Sign in</h1>{}<form id=\"loginForm\" method=\"post\" action=\"/login\">{}\n\
         <label for=\"userId\">User ID</label><input id=\"userId\" name=\"userId\" type=\"text\">\n\
         <label for=\"pwd\">Password</label><input id=\"pwd\" name=\"pwd\" type=\"password\">\n\
         <button type=\"submit\" name=\"btnLogin\" value=\"Sign in\">Sign in</button></form>",
        alert(message),
        hidden_fields(hidden)
    );
    frame("Sign in", false, &body)
}

pub(super) fn code(hidden: &Hidden, user: &str, message: Option<&str>) -> String {
    let from =
        if user == BLUE_USER { "from your authenticator app" } else { "that we have mailed to f***@practice.example" };
    let body = format!(
        "<h1>Verify it is you</h1>{}<p>Enter the six-digit code {from}.</p>\
         <form id=\"otpForm\" method=\"post\" action=\"/otp\">{}\n\
         <label for=\"otp\">Code</label><input id=\"otp\" name=\"otp\" type=\"text\" autocomplete=\"one-time-code\">\n\
         <label><input type=\"checkbox\" name=\"remember\" value=\"1\"> Remember this device for 30 days</label>\n\
         <button type=\"submit\" name=\"btnVerify\" value=\"Verify\">Verify</button></form>",
        alert(message),
        hidden_fields(hidden)
    );
    frame("Verification", false, &body)
}

/// A page between the password and the rest, for a person.
pub(super) fn asked(stage: Stage, hidden: &Hidden, message: Option<&str>) -> String {
    let (title, id, address, words, fields) = match stage {
        Stage::WantsLetters => (
            "Security check",
            "signinCaptcha",
            "/check",
            "Type the letters of the picture.",
            "<img id=\"letters-picture\" src=\"/check.png\" alt=\"letters\">\n\
             <label for=\"letters\">Letters</label><input id=\"letters\" name=\"letters\" type=\"text\">",
        ),
        Stage::WantsPassword => (
            "Your password has expired",
            "newPassword",
            "/new-password",
            "Choose a new password of at least 12 characters.",
            "<label for=\"old\">Current password</label><input id=\"old\" name=\"old\" type=\"password\">\n\
             <label for=\"new1\">New password</label><input id=\"new1\" name=\"new1\" type=\"password\">\n\
             <label for=\"new2\">Once more</label><input id=\"new2\" name=\"new2\" type=\"password\">",
        ),
        _ => (
            "Terms of Use",
            "signinTerms",
            "/accept-terms",
            "Our terms of use have changed: look up only members you treat.",
            "<input type=\"hidden\" name=\"accept\" value=\"yes\">",
        ),
    };
    let body = format!(
        "<h1>{title}</h1>{}<p id=\"asked\">{words}</p><form id=\"{id}\" method=\"post\" action=\"{address}\">{}\n\
         {fields}\n<button type=\"submit\">Continue</button></form>",
        alert(message),
        hidden_fields(hidden)
    );
    frame(title, false, &body)
}

/// A page that says one thing.
pub(super) fn notice(title: &str, id: &str, words: &str, signed_in: bool) -> String {
    frame(title, signed_in, &format!("<h1>{title}</h1><div id=\"{id}\" class=\"notice\">{words}</div>"))
}

pub(super) fn captcha() -> String {
    let body = "<h1>One moment</h1><form id=\"captcha-form\" method=\"post\" action=\"/captcha\">\
                <div class=\"g-captcha\">Please confirm that you are not a robot</div><button>Continue</button></form>";
    frame("Security check", true, body)
}

pub(super) fn terms() -> String {
    let body = "<h1>Terms of Use</h1><p>Our terms of use have changed.</p><form id=\"termsForm\" method=\"post\" \
                action=\"/terms\"><button name=\"accept\" value=\"yes\">I accept</button></form>";
    frame("Terms of Use", true, body)
}

pub(super) fn home() -> String {
    frame("Home", true, "<h1>Welcome</h1><p>Choose Eligibility to look up a member.</p>")
}

pub(super) fn search(hidden: &Hidden, message: Option<&str>) -> String {
    let options: String =
        SERVICES.iter().map(|(code, _, words)| format!("<option value=\"{code}\">{words}</option>")).collect();
    let body = format!(
        "<h1>Member eligibility</h1>{}<form id=\"searchForm\" method=\"post\" action=\"/eligibility\">{}\n\
         <label for=\"memberId\">Member ID</label><input id=\"memberId\" name=\"memberId\" type=\"text\">\n\
         <label for=\"lastName\">Last name</label><input id=\"lastName\" name=\"lastName\" type=\"text\">\n\
         <label for=\"firstName\">First name</label><input id=\"firstName\" name=\"firstName\" type=\"text\">\n\
         <label for=\"dob\">Date of birth (MM/DD/YYYY)</label><input id=\"dob\" name=\"dob\" type=\"text\">\n\
         <label for=\"asOf\">As of (MM/DD/YYYY)</label><input id=\"asOf\" name=\"asOf\" type=\"text\">\n\
         <label for=\"benefit\">Benefit</label><select id=\"benefit\" name=\"benefit\">{options}</select>\n\
         <button type=\"submit\" name=\"btnSearch\" value=\"Search\">Search</button></form>",
        alert(message),
        hidden_fields(hidden)
    );
    frame("Eligibility", true, &body)
}

pub(super) fn nobody() -> String {
    frame("Search results", true, "<h1>Search results</h1><p class=\"result-message\">No records found</p>")
}

pub(super) fn results(rows: &[(&Person, String)], layout: Layout) -> String {
    let cells = |[id, name, born, group, link]: [String; 5]| match layout {
        Layout::A => [id, name, born, group, link],
        Layout::B => [name, born, link, id, group],
    };
    let line = |tag: &str, cells: [String; 5]| -> String {
        let cells: String = cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let head = ["Member ID", "Name", "Date of Birth", "Group", "Details"].map(str::to_owned);
    let body: String = rows
        .iter()
        .map(|(person, key)| {
            let row = [
                escape(person.member_id),
                escape(&format!("{}, {}", person.last_name, person.first_name)),
                us_date(person.date_of_birth),
                escape(person.group_number),
                format!("<a class=\"view\" href=\"/member?k={key}\">View</a>"),
            ];
            line("td", cells(row))
        })
        .collect();
    let table = format!(
        "<h1>Search results</h1><table id=\"results\"><thead>{}</thead><tbody>{body}</tbody></table>",
        line("th", cells(head))
    );
    frame("Search results", true, &table)
}

/// `MM/DD/YYYY`.
pub(super) fn us_date(iso: &str) -> String {
    match (iso.get(0..4), iso.get(5..7), iso.get(8..10)) {
        (Some(year), Some(month), Some(day)) => format!("{month}/{day}/{year}"),
        _ => String::new(),
    }
}

/// A member's page: who, which plan, and one page of the benefits table.
pub(super) fn member(person: &Person, benefits: &[&Benefit], page: usize, key: &str, layout: Layout) -> String {
    let active = person.coverage == Status::Active;
    let pairs = [
        ("Member ID", person.member_id.to_owned()),
        ("Name", format!("{}, {}", person.last_name, person.first_name)),
        ("Date of Birth", us_date(person.date_of_birth)),
        ("Group Number", person.group_number.to_owned()),
        ("Plan", person.plan.name.to_owned()),
        ("Coverage Status", if active { "Active" } else { "Terminated" }.to_owned()),
        ("Effective Date", us_date(person.plan.from)),
        ("Termination Date", person.plan.to.map(us_date).unwrap_or_default()),
    ];
    let facts: String = pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(label, value)| format!("<dt>{label}:</dt><dd>{}</dd>\n", escape(value)))
        .collect();
    let shown: Vec<_> = benefits.iter().skip(page * ROWS_PER_PAGE).take(ROWS_PER_PAGE).collect();
    let table = if shown.is_empty() {
        String::new()
    } else {
        let rows: String = shown.iter().map(|benefit| row("td", layout, values(benefit))).collect();
        format!(
            "<h2>Benefits</h2><table id=\"benefits\"><thead>{}</thead><tbody>{rows}</tbody></table>",
            row("th", layout, HEADERS.map(str::to_owned))
        )
    };
    let next = if benefits.len() > (page + 1) * ROWS_PER_PAGE {
        format!("<a class=\"next\" href=\"/member?k={key}&amp;page={}\">Next page</a>", page + 1)
    } else {
        String::new()
    };
    frame("Member details", true, &format!("<h1>Member details</h1><dl id=\"member\">{facts}</dl>{table}{next}"))
}

const COLUMNS: usize = 16;
const HEADERS: [&str; COLUMNS] = [
    "Service",
    "Network",
    "Level",
    "Covered",
    "Copay",
    "Coinsurance",
    "Deductible",
    "Deductible Met",
    "Deductible Remaining",
    "OOP Maximum",
    "OOP Met",
    "OOP Remaining",
    "Visits Allowed",
    "Visits Used",
    "Visits Remaining",
    "Prior Authorization",
];

/// One row; layout B turns the order of the columns round.
fn row(tag: &str, layout: Layout, mut cells: [String; COLUMNS]) -> String {
    if layout == Layout::B {
        cells.reverse();
    }
    let cells: String = cells.iter().map(|cell| format!("<{tag}>{cell}</{tag}>")).collect();
    format!("<tr>{cells}</tr>\n")
}

fn values(benefit: &Benefit) -> [String; COLUMNS] {
    let dash = || "-".to_owned();
    let money = |amount: Option<&str>| amount.map_or_else(dash, |amount| format!("${}", thousands(amount)));
    let plain = |text: Option<&str>| text.map_or_else(dash, str::to_owned);
    let part = |accumulator: &Option<Accumulator>| {
        accumulator.as_ref().map_or([None; 3], |a| [a.base, a.met, a.remaining]).map(money)
    };
    let [deductible, deductible_met, deductible_left] = part(&benefit.deductible);
    let [maximum, maximum_met, maximum_left] = part(&benefit.out_of_pocket);
    let limit = benefit.limit.as_ref();
    let words = SERVICES.iter().find(|(_, code, _)| *code == benefit.service).map_or(benefit.service, |known| known.2);
    [
        words.to_owned(),
        match benefit.network {
            Network::In => "In Network",
            Network::Out => "Out of Network",
            Network::Both => "Both",
            Network::NotStated => "-",
        }
        .to_owned(),
        match benefit.level {
            Level::Individual => "Individual",
            Level::Family => "Family",
            Level::NotStated => "-",
        }
        .to_owned(),
        match benefit.covered {
            Covered::Yes => "Covered",
            Covered::No => "Not Covered",
            Covered::Limited => "Limited",
            Covered::NotStated => "-",
        }
        .to_owned(),
        money(benefit.copay),
        benefit.coinsurance.map_or_else(dash, percent),
        deductible,
        deductible_met,
        deductible_left,
        maximum,
        maximum_met,
        maximum_left,
        plain(limit.map(|limit| limit.allowed)),
        plain(limit.and_then(|limit| limit.used)),
        plain(limit.and_then(|limit| limit.remaining)),
        match benefit.authorization {
            Authorization::Required => "Required",
            Authorization::NotRequired => "Not Required",
            Authorization::NotStated => "-",
        }
        .to_owned(),
    ]
}

/// `0.30` as `30%`.
fn percent(share: &str) -> String {
    let digits = share.strip_prefix("0.").unwrap_or(share);
    let digits = digits.trim_start_matches('0');
    if digits.is_empty() { "0%".to_owned() } else { format!("{digits}%") }
}

/// `10000.00` as `10,000.00`.
fn thousands(amount: &str) -> String {
    let (whole, cents) = amount.split_once('.').unwrap_or((amount, "00"));
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped}.{cents}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_shares_as_a_portal_writes_them() {
        assert_eq!((thousands("12000.00"), thousands("35.00")), ("12,000.00".into(), "35.00".into()));
        assert_eq!((percent("0.30"), percent("0.05")), ("30%".into(), "5%".into()));
        assert_eq!(us_date("1983-10-02"), "10/02/1983");
    }
}
