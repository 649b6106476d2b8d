//! The one request that has an effect: armed, sent once over a connection of its own, never again.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use connector_sdk::context::{FinalUri, Warning};
use connector_sdk::{BoxFuture, Error, ErrorKind, Host, Result, Retry};
use http::{Method, Request, Response};
use jiff::Timestamp;
use jiff::civil::Date;

use super::asking::{Asking, HostOf};
use super::dress;
use super::redirect::RawLocation;
use super::session::{self, Judged};
use super::sign_in;

/// Runs immediately before the first byte: whoever keeps the books writes down that it may have left. An error keeps it
/// back.
pub type Arm = Box<dyn FnOnce() -> BoxFuture<'static, Result<()>> + Send>;

/// A connector's host while it commits.
pub(super) struct Committing {
    reading: HostOf,
    arm: Mutex<Option<Arm>>,
}

impl Committing {
    pub(super) fn new(asking: Arc<Asking>, arm: Arm) -> Self {
        Self { reading: HostOf(asking), arm: Mutex::new(Some(arm)) }
    }

    async fn commit(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let arm = self.arm.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(|| {
            Error::new(ErrorKind::Internal, "A submission has one committing request, and it was sent already.")
                .retry(Retry::Never)
        })?;
        send_once(&self.reading.0, request, arm).await
    }
}

/// All the layers that an ordinary request runs through, without those that send again.
async fn send_once(asking: &Arc<Asking>, request: Request<Bytes>, arm: Arm) -> Result<Response<Bytes>> {
    session::sit_down(asking).await?;
    let begun = asking.notes.recorder.begin();
    let reply = layers(asking, &request, arm).await;
    let shown = asking.shown_uri(&request);
    asking.notes.recorder.keep(&begun, &shown, &request, &reply);
    let mut reply = reply?;
    // A redirect is handed to the connector as it is: following it would send again.
    reply.extensions_mut().remove::<RawLocation>();
    reply.extensions_mut().insert(FinalUri(shown));
    match session::judge(asking, reply).await? {
        Judged::Good(reply) => Ok(reply),
        Judged::Again => Err(Error::new(
            ErrorKind::CarrierUnavailable,
            "The carrier had ended the session; what became of the request it does not say.",
        )
        .retry(Retry::Never)),
    }
}

async fn layers(asking: &Arc<Asking>, request: &Request<Bytes>, arm: Arm) -> Result<Response<Bytes>> {
    let wire = &asking.wire;
    wire.egress.check(request.uri())?;
    if wire.cassette.is_some() {
        return Err(Error::new(ErrorKind::Unsupported, "A cassette does not submit.").retry(Retry::Never));
    }
    let bearer = sign_in::signed_in(asking).await?;
    let client = asking.client();
    let _turn = client.turn(request.uri(), asking.lane, asking.deadline()).await?;
    let _place = wire.limit(asking).await?;
    let dressed = dress::dress(asking, request, bearer).await?;
    let this = asking.clone();
    let arm: Arm = Box::new(move || {
        Box::pin(async move {
            arm().await?;
            this.armed.store(true, Ordering::SeqCst);
            Ok(())
        })
    });
    let reply = match client.send_armed(dressed, asking.deadline(), arm).await {
        Ok(reply) => reply,
        Err(error) => return Err(session::failed(asking, error).await),
    };
    Ok(dress::undress(asking, request.uri(), reply))
}

impl Host for Committing {
    fn send<'a>(&'a self, request: Request<Bytes>) -> BoxFuture<'a, Result<Response<Bytes>>> {
        match *request.method() {
            Method::GET | Method::HEAD => self.reading.send(request),
            _ => Box::pin(self.commit(request)),
        }
    }

    fn pause<'a>(&'a self, how_long: Duration) -> BoxFuture<'a, Result<()>> {
        self.reading.pause(how_long)
    }

    fn now(&self) -> Timestamp {
        self.reading.now()
    }

    fn today(&self) -> Date {
        self.reading.today()
    }

    fn remaining(&self) -> Duration {
        self.reading.remaining()
    }

    fn trace(&self) -> &str {
        self.reading.trace()
    }

    fn control_number(&self) -> u32 {
        self.reading.control_number()
    }

    fn random(&self, into: &mut [u8]) {
        self.reading.random(into);
    }

    fn marker_word(&self) -> &str {
        self.reading.marker_word()
    }

    fn has_secret(&self, field: &str) -> bool {
        self.reading.has_secret(field)
    }

    fn warn(&self, warning: Warning) {
        self.reading.warn(warning);
    }
}

/// A committing request's body.
#[cfg(not(feature = "failpoints"))]
pub(super) fn body(bytes: Bytes) -> http_body_util::Full<Bytes> {
    http_body_util::Full::new(bytes)
}

#[cfg(feature = "failpoints")]
pub(super) use halves::body;

/// In two pieces with a pause between them where a test wants the process to stop in the middle.
#[cfg(feature = "failpoints")]
mod halves {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use bytes::Bytes;
    use hyper::body::{Body, Frame, SizeHint};

    use crate::failpoint;

    /// Long enough for the first piece to have left.
    const PAUSE: Duration = Duration::from_millis(50);

    pub(in crate::wire) struct Halves {
        rest: Bytes,
        split: bool,
        pause: Option<Pin<Box<tokio::time::Sleep>>>,
    }

    pub(in crate::wire) fn body(bytes: Bytes) -> Halves {
        Halves { rest: bytes, split: failpoint::armed("mid_body"), pause: None }
    }

    impl Body for Halves {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.rest.is_empty() {
                return Poll::Ready(None);
            }
            if self.split {
                self.split = false;
                let half = self.rest.len() / 2;
                self.pause = Some(Box::pin(tokio::time::sleep(PAUSE)));
                return Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(half)))));
            }
            if let Some(pause) = self.pause.as_mut() {
                std::task::ready!(pause.as_mut().poll(cx));
                failpoint::hit("mid_body");
                self.pause = None;
            }
            Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))))
        }

        fn is_end_stream(&self) -> bool {
            self.rest.is_empty()
        }

        fn size_hint(&self) -> SizeHint {
            SizeHint::with_exact(self.rest.len() as u64)
        }
    }
}
