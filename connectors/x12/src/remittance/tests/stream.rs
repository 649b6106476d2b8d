//! Part by part is the same as whole.

use super::*;
use crate::model::{At, Node};

/// The parts put together again.
fn together(text: &str) -> Vec<Remittance<'static>> {
    let mut stream = Stream::new(text.as_bytes());
    let mut all: Vec<Remittance<'static>> = Vec::new();
    while let Some(part) = stream.next_part().unwrap() {
        if let Part::Begin(begin) = part {
            all.push(begin.into_static());
            continue;
        }
        let advice = all.last_mut().unwrap();
        match part {
            Part::Begin(_) => {}
            Part::Group(group) => advice.groups.push(Node::into_static(*group)),
            Part::Claim(claim) => match advice.groups.last_mut() {
                Some(group) => group.claims.push(Node::into_static(claim.read())),
                None => advice.claims.push(Node::into_static(claim.read())),
            },
            Part::Provider(plbs, extra) => {
                advice.provider_adjustments.extend(plbs.into_iter().map(Node::into_static));
                assert!(extra.is_empty());
            }
            Part::End(end) => assert_eq!(end.claims, advice.all_claims().count() as u64),
        }
    }
    all
}

#[test]
fn part_by_part_is_the_same_as_whole() {
    let other = "ST*271*2~EB*1~SE*3*2~";
    let second = "ST*835*3~BPR*H*0*C*NON~PLB*1*20261231*L6*0~SE*4*3~ST*835*4~SE*2*4~";
    let file = format!("{ISA}GS*HP*A*B*20260101*1200*1*X*V~{ADVICE}{other}{second}GE*4*1~IEA*1*000000001~");
    let whole: Vec<_> = Document::read(file.as_bytes())
        .unwrap()
        .transactions()
        .filter(|transaction| transaction.id == "835")
        .map(|transaction| Remittance::read(&transaction.segments).into_static())
        .collect();
    assert_eq!(whole.len(), 3);
    let parts = together(&file);
    assert_eq!(parts, whole);
    assert_eq!(parts[0].groups[0].claims[0].lines[0].service.at, At(25));
}

#[test]
fn findings_and_headers_are_the_files() {
    let text = "ST*835*1~BPR*I*1*C*CHK~CLP*A*1*1*1~SE*9*1~";
    let mut stream = Stream::new(text.as_bytes());
    let mut parts = 0;
    while stream.next_part().unwrap().is_some() {
        parts += 1;
    }
    assert_eq!((parts, stream.header().unwrap().control.as_str()), (3, "1"));
    let codes: Vec<_> = stream.take_findings().iter().map(|finding| finding.code).collect();
    assert_eq!(codes, ["no_isa", "no_gs", "se_count"]);
    assert!(matches!(Stream::new(&b"%PDF"[..]).next_part(), Err(crate::ReadError::NotX12)));
}
