//! Moments: whether the zone's clock shows each of them exactly once, and whether spans of time have a length.

use super::Notes;
use crate::plan::{
    finding::{Code, Finding, nearest},
    moment::{Moment, NoMoment, Zone},
    path::Path,
    spec::MigrationPlanSpec,
};

/// Judges the zone and every moment of a plan.
pub(super) fn check(spec: &MigrationPlanSpec, notes: &mut Notes) {
    let base = Path::top().key("spec");
    let Some(zone) = zone(spec.time_zone.as_deref(), &base.key("timeZone"), notes) else { return };
    if let Some(deadline) = spec.deadline {
        moment(&zone, deadline, base.key("deadline"), notes);
    }
    for (index, window) in spec.windows.iter().enumerate() {
        let path = base.key("windows").index(index);
        between(&zone, [window.opens, window.closes], [path.key("opens"), path.key("closes")], notes);
    }
    for (index, freeze) in spec.freezes.iter().enumerate() {
        let path = base.key("freezes").index(index);
        between(&zone, [freeze.from, freeze.until], [path.key("from"), path.key("until")], notes);
    }
}

fn zone(name: Option<&str>, path: &Path, notes: &mut Notes) -> Option<Zone> {
    let Some(name) = name else { return Some(Zone::utc()) };
    let zone = Zone::named(name);
    if zone.is_none() {
        let names = Zone::names();
        let help = nearest(name, names.iter().map(String::as_str))
            .map_or_else(|| "give an IANA name, such as Europe/London".to_owned(), |near| format!("did you mean `{near}`?"));
        let message = format!("there is no time zone `{}`", name.escape_debug());
        notes.add(Finding::error(Code::UnknownReference, path.clone(), message, help));
    }
    zone
}

fn between(zone: &Zone, [start, end]: [Moment; 2], [at_start, at_end]: [Path; 2], notes: &mut Notes) {
    moment(zone, start, at_start.clone(), notes);
    moment(zone, end, at_end.clone(), notes);
    if end <= start {
        let message = format!("it ends at {end}, which is not after its beginning at {start}");
        let finding = Finding::error(Code::BadValue, at_end, message, "correct one of the two");
        notes.add_resting_on(finding.with(at_start.clone(), "it begins here"), &[at_start]);
    }
}

fn moment(zone: &Zone, moment: Moment, path: Path, notes: &mut Notes) {
    let Err(why) = zone.resolve(moment) else { return };
    let (code, help) = match why {
        NoMoment::Skipped { .. } => (Code::NoSuchMoment, "write a moment before or after the change of the clocks".to_owned()),
        NoMoment::Twice { .. } => (Code::AmbiguousMoment, "write a moment before or after the hour that comes twice".to_owned()),
        NoMoment::OutOfRange => (Code::BadValue, "write a moment of this century".to_owned()),
    };
    notes.add(Finding::error(code, path, format!("{moment} is no single moment in {zone}: {why}"), help));
}
