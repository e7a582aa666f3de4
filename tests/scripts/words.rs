//! What can befall a run, in the words of a script.

use gapless::{
    engine::{About, Subject},
    plan::Side,
    world::{
        Happening, Ix, Sim, Tone,
        connections::Client,
        facts::{Claim, Plane, Reach},
        people::{Wish, Yes},
        replication::Pace,
        task::Luck,
    },
};

use super::clock;

/// What a line of a script asks for.
#[derive(Debug, Clone)]
pub enum Deed {
    /// Something befalls the world.
    World(Happening),
    /// Effects of this service, or of this task, are under way for so many milliseconds from now on.
    Late(Subject, Option<String>, i64),
    /// People take so long to say yes from now on.
    Answers(Option<i64>),
    /// Somebody edits the plan: this file is what it is then.
    Edited(String),
}

struct Known<'a>(&'a Sim);

impl Known<'_> {
    fn service(&self, name: &str) -> Ix {
        let ix = name.parse().ok().and_then(|name| self.0.model.index(&name));
        ix.unwrap_or_else(|| panic!("there is no service {name}"))
    }
    fn subject(&self, text: &str) -> Subject {
        match text.split_once(' ') {
            Some(("phase", name)) => Subject::Phase(name.parse().unwrap()),
            Some(("bridge", name)) => Subject::Bridge(name.parse().unwrap()),
            _ => Subject::Service(text.parse().unwrap()),
        }
    }
    fn gate(&self, name: &str, of: &str) -> u16 {
        let of = self.subject(of);
        let ix = of.service().map(|name| self.service(name.as_str()));
        let found = self.0.model.gates().iter().position(|gate| {
            let own = gate.other.as_ref().map_or_else(|| Some(gate.service) == ix, |other| *other == of);
            gate.name.as_str() == name && own
        });
        u16::try_from(found.unwrap_or_else(|| panic!("there is no gate {name} of {of}"))).unwrap()
    }
    fn task(&self, name: &str, of: &str) -> u16 {
        let of = self.subject(of);
        let found = self.0.model.tasks().iter().position(|task| task.of == of && task.name.as_str() == name);
        let known: Vec<_> = self.0.model.tasks().iter().map(|task| format!("{} of {}", task.name, task.of)).collect();
        u16::try_from(found.unwrap_or_else(|| panic!("there is no task {name} of {of}, but {known:?}"))).unwrap()
    }
    fn bridge(&self, name: &str) -> u16 {
        let found = self.0.model.bridges().iter().position(|bridge| bridge.as_str() == name);
        u16::try_from(found.unwrap_or_else(|| panic!("there is no bridge {name}"))).unwrap()
    }
    /// `phase core`, or `the end of pds`: the number of the question, and the attempt.
    fn question(&self, text: &str) -> (u16, u16) {
        let (about, attempt) = match (text.strip_prefix("phase "), text.strip_prefix("the end of ")) {
            (Some(phase), _) => (About::Phase(phase.parse().unwrap()), 0),
            (_, Some(service)) => {
                let name = service.parse().unwrap();
                let attempt = self.0.record.services[&name].attempt;
                (About::Decommission(name), attempt)
            }
            _ => panic!("nobody is asked about {text}"),
        };
        let found = self.0.model.questions().iter().position(|question| question.about == about);
        let number = found.unwrap_or_else(|| panic!("the plan does not ask about {text}"));
        (u16::try_from(number).unwrap(), u16::try_from(attempt).unwrap())
    }
    fn says(&self, who: &str, yes: Yes, what: &str) -> Happening {
        let (number, attempt) = self.question(what);
        if who == "everybody" {
            return Happening::Answer(number, attempt, yes);
        }
        let question = &self.0.model.questions()[usize::from(number)];
        let place = question.seats.iter().chain(&question.others).position(|(name, _)| name == who);
        let place = place.unwrap_or_else(|| panic!("nobody knows {who}; name them in `people`"));
        Happening::Voice(number, attempt, u8::try_from(place).unwrap(), yes)
    }
    fn side(&self, side: &str, service: &str, what: &str) -> Option<Happening> {
        let ix = self.service(service);
        let side = if side == "legacy" { Side::Legacy } else { Side::Target };
        let all = self.0.model.services()[usize::from(ix)].sides[side as usize].endpoints;
        let healthy = match what {
            "dies" => 0,
            "recovers" => all,
            other => other.strip_prefix("has ")?.strip_suffix(" healthy")?.parse().ok()?,
        };
        Some(Happening::Healthy(ix, side, healthy))
    }
    fn person(&self, order: &str) -> Option<Happening> {
        Some(match order.split_once(' ').map_or((order, ""), |pair| pair) {
            ("hold", _) => Happening::People(Wish::Hold),
            ("rollback", _) => Happening::People(Wish::Rollback),
            ("run", _) => Happening::People(Wish::Run),
            ("resume", _) => Happening::Resume(u32::try_from(self.0.record.next_latch()).unwrap()),
            ("retry", service) => {
                let attempt = self.0.record.services[service].attempt + 1;
                Happening::Retry(self.service(service), u16::try_from(attempt).unwrap())
            }
            ("declare", service) => {
                let attempt = self.0.record.services[service].attempt;
                Happening::Declare(self.service(service), u16::try_from(attempt).unwrap())
            }
            _ => return None,
        })
    }
    fn world(&self, words: &[&str]) -> Option<Happening> {
        Some(match words {
            [side @ ("legacy" | "target"), "of", service, what @ ..] => self.side(side, service, &what.join(" "))?,
            ["gate", gate, "of", of @ .., "is", how] => {
                let tone = match *how {
                    "good" => Tone::Good,
                    "bad" => Tone::Bad,
                    "silent" => Tone::Silent,
                    _ => return None,
                };
                Happening::Gate(self.gate(gate, &of.join(" ")), tone)
            }
            ["router", "of", service, "is", how] => {
                let reach = match *how {
                    "silent" => Reach::Silent,
                    "gone" => Reach::Gone,
                    "back" => Reach::Answers,
                    _ => return None,
                };
                Happening::Router(self.service(service), reach)
            }
            ["data", "plane", "of", service, how] => {
                let plane = match *how {
                    "sticks" => Plane::Stuck,
                    "refuses" => Plane::Refuses,
                    "works" => Plane::Takes,
                    _ => return None,
                };
                Happening::DataPlane(self.service(service), plane)
            }
            ["somebody", "sets", service, "to", share, "%", "by", "hand"] => {
                Happening::ByHand(self.service(service), share.parse().ok()?)
            }
            ["another", "run", "takes", "the", "route", "of", service] => Happening::Seized(self.service(service)),
            ["another", "run", "counts", "on", "bridge", bridge] => Happening::Bridge(self.bridge(bridge), Claim::Claimed),
            ["another", "run", "lets", "bridge", bridge, "go"] => Happening::Bridge(self.bridge(bridge), Claim::None),
            ["task", task, "of", of @ .., how @ ("fails" | "hangs" | "works")] => {
                let luck = match *how {
                    "fails" => Luck::Fails,
                    "hangs" => Luck::Hangs,
                    _ => Luck::Works,
                };
                Happening::Task(self.task(task, &of.join(" ")), luck)
            }
            ["replication", "of", service, how @ ..] => {
                let pace = match how {
                    ["keeps", "up"] => Pace::KeepsUp,
                    ["is", "slow"] => Pace::Slow,
                    ["stands", "still"] => Pace::Stopped,
                    _ => return None,
                };
                Happening::Replication(self.service(service), pace)
            }
            ["a", "job", "writes", "to", side @ ("legacy" | "target"), "of", service] => {
                Happening::Stray(self.service(service), if *side == "legacy" { Side::Legacy } else { Side::Target })
            }
            ["people", "repair", "the", "data", "of", service] => Happening::Repaired(self.service(service)),
            ["a", "client", "of", service, "stays"] => Happening::Client(self.service(service), Client::Stays),
            ["the", "client", "of", service, "closes"] => Happening::Client(self.service(service), Client::Closes),
            ["process", "restarts"] => Happening::Restart,
            ["person:", order @ ..] => self.person(&order.join(" "))?,
            [who, "says", "yes", "to", what @ ..] => self.says(who, Yes::Yes, &what.join(" ")),
            [who, "says", "no", "to", what @ ..] => self.says(who, Yes::No, &what.join(" ")),
            _ => return None,
        })
    }
}

/// What a line means.
pub fn understood(sim: &Sim, what: &str) -> Option<Deed> {
    let known = Known(sim);
    let words: Vec<&str> = what.split_whitespace().collect();
    Some(match words.as_slice() {
        ["nobody", "answers", "any", "more"] => Deed::Answers(None),
        ["everybody", "answers", "after", span @ ..] => Deed::Answers(Some(clock::length(&span.join(" "))?)),
        ["task", task, "of", of @ .., "is", late, "late"] => {
            Deed::Late(known.subject(&of.join(" ")), Some((*task).to_owned()), clock::length(late)?)
        }
        ["orders", "of", service, "are", late, "late"] => Deed::Late(known.subject(service), None, clock::length(late)?),
        ["the", "plan", "is", "edited:", file] => Deed::Edited((*file).to_owned()),
        words => Deed::World(known.world(words)?),
    })
}
