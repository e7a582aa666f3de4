//! The writes of a run on one route, one after the other: each as the patch that leads from the route as it is now to what it
//! would be then. Pure.

use serde_json::Value;

use crate::{
    engine::{Owner, RunId, Step, StepId, agenda, mark},
    kubernetes::{
        patch,
        route::{Misfit, RuleName},
    },
    plan::{Plan, Service, ServiceName, Weight},
    preview::report::Way,
};

/// A run that there is not: its uid is as long as a real one.
pub fn run() -> Owner {
    Owner { run: RunId("00000000-0000-4000-8000-000000000000".to_owned()), name: "preview/of-a-run".to_owned() }
}

/// One write of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The step that it belongs to.
    pub step: StepId,
    /// Which way.
    pub way: Way,
    /// What is written.
    pub what: What,
}

/// What a write does to a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Target gets this share.
    Weight(Weight),
    /// The route is given up, and the writes after this one rest on the state before it.
    Release,
}

/// All writes of a service's route: each weight to target and the end there, each weight back and the end here.
pub fn all(plan: &Plan, name: &ServiceName, service: &Service) -> Vec<Write> {
    let forward = |weight: &Weight| (Step::Shift(*weight), Way::Forward, What::Weight(*weight));
    let back = |weight: &Weight| (Step::Return, Way::Back, What::Weight(*weight));
    let there = agenda::weights(plan, name, service).iter().map(forward);
    let here = service.rollback_steps.iter().filter(|weight| **weight > Weight::ZERO).chain([&Weight::ZERO]).map(back);
    let ends = [(Step::Soak, Way::Forward, What::Release), (Step::Return, Way::Back, What::Release)];
    let [kept, returned] = ends;
    let writes = there.chain([kept]).chain(here).chain([returned]);
    writes.map(|(step, way, what)| Write { step: step.of(name), way, what }).collect()
}

/// A route on its way through the writes of a run.
pub struct Chain<'a> {
    service: &'a ServiceName,
    rule: &'a RuleName,
    /// All operations so far: they lead from the route as it is to `route`.
    done: Vec<Value>,
    route: Value,
    orders: u32,
}

/// The next write: what is sent, and what of it is its own.
pub struct Next {
    /// All operations from the route as it is now.
    pub patch: Value,
    /// What this write changes, a line each.
    pub changes: Vec<String>,
    operations: Vec<Value>,
    what: What,
}

impl<'a> Chain<'a> {
    /// Before the first write.
    pub fn new(service: &'a ServiceName, rule: &'a RuleName, route: &Value) -> Self {
        Self { service, rule, done: Vec::new(), route: route.clone(), orders: 0 }
    }

    /// What is sent for the next write; `None`: nothing is to be done.
    ///
    /// # Errors
    /// The route does not take it.
    pub fn next(&self, what: What) -> Result<Option<Next>, Misfit> {
        let by = run();
        let patch = match what {
            What::Weight(weight) => {
                let mark = mark(&by.run, self.service, self.orders.saturating_add(1));
                Some(patch::shift(&self.route, self.rule, weight, &mark, &by)?)
            }
            What::Release => patch::release(&self.route, self.rule, &by.run)?,
        };
        let Some(Value::Array(operations)) = patch else { return Ok(None) };
        let changes = changes(&self.route, &operations);
        let patch = Value::Array(self.done.iter().chain(&operations).cloned().collect());
        Ok(Some(Next { patch, changes, operations, what }))
    }

    /// The API server would store it, as this.
    pub fn took(&mut self, next: Next, after: Value) {
        if matches!(next.what, What::Weight(_)) {
            self.orders = self.orders.saturating_add(1);
            self.done.extend(next.operations);
            self.route = after;
        }
    }
}

/// What operations change, a line each: what was there and what is there then.
fn changes(route: &Value, operations: &[Value]) -> Vec<String> {
    let text = |operation: &Value, key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let change = |operation: &Value| {
        let (kind, path) = (text(operation, "op"), text(operation, "path"));
        let was = route.pointer(&path);
        let place = place(route, &path);
        match (kind.as_str(), was, operation.get("value")) {
            ("add", Some(was), Some(is)) if was == is => None,
            ("add", Some(was), Some(is)) => Some(format!("{place}: {was} becomes {is}")),
            ("add", None, Some(is)) => Some(format!("{place}: {is} comes")),
            ("remove", was, _) => Some(format!("{place}: {} goes", was.unwrap_or(&Value::Null))),
            _ => None, // a test
        }
    };
    operations.iter().filter_map(change).collect()
}

/// A place in a route as people call it: `weight of pds-legacy`.
fn place(route: &Value, path: &str) -> String {
    if let Some(backend) = path.strip_suffix("/weight")
        && let Some(name) = route.pointer(&format!("{backend}/name")).and_then(Value::as_str)
    {
        return format!("weight of {name}");
    }
    match path.strip_prefix("/metadata/annotations/") {
        Some(key) => format!("annotation {}", key.replace("~1", "/").replace("~0", "~")),
        None => path.to_owned(),
    }
}
