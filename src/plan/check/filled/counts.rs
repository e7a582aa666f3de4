//! Weights that a router cannot make as they are written.

use super::of;
use crate::plan::{
    finding::{Code, Finding},
    model::{Place, Plan, Router, Service},
    names::{ServiceName, Weight},
    path::Path,
};

pub(super) fn check(plan: &Plan, found: &mut Vec<Finding>) {
    for (name, service) in &plan.services {
        let path = match plan.group_of(name) {
            Some((group, _)) => of("groups", group.as_str()).key("shift").key("steps"),
            None => of("services", name.as_str()).key("shift").key("steps"),
        };
        at_once(name, service, &path, found);
        counted(name, service, &path, found);
        mirrored(name, service, found);
    }
}

/// Record sets and single writers are on one side, or on the other.
fn at_once(name: &ServiceName, service: &Service, path: &Path, found: &mut Vec<Finding>) {
    let why = match &service.router {
        _ if service.data.is_some() => "it has a single writer, and traffic on both sides would write on both",
        Router::Dns(_) => "a record set has no percentages: resolvers keep one answer for all their clients",
        _ => return,
    };
    let Some(first) = service.steps.first().copied().filter(|first| *first < Weight::FULL) else { return };
    let message = format!("a step to {first} of `{name}` would in fact be one to 100 %: {why}");
    let help = "use `steps: [100]`, which is also the default";
    let router = of("services", name.as_str()).key("router");
    found.push(Finding::error(Code::WeightNotRepresentable, path.clone(), message, help).with(router, "its router"));
}

/// Where weight is a count of endpoints, only some shares can be made.
fn counted(name: &ServiceName, service: &Service, path: &Path, found: &mut Vec<Finding>) {
    let (Router::EndpointSlice(_), Place::Endpoints(legacy), Place::Endpoints(target)) =
        (&service.router, &service.legacy.at, &service.target.at)
    else {
        return;
    };
    let (legacy, target) = (legacy.len() as u64, target.len() as u64);
    if legacy == 0 || target == 0 {
        return;
    }
    let wrong: Vec<String> = service
        .steps
        .iter()
        .filter_map(|step| {
            let real = nearest(u64::from(step.percent()), legacy, target);
            (real.rounded() != u64::from(step.percent())).then(|| format!("{step} would be {real}"))
        })
        .collect();
    if wrong.is_empty() {
        return;
    }
    let message = format!(
        "with {legacy} legacy and {target} target endpoints in the slices of `{name}`, a step to {}",
        wrong.join(", one to ")
    );
    let made: Vec<String> = shares(legacy, target).iter().map(u64::to_string).collect();
    let help = format!("use steps that it can make, such as [{}], or a router with weights", made.join(", "));
    let router = of("services", name.as_str()).key("router");
    found.push(Finding::error(Code::WeightNotRepresentable, path.clone(), message, help).with(router, "its router"));
}

/// A share made of counts: so many of target among so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Share {
    target: u64,
    all: u64,
}

impl Share {
    /// In whole percent.
    fn rounded(self) -> u64 {
        (self.target * 200 + self.all) / (self.all * 2)
    }
    /// How far it is from `percent`, as a fraction.
    fn off(self, percent: u64) -> (u64, u64) {
        ((self.target * 100).abs_diff(percent * self.all), self.all)
    }
}
impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.target {
            0 => f.write_str("nothing"),
            target => write!(f, "{} % ({target} of {})", self.rounded(), self.all),
        }
    }
}

/// The share nearest to `percent`; of two that are as near, the smaller.
fn nearest(percent: u64, legacy: u64, target: u64) -> Share {
    let mut best = Share { target: 0, all: 1 };
    let nearer = |a: Share, b: Share| {
        let ((a, a_of), (b, b_of)) = (a.off(percent), b.off(percent));
        a * b_of < b * a_of
    };
    for targets in 1..=target {
        let exact = (targets * 100u64.saturating_sub(percent)).checked_div(percent).unwrap_or(legacy);
        for legacies in [exact, exact + 1].map(|count| count.min(legacy)) {
            let share = Share { target: targets, all: targets + legacies };
            if nearer(share, best) {
                best = share;
            }
        }
    }
    best
}

/// A few rising steps that counts can make: all of legacy with more and more of target, then less and less of legacy.
fn shares(legacy: u64, target: u64) -> Vec<u64> {
    let rising = (1..=target).map(|targets| Share { target: targets, all: targets + legacy });
    let falling = (0..legacy).rev().map(|legacies| Share { target, all: target + legacies });
    let mut all: Vec<u64> = rising.chain(falling).map(Share::rounded).filter(|share| *share > 0).collect();
    all.dedup();
    if all.len() > 5 {
        let last = all.len() - 1;
        all = (0..5).filter_map(|i| all.get(i * last / 4).copied()).collect();
        all.dedup();
    }
    all
}

/// Shadow traffic is made by routers that see requests.
fn mirrored(name: &ServiceName, service: &Service, found: &mut Vec<Finding>) {
    let kind = match &service.router {
        _ if service.mirror.is_none() => return,
        Router::HttpRoute { .. } | Router::GrpcRoute(_) | Router::Webhook { .. } => return,
        Router::TlsRoute(_) => "a TLSRoute",
        Router::TcpRoute(_) => "a TCPRoute",
        Router::Haproxy { .. } => "HAProxy's Runtime API",
        Router::Dns(_) => "DNS",
        Router::EndpointSlice(_) => "an EndpointSlice",
    };
    let message = format!("`{name}` is to have shadow traffic, and {kind} cannot copy requests");
    let path = of("services", name.as_str()).key("mirror");
    let help = "remove `mirror`, or set its `percent` to 0 where the plan's defaults have it";
    found.push(Finding::error(Code::BadValue, path, message, help).at_key());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_share_is_the_nearest_of_all() {
        for (legacy, target) in [(3, 1), (1, 1), (4, 4), (2, 7), (9, 2)] {
            for percent in 1..=100 {
                let found = nearest(percent, legacy, target);
                for targets in 0..=target {
                    for all in targets.max(1)..=targets + legacy {
                        let (other, of) = Share { target: targets, all }.off(percent);
                        let (own, own_of) = found.off(percent);
                        assert!(
                            own * of <= other * own_of,
                            "{percent} of {legacy} and {target}: {found}, not {targets} of {all}"
                        );
                    }
                }
            }
        }
        assert_eq!(nearest(5, 3, 1).to_string(), "nothing");
        assert_eq!(nearest(25, 3, 1).to_string(), "25 % (1 of 4)");
        assert_eq!(shares(3, 1), [25, 33, 50, 100]);
        assert_eq!(shares(2, 3), [33, 50, 60, 75, 100]);
    }
}
