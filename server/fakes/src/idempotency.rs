//! Idempotency keys: a request that is sent again gets the response that the first one got.

use std::collections::HashMap;

use http::StatusCode;
use serde_json::Value;

/// By key: the request, and the response.
#[derive(Default)]
pub(crate) struct Answered(HashMap<String, (String, StatusCode, Value)>);

/// What is known of a key.
pub(crate) enum Before {
    /// Nothing: the request is done.
    Nothing,
    /// The same request got this response.
    Same(StatusCode, Value),
    /// Another request had this key.
    Another,
}

impl Answered {
    pub(crate) fn before(&self, key: Option<&str>, request: &str) -> Before {
        match key.and_then(|key| self.0.get(key)) {
            Some((before, status, body)) if before == request => Before::Same(*status, body.clone()),
            Some(_) => Before::Another,
            None => Before::Nothing,
        }
    }

    pub(crate) fn keep(&mut self, key: Option<&str>, request: String, status: StatusCode, body: &Value) {
        if let Some(key) = key {
            self.0.insert(key.to_owned(), (request, status, body.clone()));
        }
    }

    /// The provider forgets all keys, as after some time.
    pub(crate) fn forget(&mut self) {
        self.0.clear();
    }
}
