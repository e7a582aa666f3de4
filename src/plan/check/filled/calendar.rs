//! Windows, freezes and the deadline against the forecast.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{listed, of};
use crate::plan::{
    finding::{Code, Finding},
    model::{Plan, Window, WindowPurpose},
    moment::{Moment, Zone},
    names::{PhaseName, ServiceName, Span, WindowName},
    path::Path,
    schedule::{Expected, Forecast, Move, Mover, after, before, forecast, undo_time},
};

pub(super) fn check(plan: &Plan, found: &mut Vec<Finding>) {
    freezes(plan, found);
    let expected = Expected::of(plan);
    reserves(plan, &expected, found);
    let Some(start) = start(plan, &expected) else { return };
    let forecast = forecast(&expected, start);
    shift_windows(plan, &forecast, found);
    ends(plan, &expected, &forecast, found);
    deadline(plan, &forecast, found);
}

/// A run that begins early enough: everything that no window governs is done when the first opens. A plan without windows
/// begins when people say so, which nobody can foretell.
fn start(plan: &Plan, expected: &Expected<'_>) -> Option<Timestamp> {
    let named = plan.phases.values().flat_map(|phase| &phase.windows).filter_map(|name| plan.windows.get(name));
    let first = named.map(|window| window.opens).min()?;
    let preparation = plan.services.iter().map(|(name, service)| expected.preparation(name, service)).max().unwrap_or_default();
    let tasks = plan.phases.keys().map(|name| expected.phase_tasks(name, crate::plan::PhaseMoment::BeforePhase)).max();
    let bridges = plan.bridges.keys().map(|name| expected.bridge_up(name)).max();
    Some(before(first, preparation.plus(tasks.unwrap_or_default()).plus(bridges.unwrap_or_default())))
}

fn overlap(window: &Window, from: Timestamp, until: Timestamp) -> Option<Span> {
    let (from, until) = (from.max(window.opens), until.min(window.closes));
    let seconds = until.as_second().checked_sub(from.as_second())?;
    u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Span::from_secs)
}

fn freezes(plan: &Plan, found: &mut Vec<Finding>) {
    for (name, freeze) in &plan.freezes {
        for (window_name, window) in &plan.windows {
            let Some(overlap) = overlap(window, freeze.from, freeze.until) else { continue };
            let message = format!(
                "freeze `{name}` lies in window `{window_name}` for {overlap}: nothing starts in it, and what is in motion has to be \
                 taken back before it begins"
            );
            let help = "move one of the two, so that the window says how long it really is";
            let window = of("windows", window_name.as_str()).key("name");
            let finding = Finding::warning(Code::FreezeInWindow, of("freezes", name.as_str()).key("from"), message, help);
            found.push(finding.with(window, "the window"));
        }
    }
}

/// Moves that find no window at all, and windows that no move of their phases fits into.
fn shift_windows(plan: &Plan, forecast: &Forecast<'_>, found: &mut Vec<Finding>) {
    let mut stuck: BTreeMap<&PhaseName, Vec<(Mover<'_>, &Move<'_>)>> = BTreeMap::new();
    for (mover, one) in forecast.stuck() {
        stuck.entry(one.phase).or_default().push((mover, one));
    }
    let mut told: BTreeSet<&WindowName> = BTreeSet::new();
    for (phase_name, movers) in &stuck {
        let Some(phase) = plan.phases.get(*phase_name) else { continue };
        let windows: Vec<(&WindowName, &Window)> =
            phase.windows.iter().filter_map(|name| plan.windows.get_key_value(name)).collect();
        // A window that could not be read may be the one that is long enough.
        let Some((last, window)) =
            windows.iter().max_by_key(|(_, window)| window.closes).filter(|_| windows.len() == phase.windows.len())
        else {
            continue;
        };
        told.extend(windows.iter().map(|(name, _)| *name));
        found.push(too_short(forecast, (phase_name, movers.as_slice()), (last, window)));
    }
    for (name, window) in
        plan.windows.iter().filter(|(name, window)| window.purpose == WindowPurpose::Shift && !told.contains(name))
    {
        let of_phase = |one: &&Move<'_>| plan.phases.get(one.phase).is_some_and(|phase| phase.windows.contains(name));
        let shortest = forecast.moves.values().filter(of_phase).map(|one| one.takes.plus(one.undo)).min();
        let Some(shortest) = shortest.filter(|shortest| after(window.opens, shortest.plus(window.reserve)) > window.closes)
        else {
            continue;
        };
        let message = format!(
            "nothing fits into window `{name}`: the shortest move of its phases takes {shortest} with its way back, and {} of the \
             window's {} are reserve",
            window.reserve,
            length(window)
        );
        let help = "lengthen the window, or shorten its reserve or the bakes";
        found.push(Finding::warning(Code::WindowTooShort, of("windows", name.as_str()).key("closes"), message, help));
    }
}

fn length(window: &Window) -> Span {
    overlap(window, window.opens, window.closes).unwrap_or_default()
}

fn too_short(
    forecast: &Forecast<'_>,
    (phase, movers): (&PhaseName, &[(Mover<'_>, &Move<'_>)]),
    (name, window): (&WindowName, &Window),
) -> Finding {
    let behind = forecast.behind.len();
    let mut longest = movers.iter().map(|(mover, one)| (one.takes.plus(one.undo), *mover)).max().unzip();
    let (takes, mover) = (longest.0.take().unwrap_or_default(), longest.1.take());
    let path: Vec<String> = mover.map(|mover| path(forecast, mover)).unwrap_or_default();
    let names = listed(movers.iter().map(|(mover, _)| mover));
    let waiting = if behind > 0 { format!(", and {behind} more wait for them") } else { String::new() };
    let message = format!(
        "{names} of phase `{phase}` cannot end before window `{name}` does, the last of its windows{waiting}; the critical path is \
         {}, and the window has {} less {} of reserve",
        path.join(" → "),
        length(window),
        window.reserve,
    );
    let room = length(window).less(window.reserve);
    let help = if takes > room {
        format!("the longest move needs {takes} with its way back: lengthen the window, shorten bakes, or divide the phase")
    } else {
        "lengthen the window, open another, shorten bakes, move more at once, or divide the phase".to_owned()
    };
    let finding = Finding::error(Code::WindowTooShort, of("windows", name.as_str()).key("closes"), message, help);
    let place = match movers.first() {
        Some((Mover::Group(group), _)) => of("groups", group.as_str()).key("name"),
        Some((Mover::Service(service), _)) => of("services", service.as_str()).key("name"),
        None => of("phases", phase.as_str()).key("name"),
    };
    finding.with(place, "this cannot end in time")
}

/// The moves that lead to `last`, each with how long it takes, and what lies between them if that is long.
fn path(forecast: &Forecast<'_>, last: Mover<'_>) -> Vec<String> {
    const SHOWN: usize = 8;
    let way = forecast.moves.keys().find(|mover| **mover == last).map(|mover| forecast.critical_path(*mover)).unwrap_or_default();
    let hidden = way.len().saturating_sub(SHOWN);
    let mut steps: Vec<String> = if hidden > 0 { vec![format!("{hidden} others")] } else { Vec::new() };
    let mut before: Option<Timestamp> = None;
    for one in way.iter().skip(hidden).filter_map(|mover| Some((mover, forecast.moves.get(mover)?))) {
        let (mover, one) = one;
        let wait = before.map_or(0, |before| one.begins.as_second() - before.as_second()) / 60;
        let wait = u64::try_from(wait).unwrap_or_default();
        let after = if wait > 0 { format!("after {} ", Span::from_secs(wait * 60)) } else { String::new() };
        steps.push(format!("{after}{mover} ({})", one.takes));
        before = one.moved;
    }
    steps
}

/// Ends that find no window.
fn ends(plan: &Plan, expected: &Expected<'_>, forecast: &Forecast<'_>, found: &mut Vec<Finding>) {
    let late: Vec<&ServiceName> =
        forecast.services.iter().filter(|(_, ends)| ends.ended.is_none()).map(|(name, _)| *name).collect();
    let windows = plan.windows.iter().filter(|(_, window)| window.purpose == WindowPurpose::Decommission);
    let (Some((name, window)), Some(soaked)) = (
        windows.max_by_key(|(_, window)| window.closes),
        late.iter().filter_map(|name| Some(forecast.services.get(*name)?.soaked)).max(),
    ) else {
        return;
    };
    let longest = late.iter().filter_map(|name| Some(expected.end_pieces(name, plan.services.get(*name)?))).flatten().max();
    let message = format!(
        "the legacy side of {} cannot end before window `{name}` does, the last of its kind: the last soak is over at {}, the \
         longest step of an end takes {}, and the window closes at {} with {} of reserve",
        listed(&late),
        clock(plan, soaked),
        longest.unwrap_or_default(),
        clock(plan, window.closes),
        window.reserve
    );
    let help = "move the window to a later date or lengthen it, or shorten the soak or the scream test";
    found.push(Finding::error(Code::WindowTooShort, of("windows", name.as_str()).key("closes"), message, help));
}

/// The date that cannot move. Whoever is late is late, whatever becomes of the others.
fn deadline(plan: &Plan, forecast: &Forecast<'_>, found: &mut Vec<Finding>) {
    let ended = forecast.services.iter().filter_map(|(name, ends)| Some((ends.ended?, *name, ends)));
    let last = ended.max_by_key(|(ended, name, _)| (*ended, *name));
    let Some((ended, name, ends)) = last.filter(|(ended, ..)| plan.deadline.is_some_and(|deadline| *ended > deadline)) else {
        return;
    };
    let message = format!(
        "the run is expected to end at {}, after the deadline: the last is `{name}`, on target at {} and through its soak at {}",
        clock(plan, ended),
        clock(plan, ends.moved),
        clock(plan, ends.soaked)
    );
    let help = "begin earlier, move more at once, or shorten the soak";
    let finding = Finding::error(Code::DeadlineMissed, Path::top().key("spec").key("deadline"), message, help);
    found.push(finding.with(of("services", name.as_str()).key("name"), "the last one"));
}

/// The reserve is for surprises, and the worst of them is that everything which moved in the window has to go back.
fn reserves(plan: &Plan, expected: &Expected<'_>, found: &mut Vec<Finding>) {
    for (name, window) in plan.windows.iter().filter(|(_, window)| window.purpose == WindowPurpose::Shift) {
        let inside = |phase: &PhaseName| plan.phases.get(phase).is_some_and(|phase| phase.windows.contains(name));
        let services = plan.services.iter().filter(|(_, service)| inside(&service.phase)).map(|(name, _)| name);
        let Some(undo) = undo_time(expected, services).filter(|undo| *undo > window.reserve) else { continue };
        let message = format!(
            "taking back all that moves in window `{name}` takes {undo}, and {} of reserve are less: what fails at the end of the \
             window would be back only after it has closed",
            window.reserve
        );
        let help = format!("lengthen `reserve` to {undo} or more");
        let path = of("windows", name.as_str());
        found.push(Finding::warning(Code::ReserveTooShort, path.key("reserve"), message, help));
    }
}

/// A moment as the plan's people read it, in whole minutes, rounded up.
fn clock(plan: &Plan, at: Timestamp) -> String {
    let zone = plan.time_zone.as_deref().and_then(Zone::named).unwrap_or(Zone::utc());
    let seconds = u64::try_from(at.as_second().rem_euclid(60)).unwrap_or_default();
    let minute = if seconds == 0 { at } else { after(at, Span::from_secs(60 - seconds)) };
    Moment::at(minute, &zone).to_string()
}
