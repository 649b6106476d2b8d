//! `application/x-www-form-urlencoded`, read.

/// Most fields of a form.
const FIELDS_MAX: usize = 200;

/// The fields in order, decoded.
pub(crate) fn fields(body: &str) -> Vec<(String, String)> {
    body.split('&')
        .filter(|pair| !pair.is_empty())
        .take(FIELDS_MAX)
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// One value of a form or of a query string; empty where it is not there.
pub(crate) fn value(body: &str, name: &str) -> String {
    fields(body).into_iter().find(|(key, _)| key == name).map(|(_, value)| value).unwrap_or_default()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let ahead = rest.clone();
                let digits: Vec<u32> = ahead.take(2).filter_map(|digit| char::from(digit).to_digit(16)).collect();
                match digits.as_slice() {
                    [high, low] => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                        rest.next();
                        rest.next();
                    }
                    _ => bytes.push(b'%'),
                }
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_and_survives_nonsense() {
        assert_eq!(value("a=1+2&b=%26%C3%A9", "b"), "&é");
        assert_eq!(value("a=1+2", "a"), "1 2");
        assert_eq!(value("a=%zz%4", "a"), "%zz%4");
        assert_eq!(value("", "a"), "");
    }
}
