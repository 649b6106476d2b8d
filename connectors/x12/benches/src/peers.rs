//! The other programs, each doing what it is made for.

use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// x12-stream-parser: every element of every segment. Returns their bytes in all.
pub fn stream_parser(bytes: &[u8]) -> usize {
    let delimiters = x12_stream_parser::Delimiters::new(b'~', b'*', b':');
    let parser = x12_stream_parser::Parser::new(bytes, delimiters);
    parser.flatten().map(|segment| segment.elements().map(|element| black_box(element).len()).sum::<usize>()).sum()
}

/// x12-stream-parser: segments only, elements not told apart.
pub fn stream_parser_segments(bytes: &[u8]) -> usize {
    let delimiters = x12_stream_parser::Delimiters::new(b'~', b'*', b':');
    x12_stream_parser::Parser::new(bytes, delimiters).flatten().map(|segment| black_box(segment.id()).len()).sum()
}

/// edi: the envelope tree with counts checked. Balances nothing.
pub fn edi(text: &str) -> usize {
    edi::parse(text).map_or(0, |document| black_box(document).interchanges.len())
}

/// x12-types: the typed 835. Balances nothing.
#[cfg(feature = "x12-types")]
pub fn types_835(text: &str) -> usize {
    use x12_types::util::Parser;
    use x12_types::v005010::{_835, Transmission};
    Transmission::<_835>::parse(text).map_or(0, |(_, document)| black_box(document).functional_group.len())
}

/// pyx12's x12valid on a file, start-up left out by the caller: wall time, which for it is CPU time.
/// `program` is the path of `x12valid`.
pub fn pyx12(program: &str, bytes: &[u8]) -> Option<Duration> {
    let path = std::env::temp_dir().join(format!("x12-benches-{}.edi", std::process::id()));
    std::fs::File::create(&path).and_then(|mut file| file.write_all(bytes)).ok()?;
    let started = Instant::now();
    let said = Command::new(program).arg("-q").arg(&path).stdin(Stdio::null()).output();
    let took = started.elapsed();
    let _ = std::fs::remove_file(&path);
    // Its exit code is 1 for a good file, too.
    let good = |out: &[u8]| String::from_utf8_lossy(out).trim_end().ends_with(": OK");
    said.ok().filter(|said| good(&said.stdout) || good(&said.stderr)).map(|_| took)
}
