//! Any plan: every word of the language that a run obeys, in small plans whose times are short.

use gapless::plan::{self, Revision};
use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// A plan in the language, as its document and as its revision.
pub struct AnyPlan {
    pub text: String,
    pub revision: Revision,
}

/// What a plan's services may refer to.
struct Around {
    phases: u64,
    bridge: bool,
    system: bool,
    /// The phase of each service so far.
    placed: Vec<u64>,
    /// Members of the group, which have no shift of their own.
    group: Vec<u64>,
}

/// The plan of a seed; `None` if what was drawn is no sound plan. `tests::most_plans_are_sound` says how often that is.
pub fn of(seed: u64) -> Option<AnyPlan> {
    let text = document(seed).to_string();
    plan::read(&text).ok().map(|read| AnyPlan { text, revision: read.revision })
}

/// What is wrong with the plan of a seed.
pub fn findings(seed: u64) -> Vec<String> {
    let text = document(seed).to_string();
    match plan::read(&text) {
        Ok(_) => Vec::new(),
        Err(refused) => refused.findings.iter().map(|finding| format!("{finding:?}")).collect(),
    }
}

fn span(chance: &mut Chance, seconds: &[u64]) -> String {
    format!("{}s", chance.pick(seconds))
}

fn document(seed: u64) -> Value {
    let chance = &mut Chance::of(seed);
    let services = chance.between(1, 5);
    let phases = chance.between(1, services.min(3));
    let mut around = Around {
        phases,
        bridge: chance.one_in(4),
        system: chance.one_in(3),
        placed: (0..services).map(|ix| ix * phases / services).collect(),
        group: Vec::new(),
    };
    if services >= 2 && chance.one_in(4) {
        let of_first: Vec<u64> = (0..services).filter(|ix| around.placed[usize::try_from(*ix).unwrap()] == 0).collect();
        around.group = if of_first.len() >= 2 { of_first } else { Vec::new() };
    }
    let mut spec = Map::new();
    spec.insert("timeZone".into(), json!("Europe/London"));
    spec.insert("connections".into(), connections());
    spec.insert("roles".into(), roles());
    if around.system {
        spec.insert("legacySystems".into(), json!([{ "name": "estate" }]));
    }
    let windowed = chance.one_in(3);
    if windowed {
        calendar(chance, &mut spec);
    }
    if chance.one_in(4) {
        let tier = json!([{ "tier": "Critical", "max": 1 }]);
        spec.insert("limits".into(), json!({ "inMotion": chance.between(1, 2).max(around.group.len() as u64), "perTier": tier }));
    }
    spec.insert("phases".into(), (0..phases).map(|ix| phase(chance, ix, windowed)).collect());
    if around.bridge {
        spec.insert("bridges".into(), json!([bridge(chance, phases)]));
    }
    spec.insert("services".into(), (0..services).map(|ix| service(chance, ix, &around)).collect());
    if !around.group.is_empty() {
        let members: Vec<String> = around.group.iter().map(|ix| format!("s{ix}")).collect();
        spec.insert("groups".into(), json!([{ "name": "together", "services": members, "shift": shift(chance) }]));
    }
    json!({ "apiVersion": "gapless.dev/v1alpha1", "kind": "MigrationPlan", "metadata": { "name": format!("any-{seed}") }, "spec": spec })
}

fn connections() -> Value {
    json!([
        { "name": "prom", "to": { "prometheus": { "url": "http://10.9.0.1:9090" } } },
        { "name": "ns", "to": { "dns": { "server": "10.9.0.2:53" } }, "secretRef": { "name": "tsig" } },
        { "name": "lb", "to": { "haproxy": { "runtime": "tcp://10.9.0.3:9999" } } },
        { "name": "alerts", "to": { "alertmanager": { "url": "http://10.9.0.4:9093" } } },
        { "name": "desk", "to": { "notify": { "url": "http://10.9.0.5/notices" } } },
    ])
}

fn roles() -> Value {
    json!([
        { "name": "duty", "groups": ["duty"], "deputies": ["desk"] },
        { "name": "desk", "groups": ["desk"] },
        { "name": "safety", "users": ["carol", "dave"] },
    ])
}

/// A run starts at 19:00; the window opens at 20:00.
fn calendar(chance: &mut Chance, spec: &mut Map<String, Value>) {
    let closes = *chance.pick(&["2026-08-28T23:00", "2026-08-29T06:00", "2026-08-30T20:00"]);
    let mut window = json!({ "name": "night", "for": "Shift", "opens": "2026-08-28T20:00", "closes": closes, "reserve": "10m" });
    if chance.one_in(3) {
        window["overrun"] = json!("Hold");
    }
    let ends = json!({ "name": "ends", "for": "Decommission", "opens": "2026-08-29T08:00", "closes": "2026-09-20T20:00" });
    spec.insert("windows".into(), json!([window, ends]));
    if chance.one_in(3) {
        let freeze = json!({ "name": "backup", "from": "2026-08-28T20:30", "until": "2026-08-28T20:50", "reason": "backup" });
        spec.insert("freezes".into(), json!([freeze]));
    }
}

fn approval(chance: &mut Chance) -> Value {
    let role = *chance.pick(&["duty", "safety"]);
    let mut approval = json!({ "allOf": [{ "role": role, "count": chance.between(1, 2) }], "asks": "Go?" });
    if chance.one_in(2) {
        approval["validFor"] = json!("2h");
    }
    approval
}

fn phase(chance: &mut Chance, ix: u64, windowed: bool) -> Value {
    let mut phase = json!({ "name": format!("p{ix}") });
    if ix > 0 {
        let mut after = json!({ "phase": format!("p{}", ix - 1) });
        if chance.one_in(2) {
            after["stableFor"] = json!(span(chance, &[10, 60, 600]));
        }
        if chance.one_in(3) {
            after["gates"] = json!([plain_gate("errors", "15s")]);
        }
        phase["after"] = json!([after]);
    }
    if windowed {
        phase["windows"] = json!(["night"]);
    }
    if chance.one_in(4) {
        phase["approval"] = approval(chance);
    }
    if chance.one_in(4) {
        let at = *chance.pick(&["BeforePhase", "AfterPhase"]);
        phase["tasks"] =
            json!([{ "name": "tell", "at": at, "do": act(chance), "undo": undo(chance, false, false), "expect": "20s" }]);
    }
    phase
}

fn plain_gate(name: &str, every: &str) -> Value {
    json!({ "name": name, "every": every, "check": { "http": { "url": format!("http://10.9.1.1/{name}") } }, "failures": 2 })
}

fn bridge(chance: &mut Chance, phases: u64) -> Value {
    let joined: Vec<String> = (0..phases).map(|ix| format!("p{ix}")).collect();
    let mut bridge = json!({ "name": "peering", "joins": { "phases": joined }, "gates": [plain_gate("both-ways", "5s")] });
    if chance.one_in(3) {
        bridge["external"] = json!({});
    } else {
        let job = |name: &str| json!({ "do": { "job": { "fromCronJob": name } }, "expect": "60s" });
        bridge["managed"] = json!({ "up": job("bridge-up"), "down": job("bridge-down") });
    }
    bridge
}

fn act(chance: &mut Chance) -> Value {
    match chance.below(6) {
        0 => json!({ "manual": { "owner": "desk", "instructions": "Look at it." } }),
        1 => json!({ "job": { "fromCronJob": "work" } }),
        2 => json!({ "wait": { "for": span(chance, &[5, 90]) } }),
        3 => json!({ "silence": { "connection": "alerts", "matchers": ["service=\"s\""], "for": "2h" } }),
        4 => json!({ "notify": { "connection": "desk", "message": "It begins." } }),
        _ => json!({ "http": { "url": "http://10.9.2.1/work" } }),
    }
}

fn undo(chance: &mut Chance, before: bool, last: bool) -> Value {
    match chance.below(6) {
        0 => json!({ "none": "it leaves nothing" }),
        _ if chance.one_in(6) && last => json!({ "impossible": "what was sent was sent" }),
        1 if before => {
            json!({ "do": { "job": { "fromCronJob": "unwork" } }, "when": "BeforeTraffic", "deadline": "60s", "expect": "10s" })
        }
        2 => json!({ "do": { "job": { "fromCronJob": "unwork" } }, "deadline": "5m", "expect": "30s" }),
        _ => json!({ "do": { "http": { "url": "http://10.9.2.1/unwork" } }, "expect": "10s" }),
    }
}

fn shift(chance: &mut Chance) -> Value {
    let steps: &[&[u64]] = &[&[100], &[50, 100], &[5, 25, 100], &[1, 10, 50, 100]];
    json!({ "steps": chance.pick(steps), "bake": span(chance, &[2, 30, 120]) })
}

fn service(chance: &mut Chance, ix: u64, around: &Around) -> Value {
    let (name, phase) = (format!("s{ix}"), around.placed[usize::try_from(ix).unwrap()]);
    let grouped = around.group.contains(&ix);
    let single = !grouped && chance.one_in(4);
    let host =
        |side: u64| -> Value { (1..=2).map(|n| json!({ "address": format!("10.{side}.{ix}.{n}"), "port": 80 })).collect() };
    let capacity = json!({ "perEndpoint": "60/s" });
    let mut legacy = json!({ "endpoints": host(1), "capacity": capacity });
    let mut service = json!({
        "name": name, "phase": format!("p{phase}"),
        "target": { "endpoints": host(2), "capacity": capacity },
        "needs": needs(chance, ix, around),
        "probes": [{ "name": "trace", "every": "1s", "timeout": "800ms", "send": { "http": { "path": "/trace" } } }],
    });
    if chance.one_in(2) {
        service["load"] = json!({ "peak": "80/s", "headroomPercent": 20 });
    }
    if chance.one_in(3) {
        service["tier"] = json!(chance.pick(&["Critical", "Important", "Standard"]));
    }
    let mut gates =
        vec![json!({ "name": "answers", "check": { "probe": { "name": "trace", "successes": chance.between(1, 5) } } })];
    if chance.one_in(4) {
        let query = json!({ "connection": "prom", "query": "rate(errors[10s])", "window": "10s", "max": 1 });
        gates.push(json!({ "name": "errors", "every": "5s", "check": { "prometheus": query }, "guard": !chance.one_in(3) }));
    }
    for gate in &mut gates {
        if chance.one_in(3) {
            gate["unknownLimit"] = json!(span(chance, &[30, 120]));
            gate["onUnknown"] = json!(chance.pick(&["Hold", "Rollback"]));
        }
    }
    service["gates"] = json!(gates);
    let soak = *chance.pick(&[60u64, 600, 3600]);
    service["soak"] = json!({
        "for": format!("{soak}s"), "guardFor": span(chance, &[1, 30]), "onFailure": chance.pick(&["Rollback", "Hold"]),
    });
    if chance.one_in(4) {
        service["onFailure"] = json!("Hold");
    }
    let router = router(chance, ix, single);
    let dns = router.get("dns").is_some();
    if !(grouped || single || dns) {
        service["shift"] = shift(chance);
    } else if !grouped {
        service["shift"] = json!({ "bake": span(chance, &[2, 30]) });
    }
    if chance.one_in(3) {
        let steps = json!([50, 0]);
        service["rollback"] = json!({ "scope": chance.pick(&["Dependents", "Phase", "Run"]) });
        if !(single || dns || grouped) {
            service["rollback"]["steps"] = steps;
        }
    }
    if (router.get("httpRoute").is_some() || router.get("webhook").is_some()) && chance.one_in(5) {
        service["mirror"] = json!({ "percent": 10, "for": span(chance, &[10, 60]) });
    }
    service["router"] = router;
    if chance.one_in(3) {
        service["maxConnectionAge"] = json!(format!("{}s", chance.between(5, soak.min(300))));
    }
    if chance.one_in(4) {
        service["warm"] = json!({ "do": { "http": { "url": "http://10.9.2.1/warm" } } });
    }
    if chance.one_in(5) {
        service["cron"] = json!([format!("nightly-{ix}")]);
    }
    tasks(chance, &mut service);
    ends(chance, &mut service, &mut legacy, around, phase);
    service["legacy"] = legacy;
    if single {
        service["data"] = data(chance);
    }
    service
}

fn needs(chance: &mut Chance, ix: u64, around: &Around) -> Value {
    let mut needs = Vec::new();
    for other in 0..ix {
        if around.group.contains(&ix) && around.group.contains(&other) {
            continue;
        }
        if chance.one_in(2) {
            let across = around.bridge && chance.one_in(3);
            needs.push(if across {
                json!({ "service": format!("s{other}"), "mode": "Across", "bridge": "peering" })
            } else {
                json!({ "service": format!("s{other}") })
            });
        }
    }
    json!(needs)
}

fn router(chance: &mut Chance, ix: u64, single: bool) -> Value {
    let dns = json!({ "dns": {
        "connection": "ns", "zone": "any.example.", "name": format!("s{ix}.any.example."), "type": "A", "ttl": { "during": "5s" },
    } });
    match chance.below(if single { 4 } else { 6 }) {
        0 => dns,
        1 => json!({ "haproxy": { "connection": "lb", "backend": format!("s{ix}") } }),
        2 | 3 => json!({ "webhook": { "url": format!("http://10.3.0.{ix}:80/route") } }),
        4 => json!({ "httpRoute": { "name": format!("s{ix}") } }),
        _ => json!({ "tcpRoute": { "name": format!("s{ix}") } }),
    }
}

fn tasks(chance: &mut Chance, service: &mut Value) {
    let mut tasks = Vec::new();
    for (place, at) in ["BeforePrepare", "BeforeShift", "AfterShift", "AfterSoak"].into_iter().enumerate() {
        if chance.one_in(5) {
            let undo = undo(chance, at == "BeforeShift" || at == "AfterShift", at == "AfterSoak");
            tasks.push(json!({ "name": format!("t{place}"), "at": at, "do": act(chance), "undo": undo, "expect": "20s" }));
        }
    }
    if !tasks.is_empty() {
        service["tasks"] = json!(tasks);
    }
}

fn ends(chance: &mut Chance, service: &mut Value, legacy: &mut Value, around: &Around, phase: u64) {
    if around.system && chance.one_in(2) {
        legacy["system"] = json!("estate");
    }
    if phase + 1 < around.phases && chance.one_in(2) || !chance.one_in(3) {
        return;
    }
    let mut end = json!({ "approval": approval(chance) });
    if chance.one_in(2) {
        end["screamTest"] = json!(span(chance, &[5, 300]));
    }
    service["decommission"] = end;
    if chance.one_in(2) {
        service["drain"] = json!({ "deadline": "10m" });
    }
}

fn data(chance: &mut Chance) -> Value {
    let check = |name: &str| json!({ "http": { "url": format!("http://10.9.3.1/{name}") } });
    let switch = |name: &str| json!({ "do": { "http": { "url": format!("http://10.9.3.1/{name}") } }, "proof": check(name), "expect": "5s" });
    let lag = || json!({ "check": check("lag"), "every": "1s" });
    let mut data = json!({
        "writer": "Single", "pauseBudget": span(chance, &[60, 300]), "lag": lag(), "fence": switch("fence"), "promote": switch("promote"),
    });
    if chance.one_in(2) {
        data["unfence"] = switch("unfence");
    }
    data["reverse"] = if chance.one_in(3) {
        json!({ "none": "nothing is copied back" })
    } else {
        json!({ "lag": lag(), "fence": switch("reverse-fence"), "promote": switch("reverse-promote") })
    };
    if chance.one_in(2) {
        data["reconcile"] = json!([plain_gate("rows", "2s")]);
    }
    data
}

#[test]
fn most_plans_are_sound_and_together_they_have_every_word_that_a_run_obeys() {
    let plans: Vec<AnyPlan> = (0..200).filter_map(of).collect();
    let refused: Vec<String> = (0..200).flat_map(|seed| findings(seed).into_iter().take(1)).collect();
    assert!(plans.len() >= 150, "{} of 200: {:#?}", plans.len(), refused.iter().take(12).collect::<Vec<_>>());
    let words = [
        "windows",
        "freezes",
        "limits",
        "perTier",
        "legacySystems",
        "after",
        "stableFor",
        "approval",
        "tasks",
        "bridges",
        "managed",
        "external",
        "groups",
        "tier",
        "load",
        "needs",
        "Across",
        "maxConnectionAge",
        "mirror",
        "warm",
        "shift",
        "soak",
        "Hold",
        "rollback",
        "scope",
        "gates",
        "onUnknown",
        "guard",
        "cron",
        "drain",
        "decommission",
        "screamTest",
        "data",
        "unfence",
        "reverse",
        "reconcile",
        "dns",
        "haproxy",
        "webhook",
        "httpRoute",
        "tcpRoute",
        "manual",
        "job",
        "wait",
        "silence",
        "notify",
        "impossible",
        "BeforeTraffic",
        "deadline",
        "overrun",
    ];
    let missing: Vec<&str> =
        words.into_iter().filter(|word| !plans.iter().any(|plan| plan.text.contains(&format!("\"{word}\"")))).collect();
    assert!(missing.is_empty(), "no plan has {missing:?}");
}
