//! Signing in at the portal's form, and leaving.

use bytes::Bytes;
use connector_sdk::{BoxFuture, Context, Error, ErrorKind, FormSignIn, Result, Retry};
use http::Response;

use crate::Portal;
use crate::walk::{Phase, Walk};

impl FormSignIn for Portal {
    fn sign_in<'a>(&'a self, ctx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            if self.fields.iter().any(|field| !field.optional && !ctx.has_secret(&field.name)) {
                return Err(Error::new(
                    ErrorKind::CredentialMissing,
                    "A field of the credential that this portal's sign-in needs is not stored.",
                ));
            }
            let mut walk = Walk::new(self, ctx, None, Phase::SignIn);
            let done = self.walk_in(&mut walk).await;
            // Once a password has left, nothing that follows may make anyone send it again by itself.
            done.map_err(|error| if walk.secret_sent && !walk.begins_anew { error.retry(Retry::Never) } else { error })
        })
    }

    fn signed_out(&self, page: &Response<Bytes>) -> bool {
        self.is_signed_out_reply(page)
    }

    fn sign_out<'a>(&'a self, ctx: &'a Context) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut walk = Walk::new(self, ctx, None, Phase::SignOut);
            for (number, step) in (1..).zip(&self.settings.sign_out) {
                walk.step(number, step).await?;
            }
            Ok(())
        })
    }
}

impl Portal {
    async fn walk_in(&self, walk: &mut Walk<'_>) -> Result<()> {
        for (number, step) in (1..).zip(&self.settings.sign_in) {
            walk.step(number, step).await?;
        }
        let page = walk.page()?;
        let open = page.open()?;
        if page.shows(&open, &self.settings.signed_in) {
            return Ok(());
        }
        if self.is_signed_out(page, &open) && walk.secret_sent {
            return Err(Error::new(
                ErrorKind::CredentialRejected,
                "The portal shows its sign-in page again at the end of the sign-in.",
            ));
        }
        Err(Error::new(
            ErrorKind::ProtocolBroken,
            "The sign-in ended on a page that does not show what signed_in describes.",
        )
        .fact("at", Phase::SignIn.word())
        .fact("missing", "signed_in"))
    }
}
