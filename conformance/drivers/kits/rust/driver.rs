// The side of the client for line_driver.py: it reads URLs and answers with responses and errors.
//
//   rustc -O driver.rs && python3 line_driver.py NAME ./driver
//
// client.rs defines `VERSION` and `fetch`.  Nothing here has to be changed for another client.

mod client;

use std::error::Error;
use std::io::{self, BufRead, Write};

/// What a client shows of a response; a part that it does not report is None.
pub struct Response {
    pub status: Option<u16>,
    pub reason: Option<Vec<u8>>,
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    pub content: Vec<u8>,
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
    let mut whole = format!("R {} {} {}\n", status, head.len(), response.content.len()).into_bytes();
    whole.extend(head);
    whole.extend(response.content);
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

fn main() -> io::Result<()> {
    let mut answers = io::stdout();
    writeln!(answers, "V {}", client::VERSION)?;
    answers.flush()?;
    for url in io::stdin().lock().lines() {
        let whole = match client::fetch(&url?) {
            Ok(response) => answer(response),
            Err(error) => error_line(error.as_ref()),
        };
        answers.write_all(&whole)?;
        answers.flush()?;
    }
    Ok(())
}
