//! Kinds of objects, and where they are.

use crate::kubernetes::crd::{GROUP, VERSION};

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kind {
    /// The API group; empty: the core group.
    pub group: &'static str,
    /// Its version.
    pub version: &'static str,
    /// The plural in paths.
    pub plural: &'static str,
}

/// The kinds that are used.
#[allow(missing_docs, reason = "they bear the names of what they name")]
impl Kind {
    pub const HTTP_ROUTE: Self = Self { group: "gateway.networking.k8s.io", version: "v1", plural: "httproutes" };
    pub const GATEWAY: Self = Self { group: "gateway.networking.k8s.io", version: "v1", plural: "gateways" };
    pub const SERVICE: Self = Self { group: "", version: "v1", plural: "services" };
    pub const ENDPOINT_SLICE: Self = Self { group: "discovery.k8s.io", version: "v1", plural: "endpointslices" };
    pub const EVENT: Self = Self { group: "events.k8s.io", version: "v1", plural: "events" };
    pub const PLAN: Self = Self { group: GROUP, version: VERSION, plural: "migrationplans" };
    pub const REVISION: Self = Self { group: GROUP, version: VERSION, plural: "migrationplanrevisions" };
    pub const APPROVAL: Self = Self { group: GROUP, version: VERSION, plural: "migrationapprovals" };
    pub const RUN: Self = Self { group: GROUP, version: VERSION, plural: "migrationruns" };
    pub const SELF_REVIEW: Self = Self { group: "authentication.k8s.io", version: "v1", plural: "selfsubjectreviews" };
    pub const SELF_ACCESS: Self = Self { group: "authorization.k8s.io", version: "v1", plural: "selfsubjectaccessreviews" };
    pub const ACCESS: Self = Self { group: "authorization.k8s.io", version: "v1", plural: "subjectaccessreviews" };
    pub const ACCOUNT: Self = Self { group: "", version: "v1", plural: "serviceaccounts" };

    /// The path of all objects, or of those of one namespace.
    pub(super) fn all(&self, namespace: Option<&str>) -> String {
        let base = match self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match namespace {
            Some(namespace) => format!("{base}/namespaces/{namespace}/{}", self.plural),
            None => format!("{base}/{}", self.plural),
        }
    }
    /// The path of one object.
    pub(super) fn one(&self, at: &At<'_>) -> String {
        format!("{}/{}", self.all(Some(at.namespace)), at.name)
    }
}

/// Where an object is. Names come from objects of the cluster or from checked plans, so they need no escaping in a path.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The namespace.
    pub namespace: &'a str,
    /// The name.
    pub name: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_what_the_api_server_expects() {
        let at = At { namespace: "spine", name: "pds" };
        assert_eq!(Kind::HTTP_ROUTE.one(&at), "/apis/gateway.networking.k8s.io/v1/namespaces/spine/httproutes/pds");
        assert_eq!(Kind::SERVICE.all(Some("spine")), "/api/v1/namespaces/spine/services");
        assert_eq!(Kind::RUN.all(None), "/apis/gapless.dev/v1alpha1/migrationruns");
    }
}
