//! The OpenAPI document, and the same as a readable page without scripts.

use std::fmt::Write as _;
use std::sync::OnceLock;

use axum::Json;
use axum::response::Html;
use serde_json::Value;

use super::openapi;

/// `GET /openapi.json`
pub async fn openapi() -> Json<&'static Value> {
    Json(document())
}

/// `GET /docs`
pub async fn page() -> Html<&'static str> {
    static PAGE: OnceLock<String> = OnceLock::new();
    Html(PAGE.get_or_init(|| render(document())))
}

fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(openapi::document)
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;\
background:#fff}code,pre{font:14px/1.45 ui-monospace,monospace}pre{background:#f3f4f6;padding:1rem;overflow:auto}\
h2{margin-top:2.5rem;border-top:1px solid #c9ced6;padding-top:1rem}table{border-collapse:collapse;width:100%}\
td,th{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #dfe3e8;vertical-align:top}\
.m{display:inline-block;min-width:3.5rem;font-weight:600}@media(prefers-color-scheme:dark){body{background:#15181c;\
color:#e8eaed}pre{background:#22262b}td,th,h2{border-color:#3a4048}a{color:#8ab4f8}}";

fn render(document: &Value) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Portico API</title><style>{STYLE}</style><main><h1>Portico API</h1><p>{}</p>\
         <p>The same for programs: <a href=\"/openapi.json\">openapi.json</a></p>",
        escape(text(document, "/info/description")),
    );
    page.push_str("<h2 id=\"routes\">Addresses</h2><table><tr><th>Address<th>What it does");
    for (path, methods) in entries(document, "/paths") {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let _ = write!(
                page,
                "<tr><td><span class=\"m\">{}</span> <code>{}</code><td>{}",
                method.to_uppercase(),
                escape(path),
                escape(text(operation, "/summary")),
            );
        }
    }
    page.push_str("</table><h2 id=\"objects\">Objects</h2>");
    for (name, schema) in entries(document, "/components/schemas") {
        let _ = write!(page, "<h3 id=\"{0}\">{0}</h3><p>{1}</p>", escape(name), escape(text(schema, "/description")));
        let properties = entries(schema, "/properties");
        if !properties.is_empty() {
            page.push_str("<table><tr><th>Field<th>Type<th>Meaning");
            for (field, property) in properties {
                let _ = write!(
                    page,
                    "<tr><td><code>{}</code><td>{}<td>{}",
                    escape(field),
                    type_of(property),
                    escape(text(property, "/description")),
                );
            }
            page.push_str("</table>");
        }
        let words: Vec<&str> = words_of(schema);
        if !words.is_empty() {
            let _ = write!(page, "<p>One of: <code>{}</code></p>", escape(&words.join(" | ")));
        }
    }
    page.push_str("</main></html>");
    page
}

fn entries<'a>(value: &'a Value, pointer: &str) -> Vec<(&'a String, &'a Value)> {
    value.pointer(pointer).and_then(Value::as_object).map(|object| object.iter().collect()).unwrap_or_default()
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn words_of(schema: &Value) -> Vec<&str> {
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let variants = schema.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    listed.chain(variants.filter_map(|variant| variant.get("const").and_then(Value::as_str))).collect()
}

fn type_of(property: &Value) -> String {
    if let Some(reference) = property.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        return format!("<a href=\"#{0}\">{0}</a>", escape(name));
    }
    if let Some(variants) = property.get("anyOf").and_then(Value::as_array) {
        let kinds: Vec<String> = variants.iter().map(type_of).filter(|kind| kind != "null").collect();
        return kinds.join(" or ");
    }
    match property.get("type") {
        Some(Value::String(kind)) if kind == "array" => {
            format!("list of {}", property.get("items").map(type_of).unwrap_or_default())
        }
        Some(Value::String(kind)) => escape(kind),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            escape(&kinds.collect::<Vec<_>>().join(" or "))
        }
        _ => String::new(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
