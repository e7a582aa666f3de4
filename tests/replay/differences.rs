//! What was altered, or is decided by other rules now, is found at its line and said in words.

use gapless::{
    engine::{Direction, Invariant, Rules, Stage},
    journal::{Line, PROGRAM, news::News, value},
    plan::Weight,
    replay::{Difference, Of, Replayed, Verdict, What, replay, replay_by},
    world::{Happening, Moment, Tone},
};

use crate::{
    journal::{Kept, forged, told},
    plans::{five, two},
};

fn run() -> Kept {
    let mut kept = Kept::ideal(&two());
    kept.run();
    kept.same(1);
    kept
}

fn difference(replayed: &Replayed) -> &Difference {
    match &replayed.verdict {
        Verdict::Differs(difference) => difference,
        other => panic!("{other:?}"),
    }
}

/// The line in which this service is moved.
fn moved<'a>(kept: &'a Kept, name: &str) -> &'a Line {
    let is = |line: &&Line| {
        let changes = line.changes.as_ref().unwrap();
        changes.services.get(name).is_some_and(|state| state.stage == Stage::Soaking)
    };
    kept.lines.iter().find(is).unwrap()
}

fn with_news(line: &mut Line, change: impl Fn(&mut News)) {
    let mut news = line.news().unwrap();
    change(&mut news);
    line.seen = value(&news);
}

/// A good answer is made bad, and all hashes are made anew: the decision does not follow from it.
#[test]
fn an_answer_that_was_altered_is_found_though_all_hashes_are_right() {
    let kept = run();
    let number = moved(&kept, "base").head.seq;
    let (lines, record) = forged(&kept.lines, &kept.sim.record, number, |line| {
        with_news(line, |news| {
            let gates = news.gates.get_mut("base").unwrap();
            let rounds = gates.values_mut().next().unwrap();
            let gapless::journal::news::GateHeard::Rounds(seen) = rounds.as_mut().unwrap() else { panic!("no rounds") };
            seen.rounds.last_mut().unwrap().answer = gapless::engine::Answer::Bad("status 500".into());
        });
    });
    let replayed = replay(&two(), &lines, Some(&record));
    let found = difference(&replayed);
    assert_eq!((found.line, replayed.same), (number, number - 1));
    let What::State { of, fields, then, now } = &found.what[0] else { panic!("{found:?}") };
    assert_eq!(*of, Of::Service("base".parse().unwrap()));
    assert!(fields.iter().any(|field| field.name == "stage" && field.one == "soaking"), "{fields:?}");
    assert!(then.iter().any(|text| text.starts_with("moved")), "{then:?}");
    assert!(now.iter().any(|text| text.contains("waits: gate answers")), "{now:?}");
}

/// What the line says was decided is altered.
#[test]
fn a_decision_that_was_altered_is_found() {
    let kept = run();
    let number = moved(&kept, "base").head.seq;
    let (lines, record) = forged(&kept.lines, &kept.sim.record, number, |line| {
        line.changes.as_mut().unwrap().services.get_mut("base").unwrap().direction = Direction::Backward;
    });
    assert_eq!(difference(&replay(&two(), &lines, Some(&record))).line, number);
    let (lines, record) = forged(&kept.lines, &kept.sim.record, number, |line| line.events = serde_json::json!([]));
    let replayed = replay(&two(), &lines, Some(&record));
    assert!(matches!(difference(&replayed).what[..], [What::Event { then: None, now: Some(_) }]), "{}", told(&replayed));
    let (lines, record) = forged(&kept.lines, &kept.sim.record, 1, |line| line.effects = serde_json::json!([]));
    let replayed = replay(&two(), &lines, Some(&record));
    assert!(matches!(difference(&replayed).what[..], [What::Effect { then: None, now: Some(_) }]), "{}", told(&replayed));
}

/// A run that began with something done, a record that was changed between two processes, and one that is changed now.
#[test]
fn a_record_that_no_decision_made_is_found() {
    let kept = run();
    let (lines, record) = forged(&kept.lines, &kept.sim.record, 1, |line| {
        line.begins.as_mut().unwrap().record.services.get_mut("top").unwrap().attempt = 1;
    });
    let replayed = replay(&two(), &lines, Some(&record));
    assert!(matches!(&difference(&replayed).what[..], [What::NotNew { of: Of::Service(_), .. }]), "{}", told(&replayed));

    let mut kept = Kept::ideal(&two());
    let delays = kept.sim.delays;
    while kept.lines.len() < 3 {
        kept.step(|_| delays).unwrap();
    }
    kept.restart();
    kept.sim.record.services.get_mut("top").unwrap().numbered = 7;
    kept.run();
    let replayed = kept.replay();
    let found = difference(&replayed);
    assert_eq!(found.line, 4);
    assert!(matches!(&found.what[..], [What::Between { of: Of::Service(_), .. }]), "{}", told(&replayed));

    let mut kept = run();
    kept.sim.record.services.get_mut("top").unwrap().order.as_mut().unwrap().weight = Weight::ZERO;
    let replayed = kept.replay();
    let found = difference(&replayed);
    assert!(matches!(&found.what[..], [What::Stored { of: Of::Service(_), .. }]), "{}", told(&replayed));
    assert_eq!(
        found.to_string().lines().nth(1).unwrap(),
        "service top: the stored record is not the one to which the lines lead"
    );
}

#[test]
fn another_plan_is_found_at_the_first_line() {
    let kept = run();
    let replayed = replay(&five(), &kept.lines, None);
    assert!(matches!(&difference(&replayed).what[..], [What::OtherRevision { .. }]), "{}", told(&replayed));
}

/// By other rules something else is decided: the first line at which that shows is named.
#[test]
fn each_rule_left_out_is_noticed_where_it_counts() {
    let mut kept = Kept::ideal(&two());
    kept.sim.schedule(Moment(9_000), Happening::Gate(0, Tone::Silent));
    kept.sim.schedule(Moment(12_000), Happening::Gate(0, Tone::Good));
    kept.run();
    kept.same(1);
    for invariant in [Invariant::Order, Invariant::Fresh, Invariant::UnknownHolds] {
        let replayed = replay_by(Rules::without(invariant), &two(), &kept.lines, Some(&kept.sim.record));
        println!("without {invariant}: {}", told(&replayed));
        assert!(!difference(&replayed).what.is_empty(), "{invariant}");
    }
}

/// Lines of the form before this one are passed over and named, whatever is in them; what comes after them is replayed.
#[test]
fn lines_that_do_not_tell_are_no_difference() {
    let mut kept = Kept::ideal(&two());
    let delays = kept.sim.delays;
    while kept.lines.len() < 3 {
        kept.step(|_| delays).unwrap();
    }
    kept.restart();
    kept.run();
    let old = |line: &mut Line| {
        line.format = 1;
        (line.begins, line.changes) = (None, None);
        line.seen = serde_json::json!({ "routes": {}, "sides": {}, "gates": {}, "orders": {} });
    };
    let (mut lines, mut record) = (kept.lines.clone(), kept.sim.record.clone());
    for number in 1..=3 {
        (lines, record) = forged(&lines, &record, number, old);
    }
    // The record of line 4 names the hash that line 3 has now.
    let hash = lines[2].head.hash.clone();
    let rest = |line: &mut Line| line.begins.as_mut().unwrap().record.journal.hash.clone_from(&hash);
    let (lines, record) = forged(&lines, &record, 4, rest);
    let replayed = replay(&two(), &lines, Some(&record));
    assert_eq!(replayed.verdict, Verdict::Same, "{}", told(&replayed));
    assert_eq!((replayed.untold, replayed.same), (3, replayed.lines - 3));

    let (lines, record) = forged(&kept.lines, &kept.sim.record, 2, |line| line.format = 3);
    let replayed = replay(&two(), &lines, Some(&record));
    assert_eq!(told(&replayed), "line 2: it is of form 3, and this program reads form 2");
}

/// What people read; `GAPLESS_BLESS=1` writes it anew.
#[test]
fn a_difference_as_people_read_it() {
    let kept = run();
    let number = moved(&kept, "top").head.seq;
    let (lines, record) = forged(&kept.lines, &kept.sim.record, number, |line| {
        with_news(line, |news| {
            let route = news.routes.get_mut("top").unwrap().as_mut().unwrap();
            route.value.as_mut().unwrap().effective = None;
        });
    });
    let (lines, record) = forged(&lines, &record, 1, |line| line.begins.as_mut().unwrap().program = "gapless 0.0.9".to_owned());
    let text = told(&replay(&two(), &lines, Some(&record))) + "\n";
    let text = text.replace(PROGRAM, "gapless VERSION");
    let path = format!("{}/tests/replay/difference.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("GAPLESS_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "{path}; to keep this: GAPLESS_BLESS=1");
}
