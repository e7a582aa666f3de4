//! Who can end a wait, and how: what a room wants to know of each reason, beside the reason itself.

use std::fmt;

use jiff::Timestamp;

use super::reason::{Fact, Reason};

/// How a wait ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WayOut {
    /// By itself, at this moment.
    At(Timestamp),
    /// By itself, when this comes true.
    When(String),
    /// By another step of the run: when this comes true.
    Step(String),
    /// By people.
    Person {
        /// Who.
        who: String,
        /// By doing what.
        how: String,
    },
}

impl WayOut {
    /// When it ends by itself, if that is known.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::At(moment) => Some(*moment),
            _ => None,
        }
    }
    /// Who can end it, if people have to.
    pub fn who(&self) -> Option<&str> {
        match self {
            Self::Person { who, .. } => Some(who),
            _ => None,
        }
    }
}

impl fmt::Display for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(moment) => write!(f, "nobody has to: it passes by itself at {moment:.0}"),
            Self::When(what) => write!(f, "nobody has to: it passes by itself when {what}"),
            Self::Step(what) => write!(f, "another step of this run: {what}"),
            Self::Person { who, how } => write!(f, "{who}: {how}"),
        }
    }
}

fn when(what: impl Into<String>) -> WayOut {
    WayOut::When(what.into())
}
fn step(what: impl Into<String>) -> WayOut {
    WayOut::Step(what.into())
}
fn person(who: impl Into<String>, how: impl Into<String>) -> WayOut {
    WayOut::Person { who: who.into(), how: how.into() }
}
/// People decide what becomes of the run.
fn decide() -> WayOut {
    person("whoever may order the run", "look at it, then `gapless resume` or `gapless rollback`")
}

impl Reason {
    /// Who can end the wait, and how.
    pub fn way_out(&self) -> WayOut {
        match self {
            Self::Baking { until, .. }
            | Self::Soak { until }
            | Self::TaskSettling { until, .. }
            | Self::Waiting { until, .. }
            | Self::Frozen { until, .. }
            | Self::Stable { until, .. }
            | Self::ScreamTest { until }
            | Self::WindowClosed { opens: Some(until), .. } => WayOut::At(*until),
            Self::Phase { .. }
            | Self::Need { .. }
            | Self::Dependent { .. }
            | Self::InMotion { .. }
            | Self::TierInMotion { .. }
            | Self::Group { .. }
            | Self::Bridge { .. }
            | Self::BridgeNeeded { .. }
            | Self::SharedSystem { .. }
            | Self::NeedEnds { .. }
            | Self::WithService { .. }
            | Self::WithGroup { .. } => self.by_a_step(),
            Self::TakingEffect { .. }
            | Self::GateSamples { .. }
            | Self::LegacyStillActive { .. }
            | Self::Backend { .. }
            | Self::TaskRunning { .. }
            | Self::WindowTooShort { .. }
            | Self::Unstable { .. }
            | Self::BridgeClaimed { .. }
            | Self::Draining { .. }
            | Self::RouteUnknown { .. }
            | Self::SideUnknown { .. }
            | Self::SideAbsent { .. }
            | Self::SideShort { .. }
            | Self::GateFailing { .. }
            | Self::GateUnknown { .. }
            | Self::GateAnswersBadly { .. } => self.by_the_world(),
            _ => self.by_people(),
        }
    }

    fn by_a_step(&self) -> WayOut {
        match self {
            Self::Phase { phase, service } => step(format!("phase {phase} has to be on target, {service} is not yet")),
            Self::Need { service } => step(format!("{service} has to be on target")),
            Self::Dependent { service } => step(format!("{service} has to be back on legacy")),
            Self::Group { service } => step(format!("{service}, of its group, has to come as far")),
            Self::Bridge { bridge } => step(format!("bridge {bridge} has to be put up")),
            Self::BridgeNeeded { service, .. } => step(format!("{service} has to be past its soak, or back")),
            Self::SharedSystem { service, .. } | Self::NeedEnds { service } => {
                step(format!("{service} has to be past its soak; if it goes back, legacy stays"))
            }
            Self::WithService { service } | Self::WithGroup { service } => step(format!("{service} goes back")),
            _ => step("one of those in motion has to come to rest"),
        }
    }

    fn by_the_world(&self) -> WayOut {
        match self {
            Self::TakingEffect { .. } => when("router and real answers show the order"),
            Self::GateSamples { gate, .. } => when(format!("gate {gate} has had enough good answers")),
            Self::LegacyStillActive { .. } | Self::Draining { .. } => when("legacy's last connections have ended"),
            Self::Backend { side } => when(format!("the backend of its {side} side stands")),
            Self::TaskRunning { task } => when(format!("task {task} is done")),
            Self::WindowTooShort { .. } => when("a window opens that leaves time to go back"),
            Self::Unstable { service, .. } => when(format!("{service} is on target and out of trouble")),
            Self::BridgeClaimed { by, .. } => when(format!("run {by} gives the bridge up")),
            Self::RouteUnknown { .. } => when("its route can be read again"),
            Self::SideUnknown { side, .. } => when(format!("its {side} side can be probed again")),
            Self::SideAbsent { what, .. } => when(format!("there is a {what}")),
            Self::SideShort { side, .. } => when(format!("enough {side} endpoints are healthy")),
            Self::GateFailing { gate, .. } | Self::GateAnswersBadly { gate, .. } => {
                when(format!("gate {gate} passes again; if it goes on failing the plan says what is done"))
            }
            Self::GateUnknown { gate, .. } => {
                when(format!("gate {gate} has an answer; after its limit the plan says what is done"))
            }
            _ => decide(),
        }
    }

    fn by_people(&self) -> WayOut {
        match self {
            Self::Approval { asks, missing } => person(missing.clone(), format!("`gapless approve`, in answer to: {asks}")),
            Self::Refused { by, .. } => person(format!("{by}, or enough others"), "`gapless approve` after the refusal"),
            Self::TaskOfPerson { owner, .. } => person(owner.to_string(), "do what the task says"),
            Self::WindowClosed { .. } => person(
                "whoever owns the plan",
                "no window of it opens any more: take the run back, or start one of a plan that has one",
            ),
            Self::NotEffective { fact: Fact::Effective, .. } => person(
                "whoever runs the router",
                "find out why answers through it do not show the order, or reach neither side: gapless logs what they say",
            ),
            Self::NotEffective { .. } => person("whoever runs the router", "find out why it does not take the order"),
            Self::NoWorse { .. } => person(
                "whoever runs legacy",
                "give it enough healthy endpoints: the way back is ordered, and goes on by itself then",
            ),
            Self::Drift { .. } => person("whoever changed the route", "put it back as it was ordered, then `gapless resume`"),
            Self::OneOwner { owner } => person(format!("whoever runs {owner}"), "end that run, or take this one back"),
            Self::Format { .. } => person("whoever runs gapless here", "run the newer version again"),
            Self::OtherRevision { .. } => {
                person("whoever runs gapless here", "give it the revision that the run was started with")
            }
            _ => decide(),
        }
    }
}
