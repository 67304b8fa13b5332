//! What waits for the writer, in order of arrival.

use std::sync::Arc;
use std::time::Instant;

use model::event::Envelope;
use model::id::TownName;
use model::wire::Canary;
use tokio::sync::{mpsc, oneshot};

use super::intake::Room;
use super::{Outcome, SubmitError};
use crate::db::TownKey;
use crate::db::custody::Custody;

/// Where the outcomes of a submission go.
pub(super) type Reply = oneshot::Sender<Result<Vec<Outcome>, SubmitError>>;

/// Events of one sender, waiting for their outcomes.
#[derive(Debug)]
pub(super) struct Submission {
    /// None: no more submissions follow.
    pub town: Option<(TownKey, TownName)>,
    pub events: Vec<Envelope>,
    pub reply: Reply,
    pub room: Option<Room>,
    /// Set when it may be written beside others of the same sender.
    pub custody: Option<Arc<Custody>>,
    /// When it was sent: however many wait before it, its sender is answered in time.
    pub received: Instant,
    /// In place of events: what only takes their way. Nobody waits for its outcome.
    pub canary: Option<Canary>,
}

impl Submission {
    /// Tells the writer to finish.
    pub(super) fn close(reply: Reply) -> Self {
        let received = Instant::now();
        Self { town: None, events: Vec::new(), reply, room: None, custody: None, received, canary: None }
    }

    /// A canary of a town.
    pub(super) fn canary(town: (TownKey, TownName), canary: Canary) -> Self {
        let (reply, _nobody_waits) = oneshot::channel();
        Self { town: Some(town), canary: Some(canary), ..Self::close(reply) }
    }
}

/// Submissions in order; a lane holds it while it gathers a batch.
pub(super) struct Queue {
    submissions: mpsc::Receiver<Submission>,
    /// Did not fit into the batch before.
    carried: Option<Submission>,
}

impl Queue {
    pub(super) const fn new(submissions: mpsc::Receiver<Submission>) -> Self {
        Self { submissions, carried: None }
    }

    /// Waits for a submission; none: no more will come. Nothing is lost when the wait is given up.
    pub(super) async fn next(&mut self) -> Option<Submission> {
        if let Some(carried) = self.carried.take() {
            return Some(carried);
        }
        loop {
            let submission = self.submissions.recv().await?;
            if submission.town.is_some() {
                return Some(submission);
            }
            // What was sent before the channel closes is still taken.
            self.submissions.close();
            let _closing_needs_no_answer = submission.reply.send(Ok(Vec::new()));
        }
    }

    /// Keeps a submission for the next batch.
    pub(super) fn carry(&mut self, submission: Submission) {
        self.carried = Some(submission);
    }
}
