//! What the practice knows to sign in with. Invented and constant: it opens nothing but the sandbox.

/// User of [`NORTHSTAR_PASSWORD`].
pub(crate) const NORTHSTAR_USER: &str = "nsh-practice";
pub(crate) const NORTHSTAR_PASSWORD: &str = "Sandbox-North-1!";
pub(crate) const STATEMED_USER: &str = "STM00421";
pub(crate) const STATEMED_PASSWORD: &str = "Sandbox-State-16chars!";
pub(crate) const HARBOR_CLIENT: &str = "hhm-client-7";
pub(crate) const HARBOR_SECRET: &str = "sandbox-harbor-secret";
pub(crate) const BLUE_USER: &str = "bluevalley.frontdesk";
pub(crate) const BLUE_PASSWORD: &str = "Sandbox-Blue-&-Valley<1>";
/// Base32, 20 bytes.
pub(crate) const BLUE_TOTP: &str = "ONQW4ZDCN54C2YTMOVSXMYLMNRSXSIJB";
/// Users whose sign-in asks something of a person; all with [`BLUE_PASSWORD`] and without a seed. `mail`: a code that is
/// mailed; `captcha`: letters to read; `terms`: terms to accept; `expired`: a new password.
pub(crate) const BLUE_PEOPLE: [&str; 4] =
    ["bluevalley.mail", "bluevalley.captcha", "bluevalley.terms", "bluevalley.expired"];
/// The letters of the captcha.
pub(crate) const BLUE_LETTERS: &str = "7GK4X";
pub(crate) const HUB_KEY: &str = "sandbox-hubline-key-0001";
pub(crate) const MOLASSES_USER: &str = "mol-practice";
pub(crate) const MOLASSES_PASSWORD: &str = "Sandbox-Molasses-1!";

/// A carrier and the fields (name, value) of the practice's credential there.
pub type CarrierCredential = (&'static str, &'static [(&'static str, &'static str)]);

/// The practice's credentials, carrier by carrier, with the field names of the gateway's vault.
pub fn credentials() -> [CarrierCredential; 6] {
    [
        ("northstar", &[("username", NORTHSTAR_USER), ("password", NORTHSTAR_PASSWORD)]),
        ("statemed", &[("username", STATEMED_USER), ("password", STATEMED_PASSWORD)]),
        ("harborhmo", &[("client_id", HARBOR_CLIENT), ("client_secret", HARBOR_SECRET)]),
        ("bluevalley", &[("username", BLUE_USER), ("password", BLUE_PASSWORD), ("totp_seed", BLUE_TOTP)]),
        ("hubline", &[("api_key", HUB_KEY)]),
        ("molasses", &[("username", MOLASSES_USER), ("password", MOLASSES_PASSWORD)]),
    ]
}
