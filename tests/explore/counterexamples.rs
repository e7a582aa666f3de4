//! `docs/design/counterexamples.md`: what each rule is for, and how a run goes wrong without it, as the explorer tells it.

use std::fmt::Write as _;

use gapless::{engine::Invariant, explore::story::Story};

const TOP: &str = "# Counterexamples

For every invariant ([invariants.md](invariants.md)): what its rule is for, and the shortest way in which a run goes wrong with that
rule left out, found and told by the explorer ([explore.md](explore.md)). With all rules in force the engine takes none of these ways.
`gapless explore FILE --without RULE` tells the same of a plan of your own.

A number is a step: what the world or the process did, and how long after the beginning. Lines behind `|` are what was decided then,
and why what waits does; moments are told as in the margin, from the beginning on. The names in brackets are kinds of faults; each way
has at most two. What breaks is what the world's own judge saw, not what the engine says of itself.

`tests/explore` finds these ways anew and compares. `GAPLESS_BLESS=1 cargo test --test explore each_rule_left_out` writes this page.
";

/// What the rule is for: ours to say, where the explorer can only show.
fn purpose(invariant: Invariant) -> &'static str {
    match invariant {
        Invariant::Served => {
            "A share of the traffic goes only where what is healthy now could carry it at peak. Without the rule every step looks as \
             planned, and people get errors from endpoints that are dead or too few."
        }
        Invariant::OneWriter => {
            "Two sides that both take writes make two truths, and nobody can tell afterwards which one to believe. So a side is promoted \
             when the other was *seen* to refuse writes; that it was told to is not enough."
        }
        Invariant::LegacyStays => {
            "What is switched off cannot be gone back to. A legacy system stays as long as anything that lives on it, or that is needed \
             by what may still go back, could have to return, whoever approved one service's end."
        }
        Invariant::WayBack => {
            "Whoever gives the target more counts on legacy to take everything back. If legacy could not, the next fault of the target \
             finds no side that can carry the traffic."
        }
        Invariant::Order => {
            "A service that moves before what it needs talks across the estates in a way that nobody meant. The order holds at every \
             moment, not only at the start: what it needs may be on its way back already."
        }
        Invariant::Fresh => {
            "An answer from before a weight was in force says nothing about that weight. Without the rule, old good answers confirm a \
             change that no request has met yet, and the next weight rests on that."
        }
        Invariant::UnknownHolds => {
            "No answer is neither good nor bad. Taken for good, it lets a run go on blind, just when something is wrong with what watches \
             it; taken for bad, as here, it makes a monitor that breaks take a healthy service back."
        }
        Invariant::NoClobber => {
            "Who changed a route by hand had a reason, maybe an incident. A write that does not rest on what is there now would undo that \
             without a word; so the run holds and asks."
        }
        Invariant::NoWorse => {
            "Going back is a remedy only if the other side is better. Without the rule a run takes its traffic from a side in trouble to \
             one that is dead: an outage of our own making."
        }
        Invariant::UndoOnStart => {
            "What was ordered may still arrive, however long ago that was. So whatever may have begun is taken back like what was done; \
             else it takes effect after everybody has gone home."
        }
        Invariant::OneOwner => {
            "Two runs that drive one route undo each other's weights, and each judges what the other did. The second one writes nothing \
             and names the first."
        }
    }
}

/// The same in lines as long as those of the other pages.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= 130 => *line = format!("{line} {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

/// What the page says of one rule; `plan` says what was explored.
pub fn section(invariant: Invariant, plan: &str, story: &Story) -> String {
    let (steps, mut text) = (story.steps.len(), String::new());
    let count = if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") };
    let _ = write!(text, "\n## `{invariant}`\n\n{}\n\n", wrapped(purpose(invariant))); // writing to a String cannot fail
    let _ = write!(text, "The shortest way, of {count}, for {plan}:\n\n```text\n{}```\n", story.text());
    text
}

/// The page is what was found; `GAPLESS_BLESS=1` makes it so.
pub fn compare(sections: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/design/counterexamples.md");
    let told = format!("{TOP}{sections}");
    if std::env::var_os("GAPLESS_BLESS").is_some() {
        std::fs::write(path, &told).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    let differs = kept.lines().zip(told.lines()).position(|(kept, told)| kept != told);
    assert!(
        kept == told,
        "{path} is old from line {:?} on; GAPLESS_BLESS=1 writes it anew: read it then",
        differs.map(|at| at + 1)
    );
}
