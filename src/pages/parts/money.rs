//! Amounts. One never stands alone: what it is of, and what is left, stands beside it in words.

use maud::{Markup, html};

/// `1500.00` as `$1,500`; `40.50` as `$40.50`; what is no amount as it stands.
pub fn dollars(text: &str) -> String {
    let (sign, plain) = text.trim().strip_prefix('-').map_or(("", text.trim()), |rest| ("−", rest));
    let (whole, cents) = plain.split_once('.').unwrap_or((plain, ""));
    if whole.is_empty()
        || !whole.bytes().all(|byte| byte.is_ascii_digit())
        || !cents.bytes().all(|b| b.is_ascii_digit())
    {
        return text.to_owned();
    }
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let cents = if cents.bytes().all(|byte| byte == b'0') { String::new() } else { format!(".{cents:0<2}") };
    format!("{sign}${grouped}{cents}")
}

/// A share as people say it: `0.20` is `20%`.
pub fn percent(share: &str) -> String {
    match share.trim().parse::<f64>() {
        Ok(value) if (0.0..=1.0).contains(&value) => {
            let text = format!("{:.2}", value * 100.0);
            format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
        }
        _ => share.to_owned(),
    }
}

fn number(text: Option<&str>) -> Option<f64> {
    text.and_then(|text| text.trim().parse::<f64>().ok()).filter(|value| value.is_finite())
}

/// How much of an amount is used up. Only what the carrier said is shown; a bar needs the whole and a part of it.
pub fn bar(label: &str, whole: Option<&str>, used: Option<&str>, left: Option<&str>) -> Markup {
    let share = match (number(whole), number(used), number(left)) {
        (Some(whole), Some(used), _) if whole > 0.0 => Some(used / whole),
        (Some(whole), None, Some(left)) if whole > 0.0 => Some(1.0 - left / whole),
        _ => None,
    };
    let mut said = Vec::new();
    if let Some(used) = used {
        said.push(format!("{} met", dollars(used)));
    }
    if let Some(whole) = whole {
        said.push(format!("of {}", dollars(whole)));
    }
    if let Some(left) = left {
        said.push(format!("{} left", dollars(left)));
    }
    let words = match said.is_empty() {
        true => "the carrier did not say".to_owned(),
        false => said.join(", ").replacen(", of", " of", 1),
    };
    html! {
        figure.money {
            figcaption { span { (label) } strong.number { (words) } }
            @if let Some(share) = share {
                svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" {
                    rect.ground x="0" y="0" width="100" height="8" {}
                    rect.used x="0" y="0" width={ (format!("{:.1}", (share * 100.0).clamp(0.0, 100.0))) } height="8" {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_as_people_say_them() {
        for (text, said) in [
            ("1500.00", "$1,500"),
            ("40.5", "$40.50"),
            ("0", "$0"),
            ("1234567.89", "$1,234,567.89"),
            ("-12.00", "−$12"),
            ("twelve", "twelve"),
            ("", ""),
        ] {
            assert_eq!(dollars(text), said);
        }
        assert_eq!(percent("0.20"), "20%");
        assert_eq!(percent("0.125"), "12.5%");
        assert_eq!(percent("1"), "100%");
    }

    #[test]
    fn a_bar_says_only_what_the_carrier_said() {
        let whole = bar("Deductible", Some("1500.00"), Some("900.00"), Some("600.00")).into_string();
        assert!(whole.contains("$900 met of $1,500, $600 left") && whole.contains("width=\"60.0\""), "{whole}");
        let left = bar("Deductible", None, None, Some("600.00")).into_string();
        assert!(left.contains("$600 left") && !left.contains("<svg"), "{left}");
        assert!(bar("Deductible", None, None, None).into_string().contains("the carrier did not say"));
    }
}
