//! What the store's files speak instead of one database's own interface: statements with bound values, rows with typed
//! columns. One text serves both databases: `?1` stands for a value everywhere, and only what both understand is used.

use std::fmt;

use super::error::StoreError;

/// A value on its way into a statement, or out of a row.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl fmt::Debug for Value<'_> {
    /// The kind alone: values may be a practice's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Int(_) => "Int",
            Self::Text(_) => "Text",
            Self::Bytes(_) => "Bytes",
        })
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(value.into())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Value<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<'a> From<&'a Option<String>> for Value<'a> {
    fn from(value: &'a Option<String>) -> Self {
        value.as_deref().into()
    }
}

impl<'a> From<&'a Option<Vec<u8>>> for Value<'a> {
    fn from(value: &'a Option<Vec<u8>>) -> Self {
        value.as_deref().into()
    }
}

/// The values of one statement, in the order of `?1`, `?2`, …
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Value::from($value)),*] };
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
        if value == Value::Null { Some(None) } else { T::from_value(value).map(Some) }
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
    /// A column, counted from 0.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it holds another kind of value.
    pub(super) fn get<T: Column>(&self, index: usize) -> Result<T, StoreError> {
        T::from_value(self.0.field(index)?).ok_or(StoreError::Damaged { what: "a column holds another kind of value" })
    }
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

    /// Begins a transaction that writes; nobody else writes meanwhile.
    fn begin(&self) -> Result<(), StoreError>;

    /// Begins a transaction that reads one consistent state.
    fn begin_reading(&self) -> Result<(), StoreError>;

    /// Whether a transaction is open. Some failures end one.
    fn in_transaction(&self) -> bool;
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
        self.0.execute("COMMIT", &[])?;
        result
    }
}
