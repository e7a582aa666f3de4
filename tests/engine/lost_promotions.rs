//! Promotions that are lost: proven anew and given again, or withdrawn.

use gapless::{
    engine::{Event, Intent, Outcome, Stage},
    plan::Revision,
};

use crate::{
    plans::writer,
    sim::{Sim, ticks},
    writers::{data, order, writer_with},
};

/// The promotion behind this fence is lost with its process.
fn lose(sim: &mut Sim, fence: &str, promotion: &str) {
    sim.until(60, |s| s.log.iter().any(|l| l == &format!("- only/task-{fence}: done")));
    sim.lose_next = 1;
    sim.until(60, |s| s.log.iter().any(|l| l == &format!("- only/task-{promotion}: ordered")));
    sim.crash();
}

/// The order to promote target went with its process.
pub fn lost_promotion(revision: Revision) -> Sim {
    let mut sim = Sim::new(revision);
    lose(&mut sim, "fence", "promote");
    sim
}

/// Once found by the explorer: what was sent again was withheld, for the new process had no answers about the fence yet, and the
/// service held with nobody able to write.
#[test]
fn a_promotion_that_was_lost_with_its_process_is_ordered_again_without_a_hold() {
    let mut sim = lost_promotion(writer(None));
    sim.until_outcome(Outcome::Completed);
    assert_eq!(order(&sim), ["only/task-fence", "only/task-promote", "only 100"]);
    assert!(!sim.events.iter().any(|event| matches!(event, Event::Held { .. })), "{}", sim.log.join("\n"));
}

/// Once found by the explorer: between the process that was lost and the next one something was written behind the fence, or somebody
/// took the fence back by hand, and the order was given again all the same.
#[test]
fn a_lost_promotion_is_given_again_only_once_it_is_proven_anew() {
    let told = |sim: &Sim, what: &str| sim.waits.iter().any(|wait| wait.contains(what));
    for proof in ["lag", "fence-proof"] {
        // Where nothing takes the fence back it stays for as long as that takes, and people are told.
        let stays = writer_with(None, |only| data(only).unfence = None);
        for (revision, looks, over) in [(writer(None), 40, false), (stays, 400, true)] {
            let mut sim = lost_promotion(revision);
            sim.bad.insert(proof.into());
            ticks(&mut sim, looks);
            assert_eq!(order(&sim), ["only/task-fence"], "{proof}: {:?}", sim.waits);
            assert!(told(&sim, &format!("gate {proof} fails")), "{proof}: {:?}", sim.waits);
            assert_eq!(told(&sim, "longer than its pause budget"), over, "{proof}: {:?}", sim.waits);
            assert_eq!(sim.outcome, None, "{proof}");
            sim.bad.clear();
            sim.until_outcome(Outcome::Completed);
            assert_eq!(order(&sim), ["only/task-fence", "only/task-promote", "only 100"], "{proof}");
        }
    }
}

/// The lost order is withdrawn: at once on a way back, and on the way forward once the pause is over its budget and the proofs have not
/// come, so that nobody has to do anything by hand.
#[test]
fn a_lost_promotion_is_withdrawn_and_then_the_fence_taken_back() {
    // Without a way back for the writer an order to go back finds it past its point of no return, as far as anybody knows.
    let back = ("lag", Intent::Rollback, Some(()));
    let on = ["lag", "fence-proof"].into_iter().flat_map(|proof| [None, Some(())].map(|reverse| (proof, Intent::Run, reverse)));
    for (proof, intent, reverse) in on.chain([back]) {
        let mut sim = lost_promotion(writer(reverse));
        sim.bad.insert(proof.into());
        sim.orders.intent = intent;
        sim.until_outcome(Outcome::RolledBack);
        let withdrawn = ["only/task-fence", "only/undo-promote", "only/undo-fence"];
        assert_eq!(order(&sim), withdrawn, "{proof}, {intent:?}, {reverse:?}");
        assert_eq!(sim.writable["only"], (true, false), "{proof}, {intent:?}, {reverse:?}");
        sim.replays();
    }
}

/// All is proven, and whoever makes target the writer cannot be reached: to give the order again is the shorter way out of a pause that is
/// over its budget.
#[test]
fn a_promotion_that_is_lost_again_and_again_is_not_withdrawn_while_it_is_proven() {
    for reverse in [None, Some(())] {
        let mut sim = Sim::new(writer(reverse));
        sim.until(60, |s| s.log.iter().any(|l| l == "- only/task-fence: done"));
        sim.lose_next = u32::MAX;
        ticks(&mut sim, 400);
        assert_eq!(order(&sim), ["only/task-fence"], "{:?}", sim.waits);
        sim.lose_next = 0;
        sim.until_outcome(Outcome::Completed);
        assert_eq!(order(&sim), ["only/task-fence", "only/task-promote", "only 100"]);
    }
}

/// The lost order was only late, and comes before its withdrawal: whoever does tasks refuses that then, and target goes back as one that
/// was promoted.
#[test]
fn a_promotion_that_has_begun_after_all_is_not_withdrawn() {
    let mut sim = Sim::new(writer(Some(())));
    sim.until(60, |s| s.log.iter().any(|l| l == "- only/task-fence: done"));
    sim.delay_next_ms = 9_000;
    sim.until(60, |s| s.log.iter().any(|l| l == "- only/task-promote: ordered"));
    sim.orders.intent = Intent::Rollback;
    sim.delay_next_ms = 9_000;
    sim.until_outcome(Outcome::RolledBack);
    assert!(sim.log.iter().any(|l| l == "refused only/undo-promote/2"), "{}", sim.log.join("\n"));
    let back = ["only/task-promote", "only/task-reverse-fence", "only/task-reverse-promote"];
    let done: Vec<_> = order(&sim).into_iter().filter(|l| l.contains("/task-")).collect();
    assert_eq!(done[1..], back);
    assert_eq!(sim.writable["only"], (true, false));
    sim.replays();
}

/// The promotion of a way back is proven anew too.
#[test]
fn a_lost_promotion_of_a_way_back_is_given_again_only_once_it_is_proven_anew() {
    for proof in ["reverse-lag", "reverse-fence-proof"] {
        let mut sim = Sim::new(writer(Some(())));
        sim.until_stage("only", Stage::Soaking);
        sim.orders.intent = Intent::Rollback;
        lose(&mut sim, "reverse-fence", "reverse-promote");
        sim.bad.insert(proof.into());
        ticks(&mut sim, 400);
        assert_eq!(order(&sim)[3..], ["only/task-reverse-fence"], "{proof}: {:?}", sim.waits);
        sim.bad.clear();
        sim.until_outcome(Outcome::RolledBack);
        assert_eq!(sim.writable["only"], (true, false), "{proof}");
    }
}
