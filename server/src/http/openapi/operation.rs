//! One operation of the API, and how the document describes it.

use axum::http::{Method, Uri};
use serde_json::{Value, json};

use super::schema;
use crate::http::access::needed;

/// How the example of an operation is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// As it is, against a town with some events.
    AsItIs,
    /// Not: it needs more than a fresh server has, or does not end. Its own tests do.
    Elsewhere,
}

/// One operation.
#[derive(Debug, Clone, Copy)]
pub struct Operation {
    /// Lower-case, as in the document.
    pub method: &'static str,
    /// As the router has it.
    pub path: &'static str,
    /// What it is for, in a sentence.
    pub summary: &'static str,
    /// Parameters behind the question mark: name, an example, and what it means.
    pub query: &'static [(&'static str, &'static str, &'static str)],
    /// What is sent.
    pub body: Option<&'static str>,
    /// The status of success.
    pub status: u16,
    /// The type of the answer.
    pub media: &'static str,
    /// An answer.
    pub answer: Option<&'static str>,
    /// How both examples are tried.
    pub tried: Try,
}

/// What an operation has that says nothing else.
pub(super) const PLAIN: Operation = Operation {
    method: "get",
    path: "",
    summary: "",
    query: &[],
    body: None,
    status: 200,
    media: "application/json",
    answer: None,
    tried: Try::AsItIs,
};

impl Operation {
    /// The address of its example, in town `home`.
    #[must_use]
    pub fn example_path(&self) -> String {
        let path = self.path.replace("{town}", "home");
        let query: Vec<String> = self
            .query
            .iter()
            .filter(|(_, example, _)| !example.is_empty())
            .map(|(name, example, _)| format!("{name}={example}"))
            .collect();
        if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
    }

    /// The example of its answer, parsed; none when it is no JSON or there is none.
    #[must_use]
    pub fn answer_json(&self) -> Option<Value> {
        serde_json::from_str(self.answer?).ok()
    }

    fn scope(&self) -> Option<&'static str> {
        let method = Method::from_bytes(self.method.to_ascii_uppercase().as_bytes()).ok()?;
        let uri: Uri = self.path.replace("{town}", "home").parse().ok()?;
        needed(&method, &uri).map(|scope| scope.name())
    }

    /// As in the document.
    pub(super) fn describe(&self) -> Value {
        let in_path = self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let mut parameters: Vec<Value> = in_path
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}, "example": "home"}))
            .collect();
        parameters.extend(self.query.iter().map(|(name, example, about)| {
            let mut parameter =
                json!({"name": name, "in": "query", "required": false, "description": about, "schema": {"type": "string"}});
            if !example.is_empty() {
                parameter["example"] = (*example).into();
            }
            parameter
        }));
        let content = |raw: &str, media: &str| {
            let example: Value = serde_json::from_str(raw).unwrap_or_else(|_| raw.into());
            json!({media: {"schema": schema::of(&example), "example": example}})
        };
        let mut success = json!({"description": "done"});
        if let Some(answer) = self.answer {
            success["content"] = content(answer, self.media);
        }
        let mut operation = json!({
            "summary": self.summary,
            "parameters": parameters,
            "responses": {
                self.status.to_string(): success,
                "default": {
                    "description": "why not, and what to do",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                },
            },
        });
        if let Some(body) = self.body {
            operation["requestBody"] = json!({"required": true, "content": content(body, "application/json")});
        }
        if let Some(scope) = self.scope() {
            operation["description"] = format!("Beyond loopback it takes a key of scope \"{scope}\".").into();
            operation["security"] = json!([{"key": []}, {"session": []}]);
        }
        operation
    }
}
