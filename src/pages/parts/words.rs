//! Fixed words of the API as people say them.

/// `not_found` as `Not found`.
pub fn plain(word: &str) -> String {
    let spaced = word.replace(['_', '.'], " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// `1 question`, `2 questions`.
pub fn count(number: u64, one: &str, more: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {more}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_plainly() {
        assert_eq!(plain("authorization_coordinator"), "Authorization coordinator");
        assert_eq!(plain(""), "");
        assert_eq!(count(1, "row", "rows"), "1 row");
        assert_eq!(count(0, "row", "rows"), "0 rows");
    }
}
