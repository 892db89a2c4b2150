//! Exports all products of a shop, in the format that `Accept` requests.

use axum::{
    body::Body,
    http::{StatusCode, header},
};
use haat_shared::{
    catalog::{edit::ListSellerProducts, imports::ExportFormat},
    routes::API_EXPORT,
};
use serde_json::{Value, json};

use super::{
    Api, RequestContext,
    extract::{At, RequestPart, Sent},
    problem::Problem,
    reply::{IntoReply, Reply},
    schema::Described,
};
use crate::http::exports;

pub(super) fn routes(api: Api) -> Api {
    let says =
        "Exports all products of a shop as CSV, or as XML or JSON Lines depending on the Accept header.";
    api.on(API_EXPORT, says, export)
}

/// The available formats; the first is the default.
const FORMATS: [(&str, ExportFormat); 3] = [
    ("text/csv", ExportFormat::Csv),
    ("application/xml", ExportFormat::Xml),
    ("application/x-ndjson", ExportFormat::Json),
];

/// One of [`FORMATS`].
struct Wanted((&'static str, ExportFormat));

impl RequestPart for Wanted {
    fn read(sent: &Sent) -> Result<Self, Problem> {
        let accept = sent.headers.get_all(header::ACCEPT).iter().map(|value| value.to_str().unwrap_or(""));
        let accept = accept.collect::<Vec<_>>().join(",");
        wanted(&accept).map(Self).ok_or(StatusCode::NOT_ACCEPTABLE.into())
    }

    fn describe(what: &mut Described) {
        what.may_answer(406);
    }
}

/// The preferred format (RFC 9110, 12.5.1).
fn wanted(accept: &str) -> Option<(&'static str, ExportFormat)> {
    if accept.trim().is_empty() {
        return Some(FORMATS[0]);
    }
    let liked = |kind: &str| {
        let ranges = accept.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(|part| part.trim().to_ascii_lowercase());
            let range = parts.next()?;
            let near = match range.strip_suffix('*') {
                None => range == kind,
                Some("*/") => true,
                Some(begin) => begin.ends_with('/') && kind.starts_with(begin),
            };
            let quality = parts.find_map(|part| part.strip_prefix("q=").map(|q| q.parse().unwrap_or(0f32)));
            near.then(|| (range.trim_end_matches('*').len(), quality.unwrap_or(1.0)))
        });
        // What is said of the format itself counts for more than what is said of all.
        ranges.max_by_key(|(exact, _)| *exact).map_or(0.0, |(_, quality)| quality)
    };
    let all = FORMATS.into_iter().rev().map(|format| (liked(format.0), format));
    let best = all.filter(|(quality, _)| *quality > 0.0).max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.map(|(_, format)| format)
}

/// A body that is streamed.
struct Streamed(&'static str, Body);

impl IntoReply for Streamed {
    const STATUS: u16 = 200;

    fn reply(self) -> Result<Reply, Problem> {
        let stream = Some((self.0, self.1));
        Ok(Reply { status: Self::STATUS, version: None, body: String::new(), stream })
    }

    fn schema(_: &mut Described) -> Option<Value> {
        None
    }

    fn content(_: &mut Described) -> Option<Value> {
        Some(FORMATS.iter().map(|(kind, _)| ((*kind).to_owned(), json!({}))).collect())
    }
}

async fn export(
    context: RequestContext,
    (At(handle), Wanted((kind, format))): (At<String>, Wanted),
) -> haat_shared::Result<Streamed> {
    let engine = context.engine().clone();
    let all = ListSellerProducts::default();
    exports::parts(&engine, context.caller, handle, format, all, &[]).await.map(|body| Streamed(kind, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_format_is_sent() {
        for (accept, expected) in [
            ("", Some("text/csv")),
            ("*/*", Some("text/csv")),
            ("application/*", Some("application/xml")),
            ("Application/XML", Some("application/xml")),
            ("text/html, application/xml;q=0.9, */*;q=0.8", Some("application/xml")),
            ("text/csv;q=0.5, application/x-ndjson", Some("application/x-ndjson")),
            ("*/*, text/csv;q=0, application/xml;q=0.1", Some("application/x-ndjson")),
            ("application/json", None),
            ("text/csv;q=0", None),
            ("text/csv;q=much", None),
            ("text", None),
            ("*", None),
        ] {
            assert_eq!(wanted(accept).map(|(kind, _)| kind), expected, "{accept}");
        }
    }
}
