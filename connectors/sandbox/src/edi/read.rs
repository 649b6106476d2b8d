//! Reading a 270 question.

use jiff::civil::Date;

use crate::search::{Patient, Query, date, iso};

/// Most segments of a real-time question that are looked at.
const SEGMENTS_MAX: usize = 2_000;

/// What a carrier needs of a 270.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inquiry {
    pub(crate) isa_sender: (String, String),
    pub(crate) isa_receiver: (String, String),
    pub(crate) isa_control: String,
    pub(crate) isa_date: String,
    pub(crate) isa_time: String,
    pub(crate) gs_sender: String,
    pub(crate) gs_receiver: String,
    pub(crate) gs_control: String,
    pub(crate) st_control: String,
    pub(crate) version: String,
    pub(crate) bht_reference: String,
    pub(crate) provider: Vec<String>,
    /// TRN02 and TRN03 of the patient's loop.
    pub(crate) traces: Vec<(String, String)>,
    pub(crate) query: Query,
}

/// Which loop the segments belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Source,
    Receiver,
    Subscriber,
    Dependent,
}

impl Inquiry {
    /// Reads an interchange with one 270 in it. `None` where it is not one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(['\u{feff}', ' ', '\r', '\n']);
        let head = text.as_bytes().get(..106)?;
        if !head.starts_with(b"ISA") {
            return None;
        }
        let separator = char::from(*head.get(3)?);
        let repetition = char::from(*head.get(82)?);
        let terminator = char::from(*head.get(105)?);
        let mut inquiry = Self::default();
        let mut at = At::Source;
        let mut seen_270 = false;
        for segment in text.split(terminator).take(SEGMENTS_MAX) {
            let elements: Vec<&str> = segment.trim_matches(['\r', '\n']).split(separator).collect();
            let get = |place: usize| elements.get(place).copied().unwrap_or_default().trim().to_owned();
            match get(0).as_str() {
                "ISA" => inquiry.interchange(&get),
                "GS" => {
                    inquiry.gs_sender = get(2);
                    inquiry.gs_receiver = get(3);
                    inquiry.gs_control = get(6);
                    inquiry.version = get(8);
                }
                "ST" => {
                    seen_270 = get(1) == "270";
                    inquiry.st_control = get(2);
                }
                "BHT" => inquiry.bht_reference = get(3),
                "HL" => {
                    at = match get(3).as_str() {
                        "20" => At::Source,
                        "21" => At::Receiver,
                        "22" => At::Subscriber,
                        _ => At::Dependent,
                    };
                }
                "EQ" => inquiry.query.services.extend(get(1).split(repetition).map(str::to_owned)),
                _ => inquiry.segment(at, &get),
            }
        }
        inquiry.query.services.retain(|code| !code.is_empty());
        seen_270.then_some(inquiry)
    }

    fn interchange(&mut self, get: &impl Fn(usize) -> String) {
        self.isa_sender = (get(5), get(6));
        self.isa_receiver = (get(7), get(8));
        self.isa_date = get(9);
        self.isa_time = get(10);
        self.isa_control = get(13);
    }

    fn segment(&mut self, at: At, get: &impl Fn(usize) -> String) {
        match (get(0).as_str(), at) {
            ("NM1", At::Receiver) => {
                self.provider = (1..=9).map(get).collect();
                self.query.npi = get(9);
            }
            ("NM1", At::Subscriber) => {
                self.query.last_name = get(3);
                self.query.first_name = get(4);
                self.query.member_id = get(9);
            }
            ("NM1", At::Dependent) => {
                let patient = self.query.dependent.get_or_insert_with(Patient::default);
                patient.last_name = get(3);
                patient.first_name = get(4);
            }
            ("DMG", At::Subscriber) => {
                self.query.date_of_birth = iso(&get(2));
                self.query.sex = get(3);
            }
            ("DMG", At::Dependent) => {
                self.query.dependent.get_or_insert_with(Patient::default).date_of_birth = iso(&get(2));
            }
            ("REF", At::Subscriber) if get(1) == "6P" => self.query.group_number = get(2),
            ("TRN", At::Subscriber | At::Dependent) => self.traces.push((get(2), get(3))),
            ("DTP", At::Subscriber | At::Dependent) if get(1) == "291" => self.query.days = days(&get(3)),
            _ => {}
        }
    }
}

fn days(text: &str) -> Option<(Date, Date)> {
    match text.split_once('-') {
        Some((from, to)) => Some((date(from)?, date(to)?)),
        None => date(text).map(|day| (day, day)),
    }
}

#[cfg(test)]
pub(crate) const SAMPLE: &str = "ISA*00*          *00*          *ZZ*PRACTICE       *ZZ*NORTHSTAR      *261123*1200*^*00501*000000007*0*T*:~GS*HS*PRACTICE*NORTHSTAR*20261123*1200*7*X*005010X279A1~ST*270*0001*005010X279A1~BHT*0022*13*REF7*20261123*1200~HL*1**20*1~NM1*PR*2*NORTHSTAR*****PI*NSH01~HL*2*1*21*1~NM1*1P*2*CLINIC*****XX*1234567893~HL*3*2*22*0~TRN*1*TRACE7*9PORTICO00~NM1*IL*1*OKAFOR*AMARA****MI*NSH-ACTIVE-COPAY40~DMG*D8*19840312*F~DTP*291*D8*20261123~EQ*30^98~SE*13*0001~GE*1*7~IEA*1*000000007~";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_question_with_any_delimiters() {
        for text in [SAMPLE.to_owned(), SAMPLE.replace('*', "|").replace('~', "\n"), format!("\r\n{SAMPLE}")] {
            let inquiry = Inquiry::read(&text).unwrap();
            assert_eq!(inquiry.query.member_id, "NSH-ACTIVE-COPAY40");
            assert_eq!(inquiry.query.date_of_birth, "1984-03-12");
            assert_eq!(inquiry.query.services, ["30", "98"]);
            assert_eq!(inquiry.traces, [("TRACE7".to_owned(), "9PORTICO00".to_owned())]);
            assert_eq!(inquiry.isa_control, "000000007");
        }
    }

    #[test]
    fn what_is_no_270_is_nothing() {
        for text in ["", "ISA*00", "<html>", &SAMPLE.replace("ST*270", "ST*837"), &"é".repeat(200)] {
            assert!(Inquiry::read(text).is_none());
        }
    }
}
