//! Windows, freezes and the way back, by tables and by properties.
#![allow(clippy::type_complexity, reason = "tables")]

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;

use super::{Calendar, Durations, Expected, Purpose, Start, Work, after, latest_rollback, undo_time};
use crate::plan::{
    Act, EndpointSpec, Freeze, Group, Need, OnFailure, Phase, PhaseName, Place, Plan, Router, Service, ServiceMoment,
    ServiceName, SideModel, Span, Task, Undo, UndoWhen, Weight, Window, WindowPurpose,
};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_788_000_000 + minute * 60).unwrap()
}
fn minutes(count: u64) -> Span {
    Span::from_secs(count * 60)
}
fn window(opens: i64, closes: i64, reserve: u64) -> Window {
    Window {
        purpose: WindowPurpose::Shift,
        opens: at(opens),
        closes: at(closes),
        reserve: minutes(reserve),
        overrun: OnFailure::Hold,
    }
}
fn freeze(from: i64, until: i64) -> Freeze {
    Freeze { from: at(from), until: at(until), reason: "month end".into() }
}
fn phase() -> PhaseName {
    "core".parse().unwrap()
}
fn plan(windows: Vec<Window>, freezes: Vec<Freeze>) -> Plan {
    let services = BTreeMap::new();
    let mut plan = Plan::of("p".parse().unwrap(), "default".into(), BTreeMap::new(), services);
    plan.windows = windows.into_iter().enumerate().map(|(i, w)| (format!("w{i}").parse().unwrap(), w)).collect();
    plan.freezes = freezes.into_iter().enumerate().map(|(i, f)| (format!("f{i}").parse().unwrap(), f)).collect();
    let named = plan.windows.iter().filter(|(_, w)| w.purpose == WindowPurpose::Shift).map(|(name, _)| name.clone()).collect();
    plan.phases.insert(phase(), Phase { windows: named, ..Phase::default() });
    plan
}
fn service() -> Service {
    let side = |host: u8| {
        let address = format!("10.0.0.{host}");
        SideModel::at(Place::Endpoints(BTreeSet::from([EndpointSpec { address, port: 80 }])))
    };
    let router = Router::HttpRoute { name: "r".into(), section_name: None };
    Service::plain(phase(), side(1), side(2), router)
}

#[test]
fn the_latest_rollback_is_the_formula_of_the_plan_language() {
    let open = window(0, 600, 60);
    let cases: [(&str, Vec<Freeze>, Option<u64>, i64, Option<i64>); 8] = [
        ("nothing in motion: none", vec![], None, 10, None),
        ("closes − reserve − undo", vec![], Some(30), 10, Some(510)),
        ("a freeze inside comes first", vec![freeze(300, 400)], Some(30), 10, Some(210)),
        ("of two freezes the first", vec![freeze(400, 420), freeze(300, 320)], Some(30), 10, Some(210)),
        ("a freeze that is over binds nobody", vec![freeze(300, 400)], Some(30), 400, Some(510)),
        ("a freeze that lasts does: it has come", vec![freeze(300, 400)], Some(30), 399, Some(210)),
        ("a freeze after the window is not in it", vec![freeze(600, 700)], Some(30), 10, Some(510)),
        ("it may lie before the window opens", vec![], Some(700), 10, Some(-160)),
    ];
    for (what, freezes, undo, now, latest) in cases {
        assert_eq!(latest_rollback(&open, &freezes, undo.map(minutes), at(now)), latest.map(at), "{what}");
    }
    assert_eq!(latest_rollback(&open, &[], Some(Span::from_secs(u64::MAX)), at(0)), Some(Timestamp::MIN), "total");
}

#[test]
fn a_step_starts_only_if_it_ends_before_the_latest_rollback_that_holds_then() {
    let plan = plan(vec![window(0, 600, 60), window(1_000, 1_600, 60)], vec![freeze(300, 400), freeze(1_600, 1_700)]);
    let calendar = Calendar::of(&plan);
    let phase = phase();
    let ask = |takes, undo, now| calendar.may_start(Purpose::Shift(&phase), minutes(takes), minutes(undo), at(now));
    let (w0, w1) = (plan.windows.keys().next().unwrap(), plan.windows.keys().nth(1).unwrap());
    let f0 = plan.freezes.keys().next().unwrap();
    assert_eq!(ask(20, 30, -1), Start::Closed { next: Some(at(0)) });
    assert_eq!(ask(20, 30, 0), Start::Now { window: Some(w0), latest_rollback: Some(at(210)) });
    assert_eq!(ask(20, 30, 190), Start::Now { window: Some(w0), latest_rollback: Some(at(210)) }, "just in time");
    assert_eq!(ask(20, 30, 191), Start::TooLate { window: Some(w0), latest_rollback: at(210), next: Some(at(400)) });
    assert_eq!(ask(20, 30, 350), Start::Frozen { freeze: f0, until: at(400), next: Some(at(400)) });
    assert_eq!(ask(20, 30, 400), Start::Now { window: Some(w0), latest_rollback: Some(at(510)) });
    assert_eq!(ask(20, 30, 495), Start::TooLate { window: Some(w0), latest_rollback: at(510), next: Some(at(1_000)) });
    assert_eq!(ask(20, 30, 700), Start::Closed { next: Some(at(1_000)) });
    assert_eq!(ask(300, 30, 0), Start::TooLate { window: Some(w0), latest_rollback: at(210), next: Some(at(1_000)) });
    assert_eq!(ask(20, 30, 1_490), Start::Now { window: Some(w1), latest_rollback: Some(at(1_510)) });
    assert_eq!(ask(20, 30, 1_491), Start::TooLate { window: Some(w1), latest_rollback: at(1_510), next: None });
    assert_eq!(ask(20, 30, 1_650).next(), None);
    assert_eq!(ask(511, 30, 0).next(), None, "fits nowhere");
}

#[test]
fn without_a_window_only_freezes_bind() {
    let plan = plan(vec![], vec![freeze(300, 400)]);
    let calendar = Calendar::of(&plan);
    let phase = phase();
    let purpose = Purpose::Shift(&phase);
    let latest = Some(at(270));
    assert_eq!(
        calendar.may_start(purpose, minutes(20), minutes(30), at(0)),
        Start::Now { window: None, latest_rollback: latest }
    );
    let late = Start::TooLate { window: None, latest_rollback: at(270), next: Some(at(400)) };
    assert_eq!(calendar.may_start(purpose, minutes(20), minutes(30), at(260)), late);
    let free = Start::Now { window: None, latest_rollback: None };
    assert_eq!(calendar.may_start(purpose, minutes(20), minutes(30), at(400)), free);
    assert_eq!(calendar.latest_rollback(purpose, Some(minutes(30)), at(0)), Some((None, at(270))));
    assert_eq!(calendar.latest_rollback(purpose, Some(minutes(30)), at(400)), None);
    assert_eq!(calendar.next_opening(purpose, at(350)), Some(at(400)));
}

#[test]
fn decommissioning_has_windows_of_its_own() {
    let off = Window { purpose: WindowPurpose::Decommission, ..window(1_000, 1_100, 10) };
    let plan = plan(vec![window(0, 100, 10), off], vec![]);
    let calendar = Calendar::of(&plan);
    assert_eq!(calendar.next_opening(Purpose::Decommission, at(0)), Some(at(1_000)));
    assert_eq!(calendar.next_opening(Purpose::Shift(&phase()), at(0)), Some(at(0)));
    assert_eq!(calendar.next_opening(Purpose::Shift(&phase()), at(100)), None);
    let none = Calendar::of(&plan).may_start(Purpose::Shift(&"other".parse().unwrap()), minutes(1), Span::ZERO, at(500));
    assert_eq!(none, Start::Now { window: None, latest_rollback: None }, "a phase that names no window");
}

#[test]
fn the_open_window_binds_what_is_in_motion_and_a_closed_one_has_bound_it_already() {
    let plan = plan(vec![window(0, 100, 10), window(200, 300, 10)], vec![]);
    let calendar = Calendar::of(&plan);
    let phase = phase();
    let latest = |now| calendar.latest_rollback(Purpose::Shift(&phase), Some(minutes(5)), at(now)).map(|(_, latest)| latest);
    assert_eq!(latest(-1), None);
    assert_eq!(latest(50), Some(at(85)));
    assert_eq!(latest(150), Some(at(85)), "between the windows it has come");
    assert_eq!(latest(200), Some(at(285)));
    assert_eq!(latest(1_000), Some(at(285)));
    assert_eq!(calendar.latest_rollback(Purpose::Shift(&phase), None, at(50)), None);
}

/// `expect` for the undo of each, and whom it needs.
fn undo_plan(services: &[(&str, u64, UndoWhen, &[&str])]) -> Plan {
    let mut plan = plan(vec![], vec![]);
    for (name, expect, when, needs) in services {
        let mut one = service();
        one.needs = needs.iter().map(|need| (need.parse().unwrap(), Need::Before)).collect();
        let act = Act::Job("job".into());
        let undo = Undo::Do { act: act.clone(), when: *when, deadline: None, expect: minutes(*expect) };
        let task = Task { at: ServiceMoment::BeforeShift, act, undo, expect: minutes(1) };
        one.tasks.insert("task".parse().unwrap(), task);
        plan.services.insert(name.parse().unwrap(), one);
    }
    plan
}
fn undo_of(plan: &Plan, names: &[&str]) -> Option<Span> {
    let names: Vec<ServiceName> = names.iter().map(|name| name.parse().unwrap()).collect();
    let measured: Durations = plan.services.keys().map(|name| (Work::Effective(name), minutes(1))).collect();
    undo_time(&Expected::measured(plan, &measured), &names)
}

#[test]
fn the_undo_follows_the_reverse_critical_path() {
    use UndoWhen::{AfterTraffic, BeforeTraffic};
    let plan = undo_plan(&[
        ("a", 5, BeforeTraffic, &[]),
        ("b", 7, BeforeTraffic, &["a"]),
        ("c", 30, AfterTraffic, &["b"]),
        ("d", 20, BeforeTraffic, &[]),
    ]);
    let cases: [(&[&str], Option<u64>); 8] = [
        (&[], None),
        (&["nobody"], None),
        (&["a"], Some(6)),
        (&["a", "d"], Some(21)),
        (&["a", "b"], Some(14)),
        (&["c"], Some(31)),
        (&["a", "b", "c"], Some(31)),
        (&["a", "b", "c", "d"], Some(31)),
    ];
    for (names, expected) in cases {
        assert_eq!(undo_of(&plan, names), expected.map(minutes), "{names:?}");
    }
}

#[test]
fn a_group_goes_back_as_its_slowest_member_and_before_what_any_of_it_needs() {
    use UndoWhen::BeforeTraffic;
    let mut plan =
        undo_plan(&[("a", 5, BeforeTraffic, &["b"]), ("b", 9, BeforeTraffic, &["a", "z"]), ("z", 2, BeforeTraffic, &[])]);
    let services = ["a", "b"].iter().map(|name| name.parse().unwrap()).collect();
    plan.groups.insert("g".parse().unwrap(), Group { services, steps: vec![Weight::FULL], bake: minutes(1) });
    assert_eq!(undo_of(&plan, &["a", "b"]), Some(minutes(10)));
    assert_eq!(undo_of(&plan, &["a", "b", "z"]), Some(minutes(13)));
    plan.groups.clear();
    assert_eq!(undo_of(&plan, &["a", "b", "z"]), Some(minutes(6 + 10 + 3)), "a cycle, which no checked plan has, still ends");
}

fn arbitrary_calendar() -> impl Strategy<Value = Plan> {
    let windows = prop::collection::vec((0i64..500, 1i64..300, 0u64..60), 0..4);
    let freezes = prop::collection::vec((0i64..800, 1i64..100), 0..5);
    (windows, freezes).prop_map(|(windows, freezes)| {
        let windows = windows.into_iter().map(|(opens, length, reserve)| window(opens, opens + length, reserve)).collect();
        plan(windows, freezes.into_iter().map(|(from, length)| freeze(from, from + length)).collect())
    })
}

proptest! {
    /// The first start that is promised is one, and none is earlier: every minute is asked.
    #[test]
    fn the_next_start_is_the_first(plan in arbitrary_calendar(), takes in 0u64..120, undo in 0u64..60, now in 0i64..600) {
        let calendar = Calendar::of(&plan);
        let phase = phase();
        let start = |minute| calendar.may_start(Purpose::Shift(&phase), minutes(takes), minutes(undo), at(minute));
        let next = calendar.next_start(Purpose::Shift(&phase), minutes(takes), minutes(undo), at(now));
        let first = (now..1_000).find(|minute| matches!(start(*minute), Start::Now { .. }));
        prop_assert_eq!(next, first.map(at));
        if !matches!(start(now), Start::Now { .. }) {
            prop_assert_eq!(start(now).next(), next);
        }
    }

    /// Whatever starts ends before a rollback that would still fit its window, and outside of every freeze.
    #[test]
    fn what_starts_can_be_undone_in_time(plan in arbitrary_calendar(), takes in 0u64..120, undo in 0u64..60, now in 0i64..600) {
        let calendar = Calendar::of(&plan);
        if let Start::Now { window, latest_rollback: Some(latest) } =
            calendar.may_start(Purpose::Shift(&phase()), minutes(takes), minutes(undo), at(now))
        {
            let ends = after(at(now), minutes(takes));
            prop_assert!(ends <= latest);
            let back = after(ends, minutes(undo));
            prop_assert!(plan.freezes.values().all(|freeze| back <= freeze.from || freeze.until <= at(now)));
            if let Some(window) = window.and_then(|name| plan.windows.get(name)) {
                prop_assert!(window.opens <= at(now) && after(back, window.reserve) <= window.closes);
                let formula = latest_rollback(window, plan.freezes.values(), Some(minutes(undo)), at(now));
                prop_assert_eq!(formula, Some(latest), "one formula");
            }
        }
    }

    /// More that goes back never takes less time.
    #[test]
    fn undo_grows_with_what_goes_back(
        edges in prop::collection::vec((1usize..12, 0usize..12), 0..20),
        expects in prop::collection::vec((0u64..30, any::<bool>()), 12),
        chosen in prop::collection::vec(any::<bool>(), 12),
        one in 0usize..12,
    ) {
        let names: Vec<String> = (0..12).map(|i| format!("s{i:02}")).collect();
        let needs: Vec<Vec<&str>> = (0..12)
            .map(|i| edges.iter().filter(|(from, to)| *from == i && to < from).map(|(_, to)| names[*to].as_str()).collect())
            .collect();
        let when = |before| if before { UndoWhen::BeforeTraffic } else { UndoWhen::AfterTraffic };
        let services: Vec<(&str, u64, UndoWhen, &[&str])> =
            (0..12).map(|i| (names[i].as_str(), expects[i].0, when(expects[i].1), needs[i].as_slice())).collect();
        let plan = undo_plan(&services);
        let some: Vec<&str> = (0..12).filter(|i| chosen[*i]).map(|i| names[i].as_str()).collect();
        let mut more = some.clone();
        if !more.contains(&names[one].as_str()) {
            more.push(&names[one]);
        }
        prop_assert!(undo_of(&plan, &some) <= undo_of(&plan, &more));
        let alone = undo_of(&plan, &[&names[one]]);
        prop_assert!(alone <= undo_of(&plan, &more) && alone.is_some());
    }
}
