//! Between Portico's asks and answers and the typed models (feature `answers`).
//!
//! [`ask`] makes a 270 of an ask.

pub mod ask;

pub use ask::InquiryOptions;

use connector_sdk::{Error, ErrorKind};

use crate::codes;
use crate::write::WriteError;

impl From<WriteError> for Error {
    /// The ask cannot be sent: the facts name segment, place and element, never the value.
    fn from(error: WriteError) -> Self {
        let name = codes::segment_name(&error.segment).unwrap_or("other");
        Error::new(ErrorKind::RequestInvalid, error.reason.message())
            .fact("reason", error.reason.word())
            .fact("segment", name)
            .fact("position", error.position)
            .fact("element", error.element)
    }
}
