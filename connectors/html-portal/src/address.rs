//! Web addresses on pages: a reference and the address of its page make a whole address (RFC 3986, section 5.2).

/// Resolves `reference` against `base` (a whole `http` or `https` address). The fragment is left off. `None` for schemes
/// that lead nowhere (`javascript:`, `mailto:`) and for text that is no address.
pub fn join(base: &str, reference: &str) -> Option<String> {
    let cleaned: String = reference.trim().chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let reference = cleaned.split('#').next().unwrap_or_default();
    if reference.len() > 8000 {
        return None;
    }
    let (scheme, after) = base.split_once("://")?;
    let (authority, rest) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    let base_path = rest.split(['?', '#']).next().unwrap_or_default();
    if let Some((word, _)) = reference.split_once(':')
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    {
        let whole = word.eq_ignore_ascii_case("http") || word.eq_ignore_ascii_case("https");
        return (whole && reference.contains("://")).then(|| encoded(reference));
    }
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, format!("?{query}")),
        None => (reference, String::new()),
    };
    let target = if let Some(other) = reference.strip_prefix("//") {
        return Some(encoded(&format!("{scheme}://{other}")));
    } else if path.is_empty() {
        let kept = if query.is_empty() {
            rest.split('#').next().unwrap_or_default().to_owned()
        } else {
            format!("{base_path}{query}")
        };
        if kept.starts_with('/') { kept } else { format!("/{kept}") }
    } else if path.starts_with('/') {
        format!("{}{query}", without_dots(path))
    } else {
        let folder = base_path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{}{query}", without_dots(&format!("{folder}/{path}")))
    };
    Some(encoded(&format!("{scheme}://{authority}{target}")))
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let last = path.rsplit('/').next().unwrap_or_default();
    for piece in path.split('/').skip(1) {
        match piece {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(piece),
        }
    }
    let folder = matches!(last, "." | "..") && !kept.is_empty();
    format!("/{}{}", kept.join("/"), if folder { "/" } else { "" })
}

/// Percent-encodes what an address may not hold (spaces, letters beyond ASCII), as browsers do.
fn encoded(address: &str) -> String {
    use std::fmt::Write as _;
    address.bytes().fold(String::with_capacity(address.len()), |mut out, byte| {
        if byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'`' | b'\\' | b'^' | b'{' | b'|' | b'}') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// `application/x-www-form-urlencoded` (the WHATWG URL standard's serialiser). Line ends become CR LF, as in forms.
pub fn form_encode(pairs: &[(String, String)]) -> String {
    use std::fmt::Write as _;
    let mut out = String::new();
    let escape = |text: &str, out: &mut String| {
        for byte in text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n").bytes() {
            match byte {
                b' ' => out.push('+'),
                b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
                _ => {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }
    };
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        escape(name, &mut out);
        out.push('=');
        escape(value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_resolve_as_in_the_standard() {
        let base = "https://p.example/a/b?x=1";
        for (reference, want) in [
            ("c", "https://p.example/a/c"),
            ("./c?y=2#z", "https://p.example/a/c?y=2"),
            ("../c", "https://p.example/c"),
            ("../../../c/", "https://p.example/c/"),
            ("/d", "https://p.example/d"),
            ("//q.example/d", "https://q.example/d"),
            ("?y", "https://p.example/a/b?y"),
            ("", "https://p.example/a/b?x=1"),
            ("#top", "https://p.example/a/b?x=1"),
            ("https://q.example/e f", "https://q.example/e%20f"),
            ("c:d/e/..", ""),
            ("é", "https://p.example/a/%C3%A9"),
        ] {
            assert_eq!(join(base, reference).unwrap_or_default(), want, "{reference}");
        }
        assert_eq!(join("https://p.example", "login").as_deref(), Some("https://p.example/login"));
        assert_eq!(join(base, "javascript:void(0)"), None);
    }

    #[test]
    fn forms_encode_as_browsers_do() {
        let pairs = [("a b".to_owned(), "1&é\n".to_owned()), ("ctl00$x".to_owned(), "pk-1-totp-form-kp".to_owned())];
        assert_eq!(form_encode(&pairs), "a+b=1%26%C3%A9%0D%0A&ctl00%24x=pk-1-totp-form-kp");
    }
}
