//! Four requests, one after another
