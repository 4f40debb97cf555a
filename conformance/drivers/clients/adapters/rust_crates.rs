// The crates reqwest, ureq and isahc, for the driver kit of Rust: this is its client.rs. rust_crates.sh chooses the crate.

use crate::{Asked, Response};
use std::error::Error;
use std::io::{Cursor, Read};

pub const VERSION: &str = env!("KIT_VERSION");
pub const FEATURES: Option<&str> = Some("drop part streamed timeout");

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

// Content that is read once, whose size is not known.
struct Once(Cursor<Vec<u8>>);

impl Read for Once {
    fn read(&mut self, octets: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(octets)
    }
}

#[cfg(feature = "reqwest")]
pub struct Client(reqwest::blocking::Client);

#[cfg(feature = "reqwest")]
impl Client {
    pub fn new() -> Client {
        let none = reqwest::redirect::Policy::none();
        Client(reqwest::blocking::Client::builder().no_proxy().redirect(none).build().unwrap())
    }

    pub fn exchange(&self, asked: &Asked) -> Result<Response, Box<dyn Error>> {
        let mut request = self.0.request(asked.method.parse()?, &asked.url).timeout(asked.timeout);
        for (name, value) in &asked.fields {
            request = request.header(name, value);
        }
        if let Some(body) = &asked.body {
            let once = Once(Cursor::new(body.clone()));
            request = if asked.streamed { request.body(reqwest::blocking::Body::new(once)) } else { request.body(body.clone()) };
        }
        let answer = request.send()?;
        let status = Some(answer.status().as_u16());
        let fields: Fields = answer.headers().iter().map(|(k, v)| (k.as_str().into(), v.as_bytes().to_vec())).collect();
        let content = if asked.consume == "read" { Some(answer.bytes()?.to_vec()) } else { asked.taken(answer)? };
        Ok(Response { status, reason: None, fields, content })
    }
}

#[cfg(feature = "ureq")]
pub struct Client(ureq::Agent);

#[cfg(feature = "ureq")]
impl Client {
    pub fn new() -> Client {
        Client(ureq::AgentBuilder::new().redirects(0).build())
    }

    pub fn exchange(&self, asked: &Asked) -> Result<Response, Box<dyn Error>> {
        let mut request = self.0.request(&asked.method, &asked.url).timeout(asked.timeout);
        for (name, value) in &asked.fields {
            request = request.set(name, value);
        }
        let sent = match &asked.body {
            None => request.call(),
            Some(body) if asked.streamed => request.send(Once(Cursor::new(body.clone()))),
            Some(body) => request.send_bytes(body),
        };
        let answer = match sent {
            Err(ureq::Error::Status(_, answer)) => answer,
            other => other?,
        };
        let (status, reason) = (Some(answer.status()), Some(answer.status_text().as_bytes().to_vec()));
        let names = answer.headers_names();
        let fields = names.iter().map(|k| (k.as_bytes().to_vec(), answer.header(k).unwrap_or("").as_bytes().to_vec()));
        let fields: Fields = fields.collect();
        Ok(Response { status, reason, fields, content: asked.taken(answer.into_reader())? })
    }
}

#[cfg(feature = "isahc")]
pub struct Client(isahc::HttpClient);

#[cfg(feature = "isahc")]
impl Client {
    pub fn new() -> Client {
        use isahc::config::{Configurable, RedirectPolicy};
        Client(isahc::HttpClient::builder().redirect_policy(RedirectPolicy::None).build().unwrap())
    }

    pub fn exchange(&self, asked: &Asked) -> Result<Response, Box<dyn Error>> {
        use isahc::{config::Configurable};
        let mut request = isahc::Request::builder().method(asked.method.as_str()).uri(&asked.url).timeout(asked.timeout);
        for (name, value) in &asked.fields {
            request = request.header(name, value);
        }
        let body = match &asked.body {
            None => isahc::Body::empty(),
            Some(body) if asked.streamed => isahc::Body::from_reader(Once(Cursor::new(body.clone()))),
            Some(body) => isahc::Body::from(body.clone()),
        };
        let answer = self.0.send(request.body(body)?)?;
        let status = Some(answer.status().as_u16());
        let fields: Fields = answer.headers().iter().map(|(k, v)| (k.as_str().into(), v.as_bytes().to_vec())).collect();
        Ok(Response { status, reason: None, fields, content: asked.taken(answer.into_body())? })
    }
}
