//! Additional information, the 275: documents that belong to a claim (005010X210, 006020X314, X211 as some still write
//! it) or to a review (X213), with the bytes of each document as they were sent.
//!
//! [`Attachments::documents`] walks over the documents, each with the line, date and category it stands under.

mod base64;
mod binary;
mod content;
mod model;
mod segments;
#[cfg(test)]
mod tests;

pub use binary::{Binary, MAX_DOCUMENT_BYTES};
pub use content::Content;
pub use model::{
    AttachedFile, AttachmentLine, AttachmentParty, Attachments, DatedDocuments, Document, DocumentCategory, LineParty,
};
pub use segments::{Bgn, Cat, Efi, Ooi, Pid};
