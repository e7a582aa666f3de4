//! What is wrong with a plan: a stable code, where, why it matters, what to do.

use std::{cmp::Ordering, fmt};

use schemars::JsonSchema;
use serde::Serialize;

use super::path::Path;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The plan is refused.
    Error,
    /// The plan can be run; somebody should look at this first.
    Warning,
}
impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal: $why:literal;)+) => {
        /// The kind of a finding. Names are stable: scripts and suppressions refer to them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// All codes, in the order in which `gapless check --list` prints them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The stable name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
            /// One line: when it is reported.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii()),+ }
            }
            /// Why it matters and what to do, for `gapless check --explain`.
            pub fn explanation(self) -> &'static str {
                match self { $(Self::$variant => $why),+ }
            }
        }
    };
}

codes! {
    /// The file is not one YAML document of the plain kind that a plan is.
    Syntax = "syntax": "A plan file holds one YAML 1.2 document in UTF-8: objects, lists and plain values. Anchors, aliases and tags are refused, because what a reader sees must be what runs. Mend the place that is shown; the findings after it may go away with it.";
    /// A field that no plan has.
    UnknownField = "unknown-field": "Nothing in a plan is ignored: a misspelt `gates` that nobody notices would leave a service unguarded. Correct the name, or remove the field.";
    /// A key that stands twice in one object.
    DuplicateKey = "duplicate-key": "YAML readers disagree about which of the two counts. Keep one.";
    /// A value that its field cannot have.
    BadValue = "bad-value": "The message says what the field takes. Durations are written `800ms`, `90s`, `1h30m`, `45d`; rates `450/s`; weights are whole percentages.";
    /// A field that must be there is not.
    MissingField = "missing-field": "Everything that can have a safe default has one; this field cannot. Add it.";
    /// A plain value that YAML 1.1 and 1.2 read differently.
    AmbiguousScalar = "ambiguous-scalar": "kubectl reads YAML 1.1, where `on`, `yes` and `n` are booleans, `0443` is 291 and `1_000` is 1000; YAML 1.2 reads text or other numbers. The same file must mean the same everywhere: put text in quotes, write numbers in plain decimal digits.";
    /// The document is larger than can be read, or than one Kubernetes object can be.
    TooLarge = "too-large": "etcd takes objects of about 1.5 MB, and a plan shares its object with what the API server adds, so beyond 1.2 MB it cannot be applied as one (a warning). Beyond 8 MiB, 300,000 values or 64 levels it is not read at all (an error).";
    /// A part of the plan language that this version does not run.
    NotYet = "not-yet": "This version refuses the field instead of ignoring it: a window or an approval that is written down but not kept would be worse than none. Remove it, or wait for the version that runs it.";
    /// A name that nothing in the plan has.
    UnknownReference = "unknown-reference": "Needs, phases and probes are referred to by name. Correct the name, or add what it names.";
    /// Two things of one kind with the same name.
    DuplicateName = "duplicate-name": "Orders, holds and journals name services, phases, gates and probes; a name that two of them have would name neither. Rename one.";
    /// An endpoint that stands twice.
    DuplicateHost = "duplicate-host": "Twice on one side of a service, its capacity would be counted twice (an error). On two services it may be right (one server with several names), but one fault then takes both, and each counts its capacity as if it were alone (a warning).";
    /// Services or phases that wait for each other.
    Cycle = "cycle": "None of them could ever start. Remove one of the needs; services that can only move together belong in one move group, which this version does not run yet.";
    /// A service that needs one of a later phase.
    PhaseOrder = "phase-order": "The earlier phase waits for the service, and the service's phase waits for the earlier phase: neither could ever start. Put the needed service into the same phase or an earlier one.";
    /// A move group with more members than may be in motion at once.
    GroupOverLimit = "group-over-limit": "The members of a group start each step together, so a limit below their number would let none of them ever start. Raise `limits`, or divide the group.";
    /// A need across the estates without the bridge that carries it.
    BridgeMissing = "bridge-missing": "`Across` says that the needed service may be on either side, which is true only while a bridge joins the estates. Name a bridge that joins the phases of both services, or use `mode: Before`.";
    /// A plan of several services in which no needs are declared.
    UndeclaredNeeds = "undeclared-needs": "No needs declared means unknown, not none: services will move in any order and at the same time, and one that fails takes no other back with it. Declare what needs what.";
    /// A service that nothing judges, or that nothing watches after its move.
    NoHealthCheck = "no-health-check": "Without a probe or a gate nothing can tell whether the target serves, so traffic would be moved blindly (an error). Gates that are all `guard: false` end with the last confirmation: nothing watches the soak (a warning).";
    /// A gate that looks further back than the bake is long.
    WindowOverBake = "window-over-bake": "A sample counts only if its window lies wholly after the shift became effective. A metric over 10 minutes cannot pass within a bake of 5: every step would wait longer than it says. Shorten the window, or lengthen the bake.";
    /// A guard that is expected to raise a false alarm during the soak.
    GuardFlaps = "guard-flaps": "A guard that is looked at every second for 45 days is looked at four million times, and rare accidents become likely. The number of false alarms to expect is computed from `every`, `failures`, `guardFor` and the failures that the gate tolerates; more than one means that the service will probably go back for nothing. Lengthen `guardFor`, or look less often.";
    /// Ten digits that may be a real patient's NHS number.
    PersonalData = "personal-data": "Probes are sent every second and written to journals, so they must not carry personal data. Ten digits whose last one is the modulus-11 check digit of the others are taken for an NHS number (NHS Data Dictionary, data element NHS NUMBER). Use a number of the synthetic range that begins with 999; there `9990000018` is valid.";
    /// A secret written into the plan.
    SecretInPlan = "secret-in-plan": "Plans are kept in repositories, in the API server and in revisions for months. Give credentials by reference (`keyFromEnv`), and change one that has been written down.";
    /// The same host or Service on both sides of a service.
    SameSides = "same-sides": "A move from a side to itself moves nothing, yet would be reported as done, and a rollback would lead back into the fault. Correct one of the two sides.";
    /// Two services on one route.
    RouterShared = "router-shared": "A route has one pair of weights; two services that move it would fight. Give each its own route or rule, or make them one service.";
    /// A weight that a router cannot divide as written.
    WeightNotRepresentable = "weight-not-representable": "Some routers divide traffic by counts: an EndpointSlice with three old and one new endpoint has 25 % or nothing, and DNS has no percentages at all. The message gives the real share. Use steps that the router can make.";
    /// A side that cannot carry the peak.
    CapacityShort = "capacity-short": "Endpoints × `perEndpoint` is less than `peak` and its headroom. A target that is too small never gets all the traffic; a legacy side that is too small is no way back. Add endpoints, or correct the figures by measuring.";
    /// Weights that leave all traffic on legacy.
    AllZero = "all-zero": "With only zeros in `steps` nothing is ever moved. Steps rise, and end at 100.";
    /// A task that does not say how it is undone.
    NoUndo = "no-undo": "A rollback takes back every step that was started. A task without `undo` would be left as it is, silently. Give its undo, or say `undo: { none: \"why nothing has to be taken back\" }`.";
    /// A person's task that traffic on its way back would wait for.
    ManualUndoBeforeTraffic = "manual-undo-before-traffic": "Users must never wait for a person to be found at night: a manual undo comes after the traffic. Use `when: AfterTraffic`, or let a machine do it.";
    /// Something that cannot be undone, placed where there still has to be a way back.
    IrreversibleEarly = "irreversible-early": "Before the end of the soak every service must be able to go back. A task that cannot be undone belongs at `AfterSoak` or `BeforeDecommission`.";
    /// A batch job of a service that runs on through its move.
    CronNotQuiesced = "cron-not-quiesced": "A nightly job that fires in mid-move writes to the wrong side, or on both. List it in the service's `cron`, so that it is paused before and resumed on the right side after, or pause and resume it by a task.";
    /// A moment that the clocks skip.
    NoSuchMoment = "no-such-moment": "When clocks go forward an hour of wall-clock time does not exist, so nobody can say when the window opens. Write a moment that the zone has.";
    /// A moment that the clocks show twice.
    AmbiguousMoment = "ambiguous-moment": "When clocks go back an hour of wall-clock time comes twice; guessing which one is meant would be an hour wrong half of the time. Write a moment before or after it.";
    /// A window that the work it governs does not fit.
    WindowTooShort = "window-too-short": "The critical path, with bakes and expected durations, is longer than the window less its reserve and the time that going back takes. Steps that cannot end in time do not start, so the run would stop half-way. Lengthen the window, shorten bakes, or divide the phase.";
    /// A freeze that lies in a window.
    FreezeInWindow = "freeze-in-window": "Nothing starts during a freeze, and what is in motion has to be undone before it begins. The window is in fact shorter than it says. Move one of the two.";
    /// A run that is expected to end after the plan's deadline.
    DeadlineMissed = "deadline-missed": "The forecast adds up windows, soaks and expected durations along the critical path. If it ends after `deadline`, the date that cannot move will be missed. Begin earlier, move more at once, or shorten the soak.";
    /// A reserve that is shorter than going back takes.
    ReserveTooShort = "reserve-too-short": "The reserve is what remains for surprises once everything has gone back. If undoing the services of the window takes longer than the window has after their last step, rollback would end outside it. Lengthen `reserve` or the window.";
    /// An approval that can never be reached.
    QuorumUnreachable = "quorum-unreachable": "An approval asks for more people than its role has, so the phase behind it would wait for ever. Count deputies and people of several roles once: each person approves once. Lower `count`, or add people.";
    /// A legacy system that is switched off without anybody's approval.
    NoDecommissionApproval = "no-decommission-approval": "Decommissioning cannot be undone, and no gate knows what else still depends on an old host. Ask a role: `decommission: { approval: { allOf: [{ role: … }] } }`.";
    /// An approval that the person who starts the run could give alone.
    SelfApproval = "self-approval": "Nobody approves their own run: the operator refuses an approval of the starter. A role with a single person, who also starts runs, would leave the phase waiting. Add people to the role, or name another.";
    /// A soak or a drain that old connections outlive.
    SoakUnderConnectionAge = "soak-under-connection-age": "Connections stay on the side that they began on for up to `maxConnectionAge`. A soak or drain that is shorter ends while clients are still on legacy, and cuts them off. Lengthen it beyond `maxConnectionAge`.";
    /// A single-writer service without a fence.
    NoFence = "no-fence": "Two writable sides make two truths. Before the new side is promoted the old one must be made read-only, and proven so: give `data.fence` with its proof.";
    /// A switch of writers that takes longer than its budget.
    PauseOverBudget = "pause-over-budget": "From the start of the fence to the first successful write through the service's own address nobody can write. The expected durations add up to more than `pauseBudget`. Measure and shorten them, or allow a longer pause.";
    /// A service that cannot go back after some step.
    NoWayBack = "no-way-back": "The step that is named is a point of no return: once it has started, no rollback of this service is possible, whatever is found later. That may be meant; then somebody should have read it. Give `data.reverse`, or an undo, to keep the way back.";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a finding is about a field's name or about its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// The name of the field.
    Key,
    /// What stands behind the name.
    Value,
}

/// Another place that belongs to a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Related {
    /// Where.
    pub path: Path,
    /// The line, from 1; null where there is no text, as for objects of the API server.
    pub line: Option<u32>,
    /// The column, from 1, in characters.
    pub column: Option<u32>,
    /// What is there.
    pub message: String,
    #[serde(skip)]
    pub(crate) width: u32,
}

/// One thing that is wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its kind.
    pub code: Code,
    /// Its weight.
    pub severity: Severity,
    /// Where.
    pub path: Path,
    /// The line, from 1; null where there is no text, as for objects of the API server.
    pub line: Option<u32>,
    /// The column, from 1, in characters.
    pub column: Option<u32>,
    /// What is wrong: a sentence.
    pub message: String,
    /// What to do: a sentence.
    pub help: String,
    /// Other places that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// How many characters of its line it covers, for underlining.
    #[serde(skip)]
    pub(crate) width: u32,
    #[serde(skip)]
    pub(crate) spot: Spot,
}

impl Finding {
    /// An error at the value at `path`.
    pub fn error(code: Code, path: Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            path,
            line: None,
            column: None,
            message: message.into(),
            help: help.into(),
            related: Vec::new(),
            width: 0,
            spot: Spot::Value,
        }
    }
    /// A warning at the value at `path`.
    pub fn warning(code: Code, path: Path, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, path, message, help) }
    }
    /// The same about the field's name instead of its value.
    #[must_use]
    pub fn at_key(self) -> Self {
        Self { spot: Spot::Key, ..self }
    }
    /// The same at this place in the text: line and column from 1, `width` characters of the line.
    #[must_use]
    pub fn at(self, line: u32, column: u32, width: u32) -> Self {
        Self { line: Some(line), column: Some(column), width, ..self }
    }
    /// The same with another place that belongs to it.
    #[must_use]
    pub fn with(mut self, path: Path, message: impl Into<String>) -> Self {
        self.related.push(Related { path, line: None, column: None, message: message.into(), width: 0 });
        self
    }
    /// Whether it refuses the plan.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
    /// The order in which findings are shown: as a reader meets them.
    pub fn order(&self, other: &Self) -> Ordering {
        let place = |f: &Self| (f.line.unwrap_or(u32::MAX), f.column.unwrap_or(u32::MAX));
        place(self)
            .cmp(&place(other))
            .then_with(|| self.path.cmp(&other.path))
            .then_with(|| self.code.cmp(&other.code))
            .then_with(|| self.message.cmp(&other.message))
    }
}

impl fmt::Display for Finding {
    /// One line, for logs and conditions: `error[cycle] spec.services[0].needs[0]: …; help`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}] ", self.severity, self.code)?;
        if !self.path.segments().is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}; {}", self.message, self.help)
    }
}

/// The name among `known` that `wrong` was most likely meant to be.
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if wrong.len() > 80 {
        return None; // longer than any name can be; the comparison takes time with the length
    }
    let lower = wrong.to_lowercase();
    let distance = |name: &str| strsim::damerau_levenshtein(&lower, &name.to_lowercase());
    let limit = (wrong.chars().count() / 3).max(1);
    known.into_iter().map(|name| (distance(name), name)).filter(|(d, _)| *d <= limit).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_that_serde_writes() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
            assert!(code.explanation().ends_with('.') && code.summary().ends_with('.'), "{code} is not explained in sentences");
        }
    }

    #[test]
    fn the_nearest_name_is_near() {
        assert_eq!(nearest("gaets", ["name", "gates", "probes"]), Some("gates"));
        assert_eq!(nearest("rollback", ["Rollback", "Hold"]), Some("Rollback"));
        assert_eq!(nearest("zebra", ["name", "gates"]), None);
    }
}
