//! The form in which a record is stored. Whoever changes it gives it another number (`record::FORMAT`) and says what becomes of
//! records of the old one.

use std::collections::{BTreeMap, BTreeSet};

use crate::plans::{one, weight};
use gapless::{
    engine::{
        BridgeState, Direction, Ended, Hold, JournalHead, Latch, LatchKind, Order, Outcome, Overtaken, PhaseState, Reason,
        Record, RunId, ServiceState, Stage, TaskStage, TaskState, Trouble, TroubleKind, record,
    },
    plan::Span,
};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/engine/record.json");

fn task(stage: TaskStage, at: i64, number: u32) -> TaskState {
    TaskState { stage, at: moment(at), number }
}
fn moment(millis: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(1_787_947_200_000 + millis).unwrap()
}

/// A record that has all there is.
fn whole() -> Record {
    let revision = one();
    let mut record = Record::new(RunId("7d9f8f4e".into()), &revision, "2026-08-28T20:00:00.000456789Z".parse().unwrap());
    record.digest = "0".repeat(64).parse().unwrap();
    let by = || Reason::Ordered { by: "dm@example.org".into() };
    let beside = Hold { id: 10, since: moment(9_500), reason: by() };
    record.latch = Some(Latch { id: 9, kind: LatchKind::Rollback, since: moment(9_000), reason: by(), hold: Some(beside) });
    (record.resumed, record.started_by) = (Some(8), Some("ops@example.org".into()));
    let moving = ServiceState {
        stage: Stage::Shifting(1),
        order: Some(Order { from: weight(5), weight: weight(25), number: 2, at: moment(13_001) }),
        troubles: BTreeMap::from([("answers".parse().unwrap(), Trouble { kind: TroubleKind::Unknown, since: moment(14_000) })]),
        hold: Some(Hold { id: 7, since: moment(14_500), reason: by() }),
        pause_since: Some(moment(12_000)),
        tasks: BTreeMap::from([
            ("fence".parse().unwrap(), task(TaskStage::Done, 12_345, 1)),
            ("pause-batch".parse().unwrap(), task(TaskStage::UndoOrdered, 12_500, 2)),
        ]),
        ..ServiceState::default()
    };
    let back = ServiceState {
        stage: Stage::Returning,
        direction: Direction::Backward,
        order: Some(Order { from: weight(100), weight: weight(0), number: 4, at: moment(20_000) }),
        overtaken: vec![Overtaken { number: 2, weight: weight(5) }],
        moved_at: Some(moment(15_000)),
        cause: Some(Reason::GuardFailed { gate: "p99".parse().unwrap(), since: moment(16_000), why: "0.3".into() }),
        attempt: 1,
        numbered: 3,
        end_approved_at: Some(moment(19_000)),
        ..ServiceState::default()
    };
    record.services = [
        ("back".parse().unwrap(), back.into()),
        ("moving".parse().unwrap(), moving.into()),
        ("waiting".parse().unwrap(), ServiceState::default().into()),
    ]
    .into_iter()
    .collect();
    let phase = PhaseState {
        approved_at: Some(moment(1)),
        stable_since: Some(moment(2)),
        stable_before: Some(Span::from_secs(90)),
        tasks: BTreeMap::from([("room".parse().unwrap(), task(TaskStage::Ordered, 3, 1))]),
    };
    record.phases = BTreeMap::from([("one".parse().unwrap(), phase)]).into();
    let bridge = BridgeState { up_since: Some(moment(4)), claimed_at: Some(moment(3)), tasks: BTreeMap::new() };
    record.bridges = BTreeMap::from([("peering".parse().unwrap(), bridge)]).into();
    record.overrun = BTreeMap::from([("weekend".parse().unwrap(), moment(5))]);
    record.approvals_used = BTreeSet::from(["one-yes".into()]).into();
    record.ended = Some(Ended { outcome: Outcome::RolledBack, at: moment(60_000) });
    record.journal = JournalHead { seq: 41, hash: "ab".repeat(32) };
    record
}

#[test]
fn the_form_of_a_record_is_the_one_that_its_number_says() {
    let record = whole();
    let text = serde_json::to_string_pretty(&record).unwrap() + "\n";
    if std::env::var_os("GAPLESS_BLESS").is_some() {
        std::fs::write(PATH, &text).unwrap();
    }
    let golden = std::fs::read_to_string(PATH).unwrap();
    assert_eq!(text, golden, "it has another form: give it another number; then GAPLESS_BLESS=1 writes the golden anew");
    assert_eq!(serde_json::from_str::<Record>(&golden).unwrap(), record, "what is read back is what was written");
    assert!(golden.contains(&format!("\"format\": {}", record::FORMAT)));
}
