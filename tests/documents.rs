//! What one file may hold: several plans, lists, other objects, aliases, JSON; and what it costs to be sent something hostile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

#[path = "../src/cli/threads.rs"]
mod threads;

use gapless::plan::{Checked, Code, Contents, Finding, Refused, document::SIZE_MAX, read, read_all, read_all_by};
use threads::Threads;

fn plan(name: &str, more: &str) -> String {
    format!(
        "apiVersion: gapless.dev/v1alpha1
kind: MigrationPlan
metadata: {{ name: {name} }}
spec:
  services:
    - name: pds
      legacy: {{ endpoints: [{{ address: 10.20.0.11, port: 8443 }}] }}
      target: {{ endpoints: [{{ address: 10.30.0.11, port: 8443 }}] }}
      router: {{ webhook: {{ url: \"http://10.0.9.9/routes/pds\" }} }}
      probes: [{{ name: up, send: {{ http: {{}} }} }}]
{more}"
    )
}

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { mode: on, mode: off }\n";

fn names(contents: &Contents) -> Vec<String> {
    let name = |plan: &gapless::plan::InFile| match &plan.result {
        Ok(checked) => checked.revision.plan().name.to_string(),
        Err(Refused { name, findings, .. }) => format!("{} refused: {}", name.as_deref().unwrap_or("?"), findings[0]),
    };
    contents.plans.iter().map(name).collect()
}

fn findings(text: &str) -> Vec<Finding> {
    let findings = |result| match result {
        Ok(Checked { warnings, .. }) => warnings,
        Err(Refused { findings, .. }) => findings,
    };
    read_all(text).plans.into_iter().flat_map(|plan| findings(plan.result)).collect()
}

fn codes(text: &str) -> Vec<Code> {
    findings(text).iter().map(|finding| finding.code).collect()
}

#[test]
fn several_plans_of_a_file_are_each_checked() {
    let text = format!("---\n{}---\n# nothing here\n---\n{}...\n", plan("a", ""), plan("b", "      onFailre: Hold\n"));
    let contents = read_all(&text);
    assert_eq!(contents.plans.len(), 2, "an empty document is none: {:?}", names(&contents));
    assert!(contents.plans[0].result.is_ok());
    let refused = contents.plans[1].result.as_ref().unwrap_err();
    assert_eq!((refused.findings[0].code, refused.findings[0].line), (Code::UnknownField, Some(25)), "lines are the file's");
    assert_eq!(refused.findings[0].path.to_string(), "spec.services[0].onFailre", "paths are the plan's");
    assert_eq!((contents.plans[0].line, contents.plans[1].line), (2, 15));
}

#[test]
fn where_one_plan_is_wanted_several_are_refused() {
    let refused = read(format!("{}---\n{}", plan("a", ""), plan("b", ""))).unwrap_err();
    assert_eq!(refused.findings[0].message, "this file holds 2 plans (`a`, `b`), and one is wanted");
    assert_eq!(refused.findings[0].line, Some(12));
    assert!(read(format!("{CONFIG_MAP}---\n{}", plan("a", ""))).is_ok(), "other objects do not count");
}

#[test]
fn objects_of_other_kinds_are_passed_over_by_name() {
    let contents = read_all(format!("{CONFIG_MAP}---\n{}---\n{CONFIG_MAP}", plan("a", "")));
    assert_eq!(names(&contents), ["a"], "and what is wrong with them is not said");
    let other: Vec<_> = contents.passed_over.iter().map(|other| (other.to_string(), other.line)).collect();
    assert_eq!(other, [("ConfigMap settings".to_owned(), 1), ("ConfigMap settings".to_owned(), 17)]);
    let none = findings(CONFIG_MAP);
    assert_eq!(none[0].message, "there is no MigrationPlan in this file, only ConfigMap settings");
    assert!(none[0].is_error(), "a file without a plan is not good");
}

#[test]
fn a_slip_in_the_kind_does_not_hide_a_plan() {
    for (from, to) in
        [("kind: MigrationPlan", "kind: MigratonPlan"), ("gapless.dev/", "gaples.dev/"), ("kind: MigrationPlan\n", "")]
    {
        let text = plan("a", "").replace(from, to);
        assert!(findings(&text).iter().any(Finding::is_error), "{to}");
    }
}

#[test]
fn the_items_of_a_list_are_read_like_documents() {
    let item = |text: &str| {
        let lines: Vec<String> = text.lines().map(|line| format!("    {line}\n")).collect();
        format!("  -\n{}", lines.concat())
    };
    let wrong = plan("b", "      shift: { bake: 10 }\n");
    let list = format!("apiVersion: v1\nkind: List\nitems:\n{}{}{}", item(&plan("a", "")), item(CONFIG_MAP), item(&wrong));
    let contents = read_all(&list);
    assert_eq!((contents.plans.len(), contents.passed_over.len()), (2, 1));
    assert_eq!(contents.passed_over[0].line, 16);
    let refused = contents.plans[1].result.as_ref().unwrap_err();
    assert_eq!(refused.findings[0].path.to_string(), "spec.services[0].shift.bake");
    assert_eq!((refused.findings[0].line, refused.findings[0].column), (Some(31), Some(26)));
}

#[test]
fn what_the_api_server_adds_is_passed_over_also_in_lists() {
    let got = plan("a", "status: { on: off, x: ~ }\n")
        .replace("{ name: a }", "{ name: a, uid: x, generation: 0443, creationTimestamp: ~ }");
    assert_eq!(codes(&got), [], "{:#?}", findings(&got));
    let value: serde_json::Value = serde_yaml::from_str(&got).unwrap();
    let list = serde_json::json!({ "apiVersion": "v1", "kind": "List", "items": [value] });
    assert_eq!(codes(&list.to_string()), []);
}

#[test]
fn aliases_and_merges_mean_what_they_mean_for_kubectl() {
    let side = "{ endpoints: [{ address: 10.20.0.11, port: 8443 }] }";
    let text = plan(
        "a",
        "    - &scr
      name: scr
      legacy: &old { endpoints: &hosts [{ address: 10.20.0.12, port: 8443 }] }
      target: { <<: *old, endpoints: [{ address: 10.30.0.12, port: 8443 }] }
      router: { webhook: { url: \"http://10.0.9.9/routes/scr\" } }
      probes: [{ name: up, send: { http: {} } }]
      needs: [{ service: pds, mode: Before }]
    - <<: [{ name: eps }, *scr]
      legacy: { endpoints: [{ address: 10.20.0.13, port: 8443 }] }
      target: { endpoints: [{ address: 10.30.0.13, port: 8443 }] }
      router: { webhook: { url: \"http://10.0.9.9/routes/eps\" } }
",
    );
    let checked = read(&text).unwrap_or_else(|refused| panic!("{:#?}", refused.findings));
    assert_eq!(checked.revision.plan().services.keys().map(|name| name.as_str()).collect::<Vec<_>>(), ["eps", "pds", "scr"]);
    let eps = &checked.revision.plan().services["eps"];
    assert_eq!((eps.needs.len(), eps.probes.len()), (1, 1), "what was merged counts");

    let wrong = plan("a", "").replace(side, "&old { endpoints: [{ address: 10.20.0.11, port: 0 }] }");
    let wrong = wrong.replace("target: { endpoints: [{ address: 10.30.0.11, port: 8443 }] }", "target: *old");
    let found = findings(&wrong);
    assert!(
        found.iter().all(|finding| finding.line == Some(7)),
        "what came by an alias is shown where it is written: {found:#?}"
    );
    let no_object = plan("a", "").replace("name: pds", "name: pds\n      <<: 7");
    assert_eq!(codes(&no_object), [Code::UnknownField]);
}

#[test]
fn json_is_read_and_has_places() {
    let value: serde_json::Value = serde_yaml::from_str(&plan("a", "      onFailre: Hold\n")).unwrap();
    for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap(), format!("\u{feff}{value}")] {
        let found = findings(&text);
        assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::UnknownField]);
        assert!(found[0].column > Some(1), "{found:?}");
    }
}

#[test]
fn what_comes_before_a_broken_document_is_still_checked() {
    let text = format!("{}---\n{}---\na: [\n---\nb: 1\n", plan("a", ""), plan("b", "      onFailre: Hold\n"));
    let contents = read_all(&text);
    assert_eq!(contents.plans.len(), 3);
    assert!(contents.plans[0].result.is_ok());
    let codes: Vec<Code> = findings(&text).iter().map(|finding| finding.code).collect();
    assert_eq!(codes, [Code::UnknownField, Code::Syntax]);
}

#[test]
fn what_was_misread_is_said_once() {
    let text = plan(
        "a",
        "      gates: [{ name: g, failures: 1_000, guard: yes, check: { probe: { name: up, maxFailureRatio: .inf } } }]\n",
    );
    assert_eq!(codes(&text), [Code::AmbiguousScalar, Code::AmbiguousScalar, Code::BadValue], "{:#?}", findings(&text));
    let label = plan("a", "").replace("{ name: a }", "{ name: a, labels: { on: \"x\" } }");
    assert_eq!(codes(&label), [Code::AmbiguousScalar], "a key that kubectl reads as `true`");
}

// --- hostile texts: refused by counting, before anything is made of them

#[test]
fn a_file_beyond_the_limit_is_not_looked_at() {
    let long = vec![b'x'; SIZE_MAX + 1];
    let contents = read_all(&long);
    assert_eq!(contents.plans[0].result.as_ref().unwrap_err().findings[0].code, Code::TooLarge);
    let hundred_megabytes = vec![b'a'; 100_000_000];
    assert_eq!(read_all(&hundred_megabytes).plans[0].result.as_ref().unwrap_err().findings[0].code, Code::TooLarge);
}

#[test]
fn one_long_line_is_read_once_and_not_shown() {
    let body = "x".repeat(10_000_000);
    let text = plan("a", "").replace("http: {} } }]", &format!("http: {{ method: POST, body: {body} }} }} }}]"));
    let found = findings(&text);
    assert!(
        found.iter().all(|finding| matches!(finding.code, Code::BadValue | Code::TooLarge)),
        "{:?}",
        found.iter().map(|f| f.code)
    );
    assert!(found.iter().all(|finding| finding.message.len() < 1_000), "a message does not repeat it");
}

#[test]
fn nesting_is_bounded_in_every_way_to_nest() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("[{a: ", "}]"), ("a:\n ", "")] {
        for depth in [100, 20_000] {
            let text = format!("spec: {}x{}", open.repeat(depth), close.repeat(depth));
            assert!(findings(&text).iter().any(Finding::is_error), "{depth} {open:?}");
            let text = format!("{}x{}", open.repeat(depth), close.repeat(depth));
            assert!(findings(&text).iter().any(Finding::is_error), "{depth} {open:?}");
        }
    }
}

#[test]
fn an_alias_bomb_is_refused_before_it_is_written_out() {
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let nine = vec![format!("*a{}", level - 1); 9].join(",");
        bomb.push_str(&format!("a{level}: &a{level} [{nine}]\n"));
    }
    assert_eq!(codes(&bomb), [Code::TooLarge]);
    let merged: String = (1..30).map(|i| format!("m{i}: &m{i} {{ <<: [*m{0}, *m{0}], k{i}: 1 }}\n", i - 1)).collect();
    assert_eq!(codes(&format!("m0: &m0 {{ k: 1 }}\n{merged}")), [Code::TooLarge]);
}

#[test]
fn many_mistakes_of_one_kind_are_cut_off() {
    let text = plan("a", &"      gates: []\n".repeat(50_000));
    let found = findings(&text);
    assert!(found.len() <= 1_001, "{}", found.len());
    assert_eq!(found.last().unwrap().code, Code::TooLarge);
}

#[test]
fn a_graph_of_ten_thousand_cycles_is_answered() {
    let mut text =
        "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: { name: knots }\nspec:\n  services:\n".to_owned();
    // Unoptimised, a tenth of it: the graph is the same.
    let services = if cfg!(debug_assertions) { 2_000 } else { 20_000 };
    for i in 0..services {
        let (a, b) = (i / 250, i % 250 + 1);
        text.push_str(&format!(
            "    - name: s{i}\n      needs: [{{ service: s{}, mode: Before }}]\n      legacy: {{ endpoints: [{{ address: 10.0.{a}.{b}, port: 80 }}] }}\n      target: {{ endpoints: [{{ address: 10.1.{a}.{b}, port: 80 }}] }}\n      router: {{ webhook: {{ url: \"http://10.2.0.1/r/{i}\" }} }}\n      probes: [{{ name: up, send: {{ http: {{}} }} }}]\n",
            i ^ 1,
        ));
    }
    let found = findings(&text);
    assert!(found.iter().filter(|finding| finding.code == Code::Cycle).count() >= 999, "{}", found.len());
    assert!(found.len() <= 1_001);
    // One knot of all: a clique would be the square; a ring with chords is what a careless import makes.
    let ring = text.replace("needs: [{", "needs: [{ service: s7, mode: Before }, {");
    assert!(findings(&ring).iter().any(|finding| finding.code == Code::Cycle));
}

#[test]
fn two_workers_find_in_a_large_plan_what_one_finds() {
    let one = plan("large", "");
    let (head, service) = one.split_once("    - name: pds\n").unwrap();
    let own = |at: usize| service.replace("0.11", &format!("{}.{}", at / 250, at % 250 + 1)).replace("pds", &format!("s{at}"));
    let services = (0..500).map(|at| format!("    - name: s{at}\n{}\n", own(at).trim_end()));
    let sound = head.to_owned() + &services.collect::<String>();
    assert!(sound.len() > 64 << 10, "it is read in portions");
    let here = "    - name: s470\n";
    let in_place_of_it = |text: &str| sound.replacen(here, text, 1);
    let line = sound.lines().position(|line| line == here.trim_end()).and_then(|at| u32::try_from(at + 1).ok());
    let below = line.map(|line| line + 1);
    for (text, found, at) in [
        (sound.clone(), vec![], None),
        (format!("{sound}  limits: {{ inMotion: 3 }}\n"), vec![], None),
        (in_place_of_it("    - name: s471\n"), vec![Code::DuplicateName], None),
        (in_place_of_it("    - name: s470\n      onFailre: Hold\n"), vec![Code::UnknownField], below),
        (in_place_of_it("    - name: s470\n      name: s470\n"), vec![Code::DuplicateKey], below),
        (in_place_of_it("    - name: \"s470\n"), vec![Code::Syntax], None),
        (in_place_of_it("    - name: [s470\n"), vec![Code::Syntax], None),
        (in_place_of_it("    - name: s470 ]\n      - x\n"), vec![Code::Syntax], None),
        (in_place_of_it("    - name: &it s470\n"), vec![], None),
        (in_place_of_it("    - name: *it\n"), vec![Code::Syntax], None),
        (format!("{sound}---\n{}", plan("other", "      onFailre: Hold\n")), vec![Code::UnknownField], None),
        (format!("{sound}  services: []\n"), vec![Code::DuplicateKey], None),
    ] {
        let told = read_all(&text);
        assert_eq!(read_all_by(&Threads::new(Some(2)), &text), told);
        let findings = findings(&text);
        let codes: Vec<Code> = findings.iter().filter(|finding| finding.is_error()).map(|finding| finding.code).collect();
        assert!(found.iter().all(|code| codes.contains(code)) && codes.is_empty() == found.is_empty(), "{findings:?}");
        assert!(at.is_none() || findings.iter().any(|finding| finding.line == at), "line {at:?}: {findings:?}");
    }
}
