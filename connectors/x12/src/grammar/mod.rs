//! The implementation guides as data, and the matcher that walks them along a transaction set.
//!
//! A guide is a table of loops, segments, elements and rules in plain text (`guides/*.txt`; the format is described in
//! `README.md` beside them), compiled once on first use. [`Matcher`] takes segments one by one in flat memory.
//! The facts are those of the X12 005010 guides, in our own words; 004010 is read with the same tables, tolerantly.

mod choose;
mod dictionary;
mod elements;
mod generic;
mod guide;
mod hierarchy;
mod lists;
mod matcher;
mod parse;
mod rules;
mod source;
mod tokens;
mod values;
mod watch;

use std::fmt;
use std::sync::OnceLock;

pub use choose::{Choice, Chooser};
pub use generic::Syntax;
pub use guide::Guide;
pub use matcher::Matcher;
pub(crate) use values::{is_date, is_time};

/// What is wrong with a table: a mistake of ours, which a test finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableFault {
    file: &'static str,
    line: usize,
    message: String,
}

impl TableFault {
    fn new(file: &'static str, line: usize, message: &str) -> Self {
        Self { file, line, message: message.to_owned() }
    }
}

impl fmt::Display for TableFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for TableFault {}

macro_rules! guides {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        /// The guides this crate has tables for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum GuideName { $($(#[$doc])* $name,)* }

        impl GuideName {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The table's file.
            fn file(self) -> &'static str {
                match self { $(Self::$name => concat!($file, ".txt"),)* }
            }

            fn text(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("guides/", $file, ".txt")),)* }
            }

            fn cell(self) -> &'static OnceLock<Option<Guide>> {
                match self { $(Self::$name => { static CELL: OnceLock<Option<Guide>> = OnceLock::new(); &CELL })* }
            }
        }
    };
}

guides! {
    /// ISA, GS, TA1, GE and IEA: what stands around transaction sets. Not to be chosen for one.
    Envelope = "envelope";
    /// Eligibility request, X279.
    Eligibility270 = "270";
    /// Eligibility response, X279.
    Eligibility271 = "271";
    /// Claim status request, X212.
    Status276 = "276";
    /// Claim status response, X212.
    Status277 = "277";
    /// Claim acknowledgment, X214.
    ClaimAck277 = "277ca";
    /// Professional claim, X222.
    Claim837P = "837p";
    /// Institutional claim, X223.
    Claim837I = "837i";
    /// Dental claim, X224.
    Claim837D = "837d";
    /// Documents for a claim or a review: X210, X211, X314.
    Attachment275 = "275";
    /// Review of services: request and response X217, inquiry X215, notice X216.
    Review278 = "278";
    /// Functional acknowledgment, X230.
    Ack997 = "997";
    /// Implementation acknowledgment, X231.
    Ack999 = "999";
    /// Claim payment, X221A1.
    Remittance = "835";
}

impl GuideName {
    /// The guide of a table's file name without its ending: `837p`.
    pub fn by_file(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|guide| guide.file().strip_suffix(".txt") == Some(name))
    }

    /// The guide, compiled on first use. `None` only if its table is broken, which a test rules out.
    pub fn get(self) -> Option<&'static Guide> {
        self.cell().get_or_init(|| self.compile().ok()).as_ref()
    }

    /// Compiles the table.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn compile(self) -> Result<Guide, TableFault> {
        parse::guide(self.file(), self.text())
    }
}

#[cfg(test)]
mod tests;
