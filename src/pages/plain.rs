//! What a browser is told when something goes wrong: always a page in words, never a document for programs, bare text, or a
//! connection that ends. Programs are told as the API says.

use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use connector_sdk::{Error, ErrorKind};
use futures_util::FutureExt;
use http::{HeaderMap, HeaderValue, Method, header};

use super::fault::Fault;
use super::{assets, guarded};
use crate::api::{self, Problem};

/// Addresses of programs: what they say, they say in their own way to everybody.
const OF_PROGRAMS: [&str; 7] = ["/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/assets/"];

/// Whether a person is to read the answer.
pub fn is_for_person(headers: &HeaderMap, path: &str) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    accepts.contains("text/html") && !OF_PROGRAMS.iter().any(|start| path.starts_with(start))
}

/// While the vault is sealed: a page for people that looks again by itself, and the API's problem for programs.
pub fn sealed() -> Router {
    api::sealed()
        .route("/assets/{name}", get(assets::get))
        .fallback(shut)
        .layer(axum::middleware::map_response(guarded))
}

async fn shut(request: Request) -> Response {
    // A part of a page that renews itself: the whole page is to be loaded anew, which then says it.
    if request.headers().contains_key("hx-request") {
        let mut response = Problem::sealed().into_response();
        response.headers_mut().insert("hx-refresh", HeaderValue::from_static("true"));
        return response;
    }
    if !is_for_person(request.headers(), request.uri().path()) {
        return Problem::sealed().into_response();
    }
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    Fault::sealed(reads).into_response()
}

/// Runs what answers a request. A panic ends with an answer, and not with the connection; a refusal without words gets
/// some where a person is to read it.
pub async fn spoken(request: Request, next: Next) -> Response {
    let person = is_for_person(request.headers(), request.uri().path());
    // What a panic leaves half done is dropped with the request's own values; what outlives it is behind the store's
    // transactions and behind locks that a panic does not poison for others.
    let response = match AssertUnwindSafe(next.run(request)).catch_unwind().await {
        Ok(response) => response,
        Err(_) => {
            let text = "The gateway made a mistake while it answered this; its log says where.";
            Problem::from(Error::new(ErrorKind::Internal, text)).into_response()
        }
    };
    let status = response.status();
    let refused = status.is_client_error() || status.is_server_error();
    if !person || !refused || is_page(&response) {
        return response;
    }
    let wait = response.headers().get(header::RETRY_AFTER).and_then(|secs| secs.to_str().ok()?.parse().ok());
    guarded(Fault::of_status(status).after(wait).into_response()).await
}

fn is_page(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/html")
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use http::StatusCode;
    use tower::ServiceExt;

    use super::*;

    async fn ask(routes: Router, method: &str, path: &str, accept: &str) -> (StatusCode, HeaderMap, String) {
        let request = Request::builder().method(method).uri(path).header("accept", accept).body(Body::empty()).unwrap();
        let response = routes.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.unwrap();
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_sealed_gateway_tells_people_in_words_and_programs_as_before() {
        let (status, headers, page) = ask(sealed(), "GET", "/today", "text/html,*/*;q=0.8").await;
        assert_eq!((status, &headers[header::REFRESH]), (StatusCode::SERVICE_UNAVAILABLE, &HeaderValue::from(10)));
        for words in ["<h1>The gateway is sealed</h1>", "portico vault unseal", "Tell your administrator"] {
            assert!(page.contains(words), "{page}");
        }
        assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"));
        // What was sent is not sent again by itself.
        let (_, headers, page) = ask(sealed(), "POST", "/today/verify", "text/html").await;
        assert!(!headers.contains_key(header::REFRESH) && page.contains("was not taken"), "{page}");
        for (path, accept) in [("/today", "application/json"), ("/v1/carriers", "text/html"), ("/today", "*/*")] {
            let (status, headers, body) = ask(sealed(), "GET", path, accept).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{path} {accept}");
            assert!(body.contains("\"title\":\"sealed\""), "{body}");
        }
        assert_eq!(ask(sealed(), "GET", "/healthz", "text/html").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_refusal_and_a_panic_are_pages_for_people_and_problems_for_programs() {
        // Not written as routes of pages are: a test reads those.
        let (breaks, busy, of_programs) = ("/breaks", "/slow-down", "/v1/breaks");
        let routes = Router::new()
            .route(
                breaks,
                get(|| async {
                    if true {
                        panic!("on purpose")
                    }
                }),
            )
            .route(busy, get(|| async { (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "7")], "no") }))
            .route(of_programs, get(|| async { StatusCode::IM_A_TEAPOT }))
            .layer(axum::middleware::from_fn(spoken));
        let html = "text/html,*/*;q=0.8";
        let (status, headers, page) = ask(routes.clone(), "GET", "/breaks", html).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            page.contains("our fault, not yours") && headers.contains_key(header::CONTENT_SECURITY_POLICY),
            "{page}"
        );
        let (_, headers, body) = ask(routes.clone(), "GET", "/breaks", "application/json").await;
        assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json");
        assert!(!body.contains("on purpose"), "{body}");
        let (status, headers, page) = ask(routes.clone(), "GET", "/slow-down", html).await;
        assert_eq!((status, &headers[header::RETRY_AFTER]), (StatusCode::TOO_MANY_REQUESTS, &HeaderValue::from(7)));
        assert!(page.contains("tried again in 7 s"), "{page}");
        let (status, _, page) = ask(routes.clone(), "POST", "/slow-down", html).await;
        assert!(status == StatusCode::METHOD_NOT_ALLOWED && page.contains("reached otherwise"), "{page}");
        let (_, _, page) = ask(routes.clone(), "GET", "/none", html).await;
        assert!(page.contains("There is nothing here"), "{page}");
        assert_eq!(ask(routes, "GET", "/v1/breaks", html).await.2, "");
    }
}
