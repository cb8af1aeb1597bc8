//! Ten tasks on one thread
