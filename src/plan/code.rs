//! The kinds of findings: stable names, each with a page that explains it.
//!
//! A code's page is `codes/NAME.md` beside this file: why it matters and what to do, then a whole plan that is wrong in just
//! this way, then the same plan mended. `gapless check --explain NAME` prints it, and a test holds the two plans against what
//! `check` really says.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)+) => {
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
            /// Its page, in Markdown: see the top of this file.
            pub fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("codes/", $name, ".md"))),+ }
            }
        }
    };
}

codes! {
    /// The file cannot be read, or holds no plan.
    Syntax = "syntax";
    /// A field that no plan has.
    UnknownField = "unknown-field";
    /// A key that stands twice in one object.
    DuplicateKey = "duplicate-key";
    /// A value that its field cannot have.
    BadValue = "bad-value";
    /// A field that must be there is not.
    MissingField = "missing-field";
    /// A plain value that YAML 1.1 and 1.2 read differently.
    AmbiguousScalar = "ambiguous-scalar";
    /// The document is larger than can be read, or than one Kubernetes object can be.
    TooLarge = "too-large";
    /// A part of the plan language that this version does not run.
    NotYet = "not-yet";
    /// A name that nothing in the plan has.
    UnknownReference = "unknown-reference";
    /// Two things of one kind with the same name.
    DuplicateName = "duplicate-name";
    /// An endpoint that stands twice.
    DuplicateHost = "duplicate-host";
    /// Services or phases that wait for each other.
    Cycle = "cycle";
    /// A service that needs one of a later phase.
    PhaseOrder = "phase-order";
    /// A move group with more members than may be in motion at once.
    GroupOverLimit = "group-over-limit";
    /// A need across the estates without the bridge that carries it.
    BridgeMissing = "bridge-missing";
    /// Something that is declared and that nothing refers to.
    Unused = "unused";
    /// A plan of several services in which no needs are declared.
    UndeclaredNeeds = "undeclared-needs";
    /// A service that nothing judges, or that nothing watches after its move.
    NoHealthCheck = "no-health-check";
    /// A gate that looks further back than the bake is long.
    WindowOverBake = "window-over-bake";
    /// A guard that is expected to raise a false alarm during the soak.
    GuardFlaps = "guard-flaps";
    /// Ten digits that may be a real patient's NHS number.
    PersonalData = "personal-data";
    /// A secret written into the plan.
    SecretInPlan = "secret-in-plan";
    /// The same host or Service on both sides of a service.
    SameSides = "same-sides";
    /// Two services on one route.
    RouterShared = "router-shared";
    /// A weight that a router cannot divide as written.
    WeightNotRepresentable = "weight-not-representable";
    /// A side that cannot carry the peak.
    CapacityShort = "capacity-short";
    /// Weights that leave all traffic on legacy.
    AllZero = "all-zero";
    /// A task that does not say how it is undone.
    NoUndo = "no-undo";
    /// A person's task that traffic on its way back would wait for.
    ManualUndoBeforeTraffic = "manual-undo-before-traffic";
    /// Something that cannot be undone, placed where there still has to be a way back.
    IrreversibleEarly = "irreversible-early";
    /// A batch job of a service that runs on through its move.
    CronNotQuiesced = "cron-not-quiesced";
    /// A moment that the clocks skip.
    NoSuchMoment = "no-such-moment";
    /// A moment that the clocks show twice.
    AmbiguousMoment = "ambiguous-moment";
    /// A window that the work it governs does not fit.
    WindowTooShort = "window-too-short";
    /// A freeze that lies in a window.
    FreezeInWindow = "freeze-in-window";
    /// A run that is expected to end after the plan's deadline.
    DeadlineMissed = "deadline-missed";
    /// A reserve that is shorter than going back takes.
    ReserveTooShort = "reserve-too-short";
    /// An approval that can never be reached.
    QuorumUnreachable = "quorum-unreachable";
    /// A legacy system that is switched off without anybody's approval.
    NoDecommissionApproval = "no-decommission-approval";
    /// An approval that the person who starts the run could give alone.
    SelfApproval = "self-approval";
    /// A soak or a drain that old connections outlive.
    SoakUnderConnectionAge = "soak-under-connection-age";
    /// A single-writer service without a fence.
    NoFence = "no-fence";
    /// A single writer that is fenced only once nothing is left to be copied, while it is still written to.
    NoCatchUp = "no-catch-up";
    /// A switch of writers that takes longer than its budget.
    PauseOverBudget = "pause-over-budget";
    /// A service that cannot go back after some step.
    NoWayBack = "no-way-back";
}

impl Code {
    /// Why it matters and what to do: the beginning of its page.
    pub fn explanation(self) -> &'static str {
        self.page().split("\nWrong:\n").next().unwrap_or_default().trim_ascii()
    }
    /// A plan that is wrong in just this way.
    pub fn wrong(self) -> &'static str {
        self.fenced("\nWrong:\n")
    }
    /// The same plan mended.
    pub fn right(self) -> &'static str {
        self.fenced("\nRight:\n")
    }
    /// Whether what stands where it points must not be shown again, in a log or anywhere else.
    pub fn is_confidential(self) -> bool {
        matches!(self, Self::PersonalData | Self::SecretInPlan)
    }
    /// The code of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The first block of YAML after `heading`.
    fn fenced(self, heading: &str) -> &'static str {
        let after = self.page().split_once(heading).and_then(|(_, after)| after.split_once("```yaml\n"));
        after.and_then(|(_, block)| block.split_once("```")).map_or("", |(block, _)| block)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_names_that_serde_writes() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.name());
            assert_eq!(Code::named(code.name()), Some(*code));
        }
        assert_eq!(Code::named("no-such"), None);
    }

    #[test]
    fn every_page_has_an_explanation_and_two_plans() {
        for code in Code::ALL {
            assert!(code.summary().ends_with('.') && code.explanation().ends_with('.'), "{code} is not explained in sentences");
            let (wrong, right) = (code.wrong(), code.right());
            assert!(!code.explanation().contains("```") && wrong != right, "{code}");
            for plan in [wrong, right] {
                assert!(plan.starts_with("apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\n"), "{code}:\n{plan}");
            }
        }
    }
}
