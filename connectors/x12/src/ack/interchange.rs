//! The word on a whole interchange: TA1.

use crate::delimiters::Delimiters;
use crate::envelope::{Interchange, InterchangeAck};
use crate::model::{SegmentModel, Text, segments};
use crate::write::{Envelope, WriteError};

segments! {
    /// TA1: whether an interchange was accepted, and why not.
    pub struct Ta1<'a> = "TA1" {
        /// TA101: its ISA13.
        control: Text<'a> = 1,
        /// TA102: its ISA09, `YYMMDD`.
        date: Text<'a> = 2,
        /// TA103: its ISA10, `HHMM`.
        time: Text<'a> = 3,
        /// TA104: `A` accepted, `E` accepted with errors, `R` rejected.
        verdict: Text<'a> = 4,
        /// TA105: why; `000` no error.
        code: Text<'a> = 5,
    }
}

impl<'a> Ta1<'a> {
    /// Reads what a walk found; empty where nothing stands there.
    pub fn of(found: &'a InterchangeAck) -> Self {
        found.block.first().map_or_else(Self::default, |segment| SegmentModel::read(&segment))
    }

    /// The word on an interchange: TA104 and TA105.
    pub fn on(interchange: &'a Interchange, verdict: &'a str, code: &'a str) -> Self {
        Self {
            control: interchange.control.as_str().into(),
            date: interchange.date.as_str().into(),
            time: interchange.time.as_str().into(),
            verdict: verdict.into(),
            code: code.into(),
            ..Self::default()
        }
    }

    /// Writes an interchange that holds nothing but this.
    ///
    /// # Errors
    /// A value that X12 cannot carry.
    pub fn write_alone(&self, envelope: &Envelope, delimiters: &Delimiters) -> Result<Vec<u8>, WriteError> {
        envelope.interchange_ack(delimiters, (&self.control, &self.date, &self.time), &self.verdict, &self.code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Document, Item};

    #[test]
    fn it_answers_an_interchange_and_is_read_back() {
        let interchange = Interchange {
            control: "000000007".into(),
            date: "261123".into(),
            time: "1200".into(),
            ..Interchange::default()
        };
        let ack = Ta1::on(&interchange, "R", "009");
        let bytes = ack.write_alone(&Envelope::new("FA", ""), &Delimiters::default()).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("~TA1*000000007*261123*1200*R*009~IEA*0*"));
        let document = Document::read(&bytes).unwrap();
        let [Item::InterchangeAck(found)] = &document.items[..] else { panic!("not one TA1 alone") };
        assert_eq!(Ta1::of(found), ack);
    }
}
