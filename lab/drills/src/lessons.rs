//! Which step shows what a drill is about; the tour has this table, too.

/// The steps, by the number of the drill, from 1.
pub(crate) const LESSONS: [&str; 20] = [
    "lab-11-threads-basics",
    "lab-06-race-condition",
    "lab-06-race-condition",
    "lab-12-race-conditions",
    "lab-13-locks-and-rlock",
    "lab-07-locks",
    "lab-14-queue-producer-consumer",
    "lab-17-async-basics",
    "lab-09-async-http-downloader",
    "lab-18-async-producer-consumer",
    "lab-11-threads-basics",
    "lab-13-locks-and-rlock",
    "lab-17-async-basics",
    "lab-17-async-basics",
    "lab-17-async-basics",
    "lab-18-async-producer-consumer",
    "lab-15-thread-pool-executor",
    "lab-14-queue-producer-consumer",
    "lab-19-async-vs-threads-fx",
    "lab-10-hybrid-pipeline",
];
