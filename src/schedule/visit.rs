//! An appointment, and a file of them as it was read.

use std::fmt;

use connector_sdk::Phi;
use connector_sdk::ask::FieldProblem;
use jiff::civil::{Date, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::patients::Patient;

/// Problems listed at most; all are counted.
pub const PROBLEMS_LISTED: usize = 100;
/// Longest text of an appointment's field, characters.
pub(super) const TEXT_MAX: usize = 120;
/// Service types or procedures of one appointment at most.
pub(super) const CODES_MAX: usize = 20;

/// An appointment without its patient.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Visit {
    /// When it begins, where the practice is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub time: Option<Time>,
    /// What kind of visit, in the practice's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit_type: Option<Phi<String>>,
    /// NPI of who is seen; the practice's own first one is asked with where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_npi: Option<String>,
    /// Name of who is seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// X12 service type codes to ask about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_types: Vec<String>,
    /// Procedure codes that are booked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub procedures: Vec<String>,
    /// The carrier's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier as the practice's own system writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier_as_written: Option<String>,
}

impl fmt::Debug for Visit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Visit").field("carrier", &self.carrier).finish_non_exhaustive()
    }
}

/// One appointment of a file.
#[derive(Clone, Debug)]
pub struct Booked {
    /// The day.
    pub date: Date,
    /// The other system's own id for it.
    pub key: Option<String>,
    /// The appointment.
    pub visit: Visit,
    /// Whose.
    pub patient: Patient,
}

/// A file, as it was read.
#[derive(Debug, Default)]
pub struct ReadFile {
    /// What is in order.
    pub booked: Vec<Booked>,
    /// How many rows have problems.
    pub left_out: usize,
    /// How many were cancelled there.
    pub cancelled: usize,
    /// The first problems.
    pub problems: Vec<FieldProblem>,
    /// How many problems there are.
    pub count: usize,
    /// What was not used, in fixed words and numbers of columns.
    pub notes: Vec<String>,
}

impl ReadFile {
    /// Leaves a row out.
    pub(super) fn bad(&mut self, problems: Vec<FieldProblem>) {
        self.left_out += 1;
        self.count += problems.len();
        let room = PROBLEMS_LISTED.saturating_sub(self.problems.len());
        self.problems.extend(problems.into_iter().take(room));
    }

    /// Nothing of the file can be used.
    pub(super) fn none(problems: Vec<FieldProblem>) -> Self {
        let count = problems.len();
        Self { problems, count, ..Self::default() }
    }
}
