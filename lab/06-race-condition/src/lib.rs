//! Expected against got: updates lost in a race
