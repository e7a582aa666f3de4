//! Bytes: a text of the corpus, torn.

use crate::random::Random;

/// What is nearly YAML, nearly a plan, or a trap.
pub const WORDS: &[&str] = &[
    "---\n",
    "...\n",
    "? ",
    ": ",
    "- ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&a ",
    "*a",
    "<<: *a",
    "!t ",
    "!!str ",
    "|\n",
    ">-\n",
    "#",
    "\"",
    "'",
    "\t",
    "\r\n",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "\0",
    "é",
    "💥",
    "%YAML 1.1\n",
    "~",
    "null",
    "on",
    "yes",
    "0443",
    "0x1F",
    "1_000",
    "12:30:45",
    ".5",
    ".nan",
    "1e999",
    "-0",
    "18446744073709551616",
    "9223372036854775808",
    "0s",
    "9999999d",
    "1ms",
    "100",
    "0",
    "-1",
    "101",
    "65536",
    "450/s",
    "0/s",
    "2026-10-25T01:30",
    "2027-03-28T01:30",
    "9999-12-31T23:59",
    "0000-00-00T00:00",
    "Europe/London",
    "$(service)",
    "$(side)",
    "$(",
    "kind: List\nitems:\n",
    "kind: MigrationPlan\n",
    "apiVersion: v1\n",
    "spec:\n",
    "services:\n",
    "needs:",
    "phases:",
    "groups:",
    "windows:",
    "freezes:",
    "defaults:",
    "disabled: true",
    "mode: Across",
    "every: 1s",
    "steps: [1, 100]",
    "http://[::1]:80/",
    "http://a:b@c/",
    "9434765919",
    "::1",
    "0.0.0.0",
    "255.255.255.255",
    "fe80::1%1",
];

/// Some text of the corpus, torn: bytes, words, lines and stretches changed, taken out, doubled and mixed with another text.
pub fn torn(random: &mut Random, corpus: &[String]) -> Vec<u8> {
    if random.one_in(20) {
        return (0..random.below(300)).map(|_| random.next().to_le_bytes()[0]).collect();
    }
    let mut bytes = random.pick(corpus).clone().into_bytes();
    let rounds = if random.one_in(2) { 1 } else { 1 + random.below(6) };
    for _ in 0..rounds {
        let at = random.below(bytes.len() + 1);
        let to = (at + random.below(24)).min(bytes.len());
        match random.below(9) {
            0 if at < bytes.len() => bytes[at] = random.next().to_le_bytes()[0],
            1 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            2 => drop(bytes.drain(at..to)),
            3 => {
                let word = random.pick(WORDS).bytes();
                drop(bytes.splice(at..at, word));
            }
            4 => {
                let word = random.pick(WORDS).bytes();
                drop(bytes.splice(at..to, word));
            }
            5 => {
                let other = random.pick(corpus).as_bytes();
                let from = random.below(other.len() + 1);
                let until = (from + random.below(200)).min(other.len());
                drop(bytes.splice(at..at, other[from..until].iter().copied()));
            }
            6 => {
                let mut lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let (a, b) = (random.below(lines.len()), random.below(lines.len()));
                match random.below(4) {
                    0 => lines.swap(a, b),
                    1 => drop(lines.remove(a)),
                    2 => lines.insert(a, lines[b].clone()),
                    _ => lines[a].splice(0..0, b"  ".iter().copied()).for_each(drop),
                }
                bytes = lines.join(&b'\n');
            }
            7 => bytes.truncate(at),
            _ => {
                let stretch = bytes[at..to].to_vec();
                for _ in 0..random.below(20) {
                    drop(bytes.splice(at..at, stretch.iter().copied()));
                }
            }
        }
    }
    bytes
}
