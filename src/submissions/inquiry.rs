//! One inquiry after a submission of unknown fate. It only reads, so that it may be repeated.

use connector_sdk::{ErrorKind, Inquiry, Operation};
use tokio::time::Instant;
use uuid::Uuid;

use super::Submissions;
use super::attempt::exchanged;
use super::books::{End, Happening};
use super::schedule::{Due, Schedule};
use super::state::Event;
use crate::failpoint;
use crate::gateway::Plane;
use crate::store::submissions::{NewInquiry, SubmissionRow, Unanswered};
use crate::store::{self, StoreError};
use crate::trail::{Actor, Detail, TrailRecord};
use crate::wire::AttemptHandle;

impl Submissions {
    /// Does what is due with a submission of unknown fate: asks the carrier, or calls a person in.
    ///
    /// # Errors
    /// What the store says.
    pub(super) async fn look_into(&self, row: SubmissionRow, plane: &Plane) -> Result<(), StoreError> {
        let Some(schedule) = self.schedule(plane) else { return Ok(()) };
        let since = row.unknown_at.unwrap_or(row.changed_at);
        match schedule.due(since, row.asked, row.person, row.urgent, store::now()) {
            Due::Escalate => {
                let happening = Happening::new(Event::Escalate, Actor::gateway(), row.attempts);
                self.books.happen(&row, happening, &schedule).await.map(|_| ())
            }
            Due::Ask => self.inquire(row, plane, &schedule, since).await,
            Due::Wait => {
                let next = schedule.next(since, row.asked, row.person, row.urgent, store::now());
                store::submissions::postpone(&self.books.store, &row.practice, &row.id, &row.state, next).await
            }
        }
    }

    async fn inquire(
        &self,
        row: SubmissionRow,
        plane: &Plane,
        schedule: &Schedule,
        since: i64,
    ) -> Result<(), StoreError> {
        let Some(operation) = plane.carrier.submissions() else { return Ok(()) };
        let found = store::submissions::get(&self.books.store, &row.practice, &row.id).await?;
        let Some((row, Some(attempt))) = found.filter(|(now, _)| now.attempts == row.attempts) else { return Ok(()) };
        let (ask, known) = (self.books.ask(&row)?, self.books.wire(&row, &attempt)?);
        let Ok(handle) = self.opened(&row, plane) else { return self.put_off(&row, schedule).await };
        // What is not known is made anew: our reference, by which it is found, is the same in every attempt.
        let made = known.map_or_else(|| operation.prepare(&handle.context(), &ask, &row.biz_ref), Ok);
        let prepared = match made {
            Ok(prepared) => prepared,
            Err(error) => {
                tracing::warn!(submission = row.id, carrier = row.carrier, %error, "an inquiry cannot be put");
                handle.no_outcome();
                return self.put_off(&row, schedule).await;
            }
        };
        // Before it leaves: what shows later than this is not covered by the answer.
        let asked_at = store::now();
        failpoint::hit("inquiring");
        let until = Instant::now() + plane.carrier.limits.attempt_timeout;
        let context = handle.context();
        let answered = tokio::time::timeout_at(until, operation.inquire(&context, &ask, &prepared, &row.biz_ref)).await;
        failpoint::hit("inquired");
        let settled = schedule.proves(since, asked_at);
        let (event, answer, end) = match answered {
            Ok(Ok(Inquiry::Present { receipt, answer })) => {
                let end = End { receipt: Some(receipt), answer: Some(*answer), ..End::default() };
                (Event::Found, "present", Some(end))
            }
            Ok(Ok(Inquiry::Absent)) => (Event::NotFound { proves: settled }, "absent", None),
            Ok(Ok(Inquiry::Ambiguous { why })) => {
                tracing::warn!(submission = row.id, carrier = row.carrier, why, "an inquiry was ambiguous");
                (Event::Ambiguous, "ambiguous", None)
            }
            Ok(Err(error)) => {
                tracing::warn!(submission = row.id, carrier = row.carrier, %error, "an inquiry was not answered");
                return self.unanswered(&row, (schedule, since), handle, error.kind).await;
            }
            Err(_) => return self.unanswered(&row, (schedule, since), handle, ErrorKind::CarrierTimeout).await,
        };
        let attempted = handle.finish();
        let id = format!("inq_{}", Uuid::now_v7().simple());
        let mut happening = Happening::new(event, Actor::gateway(), row.attempts);
        happening.end = end;
        happening.credential = attempted.credential_id.clone();
        if let Some(bytes) = exchanged(&attempted) {
            happening.evidence = Some(self.books.trail.evidence(&row.practice, &id, &bytes)?);
        }
        happening.inquiry = Some(NewInquiry { id, asked_at, answer, settled });
        // Not written down, it is simply asked again.
        self.books.happen(&row, happening, schedule).await.map(|_| ())
    }

    /// Nothing was learnt. What left and what came is kept all the same: the carrier may have been told about a patient.
    async fn unanswered(
        &self,
        row: &SubmissionRow,
        (schedule, since): (&Schedule, i64),
        handle: AttemptHandle,
        why: ErrorKind,
    ) -> Result<(), StoreError> {
        match why {
            ErrorKind::CredentialRejected => handle.reject_credential().await,
            _ => handle.no_outcome(),
        }
        let attempted = handle.finish();
        let Some(bytes) = exchanged(&attempted) else { return self.put_off(row, schedule).await };
        let inquiry = format!("inq_{}", Uuid::now_v7().simple());
        let evidence = self.books.trail.evidence(&row.practice, &inquiry, &bytes)?;
        let mut record = TrailRecord::new(&row.practice, &Actor::gateway(), "submission.inquiry_failed")
            .carrier(&row.carrier)
            .operation(Operation::Authorization)
            .failure(why)
            .ask(&row.id)
            .subject(&inquiry)
            .evidence(&evidence.row.id)
            .detail(Detail::default().files(&[evidence.file]));
        if let Some(credential) = &attempted.credential_id {
            record = record.credential(credential);
        }
        let at = store::now();
        let record = self.books.trail.link(record);
        let due_at = schedule.after_silence(since, row.person, row.urgent, at);
        let done = Unanswered { inquiry, evidence: evidence.row, at, due_at, record };
        store::submissions::unanswered(&self.books.store, row, done).await
    }
}
