//! What goes wrong with requests, on demand.

use std::io;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Everything is done, but the connection breaks before the response has arrived.
    Lost,
    /// Nothing is done, and no response comes.
    Silent,
    /// Nothing is done, and the response is this error.
    Status(u16),
}

/// The faults that will happen, and the requests so far.
#[derive(Default)]
pub(crate) struct Faults {
    waiting: Vec<(String, Fault)>,
    requests: Vec<String>,
}

impl Faults {
    pub(crate) fn add(&mut self, request: &str, fault: Fault) {
        self.waiting.push((request.to_owned(), fault));
    }

    /// The fault of a request: `GET /v1/refunds/re_…`.
    pub(crate) fn of(&mut self, request: String) -> Option<Fault> {
        let at = self.waiting.iter().position(|(failing, _)| request.starts_with(failing.as_str()));
        self.requests.push(request);
        at.map(|at| self.waiting.remove(at).1)
    }

    pub(crate) fn requests(&self, like: &str) -> usize {
        self.requests.iter().filter(|request| request.starts_with(like)).count()
    }

    pub(crate) fn left(&self) -> usize {
        self.waiting.len()
    }
}

/// A response whose connection breaks.
pub(crate) fn lost() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(io::Error::other("lost")) });
    Body::from_stream(broken).into_response()
}
