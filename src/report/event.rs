//! What happens in a run, as one JSON object a line and as a sentence.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    engine::{Effect, Event},
    ports::Performed,
};

/// An event of the engine: its own fields, and `at` and `text` for people.
pub fn event_line(at: Timestamp, event: &Event) -> String {
    line(at, &event.to_string(), fields(event))
}

/// An effect that ended: `event` is `performed`, `how` is `done`, `refused` or `unclear`.
pub fn performed_line(at: Timestamp, effect: &Effect, how: &Performed) -> String {
    let mut map = named("performed");
    map.insert("effect".into(), effect.key.to_string().into());
    map.insert("action".into(), Value::Object(fields(&effect.action)));
    map.insert("how".into(), word(how).into());
    line(at, &performed_text(effect, how), map)
}

/// The store cannot be used: `event` is `trouble`.
pub fn trouble_line(at: Timestamp, what: &str) -> String {
    line(at, what, named("trouble"))
}

/// The store can be used again: `event` is `storeBack`.
pub fn back_line(at: Timestamp, since: Timestamp) -> String {
    line(at, &back_text(at, since), named("storeBack"))
}

/// That the store can be used again, as a sentence.
pub fn back_text(at: Timestamp, since: Timestamp) -> String {
    let away = at.duration_since(since).max(jiff::SignedDuration::ZERO);
    format!("the store can be used again after {:.1} s; the run goes on", away.as_secs_f64())
}

/// How an effect went, as a sentence.
pub fn performed_text(effect: &Effect, how: &Performed) -> String {
    match how {
        Performed::Done => format!("{}: done", effect.key.step),
        Performed::Refused(why) => format!("{}: refused: {why}", effect.key.step),
        Performed::Denied(why) => format!("{}: denied: {why}", effect.key.step),
        Performed::Unclear(why) => format!("{}: unclear: {why}", effect.key.step),
    }
}

fn word(how: &Performed) -> &'static str {
    match how {
        Performed::Done => "done",
        Performed::Refused(_) => "refused",
        Performed::Denied(_) => "denied",
        Performed::Unclear(_) => "unclear",
    }
}

fn named(event: &str) -> Map<String, Value> {
    Map::from_iter([("event".to_owned(), Value::from(event))])
}

// Our own types have string keys only and no failing serialisers, and these serialise as objects.
fn fields<T: Serialize>(value: &T) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn line(at: Timestamp, text: &str, mut map: Map<String, Value>) -> String {
    map.insert("at".into(), at.to_string().into());
    map.insert("text".into(), text.into());
    Value::Object(map).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Weight;

    #[test]
    fn a_line_is_the_event_with_its_moment_and_its_sentence() {
        let step = crate::engine::Step::Shift(Weight::FULL).of(&"pds".parse().unwrap());
        let event = Event::Confirmed { step, weight: Weight::FULL };
        assert_eq!(
            event_line(Timestamp::UNIX_EPOCH, &event),
            r#"{"event":"confirmed","step":"pds/shift-100","weight":100,"at":"1970-01-01T00:00:00Z","text":"pds: 100 % confirmed by its gates"}"#
        );
        assert_eq!(
            trouble_line(Timestamp::UNIX_EPOCH, "disk full"),
            r#"{"event":"trouble","at":"1970-01-01T00:00:00Z","text":"disk full"}"#
        );
    }
}
