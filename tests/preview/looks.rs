//! Looking where something can have changed comes to the same as looking at everything at every moment, as a live run does:
//! for the examples and for plans of many shapes. Whoever makes the lines of it.

use std::fmt::Write as _;

use gapless::{
    plan::{self, Alone, Crew, Revision, Span},
    preview::{Looks, Options, Preview, preview_by},
};

/// A small source of numbers that are the same each time (xorshift64*, Vigna 2016).
struct Numbers(u64);
impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % limit
    }
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

/// A plan of this shape: phases one after the other or side by side, needs, groups, limits, windows, tasks, batch jobs, shadow
/// traffic, approvals, ends of legacy.
fn plan_of(seed: u64) -> String {
    let mut n = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (services, phases) = (3 + n.below(12), 1 + n.below(4));
    let mut text = "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: { name: shape }\nspec:\n".to_owned();
    let windows = n.below(3) == 0;
    if windows {
        text.push_str(
            "  windows:\n    - { name: one, for: Shift, opens: 2026-08-28T20:00, closes: 2026-08-29T08:00, reserve: 30m }\n",
        );
        text.push_str("    - { name: two, for: Shift, opens: 2026-08-30T20:00, closes: 2026-09-02T08:00, reserve: 30m }\n");
        text.push_str("  freezes: [{ name: fair, from: 2026-08-31T08:00, until: 2026-08-31T20:00, reason: a fair }]\n");
    }
    if n.below(2) == 0 {
        writeln!(text, "  limits: {{ inMotion: {} }}", 2 + n.below(4)).unwrap();
    }
    text.push_str("  roles: [{ name: duty, users: [ann, bob, cid] }]\n  legacySystems: [{ name: estate }]\n  phases:\n");
    for phase in 0..phases {
        let after = match (phase, n.below(4)) {
            (0, _) | (_, 0) => String::new(),
            (_, 1) => format!(", after: [{{ phase: p{}, stableFor: {}m }}]", phase - 1, 1 + n.below(90)),
            _ => format!(", after: [{{ phase: p{} }}]", phase - 1),
        };
        let own = if windows { ", windows: [one, two]" } else { "" };
        let approval = if n.below(3) == 0 { ", approval: { allOf: [{ role: duty }], validFor: 40h, asks: \"Go?\" }" } else { "" };
        let tasks = n.pick(&["", ", tasks: [{ name: room, at: BeforePhase, do: { wait: { for: 7m } }, undo: { none: nothing } }]",
            ", tasks: [{ name: room, at: AfterPhase, do: { manual: { owner: duty, instructions: sweep } }, undo: { none: nothing } }]"]);
        writeln!(text, "    - {{ name: p{phase}{after}{own}{approval}{tasks} }}").unwrap();
    }
    text.push_str("  services:\n");
    for i in 0..services {
        let phase = i * phases / services;
        let needs = if i > 0 && n.below(2) == 0 {
            format!("needs: [{{ service: s{}, mode: Before }}], ", n.below(i))
        } else {
            String::new()
        };
        let system = n.pick(&["", "system: estate, "]);
        let besides = [
            "warm: { do: { wait: { for: 3m } } }",
            "mirror: { percent: 10, for: 20m }",
            "cron: [nightly]",
            "tasks: [{ name: pause, at: BeforeShift, do: { wait: { for: 5m } }, undo: { none: nothing } }, { name: call, at: AfterShift, do: { manual: { owner: duty, instructions: call } }, undo: { none: nothing } }]",
            "tasks: [{ name: look, at: BeforePrepare, do: { wait: { for: 1m } }, undo: { none: nothing } }, { name: tidy, at: AfterSoak, do: { wait: { for: 2m } }, undo: { none: nothing } }]",
            "decommission: { approval: { allOf: [{ role: duty }], validFor: 40h, asks: \"Off?\" }, screamTest: 3h }",
        ];
        let mut own = String::new();
        let two = [besides[usize::try_from(n.below(6)).unwrap()], besides[usize::try_from(n.below(6)).unwrap()]];
        for (index, field) in two.iter().enumerate() {
            let key = field.split(':').next().unwrap();
            if n.below(2) == 0 && (index == 0 || !two[0].starts_with(key)) {
                write!(own, ", {field}").unwrap();
            }
        }
        let (steps, bake) = (n.pick(&["[100]", "[10, 100]", "[1, 25, 100]"]), n.pick(&["30s", "10m", "45m"]));
        let (soak, every) = (n.pick(&["30s", "2h", "3d"]), n.pick(&["1s", "7s"]));
        writeln!(text, "    - {{ name: s{i}, phase: p{phase}, {needs}load: {{ peak: 10/s, headroomPercent: 0 }}, legacy: {{ {system}endpoints: [{{ address: 10.1.0.{}, port: 80 }}] }}, \
            target: {{ endpoints: [{{ address: 10.2.0.{}, port: 80 }}] }}, router: {{ httpRoute: {{ name: r{i} }} }}, shift: {{ steps: {steps}, bake: {bake} }}, soak: {{ for: {soak}, guardFor: 10s }}, \
            probes: [{{ name: up, every: {every}, timeout: 1s, send: {{ http: {{}} }} }}]{own} }}", i + 1, i + 1).unwrap();
    }
    if services > 5 && n.below(2) == 0 {
        text.push_str("  groups: [{ name: pair, services: [s0, s1], shift: { steps: [10, 100], bake: 20m } }]\n");
    }
    text
}

/// Two workers.
struct Two;
impl Crew for Two {
    fn size(&self) -> usize {
        2
    }
    fn work(&self, work: &(dyn Fn(usize) + Sync)) {
        std::thread::scope(|scope| {
            scope.spawn(|| work(1));
            work(0);
        });
    }
}

fn both(revision: &Revision, people: u64) -> [Preview; 2] {
    let options = Options { people: Span::from_secs(people), ..super::options(revision) };
    let by: [(&dyn Crew, Looks); 2] = [(&Two, Looks::Following), (&Alone, Looks::Whole)];
    by.map(|(crew, looks)| preview_by(crew, revision, options, Vec::new(), looks))
}

fn same(what: &str, [following, whole]: &[Preview; 2]) {
    let line =
        |step: &gapless::preview::report::StepLine| format!("{} {} {:?} {:?}", step.start, step.id, step.end, step.waited_for);
    let lines = |preview: &Preview| preview.steps.iter().map(line).collect::<Vec<_>>();
    let (one, other) = (lines(following), lines(whole));
    let first = one.iter().zip(&other).find(|(one, other)| one != other);
    assert!(first.is_none() && one.len() == other.len(), "{what}: {} and {} steps, first {first:#?}", one.len(), other.len());
    assert_eq!(following, whole, "{what}");
}

#[test]
fn looking_where_something_can_have_changed_comes_to_the_same_as_looking_at_everything() {
    for file in super::plans() {
        for people in [0, 5_400] {
            same(&super::name(&file), &both(&super::revision(&file), people));
        }
    }
}

#[test]
fn the_same_holds_for_plans_of_many_shapes() {
    let (mut looked, mut refused) = (0, Vec::new());
    for seed in 0..150 {
        match plan::read(plan_of(seed).into_bytes()) {
            Ok(checked) => {
                looked += 1;
                same(&format!("seed {seed}\n{}", plan_of(seed)), &both(&checked.revision, seed % 3 * 600));
            }
            Err(why) => {
                refused.push(why.findings.into_iter().find(|finding| finding.is_error()).map(|finding| finding.to_string()))
            }
        }
    }
    assert!(looked > 80, "{looked} plans were good; of the others: {:#?}", refused.iter().take(8).collect::<Vec<_>>());
}
