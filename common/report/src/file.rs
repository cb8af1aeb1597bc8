//! Files for results: checked before a run, and replaced whole after it.

use anyhow::Context;
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;

/// The place for a result, checked before the run so that ten seconds are not spent in vain.
///
/// A regular file is replaced whole or not at all; anything else, such as a pipe, is written to.
#[derive(Debug)]
pub struct ResultFile {
    path: PathBuf,
    /// What is no regular file, to be written to.
    special: Option<File>,
    /// What is said where it cannot be written.
    unwritable: String,
}

impl ResultFile {
    /// Prepares the place for `what`, such as `the trace`, which `flag` has named.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub fn create(path: &Path, what: &str, flag: &str) -> anyhow::Result<Self> {
        let place = path.display();
        let unwritable =
            format!("cannot write {what} to `{place}`; name another place with {flag}");
        Ok(Self {
            path: path.to_owned(),
            special: open(path).with_context(|| unwritable.clone())?,
            unwritable,
        })
    }

    /// Writes the result.
    ///
    /// # Errors
    /// The place is full or has gone; an old file stays whole.
    pub fn write(self, text: &str) -> anyhow::Result<()> {
        let written = match self.special {
            Some(mut file) => file.write_all(text.as_bytes()),
            None => replace(&self.path, text),
        };
        written.context(self.unwritable)
    }
}

fn open(path: &Path) -> io::Result<Option<File>> {
    if path.to_string_lossy().ends_with(std::path::is_separator) {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    match fs::metadata(path) {
        Ok(about) if about.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(about) if !about.is_file() => OpenOptions::new().write(true).open(path).map(Some),
        Ok(about) if about.permissions().readonly() => Err(io::ErrorKind::PermissionDenied.into()),
        // A name that is too long, for one.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        // Only tried: a file that waits for the end would stay when the run is broken off.
        _ => beside(&led_to(path)).map(|_| None),
    }
}

/// Replaces a file whole or not at all: a disk that fills up leaves the old one. A link stays a link.
///
/// # Errors
/// The folder cannot be written to, or is full.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = led_to(path);
    let mut file = beside(&path)?;
    // Through the file itself: the temporary name means nothing to the reader.
    file.as_file_mut().write_all(text.as_bytes())?;
    // Some file systems tell only here that they are full.
    file.as_file().sync_all()?;
    file.persist(&path).map(drop).map_err(|error| error.error)
}

/// Where a path leads to, though nothing may be there yet: links followed, its folder as it is really called.
fn led_to(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // More links than the system itself would follow lead nowhere.
    for _ in 0..40 {
        let Ok(to) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("")).join(to);
    }
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
    let folder = fs::canonicalize(folder.unwrap_or(Path::new(".")));
    match (folder, path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path,
    }
}

/// A path that two of these results would go to; pipes and devices take several.
pub fn named_twice(paths: &[&Option<PathBuf>]) -> Option<PathBuf> {
    let is_special = |path: &Path| fs::metadata(path).is_ok_and(|about| !about.is_file());
    let mut seen = BTreeSet::new();
    let mut paths = paths.iter().filter_map(|path| path.as_ref());
    paths
        .find(|path| !is_special(path) && !seen.insert(led_to(path)))
        .cloned()
}

/// A temporary file in the folder of `path`.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "rights are set on Unix only"))]
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // Without the name of the temporary file, which means nothing to the reader.
    let plain = |error: io::Error| error.kind().into();
    let folder = path.parent().unwrap_or(Path::new("."));
    builder.tempfile_in(folder).map_err(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &Path) -> anyhow::Result<ResultFile> {
        ResultFile::create(path, "the report", "--report")
    }

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).expect("it is there").count()
    }

    #[test]
    fn one_place_for_two_results_is_found_however_it_is_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let (page, other) = (folder.path().join("page"), folder.path().join("other"));
        let dotted = folder.path().join(".").join("page");
        let twice = |one: &Path, other: &Path| {
            named_twice(&[&Some(one.to_owned()), &None, &Some(other.to_owned())])
        };
        assert_eq!(twice(&page, &dotted), Some(dotted.clone()));
        assert_eq!(twice(&page, &other), None);
        let null = Path::new("/dev/null");
        assert!(!null.exists() || twice(null, null).is_none());
    }

    #[test]
    fn a_name_that_no_file_can_have_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["page/".to_owned(), "p".repeat(5_000)] {
            assert!(place(&folder.path().join(name)).is_err());
        }
        assert_eq!(names(folder.path()), 0);
    }

    #[test]
    fn a_file_is_replaced_whole_and_nothing_stays_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("page.html");
        for text in ["a longer one", "new"] {
            let file = place(&path).expect("writable");
            file.write(text).expect("room");
            assert_eq!(fs::read_to_string(&path).expect("there"), text);
            assert_eq!(names(folder.path()), 1);
        }
    }

    #[test]
    fn what_cannot_be_written_is_told_before_the_run_with_its_flag() {
        let folder = tempfile::tempdir().expect("a folder");
        let read_only = folder.path().join("kept.html");
        fs::write(&read_only, "old").expect("writable");
        let mut permissions = fs::metadata(&read_only).expect("there").permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&read_only, permissions).expect("ours");
        let nowhere = folder.path().join("no/such/page.html");
        for path in [folder.path(), &nowhere, &read_only] {
            let error = format!("{:#}", place(path).expect_err("refused"));
            assert!(error.contains("--report"), "{error}");
            assert!(error.contains("cannot write the report to"), "{error}");
        }
        assert_eq!(fs::read_to_string(&read_only).expect("there"), "old");
        assert_eq!(names(folder.path()), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().expect("a folder");
        let (real, link) = (folder.path().join("real"), folder.path().join("link"));
        fs::write(&real, "old").expect("writable");
        std::os::unix::fs::symlink(&real, &link).expect("links work");
        place(&link).expect("writable").write("new").expect("room");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("there"), "new");
        fs::remove_file(&real).expect("there");
        place(&link)
            .expect("it leads to a folder")
            .write("again")
            .expect("room");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&real).expect("there"), "again");
    }
}
