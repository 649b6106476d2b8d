//! The status of claims: the question (276), the answer (277), and a clearing house's or carrier's word on claims it was
//! sent (277CA).

mod request;

pub use request::{
    ClaimStatusRequest, RequestClaim, RequestDependent, RequestLine, RequestProvider, RequestReceiver, RequestSource,
    RequestSubscriber,
};
