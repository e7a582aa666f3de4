//! Dry runs of the example plans, word for word as their goldens say. `GAPLESS_BLESS=1` writes the goldens anew; then read them
//! as somebody who has to sign one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test may panic")]

mod looks;

use std::path::{Path, PathBuf};

use gapless::{
    engine::Outcome,
    plan::{self, Revision, Span, WindowPurpose},
    preview::{Options, Preview, back::Fate, back_from, preview, report::Kind},
    report::preview as show,
};
use jiff::Timestamp;

fn plans() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("plans")).unwrap().map(|e| e.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "yaml"));
    files.sort();
    assert!(files.len() >= 2);
    files
}

fn name(file: &Path) -> String {
    file.file_stem().unwrap().to_str().unwrap().to_owned()
}

fn revision(file: &Path) -> Revision {
    plan::read(std::fs::read(file).unwrap()).unwrap_or_else(|refused| panic!("{}: {refused:?}", file.display())).revision
}

fn options(revision: &Revision) -> Options {
    let shifts = revision.plan().windows.values().filter(|window| window.purpose == WindowPurpose::Shift);
    let first: Option<Timestamp> = shifts.map(|window| window.opens).min();
    Options { start: first.unwrap_or_else(|| "2026-08-28T20:00:00Z".parse().unwrap()), people: Span::from_secs(0) }
}

fn of(file: &Path) -> (Revision, Preview) {
    let revision = revision(file);
    let shown = preview(&revision, options(&revision), Vec::new());
    (revision, shown)
}

/// Digests change with the form of a revision.
fn without_digest(text: &str, shown: &Preview) -> String {
    text.replace(&shown.digest, "DIGEST").replace(&shown.digest[..12], "DIGEST")
}

#[test]
fn each_example_is_previewed_as_its_golden_says() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/preview/golden");
    std::fs::create_dir_all(&golden).unwrap();
    let mut differ = Vec::new();
    for file in plans() {
        let (_, shown) = of(&file);
        let text = without_digest(&show::text(&shown), &shown);
        let kept = golden.join(format!("{}.txt", name(&file)));
        if std::env::var_os("GAPLESS_BLESS").is_some() {
            std::fs::write(&kept, &text).unwrap();
        }
        if std::fs::read_to_string(&kept).unwrap_or_default() != text {
            differ.push(format!("---- {}\n{text}", name(&file)));
        }
    }
    assert!(differ.is_empty(), "these differ from their goldens:\n{}", differ.join("\n"));
}

#[test]
fn every_example_is_carried_out_to_its_end() {
    for file in plans() {
        let (_, shown) = of(&file);
        assert_eq!(shown.outcome, Outcome::Completed, "{}: {:?}", name(&file), shown.stuck);
        assert!(shown.finish.is_some() && shown.moved.is_some(), "{}", name(&file));
        assert!(shown.steps.iter().all(|step| step.end.is_some_and(|end| end >= step.start)), "{}", name(&file));
        assert!(!shown.critical_path.is_empty());
    }
}

/// A service whose first task was ordered in a pass was once not counted for the rest of that pass.
#[test]
fn never_are_more_services_in_motion_than_the_plan_allows() {
    let limited = plans().into_iter().filter_map(|file| {
        let (revision, shown) = of(&file);
        let max = revision.plan().limits.in_motion?;
        assert!(shown.at_once <= max as usize, "{}: {} in motion, {max} allowed", name(&file), shown.at_once);
        Some(max)
    });
    assert!(limited.count() >= 2);
}

#[test]
fn a_service_starts_after_all_it_needs_and_weights_rise() {
    for file in plans() {
        let (revision, shown) = of(&file);
        for (service, rule) in &revision.plan().services {
            let own = |name: &str| shown.services.iter().find(|s| s.name == name).unwrap();
            for need in rule.before() {
                let together = revision.plan().group_of(service).is_some_and(|(_, group)| group.services.contains(need));
                assert!(together || own(service.as_str()).starts >= own(need.as_str()).moved, "{service} before {need}");
            }
            let shifts = shown.steps.iter().filter(|s| s.service.as_deref() == Some(service.as_str()) && s.kind == Kind::Shift);
            let weights: Vec<u8> = shifts.filter_map(|step| step.weight).collect();
            assert!(weights.is_sorted() && weights.last() == Some(&100), "{service}: {weights:?}");
        }
    }
}

#[test]
fn the_same_plan_gives_the_same_bytes() {
    for file in plans() {
        let bytes = |(_, shown): &(Revision, Preview)| serde_json::to_vec(shown).unwrap();
        assert_eq!(bytes(&of(&file)), bytes(&of(&file)), "{}", name(&file));
    }
}

/// Three services, one after the other, each of which needs an hour of a night's window.
const NIGHT: &str = "apiVersion: gapless.dev/v1alpha1
kind: MigrationPlan
metadata: { name: night }
spec:
  windows: [{ name: night, for: Shift, opens: 2026-08-28T20:00, closes: 2026-08-29T01:00, reserve: 1h }]
  limits: { inMotion: 1 }
  phases: [{ name: all, windows: [night] }]
  defaults:
    shift: { steps: [10, 50, 100], bake: 20m }
    probes: [{ name: up, send: { http: {} } }]
    gates: [{ name: up, check: { probe: { name: up, successes: 5 } } }]
  services:
    - { name: one, needs: [], legacy: { endpoints: [{ address: 10.0.0.1, port: 80 }] }, target: { endpoints: [{ address: 10.0.1.1, port: 80 }] }, router: { webhook: { url: \"http://10.0.9.9/1\" } } }
    - { name: three, needs: [], legacy: { endpoints: [{ address: 10.0.0.3, port: 80 }] }, target: { endpoints: [{ address: 10.0.1.3, port: 80 }] }, router: { webhook: { url: \"http://10.0.9.9/3\" } } }
    - { name: two, needs: [], legacy: { endpoints: [{ address: 10.0.0.2, port: 80 }] }, target: { endpoints: [{ address: 10.0.1.2, port: 80 }] }, router: { webhook: { url: \"http://10.0.9.9/2\" } } }
";

#[test]
fn a_window_that_leaves_somebody_does_not_fit() {
    let revision = plan::read(NIGHT).unwrap().revision;
    let begun = |start: &str| {
        let options = Options { start: start.parse().unwrap(), people: Span::ZERO };
        preview(&revision, options, Vec::new())
    };
    let early = begun("2026-08-28T20:00:00Z");
    assert!(early.windows[0].fits && early.windows[0].left.is_empty() && early.fits_window == Some(true));
    for (start, left, words) in [
        ("2026-08-28T21:45:00Z", vec!["two"], "does not fit: two does not get through"),
        ("2026-08-28T23:30:00Z", vec!["one", "three", "two"], "does not fit: one, three, two do not get through"),
    ] {
        let late = begun(start);
        assert_eq!((late.windows[0].fits, &late.windows[0].left), (false, &left.iter().map(ToString::to_string).collect()));
        assert_eq!((late.fits_window, late.finish), (Some(false), None));
        assert!(show::text(&late).contains(words) && show::markdown(&late).contains(words), "{}", show::text(&late));
        let page = show::html(&late);
        let marked = page.lines().find(|line| line.contains("window night")).unwrap();
        assert!(page.contains(words) && marked.contains("is-bad"), "{marked}");
    }
}

#[test]
fn going_back_half_way_takes_back_what_has_begun() {
    let revision = revision(&Path::new(env!("CARGO_MANIFEST_DIR")).join("plans/three-services.yaml"));
    let back = back_from(&revision, options(&revision), "pds/shift-50").unwrap();
    assert_eq!(back.outcome, Outcome::RolledBack);
    let order: Vec<&str> = back.steps.iter().filter(|s| s.id.ends_with("/return")).map(|s| s.id.as_str()).collect();
    assert_eq!(order.last(), Some(&"tms/return"), "what the others need goes back last: {order:?}");
    assert!(back.takes_ms.is_some_and(|ms| ms > 0));
    let near = back_from(&revision, options(&revision), "pds/shift-55").unwrap_err();
    assert_eq!(near.first().map(String::as_str), Some("pds/shift-50"), "{near:?}");
    assert_eq!(back_from(&revision, options(&revision), "nothing-of-the-kind"), Err(Vec::new()));
}

#[test]
fn from_every_kind_of_step_of_every_example_the_way_back_is_told() {
    for file in plans() {
        let (revision, shown) = of(&file);
        let mut kinds: Vec<Kind> = Vec::new();
        for step in &shown.steps {
            if kinds.contains(&step.kind) {
                continue;
            }
            kinds.push(step.kind);
            let back = back_from(&revision, options(&revision), &step.id).unwrap();
            assert!(back.at >= step.start, "{}: {}", name(&file), step.id);
            assert!(show::back(&back).contains(&step.id));
            let on_target = back.services.iter().any(|service| service.weight > 0 && service.fate == Fate::Returns);
            assert_eq!(on_target, back.traffic_back.is_some(), "{}: {}", name(&file), step.id);
        }
    }
}

/// The picture in the README is what the command draws; the digest in it may be that of an older form of the revision.
#[test]
fn the_picture_in_the_readme_is_the_commands_own() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (_, shown) = of(&root.join("plans/spine-weekend.yaml"));
    let (kept, drawn) = (root.join("docs/preview.svg"), show::svg(&shown));
    if std::env::var_os("GAPLESS_BLESS").is_some() {
        std::fs::write(&kept, &drawn).unwrap();
    }
    let without_revision = |svg: &str| {
        let (before, after) = svg.split_once("dry run of revision ").expect("the heading tells the revision");
        format!("{before}{}", &after[12..])
    };
    assert!(
        without_revision(&std::fs::read_to_string(&kept).unwrap()) == without_revision(&drawn),
        "docs/preview.svg is old: GAPLESS_BLESS=1 draws it anew"
    );
}

/// The elements of a document that are left open, or closed without having been opened.
fn unbalanced(markup: &str) -> Vec<String> {
    const VOID: [&str; 2] = ["meta", "br"];
    let mut open: Vec<String> = Vec::new();
    let mut wrong = Vec::new();
    for part in markup.split('<').skip(1) {
        let (tag, _) = part.split_once('>').unwrap_or((part, ""));
        let name = tag.trim_start_matches('/').split([' ', '\n', '/']).next().unwrap();
        if tag.starts_with('!') || VOID.contains(&name) || tag.ends_with('/') {
            continue;
        }
        match tag.strip_prefix('/') {
            None => open.push(name.to_owned()),
            Some(closed) if open.last().is_some_and(|last| last == closed) => drop(open.pop()),
            Some(closed) => wrong.push(closed.to_owned()),
        }
    }
    open.into_iter().chain(wrong).collect()
}

#[test]
fn pages_and_pictures_stand_alone_and_are_whole() {
    for file in plans() {
        let (_, shown) = of(&file);
        for drawn in [show::svg(&shown), show::html(&shown)] {
            assert_eq!(unbalanced(&drawn), Vec::<String>::new(), "{}", name(&file));
            for outside in ["<script", "<link", "<img", "url(", "@import", " src=", " href=", "NaN", "inf"] {
                let found = outside == "inf" && !drawn.contains("\"inf");
                assert!(found || !drawn.contains(outside), "{}: {outside}", name(&file));
            }
            for service in shown.services.iter().filter(|_| shown.services.len() <= show::timeline::MANY) {
                assert!(drawn.contains(&service.name), "{}: {}", name(&file), service.name);
            }
        }
    }
    assert_eq!(unbalanced("<a><b></a>"), ["a", "b", "a"]);
}

/// The middles of all signs of a class, of which half is so wide and begins so far above the middle.
fn signs(drawn: &str, class: &str, half: f64, above: f64) -> Vec<(f64, f64)> {
    let place = |path: &str| {
        let (x, y) = path.split(['l', '"']).next().unwrap().split_once(' ').unwrap();
        (x.parse::<f64>().unwrap() + half, y.parse::<f64>().unwrap() + above)
    };
    drawn.split(&format!("<path class=\"{class}\" d=\"M")).skip(1).map(place).collect()
}

#[test]
fn no_approval_hides_a_point_of_no_return() {
    let mut crosses = 0;
    for file in plans() {
        let (_, shown) = of(&file);
        for drawn in [show::svg(&shown), show::html(&shown)] {
            for drawn in drawn.split("<svg").skip(1) {
                let (approvals, finals) = (signs(drawn, "yes", 6.0, 0.0), signs(drawn, "no", 4.5, 4.5));
                crosses += finals.len();
                for (x, y) in finals {
                    let hides = |other: &&(f64, f64)| (other.1 - y).abs() < 1.0 && (other.0 - x).abs() < 10.0;
                    assert_eq!(approvals.iter().find(hides), None, "{} at {x} {y}", name(&file));
                }
            }
        }
    }
    assert!(crosses > 100);
}

#[test]
fn the_legend_tells_of_what_is_drawn_and_of_nothing_else() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let drawn = |plan: &str| show::svg(&of(&root.join(plan)).1);
    let (small, large) = (drawn("quickstart.yaml"), drawn("spine-weekend.yaml"));
    for sign in ["approval", "freeze", "time cut short", "deadline", "window for the end of legacy"] {
        let told = format!(">{sign}</text>");
        assert!(large.contains(&told) && !small.contains(&told), "{sign}");
    }
    assert!(small.contains(">share on target</text>"));
}

#[test]
fn texts_of_a_plan_are_texts_in_every_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("plans/spine-weekend.yaml")).unwrap();
    let text = text.replace("Core ready? ", "<script>alert(1)</script> | a ");
    let revision = plan::read(text.into_bytes()).unwrap().revision;
    let shown = preview(&revision, options(&revision), Vec::new());
    assert!(!show::html(&shown).contains("<script") && !show::svg(&shown).contains("<script"));
    assert!(show::markdown(&shown).contains("&lt;script>alert(1)&lt;/script> \\| a"));
}
