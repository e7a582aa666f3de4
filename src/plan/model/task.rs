//! What is done beside the traffic: acts, when they are done, and what takes them back.

use serde::{Deserialize, Serialize};

use crate::plan::{
    names::{ConnectionName, RoleName, Span},
    spec::{HttpMethod, PhaseMoment, ServiceMoment, UndoWhen},
};

/// A task of a service.
pub type ServiceTask = Task<ServiceMoment>;
/// A task of a phase.
pub type PhaseTask = Task<PhaseMoment>;

/// Something that is done once on the way forward, and taken back once on the way back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Task<Moment> {
    /// When it is done.
    pub at: Moment,
    /// What is done.
    pub act: Act,
    /// What takes it back.
    pub undo: Undo,
    /// How long it takes, as a 95th percentile; a measured duration replaces it.
    pub expect: Span,
}

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Act {
    /// A person does it and says so (`gapless done`).
    #[serde(rename_all = "camelCase")]
    Manual {
        /// Who.
        owner: RoleName,
        /// What they are to do.
        instructions: String,
        /// Whether their report must say by what it can be seen.
        evidence: Evidence,
    },
    /// A Job made from the CronJob of this name in the plan's namespace.
    Job(String),
    /// An HTTP request; 2xx is done, anything else failed, no answer unknown.
    Http {
        /// The method.
        method: HttpMethod,
        /// The address.
        url: String,
        /// The body, if there is one.
        body: Option<String>,
    },
    /// Time passes.
    Wait(Span),
    /// Alerts that match are silenced.
    Silence {
        /// Where.
        connection: ConnectionName,
        /// Label matchers as Alertmanager writes them.
        matchers: Vec<String>,
        /// For how long at most.
        length: Span,
    },
    /// People are told.
    Notify {
        /// Where.
        connection: ConnectionName,
        /// What they are told.
        message: String,
    },
    /// A CronJob is suspended.
    QuiesceCron(String),
}

/// Whether a person's report needs evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Evidence {
    /// It may be given.
    Optional,
    /// A report without it is not taken.
    Required,
}

/// What takes a task back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Undo {
    /// Nothing needs to be taken back; the text says why.
    None(String),
    /// It cannot be taken back: once it has started there is no way back for its service. The text says why.
    Impossible(String),
    /// This takes it back.
    Do {
        /// What is done.
        act: Act,
        /// Before or after the traffic goes back.
        when: UndoWhen,
        /// After so long the traffic goes back all the same; `None`: a task before the traffic must have been taken back.
        deadline: Option<Span>,
        /// How long it takes, as a 95th percentile.
        expect: Span,
    },
}
