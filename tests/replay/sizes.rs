//! How large the lines of a journal are: bounded by what changes, not by how many services there are.

use std::fmt::Write as _;

use gapless::{
    plan::{self, Revision},
    world::{Happening, Moment, Tone},
};

use crate::journal::Kept;

/// So many services in ten phases one after the other.
pub fn many(services: usize) -> Revision {
    let mut text =
        "apiVersion: gapless.dev/v1alpha1\nkind: MigrationPlan\nmetadata: { name: many }\nspec:\n  phases:\n".to_owned();
    for phase in 0..10 {
        let after = if phase > 0 { format!(", after: [{{ phase: p{} }}]", phase - 1) } else { String::new() };
        writeln!(text, "    - {{ name: p{phase}{after} }}").unwrap();
    }
    text.push_str("  services:\n");
    for index in 0..services {
        let (high, low, phase) = (index / 250, index % 250, index * 10 / services);
        write!(
            text,
            "    - name: service-{index:04}
      needs: []
      phase: p{phase}
      load: {{ peak: 80/s, headroomPercent: 20 }}
      legacy: {{ endpoints: [{{ address: 10.1.{high}.{low}, port: 80 }}, {{ address: 10.2.{high}.{low}, port: 80 }}], capacity: {{ perEndpoint: 60/s }} }}
      target: {{ endpoints: [{{ address: 10.3.{high}.{low}, port: 80 }}, {{ address: 10.4.{high}.{low}, port: 80 }}], capacity: {{ perEndpoint: 60/s }} }}
      router: {{ webhook: {{ url: 'http://10.5.{high}.{low}:80/route' }} }}
      shift: {{ steps: [5, 25, 100], bake: 30s }}
      soak: {{ for: 1h, guardFor: 10s, onFailure: Rollback }}
      probes: [{{ name: p, every: 5s, timeout: 1s, send: {{ http: {{ path: / }} }} }}]
      gates: [{{ name: answers, every: 5s, failures: 3, unknownLimit: 60s, check: {{ probe: {{ name: p, successes: 5 }} }} }}]
"
        )
        .unwrap();
    }
    plan::read(&text).unwrap_or_else(|refused| panic!("{:#?}", refused.findings)).revision
}

/// Bytes of a line by what it tells: the first one, the others in the middle and at most for each service that changes.
fn measure(services: usize) -> (usize, usize, usize) {
    let mut kept = Kept::ideal(&many(services));
    kept.sim.schedule(Moment(400_000), Happening::Gate(0, Tone::Silent)); // in its soak
    kept.sim.schedule(Moment(430_000), Happening::Gate(0, Tone::Good));
    kept.run();
    kept.same(1);
    let first = kept.lines[0].text().len();
    let others = kept.lines.iter().skip(1);
    let mut each: Vec<usize> =
        others.map(|line| line.text().len() / line.changes.as_ref().unwrap().services.len().max(1)).collect();
    each.sort_unstable();
    let (middle, most) = (each[each.len() / 2], each[each.len() - 1]);
    let total: usize = kept.lines.iter().map(|line| line.text().len()).sum();
    println!(
        "{services} services: {} lines, {total} bytes; the first {first}; for each service that changes {middle} in the middle, {most} at most",
        kept.lines.len()
    );
    (first, middle, most)
}

#[test]
fn a_line_is_as_large_as_what_changes() {
    let few = measure(3);
    let more = measure(if std::env::var_os("GAPLESS_REPLAY").is_some() { 1_200 } else { 60 });
    assert!(few.1 < 6_000, "{few:?}");
    assert!(more.1 < 2 * few.1, "{few:?}, {more:?}");
}
