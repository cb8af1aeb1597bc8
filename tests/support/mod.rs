//! What the tests of the whole path share: the built steps.

use lab_00_tour::{path, walk};
use std::{collections::BTreeMap, path::PathBuf, sync::OnceLock};

/// The binary of every step, built once per test program.
pub(crate) fn binaries() -> &'static BTreeMap<String, PathBuf> {
    static BINARIES: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    BINARIES.get_or_init(|| {
        let stops = path::stops(None);
        let binaries = walk::build(&stops).expect("cargo starts");
        let missing: Vec<_> = stops
            .iter()
            .filter(|stop| !binaries.contains_key(stop.package))
            .collect();
        assert!(missing.is_empty(), "did not build: {missing:?}");
        binaries
    })
}
