//! What do processes cost and buy?
