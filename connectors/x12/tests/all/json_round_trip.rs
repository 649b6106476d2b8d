//! Files to JSON and back: the same bytes for well-formed files, the same objects for all that can be written.

use proptest::prelude::*;
use serde_json::{Value, json};
use x12::Delimiters;
use x12::json::{Reason, WriteFailure, write_json};
use x12::write::{Envelope, TransactionWriter};

use crate::oracles::{self, json_of, objects, written};
use crate::shared;

fn refusal(json: &str) -> x12::json::Refusal {
    match written(json) {
        Err(WriteFailure::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn sample(delimiters: &Delimiters, sets: usize) -> Vec<u8> {
    let one = |number: usize| {
        let control = format!("{number:04}");
        let mut tx = TransactionWriter::new(delimiters, "271", &control, Some("005010X279A1")).unwrap();
        tx.segment("BHT", &["0022", "11", "", "20261123"]).unwrap();
        tx
    };
    Envelope::new("HB", "005010X279A1").wrap(delimiters, (1..=sets).map(one).collect()).unwrap()
}

#[test]
fn well_formed_files_come_back_byte_for_byte() {
    let lines = |text: &str, line_break: &str| {
        let whole = text.replace('~', &format!("~{line_break}"));
        [whole.clone(), whole.trim_end().to_owned(), format!("{whole}\n")]
    };
    let plain = String::from_utf8(sample(&Delimiters::default(), 3)).unwrap();
    let two = format!("{plain}{}", plain.replace("000000001", "000000002"));
    let ta1 = plain.replace("GS*HB", "TA1*000000007*261123*1200*A*000~GS*HB");
    let empty = plain.get(..106).unwrap().to_owned() + "IEA*0*000000001~";
    let groups = plain.replace(
        "GE*3*1~IEA*1",
        "GE*3*1~GS*HB*A*B*20261123*1200*2*X*V~GE*0*2~GS*HB*A*B*20261123*1200*2*X*V~ST*271*1~SE*2*1~GE*1*2~IEA*3",
    );
    let binary = plain.replace("SE*3*0003~", "BIN*9*a~b*c\r\n\u{1}d~SE*4*0003~");
    let mut count = 0;
    for text in [&plain, &two, &ta1, &empty, &groups] {
        for line_break in ["", "\n", "\r\n", "\n    "] {
            for file in lines(text, line_break) {
                let json = json_of(file.as_bytes()).unwrap();
                assert!(!json.contains("trailers") && !json.contains("\"segment\":["), "{json}");
                assert_eq!(String::from_utf8(written(&json).unwrap()).unwrap(), file, "{json}");
                count += 1;
            }
        }
    }
    assert_eq!(written(&json_of(binary.as_bytes()).unwrap()).unwrap(), binary.as_bytes());
    println!("{count} well-formed files came back byte for byte");
}

#[test]
fn quirks_that_can_be_carried_are() {
    let plain = String::from_utf8(sample(&Delimiters::default(), 2)).unwrap();
    for (what, from, to) in [
        ("a wrong SE01", "SE*3*0001", "SE*9*0001"),
        ("a wrong GE01", "GE*2*1", "GE*7*1"),
        ("an IEA02 of another file", "IEA*1*000000001", "IEA*1*000000009"),
        ("no GE", "GE*2*1~", ""),
        ("no SE", "SE*3*0002~", ""),
        ("no SE in the middle", "SE*3*0001~", ""),
        ("a stray segment", "SE*3*0001~", "SE*3*0001~ZZZ*1~"),
        ("trailing empties", "BHT*0022*11**20261123", "BHT*0022*11**20261123***"),
        ("an unpadded ISA", "*SENDER         *", "*SENDER*"),
        ("an ISA padded on the left", "*SENDER         *", "*         SENDER*"),
        ("a GS with more elements", "*X*005010X279A1~", "*X*005010X279A1**1~"),
        ("ISA11 that is a letter", "*^*00501", "*Q*00501"),
    ] {
        let file = plain.replace(from, to);
        assert_ne!(file, plain, "{what}");
        let json = json_of(file.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(written(&json).unwrap()).unwrap(), file, "{what}: {json}");
    }
    let marked = format!("\u{feff}{plain}{plain}");
    assert_eq!(written(&json_of(marked.as_bytes()).unwrap()).unwrap(), marked.as_bytes());
    let mut latin1 = sample(&Delimiters::default(), 1);
    let at = latin1.windows(4).position(|window| window == b"0022").unwrap();
    latin1[at] = 0xdc;
    let json = json_of(&latin1).unwrap();
    assert!(json.contains("{\"latin1\":\"Ü022\"}"), "{json}");
    assert_eq!(written(&json).unwrap(), latin1);
    let without_isa = plain.get(106..).unwrap().split("IEA").next().unwrap();
    assert_eq!(written(&json_of(without_isa.as_bytes()).unwrap()).unwrap(), without_isa.as_bytes());
}

#[test]
fn what_stands_outside_any_set_stays_where_it_is() {
    let plain = String::from_utf8(sample(&Delimiters::default(), 2)).unwrap();
    let (isa, rest) = plain.split_at(106);
    let (gs, rest) = rest.split_at(rest.find("ST*").unwrap());
    let (first, rest) = rest.split_at(rest.find("ST*271*0002").unwrap());
    let (second, _) = rest.split_at(rest.find("GE*").unwrap());
    let (ge, iea) = ("GE*2*1~", "IEA*1*000000001~");
    let many = "ZZZ*1~".repeat(2_500);
    let files = [
        // Before the first set, between them, after the last.
        format!("{isa}ZZZ*1~{gs}{first}{second}{ge}{iea}"),
        format!("{isa}{gs}ZZZ*1~{first}{second}{ge}{iea}"),
        format!("{isa}AAA*1~{gs}BBB*1~CCC*1~{first}DDD*1~{second}EEE*1~{ge}FFF*1~{iea}GGG*1~"),
        // In headers with nothing else in them.
        format!("{isa}ZZZ*1~IEA*0*000000001~"),
        format!("{isa}{gs}ZZZ*1~GE*0*1~{iea}"),
        format!("{isa}{gs}{first}{second}{ge}AAA*1~{gs}BBB*1~GE*0*1~CCC*1~{gs}DDD*1~GE*0*1~IEA*3*000000001~"),
        format!("{isa}AAA*1~{iea}BBB*1~{isa}CCC*1~{gs}{first}{second}{ge}{iea}"),
        // Trailers without headers, headers without trailers, and nothing around.
        format!("{isa}SE*1*1~{gs}GE*0*1~GE*0*1~{gs}SE*1*1~{first}SE*1*1~{second}{ge}{ge}IEA*2*000000001~{iea}"),
        format!("{isa}{gs}ZZZ*1~{isa}ZZZ*2~{gs}{first}{second}ZZZ*3~"),
        format!("{isa}{iea}ZZZ*1~{gs}ZZZ*2~{first}{second}{ge}ZZZ*3~{first}IEA*1*1~"),
        format!("{gs}ZZZ*1~{first}{second}{ge}ZZZ*2~{gs}ZZZ*3~"),
        format!("{first}GE*1*1~ZZZ*1~{gs}IEA*1*1~"),
        // However many they are.
        format!("{isa}{many}{gs}{many}{first}{many}{second}{many}{ge}{many}{iea}{many}{gs}{many}"),
    ];
    for file in files {
        let json = json_of(file.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(written(&json).unwrap()).unwrap(), file, "{json:.2000}");
    }
    let told = json_of(format!("{isa}{gs}ZZZ*1~{first}{ge}{iea}").as_bytes()).unwrap();
    let told = objects(&told);
    assert_eq!(told.len(), 2, "the stray is told of where the group begins");
    assert_eq!((&told[0]["group"]["control"], &told[0]["trailers"]), (&json!("1"), &json!([["ZZZ", "1"]])));
    assert_eq!((&told[0]["transaction"], &told[0]["segments"]), (&Value::Null, &Value::Null));
    // After IEA no interchange is open.
    let told = objects(&json_of(format!("{isa}{iea}{gs}{first}").as_bytes()).unwrap());
    assert_eq!((&told[1]["interchange"], &told[1]["delimiters"]["element"]), (&Value::Null, &json!("*")));
}

/// A file that begins without an ISA, and what a reader would take for one in it.
#[test]
fn what_would_be_read_as_the_isa_is_refused() {
    let isa =
        "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260101*1200*^*00501*000000001*0*P*:";
    let (gs, st) = ("GS*HB*A*B*20261123*1200*1*X*V~", "ST*271*1~");
    let other = isa.replace('*', "|").replace(':', ">/");
    let unpadded = "ISA*00**00**ZZ*A*ZZ*B*260101*1200*^*00501*1*0*P*";
    let refused = |json: &str| {
        let refusal = refusal(json);
        assert!(!refusal.to_string().contains("00501"), "{refusal}");
        (refusal.reason, refusal.position, refusal.segment, refusal.element)
    };
    let of = |segment: &str, position, element| (Reason::ReadAsIsa, position, segment.to_owned(), element);
    // Read without its last terminator it is no ISA, with it it is.
    let cut_short = format!("{gs}{st}EB*1~MSG*A  {unpadded}");
    oracles::round_trip(cut_short.as_bytes());
    assert_eq!(refused(&json_of(cut_short.as_bytes()).unwrap()), of("MSG", 3, 1));
    // Such text with a terminator is the ISA of a file that is read; written by hand it would be, too.
    let by_hand = |segments: &[Value]| json!({ "segments": segments }).to_string();
    let (st, eb) = (json!(["ST", "271", "1"]), json!(["EB", "1"]));
    assert_eq!(refused(&by_hand(&[st.clone(), eb.clone(), json!(["MSG", "1", other])])), of("MSG", 3, 2));
    let binary = json!(["BIN", isa.len().to_string() + "1"]);
    assert_eq!(refused(&by_hand(&[st.clone(), binary])).0, Reason::BinaryLength);
    let binary = json!(["BIN", (isa.len() + 2).to_string(), format!("{isa}~G")]);
    assert_eq!(refused(&by_hand(&[st.clone(), binary])), of("BIN", 2, 2));
    // It may reach over several segments.
    let parts: Vec<&str> = unpadded.split_terminator('*').collect();
    let mut over: Vec<Value> = parts.chunks(2).map(|two| json!(["MSG", two[0], two[1]])).collect();
    over.insert(0, st.clone());
    over.push(json!(["MSG", ":"]));
    assert_eq!(refused(&by_hand(&over)), of("MSG", 2, 1));
    // An interchange that follows is one, as far as the reader searches; an ISA before all that makes it harmless.
    let (first, second) = (by_hand(&[st.clone(), eb.clone()]), json_of(&sample(&Delimiters::default(), 1)).unwrap());
    assert_eq!(refused(&format!("{first}\n{second}")), of("ISA", 0, 0));
    assert!(written(&format!("{second}\n{}", by_hand(&[st.clone(), json!(["MSG", "1", other])]))).is_ok());
    let fill = |bytes: usize| {
        let mut segments = vec![st.clone()];
        // The last MSG begins 100 bytes after this many.
        let whole = bytes - "ST*271*1~".len();
        segments.extend((0..whole / 100).map(|_| json!(["MSG", "x".repeat(95)])));
        segments.push(json!(["MSG", "x".repeat(whole % 100 + 95)]));
        segments.push(json!(["MSG", other]));
        by_hand(&segments)
    };
    let (mut taken, mut left) = (0, 0);
    for bytes in x12::read::MAX_PREAMBLE_BYTES - 120..x12::read::MAX_PREAMBLE_BYTES - 80 {
        match written(&fill(bytes)) {
            Ok(file) => {
                assert_eq!(objects(&json_of(&file).unwrap())[0]["segments"][0][0], "ST");
                left += 1;
            }
            Err(WriteFailure::Refused(refusal)) => {
                assert_eq!(refusal.reason, Reason::ReadAsIsa);
                taken += 1;
            }
            Err(WriteFailure::Io(error)) => panic!("{error}"),
        }
    }
    assert_eq!((taken, left), (16, 24), "it is refused where it begins in the first 64 KiB");
    // What only begins like one is text.
    let card = by_hand(&[st, eb, json!(["MSG", "ISA*card".replace('*', "-"), "ISA|00|"])]);
    let file = written(&card).unwrap();
    assert_eq!(written(&json_of(&file).unwrap()).unwrap(), file);
}

#[test]
fn a_bare_identifier_after_iea_is_refused() {
    let whole = String::from_utf8(sample(&Delimiters::default(), 1)).unwrap();
    // At the end of the file it is a segment, before a terminator it is text.
    let file = format!("{whole}ZZZ");
    oracles::round_trip(file.as_bytes());
    let refusal = refusal(&json_of(file.as_bytes()).unwrap());
    assert_eq!((refusal.reason, &*refusal.segment), (Reason::AfterIea, "ZZZ"));
    let file = format!("{whole}ZZZ*1~ZZZ~");
    assert_eq!(written(&json_of(file.as_bytes()).unwrap()).unwrap(), file.as_bytes());
}

#[test]
fn a_person_may_leave_out_what_can_be_counted() {
    let json = json!({
        "segments": [["ST", "271", "0001"], ["BHT", "0022", "11"]],
        "group": { "functional_id": "HB", "sender": "A", "receiver": "B", "date": "20261123", "time": "1200",
                   "control": "1", "version": "005010X279A1" },
        "interchange": { "sender_qualifier": "ZZ", "sender_id": "A", "receiver_qualifier": "ZZ", "receiver_id": "B",
                         "date": "261123", "time": "1200", "version": "00501", "control": "000000001" },
    });
    let file = String::from_utf8(written(&json.to_string()).unwrap()).unwrap();
    assert!(file.ends_with("BHT*0022*11~SE*3*0001~GE*1*1~IEA*1*000000001~"), "{file}");
    assert_eq!(file.find("GS"), Some(106));
    // One array of objects, and objects over several lines, are taken too.
    assert_eq!(written(&json!([json]).to_string()).unwrap(), file.as_bytes());
    assert_eq!(written(&format!("{json:#}")).unwrap(), file.as_bytes());
}

#[test]
fn refusals_name_line_and_place_and_no_value() {
    let good = json_of(&sample(&Delimiters::default(), 1)).unwrap();
    let cases = [
        ("\"0022\"", "\"ZAN*ZIBAR\"", Reason::HoldsSeparator, 2, "BHT", 1),
        ("\"0022\"", "\"ZAN~ZIBAR\"", Reason::HoldsSeparator, 2, "BHT", 1),
        ("\"0022\"", "\"ZAN\\nZIBAR\"", Reason::HoldsControl, 2, "BHT", 1),
        ("\"BHT\"", "\"ZANZIBAR\"", Reason::SegmentId, 2, "?", 0),
        ("\"BHT\"", "\"GE\"", Reason::Envelope, 2, "GE", 0),
        ("\"ST\"", "\"BHT\"", Reason::Envelope, 1, "BHT", 0),
        ("[\"BHT\",\"0022\"", "[\"BIN\",\"4\"", Reason::BinaryLength, 2, "BIN", 0),
        ("\"0022\"", "22", Reason::Shape, 2, "", 0),
        ("\"0022\"", "{\"latin1\":\"\u{2014}\"}", Reason::Shape, 2, "", 0),
        ("\"sender_id\":\"SENDER\"", "\"sender_id\":\"ZANZIBAR ZANZIBAR\"", Reason::Length, 0, "", 0),
        ("\"sender_id\":\"SENDER\",", "", Reason::Missing, 0, "", 0),
        ("\"element\":\"*\"", "\"element\":\":\"", Reason::Separators, 0, "ISA", 0),
        ("\"element\":\"*\"", "\"element\":\"ZANZIBAR\"", Reason::Separators, 0, "", 0),
        ("\"line_break\":\"\"", "\"line_break\":\"ZANZIBAR\"", Reason::LineBreak, 0, "", 0),
        ("\"segments\":", "\"answers\":", Reason::Model, 0, "", 0),
        ("\"findings\"", "findings", Reason::Json, 0, "", 0),
    ];
    for (from, to, reason, position, segment, element) in cases {
        let bad = good.replace(from, to);
        assert_ne!(bad, good, "{from}");
        let refusal = refusal(&format!("{good}\n\n{bad}"));
        assert_eq!((refusal.reason, refusal.line), (reason, 4), "{to}: {refusal}");
        assert_eq!((refusal.position, &*refusal.segment, refusal.element), (position, segment, element), "{to}");
        assert!(
            refusal.to_string().starts_with("line 4, column ") && !refusal.to_string().contains("ZAN"),
            "{refusal}"
        );
    }
    assert_eq!(refusal("").reason, Reason::Empty);
    assert_eq!(refusal("  \n ").reason, Reason::Empty);
    assert_eq!(refusal("[1]").reason, Reason::Shape);
    assert_eq!(refusal("%PDF-1.7").reason, Reason::Json);
    assert_eq!(refusal(good.trim_end().trim_end_matches('}')).reason, Reason::Json);
}

/// How the files of the corpus come back: `(same bytes, same objects, refused)`, by the name of the file.
#[test]
fn real_files_come_back() {
    let Some(folder) = shared() else {
        println!("skipped: ../shared/data/x12 is not there");
        return;
    };
    let (mut same, mut equal, mut refused, mut clean, mut unread) = (0, 0, Vec::new(), 0, 0);
    let mut files = Vec::new();
    crate::read_and_write::files(&folder, &mut files);
    for path in files {
        let name = path.strip_prefix(&folder).unwrap().display().to_string();
        let file = std::fs::read(&path).unwrap();
        let Ok(json) = json_of(&file) else {
            unread += 1;
            continue;
        };
        let told = |word: &str| json.contains(&format!("\"{word}\""));
        let odd = ["warning", "error", "mixed_line_breaks", "newline_terminator"];
        let plain = !odd.into_iter().any(told);
        clean += usize::from(plain);
        match written(&json) {
            Ok(back) if back == file => same += 1,
            Ok(back) => {
                let again = json_of(&back).unwrap();
                assert_eq!(objects(&again), objects(&json), "{name}");
                assert_eq!(written(&again).unwrap(), back, "{name}");
                equal += 1;
                assert!(!plain, "{name}: nothing is odd about it, and it did not come back byte for byte");
            }
            Err(error) => refused.push(format!("{name}: {error:?}")),
        }
    }
    println!(
        "{same} files came back byte for byte ({clean} of all are without warning and with one kind of line breaks), {equal} with the same objects, {} were \
         refused, {unread} cannot be read; refused: {refused:#?}",
        refused.len()
    );
    assert_eq!((same, equal, refused.len(), unread), (337, 75, 11, 0), "files and the counts of them belong together");
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
    fn what_was_written_is_read_as_the_same_json(
        delimiters in delimiters(),
        body in prop::collection::vec(("[A-Z][A-Z0-9]{1,2}", prop::collection::vec("[ -~]{0,9}|[ -~é€]{1,3}", 0..6)), 0..9),
        tail in "[\n\r ]{0,3}",
    ) {
        let mut file = sample(&delimiters, 2);
        file.extend_from_slice(tail.as_bytes());
        let mut lines: Vec<Value> = json_of(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let bare = ["ISA", "GS", "ST", "SE", "GE", "IEA", "BIN", "BDS"];
        let stand = |value: &String| !value.bytes().any(|byte| byte == delimiters.element || byte == delimiters.segment);
        let segments = lines[0]["segments"].as_array_mut().unwrap();
        for (id, values) in body.iter().filter(|(id, values)| !bare.contains(&id.as_str()) && values.iter().all(stand)) {
            let segment: Vec<&str> = std::iter::once(id).chain(values).map(String::as_str).collect();
            let at = segments.len() - 1;
            segments.insert(at, json!(segment));
        }
        let last = segments.len() - 1;
        segments[last] = json!(["SE", segments.len().to_string(), "0001"]);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let file = written(&text).unwrap();
        let again = json_of(&file).unwrap();
        prop_assert_eq!(objects(&again), objects(&text));
        prop_assert_eq!(written(&again).unwrap(), file);
    }

    #[test]
    fn no_json_panics(text in "[\\[\\]{}\",:a-zST0-9\\\\ ]{0,200}") {
        let _ = written(&text);
    }

    #[test]
    fn no_damaged_json_panics(cut in 0usize..900, places in prop::collection::vec((0usize..900, any::<u8>()), 1..4)) {
        let mut json = json_of(&sample(&Delimiters::default(), 1)).unwrap().into_bytes();
        json.truncate(json.len().saturating_sub(cut % 50));
        for (at, byte) in places {
            if let Some(slot) = json.get_mut(at) {
                *slot = byte;
            }
        }
        let mut file = Vec::new();
        if write_json(json.as_slice(), &mut file).is_ok() && !file.is_empty() {
            prop_assert!(json_of(&file).is_ok());
        }
    }
}
