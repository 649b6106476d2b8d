//! The first run: a one-time token, shown to whoever starts the gateway, makes the first practice and administrator.

use zeroize::Zeroizing;

use super::declined::Declined;
use super::{Identity, NewMember, PracticeProfile, Role, password, token};
use crate::practice::PracticeId;
use crate::store::{self, people, sessions};
use crate::trail::{Actor, TrailRecord};

/// The id of the practice that set-up makes: the one that the command line's commands mean when none is named.
pub const FIRST_PRACTICE: &str = "default";
/// How long the token is good.
const TOKEN_MICROS: i64 = 3_600 * 1_000_000;

impl Identity {
    /// Whether there is nobody yet who could sign in.
    ///
    /// # Errors
    /// What the store says.
    pub async fn nobody_yet(&self) -> Result<bool, Declined> {
        Ok(!people::any(&self.store).await?)
    }

    /// A new set-up token, good for an hour, when there is nobody yet; an earlier one is no longer good.
    ///
    /// # Errors
    /// What the store says.
    pub async fn setup_token(&self) -> Result<Option<Zeroizing<String>>, Declined> {
        if !self.nobody_yet().await? {
            return Ok(None);
        }
        let token = token::fresh()?;
        let until = store::now().saturating_add(TOKEN_MICROS);
        sessions::put_setup_token(&self.store, token::hash(&token), until).await?;
        Ok(Some(token))
    }

    /// Makes the first practice and its first administrator, who then signs in and sets up one-time codes.
    ///
    /// # Errors
    /// [`Declined::NotValid`], [`Declined::Problems`], [`Declined::Wait`], or what the store says.
    pub async fn set_up(
        &self,
        given: &str,
        profile: &PracticeProfile,
        admin: (&str, &str),
        password: &Zeroizing<String>,
        network: &str,
    ) -> Result<PracticeId, Declined> {
        self.throttle.network(network).map_err(Declined::Wait)?;
        let (hash, at) = (token::hash(given), store::now());
        if !token::fits(given) || !sessions::setup_token_is(&self.store, hash, at).await? {
            return Err(Declined::NotValid);
        }
        let new = NewMember { email: admin.0, name: admin.1, role: Role::PracticeAdmin, second_factor: true };
        let mut problems = profile.problems("/practice");
        problems.extend(new.problems("/admin"));
        let mut person = new.account(at);
        problems.extend(password::problems("/admin/password", password, &person.email));
        if !problems.is_empty() {
            return Err(Declined::Problems(problems));
        }
        let practice = PracticeId::new(FIRST_PRACTICE);
        person.password = Some(self.seal("password", &person.id, &self.passwords.hash(password).await?)?);
        let sealed = self.seal_profile(&practice, profile)?;
        let by = Actor::person(&person.id, Role::PracticeAdmin.word(), "setup_token");
        let record = TrailRecord::new(&practice, &by, "practice.set_up").subject(&person.id);
        let first = new.joining(&practice, person, true, at);
        let record = self.trail.link(record);
        match sessions::set_up(&self.store, hash, store::now(), profile.name.clone(), sealed, first, record).await? {
            true => {
                self.trail.sealer().adopt(&practice).await?;
                Ok(practice)
            }
            false => Err(Declined::NotValid),
        }
    }
}
