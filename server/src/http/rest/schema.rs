//! Schemas of requests and responses for the OpenAPI document.

use std::collections::{BTreeMap, BTreeSet};

use haat_shared::routes::Route;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The description of an operation.
pub(super) struct Described<'a> {
    pub(super) route: Route,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) statuses: BTreeSet<u16>,
    pub(super) schemas: &'a mut BTreeMap<String, Value>,
}

impl Described<'_> {
    /// Adds an error status.
    pub(super) fn may_answer(&mut self, status: u16) {
        self.statuses.insert(status);
    }

    /// Adds the schemas that a type refers to, without its own.
    pub(super) fn schemas_within<T: ToSchema>(&mut self) {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        self.schemas.extend(schemas.into_iter().map(|(name, schema)| (name, json!(schema))));
    }
}

/// The schema of a type: a reference, if it has a name.
pub(super) fn schema_of<T: ToSchema>(what: &mut Described) -> Value {
    what.schemas_within::<T>();
    let (name, schema) = (T::name().into_owned(), json!(T::schema()));
    if schema["type"] != "object" {
        return schema;
    }
    what.schemas.insert(name.clone(), schema);
    json!({"$ref": format!("#/components/schemas/{name}")})
}
