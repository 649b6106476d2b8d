//! The 275 as it goes over the wire: a picture that was asked for, and a clinical document sent along with a claim. No
//! validator outside this project knows these guides: our own guide tables judge them.

use x12::attachment::{
    AttachedFile, AttachmentLine, AttachmentParty, Attachments, Bgn, Binary, Cat, DatedDocuments, DocumentCategory,
    Efi, Ooi,
};
use x12::model::common::{Dtp, Lx, Nm1, Ref, Trn};
use x12::status::{StatusCode, Stc};
use x12::write::{Charset, Envelope};
use x12::{Delimiters, Document};

/// A picture of one pixel: bytes of which some are separators.
const PIXEL: &[u8] =
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00~*:\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\
    \x00\x01\x00\x00\x02\x02D\x01\x00;";
const RECORD: &[u8] =
    b"<?xml version=\"1.0\"?>\r\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\">\r\n  <title>Progress note</title>\r\n\
    </ClinicalDocument>\r\n";

/// Name and whole interchange of each.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    let asked = Stc {
        status: StatusCode {
            category: "R4".into(),
            code: "18748-4".into(),
            list: "LOI".into(),
            ..StatusCode::default()
        },
        ..Stc::default()
    };
    let picture = AttachedFile {
        format: Efi { security: "05".into(), ..Efi::default() },
        contents: vec![Binary { data: PIXEL.into(), ..Binary::default() }],
        ..AttachedFile::default()
    };
    let answer = AttachmentLine {
        traces: vec![Trn { kind: "2".into(), number: "Q-0815".into(), ..Trn::default() }],
        asked: vec![asked],
        references: vec![reference("EJ", "P-1001")],
        dated: vec![DatedDocuments {
            date: date("368", "20261123"),
            categories: vec![DocumentCategory {
                category: Cat { report: "AE".into(), form: "IA".into(), ..Cat::default() },
                files: vec![picture],
                ..DocumentCategory::default()
            }],
            ..DatedDocuments::default()
        }],
        ..line()
    };
    let along = AttachmentLine {
        traces: vec![Trn { kind: "1".into(), number: "D-0001".into(), ..Trn::default() }],
        dated: vec![DatedDocuments {
            date: date("368", "20261123"),
            categories: vec![DocumentCategory {
                category: Cat { report: "AE".into(), form: "HL".into(), ..Cat::default() },
                objects: vec![Ooi {
                    number: "1".into(),
                    qualifier: "47".into(),
                    kind: "ATTACHMENT".into(),
                    ..Ooi::default()
                }],
                contents: vec![Binary { filter: "ASC".into(), data: RECORD.into(), ..Binary::default() }],
                ..DocumentCategory::default()
            }],
            ..DatedDocuments::default()
        }],
        ..line()
    };
    vec![
        ("275_asked_for.edi", write("005010X210", "11", answer)),
        ("275_sent_along.edi", write("006020X314", "02", along)),
    ]
}

fn line() -> AttachmentLine<'static> {
    AttachmentLine { number: Lx { number: 1.into(), ..Lx::default() }, ..AttachmentLine::default() }
}

fn reference(qualifier: &'static str, value: &'static str) -> Ref<'static> {
    Ref { qualifier: qualifier.into(), value: value.into(), ..Ref::default() }
}

fn date(qualifier: &'static str, day: &'static str) -> Dtp<'static> {
    Dtp { qualifier: qualifier.into(), format: "D8".into(), value: day.into(), ..Dtp::default() }
}

fn party(
    entity: &'static str,
    kind: &'static str,
    last: &'static str,
    first: &'static str,
    id: [&'static str; 2],
) -> AttachmentParty<'static> {
    let name = Nm1 {
        entity: entity.into(),
        kind: kind.into(),
        last_name: last.into(),
        first_name: first.into(),
        qualifier: id[0].into(),
        id: id[1].into(),
        ..Nm1::default()
    };
    AttachmentParty { name, ..AttachmentParty::default() }
}

fn write(guide: &'static str, purpose: &'static str, line: AttachmentLine<'static>) -> Vec<u8> {
    let patient = AttachmentParty {
        references: vec![reference("EJ", "P-1001")],
        dates: vec![date("472", "20261101")],
        ..party("QC", "1", "ZANZIBAR", "ADA", ["MI", "W100"])
    };
    let model = Attachments {
        control: "0001".into(),
        implementation: guide.into(),
        beginning: Some(Bgn {
            purpose: purpose.into(),
            reference: "A-2026-0001".into(),
            date: jiff::civil::date(2026, 11, 23).into(),
            time: "1200".into(),
            ..Bgn::default()
        }),
        parties: vec![
            party("PR", "2", "NORTHSTAR HEALTH", "", ["PI", "60054"]),
            party("41", "2", "BONE CLINIC", "", ["46", "S1"]),
            party("1P", "2", "BONE CLINIC", "", ["XX", "1234567893"]),
            patient,
        ],
        lines: vec![line],
        ..Attachments::default()
    };
    let tx = model.write(&Delimiters::default(), Charset::Extended).unwrap();
    let bytes = Envelope::new("PI", guide).wrap(&Delimiters::default(), vec![tx]).unwrap();
    let document = Document::read(&bytes).unwrap();
    let read = Attachments::read(&document.transactions().next().unwrap().segments);
    assert!(read.into_static() == model);
    bytes
}
