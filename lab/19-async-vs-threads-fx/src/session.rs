//! One run as the venue sees it.

use std::sync::{Mutex, PoisonError};
use web::venue::{Counts, Venue};

/// Begins with the variant; has the venue's counts when that is over.
pub(crate) struct Session<'a> {
    venue: &'a Venue,
    bell: usize,
    seen: Mutex<Counts>,
}

impl<'a> Session<'a> {
    /// A run whose bell rings at the arrival `bell`; without one if that is less than two.
    pub(crate) fn new(venue: &'a Venue, bell: usize) -> Self {
        let seen = Mutex::default();
        Self { venue, bell, seen }
    }

    /// What it counted; nothing before the run is over.
    pub(crate) fn seen(&self) -> Counts {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl common::Observer for Session<'_> {
    fn begin(&self) -> anyhow::Result<()> {
        Ok(self.venue.begin(self.bell)?)
    }

    /// A venue that has died has counted nothing; what its clients got is kept all the same.
    fn counts(&self) -> anyhow::Result<Option<common::Counts>> {
        let Ok(counts) = self.venue.counts() else {
            return Ok(None);
        };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = counts;
        Ok(Some(common::Counts {
            peak_in_flight: counts.peak_in_flight,
            connections: counts.connections,
        }))
    }
}
