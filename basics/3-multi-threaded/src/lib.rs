//! The same four requests, overlapping
