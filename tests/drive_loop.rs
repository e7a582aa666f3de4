//! How the loop goes round: what waits for what, what is never done, and how it stops.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may")]

#[path = "common/world/mod.rs"]
#[allow(dead_code, reason = "shared by several tests")]
mod world;

use gapless::{
    drive::{End, Finish, Until},
    engine::{Event, Intent, Outcome},
    plan::{Revision, ServiceName, Weight},
    ports::Performed,
};
use jiff::{SignedDuration, Timestamp};
use world::{Ran, Trouble, World, two_services};

fn healthy(_: &ServiceName, _: Weight) -> bool {
    false
}
fn apart() -> Revision {
    two_services("needs: []")
}
fn one_after_the_other() -> Revision {
    two_services("needs: [{ service: alpha }]")
}
fn seconds(length: i64) -> SignedDuration {
    SignedDuration::from_secs(length)
}
fn back(ran: Ran) -> End {
    match ran {
        Ran::Back(end) => end.unwrap(),
        Ran::Ended => panic!("nobody ended the process"),
    }
}
fn moved(world: &World, name: &str) -> Timestamp {
    let found =
        world.events().into_iter().find(|(_, event)| matches!(event, Event::Moved { service } if service.as_str() == name));
    found.unwrap_or_else(|| panic!("{name} never moved")).0
}

/// Told to stop at any moment it stops at once, and the next process goes on as if nothing had been.
#[test]
fn stopped_at_any_moment_it_goes_on_later() {
    let undisturbed = World::new(&one_after_the_other(), healthy);
    back(undisturbed.run(Until::Ended, None));
    let (start, mut stops) = (World::new(&one_after_the_other(), healthy).now(), 0);
    for ms in (0..15_000).step_by(61) {
        let world = World::new(&one_after_the_other(), healthy);
        let at = start + SignedDuration::from_millis(ms);
        let end = back(world.run(Until::Ended, Some(at)));
        if end.finish == Finish::Stopped {
            stops += 1;
            assert!(world.now().duration_since(at) < seconds(1), "stopped late: {} ms", ms);
            assert_eq!(end.record, Some(world.record()), "what it says is what is stored");
            assert!(back(world.run(Until::Ended, None)).finish == Finish::Ended(Outcome::Completed));
        }
        world.audit();
        assert_eq!(world.upshot(), undisturbed.upshot(), "stopped after {ms} ms");
    }
    assert!(stops > 100, "only {stops}");
}

/// A write that never answers keeps nobody but its own service.
#[test]
fn a_hanging_effect_does_not_keep_others() {
    let undisturbed = World::new(&apart(), healthy);
    back(undisturbed.run(Until::Ended, None));
    let world = World::new(&apart(), healthy);
    world.trouble("perform", 1, Trouble::Hangs);
    back(world.run(Until::Ended, None));
    let (slow, fast) = (moved(&world, "alpha").max(moved(&world, "beta")), moved(&world, "alpha").min(moved(&world, "beta")));
    assert_eq!(fast, moved(&undisturbed, "beta"), "the other one was kept");
    assert!(slow > fast + seconds(5), "the first write hung until its deadline");
    let given_up = world.performed().into_iter().filter(|(.., how)| matches!(how, Performed::Unclear(_))).count();
    assert_eq!(given_up, 1);
    assert_eq!(world.upshot(), undisturbed.upshot());
}

/// From the commit's answer to the write of the route no time passes.
#[test]
fn effects_leave_with_the_commit() {
    let world = World::new(&one_after_the_other(), healthy);
    back(world.run(Until::Ended, None));
    let log = world.log();
    let writes: Vec<usize> = (0..log.len()).filter(|index| log[*index].1 == "perform").collect();
    assert_eq!(writes.len(), 6);
    for index in writes {
        let commit = log[..index].iter().rev().find(|(_, port)| *port == "commit").unwrap();
        let took = log[index].0.duration_since(commit.0);
        assert_eq!(took, SignedDuration::from_millis(2), "as long as the commit itself takes");
    }
}

/// The store is gone for a while: waited for ever longer, nothing is done meanwhile, and then it goes on.
#[test]
fn a_store_that_is_gone_is_waited_for_without_haste() {
    let world = World::new(&one_after_the_other(), healthy);
    world.trouble("commit", 2, Trouble::CallLost);
    for nth in 2..=13 {
        world.trouble("load", nth, Trouble::CallLost);
    }
    let end = back(world.run(Until::Ended, None));
    assert_eq!(end.finish, Finish::Ended(Outcome::Completed));
    let log = world.log();
    let loads: Vec<Timestamp> = log.iter().filter(|(_, port)| *port == "load").map(|(at, _)| *at).collect();
    let away = loads[13].duration_since(loads[1]);
    assert!(away > seconds(18) && away < seconds(24), "13 tries in {away:?}");
    assert!(log.iter().all(|(at, port)| *port != "perform" || *at < loads[1] || *at > loads[13]), "something was done");
    let told = world.told_trouble();
    assert_eq!(told.len(), 2, "once when it begins and once when it ends: {told:#?}");
    assert!(told[0].starts_with("the store cannot be used: "), "{told:?}");
    assert!(told[0].ends_with("traffic stays where it is and is watched as before"), "{told:?}");
    let seconds: f64 = told[1].split(' ').nth(7).unwrap().parse().unwrap();
    assert!(told[1].starts_with("the store can be used again after ") && (18.0..26.0).contains(&seconds), "{told:?}");
}

/// A store that takes records in and loses what is published: told once as well.
#[test]
fn a_publication_that_fails_for_a_while_is_told_once_and_when_it_is_over() {
    let world = World::new(&one_after_the_other(), healthy);
    world.order(Intent::Hold);
    back(world.run(Until::HeldOrEnded, None));
    let before = world.count("publish");
    for nth in 1..=3 {
        world.trouble("publish", before + nth, Trouble::CallLost);
    }
    let stop = world.now() + seconds(600);
    back(world.run(Until::Ended, Some(stop))); // after a start people are told how it stands
    assert_eq!(world.count("publish"), before + 4);
    let told = world.told_trouble();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("what people are shown of the run is older than it is"), "{told:?}");
    assert!(told[1].starts_with("the store can be used again after "), "{told:?}");
}

/// A conflict is somebody's order, mostly: the record is loaded at once.
#[test]
fn a_conflict_is_answered_at_once() {
    let world = World::new(&one_after_the_other(), healthy);
    world.trouble("commit", 2, Trouble::Conflict);
    back(world.run(Until::Ended, None));
    let log = world.log();
    let second = log.iter().filter(|(_, port)| *port == "commit").nth(1).unwrap().0;
    let reload = log.iter().filter(|(_, port)| *port == "load").nth(1).unwrap().0;
    assert_eq!(reload.duration_since(second), SignedDuration::from_millis(2));
    assert!(world.told_trouble().is_empty(), "that is no trouble");
}

/// Whether the answer of a commit is lost or not, people hear of what it did, and once.
#[test]
fn events_of_a_commit_whose_answer_was_lost_are_told_once() {
    let undisturbed = World::new(&one_after_the_other(), healthy);
    back(undisturbed.run(Until::Ended, None));
    let texts = |world: &World| world.events().iter().map(|(_, event)| event.to_string()).collect::<Vec<_>>();
    for nth in 1..=undisturbed.count("commit") {
        let world = World::new(&one_after_the_other(), healthy);
        world.trouble("commit", nth, Trouble::AnswerLost);
        back(world.run(Until::Ended, None));
        assert_eq!(texts(&world), texts(&undisturbed), "commit {nth}");
    }
}

/// A held run costs nothing: no write for hours, and it still notices an order.
#[test]
fn a_held_run_writes_nothing_and_hears_everything() {
    let world = World::new(&one_after_the_other(), healthy);
    world.order(Intent::Hold);
    let held = back(world.run(Until::HeldOrEnded, None));
    assert_eq!(held.finish, Finish::Held);
    let stop = world.now() + seconds(7_200);
    let before = (world.count("append"), world.count("commit"), world.count("perform"), world.count("publish"));
    assert_eq!(back(world.run(Until::Ended, Some(stop))).finish, Finish::Stopped);
    assert_eq!(world.now(), stop);
    // What people are told after a start, once.
    assert_eq!((world.count("append"), world.count("commit"), world.count("perform"), world.count("publish") - 1), before);
    world.order(Intent::Rollback);
    assert_eq!(back(world.run(Until::Ended, None)).finish, Finish::Ended(Outcome::RolledBack));
    assert!(world.upshot().history.is_empty(), "nothing ever moved");
}

/// Checked by the compiler.
#[test]
fn the_loop_can_run_in_a_task_of_its_own() {
    fn takes_send<F: Send>(_: F) {}
    let world = World::new(&apart(), healthy);
    let revision = apart();
    let port = || world::port(&world);
    let mut ports = gapless::drive::Ports { store: port(), sensor: port(), actuator: port(), clock: port(), reporter: port() };
    takes_send(gapless::drive::drive(&revision, &mut ports, Until::Ended, std::future::pending()));
}
