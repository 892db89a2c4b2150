//! The responses of handlers. The OpenAPI document is generated from the same types.

use haat_shared::{Error, page::Page};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    problem::Problem,
    schema::{Described, schema_of},
};

/// The response of a handler.
pub(super) trait IntoReply: Send + 'static {
    /// The status.
    const STATUS: u16;
    /// Whether it has a version.
    const VERSIONED: bool = false;

    /// The response that is sent, and stored for a key.
    fn reply(self) -> Result<Reply, Problem>;

    /// The schema of the body, if any.
    fn schema(what: &mut Described) -> Option<Value>;

    /// The schemas of the body by media type.
    fn content(what: &mut Described) -> Option<Value> {
        Self::schema(what).map(|schema| json!({"application/json": {"schema": schema}}))
    }
}

/// A response that is sent.
#[derive(serde::Serialize, serde::Deserialize)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) version: Option<i64>,
    pub(super) body: String,
    /// A body other than JSON, with its media type; never stored.
    #[serde(skip)]
    pub(super) stream: Option<(&'static str, axum::body::Body)>,
}

fn reply(status: u16, version: Option<i64>, body: &impl serde::Serialize) -> Result<Reply, Problem> {
    let body = serde_json::to_string(body).map_err(|_| Error::Internal)?;
    Ok(Reply { status, version, body, stream: None })
}

/// A retrieved object.
pub(super) struct Found<T>(pub(super) T);

impl<T: serde::Serialize + ToSchema + Send + 'static> IntoReply for Found<T> {
    const STATUS: u16 = 200;

    fn reply(self) -> Result<Reply, Problem> {
        reply(Self::STATUS, None, &self.0)
    }

    fn schema(what: &mut Described) -> Option<Value> {
        Some(schema_of::<T>(what))
    }
}

/// A page of a list.
pub(super) struct Listed<T>(pub(super) Page<T>);

impl<T: serde::Serialize + ToSchema + Send + 'static> IntoReply for Listed<T> {
    const STATUS: u16 = 200;

    fn reply(self) -> Result<Reply, Problem> {
        reply(Self::STATUS, None, &self.0)
    }

    fn schema(what: &mut Described) -> Option<Value> {
        Some(schema_of::<Page<T>>(what))
    }
}

/// A table.
pub(super) struct Csv(pub(super) Vec<u8>);

impl IntoReply for Csv {
    const STATUS: u16 = 200;

    fn reply(self) -> Result<Reply, Problem> {
        let stream = Some(("text/csv", self.0.into()));
        Ok(Reply { status: Self::STATUS, version: None, body: String::new(), stream })
    }

    fn schema(_: &mut Described) -> Option<Value> {
        None
    }

    fn content(_: &mut Described) -> Option<Value> {
        Some(json!({"text/csv": {}}))
    }
}

/// A created object.
pub(super) struct Made<T>(pub(super) T);

impl<T: serde::Serialize + ToSchema + Send + 'static> IntoReply for Made<T> {
    const STATUS: u16 = 201;

    fn reply(self) -> Result<Reply, Problem> {
        reply(Self::STATUS, None, &self.0)
    }

    fn schema(what: &mut Described) -> Option<Value> {
        Some(schema_of::<T>(what))
    }
}

/// An object that several people may edit, with its version.
pub(super) struct Version<T>(pub(super) i64, pub(super) T);

impl<T: serde::Serialize + ToSchema + Send + 'static> IntoReply for Version<T> {
    const STATUS: u16 = 200;
    const VERSIONED: bool = true;

    fn reply(self) -> Result<Reply, Problem> {
        reply(Self::STATUS, Some(self.0), &self.1)
    }

    fn schema(what: &mut Described) -> Option<Value> {
        Some(schema_of::<T>(what))
    }
}

/// An empty response.
impl IntoReply for () {
    const STATUS: u16 = 204;

    fn reply(self) -> Result<Reply, Problem> {
        Ok(Reply { status: Self::STATUS, version: None, body: String::new(), stream: None })
    }

    fn schema(_: &mut Described) -> Option<Value> {
        None
    }
}
