//! The check of one transaction set while it goes by.

use std::sync::Arc;

use super::judge::{self, Judge, Place};
use super::{SetReport, Verdict};
use crate::envelope::SetHeader;
use crate::finding::{Finding, Findings, Oddity};
use crate::grammar::{Choice, Chooser, GuideName, Matcher, Syntax};
use crate::read::{Block, Segment};

/// What the segments are held against.
enum Walk {
    Guide(Box<Matcher>),
    Standard(Box<Syntax>),
}

/// A transaction set that has not ended yet.
pub(super) struct SetRun {
    header: Arc<SetHeader>,
    chooser: Chooser,
    /// Segments that came before the guide was clear.
    held: Block,
    walk: Option<Walk>,
    guide: Option<GuideName>,
    judge: Option<Box<dyn Judge>>,
    findings: Findings,
}

impl SetRun {
    /// Begins with ST.
    pub(super) fn new(header: Arc<SetHeader>, st: &Segment<'_>) -> Self {
        let chooser = Chooser::new(st, &header.implementation);
        Self {
            chooser,
            held: Block::of(st),
            walk: None,
            guide: None,
            judge: None,
            findings: Findings::default(),
            header,
        }
    }

    /// The next segment, SE included.
    pub(super) fn segment(&mut self, segment: &Segment<'_>) {
        if let Some(walk) = &mut self.walk {
            return step(walk, self.judge.as_deref_mut(), segment, &mut self.findings);
        }
        let choice = self.chooser.look(segment);
        // A block that is full holds more than the chooser wants to see.
        let kept = self.held.push(segment, segment.position);
        if choice.is_some() || !kept {
            self.start(choice.unwrap_or_else(|| self.chooser.end()));
            if let (Some(walk), false) = (&mut self.walk, kept) {
                step(walk, self.judge.as_deref_mut(), segment, &mut self.findings);
            }
        }
    }

    /// The guide is clear: what was held back goes first.
    fn start(&mut self, choice: Choice) {
        let unnamed = choice.unnamed.then_some((Oddity::SetUnnamed, 3));
        let older = (choice.older && choice.guide.is_some()).then_some((Oddity::OlderVersion, 0));
        let remark = choice.remark.map(|remark| (remark, 0));
        for (remark, element) in [remark, unnamed, older].into_iter().flatten() {
            if let Some(st) = self.held.first() {
                let mut finding = remark.at(st.number, st.offset);
                (finding.position, finding.element) = (Some(1), (element > 0).then_some(element));
                finding.segment_id = Some("ST");
                self.findings.push(finding);
            }
        }
        let guide = choice.guide.and_then(|name| Some((name, name.get()?)));
        let walk = match guide {
            Some((_, guide)) => Walk::Guide(Box::new(Matcher::new(guide, choice.older))),
            None => Walk::Standard(Box::new(Syntax::new(true))),
        };
        self.guide = guide.map(|(name, _)| name);
        self.judge = self.guide.and_then(judge::of);
        let walk = self.walk.insert(walk);
        for segment in &self.held {
            step(walk, self.judge.as_deref_mut(), &segment, &mut self.findings);
        }
        self.held.clear();
    }

    /// The transaction set has ended; `found`: what the envelope found about it.
    pub(super) fn end(mut self, segments: u64, found: Vec<Finding>) -> SetReport {
        if self.walk.is_none() {
            self.start(self.chooser.end());
        }
        let mut guide = None;
        if let Some(Walk::Guide(matcher)) = &mut self.walk {
            matcher.end(&mut self.findings);
            guide = Some(matcher.guide().name());
        }
        if let Some(judge) = &mut self.judge {
            judge.end(&mut self.findings);
        }
        found.into_iter().for_each(|finding| self.findings.push(finding));
        let verdict = Verdict::of(&self.findings);
        let mut findings = self.findings.take();
        for finding in &mut findings {
            finding.transaction = Some(self.header.number);
        }
        findings.sort_by_key(|finding| (finding.segment, finding.element));
        SetReport {
            id: self.header.id.clone(),
            control: self.header.control.clone(),
            implementation: self.header.implementation.clone(),
            number: self.header.number,
            interchange: self.header.interchange.as_ref().map_or(0, |interchange| interchange.number),
            guide,
            verdict,
            segments,
            findings,
            left_out: self.findings.left_out(),
            header: self.header,
        }
    }
}

fn step(walk: &mut Walk, judge: Option<&mut (dyn Judge + 'static)>, segment: &Segment<'_>, findings: &mut Findings) {
    let (loop_id, position) = match walk {
        Walk::Guide(matcher) => (matcher.segment(segment, findings), matcher.position()),
        Walk::Standard(syntax) => {
            syntax.segment(segment, findings);
            (None, syntax.position())
        }
    };
    if let Some(judge) = judge {
        let place = Place { loop_id, position, segment: segment.number, offset: segment.offset };
        judge.segment(segment, place, findings);
    }
}
