//! What to fetch: the flags that say it, and the site that they ask for.

use clap::{builder::TypedValueParser, error::ErrorKind};
use common::{
    Bound, Ledger, Observer,
    cli::{Seconds, seconds, up_to},
};
use measure::host::raise_open_files;
use process_pool::child::Program;
use serde::Serialize;
use std::{ffi::OsStr, num::NonZeroUsize};
use web::{Faults, Server, ServerConfig, ServerError, Url, has_user_info, under};

/// Where help shows these flags; set on each, since a heading for all leaks to the lesson's own.
const HEADING: &str = "What to fetch";

/// What to fetch: the lab's own server, another host with httpbin's paths, or any URLs.
#[derive(clap::Args, Serialize, Clone, Debug)]
pub struct RequestArgs {
    /// Fetch this URL (http or https); repeat the flag for several
    ///
    /// The URLs are fetched in this order, each once. With --requests N they are gone through again
    /// and again until N requests are made. The lab's own server is then not started, so the
    /// server's counts are not known.
    #[arg(
        long, value_name = "URL", value_parser = WebUrl, conflicts_with = "base_url",
        help_heading = HEADING
    )]
    pub url: Vec<Url>,

    /// Ask this host instead of the lab's own server, at httpbin's paths
    ///
    /// For example `https://httpbin.org`: each request then goes to its `/delay/1`. A
    /// real network shows what the local server cannot: name look-ups, distance, and its moods.
    #[arg(long, value_name = "URL", value_parser = WebUrl, help_heading = HEADING)]
    pub base_url: Option<Url>,

    /// Make this many requests, 1 to 10000
    ///
    /// More requests show more of what can overlap; each variant makes the same number.
    #[arg(long, value_name = "N", value_parser = up_to::<10_000>, help_heading = HEADING)]
    pub requests: Option<NonZeroUsize>,

    /// Let the server hold each answer back for this long, 0 to 60 seconds; fractions are fine
    ///
    /// It stands for the slow network and the slow far side: the time in which a program could do
    /// something else. A --url has the delay it has, and takes none.
    #[arg(
        long, value_name = "SECONDS", default_value = "1", value_parser = seconds(0.0..=60.0),
        conflicts_with = "url", help_heading = HEADING
    )]
    #[serde(rename = "delay_s")]
    pub delay: Seconds,

    /// Give up on a request after this many seconds
    ///
    /// It counts from the name look-up to the last byte of the answer; keep it above --delay.
    #[arg(
        long, value_name = "SECONDS", default_value = "10", value_parser = seconds(0.001..=3600.0), help_heading = HEADING
    )]
    #[serde(rename = "timeout_s")]
    pub timeout: Seconds,
}

impl RequestArgs {
    /// Whether these arguments ask for the lab's own server.
    pub fn needs_server(&self) -> bool {
        self.url.is_empty() && self.base_url.is_none()
    }

    /// What to fetch, in order; empty only if a server is needed and none is given.
    pub fn urls(&self, server: Option<&Server>, default: NonZeroUsize) -> Vec<Url> {
        let base = self.base_url.as_ref().or(server.map(Server::base_url));
        let delayed = base.map(|base| under(base, &format!("delay/{}", self.delay)));
        let listed = delayed.iter().chain(&self.url);
        let default = NonZeroUsize::new(self.url.len()).unwrap_or(default);
        let count = self.requests.unwrap_or(default).get();
        listed.cycle().take(count).cloned().collect()
    }

    /// The bound of `count` requests, at most `at_once` of them in flight.
    ///
    /// Against the delay that was asked for; for `--url`s, against the waits of the run itself.
    pub fn bound(&self, count: usize, at_once: usize) -> Bound {
        // Nobody waits for an answer longer than the time-out lets them.
        let each = self.delay.0.min(self.timeout.0);
        Bound::Waits {
            each: self.url.is_empty().then_some(each),
            count,
            at_once,
        }
    }
}

/// Parses a URL that can be fetched: http or https, whole, and without a user name or password.
///
/// The complaint repeats no value that may hold a password.
#[derive(Clone, Copy, Debug)]
pub struct WebUrl;

impl TypedValueParser for WebUrl {
    type Value = Url;

    fn parse_ref(
        &self,
        _: &clap::Command,
        flag: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Url, clap::Error> {
        let value = value.to_string_lossy();
        let reason = match Url::parse(&value) {
            _ if value.contains('\u{fffd}') => "it is not UTF-8; write its bytes as `%FF`".into(),
            Ok(url) if has_user_info(&url) => {
                "a user name or password would show in every report; leave them out".into()
            }
            Ok(url) if matches!(url.scheme(), "http" | "https") => return Ok(url),
            Ok(url) => format!("the scheme is `{}`; only http and https work", url.scheme()),
            Err(error) => format!("{error}; write it whole, as `https://example.com/page`"),
        };
        let shown = match value.split_once('@') {
            None => &format!("`{value}` "),
            Some(_) => "",
        };
        let flag = flag.map(ToString::to_string).unwrap_or_default();
        let message = format!("invalid value {shown}for `{flag}`: {reason}\n");
        Err(clap::Error::raw(ErrorKind::ValueValidation, message))
    }
}

/// The URLs of a run and, if they are the lab's own, the server behind them.
#[derive(Debug)]
pub struct Site {
    /// The lab's server; `None` for hosts of the reader's choice.
    pub server: Option<Server>,
    /// What to fetch, in order.
    pub urls: Vec<Url>,
}

impl Site {
    /// Opens what `args` ask for, with `requests` URLs unless they say otherwise; the lab's server has these `faults`.
    ///
    /// # Errors
    /// [`ServerError`] when the lab's server is needed and does not start.
    pub fn open(
        args: &RequestArgs,
        requests: NonZeroUsize,
        faults: Option<Faults>,
    ) -> Result<Self, ServerError> {
        // A connection per request, and some systems allow only 256 open files at first.
        raise_open_files();
        let config = ServerConfig {
            faults,
            ..ServerConfig::default()
        };
        let start = || Server::start(&Program::this(), config);
        let server = args.needs_server().then(start).transpose()?;
        let urls = args.urls(server.as_ref(), requests);
        Ok(Self { server, urls })
    }
}

/// The ledger takes its in-flight peak and its connections from the lab's server.
impl Observer for Site {
    fn begin(&self) -> anyhow::Result<()> {
        Ok(self.server.as_ref().map_or(Ok(()), Server::begin_run)?)
    }

    fn counts(&self) -> anyhow::Result<Ledger> {
        let witness = self.server.as_ref().map(Server::witness).transpose()?;
        Ok(Ledger {
            peak_in_flight: witness.as_ref().map(|it| it.peak_in_flight),
            connections: witness.as_ref().map(|it| it.connections),
            ..Ledger::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    /// A lesson
    #[derive(Parser, Debug)]
    struct Cli {
        #[command(flatten)]
        requests: RequestArgs,
        /// Another flag
        #[arg(long)]
        last: bool,
    }

    fn parse(arguments: &[&str]) -> Result<RequestArgs, clap::Error> {
        let arguments = ["lab"].iter().chain(arguments);
        Cli::try_parse_from(arguments).map(|cli| cli.requests)
    }

    fn ten() -> NonZeroUsize {
        NonZeroUsize::new(10).expect("not zero")
    }

    fn urls(arguments: &[&str]) -> Vec<String> {
        let args = parse(arguments).expect("good arguments");
        let urls = args.urls(None, ten());
        urls.into_iter().map(String::from).collect()
    }

    #[test]
    fn urls_are_fetched_once_each_or_in_turn() {
        let two = ["--url", "http://a/x", "--url", "https://b/y"];
        assert_eq!(urls(&two), ["http://a/x", "https://b/y"]);
        let five = urls(&[&two[..], &["--requests", "3"]].concat());
        assert_eq!(five, ["http://a/x", "https://b/y", "http://a/x"]);
    }

    #[test]
    fn a_base_url_gets_the_delay_path() {
        let one = urls(&["--base-url", "https://httpbin.org", "--delay", "0.25"]);
        assert_eq!(one, vec!["https://httpbin.org/delay/0.25"; 10]);
        let below = urls(&["--base-url", "http://h/bin?q", "--requests", "1"]);
        assert_eq!(below, ["http://h/bin/delay/1"]);
    }

    #[test]
    fn only_the_lab_s_own_urls_need_the_server() {
        assert!(parse(&[]).expect("defaults").needs_server());
        assert!(!parse(&["--url", "http://a"]).expect("a URL").needs_server());
        assert!(urls(&[]).is_empty());
    }

    #[test]
    fn a_url_takes_no_delay() {
        let both = ["--url", "http://a/x", "--delay", "2"];
        let error = parse(&both).expect_err("no delay is possible").to_string();
        assert!(
            error.contains("--delay") && error.contains("--url"),
            "{error}"
        );
    }

    #[test]
    fn a_bad_value_is_named_with_its_flag() {
        for (flag, value) in [
            ("--requests", "0"),
            ("--requests", "10001"),
            ("--delay", "61"),
            ("--delay", "NaN"),
            ("--timeout", "0"),
            ("--timeout", "inf"),
            ("--url", "httpbin.org/get"),
            ("--url", "ftp://example.org"),
            ("--base-url", "http://"),
            ("--url", "http://h/\u{fffd}"),
        ] {
            let error = parse(&[flag, value]).expect_err("a bad value").to_string();
            let line = error.lines().next().expect("a line");
            assert!(line.contains(flag) && line.contains(value), "{line}");
        }
    }

    #[test]
    fn a_password_is_refused_and_not_repeated() {
        for url in [
            "http://u:s3cret@h/",
            "http://u:s3cret@[",
            "ftp://u:s3cret@h/",
            "u:s3cret@h",
        ] {
            for flag in ["--url", "--base-url"] {
                let error = parse(&[flag, url]).expect_err("a password").to_string();
                assert!(error.contains(flag) && !error.contains("s3cret"), "{error}");
            }
        }
        assert!(parse(&["--url", "http://h/?to=a@b"]).is_ok());
    }

    #[test]
    fn help_keeps_the_lesson_s_own_words_and_flags_apart() {
        let help = parse(&["--help"]).expect_err("help").to_string();
        assert!(help.starts_with("A lesson\n"), "{help}");
        let (own, shared) = help.split_once("What to fetch:").expect("a heading");
        assert!(
            own.contains("--last") && !shared.contains("--last"),
            "{help}"
        );
        assert!(shared.contains("--base-url"), "{help}");
    }

    #[test]
    fn durations_are_seconds_in_json() {
        let json = serde_json::to_value(parse(&["--delay", "0.5"]).expect("a delay"));
        let json = json.expect("JSON");
        assert_eq!(
            (&json["delay_s"], &json["timeout_s"]),
            (&0.5.into(), &10.0.into())
        );
    }
}
