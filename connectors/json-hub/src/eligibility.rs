//! Eligibility at a JSON service: ask → request → replies → whose answer it is → facts.

use bytes::Bytes;
use connector_sdk::answer::MemberOnFile;
use connector_sdk::{
    Answer, Context, Eligibility, EligibilityFacts, EligibilityLimits, EligibilityRequest, Error, ErrorKind, Escape,
    Outcome, Result,
};
use http::{HeaderValue, Method, Request, header};
use serde_json::Value;

use crate::exchange::{self, Reply};
use crate::hub::Hub;
use crate::settings::Encoding;
use crate::template::Filling;
use crate::value::Item;
use crate::{answer, echo, refusal};

impl Eligibility for Hub {
    fn limits(&self) -> EligibilityLimits {
        self.limits
    }

    fn check<'a>(&'a self, ctx: &'a Context, ask: &'a EligibilityRequest) -> Answer<'a, EligibilityFacts> {
        Box::pin(self.ask(ctx, ask))
    }
}

impl Hub {
    async fn ask(&self, ctx: &Context, ask: &EligibilityRequest) -> Result<Outcome<EligibilityFacts>> {
        let question = self.question(ctx, ask)?;
        let (body, number) = match exchange::run(self, ctx, question).await? {
            Reply::Refused(refusal) => return Ok(Outcome::Refused(refusal)),
            Reply::Answer(body, number) => (body, number),
        };
        let reply = Item { value: &body, pointer: "", reply: number };
        let tied = echo::check(&self.answer, ctx, ask, &reply)?;
        let facts = answer::read(self, ctx, ask, &reply)?;
        echo::same_person(&facts, ask, tied)?;
        let named = |person: &MemberOnFile| person.first_name.is_some() || person.date_of_birth.is_some();
        if ask.dependent.is_some() && !facts.dependent.as_ref().is_some_and(named) {
            ctx.warn("dependent_not_shown", "The carrier's reply does not show which dependent it speaks of.");
        }
        Ok(Outcome::Answered(facts))
    }

    fn question(&self, ctx: &Context, ask: &EligibilityRequest) -> Result<Request<Bytes>> {
        if ask.dependent.is_some() && !self.limits.dependents {
            return Err(refusal::unsupported("This carrier's file has no place for a dependent."));
        }
        if ask.service_types().len() > usize::from(self.limits.service_types_max) {
            return Err(refusal::unsupported("This carrier takes fewer service types in one question."));
        }
        let escape = match self.encoding {
            Encoding::Json => Escape::Json,
            Encoding::Form => Escape::Form,
        };
        let body = self.body.fill(&Filling { ctx, ask, codes: &self.codes, escape });
        let (content, bytes) = match self.encoding {
            Encoding::Json => ("application/json", serde_json::to_vec(&body).map_err(|_| internal())?),
            Encoding::Form => ("application/x-www-form-urlencoded", form(&body).into_bytes()),
        };
        let mut request = Request::new(Bytes::from(bytes));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
        self.put_headers(ctx, request.headers_mut());
        Ok(request)
    }
}

fn internal() -> Error {
    Error::new(ErrorKind::Internal, "The question could not be written as JSON.")
}

/// A flat table as a web form's body; a list gives its name once for each element.
fn form(body: &Value) -> String {
    let mut pairs = Vec::new();
    for (name, value) in body.as_object().into_iter().flatten() {
        let values = match value {
            Value::Array(items) => items.iter().collect(),
            single => vec![single],
        };
        for text in values.into_iter().filter_map(crate::value::text) {
            pairs.push(format!("{}={}", escape(name), escape(&text)));
        }
    }
    pairs.join("&")
}

/// `application/x-www-form-urlencoded` (WHATWG URL, section 5). Leaves letters, digits, `*`, `-`, `.`, `_`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                for nibble in [byte >> 4, byte & 15] {
                    out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0').to_ascii_uppercase());
                }
            }
        }
    }
    out
}
