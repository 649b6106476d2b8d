//! The lines of a table: comments left out, continuations joined, `define` blocks put where they are used.

use std::collections::HashMap;

use super::TableFault;
use super::dictionary::lines;

/// Nested `use`, at most.
const MAX_DEPTH: usize = 8;
/// Lines of one guide after expansion, at most.
const MAX_LINES: usize = 20_000;

/// One line of a table.
#[derive(Clone, Debug)]
pub(super) struct SourceLine {
    /// In the file, from 1.
    pub(super) number: usize,
    /// Spaces before it.
    pub(super) indent: usize,
    pub(super) words: Vec<&'static str>,
    /// What stands after ` | `.
    pub(super) help: &'static str,
}

/// Reads a table.
pub(super) fn read(file: &'static str, text: &'static str) -> Result<Vec<SourceLine>, TableFault> {
    let mut blocks: HashMap<&'static str, Vec<SourceLine>> = HashMap::new();
    let mut main = Vec::new();
    let mut open: Option<&'static str> = None;
    for line in joined(file, text)? {
        if line.indent == 0 {
            open = None;
        }
        if line.words.first() == Some(&"define") {
            let name = *line.words.get(1).ok_or_else(|| TableFault::new(file, line.number, "define needs a name"))?;
            if line.indent > 0 || blocks.insert(name, Vec::new()).is_some() {
                return Err(TableFault::new(file, line.number, "define stands at the margin, once for each name"));
            }
            open = Some(name);
            continue;
        }
        match open.and_then(|name| blocks.get_mut(name)) {
            Some(block) => block.push(line),
            None => main.push(line),
        }
    }
    let mut all = Vec::new();
    expand(file, &main, 0, &blocks, 0, &mut all)?;
    Ok(all)
}

fn joined(file: &'static str, text: &'static str) -> Result<Vec<SourceLine>, TableFault> {
    let mut all: Vec<SourceLine> = Vec::new();
    for (number, line) in lines(text) {
        let indent = line.len() - line.trim_start().len();
        if line.contains('\t') || !line.is_ascii() {
            return Err(TableFault::new(file, number, "tabs and characters outside ASCII are not allowed"));
        }
        let (body, help) = line.split_once(" | ").unwrap_or((line, ""));
        let mut words: Vec<&'static str> = body.split_whitespace().collect();
        if words.first() == Some(&"+") {
            words.remove(0);
            let last = all.last_mut().ok_or_else(|| TableFault::new(file, number, "nothing to continue"))?;
            last.words.append(&mut words);
            if !help.is_empty() {
                last.help = help.trim();
            }
        } else {
            all.push(SourceLine { number, indent, words, help: help.trim() });
        }
    }
    Ok(all)
}

fn expand(
    file: &'static str,
    from: &[SourceLine],
    indent: usize,
    blocks: &HashMap<&'static str, Vec<SourceLine>>,
    depth: usize,
    into: &mut Vec<SourceLine>,
) -> Result<(), TableFault> {
    let base = from.first().map_or(0, |line| line.indent);
    for line in from {
        let here = (line.indent + indent).checked_sub(base);
        let here = here.ok_or_else(|| TableFault::new(file, line.number, "indented less than its block"))?;
        if into.len() >= MAX_LINES || depth > MAX_DEPTH {
            return Err(TableFault::new(file, line.number, "too many lines, or blocks that use each other"));
        }
        if line.words.first() == Some(&"use") {
            let block = line.words.get(1).and_then(|name| blocks.get(name));
            let block = block.ok_or_else(|| TableFault::new(file, line.number, "no such block"))?;
            expand(file, block, here, blocks, depth + 1, into)?;
        } else {
            into.push(SourceLine { indent: here, ..line.clone() });
        }
    }
    Ok(())
}
