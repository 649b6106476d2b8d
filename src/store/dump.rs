//! The whole store as a stream of bytes, the same whichever database it comes from or goes to. What is sealed in the
//! tables stays sealed; the stream as a whole is sealed by whoever keeps it.
//!
//! The stream: for each table `T`, name, number of columns, their names; then for each row `R` and its values. Texts
//! and bytes follow their length (32 bits, big-endian); a value follows its kind (`n`, `i`, `t`, `b`). `E` ends it.

use super::restored::{Doubted, Restoring, after_restore_in};
use super::sql::{Kind, Row, Sql, Value};
use super::{Store, StoreError};

/// A piece is handed on once it is this large, bytes. A row may make it larger.
const PIECE: usize = 256 * 1024;
/// Largest text or value that is read back: no row that was ever written comes near, and a damaged length must not ask
/// for memory that is not there.
const VALUE_MAX: usize = 256 * 1024 * 1024;
/// No key of a table has more columns, and all stand first.
const ORDER_BY: usize = 3;
/// Tables whose key is not the order in which they grew: attempts follow each other by their number.
const ORDERS: [(&str, &str); 1] = [("attempt", "practice, submission, n")];
/// Not dumped: what belongs to one database's life, and the schema's own table.
const LEFT_OUT: [&str; 2] = ["schema_migration", "store_start"];

const DAMAGED: StoreError = StoreError::Damaged { what: "the backup's content cannot be read" };

/// The oldest schema whose dump fills the tables of this program. Every later step only adds tables and columns that need
/// no value (a test holds that): what the stream lacks stays empty. A step that changes what is there moves this number to
/// its own.
pub const OLDEST_SCHEMA: i64 = 8;

/// Takes the stream piece by piece. An error ends the dump.
pub type Sink = Box<dyn FnMut(&[u8]) -> Result<(), StoreError> + Send>;

/// Gives the next piece; an empty one at the end.
pub type Source = Box<dyn FnMut() -> Result<Vec<u8>, StoreError> + Send>;

/// Which tables of a store.
#[derive(Clone, Copy, Debug)]
pub enum Which {
    /// These.
    Only(&'static [&'static str]),
    /// All but these.
    AllBut(&'static [&'static str]),
    /// These, and of a table that belongs to practices only the gateway's own rows.
    Gateways(&'static [&'static str]),
}

impl Which {
    fn holds(self, table: &str) -> bool {
        match self {
            Self::Only(tables) | Self::Gateways(tables) => tables.contains(&table),
            Self::AllBut(tables) => !tables.contains(&table),
        }
    }

    /// Which rows of a table with these columns.
    fn rows(self, columns: &[(String, Kind)]) -> &'static str {
        let of_practices = columns.iter().any(|(name, _)| name == "practice");
        if matches!(self, Self::Gateways(_)) && of_practices { "WHERE practice = 'gateway'" } else { "" }
    }
}

/// Dumps tables from one consistent state of the store, while it goes on working. Says how many rows.
///
/// # Errors
/// What the store or the sink says.
pub async fn dump(store: &Store, which: Which, mut sink: Sink) -> Result<u64, StoreError> {
    store.read(move |sql| sql.consistent(|sql| dump_in(sql, which, &mut sink))).await
}

fn dump_in(sql: &Sql<'_>, which: Which, sink: &mut Sink) -> Result<u64, StoreError> {
    let mut piece = Vec::with_capacity(PIECE * 2);
    let mut rows = 0;
    for table in tables(sql)?.iter().filter(|table| which.holds(table)) {
        let columns = sql.0.columns(table)?;
        piece.push(b'T');
        put(&mut piece, table.as_bytes())?;
        piece.extend_from_slice(&length(columns.len())?);
        for (column, _) in &columns {
            put(&mut piece, column.as_bytes())?;
        }
        // In the order of its key, which is the order in which it grew: triggers look at what is there before a row.
        let by_key = || (1..=columns.len().min(ORDER_BY)).map(|n| n.to_string()).collect::<Vec<_>>().join(", ");
        let order =
            ORDERS.iter().find(|(named, _)| named == table).map_or_else(by_key, |(_, order)| (*order).to_owned());
        let (listed, table, rows_of, order) = (list(&columns)?, name(table)?, which.rows(&columns), order);
        sql.each(&format!("SELECT {listed} FROM {table} {rows_of} ORDER BY {order}"), &[], |row| {
            put_row(&mut piece, row, columns.len())?;
            rows += 1;
            if piece.len() >= PIECE {
                sink(&piece)?;
                piece.clear();
            }
            Ok(true)
        })?;
    }
    piece.push(b'E');
    sink(&piece)?;
    Ok(rows)
}

fn put_row(piece: &mut Vec<u8>, row: &Row<'_>, columns: usize) -> Result<(), StoreError> {
    piece.push(b'R');
    for index in 0..columns {
        match row.value(index)? {
            Value::Null(_) => piece.push(b'n'),
            Value::Int(value) => {
                piece.push(b'i');
                piece.extend_from_slice(&value.to_be_bytes());
            }
            Value::Text(value) => {
                piece.push(b't');
                put(piece, value.as_bytes())?;
            }
            Value::Bytes(value) => {
                piece.push(b'b');
                put(piece, value)?;
            }
        }
    }
    Ok(())
}

/// Whether nothing was ever done in this store: everything that is done leaves a record.
///
/// # Errors
/// What the store says.
pub async fn is_new(store: &Store) -> Result<bool, StoreError> {
    let first = store.read(|sql| sql.one("SELECT seq FROM trail LIMIT 1", &[], |row| row.get::<i64>(0))).await?;
    Ok(first.is_none())
}

/// Fills the tables of a new store (see [`is_new`]), in one transaction: all of the stream, or nothing of it. What stood
/// in a table of the stream goes. Says how many rows.
///
/// # Errors
/// [`StoreError::Damaged`] where the stream is not one; what the source or the store says.
pub async fn fill(store: &Store, mut source: Source) -> Result<u64, StoreError> {
    store.write(move |sql| fill_in(sql, &mut source)).await
}

/// As [`fill`], and doubts in the same transaction what may have happened since the stream was made: there is no moment
/// in which a store is full and believes itself.
///
/// # Errors
/// As [`fill`] and [`after_restore`](super::restored::after_restore).
pub async fn fill_and_doubt(
    store: &Store,
    mut source: Source,
    restoring: Restoring,
) -> Result<(u64, Doubted), StoreError> {
    store
        .write(move |sql| {
            let rows = fill_in(sql, &mut source)?;
            crate::failpoint::hit("restoring");
            Ok((rows, after_restore_in(sql, restoring)?))
        })
        .await
}

fn fill_in(sql: &Sql<'_>, source: &mut Source) -> Result<u64, StoreError> {
    let stream = &mut Stream { source, piece: Vec::new(), at: 0 };
    let known = tables(sql)?;
    let mut rows = 0;
    let mut insert: Option<(String, Vec<Kind>)> = None;
    loop {
        match (stream.byte()?, &insert) {
            (b'T', _) => insert = Some(begin_table(sql, stream, &known)?),
            (b'R', Some((statement, kinds))) => {
                let owned = kinds.iter().map(|_| stream.value()).collect::<Result<Vec<_>, _>>()?;
                let values: Vec<Value<'_>> = owned.iter().zip(kinds).map(|(owned, kind)| owned.value(*kind)).collect();
                sql.execute(statement, &values)?;
                rows += 1;
            }
            (b'E', _) => return Ok(rows),
            _ => return Err(DAMAGED),
        }
    }
}

/// The statement that puts a row into the next table, and the kinds of values it takes.
fn begin_table(sql: &Sql<'_>, stream: &mut Stream<'_>, known: &[String]) -> Result<(String, Vec<Kind>), StoreError> {
    const UNKNOWN: StoreError =
        StoreError::Damaged { what: "the backup has a table or column that this program does not know" };
    let table = stream.text()?;
    let count = stream.length()?;
    let there = sql.0.columns(&table)?;
    // Only names that this schema has reach a statement.
    if !known.contains(&table) || count == 0 || count > there.len() {
        return Err(UNKNOWN);
    }
    let mut columns = Vec::with_capacity(count);
    for _ in 0..count {
        let column = stream.text()?;
        columns.push(there.iter().find(|(name, _)| *name == column).cloned().ok_or(UNKNOWN)?);
    }
    let table = name(&table)?;
    let found = sql.one(&format!("SELECT count(*) FROM {table}"), &[], |row| row.get::<i64>(0))?;
    if found != Some(0) {
        sql.execute(&format!("DELETE FROM {table}"), &[])?;
    }
    let places: Vec<String> = (1..=count).map(|n| format!("?{n}")).collect();
    let statement = format!("INSERT INTO {table}({}) VALUES ({})", list(&columns)?, places.join(", "));
    Ok((statement, columns.into_iter().map(|(_, kind)| kind).collect()))
}

/// The tables that a dump is made of, in the order in which they were made: what is referred to comes first.
fn tables(sql: &Sql<'_>) -> Result<Vec<String>, StoreError> {
    let mut tables = sql.0.tables()?;
    tables.retain(|table| !LEFT_OUT.contains(&table.as_str()));
    Ok(tables)
}

fn list(columns: &[(String, Kind)]) -> Result<String, StoreError> {
    Ok(columns.iter().map(|(column, _)| name(column)).collect::<Result<Vec<_>, _>>()?.join(", "))
}

/// A name as it may stand in a statement: it comes from a catalogue, which a tampered database could have filled.
fn name(name: &str) -> Result<&str, StoreError> {
    let plain =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if plain { Ok(name) } else { Err(DAMAGED) }
}

fn length(length: usize) -> Result<[u8; 4], StoreError> {
    u32::try_from(length).map(u32::to_be_bytes).map_err(|_| DAMAGED)
}

fn put(piece: &mut Vec<u8>, bytes: &[u8]) -> Result<(), StoreError> {
    piece.extend_from_slice(&length(bytes.len())?);
    piece.extend_from_slice(bytes);
    Ok(())
}

/// A value read back.
enum Owned {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Owned {
    fn value(&self, kind: Kind) -> Value<'_> {
        match self {
            Self::Null => Value::Null(kind),
            Self::Int(value) => Value::Int(*value),
            Self::Text(value) => Value::Text(value),
            Self::Bytes(value) => Value::Bytes(value),
        }
    }
}

/// Reads the stream across its pieces.
struct Stream<'s> {
    source: &'s mut Source,
    piece: Vec<u8>,
    at: usize,
}

impl Stream<'_> {
    fn take(&mut self, wanted: usize) -> Result<Vec<u8>, StoreError> {
        if wanted > VALUE_MAX {
            return Err(DAMAGED);
        }
        let mut taken = Vec::new();
        while taken.len() < wanted {
            let left = self.piece.get(self.at..).unwrap_or_default();
            if left.is_empty() {
                self.piece = (self.source)()?;
                self.at = 0;
                if self.piece.is_empty() {
                    return Err(DAMAGED);
                }
                continue;
            }
            let part = left.len().min(wanted - taken.len());
            taken.extend(left.iter().take(part));
            self.at += part;
        }
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, StoreError> {
        self.take(1)?.first().copied().ok_or(DAMAGED)
    }

    fn length(&mut self) -> Result<usize, StoreError> {
        let bytes: [u8; 4] = self.take(4)?.try_into().map_err(|_| DAMAGED)?;
        Ok(u32::from_be_bytes(bytes) as usize)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        let length = self.length()?;
        self.take(length)
    }

    fn text(&mut self) -> Result<String, StoreError> {
        String::from_utf8(self.bytes()?).map_err(|_| DAMAGED)
    }

    fn value(&mut self) -> Result<Owned, StoreError> {
        Ok(match self.byte()? {
            b'n' => Owned::Null,
            b'i' => Owned::Int(i64::from_be_bytes(self.take(8)?.try_into().map_err(|_| DAMAGED)?)),
            b't' => Owned::Text(self.text()?),
            b'b' => Owned::Bytes(self.bytes()?),
            _ => return Err(DAMAGED),
        })
    }
}
