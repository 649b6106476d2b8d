//! Texts as they are compared: accents, case, hyphens and apostrophes do not tell people apart at a desk.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A name in lower case without accents and apostrophes; anything else that is no letter or digit divides words, which
/// stand apart by one space: `O'Donnell-Griswold` is `odonnell griswold`.
pub fn name(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase) {
        match letter {
            '\'' | '’' | '‘' | '`' | 'ʼ' | '´' => {}
            // Letters of their own, which no decomposition takes apart.
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'þ' => folded.push_str("th"),
            'ı' => folded.push('i'),
            letter if letter.is_alphanumeric() => folded.push(letter),
            _ => {
                if !folded.is_empty() && !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// An identifier with its letters and digits alone, in upper case: as cards and systems write it differently.
pub fn id(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// The digits of a phone number, without the country's 1.
pub fn phone(text: &str) -> String {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    national(&digits).to_owned()
}

/// Digits without the country's 1 before a number of ten.
pub fn national(digits: &str) -> &str {
    digits.strip_prefix('1').filter(|rest| rest.len() == 10).unwrap_or(digits)
}

/// Whether one insertion, deletion, replacement or swap of neighbours turns `a` into `b`, or nothing at all. No memory is
/// taken: it is asked some hundred thousand times in one search.
pub fn one_step(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() - short.len() > 1 {
        return false;
    }
    let same = short.iter().zip(long).take_while(|(one, other)| one == other).count();
    let (short, long) = (short.get(same..).unwrap_or_default(), long.get(same..).unwrap_or_default());
    match (short, long) {
        ([], _) => true,
        (short, [_, rest @ ..]) if short == rest => true,
        ([_, one @ ..], [_, other @ ..]) if one == other => true,
        ([a, b, one @ ..], [c, d, other @ ..]) => a == d && b == c && one == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_meet_whatever_the_spelling() {
        for (one, other) in [
            ("O'Donnell-Griswold", "ODONNELL GRISWOLD"),
            ("José  Núñez", "jose nunez"),
            ("Łukasz Sørensen", "lukasz sorensen"),
            ("Weiß", "WEISS"),
            ("  de la Cruz,", "De La Cruz"),
        ] {
            assert_eq!(name(one), name(other));
        }
        assert_eq!(id(" nsh 0041-8823 7"), "NSH004188237");
        assert_eq!(phone("+1 (503) 555-0142"), "5035550142");
        assert_eq!(phone("555-0142"), "5550142");
    }

    #[test]
    fn one_step_is_one() {
        for (a, b) in [
            ("ortiz", "ortiz"),
            ("ortiz", "otriz"),
            ("ortiz", "orti"),
            ("ortiz", "ortizz"),
            ("ortiz", "artiz"),
            ("", "a"),
        ] {
            assert!(one_step(a, b) && one_step(b, a), "{a} {b}");
        }
        for (a, b) in [("ortiz", "otrizz"), ("ortiz", "or"), ("abcd", "badc"), ("abc", "cba"), ("abcd", "acbde")] {
            assert!(!one_step(a, b) && !one_step(b, a), "{a} {b}");
        }
    }
}
