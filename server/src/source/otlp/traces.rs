//! Spans: calls of senders that speak the conventions for generative AI. The spans of the tools that are known
//! repeat what their events say, so they are counted only.

use model::id::NameError;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use super::attributes::Attributes;
use super::belonging::{Belonging, Tool};
use super::gen_ai;
use super::parse::{Origin, Parsed, Place};
use super::record::{Mapped, Record, time};

/// Takes every span.
///
/// # Errors
/// A source's name is refused, which does not happen.
pub(super) fn parse(request: &ExportTraceServiceRequest) -> Result<Parsed, NameError> {
    let mut parsed = Parsed::default();
    for resource in &request.resource_spans {
        let place = Place::of(resource.resource.as_ref());
        for scope in &resource.scope_spans {
            let origin = Origin::of(&place, scope.scope.as_ref())?;
            for span in &scope.spans {
                let attributes = origin.attributes(&span.attributes);
                let mapped = map(&origin, span, attributes);
                let (share, place) = parsed.next(&attributes);
                // A span's name may hold a model's, an address or a statement; the operation's is one of a few words.
                let name = match origin.tool {
                    Tool::Generic => attributes.text("gen_ai.operation.name").unwrap_or_default(),
                    _ => &span.name,
                };
                share.settle(&origin.source, name, place, mapped);
            }
        }
    }
    Ok(parsed)
}

fn map(origin: &Origin<'_>, span: &Span, attributes: Attributes<'_>) -> Mapped {
    if origin.tool != Tool::Generic {
        return Ok(None);
    }
    let at = time(span.end_time_unix_nano).ok_or_else(|| "no believable time".to_owned())?;
    let who = Belonging::of(&attributes, origin.source.clone());
    let conversation = origin.conversation(&who, &attributes).unwrap_or_default();
    let duration_us = span.end_time_unix_nano.checked_sub(span.start_time_unix_nano).map(|nanos| nanos / 1_000);
    let ok = span.status.as_ref().is_none_or(|status| status.code != StatusCode::Error as i32);
    let serial = [span.trace_id.as_slice(), span.span_id.as_slice()].concat();
    let record = Record { name: "span", at, attributes, who, conversation: &conversation, serial };
    gen_ai::map(&record, duration_us, ok)
}
