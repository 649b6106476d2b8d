//! The one list of compiled-in connectors. A new dialect adds one line here and one in `Cargo.toml`.

use connector_sdk::Registration;

/// All connectors, by name.
pub const CONNECTORS: &[&Registration] =
    &[&core_x12::REGISTRATION, &json_hub::REGISTRATION, &html_portal::REGISTRATION];

/// The connector of this name.
pub fn find(name: &str) -> Option<&'static Registration> {
    CONNECTORS.iter().copied().find(|registration| registration.name == name)
}
