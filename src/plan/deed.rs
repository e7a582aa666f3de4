//! What a task makes happen.

use serde::{Deserialize, Serialize};

use super::{Act, Side, Span, Weight};

/// What a task makes happen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Deed {
    /// What the plan says.
    Act(Act),
    /// CronJobs of this name run again on this side.
    ResumeCron(String, Side),
    /// The record set of the service's DNS router gets this time to live.
    LowerTtl(Span),
    /// It gets the time to live back that it had.
    RestoreTtl,
    /// This share of the service's requests is copied to the target.
    StartMirror(Weight),
    /// None is any more.
    StopMirror,
    /// The service's legacy addresses are denied to everybody.
    Deny,
    /// They are open again.
    Allow,
    /// The service's legacy side is switched off for good.
    SwitchOff,
    /// What was ordered of this task before is not begun any more. Refused by whoever does it if that has begun.
    Withdraw,
}
