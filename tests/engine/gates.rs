//! What samples mean, as a table. `+` good, `-` bad, `?` no answer; one round each 100 ms, the last just now.

use gapless::{
    engine::{
        Answer, GateSeen, Round, Unknown,
        gate::{Verdict, judge, window},
    },
    plan::{Gate, Span},
};
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;

use crate::plans::service;

fn gate(successes: u32, per_mille: u16, failures: u32) -> Gate {
    let mut gate = service(1, "one", &[]).gates.into_values().next().unwrap();
    (gate.successes, gate.max_failures_per_mille, gate.failures) = (successes, per_mille, failures);
    gate
}

fn now() -> Timestamp {
    "2026-08-28T20:00:00Z".parse().unwrap()
}

fn ago(ms: i64) -> Timestamp {
    now().checked_sub(SignedDuration::from_millis(ms)).unwrap()
}

fn rounds(text: &str) -> GateSeen {
    let count = i64::try_from(text.len()).unwrap();
    let round = |(index, mark): (usize, char)| {
        let sent_at = ago((count - i64::try_from(index).unwrap()) * 100);
        let answer = match mark {
            '+' => Answer::Good,
            '-' => Answer::Bad("status 500".into()),
            _ => Answer::Unknown(Unknown::Unreachable("nobody".into())),
        };
        Round { sent_at, done_at: sent_at, answer }
    };
    GateSeen { watched_since: Some(ago(60_000)), rounds: text.chars().enumerate().map(round).collect() }
}

fn word(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Pass => "pass".into(),
        Verdict::Fail { rounds, .. } => format!("fail {rounds}"),
        Verdict::TooFew { good, wanted, .. } => format!("{good} of {wanted}"),
        Verdict::Silent(_) => "silent".into(),
    }
}

#[rstest]
#[case::enough("+++", 3, 0, "pass")]
#[case::one_short("++", 3, 0, "2 of 3")]
#[case::older_bad_ones_are_over("---+++", 3, 0, "pass")]
#[case::a_bad_one_among_them_starts_again("++-++", 3, 0, "2 of 3")]
#[case::the_newest_must_be_good("+++-", 3, 0, "2 of 3")]
#[case::three_in_a_row_fail("++---", 3, 0, "fail 3")]
#[case::a_silence_between_does_not_break_the_row("--?-", 3, 0, "fail 3")]
#[case::a_silence_does_not_make_a_row("-???", 3, 0, "silent")]
#[case::silence_is_no_failure("+++?", 3, 0, "silent")]
#[case::a_silence_between_does_not_count("++?+", 3, 0, "pass")]
#[case::one_bad_of_four_is_allowed("+-++", 3, 250, "pass")]
#[case::two_bad_of_four_are_not("+--+", 3, 250, "2 of 3")]
#[case::nothing_yet("", 3, 0, "0 of 3")]
fn a_verdict_over_rounds(#[case] text: &str, #[case] successes: u32, #[case] per_mille: u16, #[case] expected: &str) {
    let verdict = judge(&gate(successes, per_mille, 3), Some(&rounds(text)), ago(1000), now());
    assert_eq!(word(&verdict), expected, "{text}");
}

#[rstest]
#[case::all_before(0, "0 of 3")]
#[case::two_after(200, "2 of 3")]
#[case::three_after(300, "pass")]
fn only_rounds_sent_after_the_moment_count(#[case] since_ms_ago: i64, #[case] expected: &str) {
    assert_eq!(word(&judge(&gate(3, 0, 3), Some(&rounds("++++++")), ago(since_ms_ago), now())), expected);
}

#[test]
fn bad_rounds_from_before_do_not_fail_what_came_after() {
    assert_eq!(word(&judge(&gate(3, 0, 3), Some(&rounds("---")), ago(150), now())), "0 of 3");
}

#[test]
fn an_old_answer_is_silence_and_so_is_none_for_long() {
    let later = now().checked_add(SignedDuration::from_secs(2)).unwrap();
    assert_eq!(word(&judge(&gate(3, 0, 3), Some(&rounds("+++")), ago(1000), later)), "silent");
    let none = rounds("");
    assert_eq!(word(&judge(&gate(3, 0, 3), Some(&none), ago(0), later)), "silent");
    assert_eq!(word(&judge(&gate(3, 0, 3), Some(&none), ago(0), now())), "0 of 3");
}

#[test]
fn a_sensor_that_has_just_begun_is_not_a_silent_gate() {
    let begun = GateSeen { watched_since: Some(ago(0)), rounds: Vec::new() };
    assert_eq!(word(&judge(&gate(3, 0, 3), Some(&begun), ago(3_600_000), now())), "0 of 3");
    assert_eq!(word(&judge(&gate(3, 0, 3), None, ago(3_600_000), now())), "0 of 3");
}

#[test]
fn the_first_bad_round_of_a_row_says_since_when() {
    let Verdict::Fail { since, why, .. } = judge(&gate(3, 0, 3), Some(&rounds("+----")), ago(1000), now()) else { panic!() };
    assert_eq!((since, why.as_str()), (ago(400), "status 500"));
}

#[rstest]
#[case(20, 0, 20)]
#[case(20, 50, 22)]
#[case(3, 250, 4)]
#[case(1, 900, 10)]
fn so_many_rounds_are_looked_at(#[case] successes: u32, #[case] per_mille: u16, #[case] of: u32) {
    let mut gate = gate(successes, per_mille, 3);
    gate.every = Span::from_secs(1);
    assert_eq!(window(&gate), (successes, of));
}

/// However many were good before: what is bad now is not confirmed.
#[test]
fn the_newest_answer_of_a_gate_that_passes_is_good() {
    let half = gate(3, 500, 3);
    let too_few = Verdict::TooFew { good: 3, wanted: 3, bad: Some("status 500".into()) };
    assert_eq!(judge(&half, Some(&rounds("+++-")), ago(60_000), now()), too_few);
    assert_eq!(judge(&half, Some(&rounds("+++-+")), ago(60_000), now()), Verdict::Pass);
}
