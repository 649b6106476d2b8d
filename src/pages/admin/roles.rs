//! Who may what, as a table: the one table of the code, in words.

use maud::{Markup, html};

use crate::identity::{Role, Scope};
use crate::pages::parts::words::plain;

/// What a scope lets one do, in words for people.
pub fn means(scope: Scope) -> &'static str {
    match scope {
        Scope::Ask => "Ask carriers about patients, see the answers",
        Scope::Raw => "See the very bytes that were exchanged",
        Scope::Carriers => "See how the carriers are",
        Scope::Credentials => "Enter and try the practice’s logins",
        Scope::Submit => "Hand in authorizations and claims",
        Scope::Resolve => "Say what became of a submission, do what a carrier asks of a person",
        Scope::Trail => "Read the paper trail, make evidence packets",
        Scope::Admin => "Look after people, keys, webhooks, carrier files",
    }
}

/// All roles and what each may do.
pub fn matrix() -> Markup {
    html! {
        div.table role="region" aria-label="What each role may do" tabindex="0" { table {
            caption.hidden { "What each role may do" }
            thead { tr { th { "May" } @for role in Role::ALL { th scope="col" { (plain(role.word())) } } } }
            tbody {
                @for scope in Scope::ALL {
                    tr {
                        th scope="row" { (means(scope)) }
                        @for role in Role::ALL {
                            td { @if role.scopes().contains(&scope) { strong { "yes" } } @else { span.soft { "no" } } }
                        }
                    }
                }
            }
        } }
    }
}

/// Roles as a choice.
pub fn options() -> Vec<(String, String)> {
    Role::ALL.iter().map(|role| (role.word().to_owned(), plain(role.word()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_says_what_the_code_does() {
        let table = matrix().into_string();
        let rights: usize = Role::ALL.iter().map(|role| role.scopes().len()).sum();
        assert_eq!(table.matches("<strong>yes</strong>").count(), rights);
        assert_eq!(table.matches("<td>").count(), Role::ALL.len() * Scope::ALL.len());
    }
}
