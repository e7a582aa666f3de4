//! What befalls a world from outside, as data: faults, mends and the orders of people.

use std::fmt;

use super::{
    clock::Moment,
    connections::Client,
    facts::{Claim, Plane, Reach},
    model::{Delays, Ix, Model, THEIRS},
    people::{Said, Who, Wish, Yes},
    replication::{Data, Pace},
    rounds::{self, Tone},
    state::World,
    task::{Luck, Stands},
};
use crate::{engine::About, plan::Side};

/// Something that befalls a world from outside. All are absolute: happening twice is happening once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Happening {
    /// The gate at this place of the model answers so from now on.
    Gate(u16, Tone),
    /// So many endpoints of a side answer well from now on.
    Healthy(Ix, Side, u32),
    /// A router can be asked and written, or not.
    Router(Ix, Reach),
    /// A data plane takes new weights over, or not.
    DataPlane(Ix, Plane),
    /// Somebody else writes this share of target on a route, and takes nothing else over.
    ByHand(Ix, u8),
    /// Another run takes a route over, without changing its weights.
    Seized(Ix),
    /// Whoever drives a route gives it up, and leaves its weights as they are.
    Released(Ix),
    /// The process ends and another begins at once: what its sensors remembered is lost.
    Restart,
    /// People set the run's intent.
    People(Wish),
    /// People resume: every hold with a number up to this one is cleared.
    Resume(u32),
    /// Everybody whose yes a question of the plan needs answers it, for this attempt.
    Answer(u16, u16, Yes),
    /// One of them answers it: their place in the seats of the question and then in its others.
    Voice(u16, u16, u8, Yes),
    /// People ask for another attempt at a service that went back: this one.
    Retry(Ix, u16),
    /// People declare the soak of a service over, for this attempt.
    Declare(Ix, u16),
    /// What becomes of doings of a task from now on; one that hangs ends when it works again.
    Task(u16, Luck),
    /// Another run counts on a bridge, or not any more.
    Bridge(u16, Claim),
    /// What a single-writer service writes is copied at this pace from now on.
    Replication(Ix, Pace),
    /// A job writes to this side of a single-writer service, whether that may write or not.
    Stray(Ix, Side),
    /// People have made both sides of a single-writer service the same again.
    Repaired(Ix),
    /// What the worst client of a service does with its connections to legacy.
    Client(Ix, Client),
}

impl Happening {
    /// Whether nothing ends it that the explorer lets happen.
    pub fn lasts_for_good(self) -> bool {
        matches!(self, Self::Seized(_))
    }
}

impl World {
    /// Lets something befall this world now.
    pub fn befall(&mut self, model: &Model, what: Happening) {
        self.befalls(model, what);
        self.follow(model);
    }

    fn befalls(&mut self, model: &Model, what: Happening) {
        let now = self.now();
        match what {
            Happening::Gate(place, tone) => self.set_tone(model, usize::from(place), tone),
            Happening::Healthy(ix, side, healthy) => self.set_healthy(model, ix, side, healthy),
            Happening::Router(ix, reach) => self.facts.service_mut(ix).into_iter().for_each(|s| s.route.reach = reach),
            Happening::DataPlane(ix, plane) => {
                let Some(route) = self.facts.service_mut(ix).map(|s| &mut s.route) else { return };
                route.plane = plane;
                // What it was given meanwhile it takes over now.
                if let (Plane::Takes, Some(change)) = (plane, &mut route.change) {
                    let takes = change.effective_at.since(change.programmed_at);
                    change.programmed_at = change.programmed_at.max(now);
                    change.effective_at = change.effective_at.max(change.programmed_at.plus(takes));
                }
            }
            Happening::ByHand(ix, weight) => self.write_by_hand(ix, weight, Delays::NONE),
            Happening::Seized(ix) => {
                let Some(route) = self.facts.service_mut(ix).map(|s| &mut s.route) else { return };
                route.owner = Some(THEIRS);
                route.version += 1;
            }
            Happening::Released(ix) => {
                let Some(route) = self.facts.service_mut(ix).map(|s| &mut s.route) else { return };
                route.owner = None;
                route.version += 1;
            }
            Happening::Restart => self.restart(),
            Happening::Answer(question, attempt, answer) => self.say(question, attempt, Who::Everybody, answer),
            Happening::Voice(question, attempt, one, answer) => self.say(question, attempt, Who::One(one), answer),
            Happening::Retry(ix, attempt) => {
                let retries = &mut self.facts.people.retries;
                retries.retain(|(other, _)| *other != ix);
                retries.push((ix, attempt));
            }
            Happening::Declare(ix, attempt) => {
                let declared = &mut self.facts.people.declared;
                declared.retain(|(other, _)| *other != ix);
                declared.push((ix, attempt));
            }
            Happening::Task(task, luck) => {
                let Some(facts) = self.facts.tasks.get_mut(usize::from(task)) else { return };
                facts.luck = luck;
                facts.stands = match (luck, facts.stands) {
                    (Luck::Hangs, Stands::Running(_)) => Stands::Running(Moment::NEVER),
                    (Luck::Fails, Stands::Running(_)) => Stands::Failed,
                    (Luck::Works, Stands::Running(Moment::NEVER)) => Stands::Running(now),
                    (_, stands) => stands,
                };
            }
            Happening::Bridge(bridge, claim) => {
                self.facts.bridges.get_mut(usize::from(bridge)).into_iter().for_each(|bridge| bridge.others = claim);
            }
            Happening::Replication(ix, pace) => {
                self.replication_mut(model, ix).into_iter().for_each(|own| own.set_pace(pace, now));
            }
            Happening::Stray(ix, side) => self.replication_mut(model, ix).into_iter().for_each(|own| own.stray(side, now)),
            Happening::Repaired(ix) => self.replication_mut(model, ix).into_iter().for_each(|own| own.data = Data::Same),
            Happening::Client(ix, client) => self.set_client(model, ix, client),
            Happening::People(intent) => self.facts.people.intent = intent,
            Happening::Resume(upto) => {
                if self.facts.people.intent == Wish::Hold {
                    self.facts.people.intent = Wish::Run; // a rollback goes on
                }
                self.facts.people.resumes = Some(u64::from(upto));
            }
        }
    }
}

impl World {
    /// A client that knows the old address opens connections there as long as it is up and open to anybody.
    fn set_client(&mut self, model: &Model, ix: Ix, client: Client) {
        let up = self.facts.service(ix).is_some_and(|s| s.side(Side::Legacy).healthy > 0);
        let reaches = up && !self.facts.is_denied(model, ix);
        let Some(place) = model.service(ix).and_then(|service| service.connections) else { return };
        let own = self.facts.connections.get_mut(usize::from(place));
        own.filter(|own| reaches || own.are_open()).into_iter().for_each(|own| own.set_client(client));
    }

    fn say(&mut self, question: u16, attempt: u16, who: Who, answer: Yes) {
        let said = &mut self.facts.people.said;
        let before = said.iter().filter(|said| said.question == question).count();
        let round = u16::try_from(before).unwrap_or(u16::MAX);
        said.push(Said { question, attempt, round, who, answer, at: self.facts.now });
    }
}

/// A happening with its model: a sentence for stories.
#[derive(Debug)]
pub struct Told<'a>(pub &'a Model, pub Happening);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |ix: Ix| self.0.service(ix).map_or_else(|| format!("service {ix}"), |s| s.name.to_string());
        match self.1 {
            Happening::Gate(place, tone) => match self.0.gates().get(usize::from(place)) {
                Some(gate) => {
                    let of = gate.other.as_ref().map_or_else(|| name(gate.service), ToString::to_string);
                    f.write_str(&rounds::told(&of, gate, tone))
                }
                None => write!(f, "gate {place} turns {tone:?}"),
            },
            Happening::Healthy(ix, side, 0) => write!(f, "the {side} side of {} dies", name(ix)),
            Happening::Healthy(ix, side, healthy) => write!(f, "{healthy} endpoints of the {side} side of {} answer", name(ix)),
            Happening::Router(ix, Reach::Answers) => write!(f, "the router of {} answers again", name(ix)),
            Happening::Router(ix, Reach::Silent) => write!(f, "the router of {} does not answer any more", name(ix)),
            Happening::Router(ix, Reach::Gone) => write!(f, "the route of {} is deleted", name(ix)),
            Happening::DataPlane(ix, Plane::Takes) => write!(f, "the data plane of {} takes new weights over again", name(ix)),
            Happening::DataPlane(ix, Plane::Stuck) => write!(f, "the data plane of {} does not take new weights over", name(ix)),
            Happening::DataPlane(ix, Plane::Refuses) => write!(f, "the data plane of {} refuses new weights", name(ix)),
            Happening::ByHand(ix, weight) => write!(f, "somebody sets {} to {weight} % on target by hand", name(ix)),
            Happening::Seized(ix) => write!(f, "another run takes over the route of {}", name(ix)),
            Happening::Released(ix) => write!(f, "the route of {} is given up by whoever drives it", name(ix)),
            Happening::Restart => f.write_str("the process ends and another begins"),
            Happening::People(Wish::Run) => f.write_str("the intent of the run is put back to Run"),
            Happening::People(Wish::Hold) => f.write_str("somebody orders a hold"),
            Happening::People(Wish::Rollback) => f.write_str("somebody orders everything back"),
            Happening::Answer(question, _, answer) => self.answer(f, "people say", question, answer),
            Happening::Voice(question, _, one, answer) => {
                let asked = self.0.questions().get(usize::from(question));
                let mut voices = asked.into_iter().flat_map(|question| question.seats.iter().chain(&question.others));
                let who = voices.nth(usize::from(one)).map_or("somebody", |(who, _)| who.as_str());
                self.answer(f, &format!("{who} says"), question, answer)
            }
            Happening::Retry(ix, attempt) => write!(f, "somebody wants {} tried again, attempt {}", name(ix), attempt + 1),
            Happening::Declare(ix, _) => write!(f, "somebody declares the soak of {} over", name(ix)),
            Happening::Task(task, luck) => {
                let what = match luck {
                    Luck::Works => "works again",
                    Luck::Fails => "fails",
                    Luck::Hangs => "hangs",
                };
                match self.0.tasks().get(usize::from(task)) {
                    Some(task) => write!(f, "task {} of {} {what}", task.name, task.of),
                    None => write!(f, "task {task} {what}"),
                }
            }
            Happening::Bridge(bridge, claim) => {
                let name = self.0.bridges().get(usize::from(bridge)).map(ToString::to_string).unwrap_or_default();
                match claim {
                    Claim::Claimed => write!(f, "another run counts on bridge {name}"),
                    Claim::None => write!(f, "no other run counts on bridge {name} any more"),
                }
            }
            Happening::Replication(ix, Pace::KeepsUp) => write!(f, "replication of {} keeps up again", name(ix)),
            Happening::Replication(ix, Pace::Slow) => write!(f, "replication of {} is slower than what is written", name(ix)),
            Happening::Replication(ix, Pace::Stopped) => write!(f, "replication of {} stands still", name(ix)),
            Happening::Stray(ix, side) => write!(f, "a job writes to the {side} side of {}", name(ix)),
            Happening::Repaired(ix) => write!(f, "people have made both sides of {} the same again", name(ix)),
            Happening::Client(ix, Client::Stays) => write!(f, "a client of {} keeps its connection to legacy", name(ix)),
            Happening::Client(ix, Client::Closes) => write!(f, "the client of {} lets its connection to legacy go", name(ix)),
            Happening::Resume(upto) => write!(f, "somebody resumes every hold up to number {upto}"),
        }
    }
}

impl Told<'_> {
    fn answer(&self, f: &mut fmt::Formatter<'_>, who: &str, question: u16, answer: Yes) -> fmt::Result {
        let word = if answer == Yes::Yes { "yes to" } else { "no to" };
        match self.0.questions().get(usize::from(question)).map(|question| &question.about) {
            Some(About::Phase(phase)) => write!(f, "{who} {word} the beginning of phase {phase}"),
            Some(About::Decommission(service)) => write!(f, "{who} {word} the end of {service}'s legacy side"),
            None => write!(f, "{who} {word} question {question}"),
        }
    }
}
