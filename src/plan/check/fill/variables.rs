//! Variables that are known when a plan is checked, written in: `$(service)`, `$(phase)`, `$(window)`. `$(side)` is left.

use crate::plan::{
    model::{Act, Bridge, Check, Data, Gate, Phase, Probe, Reverse, Router, Service, Switch, Undo},
    names::{PhaseName, ServiceName},
    variables::{Variable, fill},
};

/// What the variables stand for, where they stand for anything.
#[derive(Clone, Copy)]
struct Scope<'a> {
    service: Option<&'a ServiceName>,
    phase: Option<&'a PhaseName>,
}

/// Fills a service.
pub(super) fn of_service(name: &ServiceName, service: &mut Service) {
    let phase = service.phase.clone();
    let scope = Scope { service: Some(name), phase: Some(&phase) };
    if let Router::Webhook { url, .. } = &mut service.router {
        scope.text(url);
    }
    service.probes.values_mut().for_each(|probe| scope.probe(probe));
    service.gates.values_mut().for_each(|gate| scope.gate(gate));
    service.warm.iter_mut().for_each(|act| scope.act(act));
    for task in service.tasks.values_mut() {
        scope.act(&mut task.act);
        scope.undo(&mut task.undo);
    }
    service.cron = std::mem::take(&mut service.cron).into_iter().map(|name| scope.filled(&name)).collect();
    if let Some(data) = &mut service.data {
        scope.data(data);
    }
}

/// Fills a phase.
pub(super) fn of_phase(name: &PhaseName, phase: &mut Phase) {
    let scope = Scope { service: None, phase: Some(name) };
    phase.after.values_mut().flat_map(|after| after.gates.values_mut()).for_each(|gate| scope.gate(gate));
    for task in phase.tasks.values_mut() {
        scope.act(&mut task.act);
        scope.undo(&mut task.undo);
    }
}

/// Fills a bridge.
pub(super) fn of_bridge(bridge: &mut Bridge) {
    let scope = Scope { service: None, phase: None };
    bridge.gates.values_mut().for_each(|gate| scope.gate(gate));
}

impl Scope<'_> {
    fn filled(&self, text: &str) -> String {
        fill(text, |variable| match variable {
            Variable::Service => self.service.map(ToString::to_string),
            Variable::Phase => self.phase.map(ToString::to_string),
            Variable::Window | Variable::Side => None,
        })
    }
    fn text(&self, text: &mut String) {
        if text.contains("$(") {
            *text = self.filled(text);
        }
    }
    fn probe(&self, probe: &mut Probe) {
        let send = &mut probe.send;
        self.text(&mut send.path);
        [&mut send.host, &mut send.body, &mut send.body_contains].into_iter().flatten().for_each(|text| self.text(text));
    }
    fn gate(&self, gate: &mut Gate) {
        match &mut gate.check {
            Check::Probe(_) => {}
            Check::Http(url) => self.text(url),
            Check::Prometheus { query, window, .. } => {
                self.text(query);
                // A span is written as PromQL writes durations.
                *query = fill(query, |variable| (variable == Variable::Window).then(|| window.to_string()));
            }
        }
    }
    fn act(&self, act: &mut Act) {
        match act {
            Act::Manual { instructions: text, .. }
            | Act::Notify { message: text, .. }
            | Act::Job(text)
            | Act::QuiesceCron(text) => self.text(text),
            Act::Http { url, body, .. } => {
                self.text(url);
                body.iter_mut().for_each(|body| self.text(body));
            }
            Act::Silence { matchers, .. } => matchers.iter_mut().for_each(|matcher| self.text(matcher)),
            Act::Wait(_) => {}
        }
    }
    fn undo(&self, undo: &mut Undo) {
        if let Undo::Do { act, .. } = undo {
            self.act(act);
        }
    }
    fn switch(&self, switch: &mut Switch) {
        self.act(&mut switch.act);
        self.gate(&mut switch.proof);
    }
    fn data(&self, data: &mut Data) {
        data.catch_up.iter_mut().for_each(|catch_up| self.gate(catch_up));
        self.gate(&mut data.lag);
        self.switch(&mut data.fence);
        data.unfence.iter_mut().for_each(|unfence| self.switch(unfence));
        self.switch(&mut data.promote);
        if let Reverse::By { lag, fence, promote } = &mut data.reverse {
            self.gate(lag);
            self.switch(fence);
            self.switch(promote);
        }
        data.reconcile.values_mut().for_each(|gate| self.gate(gate));
    }
}
