//! The client: keep-alive HTTP/1.1 connections, each with one request under way.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A request that can be sent again and again.
#[derive(Clone)]
pub struct Shot {
    /// Where to.
    pub address: SocketAddr,
    /// Path and query.
    pub path: String,
    /// Headers, without Host and Content-Length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl Shot {
    /// The request as hyper wants it.
    pub fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::post(&self.path).header("host", self.address.to_string());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(self.body.clone())).unwrap()
    }
}

/// One connection.
pub struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Opens it; must run inside the client's runtime.
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    /// Sends one request and reads the whole reply.
    pub async fn send(&mut self, shot: &Shot) -> (StatusCode, Bytes) {
        let reply = self.send_any(shot.request()).await;
        (reply.status(), reply.into_body())
    }

    /// Sends any request and reads the whole reply.
    pub async fn send_any(&mut self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        self.sender.ready().await.unwrap();
        let (head, body) = self.sender.send_request(request).await.unwrap().into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    /// Sends one request; how long it took until the last byte. The reply must be 200.
    pub async fn timed(&mut self, shot: &Shot) -> Duration {
        let began = Instant::now();
        let (status, body) = self.send(shot).await;
        let took = began.elapsed();
        assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&body));
        took
    }
}

/// What a closed loop did.
pub struct Fired {
    /// Replies.
    pub replies: u64,
    /// Wall time.
    pub wall: Duration,
    /// How long each took.
    pub took: Vec<Duration>,
}

impl Fired {
    /// Replies a second.
    pub fn per_second(&self) -> f64 {
        self.replies as f64 / self.wall.as_secs_f64()
    }
}

/// Keeps `connections` requests under way for `length`.
pub async fn closed_loop(shot: &Shot, connections: usize, length: Duration) -> Fired {
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(shot.address).await);
    }
    let began = Instant::now();
    let tasks: Vec<_> = open
        .into_iter()
        .map(|mut connection| {
            let shot = shot.clone();
            tokio::spawn(async move {
                let mut took = Vec::new();
                while began.elapsed() < length {
                    took.push(connection.timed(&shot).await);
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    Fired { replies: took.len() as u64, wall: began.elapsed(), took }
}
