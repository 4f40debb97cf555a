// The client that driver.rs drives: Rust's standard library has none, so this one is the least that can be judged.
// Replace it by yours, such as reqwest or ureq, and build with cargo.

use crate::{Asked, Response};
use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

pub const VERSION: &str = "1";
/// What it can do in a session, with spaces between; None if it takes only a GET.
pub const FEATURES: Option<&str> = None;

type Line = Result<String, Box<dyn Error>>;

fn line(stream: &mut impl BufRead) -> Line {
    let mut octets = Vec::new();
    stream.take(65536).read_until(b'\n', &mut octets)?;
    if octets.pop() != Some(b'\n') {
        return Err("the connection ended within a line".into());
    }
    let text: String = octets.iter().map(|&one| one as char).collect();
    Ok(text.trim_end_matches('\r').to_string())
}

fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|one| one as u8).collect()
}

fn exactly(stream: &mut impl Read, size: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut content = Vec::new();
    if stream.take(size).read_to_end(&mut content)? as u64 != size {
        return Err("the connection ended within the content".into());
    }
    Ok(content)
}

fn chunks(stream: &mut impl BufRead) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut content = Vec::new();
    loop {
        let head = line(stream)?;
        let digits = head.split(';').next().unwrap_or("").trim_end();
        if digits.starts_with('+') {
            return Err("a chunk-size with a sign".into());
        }
        let size = u64::from_str_radix(digits, 16)?;
        if size == 0 {
            while !line(stream)?.is_empty() {}
            return Ok(content);
        }
        content.extend(exactly(stream, size)?);
        if !line(stream)?.is_empty() {
            return Err("a chunk is longer than its size".into());
        }
    }
}

pub struct Client;

impl Client {
    pub fn new() -> Client {
        Client
    }

    pub fn exchange(&self, asked: &Asked) -> Result<Response, Box<dyn Error>> {
        let rest = asked.url.strip_prefix("http://").ok_or("not an http URL")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let mut connection = TcpStream::connect(host)?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(connection, "GET /{} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", path, host)?;
        let mut stream = BufReader::new(connection);
        loop {
            let first = line(&mut stream)?;
            let mut parts = first.splitn(3, ' ');
            if !parts.next().unwrap_or("").starts_with("HTTP/1.") {
                return Err("not a status line".into());
            }
            let status: u16 = parts.next().unwrap_or("").parse()?;
            let reason = Some(octets(parts.next().unwrap_or("")));
            let (mut fields, mut length, mut chunked) = (Vec::new(), None, false);
            loop {
                let field = line(&mut stream)?;
                if field.is_empty() {
                    break;
                }
                let (name, value) = field.split_once(':').ok_or("a field without a colon")?;
                let value = value.trim_matches(|one| one == ' ' || one == '\t');
                chunked |= name.eq_ignore_ascii_case("transfer-encoding") && value.eq_ignore_ascii_case("chunked");
                if name.eq_ignore_ascii_case("content-length") {
                    length = Some(value.parse()?);
                }
                fields.push((octets(name), octets(value)));
            }
            if status / 100 == 1 && status != 101 {
                continue;
            }
            let mut content = Vec::new();
            if status == 204 || status == 304 {
            } else if chunked {
                content = chunks(&mut stream)?;
            } else if let Some(size) = length {
                content = exactly(&mut stream, size)?;
            } else {
                stream.read_to_end(&mut content)?;
            }
            return Ok(Response { status: Some(status), reason, fields, content: Some(content) });
        }
    }
}
