//! Titles, links and bases as the HTML Standard has them, from both parsers.

mod independent;

use super::*;

fn run(parse: &Parse, page: &str) -> Parsed {
    let url = Url::parse("http://127.0.0.1:1/a/b.html").expect("a URL");
    parse.run_here((url, page.into()))
}

/// What a stream takes for something else; README has the list.
const BEYOND_A_STREAM: [&str; 3] = ["<template", "<noscript", "<svg><title"];

/// What is on a page, whatever it is parsed with.
fn parsed(page: &str) -> Parsed {
    let parsed = run(&TREE, page);
    if !BEYOND_A_STREAM.iter().any(|tags| page.contains(tags)) {
        assert_eq!(parsed, run(&STREAM, page), "{page}");
    }
    independent::compare(page, &parsed);
    parsed
}

/// Title, number of links, and the paths that are followed.
fn shown((title, links, found): &Parsed) -> (&str, usize, Vec<&str>) {
    let origin = "http://127.0.0.1:1".len();
    let paths = found.iter().map(|url| &url.as_str()[origin..]);
    (title, *links, paths.collect())
}

#[test]
fn a_title_is_one_line_and_that_of_the_page() {
    for (page, title) in [
        ("<title>\n Tom &amp;\t Jerry&#33;\n</title>", "Tom & Jerry!"),
        ("<title>a &lt;i&gt; <b></title>", "a <i> <b>"),
        ("<title>first</title><title>second</title>", "first"),
        ("<body><svg><title>a drawing</title></svg>", "(no title)"),
        ("<svg><title>1</title></svg><title>2</title>", "2"),
        ("<script><title>1</title></script>", "(no title)"),
        ("<title> </title>", "(no title)"),
        ("", "(no title)"),
        ("{\"title\": \"JSON\"}", "(no title)"),
        (
            "<title>a\u{a0}\u{2003}b\u{c}c</title>",
            "a\u{a0}\u{2003}b c",
        ),
        (
            "<title>&copy=1 &copy;&notit; &#x80;</title>",
            "\u{a9}=1 \u{a9}\u{ac}it; \u{20ac}",
        ),
        ("<title>a\0b</title>", "a\u{fffd}b"),
        ("<title>a</title", "a</title"),
        ("<title>a<!-- b --></title>", "a<!-- b -->"),
    ] {
        assert_eq!(parsed(page).0, title, "{page}");
    }
}

#[test]
fn links_are_counted_as_they_stand_and_followed_on_the_same_host() {
    let page = parsed(
        "<a href='c.html#x'>1</a> <a href='/d?q=1&amp;r=2'>2</a> <a href='c.html'>3</a> <a name=n>no</a>
         <a href='http://127.0.0.1:2/'>4</a> <a href='https://127.0.0.1:1/'>5</a>
         <a href='mailto:a@b'>6</a> <a href='http://['>7</a> <link href=e.css>
         <!-- <a href=no> --> <style><a href=no></style> <textarea><a href=no></textarea>",
    );
    assert_eq!(page.1, 7);
    let found: Vec<&str> = page.2.iter().map(Url::as_str).collect();
    assert_eq!(
        found,
        [
            "http://127.0.0.1:1/a/c.html#x",
            "http://127.0.0.1:1/d?q=1&r=2",
            "http://127.0.0.1:1/a/c.html"
        ]
    );
}

const BASES: &[(&str, &[&str])] = &[
    ("<base href=/z/><a href=y>", &["/z/y"]),
    ("<a href=y></a><base href=/z/>", &["/z/y"]),
    (
        "<base target=x><base href=/z/><base href=/q/><a href=y>",
        &["/z/y"],
    ),
    ("<body><div><base href=/z/></div><a href=y>", &["/z/y"]),
    ("<base href='  /z/\n'><a href=' y\n'>", &["/z/y"]),
    ("<base href='/z/?a&amp;b'><a href=''>", &["/z/?a&b"]),
    ("<base href=''><base href=/z/><a href=y>", &["/a/y"]),
    ("<base href='data:,x'><base href=/z/><a href=y>", &["/a/y"]),
    (
        "<base href='javascript:1'><base href=/z/><a href=y>",
        &["/a/y"],
    ),
    ("<base href='http://['><base href=/z/><a href=y>", &["/a/y"]),
    ("<svg><base href=/z/></svg><a href=y>", &["/a/y"]),
    ("<math><base href=/z/></math><a href=y>", &["/a/y"]),
    (
        "<svg><foreignObject><base href=/z/></foreignObject></svg><a href=y>",
        &["/z/y"],
    ),
    ("<template><base href=/z/></template><a href=y>", &["/a/y"]),
    ("<textarea><base href=/z/></textarea><a href=y>", &["/a/y"]),
    ("<script><base href=/z/></script><a href=y>", &["/a/y"]),
    ("<noscript><base href=/z/></noscript><a href=y>", &["/a/y"]),
    (
        "<base href=/z/b><a href='?q'><a href='#t'>",
        &["/z/b?q", "/z/b#t"],
    ),
    (
        "<base href='http://127.0.0.1:2/z/'><a href=y><a href='//127.0.0.1:1/w'>",
        &["/w"],
    ),
    (
        "<base href='mailto:x'><a href=y><a href=http://127.0.0.1:1/w>",
        &["/w"],
    ),
    ("<base href='about:blank'><a href=y>", &[]),
    ("<a href='http://u:p@127.0.0.1:1/y'>", &[]),
];

#[test]
fn links_are_resolved_against_the_first_base_that_is_a_place() {
    for (page, followed) in BASES {
        assert_eq!(shown(&parsed(page)).2, *followed, "{page}");
    }
}

/// A page, its title, and the links that count.
const UNSEEN: &[(&str, &str, &[&str])] = &[
    (
        "<noscript><a href=/n>n</a></noscript><p><a href=/o>o</a>",
        "(no title)",
        &["/n", "/o"],
    ),
    (
        "<head><noscript><link href=/c><p><a href=/q>q</a></noscript>",
        "(no title)",
        &["/q"],
    ),
    (
        "<title>R</title><noscript><title>N</title><template><a href=/t></template></noscript>",
        "R",
        &[],
    ),
    (
        "<svg><noscript><a href=/n></a></noscript></svg><a href=/o>",
        "(no title)",
        &["/o"],
    ),
    (
        "<noframes><a href=/n></noframes><iframe><a href=/i></iframe><noembed><a href=/e></noembed><xmp><a href=/x></xmp><a href=/o>",
        "(no title)",
        &["/o"],
    ),
    (
        "<template><title>T</title><a href=/t>t</a></template><title>R</title>",
        "R",
        &[],
    ),
    (
        "<div><template shadowrootmode=open><a href=/t>t</a></template></div><title>R</title>",
        "R",
        &[],
    ),
    (
        "<head><template><title>T</title></template><title>R</title></head>",
        "R",
        &[],
    ),
    (
        "<template><template><a href=/t></template><a href=/u></template><a href=/o>",
        "(no title)",
        &["/o"],
    ),
    (
        "<svg><template><a href=/t></a></template></svg><a href=/o>",
        "(no title)",
        &["/o"],
    ),
    (
        "<template><div></template><a href=/o>",
        "(no title)",
        &["/o"],
    ),
    ("<a href=/o><template><a href=/t>", "(no title)", &["/o"]),
    (
        "<svg><a href=/s>s</a><desc><a href=/d>d</a></desc></svg>",
        "(no title)",
        &["/d"],
    ),
    (
        "<svg><foreignObject><title>F</title></foreignObject></svg><title>R</title>",
        "F",
        &[],
    ),
    (
        "<svg><title>S<a href=/s>s</a></title></svg><title>R</title>",
        "R",
        &["/s"],
    ),
    ("<svg><title/></svg><title>R</title>", "R", &[]),
    ("<math><mi><title>M</title></mi></math>", "M", &[]),
    ("<plaintext><title>P</title><a href=/p>", "(no title)", &[]),
    (
        "<a href><a HREF=/x hreF=/y><A Href='/z'>",
        "(no title)",
        &["/a/b.html", "/x", "/z"],
    ),
    (
        "<a href='?a=1&copy=2&copy;&amp;\0'>",
        "(no title)",
        &["/a/b.html?a=1&copy=2%C2%A9&%EF%BF%BD"],
    ),
];

#[test]
fn what_a_reader_without_scripts_does_not_see_does_not_count() {
    for (page, title, links) in UNSEEN {
        let kept = (*title, links.len(), links.to_vec());
        assert_eq!(shown(&parsed(page)), kept, "{page}");
    }
}

/// Where the stream would need the tree; README names each in a line.
#[test]
fn what_a_stream_cannot_know_is_known() {
    for (page, of_tree, of_stream) in [
        ("<p><a href=/x><p>open", 2, 1),
        ("<template><a href=/t></template>", 0, 1),
        ("<noscript><a href=/n></noscript>", 1, 0),
        ("<frameset><a href=/x></frameset>", 0, 1),
        ("<svg/><a href=/x>", 1, 0),
    ] {
        let links = |parse| run(parse, page).1;
        let both = (links(&TREE), links(&STREAM));
        assert_eq!(both, (of_tree, of_stream), "{page}");
    }
    let drawing = "<svg><title>S</title></svg><title>R</title>";
    let title = |parse| run(parse, drawing).0;
    assert_eq!([&TREE, &STREAM].map(title), ["R", "S"]);
    let table = "<table><tr><td><a href=/1></a></td></tr><a href=/2></a></table>";
    let first = |parse| run(parse, table).2[0].clone();
    let found = |parse| first(parse).path().to_owned();
    assert_eq!([&TREE, &STREAM].map(found), ["/2", "/1"]);
}

#[test]
fn a_page_names_its_own_encoding() {
    let (late, far) = (" ".repeat(1100), "x".repeat(1000));
    for (page, expected) in [
        ("<meta charset=windows-1251>\u{e9}", "windows-1251"),
        ("<META/CHARSET = 'koi8-r' >", "KOI8-R"),
        (
            "<meta http-equiv=content-type content='text/html; charset=koi8-r'>",
            "KOI8-R",
        ),
        (
            "<META CONTENT='text/html;CHARSET=\"gbk\"' HTTP-EQUIV=Content-Type>",
            "GBK",
        ),
        ("<meta content='text/html; charset=koi8-r'>", "none"),
        ("<meta charset=nonsense><meta charset=gbk>", "GBK"),
        ("<meta charset=gbk charset=koi8-r>", "GBK"),
        ("<meta charset=utf-16le>", "UTF-8"),
        ("<meta charset=x-user-defined>", "x-user-defined"),
        ("<!-- <meta charset=gbk> -->", "none"),
        ("<!--><meta charset=gbk>", "GBK"),
        ("<p title='<meta charset=gbk>'>", "none"),
        ("<? <meta charset=gbk>", "none"),
        ("<1 <meta charset=gbk>", "GBK"),
        ("<metadata charset=gbk>", "none"),
        (&format!("<!--{late}--><meta charset=gbk>"), "none"),
        (&format!("<p {far}><meta charset=gbk"), "none"),
        ("<meta charset", "none"),
        ("<", "none"),
    ] {
        let named = declared_encoding(page.as_bytes()).map(Encoding::name);
        assert_eq!(named.unwrap_or("none"), expected, "{page}");
    }
}
