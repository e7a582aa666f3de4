//! Random plans with every word of the language, explored piece by piece within one fault: the first states of each piece.
//!
//! `GAPLESS_EXPLORE_RUNS=N` takes so many plans, from `GAPLESS_EXPLORE_FROM` on, `GAPLESS_EXPLORE_STATES=N` so many states of each
//! piece, `GAPLESS_EXPLORE_FAULTS=N` so many faults, and `GAPLESS_EXPLORE_ALONE=1` leaves neighbours out. The second test takes a
//! half of the plans, the third a fourth.

use gapless::{
    engine::Invariant,
    explore::{
        Options,
        budget::{Budget, Kind},
        piece::pieces,
    },
    plan::Plan,
};

use crate::{any_plan, broken, chance::Chance, explored, run, stories};

fn given(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

/// Explores each piece of the plans of these seeds by the options that belong to each. Gives how many pieces there were.
fn all_hold(seeds: std::ops::Range<u64>, options: impl Fn(u64, &Plan) -> Options) -> usize {
    let (mut wrong, mut whole, mut all) = (String::new(), 0, 0);
    for seed in seeds {
        let Some(plan) = any_plan::of(seed) else { continue };
        let options = options(seed, plan.revision.plan());
        let told = std::panic::catch_unwind(|| run(&plan.revision, &options));
        let found = match told {
            Ok(shapes) => {
                all += shapes.len();
                whole += shapes.iter().filter(|shape| shape.exhaustive).count();
                stories(&shapes)
            }
            Err(_) => "it panicked\n".to_owned(),
        };
        if !found.is_empty() {
            wrong.push_str(&format!("plan of seed {seed}, {}\n{}\n{found}\n", options.budget, plan.text));
        }
    }
    println!("{all} pieces, {whole} of them whole");
    assert!(wrong.is_empty(), "{wrong}");
    all
}

#[test]
fn random_plans_hold_within_a_fault() {
    let (from, runs) = (given("GAPLESS_EXPLORE_FROM", 0), given("GAPLESS_EXPLORE_RUNS", 24));
    let states = given("GAPLESS_EXPLORE_STATES", 2_000);
    let faults = u8::try_from(given("GAPLESS_EXPLORE_FAULTS", 1)).unwrap();
    let options = Options::new(None, Budget::of(faults, &Kind::ALL), states);
    let options = if given("GAPLESS_EXPLORE_ALONE", 0) == 1 { options.alone() } else { options };
    assert!(all_hold(from..from + runs, |_, _| options) > 0);
}

/// Two faults of all kinds have too many states to come far. Of a few kinds, others for each plan, a search comes to the end of the
/// run: swarm testing (Groce, Zhang, Eide, Chen, Regehr, ISSTA 2012). Each service by itself.
#[test]
fn random_plans_hold_within_two_faults_of_a_few_kinds() {
    let (from, runs) = (given("GAPLESS_EXPLORE_FROM", 0), given("GAPLESS_EXPLORE_RUNS", 24).div_ceil(2));
    let states = given("GAPLESS_EXPLORE_STATES", 10_000);
    let faults = u8::try_from(given("GAPLESS_EXPLORE_FAULTS", 2)).unwrap();
    let of = |seed, plan: &Plan| Options::new(None, Budget::of(faults, &a_few(seed, plan)), states).alone();
    assert!(all_hold(from..from + runs, of) > 0);
}

/// Two kinds that find something to strike in a plan.
fn a_few(seed: u64, plan: &Plan) -> [Kind; 2] {
    let mut chance = Chance::of(seed ^ 0x5A72_3F00);
    let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| kind.concerns(plan)).collect();
    [(); 2].map(|()| *chance.pick(&kinds))
}

/// Whether what a reduced search found is as good. Its way may be shorter, for it waits over what decides nothing; that it breaks what it
/// is said to is seen when it is told. Where all is asked about another of those that break may come first.
fn is_as_good(asked: Option<Invariant>, all: &Option<(String, usize)>, reduced: &Option<(String, usize)>) -> bool {
    match (all, reduced) {
        (Some((rule, all)), Some((found, steps))) => steps <= all && (asked.is_none() || rule == found),
        _ => all == reduced,
    }
}

/// Of every piece of random plans, with each rule left out in turn: what is found without the reductions is found with them, in as
/// few steps, whether that rule alone is asked about or all are. Where only the reduced search came to an end, or so far, the other
/// one says nothing.
#[test]
fn reductions_leave_out_no_breach_of_random_plans() {
    let (from, runs) = (given("GAPLESS_EXPLORE_FROM", 0), given("GAPLESS_EXPLORE_RUNS", 24).div_ceil(4));
    let states = given("GAPLESS_EXPLORE_STATES", 2_000);
    let faults = u8::try_from(given("GAPLESS_EXPLORE_FAULTS", 1)).unwrap();
    let (mut differ, mut breaches, mut whole) = (String::new(), 0, 0);
    for seed in from..from + runs {
        let Some(plan) = any_plan::of(seed) else { continue };
        for (invariant, asked) in Invariant::ALL.into_iter().flat_map(|rule| [(rule, Some(rule)), (rule, None)]) {
            let options = Options::new(Some(invariant), Budget::of(faults, &Kind::ALL), states).alone();
            let options = Options { without: asked, ..options };
            for piece in pieces(&plan.revision, options.around) {
                let search = |options| explored(&piece, &options);
                let (unreduced, reduced) = (search(options.unreduced()), broken(&search(options)));
                let all = broken(&unreduced);
                breaches += usize::from(all.is_some());
                whole += usize::from(unreduced.exhaustive);
                if (all.is_some() || unreduced.exhaustive) && !is_as_good(asked, &all, &reduced) {
                    differ.push_str(&format!(
                        "plan of seed {seed}, {}, without {invariant}, asked {asked:?}: {all:?}, reduced {reduced:?}\n",
                        piece.name
                    ));
                }
            }
        }
    }
    println!("{breaches} breaches, {whole} searches to the end");
    assert!(differ.is_empty(), "{differ}");
    assert!(breaches > 0);
}

/// Found by random plans: the search waited over the moments of gates that decided nothing any more, the story stopped at each, and then
/// told steps that did not follow from each other.
#[test]
fn a_way_that_waits_over_what_decides_nothing_is_told_as_it_was_found() {
    let plan = any_plan::of(50_014).unwrap();
    let options = Options::new(Some(Invariant::NoClobber), Budget::of(2, &Kind::ALL), 20_000).alone();
    let piece = pieces(&plan.revision, options.around).into_iter().find(|piece| piece.name == "s0").unwrap();
    let story = explored(&piece, &options).counterexample.unwrap();
    let [.., last, arrives] = &story.steps[..] else { panic!("{}", story.text()) };
    assert!(last.decided.iter().any(|line| line == "s0: 100 % to target"), "{}", story.text());
    assert_eq!(arrives.what, "order 1 of s0 (100 % to target) arrives", "{}", story.text());
}

/// Found by random plans: a loop that was shown the routes of before a hand wrote one was judged by the connections of after it, which
/// nobody had told it of; and what an old look had seen to end at its own moment ended later for it, the older it was.
#[test]
fn who_is_shown_an_old_route_is_not_told_of_the_connections_that_it_has_now() {
    let plan = any_plan::of(61_035).unwrap();
    let options = Options::new(None, Budget::of(2, &[Kind::StaleRead, Kind::Drift]), 10_000).alone();
    assert_eq!(stories(&run(&plan.revision, &options)), "");
}
