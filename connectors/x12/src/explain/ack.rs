//! TA1, 999 and 997 in plain words: what was accepted, what was not, and which segment and element is to blame.

use std::fmt::Write;

use crate::ack::{
    Acknowledgment, Ak1, Ak9, Ctx, ElementError, FunctionalAcknowledgment, Ik5, ImplementationAcknowledgment, Note,
    SegmentError, SetAcknowledgment, Ta1, Verdict,
};
use crate::codes;
use crate::envelope::{InterchangeAck, Transaction};

/// Segments in error that are told of one transaction set; the rest is counted.
const MAX_TOLD: usize = 100;

/// Tells a TA1.
pub(super) fn interchange(text: &mut String, found: &InterchangeAck) {
    let (ta1, view) = (Ta1::of(found), Acknowledgment::from_ta1(found));
    let verdict = words(view.verdict);
    let _ = writeln!(text, "Acknowledgment (TA1): the interchange with control number {} was {verdict}.", ta1.control);
    if !ta1.date.is_empty() {
        let _ = writeln!(text, "  It was dated {} {}.", ta1.date, ta1.time);
    }
    for note in &view.notes {
        let _ = writeln!(text, "  - {}", reason(note.element, &note.code));
    }
    if view.verdict.rejects() {
        let _ =
            writeln!(text, "  To do: nothing of it was read; mend the envelope and send the whole interchange again.");
    }
}

/// Tells a 999 or 997; `false`, and nothing told, where it is something else.
pub(super) fn tell(text: &mut String, transaction: &Transaction) -> bool {
    match transaction.id.as_str() {
        ImplementationAcknowledgment::ID => {
            let ack = ImplementationAcknowledgment::read(&transaction.segments);
            group(text, "999", ack.group.as_ref(), &ack.sets, ack.verdict.as_ref());
        }
        FunctionalAcknowledgment::ID => {
            let ack = FunctionalAcknowledgment::read(&transaction.segments);
            group(text, "997", ack.group.as_ref(), &ack.sets, ack.verdict.as_ref());
        }
        _ => return false,
    }
    true
}

fn group(
    text: &mut String,
    kind: &str,
    about: Option<&Ak1<'_>>,
    sets: &[SetAcknowledgment<'_>],
    verdict: Option<&Ak9<'_>>,
) {
    let control = about.map_or("", |group| &group.control);
    let word = words(verdict.map_or(Verdict::Unknown, Ak9::word));
    let _ = writeln!(text, "Acknowledgment ({kind}): the group with control number {control} was {word}.");
    let counts = verdict.and_then(|ak9| Some((ak9.accepted.get()?, ak9.received.get()?)));
    if let Some((accepted, received)) = counts {
        let _ = writeln!(text, "  {accepted} of {received} transaction sets were accepted.");
    }
    for set in sets {
        transaction_set(text, set);
    }
    for code in verdict.iter().flat_map(|ak9| ak9.codes()) {
        let _ = writeln!(text, "  - {}", reason("AK9-5", code));
    }
    let rejected: Vec<&str> = sets
        .iter()
        .filter(|set| set.verdict.as_ref().is_some_and(|ik5| ik5.word().rejects()))
        .map(|set| &*set.set.control)
        .collect();
    if verdict.is_some_and(|ak9| ak9.word() == Verdict::Rejected) {
        let _ = writeln!(text, "  To do: nothing of the group went further; mend it and send it again.");
    } else if !rejected.is_empty() {
        let _ = writeln!(text, "  To do: mend these and send only them again: {}.", rejected.join(", "));
    }
}

fn transaction_set(text: &mut String, about: &SetAcknowledgment<'_>) {
    let word = about.verdict.as_ref().map_or("left without a verdict".to_owned(), |ik5| words(ik5.word()));
    let _ = writeln!(text, "  Transaction set {} ({}): {word}.", about.set.control, about.set.id);
    for error in about.segments.iter().take(MAX_TOLD) {
        segment(text, error);
    }
    if about.segments.len() > MAX_TOLD {
        let _ = writeln!(text, "    - and {} more segments", about.segments.len() - MAX_TOLD);
    }
    for code in about.verdict.iter().flat_map(Ik5::codes) {
        let _ = writeln!(text, "    - {}", reason("IK5-2", code));
    }
}

fn segment(text: &mut String, error: &SegmentError<'_>) {
    let about = &error.segment;
    let mut place = about.id.to_string();
    if let Some(name) = codes::segment_name(&about.id) {
        let _ = write!(place, " ({name})");
    }
    if let Some(position) = about.position.get() {
        let _ = write!(place, " at place {position}");
    }
    if !about.loop_id.is_empty() {
        let _ = write!(place, " in loop {}", about.loop_id);
    }
    let why = if about.code.is_empty() { String::new() } else { format!(": {}", reason("IK3-4", &about.code)) };
    let _ = writeln!(text, "    - Segment {place}{why}");
    contexts(text, &error.contexts);
    for each in &error.elements {
        element(text, &about.id, each);
    }
}

fn element(text: &mut String, segment: &str, error: &ElementError<'_>) {
    let about = &error.element;
    let mut place = match about.place.element.get() {
        Some(number) => format!("{segment}{number:02}"),
        None => format!("{segment} as a whole"),
    };
    if let Some(component) = about.place.component.get() {
        let _ = write!(place, "-{component}");
    }
    if let Some(repeat) = about.place.repeat.get() {
        let _ = write!(place, ", repeat {repeat}");
    }
    let held = if about.value.is_empty() { String::new() } else { format!("; it held \"{}\"", about.value) };
    let _ = writeln!(text, "      Element {place}: {}{held}", reason("IK4-3", &about.code));
    contexts(text, &error.contexts);
}

fn contexts(text: &mut String, contexts: &[Ctx<'_>]) {
    for ctx in contexts {
        for context in ctx.contexts.iter().filter(|context| !context.value.is_empty()) {
            let _ = writeln!(text, "      It stands in: {} {}", context.name, context.value);
        }
        if ctx.segment.is_empty() {
            continue;
        }
        let at = ctx.position.get().map(|position| format!(" at place {position}")).unwrap_or_default();
        let element = ctx.element.element.get().map(|number| format!(", element {number}")).unwrap_or_default();
        let _ = writeln!(text, "      The rule comes from: segment {}{at}{element}", ctx.segment);
    }
}

fn words(verdict: Verdict) -> String {
    verdict.word().replace('_', " ")
}

fn reason(element: &'static str, code: &str) -> String {
    let note = Note::new(element, code);
    format!("{element} {code}: {}", note.meaning.unwrap_or("a code nobody here knows"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn told(set: &str) -> String {
        let document = Document::read(set.as_bytes()).unwrap();
        let mut text = String::new();
        assert!(tell(&mut text, document.transactions().next().unwrap()));
        text
    }

    #[test]
    fn which_element_was_refused_and_why() {
        let text = told(
            "ST*999*0001*005010X231A1~AK1*HC*17*005010X222A1~AK2*837*0002*005010X222A1~IK3*CLM*22*2300*8~\
             CTX*CLM01:ACCT7~IK4*5:3*1325*7*Q~IK5*R*5~AK2*837*0003~IK3*REF*57*2300*I6~\
             CTX*SITUATIONAL TRIGGER*CLM*43~IK5*R*I5~AK2*837*0004~IK5*A~AK9*P*3*3*1~SE*14*0001~",
        );
        for words in [
            "Acknowledgment (999): the group with control number 17 was partly accepted.\n  1 of 3 transaction sets",
            "  Transaction set 0002 (837): rejected.\n",
            "    - Segment CLM (Claim) at place 22 in loop 2300: IK3-4 8: Segment has data element errors\n",
            "      It stands in: CLM01 ACCT7\n",
            "      Element CLM05-3: IK4-3 7: Code value not valid; it held \"Q\"\n",
            "      The rule comes from: segment CLM at place 43\n",
            "  Transaction set 0004 (837): accepted.\n",
            "  To do: mend these and send only them again: 0002, 0003.\n",
        ] {
            assert!(text.contains(words), "{words}\n--\n{text}");
        }
    }

    #[test]
    fn a_997_is_told_alike() {
        let text = told("ST*997*0001~AK1*HC*17~AK2*837*0021~AK3*NM1*8**8~AK4*8*66*7*MI~AK5*R*5~AK9*R*1*1*0~SE*8*0001~");
        assert!(text.contains("Element NM108: IK4-3 7: Code value not valid; it held \"MI\""), "{text}");
        assert!(text.contains("To do: nothing of the group went further"), "{text}");
    }
}
