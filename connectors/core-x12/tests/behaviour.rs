//! The suite every connector must pass, over this connector's cassettes.

fn main() -> std::process::ExitCode {
    connector_sdk::testing::behaviour(&core_x12::REGISTRATION, concat!(env!("CARGO_MANIFEST_DIR"), "/cassettes"))
}
