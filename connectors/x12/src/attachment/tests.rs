//! The 275 as it is sent, and bytes that look like X12.

use super::*;
use crate::model::sample::round_trips;
use crate::write::{Charset, Envelope, TransactionWriter, WriteReason};
use crate::{Delimiters, Reader};

const HEAD: &str = "ST*275*0001*005010X210~BGN*11*A1*20261123*1200~NM1*PR*2*NORTHSTAR*****PI*60054~\
                    NM1*41*2*CLINIC*****46*S1~NM1*QC*1*ZANZIBAR*ADA****MI*W1~REF*EJ*P1~DTP*472*D8*20261101~";

fn with<T>(bytes: &[u8], use_it: impl FnOnce(&Attachments<'_>) -> T) -> T {
    let document = crate::Document::read(bytes).unwrap();
    let transaction = document.transactions().next().unwrap();
    let attachments = Attachments::read(&transaction.segments);
    use_it(&attachments)
}

#[test]
fn what_is_written_is_read_back() {
    round_trips::<Attachments<'static>>(200);
}

#[test]
fn documents_know_what_they_stand_under() {
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.extend_from_slice(b"LX*1~TRN*2*Q7~STC*R4:18842-5::LOI*20261120~REF*FJ*1~DTP*368*D8*20261123~CAT*AE*HL~");
    bytes.extend_from_slice(
        b"EFI*05~BIN*22*<ClinicalDocument/>~x*~EFI*05~BIN*9*%PDF~SE*1~LX*2~BDS*B64*12*JVBERi0xLjc=~SE*18*0001~",
    );
    with(&bytes, |attachments| {
        assert!(attachments.was_asked());
        let documents = attachments.documents();
        assert_eq!(documents.len(), 3);
        let first = &documents[0];
        assert_eq!(&*first.content.data, b"<ClinicalDocument/>~x*");
        assert_eq!(first.line.unwrap().traces[0].number, "Q7");
        assert_eq!(first.line.unwrap().asked[0].status.code, "18842-5");
        assert_eq!((&*first.date.unwrap().value, &*first.category.unwrap().category.form), ("20261123", "HL"));
        assert_eq!(
            (first.content.content(), documents[1].content.content()),
            (Content::ClinicalDocument, Content::Pdf)
        );
        assert_eq!(&*documents[1].content.data, b"%PDF~SE*1");
        assert_eq!((documents[2].content.content(), documents[2].category.is_none()), (Content::Pdf, true));
        assert!(documents.iter().all(|document| document.content.length_fits()));
        assert_eq!(documents[2].line.unwrap().number.number.get(), Some(2));
        let tx = attachments.write(&Delimiters::default(), Charset::Extended).unwrap();
        let written = Envelope::new("PI", "005010X210").wrap(&Delimiters::default(), vec![tx]).unwrap();
        let body = bytes.strip_suffix(b"SE*18*0001~").unwrap();
        assert!(written.windows(body.len()).any(|window| window == body));
        let shown = serde_json::to_string(attachments).unwrap();
        assert!(!shown.contains("extra") && shown.contains("\"length\":22"), "{shown}");
        assert!(!format!("{attachments:?} {:?}", first.content).contains("Clinical"));
    });
}

#[test]
fn a_wrong_length_is_told_and_mended_when_written() {
    let mut bytes = HEAD.as_bytes().to_vec();
    bytes.extend_from_slice(b"LX*1~BIN*3*abcdef~SE*9*0001~");
    with(&bytes, |attachments| {
        let content = attachments.documents()[0].content;
        assert_eq!((&*content.data, content.told, content.length_fits()), (&b"abcdef"[..], Some(3), false));
        let tx = attachments.write(&Delimiters::default(), Charset::Extended).unwrap();
        let written = Envelope::new("PI", "005010X210").wrap(&Delimiters::default(), vec![tx]).unwrap();
        assert!(String::from_utf8(written).unwrap().contains("~BIN*6*abcdef~SE*"));
    });
}

#[test]
fn any_bytes_are_written_as_they_are() {
    let all: Vec<u8> = (0..=255u8).chain(*b"~SE*3*0001~GE*1*1~").collect();
    for (filter, id) in [(None, "BIN"), (Some("ASC"), "BDS")] {
        for newline_after in [false, true] {
            let delimiters = Delimiters { newline_after, ..Delimiters::default() };
            let mut tx = TransactionWriter::new(&delimiters, "275", "0001", None).unwrap();
            for data in [&all[..], b"", b"\n", b"~"] {
                tx.binary(filter, data).unwrap();
            }
            assert_eq!(tx.segments(), 5);
            let bytes = Envelope::new("PI", "005010X210").wrap(&delimiters, vec![tx]).unwrap();
            let mut reader = Reader::new(bytes.as_slice());
            let mut read = Vec::new();
            while let Some(segment) = reader.next_segment().unwrap() {
                if segment.is(id) {
                    read.push(segment.raw(if filter.is_some() { 3 } else { 2 }).to_vec());
                }
            }
            assert_eq!(read, [all.clone(), Vec::new(), b"\n".to_vec(), b"~".to_vec()]);
            assert!(reader.take_findings().iter().all(|finding| finding.code == "line_breaks"));
        }
    }
}

#[test]
fn too_much_is_refused_and_leaves_nothing() {
    let mut tx = TransactionWriter::new(&Delimiters::default(), "275", "0001", None).unwrap();
    let error = tx.binary(None, &vec![0; MAX_DOCUMENT_BYTES + 1]).unwrap_err();
    assert_eq!((error.segment.as_str(), error.element, error.reason), ("BIN", 2, WriteReason::Length));
    let error = tx.binary(Some("B*64"), b"").unwrap_err();
    assert_eq!((error.segment.as_str(), error.element, error.reason), ("BDS", 1, WriteReason::HoldsSeparator));
    assert_eq!(tx.segments(), 1);
    tx.binary(None, &vec![b'~'; 1 << 20]).unwrap();
}
