//! A pure X12 health-care codec: no I/O, no async.
