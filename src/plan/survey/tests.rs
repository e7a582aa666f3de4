use saphyr_parser::Parser;

use super::{surveyor::FEW, *};
use crate::plan::{
    finding::{Code, Spot},
    path::Path,
    watched::AHEAD_MAX,
};

fn only(text: &str) -> Surveyed {
    let mut survey = survey(text);
    assert!(survey.stopped.is_none(), "{:?}", survey.stopped);
    assert_eq!(survey.documents.len(), 1);
    survey.documents.pop().unwrap()
}

fn found(text: &str, path: Path, spot: Spot) -> (u32, u32, u32) {
    let place = only(text).places.find(&path, spot).unwrap();
    (place.line, place.column, place.width)
}

#[test]
fn keys_and_values_are_found() {
    let text = "a: 1\nb:\n  - name: x\n    d: \"y z\"\n";
    let second = Path::top().key("b").index(0).key("d");
    assert_eq!(found(text, second.clone(), Spot::Key), (4, 5, 1));
    assert_eq!(found(text, second, Spot::Value), (4, 8, 5));
    assert_eq!(found(text, Path::top().key("b"), Spot::Value), (2, 1, 1), "a list is shown by its key");
    assert_eq!(found(text, Path::top().key("b").index(0).key("gone"), Spot::Value).0, 3, "what is missing: its owner");
}

#[test]
fn a_flow_collection_on_one_line_is_underlined_whole() {
    assert_eq!(found("x: [{ a: 1, b: 2 }]\n", Path::top().key("x").index(0), Spot::Value), (1, 5, 14));
}

#[test]
fn what_came_by_an_alias_or_a_merge_is_where_it_is_written() {
    let text = "a: &x { b: 1 }\nc: *x\nd:\n  <<: *x\n  e: 2\nf: { <<: [{ g: 1 }, *x] }\n";
    let top = Path::top();
    for path in [top.key("a"), top.key("c"), top.key("d"), top.key("f")] {
        assert_eq!(found(text, path.key("b"), Spot::Value), (1, 12, 1), "{path}");
    }
    assert_eq!(found(text, top.key("c"), Spot::Value), (2, 4, 2), "the alias itself is where it stands");
    assert_eq!(found(text, top.key("d").key("e"), Spot::Value), (5, 6, 1));
    assert!(only(text).merges && !only("a: b\n").merges);
}

#[test]
fn many_fields_are_as_unique_as_few() {
    for fields in [FEW / 2, FEW, FEW + 1, FEW * 4] {
        let mut text: String = (0..fields).map(|i| format!("f{i}: 1\n")).collect();
        text.push_str("f1: 2\nlast: 1\n");
        let findings = only(&text).findings;
        assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::DuplicateKey], "{fields}");
        assert_eq!((findings[0].line, findings[0].related[0].line), (u32::try_from(fields + 1).ok(), Some(2)));
    }
}

#[test]
fn depth_and_number_are_bounded() {
    for deep in ["[".repeat(DEPTH_MAX + 1), "- ".repeat(DEPTH_MAX + 1) + "x"] {
        assert_eq!(survey(&deep).stopped.unwrap().code, Code::TooLarge);
    }
    assert!(survey(&"[".repeat(1_000_000)).stopped.is_some(), "the scanner has a bound of its own");
    let wide = "1,".repeat(VALUES_MAX);
    for text in [format!("[{wide}1]"), format!("a: [{wide}1]")] {
        let stopped = survey(&text).stopped.unwrap();
        assert_eq!(stopped.code, Code::TooLarge);
        assert!(stopped.message.contains("values"), "{}", stopped.message);
    }
}

#[test]
fn what_is_read_ahead_is_bounded() {
    let comment = format!("a: 1\n#{}\n", "x".repeat(AHEAD_MAX));
    let flow = format!("a:\n- [{}]\n", "x, ".repeat(AHEAD_MAX / 2));
    let text = format!("a: \"{}\"\n", "x".repeat(AHEAD_MAX));
    for long in [comment, flow, text] {
        let stopped = survey(&long).stopped.unwrap();
        assert!(stopped.message.starts_with("no end of what stands here"), "{}", stopped.message);
    }
    let several = format!("a: \"{0}\"\nb: \"{0}\"\n", "x".repeat(AHEAD_MAX / 2));
    assert!(survey(&several).stopped.is_none(), "one after the other is no reading ahead");
}

#[test]
fn json_has_the_places_that_yaml_has() {
    let text = "{ \"a\": [1, {\"b c\":\"d\\\"e\"}],\n  \"ü\": {}, \"z\": [] , \"n\": null}\n";
    let (json, mut yaml) = (only(text), Surveyor::default());
    let ahead = Ahead::default();
    yaml.run(&mut Parser::new(Watched::new(text, &ahead)), &ahead).unwrap();
    let yaml = yaml.documents.pop().unwrap();
    let top = Path::top();
    let inner = top.key("a").index(1);
    for path in
        [top.clone(), top.key("a"), inner.clone(), inner.key("b c"), top.key("ü"), top.key("z"), top.key("n"), top.key("no")]
    {
        for spot in [Spot::Key, Spot::Value] {
            assert_eq!(json.places.find(&path, spot), yaml.places.find(&path, spot), "{path} {spot:?}");
        }
    }
    for not_json in ["{a: 1}", "[1, 2,]", "{\"a\": 01}", "{\"a\": 1} x", "[\"a\nb\"]"] {
        let mut surveyor = Surveyor::default();
        assert!(matches!(json::survey(not_json, &mut surveyor), Err(json::Left::NotJson)), "{not_json}");
    }
    assert_eq!(only("{\"a\": 1, \"a\": 2}").findings[0].code, Code::DuplicateKey);
}

/// Nine aliases a level: level 9 would have nearly 400 million values.
#[test]
fn an_alias_bomb_is_counted_before_it_is_written_out() {
    let mut text = "l0: &l0 x\n".to_owned();
    for level in 1..10 {
        let before = format!("*l{}, ", level - 1).repeat(9);
        text.push_str(&format!("l{level}: &l{level} [{before}]\n"));
    }
    let stopped = survey(&text).stopped.unwrap();
    assert_eq!((stopped.code, stopped.line), (Code::TooLarge, Some(7)), "at the level that is too much");
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1_000_000), "*a,".repeat(1_000));
    assert_eq!(survey(&long).stopped.unwrap().code, Code::TooLarge, "few values, but long ones");
    let mut deep = "l0: &l0 [x]\n".to_owned();
    (1..70).for_each(|level| deep.push_str(&format!("l{level}: &l{level} [*l{}]\n", level - 1)));
    assert_eq!(survey(&deep).stopped.unwrap().code, Code::TooLarge, "nested by aliases");
}

#[test]
fn an_alias_within_itself_is_refused() {
    assert_eq!(survey("a: &a [*a]\n").stopped.unwrap().code, Code::Syntax);
}

#[test]
fn a_value_of_another_shape_is_found() {
    let places = only("a: [1, { b: 2 }]\nc: &x { d: 1 }\ne: *x\n").places;
    let same = serde_json::json!({ "a": [1, { "b": 2 }], "c": { "d": 1 }, "e": { "d": 1 } });
    assert_eq!(places.differs(&same), None);
    for (pointer, other) in
        [("/a/1", serde_json::json!({})), ("/a", "x".into()), ("/e", 1.into()), ("/a/0", serde_json::json!([]))]
    {
        let mut value = same.clone();
        *value.pointer_mut(pointer).unwrap() = other;
        assert!(places.differs(&value).is_some(), "{pointer}");
    }
}
