//! Why something about people, sessions or keys was not done, told by what the caller can do about it.

use std::fmt;
use std::time::Duration;

use connector_sdk::ask::FieldProblem;

use crate::store::StoreError;
use crate::trail::SealBroken;

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declined {
    /// Address or password is wrong; which of them is not told.
    WrongPassword,
    /// The one-time code or recovery code is wrong, or was used before.
    WrongCode,
    /// Too many codes were tried in this session, which has ended: the password is asked for again.
    TriesUsedUp,
    /// A token, an invitation or a session is not good, or no longer.
    NotValid,
    /// Too many tries: come back after this time.
    Wait(Duration),
    /// Too many sign-ins at this moment.
    Busy,
    /// What was sent has these problems.
    Problems(Vec<FieldProblem>),
    /// There is no such thing in this practice.
    NotFound,
    /// It would leave the practice without an administrator.
    LastAdmin,
    /// It would give away, or change, more than the caller may do.
    MoreThanOwn,
    /// The account belongs to other practices too: only the gateway's operator may reset it.
    OtherPractices,
    /// It is there already, or the practice has no room for more.
    Already,
    /// The session does not allow this now; the sentence says what comes first.
    NotNow(&'static str),
    /// What the store says.
    Store(StoreError),
}

impl Declined {
    /// The sentence for people.
    pub fn text(&self) -> &'static str {
        match self {
            Self::WrongPassword => "The address or the password is wrong.",
            Self::WrongCode => "The code is wrong, or was used before. A new one comes every 30 seconds.",
            Self::TriesUsedUp => "Too many codes were tried. Sign in with the password again.",
            Self::NotValid => "This token is not valid, or no longer; ask for a new one.",
            Self::Wait(_) => {
                "Too many tries. Wait, then try again; a colleague with the right role can reset the sign-in."
            }
            Self::Busy => "Too many people sign in at this moment; try again in a few seconds.",
            Self::Problems(_) => "The request has problems.",
            Self::NotFound => "There is no such thing in this practice.",
            Self::LastAdmin => "This is the practice's last administrator: make another person one first.",
            Self::MoreThanOwn => "Nobody gives away, or changes, more than they may do themselves.",
            Self::OtherPractices => {
                "This account belongs to other practices too; only the gateway's operator resets it: `portico people reset`."
            }
            Self::Already => "This person is in the practice already, or the practice has as many people as it can.",
            Self::NotNow(what) => what,
            Self::Store(error) => error.text(),
        }
    }

    /// One field is wrong.
    pub(super) fn field(path: &str, message: impl Into<String>) -> Self {
        Self::Problems(vec![FieldProblem::new(path, message.into())])
    }
}

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())?;
        if let Self::Problems(problems) = self {
            for problem in problems {
                write!(f, " {}: {}", problem.path, problem.message)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Declined {}

impl From<StoreError> for Declined {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SealBroken> for Declined {
    fn from(_: SealBroken) -> Self {
        Self::Store(StoreError::Damaged { what: "what is kept of a person does not open" })
    }
}
