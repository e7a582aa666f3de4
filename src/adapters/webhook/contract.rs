//! What goes over the wire between gapless and a router behind the webhook contract (`docs/design/webhook.md`).
//!
//! Both ends use these types: our client, and the lab's router as an example of the other end.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    engine::Owner,
    plan::{Side, Weight},
};

/// The response header that names the configuration by which a request was routed.
pub const MARK_HEADER: &str = crate::adapters::effective::MARK;
/// The longest a router may keep a `?wait=` request.
pub const LONG_POLL: std::time::Duration = std::time::Duration::from_secs(2);

/// The state of a route: the answer to `GET`, to a `PUT` that was done (200), and to one that was refused (412).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// Changes with every change of weights, owner or mark, and is never used again.
    pub version: String,
    /// The run that drives the route.
    #[serde(default)]
    pub owner: Option<Owner>,
    /// The shares of both sides.
    pub weights: Weights,
    /// The mark of the last change.
    #[serde(default)]
    pub mark: Option<String>,
    /// What the data plane says; `None`: this router cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub programmed: Option<Programming>,
    /// Where a request takes the way of real traffic.
    pub address: String,
    /// What legacy still has; `None`: this router cannot tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<Active>,
    /// Whether `?wait=` is offered.
    #[serde(default)]
    pub waits: bool,
}

/// Shares in percent. They sum to 100 unless somebody else has a share as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Weights {
    /// Of the legacy side.
    pub legacy: u32,
    /// Of the target side.
    pub target: u32,
}

impl Weights {
    /// Target has this share, legacy the rest.
    pub fn of(weight: Weight) -> Self {
        Self { legacy: u32::from(weight.of(Side::Legacy)), target: u32::from(weight.of(Side::Target)) }
    }
    /// Target's share, if the two have everything between them.
    pub fn split(self) -> Option<Weight> {
        let whole = self.legacy.checked_add(self.target) == Some(100);
        Weight::new(u64::from(self.target)).ok().filter(|_| whole)
    }
}
impl fmt::Display for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "legacy {}, target {}", self.legacy, self.target)
    }
}

/// What the data plane says of the accepted weights: `true`, `false` or `{"refused": "why"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Programming {
    /// Whether it has them.
    Has(bool),
    /// It will not take them.
    Refused {
        /// Why.
        refused: String,
    },
}

/// Requests and connections in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Active {
    /// On the legacy side.
    pub legacy: u64,
}

/// The body of a `PUT`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// Equal keys mean the same change: the second does nothing.
    pub key: String,
    /// The run that wants it.
    pub by: Owner,
    /// What is to be done.
    #[serde(rename = "do")]
    pub act: Act,
}

/// What is to be done: exactly one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Act {
    /// Other weights, and the route belongs to the run from then on.
    #[serde(rename_all = "camelCase")]
    SetWeights {
        /// What the weights must be before.
        from: Weights,
        /// What they are to be.
        weights: Weights,
        /// What answers bear from then on.
        mark: String,
    },
    /// The route belongs to nobody; weights and mark stay.
    Release {},
}

/// The body of an answer that is neither a state nor nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// A sentence for people.
    pub error: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::RunId;

    /// What the documentation shows is what is read and written.
    #[test]
    fn the_examples_of_the_page_are_the_types() {
        let state: State = serde_json::from_str(
            r#"{"version":"17","owner":{"run":"3f9a","name":"spine-weekend"},"weights":{"legacy":75,"target":25},
                "mark":"3f9a1c22-pds-2","programmed":true,"address":"http://10.0.0.9:80/healthz","active":{"legacy":3},
                "waits":true,"something":"new"}"#,
        )
        .unwrap();
        assert_eq!(state.weights.split(), Some(Weight::new(25).unwrap()));
        assert_eq!(state.programmed, Some(Programming::Has(true)));
        let least: State = serde_json::from_str(
            r#"{"version":"a","weights":{"legacy":60,"target":25},"address":"http://h/","programmed":{"refused":"no such pool"}}"#,
        )
        .unwrap();
        assert_eq!(least.weights.split(), None, "somebody else has 15");
        assert_eq!(least.programmed, Some(Programming::Refused { refused: "no such pool".into() }));
        assert!(least.owner.is_none() && least.mark.is_none() && least.active.is_none() && !least.waits);

        let by = Owner { run: RunId("3f9a".into()), name: "spine-weekend".into() };
        let set = Act::SetWeights {
            from: Weights { legacy: 75, target: 25 },
            weights: Weights { legacy: 50, target: 50 },
            mark: "3f9a1c22-pds-3".into(),
        };
        let change = Change { key: "k".into(), by: by.clone(), act: set };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(
            text,
            r#"{"key":"k","by":{"run":"3f9a","name":"spine-weekend"},"do":{"setWeights":{"from":{"legacy":75,"target":25},"weights":{"legacy":50,"target":50},"mark":"3f9a1c22-pds-3"}}}"#
        );
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), change);
        let release = Change { key: "k".into(), by, act: Act::Release {} };
        let text = serde_json::to_string(&release).unwrap();
        assert!(text.ends_with(r#""do":{"release":{}}}"#), "{text}");
        assert_eq!(serde_json::from_str::<Change>(&text).unwrap(), release);
        assert!(serde_json::from_str::<Change>(&text.replace("release", "destroy")).is_err());
    }

    #[test]
    fn weights_that_overflow_are_no_split() {
        assert_eq!(Weights { legacy: u32::MAX, target: 101 }.split(), None);
        assert_eq!(Weights { legacy: 100, target: 0 }.split(), Some(Weight::ZERO));
    }
}
