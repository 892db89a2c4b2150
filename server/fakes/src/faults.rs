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
    /// How many of a hundred requests get no response.
    percent: u64,
    dice: u64,
    requests: Vec<String>,
}

impl Faults {
    pub(crate) fn add(&mut self, request: &str, fault: Fault) {
        self.waiting.push((request.to_owned(), fault));
    }

    pub(crate) fn often(&mut self, percent: u64) {
        self.percent = percent;
    }

    /// The fault of a request: `GET /v1/refunds/re_…`.
    pub(crate) fn of(&mut self, request: String) -> Option<Fault> {
        let at = self.waiting.iter().position(|(failing, _)| request.starts_with(failing.as_str()));
        self.requests.push(request);
        at.map(|at| self.waiting.remove(at).1).or_else(|| self.by_chance())
    }

    /// One of fifteen is a request that never arrived, for which the caller has to wait.
    fn by_chance(&mut self) -> Option<Fault> {
        let mut roll = |sides: u64| {
            // The upper half of a linear congruential generator.
            self.dice =
                self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.dice >> 32) % sides
        };
        (roll(100) < self.percent).then(|| if roll(15) == 0 { Fault::Silent } else { Fault::Lost })
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
