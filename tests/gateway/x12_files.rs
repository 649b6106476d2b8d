//! `portico x12` on files of every kind, good and bad, through the real program.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::process::{Ended, run};

const ISA: &str =
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *261123*1200*^*00501*000000001*0*P*:~";
const GS: &str = "GS*HP*SENDER*RECEIVER*20261123*1200*1*X*005010X221A1~";
const END: &str = "GE*1*1~IEA*1*000000001~";
const CLAIM: &str = "CLP*ZANZIBAR1*1*100*80*20*12*P1*11*1~NM1*QC*1*ZANZIBAR*PAT****MI*W1~\
    SVC*HC:99213*100*80**1~DTM*472*20261101~CAS*PR*2*20~";

/// A remittance of so many claims in one transaction set.
fn remittance(claims: usize) -> String {
    let paid = 80 * claims;
    let head = format!(
        "{ISA}{GS}ST*835*0001~BPR*I*{paid}*C*CHK************20261123~TRN*1*1*1999999999~DTM*405*20261123~\
         N1*PR*PAYER~N3*1 ROAD~N4*TOWN*NY*10001~PER*BL*HELP*TE*5555550100~N1*PE*CLINIC*XX*1234567893~LX*1~"
    );
    let segments = 11 + 5 * claims;
    format!("{head}{}SE*{segments}*0001~{END}", CLAIM.repeat(claims))
}

#[cfg(target_os = "linux")]
const SENT_CLAIM: &str = "CLM*ZANZIBAR1*150***11:B:1*Y*A*Y*Y~HI*ABK:S060X0A~LX*1~SV1*HC:99213:25*100*UN*1***1~\
    DTP*472*D8*20261101~LX*2~SV1*HC:J1100*50*UN*2***1~DTP*472*D8*20261101~";

/// An 837 of so many claims of one subscriber.
#[cfg(target_os = "linux")]
fn claims(count: usize) -> String {
    let head = format!(
        "{ISA}GS*HC*SENDER*RECEIVER*20261123*1200*1*X*005010X222A1~ST*837*0001*005010X222A1~\
         BHT*0019*00*B1*20261123*1200*CH~NM1*41*2*CLINIC*****46*S1~PER*IC*PAT*TE*5550100~NM1*40*2*PAYER*****46*1~\
         HL*1**20*1~NM1*85*2*CLINIC*****XX*1234567893~HL*2*1*22*0~SBR*P*18*******CI~\
         NM1*IL*1*ZANZIBAR*PAT****MI*W1~NM1*PR*2*PAYER*****PI*1~"
    );
    let segments = 12 + 8 * count;
    format!("{head}{}SE*{segments}*0001~{END}", SENT_CLAIM.repeat(count))
}

fn portico(arguments: &[&str], input: &[u8]) -> Ended {
    run(&[&["x12"], arguments].concat(), input, &[])
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"))).collect()
}

#[test]
fn check_tells_what_is_wrong_where_and_ends_with_0_1_or_2() {
    let good = remittance(2);
    let fine = portico(&["check", "-"], good.as_bytes());
    assert_eq!(fine.code, 0, "{fine:?}");
    assert!(fine.out.contains("835 0001") && fine.out.contains("accepted"), "{fine:?}");
    assert!(fine.out.ends_with("valid: 1 transaction sets, 1 interchanges, 25 segments\n"), "{fine:?}");

    let bad = good.replace("BPR*I*160", "BPR*I*170").replace("SE*21", "SE*22");
    let ended = portico(&["check", "-"], bad.as_bytes());
    assert_eq!(ended.code, 1, "{ended:?}");
    for words in ["rejected", "SE01 does not give the number of segments.", "Expected 22, found 21", "invalid: "] {
        assert!(ended.out.contains(words), "{words}: {ended:?}");
    }
    assert!(!ended.out.contains("ZANZIBAR"), "no value is told: {ended:?}");
    let reports = lines(&portico(&["check", "--json", "-"], bad.as_bytes()).out);
    assert_eq!(reports[0]["set"]["verdict"], "rejected");
    assert_eq!(reports.last().unwrap()["file"]["valid"], false);

    for (input, words) in [(&b""[..], "the input is empty"), (b"%PDF-1.7", "not X12")] {
        let ended = portico(&["check", "-"], input);
        assert!(ended.code == 2 && ended.out.is_empty() && ended.err.contains(words), "{ended:?}");
    }
    let help = portico(&["check", "--help"], b"").fine();
    assert!(help.contains("0 valid, 1 something is rejected, 2 the file cannot be read"), "{help}");
}

#[test]
fn acknowledgments_go_to_standard_output_and_can_be_read() {
    for (file, code, verdict) in
        [(remittance(1), 0, "accepted"), (remittance(1).replace("BPR*I*80*C", "BPR*I**C"), 1, "rejected")]
    {
        let ended = portico(&["check", "--ack", "-"], file.as_bytes());
        assert_eq!(ended.code, code, "{ended:?}");
        assert!(ended.out.starts_with("ISA*") && ended.err.contains("835 0001"), "{ended:?}");
        let read = lines(&portico(&["read", "--model", "-"], ended.out.as_bytes()).fine());
        let kinds: Vec<&Value> = read.iter().map(|object| &object["acknowledgment"]["kind"]).collect();
        assert_eq!(kinds, ["TA1", "999"], "{read:?}");
        assert_eq!(read[1]["acknowledgment"]["verdict"], verdict, "{read:?}");
        assert_eq!(portico(&["check", "-"], ended.out.as_bytes()).code, 0, "our own answer is valid");
    }
}

/// What nobody should send, and somebody does.
fn bad_files() -> Vec<(&'static str, Vec<u8>)> {
    let eligibility = |body: &str| {
        format!(
            "{ISA}GS*HB*A*B*20261123*1200*1*X*005010X279A1~ST*271*0001*005010X279A1~BHT*0022*11*R*20261123*1200~{body}"
        )
    };
    let deep: String = (1..2_000).map(|hl| format!("HL*{hl}*{}*22*1~", hl - 1)).collect();
    let mut random = vec![0u8; 100_000];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for byte in &mut random {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = (state >> 32) as u8;
    }
    let after_isa = [ISA.as_bytes(), &random].concat();
    vec![
        ("nothing", Vec::new()),
        ("a PDF", [&b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"[..], &random].concat()),
        ("a page", b"<!DOCTYPE html><html><body>Please sign in, ISA member</body></html>".to_vec()),
        ("random bytes", random),
        ("random bytes after ISA", after_isa),
        ("ten thousand elements", eligibility(&format!("EB{}~SE*4*0001~{END}", "*1".repeat(10_000))).into_bytes()),
        (
            "a binary length of 2 GB",
            format!(
                "{ISA}GS*PI*A*B*20261123*1200*1*X*005010X210~ST*275*0001*005010X210~BIN*2147483648*abc~SE*3*0001~{END}"
            )
            .into_bytes(),
        ),
        ("deep levels", eligibility(&format!("{deep}SE*2001*0001~{END}")).into_bytes()),
        ("a level above itself", eligibility(&format!("HL*1*1*20*1~NM1*PR*2*P~SE*5*0001~{END}")).into_bytes()),
        ("levels in a ring", eligibility(&format!("HL*1*3*20*1~HL*2*1*21*1~HL*3*2*22*0~SE*6*0001~{END}")).into_bytes()),
        ("nothing but ISA", ISA.as_bytes().to_vec()),
        ("one endless segment", [ISA.as_bytes(), &b"X".repeat(3 << 20)].concat()),
    ]
}

#[test]
fn bad_files_end_with_findings_or_2_and_what_could_be_read_is_given() {
    for command in
        [&["read", "-"][..], &["read", "--model", "-"], &["check", "-"], &["check", "--ack", "-"], &["explain", "-"]]
    {
        for (what, file) in bad_files() {
            let ended = portico(command, &file);
            assert!(matches!(ended.code, 0..=2), "{command:?} {what}: {ended:?}");
            assert!(!ended.err.contains("panicked"), "{command:?} {what}: {ended:?}");
            assert!(!ended.out.is_empty() || !ended.err.is_empty(), "{command:?} {what} says nothing");
            let readable = file.starts_with(ISA.as_bytes());
            assert!(readable || ended.code == 2, "{command:?} {what}: {ended:?}");
            if readable && command[0] == "check" {
                assert_eq!(ended.code, 1, "{what} is not valid: {ended:?}");
            }
            if command[0] == "read" {
                lines(&ended.out);
            }
        }
    }
    let whole = remittance(1);
    for cut in (0..whole.len()).step_by(97) {
        let ended = portico(&["read", "-"], &whole.as_bytes()[..cut]);
        let read = lines(&ended.out);
        let known = whole[..cut].matches('~').count() > 3 && cut > ISA.len() + GS.len() + 14;
        assert!(matches!(ended.code, 0 | 2) && (!known || read[0]["segments"].is_array()), "cut at {cut}: {ended:?}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.x12");
    let one = remittance(40).replace(ISA, "").replace("IEA*1*000000001~", "");
    std::fs::write(&file, format!("{ISA}{}IEA*300*000000001~", one.repeat(300))).unwrap();
    for command in ["read", "explain", "check"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portico"))
            .args(["x12", command])
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(child.wait().unwrap().success() && said.is_empty() && !first.is_empty(), "{command}: {said}");
    }
}

/// One transaction set of 30 MB (of 6 MB where a model is made, which takes ten times that if it is whole): what has
/// been read is printed long before the end, and memory does not grow with it.
#[cfg(target_os = "linux")]
#[test]
fn one_giant_transaction_set_takes_no_more_memory_than_a_small_one() {
    let (remittance, claims) = (remittance(1_000), claims(1_000));
    for (command, small, claim, megabytes) in [
        (&["read"][..], &remittance, CLAIM, 30),
        (&["check"], &remittance, CLAIM, 30),
        (&["read", "--model"], &remittance, CLAIM, 6),
        (&["read", "--model"], &claims, SENT_CLAIM, 6),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portico"))
            .arg("x12")
            .args(command)
            .arg("-")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let drain = std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()).unwrap());
        let mut input = child.stdin.take().unwrap();
        let (head, _) = small.split_once("SE*").unwrap();
        input.write_all(head.as_bytes()).unwrap();
        let piece = claim.repeat(1_000);
        let mut written = head.len();
        while written < megabytes << 20 {
            input.write_all(piece.as_bytes()).unwrap();
            written += piece.len();
        }
        // All but what the pipe and the buffers hold has been read by now.
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        drop(input);
        child.wait().unwrap();
        let printed = drain.join().unwrap();
        println!("x12 {command:?}: {written} bytes in one transaction set, {printed} bytes printed, peak {peak} kB");
        assert!(peak < 48 << 10, "{command:?}: a peak of {peak} kB");
        assert!(command[0] != "read" || printed > written as u64, "{command:?}: {printed} bytes");
    }
}
