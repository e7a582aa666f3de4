//! Sensor and actuator against a real Gateway.

use std::{collections::BTreeSet, time::Duration};

use gapless::{
    adapters::clock,
    engine::{
        Accepted, Action, Backend, Direction, Effect, EffectKey, Observed, Precondition, Programmed, Query, RouteSeen, RunId,
        Step,
    },
    kubernetes::{
        actuator::KubeActuator,
        sensor::{GivenSlot, KubeSensor},
    },
    plan::{Revision, ServiceName, Side, Weight},
    ports::{Actuator as _, Performed, Sensor as _},
};
use gapless_testcluster::Cluster;
use serde_json::json;

use crate::support::{Site, api, revision, shared};

struct Bench {
    sensor: KubeSensor,
    actuator: KubeActuator,
    run: RunId,
    name: ServiceName,
}

impl Bench {
    fn new(site: &Site, revision: &Revision, run: &str) -> Self {
        let run = RunId(run.into());
        let mut sensor = KubeSensor::start(&api(&site.ns), run.clone(), shared(revision), GivenSlot::default());
        let actuator = KubeActuator::new(api(&site.ns), sensor.world(), format!("{}/{run}", site.ns.name()));
        let name: ServiceName = site.name.parse().unwrap();
        let of = |side| Query::Side(name.clone(), side);
        sensor.watch(&BTreeSet::from([Query::Route(name.clone()), of(Side::Legacy), of(Side::Target)]));
        Self { sensor, actuator, run, name }
    }
    fn effect(&self, action: Action, number: u32, version: Option<String>) -> Effect {
        let key = EffectKey { run: self.run.clone(), step: Step::Prepare.of(&self.name), number, direction: Direction::Forward };
        let deadline = clock::now() + Duration::from_secs(10);
        Effect { key, action, precondition: Precondition { version, deadline } }
    }
    fn weight(&self, percent: u64, from: u64, number: u32, version: &str) -> Effect {
        let weight = |percent| Weight::new(percent).unwrap();
        let action = Action::SetWeight { service: self.name.clone(), weight: weight(percent), from: weight(from) };
        self.effect(action, number, Some(version.into()))
    }
    /// Waits until what is seen pleases; the sensor says when to look.
    async fn see<T>(&mut self, what: &str, pleases: impl Fn(&Observed) -> Option<T>) -> T {
        let seen = async {
            loop {
                if let Some(found) = pleases(&self.sensor.seen()) {
                    return found;
                }
                self.sensor.changed().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), seen).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
    }
    async fn route(&mut self, what: &str, pleases: impl Fn(&RouteSeen) -> bool) -> RouteSeen {
        let name = self.name.clone();
        self.see(what, |seen| seen.routes.get(&name)?.value.as_ref().ok().filter(|route| pleases(route)).cloned()).await
    }
    async fn backend(&mut self, wanted: Backend) {
        let name = self.name.clone();
        let is = |seen: &Observed| {
            Some(seen.sides.get(&name)?.legacy.as_ref()?.value.as_ref().ok()?.backend == wanted).filter(|is| *is)
        };
        self.see("the legacy backend", is).await;
    }
    async fn ensure(&self) -> Performed {
        self.actuator
            .perform(&self.effect(Action::EnsureBackend { service: self.name.clone(), side: Side::Legacy }, 0, None))
            .await
    }
}

fn split(percent: u64) -> Accepted {
    Accepted::Split(Weight::new(percent).unwrap())
}

/// A service whose legacy side was made known, with all its traffic there, and its route as it is seen then.
async fn on_legacy(namespace: &str) -> (Site, Bench, RouteSeen) {
    let ns = Cluster::get().await.namespace(namespace).await;
    let site = Site::new(&ns, "pds").await;
    let revision = revision(&ns, &[site.service(json!({}))]);
    let mut bench = Bench::new(&site, &revision, "run-one");
    bench.backend(Backend::Missing).await;
    assert_eq!(bench.ensure().await, Performed::Done);
    bench.backend(Backend::Present).await;
    let seen = bench.route("all on legacy", |route| route.accepted == split(0) && route.programmed == Programmed::Yes).await;
    site.route.answers("legacy by our Service", |answer| answer.side() == "legacy").await;
    (site, bench, seen)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn a_weight_is_accepted_programmed_and_effective_and_given_up_with_everything_foreign_kept() {
    let (site, mut bench, before) = on_legacy("weight").await;
    assert_eq!((&before.owner, &before.mark, &before.effective), (&None, &None, &None));

    let order = bench.weight(100, 0, 1, &before.version);
    assert_eq!(bench.actuator.perform(&order).await, Performed::Done);
    let now = bench.route("our own write at once", |route| route.accepted == split(100)).await;
    assert_eq!(now.mark.as_deref(), Some("runone-pds-1"));
    let effective = bench.route("the effect", |route| route.effective.is_some() && route.programmed == Programmed::Yes).await;
    let since = effective.effective.unwrap();
    assert_eq!(since.weight, Weight::FULL);
    let answer = site.route.get("/", Duration::from_secs(10)).await.unwrap();
    assert_eq!((answer.side(), answer.mark()), ("target", "runone-pds-1"));

    // The same order again writes nothing; an order that rests on another version is refused.
    let object = site.route.object().await;
    assert_eq!(bench.actuator.perform(&order).await, Performed::Done);
    assert_eq!(site.route.object().await.metadata.generation, object.metadata.generation);
    let stale = bench.weight(50, 0, 2, &before.version);
    assert!(matches!(bench.actuator.perform(&stale).await, Performed::Refused(why) if why.contains("changed since")));

    let release = bench.effect(Action::Release { service: bench.name.clone() }, 1, Some(effective.version.clone()));
    assert_eq!(bench.actuator.perform(&release).await, Performed::Done);
    let free = bench.route("given up", |route| route.owner.is_none()).await;
    assert_eq!((free.accepted, free.mark, free.effective), (split(100), None, None));
    assert!(site.route.foreign_is_kept().await);
    assert_eq!(bench.actuator.perform(&release).await, Performed::Done, "giving up twice is giving up once");
}

/// Envoy puts the mark on its own answers too: a run went on to 100 % once while all that anybody got was its 503.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn a_weight_is_not_effective_while_the_gateway_reaches_no_side() {
    let (site, mut bench, before) = on_legacy("nobody").await;
    site.legacy.kill().await;
    assert_eq!(bench.actuator.perform(&bench.weight(0, 0, 1, &before.version)).await, Performed::Done);
    for _ in 0..20 {
        // As often as the sensor asks meanwhile, and it wants three.
        site.route.answers("the Gateway itself", |answer| answer.status == 503 && answer.mark() == "runone-pds-1").await;
    }
    let restarted = clock::now();
    site.legacy.start_again().await;
    let effective = bench.route("the effect", |route| route.effective.is_some()).await.effective.unwrap();
    assert!(effective.since >= restarted, "{effective:?} while nobody was served until {restarted}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn a_second_run_and_a_change_by_hand_are_seen_and_not_fought() {
    let cluster = Cluster::get().await;
    let ns = cluster.namespace("foreign").await;
    let site = Site::new(&ns, "pds").await;
    ns.legacy_service(&site.legacy).await;
    let revision = revision(&ns, &[site.service(json!({}))]);
    let mut first = Bench::new(&site, &revision, "first");
    let mut second = Bench::new(&site, &revision, "second");
    first.backend(Backend::Present).await; // a Service of somebody else that leads to the same hosts will do
    let (a, b) = (first.route("free", |r| r.accepted == split(0)).await, second.route("free", |r| r.accepted == split(0)).await);
    assert_eq!(a.version, b.version);

    // Both decided on the same facts. One claim wins, whichever comes first.
    let (one, two) = (first.weight(25, 0, 1, &a.version), second.weight(50, 0, 1, &b.version));
    let (one, two) = tokio::join!(first.actuator.perform(&one), second.actuator.perform(&two));
    let won = [&one, &two].iter().filter(|how| ***how == Performed::Done).count();
    assert_eq!(won, 1, "{one:?} {two:?}");
    let (winner, loser, weight) =
        if one == Performed::Done { (&mut first, &mut second, 25) } else { (&mut second, &mut first, 50) };
    let theirs = loser.route("the other's claim", |route| route.owner.is_some()).await;
    assert_eq!((theirs.owner.unwrap().run, theirs.accepted), (winner.run.clone(), split(weight)));

    // A hand on the weights makes the next order fail as a whole, and is seen.
    let ours = winner.route("ours", |route| route.owner.is_some()).await;
    let mut patch = json!([{ "op": "replace", "path": "/spec/rules/1/backendRefs/0/weight", "value": 7 }]);
    let at = crate::support::at(&ns, &site.name);
    api(&ns).json_patch(gapless::kubernetes::api::Kind::HTTP_ROUTE, at, &patch).await.unwrap();
    let refused = winner.actuator.perform(&winner.weight(100, weight, 2, &ours.version)).await;
    assert!(matches!(&refused, Performed::Refused(_)), "{refused:?}");
    assert_eq!(site.route.weights().await.0, 7);
    winner.route("the hand", |route| matches!(&route.accepted, Accepted::Other(what) if what.contains("7 to legacy"))).await;
    patch[0]["value"] = json!(100 - weight);
    api(&ns).json_patch(gapless::kubernetes::api::Kind::HTTP_ROUTE, at, &patch).await.unwrap();
    winner.route("the hand's correction", |route| route.accepted == split(weight)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn a_service_of_somebody_else_that_leads_elsewhere_is_not_written_over() {
    let cluster = Cluster::get().await;
    let ns = cluster.namespace("clobber").await;
    let site = Site::new(&ns, "pds").await;
    let elsewhere = ns.legacy("pds", 1).await;
    ns.legacy_service(&elsewhere).await;
    let revision = revision(&ns, &[site.service(json!({}))]);
    let mut bench = Bench::new(&site, &revision, "run");
    let name = bench.name.clone();
    let why = bench
        .see("the refusal", |seen| {
            seen.sides
                .get(&name)?
                .legacy
                .as_ref()?
                .value
                .as_ref()
                .err()
                .map(ToString::to_string)
                .filter(|why| why.contains("somebody else"))
        })
        .await;
    assert!(why.contains("pds-legacy"), "{why}");
    assert!(matches!(bench.ensure().await, Performed::Refused(_)));
    site.route.answers("the other hosts still", |answer| answer.side() == "legacy").await;
}
