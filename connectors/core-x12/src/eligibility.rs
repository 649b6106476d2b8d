//! Eligibility: ask → 270 → envelope → reply → 271 → answer, and the checks that the answer belongs to the question.

use connector_sdk::connector::{Eligibility, EligibilityLimits};
use connector_sdk::{Answer, Context, EligibilityFacts, EligibilityRequest, Error, ErrorKind, Outcome, Result};
use x12::Document;
use x12::answers::{self, Expected, InquiryOptions, MemberIdMatch};

use crate::CoreX12;
use crate::envelope::{self, Opened};
use crate::interchange::{self, CONTROL};
use crate::partner::Partner;
use crate::settings::{MemberIdComparison, NameNormalisation, ServiceTypes};

impl Eligibility for CoreX12 {
    fn limits(&self) -> EligibilityLimits {
        EligibilityLimits {
            dependents: true,
            service_types_max: self.partner.settings.x12.service_types_per_request,
            procedures: true,
        }
    }

    fn check<'a>(&'a self, ctx: &'a Context, ask: &'a EligibilityRequest) -> Answer<'a, EligibilityFacts> {
        Box::pin(check(&self.partner, ctx, ask))
    }
}

async fn check(partner: &Partner, ctx: &Context, ask: &EligibilityRequest) -> Result<Outcome<EligibilityFacts>> {
    let most = partner.settings.x12.service_types_per_request;
    let asked = ask.service_types().len();
    if asked > usize::from(most) {
        return Err(Error::new(ErrorKind::Unsupported, "This carrier takes fewer service types in one question.")
            .fact("asked", asked)
            .fact("most", most));
    }
    // A day that the question leaves out is the practice's today, not the interchange's date in universal time.
    let mut dated = ask.clone();
    if dated.service.date.is_none() && dated.service.from.is_none() {
        dated.service.date = Some(ctx.today());
    }
    let control = ctx.control_number();
    let interchange = question(partner, ctx, &dated, control)?;
    let reply =
        ctx.send(envelope::wrap(partner, ctx, &partner.settings.payload_type_request, &interchange)?.request).await?;
    let opened = envelope::open(&reply, ctx.now()).await?;
    interchange::expect_type(&partner.settings.payload_type_response, &opened)?;
    answer(partner, ctx, &dated, control, &opened)
}

/// The whole interchange. Characters that X12 cannot carry are refused before anything is sent.
fn question(partner: &Partner, ctx: &Context, ask: &EligibilityRequest, control: u32) -> Result<String> {
    let x12 = &partner.settings.x12;
    let at = interchange::written_at(ctx);
    let options = InquiryOptions {
        payer_name: x12.payer_name.clone(),
        payer_qualifier: x12.payer_qualifier.clone(),
        payer_id: x12.payer_id.clone(),
        receiver_entity: x12.provider_entity.clone(),
        receiver_is_person: x12.provider_is_person,
        tax_id_qualifier: x12.send_tax_id.then(|| "TJ".to_owned()),
        send_taxonomy: x12.send_taxonomy,
        group_qualifier: x12.send_group_number.then(|| x12.group_qualifier.clone()),
        uppercase: x12.uppercase,
        normalise_names: x12.name_normalisation == NameNormalisation::Core258,
        repeat_service_types: x12.service_types == ServiceTypes::Repeat,
        send_date: x12.send_date,
        control: CONTROL.to_owned(),
        reference: ctx.trace().to_owned(),
        trace: ctx.trace().to_owned(),
        trace_origin: x12.trace_originator.clone(),
        at,
        ..InquiryOptions::default()
    };
    let set =
        answers::inquiry(ask, &options).write(&interchange::delimiters(partner), interchange::charset(partner))?;
    interchange::interchange(partner, ("HS", &x12.version), at, control, set)
}

/// Reads the interchange that came back: whole, about our interchange, and about the patient asked about.
fn answer(
    partner: &Partner,
    ctx: &Context,
    ask: &EligibilityRequest,
    control: u32,
    opened: &Opened,
) -> Result<Outcome<EligibilityFacts>> {
    // What cannot be read at all is told by the codec below.
    if let Ok(document) = Document::read(&opened.payload) {
        interchange::acknowledges_ours(&document, control)?;
        interchange::whole(ctx, &document)?;
    }
    let expected = Expected {
        ask,
        trace: ctx.trace(),
        control: CONTROL,
        member_id: match partner.settings.x12.member_id_match {
            MemberIdComparison::Formatting => MemberIdMatch::Formatting,
            MemberIdComparison::Part => MemberIdMatch::Part,
            MemberIdComparison::Ignore => MemberIdMatch::Ignore,
        },
    };
    answers::answer(&opened.payload, &expected)
}
