//! Legacy hosts as a backend of a route: a Service without selector and our own EndpointSlices.
//!
//! Pure. This is the one way to name plain hosts in an `HTTPRoute` that works with every implementation. Facts it rests on:
//! slices belong to a Service by the label `kubernetes.io/service-name`, and tell by `managed-by` whose they are; the names
//! of ports must be the same in both; a condition `ready` that is left out is read differently by different consumers, so
//! it is always written; one slice has one address type and one set of ports; loopback addresses are refused by the API
//! server. Nothing here is ever written over objects of others: who else made such a Service is asked to give it up.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
};

use serde_json::{Value, json};

use super::{
    MANAGER,
    api::{At, Kind},
    route::{BackendName, list, text},
    watch::name,
};
use crate::plan::EndpointSpec;

/// The label by which a slice belongs to a Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// The label that tells whose a slice is.
pub const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
/// The label that tells whose an object is.
const APP_MANAGED_BY: &str = "app.kubernetes.io/managed-by";
/// The name of the only port, the same in Service and slices.
const PORT: &str = "main";

/// An object to be applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// It.
    pub object: Value,
}
impl Wanted {
    /// Where it goes.
    pub fn at<'a>(&'a self, namespace: &'a str) -> At<'a> {
        At { namespace, name: &self.name }
    }
}

/// The Service for plain hosts and its slices, one for each address family and port.
pub fn objects(namespace: &str, backend: &BackendName, hosts: &BTreeSet<EndpointSpec>) -> Vec<Wanted> {
    let service = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "name": backend.name, "namespace": namespace, "labels": { APP_MANAGED_BY: MANAGER } },
        "spec": { "ports": [{ "name": PORT, "port": backend.port, "protocol": "TCP", "targetPort": backend.port }] },
    });
    let mut groups: BTreeMap<(&str, u16), Vec<&str>> = BTreeMap::new();
    for host in hosts {
        let family = if host.address.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()) { "IPv6" } else { "IPv4" };
        groups.entry((family, host.port)).or_default().push(&host.address);
    }
    let slices = groups.into_iter().map(|((family, port), addresses)| {
        let slice = format!("{}-{}-{port}", backend.name, family.to_lowercase());
        let endpoints: Vec<Value> =
            addresses.iter().map(|address| json!({ "addresses": [address], "conditions": { "ready": true } })).collect();
        let object = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
            "metadata": {
                "name": slice, "namespace": namespace,
                "labels": { SERVICE_NAME: backend.name, MANAGED_BY: MANAGER, APP_MANAGED_BY: MANAGER },
            },
            "addressType": family, "endpoints": endpoints,
            "ports": [{ "name": PORT, "port": port, "protocol": "TCP" }],
        });
        Wanted { kind: Kind::ENDPOINT_SLICE, name: slice, object }
    });
    std::iter::once(Wanted { kind: Kind::SERVICE, name: backend.name.clone(), object: service }).chain(slices).collect()
}

/// A slice of ours for hosts that the plan no longer names: it keeps no endpoint, and goes when its Service goes.
pub fn emptied(namespace: &str, backend: &BackendName, slice: &Value) -> Wanted {
    let name = name(slice).to_owned();
    let family = if name.contains("-ipv6-") { "IPv6" } else { "IPv4" };
    let object = json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "name": name, "namespace": namespace,
            "labels": slice.pointer("/metadata/labels").cloned().unwrap_or(json!({ SERVICE_NAME: backend.name })),
        },
        "addressType": family, "endpoints": [], "ports": slice.get("ports").cloned().unwrap_or(json!([])),
    });
    Wanted { kind: Kind::ENDPOINT_SLICE, name, object }
}

/// Whether a slice of a backend is one of ours that bears none of the names that are wanted.
pub fn is_left_over(slice: &Value, wanted: &BTreeSet<&str>) -> bool {
    is_ours(slice) && !wanted.contains(name(slice))
}

/// How a backend stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is there, with these endpoints that take traffic.
    There(BTreeSet<SocketAddr>),
    /// The Service, or the port in it, is not there; the text says which.
    Absent(String),
}

/// The endpoints behind a Service's port, by its slices.
pub fn endpoints<'a>(backend: &BackendName, service: Option<&Value>, slices: impl Iterator<Item = &'a Value>) -> Standing {
    let Some(service) = service else { return Standing::Absent(format!("there is no Service {}", backend.name)) };
    let ports = service.pointer("/spec/ports").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let port = ports.iter().find(|port| port.get("port").and_then(Value::as_u64) == Some(u64::from(backend.port)));
    let Some(port) = port else { return Standing::Absent(format!("Service {} has no port {}", backend.name, backend.port)) };
    let port_name = text(port, "name").unwrap_or_default();
    Standing::There(slices.flat_map(|slice| ready(slice, port_name)).collect())
}

/// The endpoints of a slice that take traffic at the port of this name. A condition that is not there means yes.
fn ready<'a>(slice: &'a Value, port_name: &'a str) -> impl Iterator<Item = SocketAddr> + 'a {
    let ports = list(slice, "ports").iter().filter(move |port| text(port, "name").unwrap_or_default() == port_name);
    let port = ports.filter_map(|port| port.get("port").and_then(Value::as_u64)).find_map(|port| u16::try_from(port).ok());
    let takes = |endpoint: &&Value| endpoint.pointer("/conditions/ready").and_then(Value::as_bool).unwrap_or(true);
    list(slice, "endpoints").iter().filter(takes).filter_map(move |endpoint| {
        let address = list(endpoint, "addresses").first().and_then(Value::as_str)?;
        Some(SocketAddr::new(address.parse().ok()?, port?))
    })
}

/// Whether an object is one that we made.
pub fn is_ours(object: &Value) -> bool {
    object.pointer("/metadata/labels").and_then(|labels| text(labels, APP_MANAGED_BY)) == Some(MANAGER)
}

/// What is to be done about a backend that stands for plain hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as it has to be, whoever made it.
    Right,
    /// It is to be made, or made anew.
    ToMake,
    /// Somebody else made it, and it leads elsewhere.
    Foreign(String),
}

/// Compares what stands with the hosts of the plan.
pub fn compare<'a>(
    backend: &BackendName,
    hosts: &BTreeSet<EndpointSpec>,
    service: Option<&'a Value>,
    slices: impl Iterator<Item = &'a Value> + Clone,
) -> Verdict {
    let wanted: BTreeSet<SocketAddr> =
        hosts.iter().filter_map(|host| Some(SocketAddr::new(host.address.parse().ok()?, host.port))).collect();
    if endpoints(backend, service, slices.clone()) == Standing::There(wanted) {
        return Verdict::Right;
    }
    let foreign = service.into_iter().chain(slices).find(|object| !is_ours(object));
    match foreign {
        None => Verdict::ToMake,
        Some(object) => Verdict::Foreign(format!(
            "{} belongs to somebody else and does not lead to the legacy hosts of the plan; rename or remove it",
            name(object)
        )),
    }
}
