//! Named code lists: `lists.txt` here, and the crate's tables of what codes mean.

use std::collections::HashMap;
use std::sync::OnceLock;

use super::TableFault;
use super::dictionary::lines;
use crate::codes::Table;

const LISTS: &str = include_str!("lists.txt");

/// A named list.
#[derive(Clone, Debug)]
pub(super) struct NamedList {
    pub(super) codes: Vec<&'static str>,
    /// It changes outside this crate.
    pub(super) open: bool,
}

type Lists = HashMap<&'static str, NamedList>;

/// The list of a name: of `lists.txt`, else a table of [`crate::codes`] by its file name, which is always open.
pub(super) fn named(name: &str) -> Option<NamedList> {
    static ALL: OnceLock<Lists> = OnceLock::new();
    let lists = ALL.get_or_init(|| compile().unwrap_or_default());
    if let Some(list) = lists.get(name) {
        return Some(list.clone());
    }
    let table = Table::by_file(name)?;
    Some(NamedList { codes: table.codes(), open: true })
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
                let open = match words.next() {
                    Some("open") => true,
                    Some("closed") => false,
                    _ => return Err(fault("a list is `open` or `closed`")),
                };
                if all.insert(last, NamedList { codes: words.collect(), open }).is_some() {
                    return Err(fault("this list is there twice"));
                }
            }
            _ => return Err(fault("expected `list NAME open|closed CODE ...` or `+ CODE ...`")),
        }
    }
    Ok(all)
}
