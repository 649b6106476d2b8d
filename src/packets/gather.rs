//! What belongs into a packet: the records in scope, for every question among them its answer and its exchange, and
//! whatever else a record commits to by name: what is kept of a submission. A saved answer brings the records of the
//! question it was first given to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{BYTES_MAX, Beside, PacketError, RECORDS_MAX};
use crate::practice::PracticeId;
use crate::trail::{Detailed, Search, Trail};

/// What was gathered.
pub(super) struct Gathered {
    /// Records by number.
    pub(super) records: Vec<Detailed>,
    /// Answers and exchanges, by the name of their file.
    pub(super) files: BTreeMap<String, Vec<u8>>,
}

/// Gathers what is in scope among the trail's first `size` records; the record of this very packet is left out.
pub(super) async fn gather(
    trail: &Trail,
    beside: &dyn Beside,
    practice: &PracticeId,
    search: &Search,
    size: u64,
    packet: &str,
) -> Result<Gathered, PacketError> {
    let limit = u32::try_from(RECORDS_MAX + 2).unwrap_or(u32::MAX);
    let mut records: BTreeMap<u64, Detailed> = BTreeMap::new();
    let mut asks = BTreeSet::new();
    let mut todo = vec![trail.search(practice, search, limit).await?];
    let mut files = Kept::default();
    while let Some(found) = todo.pop() {
        for record in found {
            let seq = record.entry.seq;
            if seq > size || record.entry.subject_id.as_deref() == Some(packet) {
                continue;
            }
            let said = record.said();
            for name in named(&said) {
                let about = record.entry.ask_id.as_deref().unwrap_or_default();
                if let Some(bytes) = beside.file(practice, about, name).await? {
                    files.keep(name.to_owned(), bytes.to_vec())?;
                }
            }
            let committed = said["answer"]["sha256"].is_string();
            let ask = record.entry.ask_id.clone().filter(|ask| committed && asks.insert(ask.clone()));
            records.insert(seq, record);
            if records.len() > RECORDS_MAX {
                return Err(PacketError::TooLarge);
            }
            let Some(ask) = ask else { continue };
            files.of(trail, practice, &ask).await?;
            if let Some(first) = trail.exchanged_for(practice, &ask).await?.filter(|first| !asks.contains(first)) {
                todo.push(trail.about_ask(practice, &first, limit).await?);
            }
        }
    }
    if records.is_empty() {
        return Err(PacketError::Nothing);
    }
    Ok(Gathered { records: records.into_values().collect(), files: files.files })
}

/// The names of what a record commits to.
pub(super) fn named(said: &Value) -> impl Iterator<Item = &str> {
    said["files"].as_object().into_iter().flat_map(|files| files.keys()).map(String::as_str)
}

#[derive(Default)]
struct Kept {
    files: BTreeMap<String, Vec<u8>>,
    bytes: usize,
}

impl Kept {
    async fn of(&mut self, trail: &Trail, practice: &PracticeId, ask: &str) -> Result<(), PacketError> {
        if let Some(answer) = trail.stored(practice, ask).await? {
            self.keep(format!("answers/{ask}.json"), answer.to_vec())?;
        }
        let own = trail.exchanged_for(practice, ask).await?.is_some_and(|first| first == ask);
        if own && let Some(exchange) = trail.raw(practice, ask).await? {
            self.keep(format!("exchanges/{ask}.json"), exchange.to_vec())?;
        }
        Ok(())
    }

    fn keep(&mut self, name: String, bytes: Vec<u8>) -> Result<(), PacketError> {
        self.bytes += bytes.len();
        if self.bytes > BYTES_MAX {
            return Err(PacketError::TooLarge);
        }
        self.files.insert(name, bytes);
        Ok(())
    }
}
