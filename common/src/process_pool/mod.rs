//! process_pool
