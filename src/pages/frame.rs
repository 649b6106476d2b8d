//! What is around every page: who is signed in, where one can go, what this gateway is.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::assets;
use super::fields::CSRF;
use super::visit::Visit;
use crate::identity::Scope;

/// The page covers itself after so long without use, seconds; the session ends by itself three minutes later.
const COVER_AFTER_SECS: u32 = 12 * 60;

/// Where one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The day's schedule.
    Today,
    /// One question.
    Check,
    /// Many questions.
    Batches,
    /// What was asked, answered and done.
    Trail,
    /// What waits for a person.
    Tasks,
    /// How the carriers are.
    Carriers,
    /// People, credentials, carrier files.
    Admin,
    /// Keys, connectors, the API.
    Developer,
    /// One's own account.
    Account,
}

/// One line of the menu.
struct Entry {
    place: Place,
    name: &'static str,
    address: &'static str,
    key: &'static str,
    /// Any of these lets one see it.
    scopes: &'static [Scope],
    /// A path in a square of 24.
    icon: &'static str,
}

const MENU: &[Entry] = &[
    Entry {
        place: Place::Today,
        name: "Today",
        address: "/today",
        key: "g t",
        scopes: &[Scope::Ask],
        icon: "M4 6h16v14H4zM4 10h16M8 3v5M16 3v5",
    },
    Entry {
        place: Place::Check,
        name: "Check coverage",
        address: "/check",
        key: "g c",
        scopes: &[Scope::Ask],
        icon: "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6zM8.5 12l2.5 2.5 4.5-5",
    },
    Entry {
        place: Place::Batches,
        name: "Batches",
        address: "/batches",
        key: "g b",
        scopes: &[Scope::Ask],
        icon: "M4 6h16M4 12h16M4 18h10",
    },
    Entry {
        place: Place::Tasks,
        name: "Tasks",
        address: "/tasks",
        key: "g k",
        scopes: &[Scope::Ask, Scope::Resolve, Scope::Credentials],
        icon: "M5 3v18M5 4h13l-3 4 3 4H5",
    },
    Entry {
        place: Place::Trail,
        name: "Paper trail",
        address: "/trail",
        key: "g p",
        scopes: &[Scope::Trail],
        icon: "M6 3h9l4 4v14H6zM15 3v4h4M9 12h7M9 16h7",
    },
    Entry {
        place: Place::Carriers,
        name: "Carriers",
        address: "/carriers",
        key: "g r",
        scopes: &[Scope::Carriers],
        icon: "M3 20h18M5 20V9l7-5 7 5v11M9 20v-6h6v6",
    },
    Entry {
        place: Place::Admin,
        name: "Admin",
        address: "/admin",
        key: "g d",
        scopes: &[Scope::Admin, Scope::Credentials],
        icon: "M12 9a3 3 0 100 6 3 3 0 000-6zM12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1",
    },
    Entry {
        place: Place::Developer,
        name: "Developer",
        address: "/developer",
        key: "g v",
        scopes: &[Scope::Admin],
        icon: "M8 7l-5 5 5 5M16 7l5 5-5 5M14 4l-4 16",
    },
];

/// A drawing of lines in a square of 24; it says nothing that a word does not say beside it.
pub fn icon(path: &str) -> Markup {
    html! {
        svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" {
            path d=(path);
        }
    }
}

const MARK: &str = "M4 21V10a8 8 0 0116 0v11M9 21v-9a3 3 0 016 0v9M2 21h20";

fn head(title: &str) -> Markup {
    let at = assets::addresses();
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="robots" content="noindex";
            meta name="htmx-config" content="{\"includeIndicatorCSS\": false, \"history\": false}";
            title { (title) " – Portico" }
            link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24' fill='none' stroke='%230b4f7d' stroke-width='2.5'%3E%3Cpath d='M4 21V10a8 8 0 0116 0v11M9 21v-9a3 3 0 016 0v9M2 21h20'/%3E%3C/svg%3E";
            link rel="stylesheet" href=(at.css);
            script src=(at.js) defer {}
            script src=(at.htmx) defer {}
        }
    }
}

/// A page for somebody who is not signed in, or cannot be shown more.
pub fn bare(title: &str, broad: bool, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body {
                a.skip href="#main" { "To the content" }
                div.bare {
                    main #main .broad[broad] {
                        div.mark { (icon(MARK)) "Portico" }
                        div.sheet.stack { (body) }
                    }
                }
                div #status .hidden role="status" {}
            }
        }
    }
}

/// A page for somebody signed in.
pub fn page(visit: &Visit, here: Place, title: &'static str, body: Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(title))
            body {
                a.skip href="#main" { "To the content" }
                @if visit.is_sandbox() {
                    aside.sandbox aria-label="Environment" { span { "SANDBOX: simulated carriers, invented people" } }
                }
                (top(visit))
                div.body {
                    (menu(visit, here))
                    main #main tabindex="-1" { div.wide { (body) } }
                    footer.bottom {
                        span { "Portico " (env!("CARGO_PKG_VERSION")) }
                        span { "Times are " (visit.zone_name()) }
                        a href="/docs" { "API" }
                        button.button.slim.script-only type="button" data-opens="keys" data-key="?" { "Keys" }
                    }
                }
                div #status .hidden role="status" {}
                (keys(visit))
                (lock(visit))
            }
        }
    }
}

fn top(visit: &Visit) -> Markup {
    let practice = visit.practice_name();
    html! {
        header.top.no-print {
            a.name href="/" { (icon(MARK)) "Portico" }
            @if visit.session.memberships.len() > 1 {
                a.practice href="/account#practices" { (practice) " ▾" }
            } @else { span.practice { (practice) } }
            @if visit.may(Scope::Ask) {
                form.find role="search" method="post" action="/find" {
                    (csrf(visit))
                    label.hidden for="find" { "Find a patient: name, date of birth, member ID, phone" }
                    input #find name="q" type="search" autocomplete="off" maxlength="200" placeholder="Find patient, date of birth, member ID…" data-key="/";
                }
            }
            div.who {
                a href="/account" { (visit.session.name) }
                form method="post" action="/sign-out" { (csrf(visit)) button type="submit" { "Sign out" } }
            }
        }
    }
}

fn menu(visit: &Visit, here: Place) -> Markup {
    html! {
        nav.side.no-print aria-label="Pages" {
            ul class="menu" {
                @for entry in MENU.iter().filter(|entry| entry.scopes.iter().any(|scope| visit.may(*scope))) {
                    li {
                        a href=(entry.address) data-key=(entry.key) aria-current=[(entry.place == here).then_some("page")] {
                            (icon(entry.icon)) span { (entry.name) }
                        }
                    }
                }
            }
        }
    }
}

/// The hidden field that goes into every form of somebody signed in.
pub fn csrf(visit: &Visit) -> Markup {
    html! { input type="hidden" name=(CSRF) value=(visit.session.csrf.as_str()); }
}

fn keys(visit: &Visit) -> Markup {
    let other = [
        ("/", "Find a patient (also Ctrl-K)"),
        ("j  k", "Next, previous row"),
        ("Enter", "Open"),
        ("r", "Refresh the answer"),
        ("x", "Tick the row"),
        ("v", "Verify the ticked rows, else what is stale"),
        ("n", "Next problem"),
        ("e", "Expert view"),
        ("p", "Print: the PDF"),
        ("Ctrl-Enter", "Ask live"),
        ("?", "This list"),
        ("Esc", "Close; leave a field"),
    ];
    html! {
        dialog #keys aria-labelledby="keys-title" {
            div.stack {
                div.row.ends { h2 #keys-title { "Keys" } button.button.slim type="button" data-closes { "Close" } }
                dl.pairs {
                    @for entry in MENU.iter().filter(|entry| entry.scopes.iter().any(|scope| visit.may(*scope))) {
                        dt { kbd { (entry.key) } } dd { (entry.name) }
                    }
                    @for (key, what) in other { dt { kbd { (key) } } dd { (what) } }
                }
                p.soft { "They do nothing while you type in a field." }
            }
        }
    }
}

/// What covers the page when nobody is at it. Only scripts show it; without them the session ends by itself.
fn lock(visit: &Visit) -> Markup {
    let code = visit.session.level != crate::identity::Level::Password;
    html! {
        div #lock hidden role="dialog" aria-modal="true" aria-labelledby="lock-title" data-after=(COVER_AFTER_SECS) {
            form.sheet.stack method="post" action="/sign-in/again" {
                h2 #lock-title { "Locked: nobody was here for a while" }
                input type="hidden" name="email" value=(visit.session.email);
                input type="hidden" name="practice" value=(visit.session.practice.as_str());
                p { "What you typed is still there. Sign in again as " strong { (visit.session.email) } " to go on." }
                p.problems data-wrong role="alert" hidden {}
                div.field {
                    label for="lock-password" { "Password" }
                    input #lock-password type="password" name="password" autocomplete="current-password" required;
                }
                @if code {
                    div.field.short {
                        label for="lock-code" { "One-time code" }
                        input #lock-code name="code" inputmode="numeric" autocomplete="one-time-code" required;
                    }
                }
                div.row { button.button.first type="submit" { "Go on" } a.button href="/sign-in" { "Somebody else" } }
            }
        }
    }
}

/// A text that a page says once after something was done, by a word in its address: `?said=saved`. A closed list: nothing
/// that comes in an address is shown.
pub fn said(word: Option<&str>) -> Markup {
    let text = match word {
        Some("saved") => "Saved.",
        Some("sent") => "Sent.",
        Some("added") => "Added.",
        Some("removed") => "Removed.",
        Some("done") => "Done.",
        Some("recorded") => "Recorded in the paper trail.",
        Some("applied") => "Applied: it is in force now.",
        Some("paused") => "Paused: nothing is asked there until somebody resumes it.",
        Some("resumed") => "It is asked again.",
        Some("connected") => "The carrier is connected. One step is left: its login, and a first try.",
        Some("nothing") => "Nothing had to be done.",
        Some("kept") => {
            "Kept, but not in force: the carrier cannot be connected as the file says, and the last good version holds."
        }
        Some("let-in") => "The carrier let us in: the login works.",
        Some("at-next") => {
            "Stored. This carrier checks the login with each question; the next one shows whether it works."
        }
        Some("ended") => "Ended.",
        _ => return PreEscaped(String::new()),
    };
    html! { p.note.good role="status" { (text) } }
}
