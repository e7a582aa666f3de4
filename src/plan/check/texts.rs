//! Texts that are sent, asked or shown: variables in them, and what they may not contain.

use super::{Notes, personal, traffic};
use crate::plan::{
    finding::{Code, Finding, nearest},
    path::Path,
    shape,
    variables::{Variable, fill, names_in},
};

/// The longest name of a CronJob: Kubernetes appends 11 characters to it for the names of its Jobs.
const CRON_JOB_MAX: usize = 52;

/// What a manual task says.
pub(super) const INSTRUCTIONS: &str = "instructions";

/// The variables that can be used at a place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope(&'static [Variable]);

impl Scope {
    /// None.
    pub const NONE: Self = Self(&[]);
    /// Something of a phase.
    pub const PHASE: Self = Self(&[Variable::Phase]);
    /// Something of a service.
    pub const SERVICE: Self = Self(&[Variable::Service, Variable::Phase]);
    /// Something of a service that is sent to a side or judges one.
    pub const JUDGED: Self = Self(&[Variable::Service, Variable::Side, Variable::Phase]);

    /// The same in a query, which also has a window.
    pub fn in_query(self) -> Self {
        match self.0 {
            [] => Self(&[Variable::Window]),
            [_] => Self(&[Variable::Phase, Variable::Window]),
            [_, _] => Self(&[Variable::Service, Variable::Phase, Variable::Window]),
            _ => Self(&Variable::ALL),
        }
    }
}

/// Judges a text, which is `what`.
pub(super) fn check(what: &str, text: &str, scope: Scope, path: &Path, notes: &mut Notes) {
    if let Some(number) = personal::nhs_number(text) {
        let message = format!("the {what} contains {number}, a valid NHS number outside the test range");
        let help = "use a synthetic one that begins with 999, such as 9990000018";
        notes.add(Finding::error(Code::PersonalData, path.clone(), message, help));
    }
    if what == INSTRUCTIONS {
        return; // a person reads them, and `$(…)` may be a part of a command
    }
    for name in names_in(text).filter(|name| !scope.0.iter().any(|variable| variable.name() == *name)) {
        let message = format!("the {what} has no variable {}", shape::show(&format!("$({name})").into()));
        let known = || scope.0.iter().map(|variable| variable.name());
        let help = match nearest(name, known()) {
            Some(near) => format!("did you mean `$({near})`?"),
            None if scope.0.is_empty() => "write the value out: no variables are known here".to_owned(),
            None => {
                let all: Vec<String> = scope.0.iter().map(|variable| format!("`{variable}`")).collect();
                format!("the variables here are {}", all.join(", "))
            }
        };
        notes.add(Finding::error(Code::UnknownReference, path.clone(), message, help));
    }
}

/// Judges the name of a CronJob.
pub(super) fn check_cron_job(name: &str, scope: Scope, path: &Path, notes: &mut Notes) {
    check("name", name, scope, path, notes);
    let filled = fill(name, |_| Some("x".to_owned()));
    if filled.len() > CRON_JOB_MAX || !traffic::subdomain(&filled) {
        let message = format!("`{}` is not the name of a CronJob", name.escape_debug());
        let help = "it has at most 52 lower-case letters, digits, `-` and `.`, and begins and ends with a letter or digit";
        notes.add(Finding::error(Code::BadValue, path.clone(), message, help));
    }
}
