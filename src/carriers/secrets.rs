//! A carrier file holds no secret: what looks like a literal one is refused, without repeating it.

use serde_json::Value;

use super::schema::{SchemaProblem, Spot};

/// Keys whose value is a secret when it is plain text.
const KEYS: [&str; 17] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "pin",
    "secret",
    "client_secret",
    "api_key",
    "apikey",
    "access_token",
    "refresh_token",
    "bearer_token",
    "totp",
    "totp_seed",
    "private_key",
    "client_key",
];

/// Values that such a key has where it tells *how* or *where* a secret is sent, or names the field that holds it.
const WORDS: [&str; 20] = [
    "text", "digest", "plain", "none", "basic", "header", "form", "query", "body", "field", "value", "password",
    "passwd", "pwd", "pass", "passcode", "pin", "secret", "totp", "code",
];

/// Tables whose values are sent as they stand: their keys are the carrier's names.
const SENT: [&str; 6] = ["fields", "form", "extra", "body", "headers", "query"];

/// What the carrier's own name of a secret field has in it.
const LIKE: [&str; 6] = ["pass", "pwd", "secret", "api_key", "apikey", "totp"];

/// Every value that looks like a secret. A value with a placeholder (`{{ … }}`, `{…}`, `${…}`), a selector or words
/// with spaces is none.
pub fn literal_secrets(value: &Value) -> Vec<SchemaProblem> {
    let mut found = Vec::new();
    walk(value, &mut Vec::new(), &mut found);
    found
}

fn walk(value: &Value, path: &mut Vec<String>, found: &mut Vec<SchemaProblem>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                walk(value, path, found);
                path.pop();
            }
        }
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                path.push(place.to_string());
                walk(item, path, found);
                path.pop();
            }
        }
        Value::String(text) => {
            let key = path.last().map_or("", String::as_str);
            let sent = path.iter().rev().nth(1).is_some_and(|parent| SENT.contains(&parent.as_str()));
            if is_secret(key, text, sent) {
                found.push(SchemaProblem {
                    path: path.clone(),
                    spot: Spot::Value,
                    message: "this looks like a secret; a carrier file must hold none".to_owned(),
                    help: Some(
                        "keep it in the vault (`portico vault put`), and name the credential's field here".to_owned(),
                    ),
                });
            }
        }
        _ => {}
    }
}

fn is_secret(key: &str, text: &str, sent: bool) -> bool {
    let plain = !text.is_empty() && !text.contains(['{', '}', '[', ']', '#', '>', ' ', '$', '<']);
    let key = key.to_lowercase().replace('-', "_");
    let word = text.to_lowercase();
    let told = WORDS.contains(&word.as_str()) || KEYS.contains(&word.as_str());
    // A portal names its fields as it likes: `ctl00$txtPassword`.
    let like = sent && text.len() >= 4 && LIKE.iter().any(|part| key.contains(part));
    let named = plain && (KEYS.contains(&key.as_str()) || like) && !told;
    let header = |scheme: &str| {
        text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            && text.len() > scheme.len() + 8
            && !text.contains('{')
    };
    // A user name and password inside a web address: https://user:word@host/
    let in_address = text.split_once("://").is_some_and(|(_, rest)| {
        rest.split('/').next().is_some_and(|authority| authority.contains('@') && !authority.contains('{'))
    });
    named || header("Basic ") || header("Bearer ") || in_address || text.contains("PRIVATE KEY-----")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn literal_secrets_are_found_and_not_repeated() {
        let value = json!({
            "settings": {
                "login": [{"form": {"password": "hunter2", "user": "{{ username }}", "pwd": "{{ password }}"}},
                    {"fields": {"ctl00$txtPassword": "hunter2", "pass": "{password}", "bypass": "1"}}],
                "headers": {"Authorization": "Bearer abcdefghijkl"},
                "endpoint": "https://me:hunter2@edi.acme.example/",
                "client-secret": "hunter2",
                "token_url": "https://edi.acme.example/token",
                "totp": "input[name=code]",
                "soap": {"password": "digest"},
                "fields": {"pwd": "Password", "api_key": "api_key"},
                "kind": "password_text",
                "key": "-----BEGIN PRIVATE KEY-----"
            }
        });
        let found = literal_secrets(&value);
        let paths: Vec<String> = found.iter().map(SchemaProblem::pointer).collect();
        assert_eq!(
            paths,
            [
                "/settings/login/0/form/password",
                "/settings/login/1/fields/ctl00$txtPassword",
                "/settings/headers/Authorization",
                "/settings/endpoint",
                "/settings/client-secret",
                "/settings/key"
            ]
        );
        assert!(!format!("{found:?}").contains("hunter2"));
    }
}
