//! Multipart bodies: taking one apart, putting one together.

/// One part: its headers as one lower-case text, its `name`, its bytes.
pub(crate) struct Part<'a> {
    pub(crate) head: String,
    pub(crate) name: String,
    pub(crate) body: &'a [u8],
}

/// Most parts of a body.
const PARTS_MAX: usize = 32;

/// The `boundary` parameter of a content type.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    parameter(content_type, "boundary")
}

fn parameter(header: &str, wanted: &str) -> Option<String> {
    header.split(';').skip(1).find_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        name.trim().eq_ignore_ascii_case(wanted).then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The parts of a body; `None` where boundary and body do not fit together.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> Option<Vec<Part<'a>>> {
    if boundary.is_empty() || boundary.len() > 200 {
        return None;
    }
    let mark = format!("--{boundary}");
    let mut found = Vec::new();
    let mut rest = after(body, mark.as_bytes())?;
    loop {
        if rest.starts_with(b"--") {
            return Some(found);
        }
        let start = after(rest, b"\r\n")?;
        let end = position(start, format!("\r\n{mark}").as_bytes())?;
        let (part, next) = start.split_at_checked(end)?;
        let split = position(part, b"\r\n\r\n")?;
        let (head, body) = part.split_at_checked(split)?;
        let head = String::from_utf8_lossy(head).into_owned();
        let name = head
            .lines()
            .find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))
            .and_then(|line| parameter(line, "name"))
            .unwrap_or_default();
        if found.len() >= PARTS_MAX {
            return None;
        }
        found.push(Part { head: head.to_ascii_lowercase(), name, body: body.get(4..)? });
        rest = next.get(2 + mark.len()..)?;
    }
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn after<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<&'a [u8]> {
    bytes.get(position(bytes, mark)? + mark.len()..)
}

/// A form-data body with these fields.
pub(crate) fn form(boundary: &str, fields: &[(&str, &str)]) -> String {
    let mut out = String::new();
    for (name, value) in fields {
        out.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    out.push_str(&format!("--{boundary}--\r\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_together_comes_apart() {
        let body = form("b1", &[("PayloadType", "X"), ("Payload", "ISA*00~\r\nGS~")]);
        let parts = parts(body.as_bytes(), "b1").unwrap();
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[1].name.as_str(), parts[1].body), ("Payload", b"ISA*00~\r\nGS~".as_slice()));
        assert_eq!(boundary("multipart/form-data; boundary=\"b1\"").as_deref(), Some("b1"));
    }

    #[test]
    fn broken_bodies_are_nothing() {
        for body in ["", "--b1", "--b1\r\n", "--b1\r\nA: b\r\n\r\nx", "--b2\r\n\r\n\r\n--b2--"] {
            assert!(parts(body.as_bytes(), "b1").is_none(), "{body:?}");
        }
    }
}
