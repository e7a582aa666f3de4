//! Every wrong plan in `tests/findings/` is answered exactly as the text beside it says. `GAPLESS_BLESS=1` writes the texts
//! anew; then read them as somebody who has to mend the plan.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use gapless::{
    plan::{Checked, Code, Finding, Refused, Severity, check_spec, read, read_all, spec::Document},
    report::findings::{Colour, FileReport, PlanReport, Source},
};
use proptest::{prelude::*, test_runner::FileFailurePersistence};

fn wrong_plans() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/findings");
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "yaml"));
    files.sort();
    files
}

fn findings(bytes: &[u8]) -> Vec<Finding> {
    let findings = |result| match result {
        Ok(Checked { warnings, .. }) => warnings,
        Err(Refused { findings, .. }) => findings,
    };
    read_all(bytes).plans.into_iter().flat_map(|plan| findings(plan.result)).collect()
}

/// Digests change with the form of a revision, and are no matter of findings.
fn without_digests(text: &str) -> String {
    let mut parts = text.split("digest ");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| format!("{text}digest …{}", part.trim_start_matches(|c: char| c.is_ascii_hexdigit())))
}

#[test]
fn each_wrong_plan_is_answered_as_its_golden_says() {
    let mut differ = Vec::new();
    for file in wrong_plans() {
        let bytes = std::fs::read(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap();
        let text = FileReport::new(name, read_all(&bytes)).text(&Source::new(&String::from_utf8_lossy(&bytes)), Colour::Plain);
        let text = without_digests(&text);
        let golden = file.with_extension("txt");
        if std::env::var_os("GAPLESS_BLESS").is_some() {
            std::fs::write(&golden, &text).unwrap();
        }
        if std::fs::read_to_string(&golden).unwrap_or_default() != text {
            differ.push(format!("---- {name}\n{text}"));
        }
    }
    assert!(differ.is_empty(), "these differ from their goldens:\n{}", differ.join("\n"));
}

/// What a plan file gives, as a person sees it.
fn shown(text: &str) -> String {
    FileReport::new("plan.yaml", read_all(text)).text(&Source::new(text), Colour::Plain)
}

#[test]
fn no_secret_and_no_number_of_a_person_is_shown_again() {
    let secrets = ["hunter2", "token=abc", "tr0ub4dor", "ghp_a1b2c3d4e5f6g7h8i9j0A1B2C3D4E5F6G7H8", "9434765919", "943 476 5919"];
    let mut hidden = 0;
    for file in wrong_plans() {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let shown = shown(&text);
        hidden += secrets.iter().filter(|secret| text.contains(*secret)).count();
        assert!(secrets.iter().all(|secret| !shown.contains(secret)), "{}:\n{shown}", file.display());
    }
    assert!(hidden >= secrets.len(), "{hidden}");
    // A text of several lines, and a mistake of another kind beside a secret.
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/findings/secret-in-plan-texts.yaml")).unwrap();
    let text = text.replace(
        "body: \"ghp_a1b2c3d4e5f6g7h8i9j0A1B2C3D4E5F6G7H8\"",
        "body: \"ghp_a1b2c3d4e5f6g7h8i9j0A1B2C3D4E5F6G7H8\", bdy: x",
    );
    let shown_beside = shown(&text);
    assert!(shown_beside.contains("bdy") && !shown_beside.contains("ghp_a1b2"), "{shown_beside}");
    let text = text.replace("asks: \"Log in as admin, password: tr0ub4dor\" }", "}").replace("approval: { allOf: [{ role: desk }], }", "approval:\n        allOf: [{ role: desk }]\n        asks: |\n          Log in as admin,\n          password: tr0ub4dor\n        aks: x");
    assert!(text.contains("\n          password: tr0ub4dor"));
    let shown = shown(&text);
    assert!(shown.contains("a password or token") && shown.contains("aks") && !shown.contains("tr0ub4dor"), "{shown}");
}

#[test]
fn every_code_is_met_by_a_wrong_plan() {
    let met: BTreeSet<Code> =
        wrong_plans().iter().flat_map(|file| findings(&std::fs::read(file).unwrap())).map(|finding| finding.code).collect();
    let never: Vec<_> = Code::ALL.iter().filter(|code| !met.contains(code)).collect();
    assert!(never.is_empty(), "no wrong plan shows {never:?}");
    for file in wrong_plans() {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let codes: BTreeSet<&str> = findings(&std::fs::read(&file).unwrap()).iter().map(|f| f.code.name()).collect();
        let named = Code::ALL.iter().map(|code| code.name()).find(|code| name == *code || name.starts_with(&format!("{code}-")));
        if let Some(code) = named {
            assert!(codes.contains(code), "{name} does not show {code} but {codes:?}");
        }
    }
}

/// What `--explain` shows of each code is what `check` says.
#[test]
fn the_wrong_plan_of_each_page_shows_its_code_alone_and_the_right_one_is_clean() {
    let mut wrong = Vec::new();
    for code in Code::ALL {
        // What is not run yet is said of every plan that has it; only its own page is about it.
        let of = |plan: &str| {
            let mut found = findings(plan.as_bytes());
            found.retain(|finding| finding.code == *code || finding.severity != Severity::Note);
            found
        };
        let codes: BTreeSet<Code> = of(code.wrong()).iter().map(|finding| finding.code).collect();
        let left = of(code.right());
        if codes != BTreeSet::from([*code]) || !left.is_empty() {
            wrong.push(format!("{code}: the wrong plan shows {codes:?}, the right one {left:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_finding_of_a_text_has_a_place_and_says_what_to_do() {
    for file in wrong_plans() {
        for finding in findings(&std::fs::read(&file).unwrap()) {
            let what = format!("{}: {finding}", file.display());
            assert!(finding.line.is_some() || file.ends_with("syntax-empty.yaml"), "{what} has no place");
            assert!(!finding.message.is_empty() && !finding.help.is_empty(), "{what} says nothing");
            assert!(!finding.message.ends_with('.') && !finding.help.ends_with('.'), "{what}: one style, no full stops");
        }
    }
}

#[test]
fn a_plan_of_1200_services_is_checked_and_warned_of_as_one_object() {
    let mut text =
        "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: { name: big }\nspec:\n  services:\n".to_owned();
    for i in 0..1200 {
        let (a, b, filler) = (i / 250, i % 250 + 1, "x".repeat(900));
        text.push_str(&format!(
            "    - name: s{i}\n      needs: [{}]\n      legacy: {{ endpoints: [{{ address: 10.0.{a}.{b}, port: 80 }}] }}\n      target: {{ endpoints: [{{ address: 10.1.{a}.{b}, port: 80 }}] }}\n      router: {{ webhook: {{ url: \"http://10.2.0.1/r/{i}\" }} }}\n      probes: [{{ name: up, send: {{ http: {{ method: POST, body: {filler} }} }} }}]\n",
            if i == 0 { String::new() } else { format!("{{ service: s{} }}", i - 1) },
        ));
    }
    let started = std::time::Instant::now();
    let checked = read(&text).unwrap_or_else(|refused| panic!("{:#?}", &refused.findings[..3.min(refused.findings.len())]));
    assert_eq!(checked.warnings.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::TooLarge]);
    assert!(started.elapsed().as_secs() < 20, "even a debug build takes {:?}", started.elapsed());
    eprintln!("1,200 services, {} bytes: {:?}", text.len(), started.elapsed());
}

#[test]
fn an_object_of_the_api_server_is_judged_as_the_file_it_came_from() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/plans/three-services.yaml")).unwrap();
    let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    let mut document: Document = serde_json::from_value(value).unwrap();
    let from_object = |document: &Document| check_spec("three-services", "spine", &document.spec);
    assert_eq!(from_object(&document).unwrap().revision.digest(), read(&text).unwrap().revision.digest());
    document.spec.services[0].needs = document.spec.services[1].needs.clone();
    let refused = from_object(&document).unwrap_err();
    let cycle = refused.findings.iter().find(|finding| finding.code == Code::Cycle).unwrap();
    assert_eq!(cycle.path.to_string(), "spec.services[0].needs[0].service");
    assert_eq!(cycle.line, None);
}

/// Text that is nearly YAML: the words of plans, indentation, brackets and marks in any order.
fn nearly_yaml() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "apiVersion: gapless.dev/v1alpha1",
        "kind: MigrationPlan",
        "metadata:",
        "spec:",
        "services:",
        "phases:",
        "- name: a",
        "name: b",
        "needs: [{ service: a }]",
        "legacy:",
        "target: {",
        "endpoints: [",
        "address: 10.0.0.1",
        "port: 80",
        "}",
        "]",
        "router: { webhook: { url: \"http://a\" } }",
        "gates:",
        "probes:",
        "every: 1s",
        "&x",
        "*x",
        "!t",
        "|",
        ">",
        "---",
        "...",
        "? ",
        ": ",
        "- ",
        "\t",
        "\"",
        "'",
        "#",
        ",",
        "{",
        "[",
        "\u{feff}",
        "\r",
        "\u{85}",
        "\u{0}",
        "é",
        "%YAML 1.2",
        "<<: *x",
        "~",
        "0x1F",
        ".nan",
        "1e999",
        "99999999999999999999999999",
        "-",
        "steps: [1, 100]",
        "shift:",
        "true",
        "null",
    ]);
    let line = (0usize..9, prop::collection::vec(words, 1..4))
        .prop_map(|(indent, words)| format!("{}{}", " ".repeat(indent), words.join(" ")));
    prop::collection::vec(line, 0..25).prop_map(|lines| lines.join("\n"))
}

/// A plan with one stretch replaced by something else: a good one, or one that has every part of the language.
fn torn_plan() -> impl Strategy<Value = String> {
    prop_oneof![torn(include_str!("../plans/three-services.yaml")), torn(include_str!("findings/thirty-mistakes.yaml")),]
}

fn torn(good: &'static str) -> impl Strategy<Value = String> {
    let chars: Vec<char> = good.chars().collect();
    (0..chars.len(), 0usize..40, "[ -~\n]{0,12}").prop_map(move |(from, length, other)| {
        let to = (from + length).min(chars.len());
        chars[..from].iter().chain(&other.chars().collect::<Vec<_>>()).chain(&chars[to..]).collect()
    })
}

fn answers(bytes: &[u8]) -> Result<(), TestCaseError> {
    let report = PlanReport::new("-", read(bytes));
    let _ = report.text(&String::from_utf8_lossy(bytes), Colour::Terminal);
    prop_assert!(report.digest.is_some() || !report.findings.is_empty(), "refused without a reason");
    prop_assert_eq!(findings(bytes), findings(bytes), "the same text has the same answer");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/findings.proptest-regressions"))),
        ..ProptestConfig::default()
    })]
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        answers(&bytes)?;
    }
    #[test]
    fn any_text_is_answered(text in "\\PC{0,300}") {
        answers(text.as_bytes())?;
    }
    #[test]
    fn nearly_yaml_is_answered(text in nearly_yaml()) {
        answers(text.as_bytes())?;
    }
    #[test]
    fn a_torn_plan_is_answered(text in torn_plan()) {
        answers(text.as_bytes())?;
    }
}
