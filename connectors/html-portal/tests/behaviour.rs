//! The suite every connector must pass, over this connector's cassettes.

fn main() -> std::process::ExitCode {
    connector_sdk::testing::behaviour(&html_portal::REGISTRATION, concat!(env!("CARGO_MANIFEST_DIR"), "/cassettes"))
}
