//! Named code lists: `lists.txt` here, and the crate's tables of what codes mean.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::TableFault;
use super::dictionary::lines;
use crate::codes::Table;
use crate::finding::Oddity;

const LISTS: &str = include_str!("lists.txt");

/// What it means that a code is not in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// The guide names all codes: the code is wrong.
    #[default]
    Closed,
    /// The list changes outside this crate: the code is worth a warning, no more.
    Open,
    /// We have a part of it: the code is worth a mention.
    Partial,
}

impl Reach {
    /// What a code is called that is not in the list.
    pub(super) fn oddity(self) -> Oddity {
        match self {
            Self::Closed => Oddity::CodeValue,
            Self::Open => Oddity::CodeUnknown,
            Self::Partial => Oddity::CodeUnlisted,
        }
    }
}

/// A named list.
#[derive(Clone, Debug)]
pub(super) struct NamedList {
    pub(super) codes: Vec<&'static str>,
    pub(super) reach: Reach,
}

type Lists = HashMap<&'static str, NamedList>;

/// The list of a name: of `lists.txt`, else a table of [`crate::codes`] by its file name, which is never closed.
pub(super) fn named(name: &str) -> Option<NamedList> {
    static ALL: OnceLock<Lists> = OnceLock::new();
    let lists = ALL.get_or_init(|| compile().unwrap_or_default());
    if let Some(list) = lists.get(name) {
        return Some(list.clone());
    }
    let table = Table::by_file(name)?;
    let reach = if table.is_partial() { Reach::Partial } else { Reach::Open };
    Some(NamedList { codes: table.codes(), reach })
}

/// Compiles `lists.txt`, or says which line is wrong.
pub(super) fn compile() -> Result<Lists, TableFault> {
    let mut all: Lists = HashMap::new();
    let mut last = "";
    for (number, text) in lines(LISTS) {
        let fault = |message| TableFault::new("lists.txt", number, message);
        let mut words = text.split_whitespace();
        match words.next() {
            Some("+") => {
                let list = all.get_mut(last).ok_or_else(|| fault("nothing to continue"))?;
                list.codes.extend(words);
            }
            Some("list") => {
                last = words.next().ok_or_else(|| fault("a list needs a name"))?;
                let reach = match words.next() {
                    Some("open") => Reach::Open,
                    Some("closed") => Reach::Closed,
                    _ => return Err(fault("a list is `open` or `closed`")),
                };
                if all.insert(last, NamedList { codes: words.collect(), reach }).is_some() {
                    return Err(fault("this list is there twice"));
                }
            }
            _ => return Err(fault("expected `list NAME open|closed CODE ...` or `+ CODE ...`")),
        }
    }
    Ok(all)
}
