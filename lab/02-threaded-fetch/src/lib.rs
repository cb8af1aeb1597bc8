//! One thread per URL
