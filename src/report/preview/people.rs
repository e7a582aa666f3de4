//! What people are asked and told, as they hear it: one call for all services that are asked the same at the same moment.

use super::roles;
use crate::preview::{Preview, report::StepLine};

/// Steps of one kind that begin at one moment and say the same of their services.
#[derive(Debug)]
pub struct Call<'p> {
    /// The first of them, which speaks for all.
    pub first: &'p StepLine,
    /// The services of all of them; none: it is no service's step.
    pub services: Vec<&'p str>,
}

impl<'p> Call<'p> {
    fn of(step: &'p StepLine) -> Self {
        Self { first: step, services: step.service.as_deref().into_iter().collect() }
    }

    /// Whether this step says the same as the first one; what one has to do by hand is never the same as another's.
    fn speaks_for(&self, step: &StepLine) -> bool {
        let parts = |step: &StepLine| {
            let asked = step.approval.as_ref().map(|approval| (roles(approval), general(&approval.asks, step)));
            (step.start, own_name(step).to_owned(), asked, step.point_of_no_return.as_ref().map(|why| general(why, step)))
        };
        step.service.is_some() && step.by.is_none() && self.first.by.is_none() && parts(self.first) == parts(step)
    }

    /// `tms/scream-test`, or `scream-test of 14 services`.
    pub fn name(&self) -> String {
        match self.services.len() {
            0 | 1 => self.first.id.clone(),
            many => format!("{} of {many} services", own_name(self.first)),
        }
    }

    /// A text of the first one, said of all.
    pub fn said(&self, text: &str) -> String {
        if self.services.len() > 1 { general(text, self.first) } else { text.to_owned() }
    }

    /// What is asked of whom; `None`: nothing is.
    pub fn asked(&self) -> Option<(String, String)> {
        let approval = self.first.approval.as_ref()?;
        let each = if self.services.len() > 1 { ", for each service" } else { "" };
        Some((format!("{}{each}", roles(approval)), self.said(&approval.asks)))
    }

    /// The services, where there are many: `a, b and c`.
    pub fn names(&self) -> Option<String> {
        (self.services.len() > 1).then(|| self.services.join(", "))
    }
}

/// The name of a step within its service.
fn own_name(step: &StepLine) -> &str {
    step.id.rsplit_once('/').map_or(step.id.as_str(), |(_, name)| name)
}

/// A text without the name of its service.
fn general(text: &str, step: &StepLine) -> String {
    step.service.as_ref().map_or_else(|| text.to_owned(), |service| text.replace(&format!("`{service}`"), "each"))
}

/// The steps that people have to hear of, as calls, in the order in which they begin.
pub fn calls(preview: &Preview, wanted: impl Fn(&StepLine) -> bool) -> Vec<Call<'_>> {
    let mut calls: Vec<Call<'_>> = Vec::new();
    for step in preview.steps.iter().filter(|step| wanted(step)) {
        let same_moment = calls.iter_mut().rev().take_while(|call| call.first.start == step.start);
        let found = { same_moment }.find(|call| call.speaks_for(step));
        match found {
            Some(call) => call.services.extend(step.service.as_deref()),
            None => calls.push(Call::of(step)),
        }
    }
    calls
}
