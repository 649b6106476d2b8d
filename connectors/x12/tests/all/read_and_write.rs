//! The reader and the writer against each other, against real files, and against rubbish.

use std::path::{Path, PathBuf};

use crate::shared;
use proptest::prelude::*;
use x12::write::{Element, Envelope, TransactionWriter};
use x12::{Delimiters, Document, Finding, ReadError, Reader, Severity};

pub fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "edi") {
            found.push(path);
        }
    }
}

/// All segments as raw elements, and how many findings there were.
fn segments(bytes: &[u8]) -> Result<Vec<Vec<Vec<u8>>>, ReadError> {
    let mut reader = Reader::new(bytes);
    let mut all = Vec::new();
    while let Some(segment) = reader.next_segment()? {
        let mut elements = vec![segment.id().as_bytes().to_vec()];
        elements.extend((1..=segment.len()).map(|element| segment.raw(element).to_vec()));
        all.push(elements);
    }
    Ok(all)
}

/// All segments as they stand with their places, and all findings; or the refusal.
fn told(source: impl std::io::Read) -> Result<(Vec<Told>, Vec<Finding>), String> {
    let mut reader = Reader::new(source);
    let (mut all, mut findings) = (Vec::new(), Vec::new());
    while let Some(segment) = reader.next_segment().map_err(|error| error.to_string())? {
        assert!(segment.elements().eq((1..=segment.len()).map(|element| segment.raw(element))));
        all.push((segment.number, segment.offset, segment.len(), segment.bytes().to_vec()));
        findings.append(&mut reader.take_findings());
    }
    findings.append(&mut reader.take_findings());
    Ok((all, findings))
}

/// A segment's number, offset, count of elements, and bytes.
type Told = (u64, u64, usize, Vec<u8>);

/// A source that gives one byte at a time: no answer may depend on where reads are cut.
struct Drip<'a>(&'a [u8]);

impl std::io::Read for Drip<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let (Some(first), Some(slot)) = (self.0.first(), into.first_mut()) else { return Ok(0) };
        *slot = *first;
        self.0 = &self.0[1..];
        Ok(1)
    }
}

#[test]
fn every_real_file_is_read() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let mut found = Vec::new();
    files(&folder, &mut found);
    let manifest = std::fs::read_to_string(folder.join("MANIFEST.tsv")).unwrap();
    let (mut read, mut refused, mut unequal) = (0, Vec::new(), Vec::new());
    for path in &found {
        let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).unwrap();
        match segments(&bytes) {
            Ok(all) => {
                read += 1;
                let line = manifest.lines().find(|line| line.starts_with(&format!("{name}\t")));
                let stated: Option<usize> = line.and_then(|line| line.split('\t').nth(3)?.parse().ok());
                if stated != Some(all.len()) {
                    unequal.push(format!("{name}: manifest {stated:?}, read {}", all.len()));
                }
                if bytes.len() < 20_000 {
                    assert!(told(Drip(&bytes)) == told(bytes.as_slice()), "{name} byte by byte");
                }
                Document::read(&bytes).unwrap();
            }
            Err(error) => refused.push(format!("{name}: {error}")),
        }
    }
    println!("{read} of {} files read; refused: {refused:#?}; other counts: {unequal:#?}", found.len());
    assert!(refused.is_empty(), "every file gives what can be told apart");
    let no_terminator = "invalid/gozer__x12.no.line.break.no.delim.edi: manifest Some(6), read 1";
    assert_eq!(unequal, [no_terminator], "segments the manifest counts");
}

#[test]
fn rubbish_is_refused_and_cut_off_files_are_read_as_far_as_they_go() {
    assert!(matches!(segments(b""), Err(ReadError::Empty)));
    assert!(matches!(segments(b"   \r\n"), Err(ReadError::Empty)));
    assert!(matches!(segments(b"%PDF-1.7 binary"), Err(ReadError::NotX12)));
    assert!(matches!(segments(b"<html><body>Sign in</body></html>"), Err(ReadError::NotX12)));
    let mut tx = TransactionWriter::new(&Delimiters::default(), "271", "0001", None).unwrap();
    tx.segment("NM1", &["IL", "1", "DOE"]).unwrap();
    let whole = Envelope::new("HB", "005010X279A1").wrap(&Delimiters::default(), vec![tx]).unwrap();
    for cut in 0..whole.len() {
        let _ = segments(&whole[..cut]);
        if let Ok(document) = Document::read(&whole[..cut]) {
            assert!(!document.findings.is_empty() || document.items.is_empty(), "cut at {cut}");
        }
    }
    assert!(Document::read(&whole).unwrap().findings.is_empty());
}

#[test]
fn a_huge_declared_binary_length_takes_no_memory() {
    let file =
        b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*^*00501*000000001*0*P*:~\
        GS*PI*A*B*20260101*1200*1*X*005010X210~ST*275*0001~BIN*2147483648*PID|1~x~SE*3*0001~GE*1*1~IEA*1*000000001~";
    let all = segments(file).unwrap();
    let binary = all.iter().find(|segment| segment[0] == b"BIN").unwrap();
    assert_eq!(binary[2], b"PID|1~x");
    assert_eq!(all.len(), 7);
}

#[test]
fn an_endless_segment_is_left_out_in_bounded_memory() {
    let mut file = b"ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*^*00501*000000001*0*P*:~ZZZ*".to_vec();
    file.resize(4 << 20, b'x');
    file.extend_from_slice(b"~IEA*0*000000001~");
    let mut reader = Reader::new(file.as_slice());
    let mut ids = Vec::new();
    while let Some(segment) = reader.next_segment().unwrap() {
        ids.push(segment.id().to_owned());
    }
    assert_eq!(ids, ["ISA", "IEA"]);
    assert!(reader.take_findings().iter().any(|finding| finding.code == "segment_length"));
}

#[test]
fn several_interchanges_with_other_separators() {
    let one = |delimiters: &Delimiters| {
        let tx = TransactionWriter::new(delimiters, "271", "0001", None).unwrap();
        Envelope::new("HB", "V").wrap(delimiters, vec![tx]).unwrap()
    };
    let other = Delimiters { element: b'|', component: b'>', repetition: None, segment: b'\n', newline_after: false };
    let file = [one(&Delimiters::default()), b"\r\nsome words\r\n".to_vec(), one(&other)].concat();
    let document = Document::read(&file).unwrap();
    assert_eq!(document.transactions().count(), 2);
    let codes: Vec<_> = odd(&document.findings).map(|finding| finding.code).collect();
    assert_eq!(codes, ["text_after_iea"]);
}

/// What is more than unusual.
fn odd<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> impl Iterator<Item = &'a Finding> {
    findings.into_iter().filter(|finding| finding.severity != Severity::Info)
}

fn delimiters() -> impl Strategy<Value = Delimiters> {
    let sets = ["*^:~", "|!>\\", "*U>~", "+`<'", "*^:\n", "=#@\r"];
    (0..sets.len(), any::<bool>()).prop_map(move |(at, newline_after)| {
        let set = sets[at].as_bytes();
        let repetition = (set[1] != b'U').then_some(set[1]);
        Delimiters { element: set[0], repetition, component: set[2], segment: set[3], newline_after }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        delimiters in delimiters(),
        body in prop::collection::vec(("[A-Z][A-Z0-9]{1,2}", prop::collection::vec("[ -~]{0,12}", 0..6)), 0..12),
    ) {
        let mut tx = TransactionWriter::new(&delimiters, "271", "0001", Some("005010X279A1")).unwrap();
        let mut expected = Vec::new();
        for (id, values) in &body {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            let holds = |value: &&str| value.bytes().any(|byte| delimiters.contains(byte));
            match tx.segment(id, &values) {
                Ok(_) => {
                    prop_assert!(!values.iter().any(holds));
                    let used = values.iter().rposition(|value| !value.is_empty()).map_or(0, |last| last + 1);
                    let mut segment = vec![id.as_bytes().to_vec()];
                    segment.extend(values[..used].iter().map(|value| value.as_bytes().to_vec()));
                    expected.push(segment);
                }
                Err(error) => {
                    let ours = ["ISA", "GS", "ST", "SE", "GE", "IEA", "BIN", "BDS"].contains(&id.as_str());
                    prop_assert!(ours || values.iter().any(holds), "{error}");
                }
            }
        }
        let bytes = Envelope::new("HB", "005010X279A1").wrap(&delimiters, vec![tx]).unwrap();
        let all = segments(&bytes).unwrap();
        prop_assert_eq!(&all[3..all.len() - 3], &expected[..]);
        let document = Document::read(&bytes).unwrap();
        let inside = document.transactions().flat_map(|tx| &tx.findings);
        // Line breaks after segments, and values that end in a blank, are allowed: they are told of all the same.
        prop_assert_eq!(odd(document.findings.iter().chain(inside)).count(), 0, "{:?}", document.findings);
    }

    #[test]
    fn composites_and_repeats_are_read_back(parts in prop::collection::vec("[A-Z0-9]{1,5}", 1..5)) {
        let delimiters = Delimiters::default();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let mut tx = TransactionWriter::new(&delimiters, "271", "0001", None).unwrap();
        tx.elements("EB", &[Element::Repeats(&parts), Element::Composite(&parts), Element::RepeatedComposites(&[&parts, &parts])]).unwrap();
        let bytes = Envelope::new("HB", "V").wrap(&delimiters, vec![tx]).unwrap();
        let document = Document::read(&bytes).unwrap();
        let transaction = document.transactions().next().unwrap();
        let eb = transaction.segments.get(1).unwrap();
        let repeats: Vec<_> = eb.repeats(1).map(<[u8]>::to_vec).collect();
        prop_assert_eq!(repeats, parts.iter().map(|part| part.as_bytes().to_vec()).collect::<Vec<_>>());
        for repeat in eb.repeats(3) {
            prop_assert_eq!(eb.components(repeat).collect::<Vec<_>>(), parts.clone());
        }
        prop_assert_eq!(eb.components(eb.raw(2)).count(), parts.len());
    }

    #[test]
    fn no_answer_depends_on_where_reads_are_cut(
        parts in prop::collection::vec(
            prop::sample::select(vec!["EB*1*2", "~", "\n", "\r\n", "NM1*IL*1* ", "*", "BIN*3*a~b", "BDS*X*2*\n~", " ",
                "IEA*1*1", "ISA*00**00**ZZ*A*ZZ*B*260101*1200*^*00501*1*0*P*:~", "x", "\u{e4}", "SE*", "^", "Nm1*",
                "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*|*00501*000000001*0*P*>\n"]),
            0..40,
        ),
    ) {
        let file = format!("ST*271*0001~{}", parts.concat());
        prop_assert_eq!(told(Drip(file.as_bytes())), told(file.as_bytes()));
    }

    #[test]
    fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = segments(&bytes);
        let _ = Document::read(&bytes);
    }

    #[test]
    fn no_damaged_interchange_panics(places in prop::collection::vec((0usize..300, any::<u8>()), 1..6)) {
        let mut tx = TransactionWriter::new(&Delimiters::default(), "271", "0001", None).unwrap();
        tx.segment("EB", &["1", "", "30"]).unwrap();
        let mut bytes = Envelope::new("HB", "V").wrap(&Delimiters::default(), vec![tx]).unwrap();
        for (at, byte) in places {
            if let Some(slot) = bytes.get_mut(at) {
                *slot = byte;
            }
        }
        let _ = Document::read(&bytes);
    }
}
