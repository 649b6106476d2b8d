//! How far two words lie apart: for "did you mean" and for the carrier search.

/// Longest word compared, characters. Longer ones are never alike: the cost grows with the square.
const WORD_MAX_CHARS: usize = 64;

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`; `None` when more than `most`
/// are needed, or when a word is longer than 64 characters.
pub fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().take(WORD_MAX_CHARS + 1).collect();
    let b: Vec<char> = b.chars().take(WORD_MAX_CHARS + 1).collect();
    if a.len() > WORD_MAX_CHARS || b.len() > WORD_MAX_CHARS || a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (row, &from) in a.iter().enumerate() {
        let mut line = Vec::with_capacity(b.len() + 1);
        line.push(row + 1);
        for (column, &to) in b.iter().enumerate() {
            let change = last.get(column).copied().unwrap_or(0) + usize::from(from != to);
            let insert = line.last().copied().unwrap_or(0) + 1;
            let delete = last.get(column + 1).copied().unwrap_or(0) + 1;
            let mut best = change.min(insert).min(delete);
            let swapped = column > 0 && row > 0 && a.get(row - 1) == Some(&to) && b.get(column - 1) == Some(&from);
            if swapped && let Some(base) = before_last.get(column - 1) {
                best = best.min(base + 1);
            }
            line.push(best);
        }
        before_last = std::mem::replace(&mut last, line);
    }
    last.last().copied().filter(|steps| *steps <= most)
}

/// The known word nearest to `word`, when one is near enough to be what was meant.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(word);
    let most = (wanted.chars().count() / 3).clamp(1, 3);
    known
        .into_iter()
        .filter_map(|candidate| {
            let text = plain(candidate);
            // A key that only lacks its unit (`attempt_timeout` for `attempt_timeout_secs`) is meant too.
            let begun = wanted.len() >= 4 && (text.starts_with(&wanted) || wanted.starts_with(&text));
            distance(&wanted, &text, most).or(begun.then_some(most + 1)).map(|steps| (steps, candidate))
        })
        .min_by_key(|(steps, _)| *steps)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_steps() {
        assert_eq!(distance("payer", "payer", 2), Some(0));
        assert_eq!(distance("payer", "pyaer", 2), Some(1));
        assert_eq!(distance("kitten", "sitting", 3), Some(3));
        assert_eq!(distance("kitten", "sitting", 2), None);
        assert_eq!(distance("", "ab", 2), Some(2));
        assert_eq!(distance(&"x".repeat(100), &"x".repeat(100), 2), None);
    }

    #[test]
    fn finds_what_was_meant() {
        let known = ["payer_id", "payer_ids", "connector", "attempt_timeout_secs"];
        assert_eq!(nearest("payer-id", known), Some("payer_id"));
        assert_eq!(nearest("conector", known), Some("connector"));
        assert_eq!(nearest("attempt_timeout", known), Some("attempt_timeout_secs"));
        assert_eq!(nearest("colour", known), None);
    }
}
