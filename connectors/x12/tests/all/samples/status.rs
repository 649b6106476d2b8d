//! Questions about claims (276), answers (277) and acknowledgments of claims (277CA), as practices and carriers send
//! them. People and numbers are made up.

use rust_decimal::Decimal;
use x12::Delimiters;
use x12::model::common::{Amt, Bht, Dmg, Dtp, Nm1, Procedure, Qty, Ref, Svc, Trn};
use x12::model::{Hl, Money, Typed};
use x12::status::{
    ClaimStatusRequest, ClaimStatusResponse, RequestClaim, RequestDependent, RequestLine, RequestProvider,
    RequestReceiver, RequestSource, RequestSubscriber, ResponseDependent, ResponsePatient, ResponseProvider,
    ResponseReceiver, ResponseSource, StatusCode, StatusLine, StatusTrace, Stc,
};
use x12::write::{Charset, Envelope, TransactionWriter};

/// Every sample: file name and the whole interchange.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let write = |response: ClaimStatusResponse<'_>, guide| {
        wrap("HN", guide, response.write(&Delimiters::default(), Charset::Extended).unwrap())
    };
    let ask = |request: ClaimStatusRequest<'_>| {
        wrap("HR", "005010X212", request.write(&Delimiters::default(), Charset::Extended).unwrap())
    };
    vec![
        ("276-two-patients.edi", ask(request())),
        ("277-answer.edi", write(answer(), "005010X212")),
        ("277-no-answer.edi", write(no_answer(), "005010X212")),
        ("277ca.edi", write(acknowledgment(), "005010X214")),
    ]
}

fn wrap(functional: &str, guide: &str, tx: TransactionWriter) -> Vec<u8> {
    let at = jiff::civil::datetime(2026, 11, 23, 9, 5, 0, 0);
    Envelope { at, ..Envelope::new(functional, guide) }.wrap(&Delimiters::default(), vec![tx]).unwrap()
}

fn bht(structure: &'static str, purpose: &'static str, kind: &'static str) -> Option<Bht<'static>> {
    Some(Bht {
        structure: structure.into(),
        purpose: purpose.into(),
        reference: "STATUS0001".into(),
        date: jiff::civil::date(2026, 11, 23).into(),
        time: "0905".into(),
        kind: kind.into(),
        ..Bht::default()
    })
}

fn hl(level: &'static str) -> Hl<'static> {
    Hl { level: level.into(), ..Hl::default() }
}

fn organisation(entity: &'static str, name: &'static str, kind: &'static str, id: &'static str) -> Nm1<'static> {
    Nm1 {
        entity: entity.into(),
        kind: "2".into(),
        last_name: name.into(),
        qualifier: kind.into(),
        id: id.into(),
        ..Nm1::default()
    }
}

fn person(entity: &'static str, last: &'static str, first: &'static str, id: &'static str) -> Nm1<'static> {
    Nm1 {
        entity: entity.into(),
        kind: "1".into(),
        last_name: last.into(),
        first_name: first.into(),
        qualifier: if id.is_empty() { "" } else { "MI" }.into(),
        id: id.into(),
        ..Nm1::default()
    }
}

fn carrier() -> Nm1<'static> {
    organisation("PR", "NORTHSTAR HEALTH", "PI", "60054")
}

fn clinic(entity: &'static str) -> Nm1<'static> {
    organisation(entity, "BIRCH STREET CLINIC", "XX", "1234567893")
}

fn trn(kind: &'static str, number: &'static str) -> Trn<'static> {
    Trn { kind: kind.into(), number: number.into(), ..Trn::default() }
}

fn reference(qualifier: &'static str, value: &'static str) -> Ref<'static> {
    Ref { qualifier: qualifier.into(), value: value.into(), ..Ref::default() }
}

fn dtp(qualifier: &'static str, value: &'static str) -> Dtp<'static> {
    let format = if value.contains('-') { "RD8" } else { "D8" };
    Dtp { qualifier: qualifier.into(), format: format.into(), value: value.into(), ..Dtp::default() }
}

fn money(cents: i64) -> Money<'static> {
    Typed::Is(Decimal::new(cents, 2).normalize())
}

fn amt(qualifier: &'static str, cents: i64) -> Amt<'static> {
    Amt { qualifier: qualifier.into(), amount: money(cents), ..Amt::default() }
}

fn svc(code: &'static str, charged: i64, paid: Option<i64>) -> Svc<'static> {
    Svc {
        procedure: Procedure { system: "HC".into(), code: code.into(), ..Procedure::default() },
        charged: money(charged),
        paid: paid.map_or(Typed::Absent, money),
        units: Typed::Is(Decimal::ONE),
        ..Svc::default()
    }
}

fn stc(category: &'static str, code: &'static str, entity: &'static str) -> Stc<'static> {
    Stc {
        status: StatusCode {
            category: category.into(),
            code: code.into(),
            entity: entity.into(),
            ..StatusCode::default()
        },
        effective: jiff::civil::date(2026, 11, 20).into(),
        ..Stc::default()
    }
}

fn request() -> ClaimStatusRequest<'static> {
    let claim = |number| RequestClaim {
        trace: trn("1", number),
        references: vec![reference("BLT", "111"), reference("EJ", "ACCT7")],
        charged: Some(amt("T3", 12550)),
        dates: vec![dtp("472", "20261020")],
        lines: vec![RequestLine {
            service: svc("99213", 12550, None),
            references: vec![reference("FJ", "1")],
            dates: vec![dtp("472", "20261020")],
            ..RequestLine::default()
        }],
        ..RequestClaim::default()
    };
    let dmg = || {
        let born = jiff::civil::date(1980, 2, 1).into();
        Some(Dmg { format: "D8".into(), born, sex: "F".into(), ..Dmg::default() })
    };
    let own = RequestSubscriber {
        level: hl("22"),
        demographics: dmg(),
        name: Some(person("IL", "ZANZIBAR", "ADA", "W123456789")),
        claims: vec![claim("TRACE1")],
        ..RequestSubscriber::default()
    };
    let child = RequestSubscriber {
        level: hl("22"),
        name: Some(person("IL", "QUILL", "BEN", "W987654321")),
        dependents: vec![RequestDependent {
            level: hl("23"),
            demographics: dmg(),
            name: Some(person("QC", "QUILL", "CORA", "")),
            claims: vec![claim("TRACE2")],
            ..RequestDependent::default()
        }],
        ..RequestSubscriber::default()
    };
    let provider = RequestProvider {
        level: hl("19"),
        names: vec![clinic("1P")],
        subscribers: vec![own, child],
        ..RequestProvider::default()
    };
    let receiver = RequestReceiver {
        level: hl("21"),
        name: Some(organisation("41", "BIRCH STREET CLINIC", "46", "S00001")),
        providers: vec![provider],
        ..RequestReceiver::default()
    };
    let source =
        RequestSource { level: hl("20"), name: Some(carrier()), receivers: vec![receiver], ..RequestSource::default() };
    ClaimStatusRequest {
        control: "0001".into(),
        implementation: "005010X212".into(),
        beginning: bht("0010", "13", ""),
        sources: vec![source],
        ..ClaimStatusRequest::default()
    }
}

fn response(receiver: ResponseReceiver<'static>) -> ClaimStatusResponse<'static> {
    let source = ResponseSource {
        level: hl("20"),
        names: vec![carrier()],
        receivers: vec![receiver],
        ..ResponseSource::default()
    };
    ClaimStatusResponse {
        control: "0001".into(),
        implementation: "005010X212".into(),
        beginning: bht("0010", "08", "DG"),
        sources: vec![source],
        ..ClaimStatusResponse::default()
    }
}

fn receiver() -> ResponseReceiver<'static> {
    ResponseReceiver {
        level: hl("21"),
        names: vec![organisation("41", "BIRCH STREET CLINIC", "46", "S00001")],
        ..ResponseReceiver::default()
    }
}

/// A claim paid, one denied, and a dependent's claim that waits for documents. One line each: linuxforhealth-x12 loses the
/// second one of a claim.
fn answer() -> ClaimStatusResponse<'static> {
    let paid = Stc {
        charged: money(20000),
        paid: money(9880),
        decided: jiff::civil::date(2026, 11, 18).into(),
        payment_date: jiff::civil::date(2026, 11, 19).into(),
        payment_number: "0098765".into(),
        ..stc("F1", "65", "")
    };
    let line = |code, number, charged, status, paid| StatusLine {
        service: svc(code, charged, Some(paid)),
        statuses: vec![status],
        references: vec![reference("FJ", number)],
        dates: vec![dtp("472", "20261020")],
        ..StatusLine::default()
    };
    let paid = StatusTrace {
        trace: trn("2", "TRACE1"),
        statuses: vec![paid],
        references: vec![reference("1K", "20261101A77"), reference("BLT", "111"), reference("EJ", "ACCT7")],
        dates: vec![dtp("472", "20261020-20261020")],
        lines: vec![line("99213", "1", 20000, stc("F1", "65", ""), 9880)],
        ..StatusTrace::default()
    };
    let denied = StatusTrace {
        trace: trn("2", "TRACE3"),
        statuses: vec![Stc { charged: money(7450), paid: money(0), ..stc("F2", "107", "") }],
        references: vec![reference("1K", "20261101A78")],
        dates: vec![dtp("472", "20261020")],
        lines: vec![line("36415", "1", 7450, stc("F2", "107", ""), 0)],
        ..StatusTrace::default()
    };
    let waits = StatusTrace {
        trace: trn("2", "TRACE2"),
        statuses: vec![Stc { charged: money(85000), ..stc("P3", "294", "85") }],
        references: vec![reference("1K", "20261102B12")],
        dates: vec![dtp("472", "20261021")],
        ..StatusTrace::default()
    };
    let own = ResponsePatient {
        level: hl("22"),
        names: vec![person("IL", "ZANZIBAR", "ADA", "W123456789")],
        traces: vec![paid, denied],
        ..ResponsePatient::default()
    };
    let family = ResponsePatient {
        level: hl("22"),
        names: vec![person("IL", "QUILL", "BEN", "W987654321")],
        dependents: vec![ResponseDependent {
            level: hl("23"),
            names: vec![person("QC", "QUILL", "CORA", "")],
            traces: vec![waits],
            ..ResponseDependent::default()
        }],
        ..ResponsePatient::default()
    };
    let provider = ResponseProvider {
        level: hl("19"),
        names: vec![clinic("1P")],
        patients: vec![own, family],
        ..ResponseProvider::default()
    };
    response(ResponseReceiver { providers: vec![provider], ..receiver() })
}

fn no_answer() -> ClaimStatusResponse<'static> {
    let trace =
        StatusTrace { trace: trn("2", "STATUS0001"), statuses: vec![stc("E1", "484", "")], ..StatusTrace::default() };
    response(ResponseReceiver { traces: vec![trace], ..receiver() })
}

/// One claim accepted, one rejected for its provider number.
fn acknowledgment() -> ClaimStatusResponse<'static> {
    let said = |category, code, entity, action: &'static str, charged| Stc {
        action: action.into(),
        charged: money(charged),
        ..stc(category, code, entity)
    };
    let claim = |number, status, references| StatusTrace {
        trace: trn("2", number),
        statuses: vec![status],
        references,
        dates: vec![dtp("472", "20261020")],
        ..StatusTrace::default()
    };
    let patient = |name, trace| ResponsePatient {
        level: hl("PT"),
        names: vec![name],
        traces: vec![trace],
        ..ResponsePatient::default()
    };
    let good = claim("ACCT7", said("A2", "20", "PR", "WQ", 20000), vec![reference("1K", "20261101A77")]);
    let bad = claim(
        "ACCT8",
        Stc { text: "NPI NOT ON FILE".into(), ..said("A7", "562", "82", "U", 85000) },
        vec![reference("D9", "CH88")],
    );
    let sums = |numbers: [&'static str; 2]| {
        let one = |qualifier: &'static str| Qty {
            qualifier: qualifier.into(),
            quantity: Typed::Is(Decimal::ONE),
            ..Qty::default()
        };
        (numbers.map(one).to_vec(), vec![amt("YU", 20000), amt("YY", 85000)])
    };
    let (quantities, amounts) = sums(["QA", "QC"]);
    let of_provider = StatusTrace {
        trace: trn("1", "0"),
        statuses: vec![Stc { effective: Typed::Absent, ..said("A1", "19", "PR", "WQ", 105_000) }],
        quantities,
        amounts,
        ..StatusTrace::default()
    };
    let provider = ResponseProvider {
        level: hl("19"),
        names: vec![clinic("85")],
        traces: vec![of_provider],
        patients: vec![
            patient(person("QC", "ZANZIBAR", "ADA", "W123456789"), good),
            patient(person("QC", "QUILL", "CORA", "W987654321"), bad),
        ],
        ..ResponseProvider::default()
    };
    let (quantities, amounts) = sums(["90", "AA"]);
    let of_receiver = StatusTrace {
        trace: trn("2", "BATCH0001"),
        statuses: vec![said("A1", "19", "PR", "WQ", 105_000)],
        quantities,
        amounts,
        ..StatusTrace::default()
    };
    let mut response =
        response(ResponseReceiver { traces: vec![of_receiver], providers: vec![provider], ..receiver() });
    response.implementation = ClaimStatusResponse::ACKNOWLEDGMENT.into();
    response.beginning = bht("0085", "08", "TH");
    if let Some(source) = response.sources.first_mut() {
        source.traces = vec![StatusTrace {
            trace: trn("1", "SOURCE0001"),
            dates: vec![dtp("050", "20261122"), dtp("009", "20261123")],
            ..StatusTrace::default()
        }];
    }
    response
}
