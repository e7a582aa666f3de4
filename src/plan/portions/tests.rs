//! Whatever the text: what portions give is what the whole gives, or the shapes differ, or nothing is given.

use proptest::{collection::vec, prelude::*, sample::select};

use super::*;
use crate::plan::survey::survey;

const EXAMPLES: [&str; 4] = [
    include_str!("../../../plans/spine-weekend.yaml"),
    include_str!("../../../plans/service-desk.yaml"),
    include_str!("../../../plans/three-services.yaml"),
    TRAPS,
];

/// Texts of many lines, and lists within lists.
const TRAPS: &str = "spec:
  groups:
  - services: [a, b]
  services: # all of them
  - name: a
    note: |+
      - no element
        of any list

  # a comment between two
  - name: b
    note: \"in quotes
      - still in them\"
    more: [x,
      y]
  -
    name: c
    note: >-
      folded
      text
  - - d
    - e
  - plain text
    of two lines
  deadline: x
";

fn in_portions(text: &str, least: usize) -> Option<Value> {
    let portions = Portions::of(text, least)?;
    portions.whole((0..portions.len()).map(|portion| portions.read(portion)))
}

/// What the whole gives; `None`: it cannot be read, or is more than one document.
fn as_a_whole(text: &str) -> Option<Value> {
    only(text)
}

/// Whether portions gave something, that nothing would show to be wrong.
fn is_taken(text: &str, value: &Value) -> bool {
    matches!(survey(text).documents.as_slice(), [document] if document.whole && document.plain && document.places.differs(value).is_none())
}

#[test]
fn every_example_is_read_in_portions_as_it_is_as_a_whole() {
    for text in EXAMPLES {
        for least in [1, 40, 150] {
            let value = in_portions(text, least).unwrap();
            assert_eq!(Some(&value), as_a_whole(text).as_ref());
            assert!(is_taken(text, &value));
        }
    }
}

#[test]
fn a_portion_begins_with_an_element_and_none_is_lost() {
    let portions = Portions::of(TRAPS, 1).unwrap();
    assert_eq!(portions.len(), 5);
    let elements: Vec<usize> = (0..5).map(|at| portions.read(at).unwrap().len()).collect();
    assert_eq!(elements, [1; 5]);
    assert_eq!(portions.around, "spec:\n  groups:\n  - services: [a, b]\n  services: # all of them\n  deadline: x\n");
    assert_eq!(Portions::of(TRAPS, 150).unwrap().len(), 2);
    assert_eq!(Portions::of(TRAPS, TRAPS.len()), None, "one portion is none");
}

#[test]
fn what_is_no_list_of_services_in_block_style_is_left_to_the_whole() {
    let none = [
        "",
        "spec:",
        "spec:\n  services:",
        "spec:\n  services: [a, b]\n",
        "spec:\n  services:\n    a: 1\n    b: 2\n",
        "spec:\n  services: &all\n    - a\n    - b\n",
        "spec:\n  services: x\n    - a\n    - b\n",
        "spec:\n  more:\n    services:\n      - a\n      - b\n",
        "services:\n  - a\n  - b\n",
        "spec:\n  a: 1\nother:\n  services:\n  - a\n  - b\n",
        "spec:\n  services:\n- a\n- b\n",
    ];
    for text in none {
        assert_eq!(Portions::of(text, 1), None, "{text}");
    }
}

#[test]
fn what_portions_cannot_show_is_not_given() {
    let refused = [
        // A cut in quotes, and in brackets.
        "spec:\n  services:\n  - a: \"x\n  - b\"\n",
        "spec:\n  services:\n  - a: [x,\n  - b]\n",
        // Two documents, and a list that is written twice.
        "spec:\n  services:\n  - a\n  - b\n---\nx: 1\n",
        "spec:\n  services:\n  - a\n  - b\n  services: [c]\n",
    ];
    for text in refused {
        assert_eq!(in_portions(text, 1), None, "{text}");
    }
    // The list stands in a text in quotes.
    assert_eq!(in_portions("spec:\n  note: \"x\n  services:\n  - a\n  - b\n  \"\n", 1), None);
    assert_eq!(in_portions("\"\nspec:\n  services:\n  - a\n  - b\n\"", 1), None);
}

/// Two thousand cases, or as many more as the environment asks for.
fn many() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(2_000), failure_persistence: None, ..usual }
}

/// What can be put between two letters of a text.
const SCRAPS: [&str; 26] = [
    "\"", "'", "[", "]", "{", "}", "\n", " ", "  ", "- ", "-", ":", ": ", "#", " #", "|", "|+\n", ">-\n", "\t", "\r", "---\n",
    "...\n", ",", "\u{2028}", "\u{85}", "?",
];

proptest! {
    #![proptest_config(many())]

    #[test]
    fn a_torn_text_is_never_read_otherwise(
        text in select(EXAMPLES.to_vec()),
        tears in vec((any::<prop::sample::Index>(), 0usize..12, select(SCRAPS.to_vec())), 1..5),
        least in 1usize..200,
    ) {
        let mut text = text.to_owned();
        for (at, taken, scrap) in tears {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let from = places.get(at.index(places.len())).copied().unwrap_or(0);
            let to = text.char_indices().map(|(at, _)| at).find(|at| *at >= from + taken).unwrap_or(text.len());
            text.replace_range(from..to, scrap);
        }
        if let Some(value) = in_portions(&text, least).filter(|value| is_taken(&text, value)) {
            prop_assert_eq!(Some(value), as_a_whole(&text), "{}", text);
        }
    }
}
