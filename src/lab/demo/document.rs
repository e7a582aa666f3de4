//! The plan of the demo: a real document, with the addresses of this lab in it.

use std::{fmt::Write as _, net::SocketAddr};

use crate::plan::ServiceName;

/// The variable in the runner's environment with the key that the router wants requests signed with.
pub const KEY_VARIABLE: &str = "GAPLESS_DEMO_KEY";
/// Requests a second that each service has.
pub const RATE: u32 = 120;

/// What the plan says of one service.
pub struct Place {
    /// The service.
    pub service: ServiceName,
    /// Its endpoints on the legacy side.
    pub legacy: Vec<SocketAddr>,
    /// Its endpoints on the target side.
    pub target: Vec<SocketAddr>,
    /// Its route's address under the webhook contract.
    pub route: String,
    /// The address that speaks for its health.
    pub monitor: String,
}

/// Which phase a service is in, and what else the plan says of it alone.
struct Ties {
    phase: &'static str,
    more: &'static str,
}

/// The three services in the order in which they move. The fault meets the second one.
pub const SERVICES: [&str; 3] = ["accounts", "orders", "letters"];

fn ties(service: &ServiceName) -> Ties {
    match service.as_str() {
        "orders" => Ties {
            phase: "core",
            more: "      needs: [{ service: accounts }]     # accounts first; on the way back, orders first\n      \
                   rollback: { scope: Phase }         # orders does not stay without accounts, nor accounts without orders\n",
        },
        "letters" => Ties { phase: "outer", more: "" },
        _ => Ties { phase: "core", more: "" },
    }
}

/// The whole document.
pub fn write(places: &[Place]) -> String {
    let mut text = String::from(HEAD);
    for place in places {
        let Ties { phase, more } = ties(&place.service);
        let Place { service, legacy, target, route, monitor } = place;
        let (legacy, target) = (endpoints(legacy), endpoints(target));
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "    - name: {service}
      phase: {phase}
{more}      load: {{ peak: {RATE}/s }}
      legacy: {{ endpoints: {legacy}, capacity: {{ perEndpoint: 200/s }} }}
      target: {{ endpoints: {target}, capacity: {{ perEndpoint: 200/s }} }}
      router: {{ webhook: {{ url: \"{route}\", keyFromEnv: {KEY_VARIABLE} }} }}
      shift: {{ steps: [5, 25, 50, 100], bake: 800ms }}
      soak: {{ for: 5s, guardFor: 300ms }}
      probes:
        - {{ name: answers, every: 50ms, timeout: 800ms, send: {{ http: {{ path: /healthz }} }} }}
      gates:
        - {{ name: answers, check: {{ probe: {{ name: answers, successes: 5 }} }}, failures: 3 }}
        - {{ name: monitor, every: 100ms, check: {{ http: {{ url: \"{monitor}\", timeout: 800ms }} }}, unknownLimit: 2s }}
"
        );
    }
    text
}

const HEAD: &str = "# Written by `gapless demo`. Addresses are those of its lab and are gone with it; the bakes and the soak are
# short so that nobody has to wait. A real plan looks the same with minutes and days in their place.
apiVersion: gapless.dev/v1alpha1
kind: MigrationPlan
metadata: { name: demo }
spec:
  phases:
    - name: core
    - { name: outer, after: [{ phase: core }] }
  services:
";

fn endpoints(addresses: &[SocketAddr]) -> String {
    let one = |a: &SocketAddr| format!("{{ address: {}, port: {} }}", a.ip(), a.port());
    format!("[{}]", addresses.iter().map(one).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_a_plan_without_findings() {
        let address = |n: u16| SocketAddr::from(([127, 0, 0, 1], n));
        let place = |name: &str, n: u16| Place {
            service: name.parse().unwrap(),
            legacy: vec![address(n), address(n + 1)],
            target: vec![address(n + 2), address(n + 3)],
            route: format!("http://127.0.0.1:9/routes/{name}"),
            monitor: format!("http://127.0.0.1:8/{name}"),
        };
        let text = write(&[place("accounts", 1000), place("orders", 2000), place("letters", 3000)]);
        let checked = crate::plan::document::read(&text).unwrap_or_else(|refused| panic!("{:#?}\n{text}", refused.findings));
        assert_eq!(checked.warnings, [], "{text}");
        let plan = checked.revision.plan();
        assert_eq!((plan.services.len(), plan.phases.len()), (3, 2));
        let back = plan.rollback_closure(&"orders".parse().unwrap());
        assert_eq!(back.iter().map(ServiceName::as_str).collect::<Vec<_>>(), ["accounts", "orders"]);
    }
}
