//! The words of a guide's lines: repeats, element tokens, terms of rules.

use super::guide::{CodeSet, Condition, MAX_CODE, UNBOUNDED, pack_code};
use super::lists::{self, Reach};

/// `5.1#=ABK,BK`
#[derive(Clone, Debug)]
pub(super) struct ElementToken {
    pub(super) element: u16,
    /// 0 for the element as a whole.
    pub(super) component: u16,
    /// `!`, `?`, `#`, `-`.
    pub(super) mark: char,
    pub(super) repeat: Option<u16>,
    pub(super) codes: CodeSet,
}

/// `1`, `99` or `>`.
pub(super) fn repeat(word: &str) -> Result<u32, String> {
    if word == ">" {
        return Ok(UNBOUNDED);
    }
    word.parse().ok().filter(|count| *count > 0).ok_or_else(|| format!("{word} is no repeat count"))
}

/// `A,B,@name`
pub(super) fn codes(text: &'static str) -> Result<CodeSet, String> {
    let (mut codes, mut reach) = (Vec::new(), Reach::Closed);
    for word in text.split(',') {
        if let Some(name) = word.strip_prefix('@') {
            let list = lists::named(name).ok_or_else(|| format!("there is no list {name}"))?;
            reach = reach.max(list.reach);
            for code in list.codes {
                codes.push(packed(code)?);
            }
        } else {
            codes.push(packed(word)?);
        }
    }
    codes.sort_unstable();
    codes.dedup();
    Ok(CodeSet { codes, text, reach })
}

fn packed(code: &str) -> Result<u128, String> {
    if code.is_empty() {
        return Err("an empty code".into());
    }
    pack_code(code.as_bytes()).ok_or_else(|| format!("{code} is longer than {MAX_CODE}"))
}

fn place(text: &str) -> Result<(u16, u16), String> {
    let (element, component) = text.split_once('.').unwrap_or((text, "0"));
    match (element.parse(), component.parse()) {
        (Ok(element), Ok(component)) if element > 0 => Ok((element, component)),
        _ => Err(format!("{text} is no element")),
    }
}

/// `2!=1,2`
pub(super) fn element(word: &'static str) -> Result<ElementToken, String> {
    let (head, list) = match word.split_once('=') {
        Some((head, list)) => (head, codes(list)?),
        None => (word, CodeSet::default()),
    };
    let (head, repeat) = match head.split_once('*') {
        Some((head, count)) => (head, Some(count.parse().map_err(|_| format!("{word}: no repeat count"))?)),
        None => (head, None),
    };
    let mark = head.chars().last().filter(|c| "!?#-".contains(*c));
    let (element, component) = place(head.trim_end_matches(['!', '?', '#', '-']))?;
    if mark == Some('#') && list.any() {
        return Err(format!("{word}: a qualifier needs its codes"));
    }
    Ok(ElementToken { element, component, mark: mark.unwrap_or('?'), repeat, codes: list })
}

/// A term of a segment rule: `2`, `5.3=7,8`, `2!=1`.
pub(super) fn condition(word: &'static str) -> Result<Condition, String> {
    let (head, list) = match word.split_once('=') {
        Some((head, list)) => (head, codes(list)?),
        None => (word, CodeSet::default()),
    };
    let other = head.ends_with('!');
    if other && list.any() {
        return Err(format!("{word}: `!=` needs codes"));
    }
    let (element, component) = place(head.trim_end_matches('!'))?;
    Ok(Condition { element, component, codes: list, other })
}

/// A term of a loop rule: `REF.1=F8`, `2010BA/DMG`, `^2000B/SBR.2=18`.
#[derive(Clone, Debug)]
pub(super) struct LoopTerm {
    /// The loop is one that this one stands in.
    pub(super) outer: bool,
    /// Empty for the rule's own loop.
    pub(super) loop_id: &'static str,
    pub(super) segment: &'static str,
    pub(super) condition: Condition,
}

/// Reads a term of a loop rule.
pub(super) fn loop_term(word: &'static str) -> Result<LoopTerm, String> {
    let (outer, rest) = word.strip_prefix('^').map_or((false, word), |rest| (true, rest));
    let head_end = rest.find(['.', '=']).unwrap_or(rest.len());
    let slash = rest.get(..head_end).and_then(|head| head.find('/'));
    let (loop_id, rest) = slash.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?))).unwrap_or(("", rest));
    let (segment, condition) = match rest.split_once('.') {
        Some((segment, place)) => (segment, condition(place)?),
        None => (rest, Condition::default()),
    };
    if segment.is_empty() || outer && loop_id.is_empty() {
        return Err(format!("{word} names no segment, or no outer loop"));
    }
    Ok(LoopTerm { outer, loop_id, segment, condition })
}
