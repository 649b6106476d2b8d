//! A 275 told as a person would tell it: what is attached to what, how big it is, and what it seems to be.

use std::fmt::Write;

use crate::attachment::{Attachments, Document};
use crate::codes::{Table, label};
use crate::envelope::Transaction;

/// Documents that are told of one by one; later ones are only counted.
const MAX_TOLD: usize = 100;

/// Tells a 275; `false`, and nothing told, where it is something else.
pub(super) fn tell(text: &mut String, transaction: &Transaction) -> bool {
    if transaction.id != Attachments::ID {
        return false;
    }
    let attachments = Attachments::read(&transaction.segments);
    let _ = writeln!(text, "Documents (275), control number {}", transaction.control);
    if let Some(beginning) = &attachments.beginning {
        let why = match &*beginning.purpose {
            "11" => "what the carrier asked for",
            "02" => "sent along with a claim or request, without being asked",
            _ => "the sender does not say why",
        };
        let _ = writeln!(text, "  Reference {}: {why}", beginning.reference);
    }
    for party in &attachments.parties {
        let name = &party.name;
        let role = label(Table::Entity, &name.entity).unwrap_or(&name.entity);
        let said = [&name.first_name, &name.last_name].map(|part| &**part).join(" ");
        let _ = writeln!(text, "  {role}: {}", format!("{} {}", said.trim(), name.id).trim());
        for reference in &party.references {
            let kind = label(Table::Reference, &reference.qualifier).unwrap_or(&reference.qualifier);
            let _ = writeln!(text, "    {kind}: {}", reference.value);
        }
    }
    let documents = attachments.documents();
    if documents.is_empty() {
        let _ = writeln!(text, "  There is no document in it.");
    }
    for (number, document) in documents.iter().enumerate().take(MAX_TOLD) {
        one(text, number + 1, document);
    }
    if documents.len() > MAX_TOLD {
        let _ = writeln!(text, "  and {} more documents", documents.len() - MAX_TOLD);
    }
    true
}

fn one(text: &mut String, number: usize, document: &Document<'_, '_>) {
    let content = document.content;
    let packed = if content.filter == "B64" { ", as base64" } else { "" };
    let _ = writeln!(text, "  Document {number}: {}, {}{packed}", content.content().words(), size(content.data.len()));
    for trace in document.line.iter().flat_map(|line| &line.traces) {
        let what = if trace.kind == "2" { "Answers the carrier's question" } else { "Belongs to the document number" };
        let _ = writeln!(text, "    {what} {}", trace.number);
    }
    for asked in document.line.iter().flat_map(|line| &line.asked) {
        let list = if asked.status.list == "LOI" { "LOINC " } else { "" };
        let _ = writeln!(text, "    What was asked for: {list}{}", asked.status.code);
    }
    for reference in document.line.iter().flat_map(|line| &line.references) {
        let kind = label(Table::Reference, &reference.qualifier).unwrap_or(&reference.qualifier);
        let _ = writeln!(text, "    {kind}: {}", reference.value);
    }
    if let Some(category) = document.category {
        let _ = writeln!(text, "    Report type {}, form {}", category.category.report, category.category.form);
        for description in category.descriptions.iter().filter(|description| !description.text.is_empty()) {
            let _ = writeln!(text, "    {}", description.text);
        }
    }
    if let Some(name) = document.format.map(|format| &*format.file_name).filter(|name| !name.is_empty()) {
        let _ = writeln!(text, "    File name: {name}");
    }
    if !content.length_fits() {
        let told = content.told.map_or_else(|| "none".to_owned(), |told| told.to_string());
        let _ = writeln!(text, "    Its length was told wrongly ({told}): it may be cut off, or changed on the way.");
    }
}

/// `812 bytes`, `1.4 MB`.
fn size(bytes: usize) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=999_999 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_in_words() {
        assert_eq!(
            [size(0), size(9_999), size(10_000), size(1_449_999), size(33_000_000)],
            ["0 bytes", "9999 bytes", "10 kB", "1.4 MB", "33.0 MB"]
        );
    }

    #[test]
    fn what_is_attached_to_what() {
        let text = b"ST*275*0001*005010X210~BGN*11*A1*20261123~NM1*QC*1*ZANZIBAR*ADA****MI*W1~REF*EJ*P1~LX*1~TRN*2*Q7~\
            STC*R4:18842-5::LOI~CAT*AE*HL~BIN*4*%PDF~BDS*B64*99*Zm9v~SE*10*0001~";
        let document = crate::Document::read(text).unwrap();
        let mut told = String::new();
        assert!(tell(&mut told, document.transactions().next().unwrap()));
        assert_eq!(
            told,
            "Documents (275), control number 0001\n  Reference A1: what the carrier asked for\n\
             \x20 Patient: ADA ZANZIBAR W1\n    Patient account number: P1\n\
             \x20 Document 1: PDF, 4 bytes\n    Answers the carrier's question Q7\n    What was asked for: LOINC 18842-5\n\
             \x20   Report type AE, form HL\n\
             \x20 Document 2: text, 4 bytes, as base64\n    Answers the carrier's question Q7\n\
             \x20   What was asked for: LOINC 18842-5\n    Report type AE, form HL\n\
             \x20   Its length was told wrongly (99): it may be cut off, or changed on the way.\n"
        );
    }
}
