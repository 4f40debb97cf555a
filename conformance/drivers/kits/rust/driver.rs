// The side of the client for line_driver.py: it reads requests and answers with responses and errors.
//
//   rustc -O driver.rs && python3 line_driver.py NAME ./driver
//
// client.rs defines `VERSION`, `FEATURES` and `Client`: `new()` makes the object for all exchanges of a case, and
// `exchange(&Asked)` makes one.  Without FEATURES, each is a GET.  Nothing here has to be changed for another client.

mod client;

use std::error::Error;
use std::io::{self, BufRead, Read, Write};
use std::time::Duration;

/// What the client is asked to do; a request without content has no body.
#[allow(dead_code)]
pub struct Asked {
    pub method: String,
    pub url: String,
    pub fields: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
    /// Whether the content is given in pieces that the client cannot have again.
    pub streamed: bool,
    /// `read`, `part` (`amount` bytes, then close the response), `drop` (let go of it unread) or `timeout`.
    pub consume: String,
    pub amount: usize,
    pub timeout: Duration,
}

impl Asked {
    /// Returns what is read of `content`; None if it is dropped.
    #[allow(dead_code)]
    pub fn taken(&self, mut content: impl Read) -> io::Result<Option<Vec<u8>>> {
        let mut octets = Vec::new();
        match self.consume.as_str() {
            "drop" => return Ok(None),
            "part" => content.take(self.amount as u64).read_to_end(&mut octets)?,
            _ => content.read_to_end(&mut octets)?,
        };
        Ok(Some(octets))
    }
}

/// What a client shows of a response; a part that it does not report is None.
pub struct Response {
    pub status: Option<u16>,
    pub reason: Option<Vec<u8>>,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// None if it was dropped.
    pub content: Option<Vec<u8>>,
}

fn one_line(text: &[u8]) -> Vec<u8> {
    text.iter().map(|&one| if b"\r\n\t".contains(&one) { b' ' } else { one }).collect()
}

fn answer(response: Response) -> Vec<u8> {
    let mut head = response.reason.map_or(vec![0], |reason| one_line(&reason));
    for (name, value) in response.fields {
        head.push(b'\n');
        head.extend(one_line(&name));
        head.extend(b": ");
        head.extend(one_line(&value));
    }
    let status = response.status.map_or("-".to_string(), |status| status.to_string());
    let length = response.content.as_ref().map_or(-1, |content| content.len() as i64);
    let mut whole = format!("R {} {} {}\n", status, head.len(), length).into_bytes();
    whole.extend(head);
    whole.extend(response.content.unwrap_or_default());
    whole
}

fn error_line(error: &dyn Error) -> Vec<u8> {
    let mut line = b"E error\t".to_vec();
    line.extend(one_line(error.to_string().as_bytes()));
    let mut cause = error.source();
    while let Some(one) = cause {
        line.extend(b"\tcause: ");
        line.extend(one_line(one.to_string().as_bytes()));
        cause = one.source();
    }
    line.push(b'\n');
    line
}

fn number(text: &str) -> io::Result<usize> {
    text.parse().map_err(|_| io::Error::new(io::ErrorKind::InvalidData, format!("not a number: {text}")))
}

fn exactly(lines: &mut impl Read, size: &str) -> io::Result<Vec<u8>> {
    let mut octets = vec![0; number(size)?];
    lines.read_exact(&mut octets)?;
    Ok(octets)
}

fn asked(line: &str, rest: &mut impl Read) -> io::Result<Asked> {
    let whole = if line.contains(' ') { line.to_string() } else { format!("GET {} 0 -1 read 0 5000 -", line) };
    let words: Vec<&str> = whole.split(' ').collect();
    let text = String::from_utf8_lossy(&exactly(rest, words[2])?).to_string();
    let fields = text.lines().filter_map(|field| field.split_once(": "));
    Ok(Asked {
        method: words[0].to_string(),
        url: words[1].to_string(),
        fields: fields.map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        body: if words[3] == "-1" { None } else { Some(exactly(rest, words[3])?) },
        streamed: words[7] == "streamed",
        consume: words[4].to_string(),
        amount: number(words[5])?,
        timeout: Duration::from_millis(number(words[6])? as u64),
    })
}

fn main() -> io::Result<()> {
    let (mut answers, mut lines) = (io::stdout(), io::stdin().lock());
    match client::FEATURES {
        Some(features) => writeln!(answers, "S {}\t{}", client::VERSION, features)?,
        None => writeln!(answers, "V {}", client::VERSION)?,
    }
    let mut made: Option<client::Client> = None;
    let mut line = String::new();
    loop {
        answers.flush()?;
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if line.trim_end() == "release" {
            made = None;
            answers.write_all(b"released\n")?;
            continue;
        }
        let asked = asked(line.trim_end(), &mut lines)?;
        let whole = match made.get_or_insert_with(client::Client::new).exchange(&asked) {
            Ok(response) => answer(response),
            Err(error) => error_line(error.as_ref()),
        };
        answers.write_all(&whole)?;
    }
}
