//! Writing a 271, a TA1 and a 999.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Inquiry;
use crate::lines::Line;
use crate::people::Entity;
use crate::search::{Found, Loop, Reject};

/// Delimiters of a carrier; carriers differ, and say so in their ISA.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    pub(crate) element: char,
    pub(crate) repetition: char,
    pub(crate) component: char,
    pub(crate) terminator: char,
    /// What follows each terminator.
    pub(crate) line_end: &'static str,
}

/// The payer as it names itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payer {
    pub(crate) name: &'static str,
    pub(crate) id: &'static str,
    pub(crate) phone: &'static str,
    pub(crate) style: Style,
}

/// Segments of one interchange in the making.
struct Paper<'a> {
    payer: &'a Payer,
    out: String,
    /// Segments since ST, ST included.
    count: usize,
}

impl Paper<'_> {
    /// Writes a segment without its empty tail. Values are cleaned of delimiters and control characters.
    fn put<S: AsRef<str>>(&mut self, elements: &[S]) {
        let style = self.payer.style;
        let used = elements.iter().rposition(|element| !element.as_ref().is_empty()).map_or(0, |last| last + 1);
        for (place, element) in elements.iter().take(used).enumerate() {
            if place > 0 {
                self.out.push(style.element);
            }
            let clean = element.as_ref().chars().filter(|c| {
                !c.is_control() && ![style.element, style.repetition, style.component, style.terminator].contains(c)
            });
            self.out.extend(clean);
        }
        self.end();
    }

    fn end(&mut self) {
        self.out.push(self.payer.style.terminator);
        self.out.push_str(self.payer.style.line_end);
        self.count += 1;
    }
}

fn stamp() -> (String, String) {
    let now = Timestamp::now().to_zoned(TimeZone::UTC);
    (now.strftime("%Y%m%d").to_string(), now.strftime("%H%M").to_string())
}

/// Wraps what `body` writes in ISA, GS, ST … IEA. `kind`: functional id, transaction, version.
fn interchange(payer: &Payer, inquiry: &Inquiry, kind: [&str; 3], body: impl FnOnce(&mut Paper<'_>)) -> String {
    let (day, time) = stamp();
    let mut paper = Paper { payer, out: isa(payer, inquiry, &day, &time), count: 0 };
    let gs_from = &inquiry.gs_receiver;
    paper.put(&["GS", kind[0], gs_from, &inquiry.gs_sender, &day, &time, "1", "X", kind[2]]);
    paper.count = 0;
    paper.put(&["ST", kind[1], "0001", kind[2]]);
    body(&mut paper);
    let count = (paper.count + 1).to_string();
    paper.put(&["SE", &count, "0001"]);
    paper.put(&["GE", "1", "1"]);
    paper.put(&["IEA", "1", &inquiry.isa_control]);
    paper.out
}

fn isa(payer: &Payer, inquiry: &Inquiry, day: &str, time: &str) -> String {
    let Style { element: e, repetition, component, terminator, line_end } = payer.style;
    let pad = |text: &str, width: usize| -> String {
        let mut cut: String = text.chars().filter(|c| c.is_ascii_graphic() && *c != e).take(width).collect();
        while cut.len() < width {
            cut.push(' ');
        }
        cut
    };
    let control: String = {
        let digits: String = inquiry.isa_control.chars().filter(char::is_ascii_digit).take(9).collect();
        format!("{digits:0>9}")
    };
    let (from, to) = (&inquiry.isa_receiver, &inquiry.isa_sender);
    let short_day = day.get(2..).unwrap_or("260101");
    let fields = [
        "ISA".to_owned(),
        "00".to_owned(),
        pad("", 10),
        "00".to_owned(),
        pad("", 10),
        pad(&from.0, 2),
        pad(&from.1, 15),
        pad(&to.0, 2),
        pad(&to.1, 15),
        short_day.to_owned(),
        time.to_owned(),
        repetition.to_string(),
        "00501".to_owned(),
        control,
        "0".to_owned(),
        "T".to_owned(),
        component.to_string(),
    ];
    format!("{}{terminator}{line_end}", fields.join(&e.to_string()))
}

/// A 271 with benefits. `extra_days` are told as plan days of the patient.
pub(crate) fn answer(payer: &Payer, inquiry: &Inquiry, found: &Found, lines: &[Line]) -> String {
    interchange(payer, inquiry, ["HB", "271", "005010X279A1"], |paper| {
        open(paper, inquiry, &[]);
        let person = &found.person;
        let has_dependent = found.dependent.is_some();
        paper.put(&["HL", "3", "2", "22", if has_dependent { "1" } else { "0" }]);
        if !has_dependent {
            traces(paper, inquiry);
        }
        paper.put(&["NM1", "IL", "1", person.last_name, person.first_name, "", "", "", "MI", person.member_id]);
        paper.put(&["REF", "6P", person.group_number]);
        paper.put(&["N3", "4100 FICTION AVE"]);
        paper.put(&["N4", "SAMPLETON", "OR", "97999"]);
        paper.put(&["DMG", "D8", &compact(person.date_of_birth), person.sex]);
        if let Some(dependent) = &found.dependent {
            paper.put(&["HL", "4", "3", "23", "0"]);
            traces(paper, inquiry);
            paper.put(&["NM1", "03", "1", dependent.last_name, dependent.first_name]);
            paper.put(&["DMG", "D8", &compact(dependent.date_of_birth), dependent.sex]);
            paper.put(&["INS", "N", dependent.relationship]);
        }
        plan_days(paper, found);
        for line in lines {
            benefit(paper, line);
        }
    })
}

/// A 271 that refuses, with the codes in their loops.
pub(crate) fn refuse(payer: &Payer, inquiry: &Inquiry, rejects: &[Reject]) -> String {
    interchange(payer, inquiry, ["HB", "271", "005010X279A1"], |paper| {
        open(paper, inquiry, rejects);
        if rejects.iter().any(|reject| matches!(reject.at, Loop::Payer | Loop::Provider)) {
            return;
        }
        let query = &inquiry.query;
        paper.put(&["HL", "3", "2", "22", if query.dependent.is_some() { "1" } else { "0" }]);
        if query.dependent.is_none() {
            traces(paper, inquiry);
        }
        let id_qualifier = if query.member_id.is_empty() { "" } else { "MI" };
        paper.put(&["NM1", "IL", "1", &query.last_name, &query.first_name, "", "", "", id_qualifier, &query.member_id]);
        aaa(paper, rejects, Loop::Subscriber);
        if !query.date_of_birth.is_empty() {
            paper.put(&["DMG", "D8", &compact(&query.date_of_birth), &query.sex]);
        }
        if let Some(patient) = &query.dependent {
            paper.put(&["HL", "4", "3", "23", "0"]);
            traces(paper, inquiry);
            paper.put(&["NM1", "03", "1", &patient.last_name, &patient.first_name]);
            aaa(paper, rejects, Loop::Dependent);
            paper.put(&["DMG", "D8", &compact(&patient.date_of_birth)]);
        }
    })
}

/// BHT, the payer's loop and the provider's.
fn open(paper: &mut Paper<'_>, inquiry: &Inquiry, rejects: &[Reject]) {
    let (day, time) = stamp();
    let payer = *paper.payer;
    paper.put(&["BHT", "0022", "11", &inquiry.bht_reference, &day, &time]);
    let stops_here = rejects.iter().any(|reject| reject.at == Loop::Payer);
    paper.put(&["HL", "1", "", "20", if stops_here { "0" } else { "1" }]);
    paper.put(&["NM1", "PR", "2", payer.name, "", "", "", "", "PI", payer.id]);
    paper.put(&["PER", "IC", "PROVIDER SERVICES", "TE", payer.phone]);
    aaa(paper, rejects, Loop::Payer);
    if stops_here {
        return;
    }
    let stops_here = rejects.iter().any(|reject| reject.at == Loop::Provider);
    paper.put(&["HL", "2", "1", "21", if stops_here { "0" } else { "1" }]);
    let mut name = vec!["NM1".to_owned()];
    name.extend(inquiry.provider.iter().cloned());
    paper.put(&name);
    aaa(paper, rejects, Loop::Provider);
}

fn aaa(paper: &mut Paper<'_>, rejects: &[Reject], at: Loop) {
    for reject in rejects.iter().filter(|reject| reject.at == at) {
        paper.put(&["AAA", "N", "", reject.code, reject.follow_up]);
    }
}

fn traces(paper: &mut Paper<'_>, inquiry: &Inquiry) {
    for (trace, originator) in inquiry.traces.iter().take(2) {
        paper.put(&["TRN", "2", trace, originator]);
    }
    // The payer's own reference stands beside ours, as it does in practice.
    let own = format!("{}{}", paper.payer.id, inquiry.isa_control);
    paper.put(&["TRN", "1", &own, "9999999999"]);
}

fn plan_days(paper: &mut Paper<'_>, found: &Found) {
    let plan = &found.person.plan;
    paper.put(&["DTP", "346", "D8", &compact(plan.from)]);
    if let Some(to) = plan.to {
        paper.put(&["DTP", "347", "D8", &compact(to)]);
    }
}

fn benefit(paper: &mut Paper<'_>, line: &Line) {
    paper.put(&[
        "EB",
        line.info,
        line.level,
        line.service,
        line.insurance,
        line.plan,
        line.period,
        line.amount,
        line.share,
        line.unit,
        line.quantity,
        line.authorization,
        line.network,
    ]);
    if let Some((from, to)) = &line.days {
        paper.put(&["DTP", "307", "RD8", &span(from, to)]);
    }
    for message in &line.messages {
        paper.put(&["MSG", message]);
    }
    if let Some(entity) = &line.entity {
        paper.put(&["LS", "2120"]);
        named(paper, entity);
        paper.put(&["LE", "2120"]);
    }
}

fn named(paper: &mut Paper<'_>, entity: &Entity) {
    match entity.name.split_once(", ") {
        Some((last, first)) => {
            paper.put(&["NM1", entity.role, "1", last, first, "", "", "", "XX", entity.number]);
        }
        None => paper.put(&["NM1", entity.role, "2", entity.name, "", "", "", "", "PI", entity.number]),
    }
    paper.put(&["PER", "IC", "", "TE", entity.phone]);
}

fn compact(iso: &str) -> String {
    iso.chars().filter(char::is_ascii_digit).collect()
}

fn span(from: &str, to: &str) -> String {
    // The hyphen is no delimiter of any style here.
    format!("{}-{}", compact(from), compact(to))
}

/// A TA1 that rejects the interchange with this note code.
pub(crate) fn reject_ta1(payer: &Payer, inquiry: &Inquiry, note: &str) -> String {
    let (day, time) = stamp();
    let mut paper = Paper { payer, out: isa(payer, inquiry, &day, &time), count: 0 };
    paper.put(&["TA1", &inquiry.isa_control, &inquiry.isa_date, &inquiry.isa_time, "R", note]);
    paper.put(&["IEA", "0", &inquiry.isa_control]);
    paper.out
}

/// A 999 that rejects the transaction: segment NM1, element 9, code 5 (too long).
pub(crate) fn reject_999(payer: &Payer, inquiry: &Inquiry) -> String {
    interchange(payer, inquiry, ["FA", "999", "005010X231A1"], |paper| {
        paper.put(&["AK1", "HS", &inquiry.gs_control, &inquiry.version]);
        paper.put(&["AK2", "270", &inquiry.st_control, &inquiry.version]);
        paper.put(&["IK3", "NM1", "10", "2100", "8"]);
        paper.put(&["IK4", "9", "67", "5"]);
        paper.put(&["IK5", "R", "5"]);
        paper.put(&["AK9", "R", "1", "1", "0"]);
    })
}

#[cfg(test)]
mod tests {
    use super::super::read::SAMPLE;
    use super::*;
    use crate::northstar::PAYER;

    fn inquiry() -> Inquiry {
        Inquiry::read(SAMPLE).unwrap()
    }

    #[test]
    fn an_answer_counts_its_segments_and_echoes_the_question() {
        let person = crate::people::insured_by("northstar").remove(0);
        let lines = crate::lines::lines(&person, &[]);
        let text = answer(&PAYER, &inquiry(), &Found { person, dependent: None }, &lines);
        let segments: Vec<&str> = text.split('~').filter(|s| !s.is_empty()).collect();
        assert_eq!(segments[0].len(), 105);
        let st = segments.iter().position(|s| s.starts_with("ST*")).unwrap();
        let se = segments.iter().position(|s| s.starts_with("SE*")).unwrap();
        assert_eq!(segments[se], format!("SE*{}*0001", se - st + 1));
        assert!(text.contains("TRN*2*TRACE7*9PORTICO00~"), "{text}");
        assert!(text.contains("EB*B*IND*98***27*40.00****N*Y~"), "{text}");
        assert!(text.contains("BHT*0022*11*REF7*"));
        assert_eq!(segments.iter().filter(|s| s.starts_with("EB*")).count(), lines.len());
    }

    #[test]
    fn a_value_cannot_break_out_of_its_segment() {
        let mut asked = inquiry();
        asked.query.last_name = "X~AAA*N**42".into();
        asked.query.member_id = "A\r\nB".into();
        let text = refuse(&PAYER, &asked, &[Reject::subscriber("72")]);
        assert_eq!(text.matches("AAA*").count(), 1, "{text}");
        assert!(text.contains("AAA*N**72*C~"));
    }

    #[test]
    fn acknowledgements() {
        assert!(reject_ta1(&PAYER, &inquiry(), "006").contains("TA1*000000007*261123*1200*R*006~"));
        assert!(reject_999(&PAYER, &inquiry()).contains("AK2*270*0001*005010X279A1~"));
    }
}
