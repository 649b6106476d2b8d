//! An 837 as its typed model, written level by level and claim by claim.

use crate::claim::{Billing, Part, Parts, Subscriber};
use crate::json::telling::Writes;
use crate::json::text;
use crate::model::Extra;

/// Segments that have no place in the transaction set are held up to its end: so much of their JSON, bytes.
const MAX_EXTRA_BYTES: usize = 1 << 20;

/// The depth of a level in the JSON: how many objects are open in it.
const SET: usize = 1;
const BILLING: usize = 2;
const SUBSCRIBER: usize = 3;
const PATIENT: usize = 4;

/// Writes an 837. What comes out together is what the whole model would be. A level that was not sent, but is needed
/// for what stands in it, is put in with nothing in it: a claim without a subscriber, a patient without one.
#[derive(Default)]
pub(in crate::json) struct Pieces {
    /// Of each object that is open, the outermost first: the list in it that is being written.
    open: Vec<Option<&'static str>>,
    /// Segments without a place in the transaction set, as JSON.
    extra: Vec<u8>,
    left_out: u64,
}

impl Writes<Parts> for Pieces {
    fn part(&mut self, part: Part<'_>, _: u64, into: &mut Vec<u8>) {
        match part {
            Part::Begin(mut begin) => {
                std::mem::take(&mut begin.extra).iter().for_each(|segment| self.hold(segment));
                self.object(&*begin, into);
            }
            Part::Billing(level) => {
                self.close(SET, into);
                self.child("billing", &*level, into);
            }
            Part::Subscriber(level) => {
                self.reach(BILLING, into);
                self.child("subscribers", &*level, into);
            }
            Part::Patient(level) => {
                self.reach(SUBSCRIBER, into);
                self.child("patients", &*level, into);
            }
            Part::Claim(found) => {
                if self.open.len() < PATIENT {
                    self.reach(SUBSCRIBER, into);
                }
                self.next_of("claims", into);
                text(&found.claim(), into);
            }
            Part::Unknown(segments) => {
                self.close(SET, into);
                segments.iter().for_each(|segment| self.hold(&Extra::read(&segment)));
            }
            Part::End(end) => {
                self.close(SET, into);
                self.left_out = self.left_out.saturating_add(end.left_out);
                if self.open.pop().flatten().is_some() {
                    into.push(b']');
                }
                if !self.extra.is_empty() {
                    into.extend_from_slice(b",\"extra\":[");
                    into.append(&mut self.extra);
                    into.push(b']');
                }
                into.push(b'}');
            }
        }
    }

    fn left_out(&self) -> bool {
        self.left_out > 0
    }
}

impl Pieces {
    /// Begins an object, and leaves it open.
    fn object(&mut self, value: &impl serde::Serialize, into: &mut Vec<u8>) {
        text(value, into);
        into.pop();
        self.open.push(None);
    }

    /// Begins an object in a list of the innermost one.
    fn child(&mut self, list: &'static str, value: &impl serde::Serialize, into: &mut Vec<u8>) {
        self.next_of(list, into);
        self.object(value, into);
    }

    /// Makes room for the next one in a list of the innermost object. None of them is empty: a comma comes first.
    fn next_of(&mut self, list: &'static str, into: &mut Vec<u8>) {
        into.extend_from_slice(match self.open.last() {
            Some(Some(open)) if *open == list => b",",
            Some(Some(_)) => b"],",
            _ => b",",
        });
        if let Some(open) = self.open.last_mut().filter(|open| **open != Some(list)) {
            *open = Some(list);
            text(&list, into);
            into.extend_from_slice(b":[");
        }
    }

    /// Ends what is open deeper than this.
    fn close(&mut self, depth: usize, into: &mut Vec<u8>) {
        while self.open.len() > depth {
            let list = self.open.pop().flatten();
            into.extend_from_slice(if list.is_some() { b"]}" } else { b"}" });
        }
    }

    /// Goes to a level: ends those below it, and puts in what is missing above it.
    fn reach(&mut self, depth: usize, into: &mut Vec<u8>) {
        self.close(depth, into);
        if self.open.len() < BILLING {
            self.child("billing", &Billing::default(), into);
        }
        if self.open.len() < depth {
            self.child("subscribers", &Subscriber::default(), into);
        }
    }

    fn hold(&mut self, segment: &Extra<'_>) {
        if self.extra.len() > MAX_EXTRA_BYTES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        if !self.extra.is_empty() {
            self.extra.push(b',');
        }
        text(segment, &mut self.extra);
    }
}
