//! The same loop in a pool of processes
