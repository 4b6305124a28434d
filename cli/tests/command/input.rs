//! Raw requests: how they are read.

use test_support::signer::{QuerySigner, Signed};

use crate::run::{assert_admitted, check, v2};

fn form() -> Signed {
    let mut signer = v2();
    signer.method = "POST".to_owned();
    signer.sign()
}

/// The head of a POST, without its framing.
fn head(request: &Signed) -> String {
    let mut head = format!("POST {} HTTP/1.1\r\n", request.target);
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head
}

#[test]
fn chunks_are_joined_and_trailers_left_out() {
    let request = form();
    let (first, second) = request.body.split_at(10);
    let chunked = [
        head(&request).as_bytes(),
        b"Transfer-Encoding: Chunked\r\n\r\nA;why=not\r\n",
        first,
        format!("\r\n{:x}\r\n", second.len()).as_bytes(),
        second,
        b"\r\n000\r\nX-Trailer: yes\r\n\r\n",
    ]
    .concat();
    assert_admitted(&chunked);
    let lines = String::from_utf8(chunked).unwrap().replace("\r\n", "\n");
    assert_admitted(lines.as_bytes());
}

#[test]
fn lines_may_end_without_a_carriage_return() {
    let request = String::from_utf8(form().raw()).unwrap();
    assert_admitted(request.replace("\r\n", "\n").as_bytes());
    let request = String::from_utf8(QuerySigner::v2().sign().raw()).unwrap();
    assert_admitted(format!("\n{}\n\n", request.replace("\r\n", "\n")).as_bytes());
}

#[test]
fn a_post_without_a_length_has_the_rest_of_the_file() {
    let request = form();
    let open = [head(&request).as_bytes(), b"\r\n", &request.body].concat();
    assert_admitted(&open);
}

#[test]
fn a_url_as_the_target_names_the_host_and_no_other_than_its_header() {
    let request = String::from_utf8(QuerySigner::v2().sign().raw()).unwrap();
    let absolute = request.replacen("GET /", "GET HTTP://cvm.api.qcloud.com/", 1);
    assert_admitted(absolute.as_bytes());
    assert_admitted(
        absolute
            .replace("Host: cvm.api.qcloud.com\r\n", "")
            .as_bytes(),
    );
    let elsewhere = request.replacen("GET /", "GET http://elsewhere.example/", 1);
    let ran = check(elsewhere.as_bytes());
    assert!(ran.stdout.contains("(repeated-header)"), "{}", ran.stdout);
}

#[test]
fn what_a_request_holds_is_for_the_validator_to_judge() {
    let target = b"GET /v2/index.php?Action=\xff\"<>{} HTTP/1.1\r\nHost: cvm.api.qcloud.com\r\nX: \xff\r\n\r\n";
    let ran = check(target);
    assert!(ran.stdout.contains("(non-ascii-query)"), "{}", ran.stdout);
    let ran = check(b"BREW / HTTP/1.1\nHost: cvm.api.qcloud.com\n\n");
    assert!(
        ran.stdout.contains("(method-not-allowed)"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_not_a_request_is_one_line_on_stderr() {
    let head = "POST / HTTP/1.1\r\nHost: cvm.tencentcloudapi.com\r\n";
    let framed = |rest: &str| format!("{head}{rest}").into_bytes();
    let good = QuerySigner::v2().sign().raw();
    let long = [
        framed("Content-Length: 20000000\r\n\r\n"),
        vec![b'a'; 20_000_000],
    ]
    .concat();
    let cases: [(Vec<u8>, &str); 20] = [
        (Vec::new(), "-: there is no request in it"),
        (b"\r\n\n".to_vec(), "-: there is no request in it"),
        (
            b"hello".to_vec(),
            "-: does not begin with a request line such as `GET /path HTTP/1.1`",
        ),
        (
            b"GET / HTTP/2\r\n\r\n".to_vec(),
            "-: does not begin with a request line such as `GET /path HTTP/1.1`",
        ),
        (
            b"GET /a b HTTP/1.1\r\n\r\n".to_vec(),
            "-: does not begin with a request line such as `GET /path HTTP/1.1`",
        ),
        (framed(""), "-: cut short: the head has no end"),
        (framed("Content-"), "-: cut short: the head has no end"),
        (
            framed("no colon\r\n\r\n"),
            "-: the headers cannot be read: invalid header name",
        ),
        (
            framed(&format!("{}\r\n", "A: b\r\n".repeat(1024))),
            "-: there are more than 1024 headers",
        ),
        (
            framed("Content-Length: 5\r\n\r\nabc"),
            "-: cut short: Content-Length promises 5 bytes and 3 are there",
        ),
        (
            framed("Content-Length: +5\r\n\r\nabcde"),
            "-: Content-Length is not one decimal number",
        ),
        (
            framed("Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde"),
            "-: Content-Length is not one decimal number",
        ),
        (
            framed("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nabcde"),
            "-: there are both Content-Length and Transfer-Encoding",
        ),
        (
            framed("Transfer-Encoding: gzip\r\n\r\nabc"),
            "-: Transfer-Encoding is not `chunked`",
        ),
        (
            framed("Transfer-Encoding: chunked\r\n\r\n5\r\nabc"),
            "-: cut short: a chunk size promises 5 bytes and 3 are there",
        ),
        (
            framed("Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
            "-: cut short: the last chunk is missing",
        ),
        (
            framed("Transfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n"),
            "-: a chunk does not begin with its size or end where it says",
        ),
        (
            framed("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"),
            "-: a request is longer than 16 MiB",
        ),
        (long, "-: a request is longer than 16 MiB"),
        (
            [&good[..], b"left over"].concat(),
            "-#2: what follows a complete request is not another one; is its Content-Length too small?",
        ),
    ];
    for (input, expected) in cases {
        let ran = check(&input);
        assert_eq!(ran.stderr, format!("{expected}\n"));
        assert_eq!(ran.code, 2, "{expected}");
    }
}

#[test]
fn a_request_without_an_end_is_not_read_for_ever() {
    let endless = vec![b'a'; 17 << 20];
    for head in [
        "",
        "GET / HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\nX: ",
        "POST / HTTP/1.1\r\n\r\n",
    ] {
        let ran = check(&[head.as_bytes(), &endless].concat());
        assert_eq!(ran.stderr, "-: a request is longer than 16 MiB\n");
        assert_eq!(ran.code, 2);
    }
}
