//! Carriers, Admin, Developer: the pages, through the whole gateway, as a browser without scripts uses them.

mod acts;
mod carriers;
#[cfg(feature = "failpoints")]
mod crash;
mod desk;
mod files;
mod rights;
