//! Names as carriers compare them.

/// Suffixes and titles that CAQH CORE rule 258 takes off a last name where a space, comma or slash sets them apart.
const NAME_SUFFIXES: [&str; 16] =
    ["JR", "SR", "I", "II", "III", "IV", "V", "RN", "MD", "MR", "MS", "DR", "MRS", "PHD", "REV", "ESQ"];

/// A last name cleaned as CAQH CORE rule 258 (normalising patient last name) has it: set-apart suffixes and titles are
/// taken off, punctuation is dropped, letters become capitals. Returns the name and a generational suffix, if one was
/// taken off. `O'Donnell-Griswold` becomes `ODONNELLGRISWOLD`, `Smith, Jr.` becomes `SMITH` and `JR`; `POMPII` stays.
pub fn core_258(last_name: &str) -> (String, Option<String>) {
    let upper = last_name.to_uppercase();
    let clean = |part: &str| part.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let mut parts: Vec<String> = upper.split([' ', ',', '/']).map(clean).filter(|part| !part.is_empty()).collect();
    let mut suffix = None;
    while parts.len() > 1 && parts.last().is_some_and(|last| NAME_SUFFIXES.contains(&last.as_str())) {
        let taken = parts.pop();
        suffix = taken.filter(|taken| matches!(taken.as_str(), "JR" | "SR" | "I" | "II" | "III" | "IV" | "V"));
    }
    while parts.len() > 1
        && parts.first().is_some_and(|first| matches!(first.as_str(), "MR" | "MS" | "DR" | "MRS" | "REV"))
    {
        parts.remove(0);
    }
    (parts.join(" "), suffix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_names_by_core_258() {
        assert_eq!(core_258("O'Donnell-Griswold"), ("ODONNELLGRISWOLD".into(), None));
        assert_eq!(core_258("Smith, Jr."), ("SMITH".into(), Some("JR".into())));
        assert_eq!(core_258("POMPII"), ("POMPII".into(), None));
        assert_eq!(core_258("de la Cruz MD"), ("DE LA CRUZ".into(), None));
        assert_eq!(core_258("V"), ("V".into(), None));
    }
}
