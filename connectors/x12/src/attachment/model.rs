//! The loops of the 275. The same three things (category, format, bytes) may stand under a date, as 005010 has it, right
//! under a line, as 006020 has it, or, with some senders, under nothing at all.

use super::binary::Binary;
use super::segments::{Bgn, Cat, Efi, Ooi, Pid};
use crate::model::common::{Bht, Dmg, Dtp, Lx, N2, N3, N4, Nm1, Per, Prv, Ref, Trn};
use crate::model::{loops, transactions};
use crate::status::Stc;

transactions! {
    /// A 275: documents, and what they belong to.
    pub struct Attachments<'a> = "275", "005010X210" {
        /// BGN
        beginning: Option<Bgn<'a>>,
        /// BHT, with some senders.
        hierarchy: Option<Bht<'a>>,
        /// Loops 1000A to 1000D: carrier, sender, provider, patient.
        parties: Vec<AttachmentParty<'a>>,
        /// BIN, BDS without a line.
        contents: Vec<Binary<'a>>,
        /// Files without a line.
        files: Vec<AttachedFile<'a>>,
        /// Documents without a line.
        categories: Vec<DocumentCategory<'a>>,
        /// Loop 2000A: what the documents belong to.
        lines: Vec<AttachmentLine<'a>>,
    }
}

loops! {
    /// Loops 1000A to 1000D: someone. Which of its segments stand depends on who it is.
    pub struct AttachmentParty<'a> {
        /// NM1: `PR` carrier, `41` sender, `85` or `1P` provider, `QC` patient.
        name: Nm1<'a>,
        /// N2
        more_name: Option<N2<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// DMG
        demographics: Option<Dmg<'a>>,
        /// PRV
        provider: Option<Prv<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// REF: the patient's and the claim's numbers.
        references: Vec<Ref<'a>>,
        /// DTP: when the services were given.
        dates: Vec<Dtp<'a>>,
    }

    /// Loop 2000A: one claim line, claim or question that documents belong to.
    pub struct AttachmentLine<'a> {
        /// LX
        number: Lx<'a>,
        /// TRN: `1` our attachment control number (PWK06 of the claim), `2` the number of the question (277).
        traces: Vec<Trn<'a>>,
        /// STC: what was asked for.
        asked: Vec<Stc<'a>>,
        /// REF: procedure, line number, revenue code …
        references: Vec<Ref<'a>>,
        /// Loop 2100A
        parties: Vec<LineParty<'a>>,
        /// BIN, BDS without anything before them.
        contents: Vec<Binary<'a>>,
        /// Files without a category.
        files: Vec<AttachedFile<'a>>,
        /// Documents without a date.
        categories: Vec<DocumentCategory<'a>>,
        /// Loop 2100B: documents by date.
        dated: Vec<DatedDocuments<'a>>,
    }

    /// Loop 2100A: someone a line names.
    pub struct LineParty<'a> {
        /// NM1
        name: Nm1<'a>,
        /// N2
        more_name: Option<N2<'a>>,
        /// N3
        street: Option<N3<'a>>,
        /// N4
        city: Option<N4<'a>>,
        /// PER
        contacts: Vec<Per<'a>>,
        /// REF
        references: Vec<Ref<'a>>,
    }

    /// Loop 2100B: documents under a date.
    pub struct DatedDocuments<'a> {
        /// DTP: `368` sent, `097`, `472` …
        date: Dtp<'a>,
        /// BIN, BDS without anything before them.
        contents: Vec<Binary<'a>>,
        /// Files without a category.
        files: Vec<AttachedFile<'a>>,
        /// CAT and what follows it.
        categories: Vec<DocumentCategory<'a>>,
    }

    /// A category, and the documents of it.
    pub struct DocumentCategory<'a> {
        /// CAT
        category: Cat<'a>,
        /// PID
        descriptions: Vec<Pid<'a>>,
        /// OOI
        objects: Vec<Ooi<'a>>,
        /// BIN, BDS without a format.
        contents: Vec<Binary<'a>>,
        /// Loop 2110B
        files: Vec<AttachedFile<'a>>,
    }

    /// Loop 2110B: a file.
    pub struct AttachedFile<'a> {
        /// EFI
        format: Efi<'a>,
        /// BIN, BDS
        contents: Vec<Binary<'a>>,
    }
}

/// One document with what it stands under.
#[derive(Clone, Copy)]
pub struct Document<'m, 'a> {
    /// The line it belongs to.
    pub line: Option<&'m AttachmentLine<'a>>,
    /// Its date.
    pub date: Option<&'m Dtp<'a>>,
    /// What kind it is.
    pub category: Option<&'m DocumentCategory<'a>>,
    /// How it is written.
    pub format: Option<&'m Efi<'a>>,
    /// Its bytes.
    pub content: &'m Binary<'a>,
}

/// What documents stand under.
#[derive(Clone, Copy, Default)]
struct Under<'m, 'a> {
    line: Option<&'m AttachmentLine<'a>>,
    date: Option<&'m Dtp<'a>>,
    category: Option<&'m DocumentCategory<'a>>,
}

impl<'m, 'a> Under<'m, 'a> {
    fn contents(self, format: Option<&'m Efi<'a>>, contents: &'m [Binary<'a>], all: &mut Vec<Document<'m, 'a>>) {
        let Self { line, date, category } = self;
        all.extend(contents.iter().map(|content| Document { line, date, category, format, content }));
    }

    fn files(self, files: &'m [AttachedFile<'a>], contents: &'m [Binary<'a>], all: &mut Vec<Document<'m, 'a>>) {
        self.contents(None, contents, all);
        for file in files {
            self.contents(Some(&file.format), &file.contents, all);
        }
    }

    fn categories(self, categories: &'m [DocumentCategory<'a>], all: &mut Vec<Document<'m, 'a>>) {
        for category in categories {
            Under { category: Some(category), ..self }.files(&category.files, &category.contents, all);
        }
    }
}

impl<'a> Attachments<'a> {
    /// The documents in order.
    pub fn documents<'m>(&'m self) -> Vec<Document<'m, 'a>> {
        let mut all = Vec::new();
        let outside = Under::default();
        outside.files(&self.files, &self.contents, &mut all);
        outside.categories(&self.categories, &mut all);
        for line in &self.lines {
            let under = Under { line: Some(line), ..Under::default() };
            under.files(&line.files, &line.contents, &mut all);
            under.categories(&line.categories, &mut all);
            for dated in &line.dated {
                let under = Under { date: Some(&dated.date), ..under };
                under.files(&dated.files, &dated.contents, &mut all);
                under.categories(&dated.categories, &mut all);
            }
        }
        all
    }

    /// Whether it answers a question of the carrier's (BGN01 `11`).
    pub fn was_asked(&self) -> bool {
        self.beginning.as_ref().is_some_and(|beginning| beginning.purpose == "11")
    }
}
