//! Typed parameters, headers and bodies of requests. The OpenAPI document is generated from the same types.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use axum::{
    body::Bytes,
    http::{HeaderMap, StatusCode, header},
};
use haat_shared::{
    Currency, Error, FieldCode, Id,
    admin::PaymentAction,
    id::IdKind,
    media::{Purpose, refusal},
    permissions::AdminRole,
    reviews::ReviewAction,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::{PartialSchema, ToSchema};

use super::{
    problem::Problem,
    schema::{Described, schema_of},
    strict_json::{Objects, json},
};

/// A complete request.
pub(super) struct Sent {
    /// The parameters of the path, in order.
    pub(super) path: Vec<String>,
    /// The query string.
    pub(super) query: String,
    /// The headers.
    pub(super) headers: HeaderMap,
    /// The body, if it is read before the handler is called.
    pub(super) body: Bytes,
    /// The body, if it is not.
    pub(super) unread: Mutex<axum::body::Body>,
}

/// A parameter of a handler.
pub(super) trait RequestPart: Sized + Send + 'static {
    /// Whether it needs the body.
    const BODY: bool = false;
    /// What the body is uploaded for, if it is a picture of several megabytes.
    const UPLOAD: Option<Purpose> = None;
    /// Whether the body is a file that is too large for memory, which the handler reads.
    const FILE: bool = false;
    /// Whether the command is executed once per idempotency key.
    const ONCE: bool = false;

    /// Reads the parameter.
    fn read(sent: &Sent) -> Result<Self, Problem>;

    /// Describes the parameter.
    fn describe(what: &mut Described);
}

impl RequestPart for () {
    fn read(_: &Sent) -> Result<Self, Problem> {
        Ok(())
    }

    fn describe(_: &mut Described) {}
}

const fn first(purposes: &[Option<Purpose>]) -> Option<Purpose> {
    match purposes {
        [] => None,
        [Some(purpose), ..] => Some(*purpose),
        [None, rest @ ..] => first(rest),
    }
}

macro_rules! parts {
    ($($part:ident)+) => {
        impl<$($part: RequestPart),+> RequestPart for ($($part,)+) {
            const BODY: bool = $($part::BODY ||)+ false;
            const UPLOAD: Option<Purpose> = first(&[$($part::UPLOAD),+]);
            const FILE: bool = $($part::FILE ||)+ false;
            const ONCE: bool = $($part::ONCE ||)+ false;

            fn read(sent: &Sent) -> Result<Self, Problem> {
                Ok(($($part::read(sent)?,)+))
            }

            fn describe(what: &mut Described) {
                $($part::describe(what);)+
            }
        }
    };
}
parts!(A B);
parts!(A B C);
parts!(A B C D);

/// Path parameters: one, or a tuple.
pub(super) struct At<T>(pub(super) T);

/// The type of a path parameter.
pub(super) trait Segments: Sized + Send + 'static {
    /// Parses the parameter. An invalid value is reported as not found.
    fn read(segments: &mut std::slice::Iter<'_, String>) -> Option<Self>;
    /// The schemas of the segments, in order.
    fn schemas() -> Vec<Value>;
}

impl Segments for String {
    fn read(segments: &mut std::slice::Iter<'_, String>) -> Option<Self> {
        segments.next().cloned()
    }

    fn schemas() -> Vec<Value> {
        vec![json!({"type": "string", "minLength": 1})]
    }
}

impl<K: IdKind> Segments for Id<K> {
    fn read(segments: &mut std::slice::Iter<'_, String>) -> Option<Self> {
        segments.next()?.parse().ok()
    }

    fn schemas() -> Vec<Value> {
        vec![json!(Self::schema())]
    }
}

/// A value from a fixed list.
macro_rules! choices {
    ($($choice:ty),*) => {$(
        impl Segments for $choice {
            fn read(segments: &mut std::slice::Iter<'_, String>) -> Option<Self> {
                Self::parse(segments.next()?)
            }

            fn schemas() -> Vec<Value> {
                vec![json!({"type": "string", "enum": Self::ALL.map(Self::as_str)})]
            }
        }
    )*};
}

choices!(AdminRole, PaymentAction, ReviewAction);

impl Segments for i64 {
    fn read(segments: &mut std::slice::Iter<'_, String>) -> Option<Self> {
        segments.next()?.parse().ok()
    }

    fn schemas() -> Vec<Value> {
        vec![json!({"type": "integer", "format": "int64", "minimum": 0})]
    }
}

impl Segments for Currency {
    fn read(segments: &mut std::slice::Iter<'_, String>) -> Option<Self> {
        segments.next()?.parse().ok()
    }

    fn schemas() -> Vec<Value> {
        vec![json!({"type": "string", "pattern": "^[A-Z]{3}$"})]
    }
}

impl<A: Segments, B: Segments> Segments for (A, B) {
    fn read(segments: &mut std::slice::Iter<'_, String>) -> Option<Self> {
        Some((A::read(segments)?, B::read(segments)?))
    }

    fn schemas() -> Vec<Value> {
        [A::schemas(), B::schemas()].concat()
    }
}

impl<A: Segments, B: Segments, C: Segments> Segments for (A, B, C) {
    fn read(segments: &mut std::slice::Iter<'_, String>) -> Option<Self> {
        Some((A::read(segments)?, B::read(segments)?, C::read(segments)?))
    }

    fn schemas() -> Vec<Value> {
        [A::schemas(), B::schemas(), C::schemas()].concat()
    }
}

impl<T: Segments> RequestPart for At<T> {
    fn read(sent: &Sent) -> Result<Self, Problem> {
        T::read(&mut sent.path.iter()).map(Self).ok_or(Problem::Rejected(Error::NotFound))
    }

    fn describe(what: &mut Described) {
        let names: Vec<String> = what
            .route
            .path
            .split('/')
            .filter_map(|part| Some(part.strip_prefix('{')?.strip_suffix('}')?.to_owned()))
            .collect();
        for (name, schema) in names.into_iter().zip(T::schemas()) {
            what.parameters.push(json!({"name": name, "in": "path", "required": true, "schema": schema}));
        }
        what.may_answer(404);
    }
}

/// Query parameters.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned + ToSchema + Send + 'static> RequestPart for Query<T> {
    fn read(sent: &Sent) -> Result<Self, Problem> {
        let pairs = serde_urlencoded::Deserializer::new(form_urlencoded::parse(sent.query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Self).map_err(not_readable)
    }

    fn describe(what: &mut Described) {
        let mut schema = json!(T::schema());
        let required = schema["required"].take();
        what.schemas_within::<T>();
        for (name, mut schema) in schema["properties"].as_object().cloned().unwrap_or_default() {
            let required = required.as_array().is_some_and(|names| names.contains(&json!(name)));
            let description = schema.as_object_mut().and_then(|s| s.remove("description"));
            let schema = not_null(schema);
            what.parameters.push(json!({
                "name": name, "in": "query", "required": required, "schema": schema,
                "description": description.unwrap_or_default(),
            }));
        }
        what.may_answer(422);
    }
}

/// The field that can't be read, or that is missing: serde reports that of the object around it.
fn not_readable<E: fmt::Display>(error: serde_path_to_error::Error<E>) -> Problem {
    let (path, why) = (error.path().to_string(), error.into_inner().to_string());
    let within = if path == "." { String::new() } else { path };
    match why.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`')) {
        Some(name) if within.is_empty() => Error::field(name, FieldCode::Missing).into(),
        Some(name) => Error::field(format!("{within}.{name}"), FieldCode::Missing).into(),
        None if within.is_empty() => Problem::NotReadable { field: "body".into(), why },
        None => Problem::NotReadable { field: within, why },
    }
}

/// The schema without null, because query parameters are left out instead.
fn not_null(mut schema: Value) -> Value {
    if let Some(kinds) = schema["type"].as_array() {
        let kind = kinds.iter().find(|kind| *kind != "null").cloned();
        schema["type"] = kind.unwrap_or_default();
    }
    let choices = schema.get_mut("oneOf").and_then(Value::as_array_mut);
    let choice = choices.and_then(|choices| choices.iter_mut().find(|choice| choice["type"] != "null"));
    choice.map(Value::take).unwrap_or(schema)
}

/// A JSON body.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned + ToSchema + Send + 'static> RequestPart for Body<T> {
    const BODY: bool = true;

    fn read(sent: &Sent) -> Result<Self, Problem> {
        if !media_type(sent).eq_ignore_ascii_case("application/json") {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into());
        }
        let json = json(&sent.body).map_err(|error| Problem::NotJson { why: error.to_string() })?;
        serde_path_to_error::deserialize(Objects(json)).map(Self).map_err(not_readable)
    }

    fn describe(what: &mut Described) {
        let schema = schema_of::<T>(what);
        what.body = Some(json!({"required": true, "content": {"application/json": {"schema": schema}}}));
        for status in [400, 413, 415, 422] {
            what.may_answer(status);
        }
    }
}

/// A picture of a product as the body. Its format is detected from the bytes; the media type must be one
/// of these.
pub(super) struct PictureFile(pub(super) Bytes);

const PICTURE_KINDS: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "application/octet-stream"];

impl RequestPart for PictureFile {
    const BODY: bool = true;
    const UPLOAD: Option<Purpose> = Some(Purpose::ProductPicture);

    fn read(sent: &Sent) -> Result<Self, Problem> {
        match is_one_of(sent, &PICTURE_KINDS) {
            true => Ok(Self(sent.body.clone())),
            // Detected from the bytes, too, so that the error can say what to do.
            false => Err(Problem::PictureKind(match media_type(sent).to_ascii_lowercase().as_str() {
                "image/heic" | "image/heif" | "image/heic-sequence" | "image/heif-sequence" => {
                    FieldCode::PictureHeic
                }
                _ => refusal(&sent.body),
            })),
        }
    }

    fn describe(what: &mut Described) {
        describe_file(what, &PICTURE_KINDS);
    }
}

/// The same, of what is wrong with a part of an order. Its path begins with the purchase and the order.
pub(super) struct ReturnPictureFile(pub(super) Bytes);

impl RequestPart for ReturnPictureFile {
    const BODY: bool = true;
    const UPLOAD: Option<Purpose> = Some(Purpose::ReturnPicture);

    fn read(sent: &Sent) -> Result<Self, Problem> {
        PictureFile::read(sent).map(|PictureFile(bytes)| Self(bytes))
    }

    fn describe(what: &mut Described) {
        PictureFile::describe(what);
    }
}

/// The same, for a message. Its path ends with the conversation, in front of it the shop for its members.
pub(super) struct MessagePictureFile(pub(super) Bytes);

impl RequestPart for MessagePictureFile {
    const BODY: bool = true;
    const UPLOAD: Option<Purpose> = Some(Purpose::ChatPicture);

    fn read(sent: &Sent) -> Result<Self, Problem> {
        PictureFile::read(sent).map(|PictureFile(bytes)| Self(bytes))
    }

    fn describe(what: &mut Described) {
        PictureFile::describe(what);
    }
}

/// A product file as the body. Its format is detected from the bytes, as with pictures.
pub(super) struct ProductFile(pub(super) axum::body::Body);

const PRODUCT_FILE_KINDS: [&str; 5] = [
    "text/csv",
    "text/tab-separated-values",
    "application/x-ndjson",
    "application/gzip",
    "application/octet-stream",
];

impl RequestPart for ProductFile {
    const FILE: bool = true;

    fn read(sent: &Sent) -> Result<Self, Problem> {
        if !is_one_of(sent, &PRODUCT_FILE_KINDS) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into());
        }
        Ok(Self(std::mem::take(&mut *sent.unread.lock().unwrap_or_else(PoisonError::into_inner))))
    }

    fn describe(what: &mut Described) {
        describe_file(what, &PRODUCT_FILE_KINDS);
    }
}

/// A table as the body, of the size that bodies usually have.
pub(super) struct CsvFile(pub(super) Bytes);

const TABLE_KINDS: [&str; 2] = ["text/csv", "text/tab-separated-values"];

impl RequestPart for CsvFile {
    const BODY: bool = true;

    fn read(sent: &Sent) -> Result<Self, Problem> {
        match is_one_of(sent, &TABLE_KINDS) {
            true => Ok(Self(sent.body.clone())),
            false => Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into()),
        }
    }

    fn describe(what: &mut Described) {
        describe_file(what, &TABLE_KINDS);
    }
}

/// Whether the body's media type is one of these.
fn is_one_of(sent: &Sent, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| media_type(sent).eq_ignore_ascii_case(kind))
}

/// Describes a body with one of these media types.
fn describe_file(what: &mut Described, kinds: &[&str]) {
    let schema = json!({"schema": {"type": "string", "format": "binary"}});
    let content: Value = kinds.iter().map(|kind| ((*kind).to_owned(), schema.clone())).collect();
    what.body = Some(json!({"required": true, "content": content}));
    for status in [413, 415, 422] {
        what.may_answer(status);
    }
}

/// The media type of the body.
fn media_type(sent: &Sent) -> &str {
    let kind = sent.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim()
}

/// A required idempotency key: repeating the command returns the same response.
pub(super) struct Once(pub(super) String);

/// The header of the key.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

impl RequestPart for Once {
    const ONCE: bool = true;

    fn read(sent: &Sent) -> Result<Self, Problem> {
        let value = sent.headers.get(IDEMPOTENCY_KEY).and_then(|key| key.to_str().ok());
        value.and_then(key).map(Self).ok_or(Problem::KeyMissing)
    }

    fn describe(what: &mut Described) {
        what.parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": true,
            "description": format!("A unique value that you generate for each operation. {KEY_RULES}"),
            "schema": {"type": "string", "pattern": KEY_PATTERN},
        }));
        what.may_answer(400);
        what.may_answer(409);
    }
}

const KEY_RULES: &str = "Repeating a request with the same key returns the same response for seven days, and waits for \
    the first one while it is still being processed; using the key with a different request fails (409, key_reused). \
    Requests are the same if their path and the JSON value of their body are: white space and the order of names don't \
    matter. `K1` and `\"K1\"`, as the IETF draft writes it, are the same key; with one quotation mark, it is none.";

const KEY_PATTERN: &str = r#"^([!#-~]{1,200}|"([ !#-\[\]-~]|\\["\\]){1,200}")$"#;

/// A key as it was sent: plain, or as a quoted string of RFC 9651. A plain key has no quotation marks, so
/// that one that lost its first is not taken for another key.
fn key(value: &str) -> Option<String> {
    let key = match value.strip_prefix('"') {
        None => value.bytes().all(|b| b.is_ascii_graphic() && b != b'"').then(|| value.to_owned())?,
        Some(quoted) => {
            let (mut key, mut rest) = (String::new(), quoted.strip_suffix('"')?.chars());
            while let Some(c) = rest.next() {
                key.push(match c {
                    '\\' => rest.next().filter(|c| matches!(c, '"' | '\\'))?,
                    ' '..='~' if c != '"' => c,
                    _ => return None,
                });
            }
            key
        }
    };
    (1..=haat_engine::idempotency::KEY_MAX).contains(&key.len()).then_some(key)
}

/// An optional idempotency key.
pub(super) struct OnceIfAsked;

impl RequestPart for OnceIfAsked {
    const ONCE: bool = true;

    fn read(sent: &Sent) -> Result<Self, Problem> {
        match sent.headers.contains_key(IDEMPOTENCY_KEY) {
            true => Once::read(sent).map(|_| Self),
            false => Ok(Self),
        }
    }

    fn describe(what: &mut Described) {
        what.parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": format!("Optional: a unique value that you generate, so that a repeated request takes effect once. {KEY_RULES}"),
            "schema": {"type": "string", "pattern": KEY_PATTERN},
        }));
        what.may_answer(400);
        what.may_answer(409);
    }
}

/// The version to be changed: the `ETag` that was read.
pub(super) struct IfMatch(pub(super) i64);

impl RequestPart for IfMatch {
    fn read(sent: &Sent) -> Result<Self, Problem> {
        let tag = sent.headers.get(header::IF_MATCH).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
        if tag.is_empty() {
            return Err(StatusCode::PRECONDITION_REQUIRED.into());
        }
        // A well-formed tag that isn't ours is an unknown version; anything else is not a tag.
        let weak = tag.strip_prefix("W/");
        let quoted = weak.unwrap_or(tag).strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
        let inner = quoted.filter(|inner| !inner.contains('"')).ok_or(StatusCode::BAD_REQUEST)?;
        match inner.parse() {
            Ok(version) if weak.is_none() => Ok(Self(version)),
            _ => Err(StatusCode::PRECONDITION_FAILED.into()),
        }
    }

    fn describe(what: &mut Described) {
        what.parameters.push(json!({
            "name": "If-Match", "in": "header", "required": true,
            "description": "The ETag of the version that you want to change.",
            "schema": {"type": "string", "pattern": "^(W/)?\"[!#-~]*\"$"},
        }));
        what.may_answer(400);
        what.may_answer(412);
        what.may_answer(428);
    }
}

/// Which page of a list is wanted; a part of many queries.
#[derive(Debug, serde::Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    /// The `next` cursor of the previous page.
    pub(super) after: Option<String>,
    /// The maximum number of items to return.
    #[schema(value_type = Option<i64>, minimum = 1, maximum = 100)]
    pub(super) limit: Option<Limit>,
}

/// The maximum number of rows of a page.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit(pub(super) usize);

impl<'de> serde::Deserialize<'de> for Limit {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let limit = usize::deserialize(deserializer)?;
        if (1..=haat_shared::page::LIMIT_MAX).contains(&limit) {
            return Ok(Self(limit));
        }
        Err(serde::de::Error::custom(format_args!("must be between 1 and {}", haat_shared::page::LIMIT_MAX)))
    }
}

/// A moment: a time in RFC 3339, which must have an offset.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment(pub(super) i64);

impl<'de> serde::Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let moment = haat_engine::clock::instant(&String::deserialize(deserializer)?);
        let why = "must be a time with an offset, such as 2026-12-03T09:30:00+05:30";
        moment.map(Self).ok_or_else(|| serde::de::Error::custom(why))
    }
}

/// A day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day(pub(super) i64);

impl<'de> serde::Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let day = haat_shared::text::day(&String::deserialize(deserializer)?);
        day.map(Self).ok_or_else(|| serde::de::Error::custom("must be a date, such as 2026-12-03"))
    }
}

/// The page that `after` and `limit` request.
pub(super) fn page(after: &Option<String>, limit: Option<Limit>) -> haat_shared::page::PageRequest<'_> {
    haat_shared::page::PageRequest { after: after.as_deref().unwrap_or_default(), limit: limit.map(|l| l.0) }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code)]
        struct Inner {
            name: String,
        }
        #[derive(Debug, serde::Deserialize)]
        #[expect(dead_code)]
        struct Outer {
            reason: String,
            inner: Inner,
        }
        let at = |json: Value| match serde_path_to_error::deserialize::<_, Outer>(Objects(json)) {
            Ok(read) => panic!("{read:?}"),
            Err(error) => not_readable(error),
        };
        for (json, field) in [
            (json!({}), "reason"),
            (json!({"reason": "Lost"}), "inner"),
            (json!({"reason": "Lost", "inner": {}}), "inner.name"),
        ] {
            match at(json) {
                Problem::Rejected(error) => assert_eq!(error, Error::field(field, FieldCode::Missing)),
                other => panic!("{other:?}"),
            }
        }
        for (json, at_field) in [(json!([]), "body"), (json!({"reason": 1}), "reason")] {
            match at(json) {
                Problem::NotReadable { field, .. } => assert_eq!(field, at_field),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn idempotency_keys_may_be_quoted() {
        let long = "k".repeat(200);
        for (sent, expected) in [
            ("K1", Some("K1")),
            ("\"K1\"", Some("K1")),
            (r#""a\"b\\c d""#, Some("a\"b\\c d")),
            (&long, Some(long.as_str())),
            (&format!("\"{long}\""), Some(long.as_str())),
            ("", None),
            ("\"\"", None),
            ("\"", None),
            ("\"K1", None),
            ("K1\"", None),
            ("K\"1", None),
            ("\"K\"1\"", None),
            (r#""K1\""#, None),
            (r#""K\1""#, None),
            ("K 1", None),
            ("ключ", None),
            (&format!("{long}k"), None),
            (&format!("\"{long}k\""), None),
        ] {
            assert_eq!(key(sent).as_deref(), expected, "{sent}");
        }
    }

    #[test]
    fn a_query_leaves_out_what_may_be_null() {
        assert_eq!(
            not_null(json!({"type": ["string", "null"], "maxLength": 1})),
            json!({"type": "string", "maxLength": 1})
        );
        let choice = json!({"type": "string", "enum": ["a"]});
        assert_eq!(not_null(json!({"oneOf": [{"type": "null"}, choice]})), choice);
    }

    #[test]
    fn a_version_is_a_tag_in_quotes() {
        let read = |tag: Option<&str>| {
            let headers = tag.map(|tag| (header::IF_MATCH, tag.parse().unwrap()));
            let sent = Sent {
                path: Vec::new(),
                query: String::new(),
                headers: HeaderMap::from_iter(headers),
                body: Bytes::new(),
                unread: Mutex::default(),
            };
            IfMatch::read(&sent).map(|tag| tag.0).map_err(|problem| match problem {
                Problem::Status(status) => status.as_u16(),
                other => panic!("{other:?}"),
            })
        };
        for (tag, expected) in [
            (None, Err(428)),
            (Some(""), Err(428)),
            (Some("\"7\""), Ok(7)),
            (Some("W/\"7\""), Err(412)),
            (Some("\"seven\""), Err(412)),
            (Some("7"), Err(400)),
            (Some("\"7\", \"8\""), Err(400)),
            (Some("*"), Err(400)),
        ] {
            assert_eq!(read(tag), expected, "{tag:?}");
        }
    }
}
