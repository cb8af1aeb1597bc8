//! Limits, retries and back-off
