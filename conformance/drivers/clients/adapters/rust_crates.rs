// The crates reqwest, ureq and isahc, for the driver kit of Rust: this is its client.rs. rust_crates.sh chooses the crate.

use crate::Response;
use std::error::Error;
use std::io::Read;
use std::time::Duration;

pub const VERSION: &str = env!("KIT_VERSION");
const LIMIT: Duration = Duration::from_secs(5);

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

#[cfg(feature = "reqwest")]
pub fn fetch(url: &str) -> Result<Response, Box<dyn Error>> {
    let none = reqwest::redirect::Policy::none();
    let client = reqwest::blocking::Client::builder().timeout(LIMIT).no_proxy().redirect(none).build()?;
    let answer = client.get(url).send()?;
    let status = Some(answer.status().as_u16());
    let fields: Fields = answer.headers().iter().map(|(k, v)| (k.as_str().into(), v.as_bytes().to_vec())).collect();
    Ok(Response { status, reason: None, fields, content: answer.bytes()?.to_vec() })
}

#[cfg(feature = "ureq")]
pub fn fetch(url: &str) -> Result<Response, Box<dyn Error>> {
    let agent = ureq::AgentBuilder::new().timeout(LIMIT).redirects(0).build();
    let answer = match agent.get(url).call() {
        Err(ureq::Error::Status(_, answer)) => answer,
        other => other?,
    };
    let (status, reason) = (Some(answer.status()), Some(answer.status_text().as_bytes().to_vec()));
    let names = answer.headers_names();
    let fields = names.iter().map(|k| (k.as_bytes().to_vec(), answer.header(k).unwrap_or("").as_bytes().to_vec()));
    let fields: Fields = fields.collect();
    let mut content = Vec::new();
    answer.into_reader().read_to_end(&mut content)?;
    Ok(Response { status, reason, fields, content })
}

#[cfg(feature = "isahc")]
pub fn fetch(url: &str) -> Result<Response, Box<dyn Error>> {
    use isahc::{config::Configurable, config::RedirectPolicy, ReadResponseExt, RequestExt};
    let request = isahc::Request::get(url).timeout(LIMIT).redirect_policy(RedirectPolicy::None).body(())?;
    let mut answer = request.send()?;
    let status = Some(answer.status().as_u16());
    let fields: Fields = answer.headers().iter().map(|(k, v)| (k.as_str().into(), v.as_bytes().to_vec())).collect();
    Ok(Response { status, reason: None, fields, content: answer.bytes()? })
}
