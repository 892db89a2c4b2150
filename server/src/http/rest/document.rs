//! The OpenAPI document: made of the types that handlers take and answer with, so that it says what is so.

use std::collections::{BTreeMap, BTreeSet};

use haat_shared::{
    Currency,
    access::Scope,
    routes::{API_DOCS, API_SIGN_IN, Access, Route},
};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::parts::{Answer, Part};

/// What is gathered about an operation.
pub(super) struct Described<'a> {
    pub(super) route: Route,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    statuses: BTreeSet<u16>,
    schemas: &'a mut BTreeMap<String, Value>,
}

impl Described<'_> {
    /// Says that it may be refused with this status.
    pub(super) fn may_answer(&mut self, status: u16) {
        self.statuses.insert(status);
    }

    /// Takes over the schemas that a type is made of, without its own.
    pub(super) fn schemas_within<T: ToSchema>(&mut self) {
        let mut schemas = Vec::new();
        T::schemas(&mut schemas);
        self.schemas.extend(schemas.into_iter().map(|(name, schema)| (name, json!(schema))));
    }
}

/// The schema of a type: a reference, where it has a name.
pub(super) fn schema_of<T: ToSchema>(what: &mut Described) -> Value {
    what.schemas_within::<T>();
    let (name, schema) = (T::name().into_owned(), json!(T::schema()));
    if schema["type"] != "object" {
        return schema;
    }
    what.schemas.insert(name.clone(), schema);
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The schema of a page of a list.
pub(super) fn page_of<T: ToSchema>(what: &mut Described) -> Value {
    let rows = schema_of::<T>(what);
    let name = format!("{}Page", T::name());
    let page = json!({
        "type": "object",
        "required": ["items", "next"],
        "properties": {
            "items": {"type": "array", "items": rows, "description": "The rows."},
            "next": {
                "type": ["string", "null"],
                "description": "What to ask for as `after` to get the rows behind these; null at the end.",
            },
        },
    });
    what.schemas.insert(name.clone(), page);
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The document while it is made.
#[derive(Default)]
pub(super) struct Document {
    paths: BTreeMap<&'static str, Map<String, Value>>,
    schemas: BTreeMap<String, Value>,
    operations: Vec<Operation>,
}

/// An operation, for the page about it.
pub(super) struct Operation {
    pub(super) route: Route,
    pub(super) value: Value,
}

impl Document {
    /// Describes the operation at a route that takes `P` and answers with `A`.
    pub(super) fn add<P: Part, A: Answer>(&mut self, route: Route, says: &str) {
        let mut what = Described {
            route,
            parameters: Vec::new(),
            body: None,
            statuses: BTreeSet::new(),
            schemas: &mut self.schemas,
        };
        P::describe(&mut what);
        let content = A::content(&mut what);
        // Signing in is where a guest's cart joins the account's.
        let of_guests =
            (route.scope == Some(Scope::Buy) && route.access != Access::SignedIn) || route == API_SIGN_IN;
        if of_guests {
            let about = "The token of a guest's cart, as it was given to whoever opened it.";
            what.parameters.push(json!({
                "name": "Haat-Cart", "in": "header", "required": false, "description": about,
                "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{43}$"},
            }));
        }
        let mut refusals = what.statuses;
        refusals.extend([401, 503]);
        if route.scope.is_some() {
            refusals.insert(403);
        }
        if route.access != Access::Anyone {
            refusals.insert(404);
        }
        if of_guests {
            refusals.insert(422);
        }
        if route.method != "GET" {
            refusals.extend([409, 422, 429]);
        }
        let (parameters, body) = (what.parameters, what.body);
        let mut responses = Map::new();
        let mut good = json!({"description": "Done."});
        if let Some(content) = content {
            good = json!({"description": "As asked.", "content": content});
        }
        if A::VERSIONED {
            let about = "Which version this is, for If-Match.";
            good["headers"]["ETag"] = json!({"description": about, "schema": {"type": "string"}});
        }
        if route.method != "GET" {
            for (name, about) in
                [("RateLimit", "How much is left."), ("RateLimit-Policy", "How much there is.")]
            {
                good["headers"][name] = json!({"description": about, "schema": {"type": "string"}});
            }
        }
        responses.insert(A::STATUS.to_string(), good);
        for status in refusals {
            let name = if [429, 503].contains(&status) { "Later" } else { "Problem" };
            responses.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{name}")}));
        }
        let mut value = json!({
            "operationId": id(&route),
            "tags": [tag(&route)],
            "summary": says,
            "parameters": parameters,
            "responses": responses,
            "security": security(&route),
        });
        if let Some(body) = body {
            value["requestBody"] = body;
        }
        let method = route.method.to_ascii_lowercase();
        self.paths.entry(route.path).or_default().insert(method, value.clone());
        self.operations.push(Operation { route, value });
    }

    /// The whole document, and the operations in the order they were added.
    pub(super) fn finish(self, server: &str, currency: Currency) -> (Value, Vec<Operation>) {
        let mut document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Haat",
                "version": env!("CARGO_PKG_VERSION"),
                "license": {"name": "MIT OR Apache-2.0"},
                "description": INTRODUCTION,
            },
            "servers": [{"url": server}],
            "paths": self.paths,
            "components": {
                "schemas": schemas(self.schemas, currency),
                "responses": {"Problem": problem(false), "Later": problem(true)},
                "securitySchemes": {
                    "token": {
                        "type": "http", "scheme": "bearer",
                        "description": "An access token, or a key: the scopes are those of keys, a token has them all.",
                    },
                },
            },
        });
        patterns(&mut document);
        (document, self.operations)
    }
}

const INTRODUCTION: &str = "Nouns in the plural, JSON in snake_case. Ids carry the kind of thing they are of. Times are \
    RFC 3339 in UTC. Money is `{\"amount\": 124900, \"currency\": \"INR\"}`, in minor units. Lists are \
    `{\"items\": […], \"next\": \"…\"}`: `next`, sent as `after`, gets the rows behind. Refusals are problem details \
    (RFC 9457) with a stable `code`. Cookies are not looked at.";

/// Says what our own formats are, by a pattern (no control characters, nothing that turns the text around), and what is a time.
fn patterns(value: &mut Value) {
    const NOT: &str = r"\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069";
    const LABEL: &str = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?";
    if let Some(pattern) = value.get("format").and_then(Value::as_str).and_then(|format| match format {
        "line" => Some(format!(r"^[^{NOT}]*[^\s{NOT}][^{NOT}]*$")),
        "optional-line" => Some(format!("^[^{NOT}]*$")),
        "lines" => Some(format!("^[^{}]*$", NOT.replace(r"\u000a", r"\u000b"))),
        "email-address" => {
            // Names in other letters, too.
            let letter = format!(r"[^\s{NOT}!-/:-@\[-`{{-~]");
            let label = format!("{letter}({letter}|-+{letter})*");
            Some(format!(r#"^[^\s{NOT}<>(),;:\\"\[\]@]{{1,64}}@({label}\.)+{label}$"#))
        }
        "https-url" => Some(format!(r#"^(https://({LABEL}\.)+{LABEL}(:[0-9]+)?([/?#][!#-;=?-\[\]-~]*)?)?$"#)),
        _ => None,
    }) {
        value["pattern"] = pattern.into();
        value.as_object_mut().map(|schema| schema.remove("format"));
    }
    // What our types say in words.
    let text = value["type"] == "string" || value["type"] == json!(["string", "null"]);
    if text && value["description"].as_str().is_some_and(|about| about.contains("RFC 3339")) {
        value["format"] = "date-time".into();
    }
    match value {
        Value::Object(fields) => fields.values_mut().for_each(patterns),
        Value::Array(items) => items.iter_mut().for_each(patterns),
        _ => {}
    }
}

/// `GET /api/v1/carts/{id}` as `get_carts_id`.
fn id(route: &Route) -> String {
    let path = route.path.trim_start_matches("/api/v1/").replace(['{', '}'], "").replace('/', "_");
    format!("{}_{path}", route.method.to_ascii_lowercase())
}

/// The first noun of its path.
pub(super) fn tag(route: &Route) -> &'static str {
    route.path.trim_start_matches("/api/v1/").split('/').next().unwrap_or_default()
}

fn security(route: &Route) -> Value {
    let scopes: Vec<&str> = route.scope.iter().map(|scope: &Scope| scope.as_str()).collect();
    match route.access {
        Access::SignedIn | Access::Member | Access::Operator => json!([{"token": scopes}]),
        _ => json!([{}, {"token": scopes}]),
    }
}

fn problem(later: bool) -> Value {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    let mut problem = json!({
        "description": if later { "Not now; the same request may succeed later." } else { "Refused; `code` says why." },
        "content": {"application/problem+json": {"schema": schema}},
    });
    if later {
        let about = "Seconds to wait.";
        problem["headers"] = json!({"Retry-After": {"description": about, "schema": {"type": "string"}}});
    }
    problem
}

fn schemas(mut schemas: BTreeMap<String, Value>, currency: Currency) -> BTreeMap<String, Value> {
    let text = json!({"type": "string"});
    let field = json!({
        "type": "object", "required": ["field", "code", "message"],
        "properties": {"field": text, "code": text, "message": text},
    });
    let problem = json!({
        "type": "object",
        "description": "What went wrong (RFC 9457). Some have more to say: `shortages`, `total`, `state`, `changed`.",
        "required": ["type", "title", "status", "code", "detail", "fields", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": format!("A place in {API_DOCS}.")},
            "title": {"type": "string", "description": "What it is, in the reader's language."},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "What it is, for programs. It does not change."},
            "detail": {"type": "string", "description": "The same of this very case."},
            "fields": {"type": "array", "items": field, "description": "What of the request does not hold."},
            "request_id": {"type": "string", "description": "What our log calls the request."},
        },
    });
    schemas.insert("Problem".into(), problem);
    for sent in ["Price", "Fee"] {
        if let Some(sent) = schemas.get_mut(sent) {
            sent["properties"]["currency"] = json!({"type": "string", "enum": [currency]});
        }
    }
    schemas
}
