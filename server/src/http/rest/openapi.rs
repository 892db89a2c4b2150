//! The OpenAPI document, generated from the request and response types of the handlers.

use std::collections::{BTreeMap, BTreeSet};

use haat_shared::{
    Currency,
    access::Scope,
    routes::{
        API, API_CANCEL, API_CANCEL_BY_CUSTOMER, API_DOCS, API_RECEIVE_RETURN, API_SHIP, API_SIGN_IN,
        API_TRACK, Audience, Route,
    },
};
use serde_json::{Map, Value, json};

use super::{extract::RequestPart, reply::IntoReply, schema::Described};

/// The document under construction.
#[derive(Default)]
pub(super) struct Document {
    paths: BTreeMap<&'static str, Map<String, Value>>,
    schemas: BTreeMap<String, Value>,
    operations: Vec<Operation>,
}

/// An operation, for the API reference.
pub(super) struct Operation {
    pub(super) route: Route,
    pub(super) value: Value,
}

impl Document {
    /// Describes the operation of a route that takes `P` and returns `A`.
    pub(super) fn add<P: RequestPart, A: IntoReply>(&mut self, route: Route, says: &str) {
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
        let of_guests = (route.scope == Some(Scope::Buy)
            && !matches!(route.audience, Audience::SignedIn | Audience::Party))
            || route == API_SIGN_IN;
        if of_guests {
            let about = "The token of a guest's cart, as returned when the cart was created.";
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
        if route.audience != Audience::Anyone {
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
        let mut good = json!({"description": "Success, without a body."});
        if let Some(content) = content {
            good = json!({"description": "Success.", "content": content});
        }
        if A::VERSIONED {
            let about = "The version of the resource, to be sent in If-Match.";
            good["headers"]["ETag"] = json!({"description": about, "schema": {"type": "string"}});
        }
        if route.method != "GET" {
            for (name, about) in [("RateLimit", "The remaining quota."), ("RateLimit-Policy", "The quota.")] {
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
        match body {
            Some(body) => value["requestBody"] = body,
            None if !["GET", "DELETE"].contains(&route.method) => value["description"] = NO_BODY.into(),
            None => {}
        }
        if let Some(about) = repeated(route) {
            value["description"] = about.into();
        }
        let method = route.method.to_ascii_lowercase();
        self.paths.entry(route.path).or_default().insert(method, value.clone());
        self.operations.push(Operation { route, value });
    }

    /// The whole document, and the operations in the order in which they were added.
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
                        "description": "An access token or an API key. Scopes apply to API keys; an access token has all of them.",
                    },
                },
            },
        });
        patterns(&mut document);
        (document, self.operations)
    }
}

/// What is said of commands that take no body: clients that always send one are not rejected for it.
const NO_BODY: &str = "Takes no request body. If you send one, it is ignored.";

/// What repeating a command does with the same content, and with other content (docs/events.md).
fn repeated(route: Route) -> Option<&'static str> {
    Some(match route {
        API_SHIP => {
            "Repeating it with the same content changes nothing. Until the order is delivered, different content corrects \
             the tracking details: the customer gets an email, and the event feed `order.shipment_updated`. Afterwards, it is \
             rejected with 409 `order_moved`."
        }
        API_TRACK => "Repeating it with the same content changes nothing.",
        API_CANCEL | API_CANCEL_BY_CUSTOMER => {
            "Repeating it with the same reason changes nothing. If the order was cancelled by someone else or for another \
             reason, it is rejected with 409 `already_cancelled`, with `cancelled_by` and `reason`. Once a part of the order was \
             shipped, it is rejected with 409 `partly_shipped`."
        }
        API_RECEIVE_RETURN => {
            "Repeating it with the same `restock` changes nothing. With `refund`, a return that was received before is refunded now. \
             A different `restock` is rejected with 409 `return_received`, \
             because some of the stock may have been sold since. Adjust the stock of the variant instead."
        }
        _ => return None,
    })
}

const INTRODUCTION: &str = "The Haat API is organised around resources and speaks JSON with snake_case names. IDs are \
    prefixed with the type of their object. Times are RFC 3339 in UTC; those of appointments have the offset of the provider's \
    time zone. Money is \
    `{\"amount\": 124900, \"currency\": \"INR\"}`, in minor units. Lists are `{\"items\": […], \"next\": \"…\"}`: send \
    `next` as `after` to get the next page. In the event feed, `next` is a sequence number, an integer like `seq`. \
    Text is stored in Unicode's composed form (NFC). Invisible characters are removed from SKUs and handles, and from \
    names except where scripts and emoji need them. \
    Images and product files are sent as the request body. Errors are problem details (RFC 9457) with a stable `code`. Cookies are ignored.";

/// Describes custom formats by a pattern (no control characters, no direction overrides), and times.
fn patterns(value: &mut Value) {
    const NOT: &str = r"\u0000-\u0008\u000a-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069";
    const LABEL: &str = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?";
    if let Some(pattern) = value.get("format").and_then(Value::as_str).and_then(|format| match format {
        "line" => Some(format!(r"^[^{NOT}]*[^\s{NOT}][^{NOT}]*$")),
        "optional-line" => Some(format!("^[^{NOT}]*$")),
        "lines" => Some(format!("^[^{}]*$", NOT.replace(r"\u000a", r"\u000b"))),
        "email-address" => {
            // Names in other letters, too.
            let atom = r"[^\s{NOT}().,:;<>@\[\]\\]".replace("{NOT}", &format!("{NOT}\""));
            let letter = format!(r"[^\s{NOT}!-/:-@\[-`{{-~]");
            let label = format!("{letter}({letter}|-+{letter})*");
            Some(format!(r"^{atom}+(\.{atom}+)*@({label}\.)+{label}$"))
        }
        "phone" => Some(format!(r#"^[^{NOT}@<>"\\{{}}|^~$%!?_`]*$"#)),
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
    let path = below(route).replace(['{', '}'], "").replace('/', "_");
    format!("{}_{path}", route.method.to_ascii_lowercase())
}

/// The first noun of the path.
pub(super) fn tag(route: &Route) -> &'static str {
    below(route).split('/').next().unwrap_or_default()
}

/// The path without the API's prefix.
fn below(route: &Route) -> &'static str {
    route.path.trim_start_matches(API).trim_start_matches('/')
}

fn security(route: &Route) -> Value {
    let scopes: Vec<&str> = route.scope.iter().map(|scope: &Scope| scope.as_str()).collect();
    match route.audience {
        Audience::SignedIn | Audience::Party | Audience::Member | Audience::Operator(_) => {
            json!([{"token": scopes}])
        }
        _ => json!([{}, {"token": scopes}]),
    }
}

fn problem(later: bool) -> Value {
    let schema = json!({"$ref": "#/components/schemas/Problem"});
    let mut problem = json!({
        "description": if later { "The request can't be processed right now. Retry it later." } else { "The request failed. See `code` for the reason." },
        "content": {"application/problem+json": {"schema": schema}},
    });
    if later {
        let about = "The number of seconds to wait before retrying.";
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
        "description": "An error (RFC 9457). Some errors have an additional field: `shortages`, `total`, `order_status`, `cancelled_by`, `reason`, `changed` or `after`.",
        "required": ["type", "title", "status", "code", "detail", "fields", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference", "description": format!("A link to the error in {API_DOCS}.")},
            "title": {"type": "string", "description": "A short, human-readable summary in the language of the request."},
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "A stable, machine-readable error code."},
            "detail": {"type": "string", "description": "A human-readable explanation of this occurrence."},
            "fields": {"type": "array", "items": field, "description": "The invalid fields of the request."},
            "request_id": {"type": "string", "description": "The ID of the request in the server's log."},
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
