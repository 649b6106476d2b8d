//! The connector as the host uses it, against a small portal.

mod asking;
mod fake;
mod person;
mod signing_in;

use connector_sdk::Settings;

use crate::REGISTRATION;

fn example() -> Settings {
    let file: toml::Table = REGISTRATION.example.parse().unwrap();
    Settings::new(file["settings"].as_table().unwrap().clone(), vec!["portal.acme.example".into()])
}

#[test]
fn the_example_builds() {
    let portal = (REGISTRATION.build)(&example()).map_err(|p| format!("{p:#?}")).ok().unwrap();
    let fields: Vec<_> = portal.credential_fields().into_iter().map(|f| (f.name, f.optional)).collect();
    assert_eq!(fields, [("username".into(), false), ("password".into(), false), ("totp_seed".into(), true)]);
    let limits = portal.eligibility().unwrap().limits();
    assert_eq!((limits.dependents, limits.service_types_max, limits.procedures), (false, 1, false));
}

#[test]
fn the_schema_names_every_key_with_words() {
    let schema = (REGISTRATION.settings_schema)();
    let text = schema.to_string();
    for word in ["signed_out", "allow_get", "page_max_bytes", "out_of_pocket_remaining"] {
        assert!(text.contains(word), "{word}");
    }
    let properties = schema["properties"].as_object().unwrap();
    assert!(properties.values().all(|field| field["description"].is_string()), "{schema:#}");
}

#[test]
fn a_misspelt_key_is_refused() {
    let mut file: toml::Table = REGISTRATION.example.parse().unwrap();
    file["settings"].as_table_mut().unwrap().insert("base_ulr".into(), "x".into());
    let settings = Settings::new(file["settings"].as_table().unwrap().clone(), vec![]);
    assert!((REGISTRATION.build)(&settings).err().unwrap()[0].message.contains("base_ulr"));
}
