//! Reading a 270 question.

use jiff::civil::Date;
use x12::Document;
use x12::eligibility::{EligibilityInquiry, EligibilityQuestion, InquiryDependent, InquiryReceiver, InquirySubscriber};
use x12::envelope::{Group, Interchange};
use x12::model::common::{Dmg, Dtp, Nm1, Trn};

use crate::search::{Patient, Query};

/// What a carrier needs of a 270.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inquiry {
    pub(crate) interchange: Interchange,
    pub(crate) group: Group,
    pub(crate) st_control: String,
    /// BHT03
    pub(crate) reference: String,
    /// Who asks.
    pub(crate) provider: Nm1<'static>,
    /// TRN02 and TRN03 of the patient's loop.
    pub(crate) traces: Vec<(String, String)>,
    pub(crate) query: Query,
}

impl Inquiry {
    /// Reads an interchange with one 270 in it. `None` where it is not one.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let document = Document::read(text.as_bytes()).ok()?;
        let set = document.transactions().find(|set| set.id == EligibilityInquiry::ID)?;
        let asked = EligibilityInquiry::read(&set.segments);
        let mut inquiry = Self {
            interchange: set.interchange.as_deref()?.clone(),
            group: set.group.as_deref()?.clone(),
            st_control: set.control.clone(),
            reference: asked.beginning.map(|bht| bht.reference.into_owned()).unwrap_or_default(),
            ..Self::default()
        };
        for receiver in asked.sources.into_iter().flat_map(|source| source.receivers) {
            inquiry.receiver(receiver);
        }
        Some(inquiry)
    }

    fn receiver(&mut self, receiver: InquiryReceiver<'_>) {
        if let Some(name) = receiver.name {
            self.query.npi = name.id.to_string();
            self.provider = own(name);
        }
        for subscriber in receiver.subscribers {
            self.subscriber(subscriber);
        }
    }

    fn subscriber(&mut self, subscriber: InquirySubscriber<'_>) {
        let query = &mut self.query;
        if let Some(name) = subscriber.name {
            query.last_name = name.last_name.into_owned();
            query.first_name = name.first_name.into_owned();
            query.member_id = name.id.into_owned();
        }
        if let Some(group) = subscriber.references.iter().find(|reference| reference.qualifier == "6P") {
            query.group_number = group.value.to_string();
        }
        if let Some(dmg) = subscriber.demographics {
            query.date_of_birth = born(&dmg);
            query.sex = dmg.sex.into_owned();
        }
        self.asked(&subscriber.traces, &subscriber.dates, &subscriber.questions);
        for dependent in subscriber.dependents {
            self.dependent(&dependent);
        }
    }

    fn dependent(&mut self, dependent: &InquiryDependent<'_>) {
        let name = dependent.name.as_ref();
        self.query.dependent = Some(Patient {
            first_name: name.map(|name| name.first_name.to_string()).unwrap_or_default(),
            last_name: name.map(|name| name.last_name.to_string()).unwrap_or_default(),
            date_of_birth: dependent.demographics.as_ref().map(born).unwrap_or_default(),
        });
        self.asked(&dependent.traces, &dependent.dates, &dependent.questions);
    }

    fn asked(&mut self, traces: &[Trn<'_>], dates: &[Dtp<'_>], questions: &[EligibilityQuestion<'_>]) {
        self.traces.extend(traces.iter().map(|trace| (trace.number.to_string(), trace.origin.to_string())));
        if let Some(date) = dates.iter().find(|date| date.qualifier == "291") {
            self.query.days = date.span();
        }
        let codes = questions.iter().flat_map(|question| &question.service.service_types);
        self.query.services.extend(codes.filter(|code| !code.is_empty()).map(|code| code.to_string()));
    }
}

fn own(name: Nm1<'_>) -> Nm1<'static> {
    x12::model::SegmentModel::into_static(name)
}

/// `YYYY-MM-DD`; empty where it is no date.
fn born(dmg: &Dmg<'_>) -> String {
    dmg.born.get().map(|day: Date| day.to_string()).unwrap_or_default()
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
            assert_eq!(inquiry.interchange.control, "000000007");
        }
    }

    #[test]
    fn reads_a_question_about_a_dependent() {
        let dependent =
            "HL*4*3*23*0~TRN*1*T8*9PORTICO00~NM1*03*1*OKAFOR*BEN~DMG*D8*20100304~DTP*291*RD8*20261101-20261130~EQ*98~";
        let text = SAMPLE.replace("DTP*291*D8*20261123~EQ*30^98~", dependent);
        let inquiry = Inquiry::read(&text).unwrap();
        let patient = inquiry.query.dependent.unwrap();
        assert_eq!((patient.first_name.as_str(), patient.date_of_birth.as_str()), ("BEN", "2010-03-04"));
        assert_eq!((inquiry.traces.len(), inquiry.query.services), (2, vec!["98".to_owned()]));
        assert_eq!(inquiry.query.days.map(|(from, _)| from), Some(jiff::civil::date(2026, 11, 1)));
    }

    #[test]
    fn what_is_no_270_is_nothing() {
        for text in ["", "ISA*00", "<html>", &SAMPLE.replace("ST*270", "ST*837"), &"é".repeat(200)] {
            assert!(Inquiry::read(text).is_none());
        }
    }
}
