//! Authorizations: ask → 278 → envelope, made before anything is sent; then reply → what the carrier definitely said; and
//! the inquiry about it.
//!
//! | what came | it means |
//! |---|---|
//! | 278 about ours with a decision (HCR) | accepted |
//! | 278 about ours with refusals (AAA) only, all of declared codes, none "we hold it" | refused, no effect |
//! | TA1 or 999 that rejects ours | refused, no effect |
//! | an error code of the CORE rule about a field of the envelope | refused, no effect |
//! | a declared HTTP status below 500 without an envelope | refused, no effect |
//! | a refused credential, 429 | not let in: nothing was looked at |
//! | anything else: 5xx, cut off, unreadable, about something else, accepted without an answer | unknown |
//!
//! A 999 or TA1 "accepted with errors" is an acceptance: what came of it is unknown.

mod read;

use std::collections::BTreeMap;
use std::time::Duration;

use connector_sdk::submission::BIZ_REF_MAX;
use connector_sdk::{
    AuthorizationRequest, BoxFuture, Commit, Context, Error, ErrorKind, Inquiry, Prepared, Result, SubmissionClass,
    SubmissionPromise, Submissions,
};
use x12::answers::authorization::{ReviewOptions, review_inquiry, review_request};
use x12::review::ServicesReview;

use crate::envelope::{self, Wrapped};
use crate::interchange::{self, CONTROL};
use crate::partner::Partner;
use crate::settings::{AuthorizationSettings, InquiryBy};

/// Names of the control numbers.
const ISA13: &str = "isa13";
const TRN02: &str = "trn02";

/// Authorizations of one carrier: the partner, and what its file says about them.
pub(crate) struct Authorizations {
    pub(crate) partner: std::sync::Arc<Partner>,
    pub(crate) settings: AuthorizationSettings,
}

impl Submissions for Authorizations {
    fn promise(&self) -> SubmissionPromise {
        let settings = &self.settings;
        SubmissionPromise {
            class: match settings.inquiry {
                InquiryBy::None => SubmissionClass::Blind,
                InquiryBy::Trace => SubmissionClass::ExactInquiry,
            },
            visibility_delay: Duration::from_secs(settings.visibility_delay_secs.into()),
            visibility_bound: settings.visibility_bound_secs.map(|secs| Duration::from_secs(secs.into())),
            authoritative_negatives: settings.authoritative_negatives,
        }
    }

    fn prepare(&self, ctx: &Context, ask: &AuthorizationRequest, biz_ref: &str) -> Result<Prepared> {
        let control = ctx.control_number();
        let review = review_request(ask, &self.options(ctx, biz_ref)?);
        let settings = &self.settings;
        let wrapped = self.wrap(ctx, &review, &settings.version, &settings.payload_type_request, control)?;
        let number = format!("{control:09}");
        let numbers = [
            (ISA13, number.clone()),
            ("gs06", control.to_string()),
            ("st02", CONTROL.to_owned()),
            (TRN02, biz_ref.to_owned()),
            ("payload_id", wrapped.payload_id),
        ];
        let numbers: BTreeMap<_, _> = numbers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Prepared::new(ctx, &wrapped.request, numbers)
    }

    fn commit<'a>(&'a self, ctx: &'a Context, prepared: &'a Prepared) -> BoxFuture<'a, Commit> {
        Box::pin(self.send(ctx, prepared))
    }

    fn inquire<'a>(
        &'a self,
        ctx: &'a Context,
        ask: &'a AuthorizationRequest,
        _prepared: &'a Prepared,
        biz_ref: &'a str,
    ) -> BoxFuture<'a, Result<Inquiry>> {
        Box::pin(self.ask_about(ctx, ask, biz_ref))
    }
}

impl Authorizations {
    async fn send(&self, ctx: &Context, prepared: &Prepared) -> Commit {
        let number = |name: &str| prepared.control_numbers.get(name).map(String::as_str).unwrap_or_default();
        let (request, control) = match (prepared.request(), number(ISA13).parse()) {
            (Ok(request), Ok(control)) => (request, control),
            (Err(error), _) => return Commit::NotSent { error },
            (_, Err(_)) => {
                let message = "The prepared request does not name its interchange.";
                return Commit::NotSent { error: Error::new(ErrorKind::Internal, message) };
            }
        };
        match ctx.send(request).await {
            Ok(reply) => read::committed(&self.settings, ctx, number(TRN02), control, &reply).await,
            Err(error) => Commit::Unknown { error },
        }
    }

    async fn ask_about(&self, ctx: &Context, ask: &AuthorizationRequest, biz_ref: &str) -> Result<Inquiry> {
        let settings = &self.settings;
        if settings.inquiry == InquiryBy::None {
            let message = "This carrier's file names no inquiry for authorizations.";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
        let control = ctx.control_number();
        let options = self.options(ctx, biz_ref)?;
        let review = review_inquiry(ask, &options);
        let wrapped =
            self.wrap(ctx, &review, &settings.inquiry_version, &settings.inquiry_payload_type_request, control)?;
        let reply = ctx.send(wrapped.request).await?;
        let opened = envelope::open(&reply, ctx.now()).await?;
        interchange::expect_type(&settings.inquiry_payload_type_response, &opened)?;
        read::inquired(settings, ctx, (biz_ref, control), &review_request(ask, &options), &opened.payload)
    }

    fn wrap(
        &self,
        ctx: &Context,
        review: &ServicesReview<'_>,
        version: &str,
        payload_type: &str,
        control: u32,
    ) -> Result<Wrapped> {
        let partner = &self.partner;
        let set = review.write(&interchange::delimiters(partner), interchange::charset(partner))?;
        let at = interchange::written_at(ctx);
        let interchange = interchange::interchange(partner, ("HI", version), at, control, set)?;
        envelope::wrap(partner, ctx, payload_type, &interchange)
    }

    fn options(&self, ctx: &Context, biz_ref: &str) -> Result<ReviewOptions> {
        let fits = (1..=BIZ_REF_MAX).contains(&biz_ref.len())
            && biz_ref.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !fits {
            return Err(Error::new(ErrorKind::Internal, "A business reference is 1 to 20 capital letters and digits."));
        }
        let x12 = &self.partner.settings.x12;
        Ok(ReviewOptions {
            payer_name: x12.payer_name.clone(),
            payer_qualifier: x12.payer_qualifier.clone(),
            payer_id: x12.payer_id.clone(),
            requester_entity: x12.provider_entity.clone(),
            requester_is_person: x12.provider_is_person,
            send_tax_id: x12.send_tax_id,
            send_taxonomy: x12.send_taxonomy,
            uppercase: x12.uppercase,
            control: CONTROL.to_owned(),
            reference: biz_ref.to_owned(),
            trace_origin: x12.trace_originator.clone(),
            at: interchange::written_at(ctx),
        })
    }
}
