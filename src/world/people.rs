//! People in a world: what they ordered, and what they answered to the plan's questions.

use std::collections::BTreeMap;

use super::{
    clock::Moment,
    model::{Ix, Model, ms},
    refill::refill,
};
use crate::{
    engine::{About, ApprovalSeen, Consent, Intent, Orders, Reason, Record, Step, Subject, Wait},
    plan::{Plan, Role, RoleName},
};

/// A question that the plan asks people.
#[derive(Debug, Clone)]
pub struct Question {
    /// What it is about.
    pub about: About,
    /// Who has to say yes: a name and its groups for each seat.
    pub seats: Vec<Voice>,
    /// Others who could be asked: deputies, and whoever else the model was told of by name.
    pub others: Vec<Voice>,
    /// For how long a yes counts, in milliseconds.
    pub valid_for: i64,
}

/// Somebody who answers: a name, and the groups that go with it.
pub type Voice = (String, Vec<String>);

/// People by name, for each role: they are asked before those that a model makes up.
pub type Named = BTreeMap<RoleName, Vec<String>>;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// All whose yes is needed, at one moment.
    Everybody,
    /// One of them: a place in the seats of the question and then in its others.
    One(u8),
}

/// What people said to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Said {
    /// The number of the question.
    pub question: u16,
    /// The attempt it was asked for.
    pub attempt: u16,
    /// How often it was answered before.
    pub round: u16,
    /// Who.
    pub who: Who,
    /// What they said.
    pub answer: Yes,
    /// When.
    pub at: Moment,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Yes {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// What people ordered and answered, as it stands in the objects that the run reads.
#[derive(Debug, PartialEq, Eq, Hash, Default)]
pub struct People {
    /// What the run is to do.
    pub intent: Wish,
    /// Clears every hold with a number up to this one.
    pub resumes: Option<u64>,
    /// Their answers, oldest first.
    pub said: Vec<Said>,
    /// Services that went back and are to be tried again, each with the attempt that is wanted.
    pub retries: Vec<(Ix, u16)>,
    /// Services whose soak is declared over, each with the attempt that this speaks of.
    pub declared: Vec<(Ix, u16)>,
}
refill!(People { intent, resumes, said, retries, declared });

/// What a run is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Wish {
    /// Go on.
    #[default]
    Run,
    /// Start nothing more.
    Hold,
    /// Take everything back.
    Rollback,
}

/// The questions of a plan: of its phases, then of the ends of its services.
pub(super) fn questions(plan: &Plan, named: &Named) -> Vec<Question> {
    let phases = plan.phases.iter().map(|(name, phase)| (About::Phase(name.clone()), phase.approval.as_ref()));
    let ends = plan.services.iter().map(|(name, service)| {
        let approval = service.decommission.as_ref().and_then(|end| end.approval.as_ref());
        (About::Decommission(name.clone()), approval)
    });
    let asked = phases.chain(ends).filter_map(|(about, approval)| Some((about, approval?)));
    asked
        .map(|(about, approval)| {
            let seats: Vec<Voice> = approval.all_of.iter().flat_map(|(role, count)| seats(plan, named, role, *count)).collect();
            let known = named.iter().flat_map(|(role, names)| names.iter().map(|who| (who.clone(), groups(plan, role))));
            let others = known.filter(|voice| !seats.iter().any(|(who, _)| *who == voice.0)).collect();
            Question { about, seats, others, valid_for: ms(approval.valid_for) }
        })
        .collect()
}

fn groups(plan: &Plan, role: &RoleName) -> Vec<String> {
    plan.roles.get(role).map(|role| role.groups.iter().cloned().collect()).unwrap_or_default()
}

/// So many people of a role: those that are known by name, its users, and others of its groups.
fn seats(plan: &Plan, named: &Named, name: &RoleName, count: u32) -> Vec<Voice> {
    let role = plan.roles.get(name).cloned().unwrap_or_else(Role::default);
    let known = named.get(name).cloned().unwrap_or_default();
    let users: Vec<String> = role.users.iter().filter(|user| !known.contains(*user)).cloned().collect();
    let others = (1..).map(|number| format!("{name}-{number}"));
    let all = known.into_iter().chain(users).chain(others);
    all.take(usize::try_from(count).unwrap_or(0)).map(|who| (who, groups(plan, name))).collect()
}

/// The number of the question that a step waits for people to answer, if it does, and the attempt it is asked for.
pub fn asked(model: &Model, record: &Record, wait: &Wait) -> Option<(u16, u16)> {
    let Reason::Approval { .. } = wait.reason else { return None };
    let (about, attempt) = match (&wait.step.of, &wait.step.step) {
        (Subject::Phase(phase), _) => (About::Phase(phase.clone()), 0),
        (Subject::Service(name), Step::Decommission) => {
            (About::Decommission(name.clone()), record.services.get(name).map_or(0, |service| service.attempt))
        }
        _ => return None,
    };
    let number = model.questions().iter().position(|question| question.about == about)?;
    Some((u16::try_from(number).ok()?, u16::try_from(attempt).unwrap_or(u16::MAX)))
}

impl People {
    pub(super) fn orders(&self, model: &Model) -> Orders {
        let intent = match self.intent {
            Wish::Run => Intent::Run,
            Wish::Hold => Intent::Hold,
            Wish::Rollback => Intent::Rollback,
        };
        let name = |ix: &Ix| model.service(*ix).map(|service| service.name.clone());
        let attempts = |of: &[(Ix, u16)]| of.iter().filter_map(|(ix, attempt)| Some((name(ix)?, u32::from(*attempt)))).collect();
        let (retries, declared) = (attempts(&self.retries), attempts(&self.declared));
        let quiet = self.intent == Wish::Run && self.resumes.is_none() && self.retries.is_empty() && self.declared.is_empty();
        Orders { intent, resumes: self.resumes, retries, declared, by: (!quiet).then(|| "duty-manager".to_owned()) }
    }

    /// The newest answer to a question.
    pub fn newest(&self, question: u16) -> Option<&Said> {
        self.said.iter().rev().find(|said| said.question == question)
    }

    pub(super) fn approvals(&self, model: &Model) -> Vec<ApprovalSeen> {
        let mut all = Vec::new();
        for said in &self.said {
            let Some(question) = model.questions().get(usize::from(said.question)) else { continue };
            let voices = question.seats.iter().chain(&question.others).enumerate();
            let said_by = |seat: usize| match said.who {
                Who::Everybody => seat < question.seats.len(),
                Who::One(one) => seat == usize::from(one),
            };
            all.extend(voices.filter(|(seat, _)| said_by(*seat)).map(|(seat, (who, groups))| ApprovalSeen {
                id: format!("answer-{}-{}-{}-{seat}", said.question, said.attempt, said.round),
                run: model.run().clone(),
                digest: model.revision().digest().clone(),
                about: question.about.clone(),
                attempt: u32::from(said.attempt),
                approver: who.clone(),
                groups: groups.clone(),
                answer: if said.answer == Yes::Yes { Consent::Approved } else { Consent::Refused },
                at: model.timestamp(said.at),
            }));
        }
        all
    }

    pub(super) fn rebase(&mut self, model: &Model, by: i64) {
        for said in &mut self.said {
            let valid = model.questions().get(usize::from(said.question)).map_or(0, |question| question.valid_for);
            said.at.rebase(by, valid.saturating_add(1000));
        }
    }
}
