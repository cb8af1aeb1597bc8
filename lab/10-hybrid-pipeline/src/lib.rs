//! Async fetch and parsing in processes
