//! What the runner tells, line by line, and what the lab does in between: the state of the show. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::{
    engine::{Outcome, Reason},
    plan::{ServiceName, Weight},
};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Moment {
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Who says so.
    pub by: Teller,
    /// What, as a sentence.
    pub text: String,
    /// Whether it belongs to the ordinary course.
    pub kind: Kind,
}

/// Who tells of a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Teller {
    /// The runner, in an event of its own.
    Runner,
    /// The lab.
    Lab,
}

/// What kind of moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Forwards, as planned.
    Course,
    /// Something is wrong.
    Trouble,
    /// What the run does about it.
    Remedy,
    /// The lab breaks something.
    Fault,
    /// The end.
    End,
}

/// Where a service is on its way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Position {
    /// Nothing was ordered yet.
    #[default]
    Waiting,
    /// On the way to this weight.
    Shifting(Weight),
    /// All on target, watched.
    Soaking,
    /// Done.
    Soaked,
    /// On its way back.
    GoingBack,
    /// All on legacy again.
    Returned,
}

/// Why a service went back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Something was wrong with it.
    Own(String),
    /// Another one took it along.
    TakenAlong(String),
}
impl Cause {
    /// The runner's sentence.
    pub fn text(&self) -> &str {
        match self {
            Self::Own(text) | Self::TakenAlong(text) => text,
        }
    }
}

/// One service, as the runner tells it.
#[derive(Debug, Clone, Default)]
pub struct ServiceStory {
    /// Where it is.
    pub position: Position,
    /// Why it holds, if it does.
    pub hold: Option<String>,
    /// Why it went back, if it did.
    pub cause: Option<Cause>,
    /// Whether all its traffic was sent to target because legacy died.
    pub evacuated: Option<String>,
    /// The weights that were ordered.
    pub orders: Vec<(Timestamp, Weight)>,
    /// When it came to an end: soaked, or back on legacy.
    pub ended_at: Option<Timestamp>,
}

/// The whole show so far.
#[derive(Debug, Default)]
pub struct Story {
    /// The services that were heard of.
    pub services: BTreeMap<ServiceName, ServiceStory>,
    /// All moments, in the order in which they were heard.
    pub moments: Vec<Moment>,
    /// How the run ended, or how it stands for good.
    pub outcome: Option<Outcome>,
    /// Services in the order in which they returned.
    pub returned: Vec<ServiceName>,
}

impl Story {
    /// Takes a line of the runner. What is no event, or is of no interest here, is passed over.
    pub fn hear(&mut self, line: &str) -> Option<&Moment> {
        let value: Value = serde_json::from_str(line).ok()?;
        let word = value.get("event")?.as_str()?.to_owned();
        let at = value.get("at").and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or_else(Timestamp::now);
        let text = value.get("text").and_then(Value::as_str).unwrap_or(line).to_owned();
        let kind = kind(&word, &value)?;
        self.take(&word, &value, at);
        self.tell(Moment { at, by: Teller::Runner, text, kind })
    }

    /// Takes something that the lab did.
    pub fn tell(&mut self, moment: Moment) -> Option<&Moment> {
        self.moments.push(moment);
        self.moments.last()
    }

    fn take(&mut self, word: &str, value: &Value, at: Timestamp) {
        if word == "ended" {
            self.outcome = value.get("outcome").and_then(|o| serde_json::from_value(o.clone()).ok());
        }
        let Some(name) = service_of(value) else { return };
        let reason = value.get("reason").map(sentence).unwrap_or_default();
        let weight = value.get("weight").and_then(Value::as_u64).and_then(|w| Weight::new(w).ok());
        let service = self.services.entry(name.clone()).or_default();
        match word {
            "ordered" => {
                let Some(weight) = weight else { return };
                service.orders.push((at, weight));
                service.position = if weight == Weight::ZERO { Position::GoingBack } else { Position::Shifting(weight) };
            }
            "moved" => service.position = Position::Soaking,
            "soaked" => (service.position, service.ended_at) = (Position::Soaked, Some(at)),
            "goesBack" => {
                let along = value.get("reason").is_some_and(|reason| reason.get("withService").is_some());
                let cause = if along { Cause::TakenAlong(reason) } else { Cause::Own(reason) };
                (service.position, service.cause, service.hold) = (Position::GoingBack, Some(cause), None);
            }
            "evacuated" => service.evacuated = Some(reason),
            "returned" => {
                // A service that never left has nothing to return from.
                let left = !service.orders.is_empty();
                (service.position, service.ended_at, service.hold) = (Position::Returned, Some(at), None);
                if left {
                    self.returned.push(name);
                }
            }
            "held" => service.hold = Some(reason),
            "resumed" => service.hold = None,
            _ => {}
        }
    }
}

/// The kind of an event; `None` for what the show has no use for.
fn kind(word: &str, value: &Value) -> Option<Kind> {
    Some(match word {
        "performed" if value.get("how").and_then(Value::as_str) == Some("done") => return None,
        "performed" | "trouble" => Kind::Trouble,
        "prepared" | "ordered" | "confirmed" | "moved" | "soaked" | "resumed" => Kind::Course,
        "gateTrouble" | "held" | "withheld" => Kind::Trouble,
        "gateRecovered" | "goesBack" | "evacuated" | "returned" => Kind::Remedy,
        "ended" => Kind::End,
        _ => return None,
    })
}

/// Events name their service, or a step `service/step`.
fn service_of(value: &Value) -> Option<ServiceName> {
    let named = value.get("service").and_then(Value::as_str);
    let step = value.get("step").and_then(Value::as_str).and_then(|step| step.split('/').next());
    named.or(step)?.parse().ok()
}

/// A reason as its sentence; what a newer version may say is shown as it is.
fn sentence(value: &Value) -> String {
    serde_json::from_value::<Reason>(value.clone()).map_or_else(|_| value.to_string(), |reason| reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Event, Step};

    /// Events as the engine serialises them, so that a change of theirs is noticed here.
    fn line(event: &Event) -> String {
        let mut value = serde_json::to_value(event).unwrap();
        value["at"] = "2026-11-23T04:00:00Z".into();
        value["text"] = event.to_string().into();
        value.to_string()
    }

    #[test]
    fn a_run_that_goes_back_is_followed() {
        let orders: ServiceName = "orders".parse().unwrap();
        let accounts: ServiceName = "accounts".parse().unwrap();
        let weight = |w| Weight::new(w).unwrap();
        let reason = Reason::LegacyDied { rounds: 3 };
        let mut story = Story::default();
        let step = |w| Step::Shift(weight(w)).of(&orders);
        story.hear(&line(&Event::Ordered { step: step(25), from: weight(5), weight: weight(25) }));
        assert_eq!(story.services["orders"].position, Position::Shifting(weight(25)));
        story.hear(&line(&Event::GoesBack { service: orders.clone(), reason: reason.clone() }));
        story.hear(&line(&Event::Ordered { step: Step::Return.of(&orders), from: weight(25), weight: weight(0) }));
        assert_eq!(story.services["orders"].position, Position::GoingBack);
        assert_eq!(story.services["orders"].cause, Some(Cause::Own(reason.to_string())));
        let along = Reason::WithService { service: orders.clone() };
        story.hear(&line(&Event::GoesBack { service: accounts.clone(), reason: along.clone() }));
        assert_eq!(story.services["accounts"].cause, Some(Cause::TakenAlong(along.to_string())));
        story.hear(&line(&Event::Returned { service: orders.clone() }));
        story.hear(&line(&Event::Returned { service: accounts }));
        story.hear(&line(&Event::Held { service: Some(orders.clone()), reason }));
        story.hear(&line(&Event::Ended { outcome: Outcome::RolledBack }));
        assert_eq!(story.returned, [orders], "accounts never left");
        assert_eq!(story.outcome, Some(Outcome::RolledBack));
        assert_eq!(story.moments.len(), 8);
        assert_eq!(story.moments[0].text, "orders: 25 % to target");
    }

    /// Lines as the runner writes them.
    #[test]
    fn an_effect_that_was_not_done_is_trouble() {
        let mut story = Story::default();
        let performed = |how: &str| format!(r#"{{"event":"performed","how":"{how}","at":"2026-11-23T04:00:00Z","text":"x"}}"#);
        assert!(story.hear(&performed("done")).is_none());
        assert_eq!(story.hear(&performed("refused")).map(|m| m.kind), Some(Kind::Trouble));
        assert!(story.services.is_empty());
    }

    #[test]
    fn nonsense_is_passed_over() {
        let mut story = Story::default();
        for line in ["", "Killed", "{}", r#"{"event":7}"#, r#"{"event":"heartbeat"}"#, "[1]"] {
            assert!(story.hear(line).is_none(), "{line}");
        }
    }
}
