//! What is different, in words.

use std::{collections::BTreeSet, fmt, ops::Range};

use jiff::Timestamp;
use serde_json::Value;

use crate::{
    engine::{Decision, Event, Reason, Record, StepId, Subject},
    journal::{Line, PROGRAM, changes::OfRun, value},
    plan::{BridgeName, Digest, PhaseName, ServiceName},
};

/// The first line whose decision is another one now.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its number.
    pub line: u64,
    /// When it was decided.
    pub at: Timestamp,
    /// The program that decided it.
    pub program: Option<String>,
    /// All that differs in it.
    pub what: Vec<What>,
}

/// One thing that differs.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// The journal is of a run of another revision.
    OtherRevision {
        /// Which.
        found: Digest,
    },
    /// The run did not begin as a new run does: something was there before its first line.
    NotNew {
        /// Of what.
        of: Of,
        /// In a new record, and in this one.
        fields: Vec<Field>,
    },
    /// Between the line before and this one something else than a decision changed the record.
    Between {
        /// Of what.
        of: Of,
        /// As the lines before lead to it, and as it was.
        fields: Vec<Field>,
    },
    /// Something comes to another state.
    State {
        /// Of what.
        of: Of,
        /// Then, and now.
        fields: Vec<Field>,
        /// What was decided about it then.
        then: Vec<String>,
        /// What is decided about it now, and why it waits if it does.
        now: Vec<String>,
    },
    /// The record is the same, but not what is told of it.
    Event {
        /// Then; `None`: nothing.
        then: Option<String>,
        /// Now; `None`: nothing.
        now: Option<String>,
    },
    /// The record is the same, but not what is to be done.
    Effect {
        /// Then; `None`: nothing.
        then: Option<String>,
        /// Now; `None`: nothing.
        now: Option<String>,
    },
    /// Every line is as it should be, and the record that is stored is another one than they lead to.
    Stored {
        /// Of what.
        of: Of,
        /// As the lines lead to it, and as it is stored.
        fields: Vec<Field>,
    },
}

/// What a part of a record is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Of {
    /// The run as a whole.
    Run,
    /// A service.
    Service(ServiceName),
    /// A phase.
    Phase(PhaseName),
    /// A bridge.
    Bridge(BridgeName),
}
impl fmt::Display for Of {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run => f.write_str("the run"),
            Self::Service(name) => write!(f, "service {name}"),
            Self::Phase(name) => write!(f, "phase {name}"),
            Self::Bridge(name) => write!(f, "bridge {name}"),
        }
    }
}
impl Of {
    fn is(&self, subject: &Subject) -> bool {
        match (self, subject) {
            (Self::Service(name), Subject::Service(other)) => name == other,
            (Self::Phase(name), Subject::Phase(other)) => name == other,
            (Self::Bridge(name), Subject::Bridge(other)) => name == other,
            _ => false,
        }
    }
}

/// A field of a record that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Which.
    pub name: String,
    /// The one value.
    pub one: String,
    /// The other.
    pub other: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, of {}", self.line, self.at)?;
        for what in &self.what {
            write!(f, "\n{what}")?;
        }
        match &self.program {
            Some(program) if program != PROGRAM => write!(
                f,
                "\nthe line was written by {program}, and this is {PROGRAM}: a program that decides by other rules differs \
                 rightly; replay it with {program} to tell that from a changed journal"
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherRevision { found } => {
                write!(f, "the journal is of a run of revision {}, which is another plan", found.short())
            }
            Self::NotNew { of, fields } => {
                write!(f, "{of}: something had been done before the first line")?;
                rows(f, fields, "a new run", "this one")
            }
            Self::Between { of, fields } => {
                write!(f, "{of}: the record was changed between the line before and this one, and by no decision")?;
                rows(f, fields, "by the lines before", "when it was decided")
            }
            Self::State { of, fields, then, now } => {
                write!(f, "{of} is decided otherwise")?;
                rows(f, fields, "then", "now")?;
                then.iter().try_for_each(|text| write!(f, "\n  then  {text}"))?;
                now.iter().try_for_each(|text| write!(f, "\n  now   {text}"))
            }
            Self::Event { then, now } => pair(f, "the record is the same, but not what is told", then.as_ref(), now.as_ref()),
            Self::Effect { then, now } => pair(f, "the record is the same, but not what is done", then.as_ref(), now.as_ref()),
            Self::Stored { of, fields } => {
                write!(f, "{of}: the stored record is not the one to which the lines lead")?;
                rows(f, fields, "by the lines", "stored")
            }
        }
    }
}

fn rows(f: &mut fmt::Formatter<'_>, fields: &[Field], one: &str, other: &str) -> fmt::Result {
    fields.iter().try_for_each(|field| write!(f, "\n  {}: {one} {}, {other} {}", field.name, field.one, field.other))
}

fn pair(f: &mut fmt::Formatter<'_>, what: &str, then: Option<&String>, now: Option<&String>) -> fmt::Result {
    let nothing = || "nothing".to_owned();
    write!(f, "{what}\n  then  {}\n  now   {}", then.cloned().unwrap_or_else(nothing), now.cloned().unwrap_or_else(nothing))
}

/// What differs between what was decided and what is decided now.
pub fn decisions(line: &Line, before: &Record, then: &Record, now: &Decision) -> Vec<What> {
    let next = Record { journal: before.journal.clone(), ..now.record.clone() };
    let found = records(then, &next, |of, fields| {
        let then = told(line, &of);
        let now = said(now, &of);
        What::State { of, fields, then, now }
    });
    if !found.is_empty() {
        return found;
    }
    let (events, effects) = (value(&now.events), value(&now.effects));
    let event = first(&line.events, &events).map(|(then, now)| What::Event { then, now });
    event.into_iter().chain(first(&line.effects, &effects).map(|(then, now)| What::Effect { then, now })).collect()
}

/// What differs between two records, as `what` it is.
pub fn records(one: &Record, other: &Record, what: impl Fn(Of, Vec<Field>) -> What) -> Vec<What> {
    if one == other {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut note = |of: Of, one: Value, other: Value| {
        let fields = fields(&one, &other);
        if !fields.is_empty() {
            found.push(what(of, fields));
        }
    };
    note(Of::Run, of_run(one), of_run(other));
    let names: BTreeSet<_> = one.services.keys().chain(other.services.keys()).collect();
    for name in names {
        let (was, is) = (one.services.get(name), other.services.get(name));
        if was != is {
            note(Of::Service(name.clone()), value(&was), value(&is));
        }
    }
    for name in one.phases.keys().chain(other.phases.keys()).collect::<BTreeSet<_>>() {
        note(Of::Phase(name.clone()), value(&one.phases.get(name)), value(&other.phases.get(name)));
    }
    for name in one.bridges.keys().chain(other.bridges.keys()).collect::<BTreeSet<_>>() {
        note(Of::Bridge(name.clone()), value(&one.bridges.get(name)), value(&other.bridges.get(name)));
    }
    found
}

/// All that a record says of its run as a whole.
fn of_run(record: &Record) -> Value {
    let Record { format, run, plan, digest, started_at, started_by, journal, .. } = record;
    let mut all = value(&OfRun::of(record));
    let identity = serde_json::json!({
        "format": format, "run": run, "plan": plan, "digest": digest, "startedAt": started_at, "startedBy": started_by,
        "journal": journal,
    });
    if let (Some(all), Value::Object(identity)) = (all.as_object_mut(), identity) {
        all.extend(identity);
    }
    all
}

/// The fields in which two values differ, as deep as they are.
fn fields(one: &Value, other: &Value) -> Vec<Field> {
    let mut found = Vec::new();
    differ("", one, other, &mut found);
    found
}

fn differ(name: &str, one: &Value, other: &Value, found: &mut Vec<Field>) {
    if one == other {
        return;
    }
    match (one, other) {
        (Value::Object(a), Value::Object(b)) if name.is_empty() || a.keys().any(|key| b.contains_key(key)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                differ(&name, a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null), found);
            }
        }
        _ => {
            let name = if name.is_empty() { "state" } else { name };
            found.push(Field { name: name.to_owned(), one: words(one), other: words(other) });
        }
    }
}

/// The numbers in a record that are moments: milliseconds since 1970, from 2001 to 2286. No weight and no count is as large.
const MOMENTS: Range<i64> = 1_000_000_000_000..10_000_000_000_000;

/// A value for people: a reason as its sentence, a moment as one reads it, everything else in few words.
fn words(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => {
            let moment = number.as_i64().filter(|number| MOMENTS.contains(number));
            let moment = moment.and_then(|number| Timestamp::from_millisecond(number).ok());
            moment.map_or_else(|| number.to_string(), |moment| moment.to_string())
        }
        Value::Array(list) => list.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Object(map) => match serde_json::from_value::<Reason>(value.clone()) {
            Ok(reason) => reason.to_string(),
            Err(_) => map.iter().map(|(key, value)| format!("{key} {}", words(value))).collect::<Vec<_>>().join(", "),
        },
        other => other.to_string(),
    }
}

/// What a line says was decided about this.
fn told(line: &Line, of: &Of) -> Vec<String> {
    let is = |event: &&Value| match of {
        Of::Run => event.get("service").is_none_or(Value::is_null) && event.get("step").is_none() && event.get("task").is_none(),
        Of::Service(name) => is_about(event, name.as_str(), "service"),
        Of::Phase(name) => is_about(event, name.as_str(), "phase"),
        Of::Bridge(name) => is_about(event, name.as_str(), "bridge"),
    };
    line.events.as_array().into_iter().flatten().filter(is).map(event_words).collect()
}

fn is_about(event: &Value, name: &str, kind: &str) -> bool {
    let named = |pointer: &str| event.pointer(pointer).and_then(Value::as_str) == Some(name);
    let step = event.get("step").and_then(Value::as_str).and_then(|step| step.rsplit_once('/')).map(|(of, _)| of);
    let of_step = if kind == "service" { step == Some(name) } else { step.is_some_and(|of| of == format!("{kind} {name}")) };
    named(&format!("/{kind}")) || named(&format!("/task/of/{kind}")) || of_step
}

/// An event as it was written, in words.
fn event_words(event: &Value) -> String {
    let word = event.get("event").map_or_else(|| "an event".to_owned(), words);
    let rest = event.as_object().into_iter().flatten().filter(|(key, value)| *key != "event" && !value.is_null());
    let rest: Vec<String> = rest.map(|(key, value)| format!("{key} {}", words(value))).collect();
    format!("{word}: {}", rest.join(", "))
}

/// What is decided about this now, and why it waits.
fn said(now: &Decision, of: &Of) -> Vec<String> {
    let waits = now.waits.iter().filter(|wait| of.is(&wait.step.of)).map(|wait| format!("{} waits: {}", wait.step, wait.reason));
    let is = |event: &&Event| match (of, subject(event)) {
        (Of::Run, subject) => subject.is_none(),
        (of, subject) => subject.is_some_and(|subject| of.is(&subject)),
    };
    now.events.iter().filter(is).map(ToString::to_string).chain(waits).collect()
}

fn subject(event: &Event) -> Option<Subject> {
    let step = |step: &StepId| Some(step.of.clone());
    match event {
        Event::Prepared { step: id } | Event::Ordered { step: id, .. } | Event::Confirmed { step: id, .. } => step(id),
        Event::TaskOrdered { task } | Event::TaskDone { task } | Event::TaskFailed { task, .. } => Some(task.of.clone()),
        Event::PhaseApproved { phase, .. } => Some(Subject::Phase(phase.clone())),
        Event::BridgeUp { bridge }
        | Event::BridgeDown { bridge }
        | Event::BridgeLeft { bridge, .. }
        | Event::BridgeKept { bridge, .. } => Some(Subject::Bridge(bridge.clone())),
        other => other.service().map(Subject::from),
    }
}

/// The first element in which two lists differ.
fn first(one: &Value, other: &Value) -> Option<(Option<String>, Option<String>)> {
    let none = Vec::new();
    let (one, other) = (one.as_array().unwrap_or(&none), other.as_array().unwrap_or(&none));
    let longer = one.len().max(other.len());
    let differing = (0..longer).find(|index| one.get(*index) != other.get(*index))?;
    let text = |value: Option<&Value>| value.map(words);
    Some((text(one.get(differing)), text(other.get(differing))))
}
