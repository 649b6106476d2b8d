//! `portico check --live`: signs in at one carrier, with no patient data.

use std::io::{self, Write};
use std::process::ExitCode;

use super::check::CheckArguments;
use super::run::End;
use crate::config::Config;
use crate::house::CannotRun;
use crate::practice::PracticeId;

/// Signs in once. Exit code 0: the carrier let us in, or only a question can show it; 1: it did not.
pub async fn live(arguments: CheckArguments) -> End {
    let carrier = arguments.live.unwrap_or_default();
    let named = arguments.dir.join("gateway.toml");
    let config = Config::find(named.exists().then_some(named.as_path())).map_err(CannotRun)?;
    let house = super::vault_keys::open_house(&config).await?;
    let practice = PracticeId::new(arguments.practice);
    let tried = house.app.gateway.try_credential(&practice, &carrier).await;
    house.close().await;
    let (code, text) = match tried {
        Ok(true) => (0, "the carrier let us in".to_owned()),
        Ok(false) => (0, "this carrier checks the credential with each question; nothing was sent".to_owned()),
        Err(error) => (1, error.to_string()),
    };
    writeln!(io::stdout(), "{carrier}: {text}")?;
    Ok(ExitCode::from(code))
}
