//! The whole path in one go
