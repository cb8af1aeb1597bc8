//! Bodies over TLS that end with their connection, with and without the word for it (`close_notify`).

use super::{answers::head_of, *};
use crate::asynchronous;
use base64::{Engine, prelude::BASE64_STANDARD};
use rustls::{
    RootCertStore, ServerConfig as TlsServer, ServerConnection, StreamOwned,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use std::{net::TcpListener, sync::Arc};

/// Of 127.0.0.1, signed by itself; the key keeps nothing secret.
const CERTIFICATE: &str = "\
MIIBHjCBxqADAgECAgEBMAoGCCqGSM49BAMCMA4xDDAKBgNVBAMMA2xhYjAgFw0wMDAxMDEwMDAwMDBaGA8yNTAwMD\
EwMTAwMDAwMFowDjEMMAoGA1UEAwwDbGFiMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE917T4D8nRotdEfA3dgPR\
FZDWrVahp13n5DTOj2sXVjYmhEXlGdPQIX5DcXyepUeGwIFYCM8zwdaYNF2oUt/qb6MTMBEwDwYDVR0RBAgwBocEfw\
AAATAKBggqhkjOPQQDAgNHADBEAiBb+ilUHlUSC1W7XRCEl/SzuboTmWrorElWG6oFWgkM6AIgTfBLa8cF3Fj8W/uL\
CfhbO6ICsysRl8Ripgcicw+pBMw=";
const KEY: &str = "\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgn5ZCtDL2JW6sqN9rMHrPl3QAYGjaI/4HhL/GvgZdtR\
GhRANCAAT3XtPgPydGi10R8Dd2A9EVkNatVqGnXefkNM6PaxdWNiaEReUZ09AhfkNxfJ6lR4bAgVgIzzPB1pg0XahS\
3+pv";

fn der(text: &str) -> Vec<u8> {
    BASE64_STANDARD.decode(text).expect("base64")
}

/// A server that gives each connection this answer, and says that it ends if it `notifies`.
fn secure(answer: &'static str, notifies: bool) -> Url {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let config = TlsServer::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring speaks them")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from(der(CERTIFICATE))],
            PrivatePkcs8KeyDer::from(der(KEY)).into(),
        );
    let config = Arc::new(config.expect("a key of this certificate"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let server = ServerConnection::new(config.clone()).expect("a connection");
            let mut stream = StreamOwned::new(server, stream);
            head_of(&mut stream);
            // The client may have hung up.
            let _ = stream.write_all(answer.as_bytes());
            if notifies {
                stream.conn.send_close_notify();
            }
            let _ = stream.flush();
        }
    });
    Url::parse(&format!("https://{address}/")).expect("a URL")
}

fn verdicts(url: &Url) -> [String; 2] {
    let certificate = der(CERTIFICATE);
    let mut roots = RootCertStore::empty();
    let own = CertificateDer::from(certificate);
    roots.add(own).expect("a certificate");
    let mut agent = blocking_agent(LONG);
    agent.tls = Arc::new(asynchronous::tls_config(&roots.roots));
    let client = AsyncClient {
        client: asynchronous::build(1, &roots.roots),
        timeout: LONG,
    };
    let fetched = [get_blocking(&agent, url), block_on(get_async(&client, url))];
    fetched.map(|fetched| {
        let text = match fetched {
            Ok(page) => format!("{} {}", page.status, String::from_utf8_lossy(&page.body)),
            Err(error) => error.to_string(),
        };
        text.replace(url.as_str(), "/")
    })
}

const CUT: &str = "`/` closed the connection after 2 bytes; try again";
const OF_FIVE: &str = "`/` closed the connection after 2 of 5 bytes; try again";

/// An answer, whether its end is announced, and what both clients make of it.
const ANSWERS: &[(&str, bool, &str)] = &[
    (
        "HTTP/1.1 200 x\r\nconnection: close\r\n\r\nab",
        true,
        "200 ab",
    ),
    ("HTTP/1.1 200 x\r\nconnection: close\r\n\r\nab", false, CUT),
    (
        "HTTP/1.1 200 x\r\ncontent-length: 5\r\n\r\nab",
        true,
        OF_FIVE,
    ),
    (
        "HTTP/1.1 200 x\r\ncontent-length: 5\r\n\r\nab",
        false,
        OF_FIVE,
    ),
    (
        "HTTP/1.1 200 x\r\ncontent-length: 2\r\n\r\nab",
        false,
        "200 ab",
    ),
    (
        "HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
        true,
        CUT,
    ),
    (
        "HTTP/1.1 200 x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
        false,
        CUT,
    ),
];

#[test]
fn a_body_that_an_attacker_may_have_cut_is_no_page() {
    for (answer, notifies, expected) in ANSWERS {
        let verdicts = verdicts(&secure(answer, *notifies));
        println!(
            "case: {} notifies {notifies}: {verdicts:?}",
            answer.escape_debug()
        );
        assert_eq!(verdicts, [*expected; 2], "{answer:?}, {notifies}");
    }
}
