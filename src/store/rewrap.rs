//! Where sealed texts stand, so that a rotation finds all of them. A column of bytes that is in neither list here fails a
//! test: a text that a rotation forgets would be lost with its key.

use super::sql::{Sql, values};
use super::vault::{Cursor, move_cursor};
use super::{Store, StoreError};
use crate::practice::PracticeId;

/// Statements over one column of sealed texts.
struct Kind {
    /// Table and column.
    #[cfg(test)]
    name: &'static str,
    /// Place and text after a place, in order, where the text has a number that is not `?3`.
    page: &'static str,
    /// Puts a text in the place of the one that was read.
    put: &'static str,
    /// Whether a text begins with these bytes.
    stands: &'static str,
    /// What the texts begin with.
    marks: &'static str,
}

/// A column of sealed texts: its table, its column, and how its rows of a practice are told apart and ordered. A place is
/// a text that the cursor keeps; `after` and `here` compare the key's own columns with it, so that an index is used.
macro_rules! kind {
    // One column of text tells the rows apart.
    ($table:literal, $column:literal, $id:literal) => {
        kind!($table, $column, $id, "practice")
    };
    // Of nobody's alone: sealed under the gateway's own key.
    ($table:literal, $column:literal, $id:literal, $practice:literal) => {
        kind!(
            $table,
            $column,
            $practice,
            place: $id,
            after: concat!($id, " > ?2"),
            here: concat!($id, " = ?2"),
            order: $id
        )
    };
    // A number does.
    ($table:literal, $column:literal, number: $n:literal, $practice:literal) => {
        kind!(
            $table,
            $column,
            $practice,
            place: concat!("CAST(", $n, " AS TEXT)"),
            after: concat!($n, " > CAST(coalesce(nullif(?2, ''), '0') AS BIGINT)"),
            here: concat!($n, " = CAST(?2 AS BIGINT)"),
            order: $n
        )
    };
    (
        $table:literal,
        $column:literal,
        $practice:literal,
        place: $place:expr,
        after: $after:expr,
        here: $here:expr,
        order: $order:expr
    ) => {
        Kind {
            #[cfg(test)]
            name: concat!($table, ".", $column),
            page: concat!(
                "SELECT ", $place, ", ", $column, " FROM ", $table, " WHERE ", $practice, " = ?1 AND ", $after, " AND ",
                $column, " IS NOT NULL AND substr(", $column, ", 1, 1) = ?5 AND substr(", $column,
                ", 1, 5) <> ?3 ORDER BY ", $order, " LIMIT ?4"
            ),
            put: concat!(
                "UPDATE ", $table, " SET ", $column, " = ?3 WHERE ", $practice, " = ?1 AND ", $here, " AND ", $column,
                " = ?4"
            ),
            marks: concat!("SELECT DISTINCT substr(", $column, ", 1, 5) FROM ", $table, " WHERE ", $column, " IS NOT NULL"),
            stands: concat!(
                "SELECT count(*) FROM (SELECT 1 FROM ", $table, " WHERE substr(", $column, ", 1, 5) = ?1 LIMIT 1) AS found"
            ),
        }
    };
}

/// Every column that holds sealed texts. Only ever grows at its end: a cursor holds the place in it.
const KINDS: &[Kind] = &[
    kind!("credential_field", "sealed", "carrier || '/' || name"),
    kind!("ask", "envelope", "id"),
    kind!("evidence", "sealed", "ask"),
    kind!("webhook", "sealed", "id"),
    kind!("submission", "sealed_ask", "id"),
    kind!("submission", "sealed_end", "id"),
    kind!("attempt", "sealed_wire", "id"),
    kind!("resolution", "sealed", "id"),
    kind!("practice_profile", "sealed", "practice"),
    kind!("person", "password", "id", "'gateway'"),
    kind!("person", "totp", "id", "'gateway'"),
    kind!("person", "totp_draft", "id", "'gateway'"),
    kind!("batch", "content", "id"),
    kind!("batch", "name", "id"),
    // A batch's id has 38 letters.
    kind!(
        "batch_item",
        "sealed",
        "practice",
        place: "batch || '/' || CAST(n AS TEXT)",
        after: "(batch, n) > (substr(?2, 1, 38), CAST(coalesce(nullif(substr(?2, 40), ''), '0') AS BIGINT))",
        here: "(batch, n) = (substr(?2, 1, 38), CAST(substr(?2, 40) AS BIGINT))",
        order: "batch, n"
    ),
    kind!("trail_detail", "sealed", number: "seq", "practice"),
    kind!("trail_key", "sealed", number: "n", "'gateway'"),
    kind!("patient", "sealed", "id"),
    kind!("patient_call", "sealed", "id"),
    kind!("appointment", "sealed", "id"),
    kind!("carrier_pause", "sealed", "carrier"),
];

/// Columns of bytes that hold no sealed text: hashes, codes, keys that are wrapped by the vault's own hand.
#[cfg(test)]
const NOT_SEALED: &[&str] = &[
    "api_key.hash",
    "appointment.key",
    "attempt.wire_digest",
    "batch.idem",
    "credential_field.data_key",
    "known_device.hash",
    "person.invite",
    "recovery_code.hash",
    "session.hash",
    "submission.content_mac",
    "submission.key_digest",
    "submission.receipt_mac",
    "setup_token.hash",
    "trail.chain",
    "trail.mac",
    "trail_detail.patient",
    "trail_head.chain",
    "trail_head.frontier",
    "trail_head.mac",
    "trail_key.public",
    "trail_packet.digest",
    "trail_tile.hash",
    "vault_key.wrapped",
    "vault_root.wrapped",
    "vault_wrapping.code",
    "vault_wrapping.salt",
    "vault_wrapping.wrapped",
];

/// How many kinds of sealed text there are.
pub fn kinds() -> i64 {
    i64::try_from(KINDS.len()).unwrap_or(i64::MAX)
}

/// Whether the kind is the values of credentials, whose place is `carrier/field`.
pub fn is_credentials(kind: i64) -> bool {
    kind == 0
}

/// A sealed text and its place.
pub struct Sealed {
    /// What tells it apart from the others of its practice and kind.
    pub place: String,
    /// The text.
    pub text: Vec<u8>,
}

/// Texts of the cursor's practice and kind after its place, whose data keys another key than `mark` wraps.
///
/// # Errors
/// What the store says.
pub async fn page(store: &Store, at: &Cursor, mark: [u8; 5], limit: u32) -> Result<Vec<Sealed>, StoreError> {
    let Some(kind) = kind(at.kind) else { return Ok(Vec::new()) };
    let at = at.clone();
    // The first byte says that the text has a number at all.
    let layout = [mark[0]];
    store
        .read(move |sql| {
            sql.all(kind.page, values![&at.practice, &at.place, &mark, limit, &layout], |row| {
                Ok(Sealed { place: row.get(0)?, text: row.get(1)? })
            })
        })
        .await
}

/// A text that takes the place of another.
pub struct Exchanged {
    /// Where.
    pub place: String,
    /// The text that was read there. When it is another one by now, nothing changes.
    pub old: Vec<u8>,
    /// The same text under another key.
    pub new: Vec<u8>,
}

/// Exchanges texts and moves the cursor on, in one transaction.
///
/// # Errors
/// What the store says.
pub async fn exchange(
    store: &Store,
    practice: &PracticeId,
    at: i64,
    texts: Vec<Exchanged>,
    to: Cursor,
) -> Result<(), StoreError> {
    let practice = practice.clone();
    store
        .write(move |sql| {
            if let Some(kind) = kind(at) {
                for text in &texts {
                    sql.execute(kind.put, values![practice.as_str(), &text.place, &text.new, &text.old])?;
                }
            }
            move_cursor(sql, &to)
        })
        .await
}

fn kind(index: i64) -> Option<&'static Kind> {
    usize::try_from(index).ok().and_then(|index| KINDS.get(index))
}

/// Whether any text anywhere begins with these bytes.
pub(super) fn stands_in(sql: &Sql<'_>, mark: &[u8; 5]) -> Result<bool, StoreError> {
    for kind in KINDS {
        if sql.one(kind.stands, values![mark], |row| row.get::<i64>(0))? != Some(0) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What all texts begin with: each key's mark once. Reads everything.
///
/// # Errors
/// What the store says.
pub async fn marks(store: &Store) -> Result<Vec<Vec<u8>>, StoreError> {
    store
        .read(|sql| {
            let mut found = Vec::new();
            for kind in KINDS {
                found.extend(sql.all(kind.marks, &[], |row| row.get::<Vec<u8>>(0))?);
            }
            found.sort();
            found.dedup();
            Ok(found)
        })
        .await
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;

    /// The names of all columns of bytes in the schema's files.
    fn columns_of_bytes() -> Vec<String> {
        let mut found = Vec::new();
        for (_, _, sql) in super::super::migrations::STEPS {
            let mut table = String::new();
            for line in sql.lines().map(str::trim) {
                let mut words = line.split([' ', '(', ';']).filter(|word| !word.is_empty());
                let first: Vec<&str> = words.clone().take(3).collect();
                if let ["CREATE", "TABLE", name] = first[..] {
                    table = name.to_owned();
                } else if let ["ALTER", "TABLE", name] = first[..] {
                    let rest: Vec<&str> = words.skip(3).collect();
                    if let Some(at) = rest.iter().position(|word| word.trim_end_matches(',') == "BLOB") {
                        found.push(format!("{name}.{}", rest[at - 1]));
                    }
                } else if words.nth(1).is_some_and(|word| word.trim_end_matches(',') == "BLOB") {
                    found.push(format!("{table}.{}", first[0]));
                }
            }
        }
        found
    }

    #[test]
    fn a_rotation_knows_every_column_of_bytes() {
        let columns = columns_of_bytes();
        assert!(columns.len() >= KINDS.len() + NOT_SEALED.len(), "{columns:?}");
        for column in &columns {
            let listed = KINDS.iter().filter(|kind| kind.name == *column).count()
                + NOT_SEALED.iter().filter(|name| *name == column).count();
            assert_eq!(
                listed, 1,
                "{column}: put it into KINDS when it holds what a Sealer sealed, else into NOT_SEALED"
            );
        }
        for name in KINDS.iter().map(|kind| kind.name).chain(NOT_SEALED.iter().copied()) {
            assert!(columns.iter().any(|column| column == name), "{name} is no column any more");
        }
    }

    fn kind_of(name: &str) -> i64 {
        KINDS.iter().position(|kind| kind.name == name).and_then(|kind| i64::try_from(kind).ok()).unwrap()
    }

    fn text(key: u8) -> Vec<u8> {
        [&[2, 0, 0, 0, key][..], b"a text"].concat()
    }

    /// Goes through a kind's texts in pages of five and puts each under key 2; how many there were.
    async fn exchange_all(store: &Store, mut at: Cursor) -> usize {
        let mut seen = 0;
        loop {
            let found = page(store, &at, [2, 0, 0, 0, 2], 5).await.unwrap();
            let Some(last) = found.last() else { return seen };
            seen += found.len();
            at.place.clone_from(&last.place);
            let texts =
                found.into_iter().map(|text| Exchanged { place: text.place, old: text.text, new: self::text(2) });
            exchange(store, &PracticeId::new("p"), at.kind, texts.collect(), at.clone()).await.unwrap();
        }
    }

    /// Each statement is understood, and texts whose place is more than an id are found, once. Run on both databases by
    /// the suite beside.
    pub(in crate::store) async fn finds_every_text(store: Arc<Store>) {
        let cursor = |kind| Cursor { practice: "p".to_owned(), kind, place: String::new(), begun_at: 1 };
        for kind in 0..kinds() {
            assert_eq!(exchange_all(&store, cursor(kind)).await, 0);
            let text = Exchanged { place: "1".to_owned(), old: vec![1], new: vec![2] };
            // No batch has this id, and there is no number in it: nothing to exchange.
            let text = if kind == kind_of("batch_item.sealed") {
                Exchanged { place: format!("{}/1", "b".repeat(38)), ..text }
            } else {
                text
            };
            exchange(&store, &PracticeId::new("p"), kind, vec![text], cursor(kind)).await.unwrap();
        }
        assert!(marks(&store).await.unwrap().is_empty());
        let batches = ["batch_0", "batch_1"].map(|start| format!("{start}{}", "e".repeat(31)));
        store.write(move |sql| some_texts(sql, &batches)).await.unwrap();
        for (name, texts) in [("batch.content", 2), ("batch_item.sealed", 24), ("trail_detail.sealed", 12)] {
            assert_eq!(exchange_all(&store, cursor(kind_of(name))).await, texts, "{name}");
            assert_eq!(exchange_all(&store, cursor(kind_of(name))).await, 0, "{name}");
        }
        assert_eq!(marks(&store).await.unwrap(), [[2, 0, 0, 0, 2]]);
        let stands = |key| store.read(move |sql| stands_in(sql, &[2, 0, 0, 0, key]));
        assert_eq!((stands(1).await, stands(2).await), (Ok(false), Ok(true)));
    }

    fn some_texts(sql: &Sql<'_>, batches: &[String]) -> Result<(), StoreError> {
        sql.execute("INSERT INTO practice(id, name, created_at) VALUES ('p', 'P', 1)", &[])?;
        for (n, batch) in (0_u8..).zip(batches) {
            sql.execute(
                "INSERT INTO batch(practice, id, idem, content, actor, state, items, left_out, made_at)
                 VALUES ('p', ?1, ?2, ?3, 'k', 'running', 12, 0, 1)",
                values![batch, &vec![n; 32], &text(1)],
            )?;
            for n in 1..=12_i64 {
                sql.execute(
                    "INSERT INTO batch_item(practice, batch, n, carrier, state, tries, not_before, sealed)
                     VALUES ('p', ?1, ?2, 'acme', 'waiting', 0, 0, ?3)",
                    values![batch, n, &text(1)],
                )?;
            }
        }
        for seq in 1..=12_i64 {
            sql.execute(
                "INSERT INTO trail_detail(practice, seq, sealed) VALUES ('p', ?1, ?2)",
                values![seq, &text(1)],
            )?;
        }
        Ok(())
    }
}
