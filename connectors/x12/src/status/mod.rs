//! The status of claims: the question (276), and the word on claims in each of its forms (277, 277CA).

mod judge;
mod request;
mod response;

pub use judge::StatusJudge;
pub use request::{
    ClaimStatusRequest, RequestClaim, RequestDependent, RequestLine, RequestProvider, RequestReceiver, RequestSource,
    RequestSubscriber,
};
pub use response::{
    ClaimStatusResponse, PaperworkRequest, ResponseDependent, ResponsePatient, ResponseProvider, ResponseReceiver,
    ResponseSource, StatusCode, StatusForm, StatusLine, StatusTrace, Stc,
};
