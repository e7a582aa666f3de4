//! One side of a service: where it is and what it carries.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::plan::{
    names::{Rate, SystemName},
    spec::{EndpointSpec, ServiceRef, Workload},
};

/// One side of a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SideModel {
    /// Where it is.
    pub at: Place,
    /// What one healthy endpoint carries; `None`: one healthy endpoint is taken to be enough.
    pub per_endpoint: Option<Rate>,
    /// The legacy system it lives on; only of a legacy side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemName>,
    /// What runs its pods, where it is a Kubernetes Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<Workload>,
}

impl SideModel {
    /// A side at this place, of which nothing else is known.
    pub fn at(at: Place) -> Self {
        Self { at, per_endpoint: None, system: None, workload: None }
    }
}

/// Where a side is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Place {
    /// Plain hosts.
    Endpoints(BTreeSet<EndpointSpec>),
    /// A Kubernetes Service.
    Service(ServiceRef),
}
