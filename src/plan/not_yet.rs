//! The parts of the plan language that this version does not run. Each is refused by name; none is ignored.

use super::{
    finding::{Code, Finding},
    path::Path,
};

/// Kind of place, fields there.
const FIELDS: &[(&str, &[&str])] = &[
    (
        "spec",
        &[
            "timeZone",
            "deadline",
            "connections",
            "windows",
            "freezes",
            "limits",
            "requireRehearsal",
            "roles",
            "legacySystems",
            "defaults",
            "bridges",
            "groups",
        ],
    ),
    ("spec.phases[]", &["windows", "approval", "tasks"]),
    ("spec.phases[].after[]", &["stableFor", "gates"]),
    ("spec.services[]", &["tier", "maxConnectionAge", "mirror", "warm", "tasks", "cron", "drain", "decommission", "data"]),
    ("spec.services[].needs[]", &["bridge"]),
    ("spec.services[].legacy", &["system", "workload"]),
    ("spec.services[].target", &["system", "workload"]),
    ("spec.services[].router", &["grpcRoute", "tlsRoute", "tcpRoute", "haproxy", "dns", "endpointSlice"]),
    ("spec.services[].rollback", &["steps"]),
    ("spec.services[].gates[]", &["disabled"]),
    ("spec.services[].gates[].check", &["prometheus"]),
];

/// The values of fields that are otherwise run.
const VALUES: &[(&str, &str)] = &[("spec.services[].needs[].mode", "Across")];

/// Whether a field of this name, at the object at `owner`, belongs to the plan language but not to this version.
pub fn field(owner: &Path, name: &str) -> bool {
    let kind = owner.kind();
    FIELDS.iter().any(|(place, names)| *place == kind && names.contains(&name))
}

/// Whether this value at `path` belongs to the plan language but not to this version.
pub fn value(path: &Path, value: &str) -> bool {
    let kind = path.kind();
    VALUES.iter().any(|(place, word)| *place == kind && *word == value)
}

/// The finding for the field at `path`.
pub fn refuse_field(path: Path) -> Finding {
    let name = path.last().map(|last| Path::top().join(last.clone()).to_string()).unwrap_or_default();
    let message = format!("`{name}` is part of the plan language, but this version of gapless does not run it");
    Finding::error(Code::NotYet, path, message, "remove it: it is refused rather than ignored, so that nobody relies on it")
        .at_key()
}

/// The finding for the value at `path`.
pub fn refuse_value(path: Path, word: &str) -> Finding {
    let message = format!("`{word}` is part of the plan language, but this version of gapless does not run it");
    Finding::error(
        Code::NotYet,
        path,
        message,
        "use another value: it is refused rather than ignored, so that nobody relies on it",
    )
}
