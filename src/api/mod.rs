//! JSON over HTTP; the only room that knows status codes.
