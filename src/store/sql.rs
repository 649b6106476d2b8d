//! What the store's files speak instead of one database's own interface: statements with bound values, rows with typed
//! columns. One text serves both databases: `?1` stands for a value everywhere, and only what both understand is used.

use std::fmt;

use super::error::StoreError;

/// The kinds of columns there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
}

/// A value on its way into a statement, or out of a row.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// Nothing, where this kind would stand: PostgreSQL must know it to read `?1 IS NULL`.
    Null(Kind),
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl fmt::Debug for Value<'_> {
    /// The kind alone: values may be a practice's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null(_) => "Null",
            Self::Int(_) => "Int",
            Self::Text(_) => "Text",
            Self::Bytes(_) => "Bytes",
        })
    }
}

impl Value<'_> {
    /// What kind it is.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Null(kind) => *kind,
            Self::Int(_) => Kind::Int,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
        }
    }
}

/// What can be bound to a statement.
pub(super) trait Bind<'a> {
    /// Its kind, also where there is none of it.
    const KIND: Kind;
    /// The value.
    fn value(self) -> Value<'a>;
}

macro_rules! bind {
    ($($type:ty, $kind:ident, |$it:ident| $value:expr;)*) => {$(
        impl<'a> Bind<'a> for $type {
            const KIND: Kind = Kind::$kind;
            fn value(self) -> Value<'a> {
                let $it = self;
                Value::$kind($value)
            }
        }
    )*};
}
bind! {
    i64, Int, |it| it;
    u32, Int, |it| it.into();
    bool, Int, |it| it.into();
    &'a str, Text, |it| it;
    &'a String, Text, |it| it;
    &'a [u8], Bytes, |it| it;
    &'a Vec<u8>, Bytes, |it| it;
}

impl<'a, const N: usize> Bind<'a> for &'a [u8; N] {
    const KIND: Kind = Kind::Bytes;
    fn value(self) -> Value<'a> {
        Value::Bytes(self)
    }
}

impl<'a, T: Bind<'a>> Bind<'a> for Option<T> {
    const KIND: Kind = T::KIND;
    fn value(self) -> Value<'a> {
        self.map_or(Value::Null(T::KIND), T::value)
    }
}

impl<'a, T> Bind<'a> for &'a Option<T>
where
    &'a T: Bind<'a>,
{
    const KIND: Kind = <&'a T>::KIND;
    fn value(self) -> Value<'a> {
        self.as_ref().value()
    }
}

/// The values of one statement, in the order of `?1`, `?2`, …
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Bind::value($value)),*] };
}
pub(super) use values;

/// A column's type.
pub(super) trait Column: Sized {
    /// The column's value, if it is of this type.
    fn from_value(value: Value<'_>) -> Option<Self>;
}

impl Column for i64 {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Int(value) = value { Some(value) } else { None }
    }
}

impl Column for String {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Text(value) = value { Some(value.to_owned()) } else { None }
    }
}

impl Column for Vec<u8> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Bytes(value) = value { Some(value.to_vec()) } else { None }
    }
}

impl<const N: usize> Column for [u8; N] {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Bytes(value) = value { value.try_into().ok() } else { None }
    }
}

impl<T: Column> Column for Option<T> {
    fn from_value(value: Value<'_>) -> Option<Self> {
        if let Value::Null(_) = value { Some(None) } else { T::from_value(value).map(Some) }
    }
}

/// One row, as a database gives it.
pub(super) trait Fields {
    /// The value of a column, counted from 0.
    fn field(&self, index: usize) -> Result<Value<'_>, StoreError>;
}

/// One row of a result.
pub(super) struct Row<'r>(&'r dyn Fields);

impl Row<'_> {
    /// A column as it is, counted from 0.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it holds what no column of ours holds.
    pub(super) fn value(&self, index: usize) -> Result<Value<'_>, StoreError> {
        self.0.field(index)
    }

    /// A column, counted from 0.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it holds another kind of value.
    pub(super) fn get<T: Column>(&self, index: usize) -> Result<T, StoreError> {
        T::from_value(self.0.field(index)?).ok_or(StoreError::Damaged { what: "a column holds another kind of value" })
    }
}

impl Kind {
    /// The kind that a type's name means, in either database's words.
    pub(super) fn of_type(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "integer" | "bigint" => Some(Self::Int),
            "text" => Some(Self::Text),
            "blob" | "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }
}

/// A column's name and the kind of its type, from a row of a catalogue.
pub(super) fn column(row: &Row<'_>) -> Result<(String, Kind), StoreError> {
    let kind = Kind::of_type(&row.get::<String>(1)?);
    Ok((row.get(0)?, kind.ok_or(StoreError::Damaged { what: "a column has a type that this program does not know" })?))
}

/// Takes a row; says whether to go on.
pub(super) type Visit<'v> = &'v mut dyn FnMut(&dyn Fields) -> Result<bool, StoreError>;

/// A connection to a database: all that the store asks of one.
pub(super) trait Database: Send {
    /// Runs a statement; says how many rows it changed.
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError>;

    /// Runs a query and gives its rows to `visit` until that says not to go on.
    fn query(&self, sql: &str, values: &[Value<'_>], visit: Visit<'_>) -> Result<(), StoreError>;

    /// Runs several statements without values.
    fn batch(&self, sql: &str) -> Result<(), StoreError>;

    /// The names of all tables, in the order in which they were made.
    fn tables(&self) -> Result<Vec<String>, StoreError>;

    /// A table's columns that hold what was put into them; none when there is no such table.
    fn columns(&self, table: &str) -> Result<Vec<(String, Kind)>, StoreError>;

    /// Begins a transaction that writes; nobody else writes meanwhile.
    fn begin(&self) -> Result<(), StoreError>;

    /// Begins a transaction that reads one consistent state.
    fn begin_reading(&self) -> Result<(), StoreError>;

    /// Makes durable what was written since [`Database::begin`].
    fn commit(&self) -> Result<(), StoreError> {
        self.execute("COMMIT", &[]).map(|_| ())
    }

    /// Leaves the transaction without a trace of it.
    fn roll_back(&self) -> Result<(), StoreError> {
        self.execute("ROLLBACK", &[]).map(|_| ())
    }

    /// Marks a place in the transaction to go back to.
    fn mark(&self) -> Result<(), StoreError> {
        self.execute("SAVEPOINT one", &[]).map(|_| ())
    }

    /// Forgets the mark; without `keep`, also what was written since.
    fn unmark(&self, keep: bool) -> Result<(), StoreError> {
        if !keep {
            self.execute("ROLLBACK TO one", &[])?;
        }
        self.execute("RELEASE one", &[]).map(|_| ())
    }

    /// Whether a transaction is open. Some failures end one.
    fn in_transaction(&self) -> bool;

    /// Whether it is of use to the next one who needs a connection.
    fn usable(&self) -> bool {
        !self.in_transaction()
    }

    /// Whether there is still somebody at the other end.
    fn answers(&self) -> bool {
        true
    }
}

/// What a piece of work is given: a connection with comfort.
pub(super) struct Sql<'c>(pub(super) &'c dyn Database);

impl Sql<'_> {
    /// Runs a statement; says how many rows it changed.
    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<usize, StoreError> {
        self.0.execute(sql, values)
    }

    /// All rows of a query. The query bounds how many those can be.
    pub(super) fn all<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, values, |row| {
            found.push(read(row)?);
            Ok(true)
        })?;
        Ok(found)
    }

    /// The first row of a query, if there is one. Also for `… RETURNING`: the statement is run to its end.
    pub(super) fn one<T>(
        &self,
        sql: &str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut found = None;
        self.each(sql, values, |row| {
            if found.is_none() {
                found = Some(read(row)?);
            }
            Ok(true)
        })?;
        Ok(found)
    }

    /// Gives each row to `visit` until that says not to go on.
    pub(super) fn each(
        &self,
        sql: &str,
        values: &[Value<'_>],
        mut visit: impl FnMut(&Row<'_>) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        self.0.query(sql, values, &mut |fields| visit(&Row(fields)))
    }

    /// Runs `work` so that all it reads is one consistent state. For readers; a write sees one anyway.
    pub(super) fn consistent<T>(&self, work: impl FnOnce(&Self) -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.0.begin_reading()?;
        let result = work(self);
        self.0.roll_back()?;
        result
    }
}
