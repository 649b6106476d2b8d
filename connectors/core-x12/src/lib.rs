//! Dialect: X12 over CAQH CORE connectivity (SOAP, MIME, plain HTTPS).
