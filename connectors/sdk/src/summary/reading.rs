//! How hard a text is to read: the grade of Flesch and Kincaid (1975), `0.39 × words per sentence + 11.8 × syllables per
//! word − 15.59`.
//!
//! Syllables are counted by a rule, not looked up: groups of vowels, a silent `e` at the end not counted (`plane`, but
//! `table`), `-ed` only after `t` or `d`; at least one. Against a dictionary such a rule is right for about nine words in
//! ten, and errs to both sides. A number, with what stands around it (`$1,500.00`), is one word of one syllable, as the usual
//! tools count: it is read at a glance. Names count as any other word. A sentence ends with a full stop, a question or an exclamation mark before a space or the end.

/// The grade of a text; `None` where there is no word in it.
pub fn grade(text: &str) -> Option<f64> {
    let words: Vec<&str> = text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).collect();
    let ends = words.iter().filter(|word| {
        let word = word.trim_end_matches([')', '"', '”', '’']);
        word.ends_with(['.', '?', '!'])
    });
    let (sentences, all) = (ends.count().max(1) as f64, words.len() as f64);
    let said: usize = words.iter().map(|word| syllables(word)).sum();
    (!words.is_empty()).then(|| 0.39 * all / sentences + 11.8 * said as f64 / all - 15.59)
}

/// The syllables of a word, at least one.
pub fn syllables(word: &str) -> usize {
    word.split('-').filter(|part| !part.is_empty()).map(part).sum::<usize>().max(1)
}

fn part(word: &str) -> usize {
    if word.chars().any(|letter| letter.is_ascii_digit()) {
        return 1;
    }
    let word: String = word.chars().filter(|letter| letter.is_alphabetic()).flat_map(char::to_lowercase).collect();
    let vowel = |letter: char| "aeiouyáéíóúäöü".contains(letter);
    let (mut groups, mut before) = (0, false);
    for letter in word.chars() {
        let now = vowel(letter);
        groups += usize::from(now && !before);
        before = now;
    }
    let ends = |end: &str| word.ends_with(end);
    let silent = (ends("e") && !ends("le") && !ends("ee") && !ends("ye") && !ends("ie") && !ends("oe"))
        || (ends("ed") && !ends("ted") && !ends("ded") && !ends("eed"))
        || (ends("es")
            && !["ses", "zes", "ces", "xes", "ges", "shes", "ches", "les", "ies"].iter().any(|end| ends(end)));
    if silent && groups > 1 {
        groups -= 1;
    }
    groups.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syllables_are_counted_as_people_speak() {
        for (word, count) in [
            ("plan", 1),
            ("covered", 2),
            ("deductible", 4),
            ("authorization", 5),
            ("copay", 2),
            ("patient", 2),
            ("needs", 1),
            ("needed", 2),
            ("out-of-pocket", 4),
            ("$1,500.00", 1),
            ("visits", 2),
            ("services", 3),
            ("guarantee", 3),
            ("a", 1),
            ("NSH", 1),
        ] {
            assert_eq!(syllables(word), count, "{word}");
        }
    }

    #[test]
    fn short_words_in_short_sentences_are_easy() {
        let easy = grade("The cat sat. The dog ran. We all saw it.").unwrap();
        let hard = grade("Preauthorization determinations necessitate comprehensive documentation.").unwrap();
        assert!(easy < 2.0 && hard > 20.0, "{easy} {hard}");
        assert_eq!(grade(" – "), None);
    }
}
