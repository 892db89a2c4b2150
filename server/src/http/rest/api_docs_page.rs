//! The API reference, rendered from the OpenAPI document, without scripts or external files.

use askama::Template;
use axum::{
    http::header,
    response::{Html, IntoResponse, Response},
};
use haat_app::i18n::Locale;
use haat_shared::routes::{API_DOCUMENT, Audience, Route};
use serde_json::Value;

use super::{
    openapi::{Operation, tag},
    problem,
};

/// The policy of the page: only its own style.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                      frame-ancestors 'none'; form-action 'none'";

#[derive(Template)]
#[template(path = "page/api.html")]
struct DocsPage {
    tokens: &'static str,
    document: &'static str,
    server: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
    problems: Vec<(u16, &'static str, String)>,
}

struct Group {
    name: &'static str,
    operations: Vec<Shown>,
}

struct Shown {
    id: String,
    method: &'static str,
    path: &'static str,
    summary: String,
    /// What else is said of it. May be empty.
    about: String,
    who: String,
    parameters: Vec<Parameter>,
    takes: Option<Name>,
    gives: Option<Name>,
    good: String,
    refusals: String,
    curl: String,
}

struct Parameter {
    name: String,
    place: String,
    required: bool,
    about: String,
}

/// The name of a schema, or its type.
struct Name {
    name: String,
    linked: bool,
    /// Whether it is a list.
    many: bool,
}

struct Schema {
    name: String,
    about: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    required: bool,
    kind: Name,
    about: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The first paragraph of a schema's description. That of a nullable one is in its non-null alternative.
fn about(schema: &Value) -> String {
    let inner = schema["oneOf"].as_array().into_iter().flatten().find(|s| s["type"] != "null");
    let about = schema["description"].as_str().or(inner.and_then(|s| s["description"].as_str()));
    about.unwrap_or_default().split("\n\n").next().unwrap_or_default().to_owned()
}

fn who(route: &Route) -> String {
    let who = match route.audience {
        Audience::Anyone => "Anyone",
        Audience::Holder => "The owner of the cart: its account, or a guest with the Haat-Cart header",
        Audience::SignedIn => "Any signed-in user",
        Audience::Party => "The shopper of the conversation, and members of its shop who answer customers",
        Audience::Member => "Staff of the shop whose role permits it",
        Audience::Operator(_) => "Admins",
        Audience::Signed => "Anyone with a valid signature",
    };
    match route.scope.map(|scope| scope.as_str()) {
        None => format!("{who}."),
        Some("account") => format!("{who}. Requires an access token; API keys aren't accepted."),
        Some(scope) => format!("{who}. An API key needs the scope {scope}."),
    }
}

/// The maximum number of listed values.
const FEW: usize = 20;

/// The type of a schema.
fn kind(schema: &Value) -> Name {
    let plain = |name: String| Name { name, linked: false, many: false };
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return Name { name: name.to_owned(), linked: true, many: false };
    }
    if let Some(any) = schema["oneOf"].as_array() {
        let other: Vec<&Value> = any.iter().filter(|s| s["type"] != "null").collect();
        return match other.as_slice() {
            [one] => kind(one),
            _ => plain("one of several types".into()),
        };
    }
    if let Some(values) = schema["enum"].as_array().filter(|values| values.len() < FEW) {
        let values: Vec<String> = values.iter().map(text).collect();
        return plain(values.join(" | "));
    }
    if schema["type"] == "array" {
        let of = kind(&schema["items"]);
        return Name { many: true, ..of };
    }
    match &schema["type"] {
        Value::String(name) => plain(name.clone()),
        Value::Array(names) => plain(text(names.first().unwrap_or(&Value::Null))),
        _ => plain(String::new()),
    }
}

fn body(of: &Value) -> Option<Name> {
    let content = of["content"].as_object()?;
    let media_types = || content.keys().map(String::as_str).collect::<Vec<_>>().join(" | ");
    Some(match content.get("application/json") {
        Some(json) => kind(&json["schema"]),
        None => Name { name: media_types(), linked: false, many: false },
    })
}

/// An example value of a schema.
fn example(schema: &Value, schemas: &Value, depth: u8) -> Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return match name {
            "Money" | "Price" | "Fee" => serde_json::json!({"amount": 124_900, "currency": "INR"}),
            _ if depth == 0 => Value::Null,
            _ => example(&schemas[name], schemas, depth - 1),
        };
    }
    if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
        return first.clone();
    }
    if let Some(properties) = schema["properties"].as_object() {
        let required = schema["required"].as_array();
        let needed = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
        let fields = properties.iter().filter(|(name, _)| needed(name));
        return fields.map(|(name, of)| (name.clone(), example(of, schemas, depth))).collect();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = serde_json::Map::new();
        for part in parts {
            if let Value::Object(fields) = example(part, schemas, depth) {
                whole.extend(fields);
            }
        }
        return Value::Object(whole);
    }
    if let Some(prefix) =
        schema["pattern"].as_str().and_then(|p| p.strip_suffix("_[0-7][0-9a-hjkmnp-tv-z]{25}$"))
    {
        return format!("{}_…", prefix.trim_start_matches('^')).into();
    }
    match schema["type"].as_str() {
        Some("array") => Value::Array(vec![example(&schema["items"], schemas, depth)]),
        Some("integer") => 1.into(),
        Some("boolean") => false.into(),
        _ => "…".into(),
    }
}

fn curl(operation: &Operation, server: &str, schemas: &Value) -> String {
    let Operation { route, value } = operation;
    let mut lines = vec![match route.method {
        "GET" => format!("curl '{server}{}'", route.path),
        method => format!("curl -X {method} '{server}{}'", route.path),
    }];
    match route.audience {
        Audience::SignedIn | Audience::Party | Audience::Member | Audience::Operator(_) => {
            lines.push("-H \"Authorization: Bearer $TOKEN\"".into());
        }
        Audience::Holder => lines.push("-H \"Haat-Cart: $CART\"".into()),
        _ => {}
    }
    for parameter in value["parameters"].as_array().into_iter().flatten() {
        match parameter["name"].as_str() {
            Some("Idempotency-Key") => lines.push("-H \"Idempotency-Key: $(uuidgen)\"".into()),
            Some("If-Match") => lines.push("-H 'If-Match: \"1\"'".into()),
            _ => {}
        }
    }
    let schema = &value["requestBody"]["content"]["application/json"]["schema"];
    if !schema.is_null() {
        lines.push("-H 'Content-Type: application/json'".into());
        lines.push(format!("-d '{}'", example(schema, schemas, 4)));
    } else if !value["requestBody"].is_null() {
        let (kind, file) = match value["requestBody"]["content"].get("text/csv") {
            Some(_) => ("text/csv", "products.csv"),
            None => ("image/jpeg", "picture.jpg"),
        };
        lines.push(format!("-H 'Content-Type: {kind}' --data-binary @{file}"));
    }
    lines.join(" \\\n  ")
}

fn shown(operation: &Operation, server: &str, schemas: &Value) -> Shown {
    let Operation { route, value } = operation;
    let responses = value["responses"].as_object().cloned().unwrap_or_default();
    let (good, bad): (Vec<_>, Vec<_>) = responses.iter().partition(|(status, _)| status.starts_with('2'));
    let parameters = value["parameters"].as_array().into_iter().flatten().map(|p| Parameter {
        name: text(&p["name"]),
        place: text(&p["in"]),
        required: p["required"] == true,
        about: text(&p["description"]),
    });
    Shown {
        id: text(&value["operationId"]),
        method: route.method,
        path: route.path,
        summary: text(&value["summary"]),
        about: text(&value["description"]),
        who: who(route),
        parameters: parameters.collect(),
        takes: body(&value["requestBody"]),
        gives: good.first().and_then(|(_, answer)| body(answer)),
        good: good.first().map(|(status, _)| (*status).clone()).unwrap_or_default(),
        refusals: bad.iter().map(|(status, _)| status.as_str()).collect::<Vec<_>>().join(", "),
        curl: curl(operation, server, schemas),
    }
}

fn schema((name, schema): (&String, &Value)) -> Schema {
    let required = schema["required"].as_array();
    let needed = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
    let fields = schema["properties"].as_object().into_iter().flatten().map(|(name, of)| Field {
        name: name.clone(),
        required: needed(name),
        kind: kind(of),
        about: about(of),
    });
    let fields: Vec<Field> = fields.collect();
    let mut about = about(schema);
    if fields.is_empty() {
        about = format!("{about} {}", kind(schema).name);
    }
    Schema { name: name.clone(), about, fields }
}

/// The page.
pub(super) fn page(document: &Value, operations: &[Operation]) -> String {
    let server = text(&document["servers"][0]["url"]);
    let schemas = &document["components"]["schemas"];
    let mut groups: Vec<Group> = Vec::new();
    for operation in operations {
        let name = tag(&operation.route);
        let shown = shown(operation, &server, schemas);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.operations.push(shown),
            None => groups.push(Group { name, operations: vec![shown] }),
        }
    }
    let page = DocsPage {
        tokens: include_str!("../../../../style/tokens.css"),
        document: API_DOCUMENT,
        schemas: schemas.as_object().into_iter().flatten().map(schema).collect(),
        problems: problem::all(Locale::default()),
        server,
        groups,
    };
    page.render().unwrap_or_default()
}

/// The page as a response.
pub(super) fn show(page: &str) -> Response {
    ([(header::CONTENT_SECURITY_POLICY, POLICY)], Html(page.to_owned())).into_response()
}
