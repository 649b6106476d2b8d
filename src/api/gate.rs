//! What answers at the gateway's address: the routes while the vault is open, one sentence while it is sealed. Exchanged as
//! a whole, under running connections.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use tower::ServiceExt;

use super::problem::Problem;

/// Holds the routes that answer now.
#[derive(Clone)]
pub struct Gate {
    now: Arc<ArcSwap<Router>>,
    sealed: Arc<Router>,
}

impl Gate {
    /// Closed. `sealed` is what answers while the vault is sealed.
    pub fn closed(sealed: Router) -> Self {
        let sealed = Arc::new(sealed);
        Self { now: Arc::new(ArcSwap::new(Arc::clone(&sealed))), sealed }
    }

    /// From now on, these routes answer. Requests under way end as they began.
    pub fn open(&self, routes: Router) {
        self.now.store(Arc::new(routes));
    }

    /// From now on, everything is told that the vault is sealed.
    pub fn seal(&self) {
        self.now.store(Arc::clone(&self.sealed));
    }

    /// What a server is given.
    pub fn router(&self) -> Router {
        let gate = self.clone();
        Router::new().fallback(move |request: Request| {
            let routes = Router::clone(&gate.now.load());
            async move { through(routes, request).await }
        })
    }
}

async fn through(routes: Router, request: Request) -> Response {
    match routes.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// What answers while the vault is sealed: alive, not ready, and one problem for everything else.
pub fn sealed() -> Router {
    Router::new()
        .route("/healthz", get(super::health::live))
        .route("/readyz", get(super::health::sealed))
        .fallback(|| async { Problem::sealed().into_response() })
}

impl Problem {
    /// The vault is sealed: nothing can be read, and nothing is sent.
    pub fn sealed() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "sealed",
            "The vault is sealed, so that nothing is read and nothing is sent. Whoever runs the gateway opens it with `portico vault unseal` on its machine; ask again then.",
        )
        .by_gateway()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    async fn status(gate: &Gate, path: &str) -> StatusCode {
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        gate.router().oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn the_routes_change_under_the_same_server() {
        let gate = Gate::closed(sealed());
        assert_eq!(status(&gate, "/healthz").await, StatusCode::OK);
        for path in ["/readyz", "/v1/carriers", "/metrics", "/no/such"] {
            assert_eq!(status(&gate, path).await, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        }
        gate.open(Router::new().route("/v1/carriers", get(|| async { "open" })));
        assert_eq!(status(&gate, "/v1/carriers").await, StatusCode::OK);
        assert_eq!(status(&gate, "/no/such").await, StatusCode::NOT_FOUND);
        gate.seal();
        assert_eq!(status(&gate, "/v1/carriers").await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
