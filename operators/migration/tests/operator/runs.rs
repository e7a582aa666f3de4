//! Whole runs by the operator's own process.

use std::time::Duration;

use gapless::{
    kubernetes::{api::Kind, crd::MigrationRun, permissions::OPERATOR},
    lab::load::LoadHandle,
};
use gapless_testcluster::{Cluster, Fault, none_failed, until};
use serde_json::{Value, json};
use tokio::{sync::watch, time::timeout};

use crate::support::{Operator, Site, api, at, get, install, revision, run_id, run_until, start, state};

async fn all_answered(load: LoadHandle) {
    let report = load.stop().await;
    assert!(report.requests > 100, "{report:?}");
    none_failed("the load", &report.failed, &report);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn a_service_moves_with_two_writes_a_weight_and_every_permission_is_used() {
    let cluster = Cluster::get().await;
    install(&cluster).await;
    let ns = cluster.namespace("moves").await;
    let site = Site::new(&ns, "pds").await;
    let services = [site.service(json!({ "shift": { "steps": [25, 100], "bake": "2s" } }))];
    let plan = json!({ "apiVersion": "gapless.dev/v1alpha1", "kind": "MigrationPlan", "metadata": { "name": "plan" }, "spec": { "services": services } });
    ns.apply(plan).await;
    let revision = revision(&ns, &services);
    let operator = Operator::start(&ns, &cluster.kubeconfig());
    let history = site.route.history().await;
    let run = start(&ns, "first", &revision).await;
    let mut versions = versions(&ns, &run);
    let load = {
        site.route.answers("legacy by our Service", |answer| answer.status == 200).await;
        site.route.load(200)
    };
    let done = run_until(&ns, "first", "its end", |run| state(run) == "Completed").await;
    all_answered(load).await;
    assert!(site.route.foreign_is_kept().await);
    assert_eq!(site.route.weights().await, (0, 100));

    let writes = history.writes();
    let weights: Vec<_> = writes.iter().map(|write| write.weights).collect();
    assert_eq!(
        weights,
        [(100, 0), (75, 25), (0, 100), (0, 100)],
        "one write a weight, and one that gives the route up: {writes:?}"
    );
    // Five edges: 25 ordered; 25 confirmed and 100 ordered; 100 confirmed; soaked; ended. Beside them the finalizer, put on and
    // taken away, which is the last, and at most two looks that a person should know of before anything began.
    let released = versions.wait_for(|all| all.last().is_some_and(|version| version.finalizers == 0));
    let written = timeout(Duration::from_secs(30), released).await.expect("the finalizer is taken away").unwrap().clone();
    assert!((7..=9).contains(&written.len()), "{} writes of the run: {written:?}", written.len());
    let status = done.status.unwrap();
    assert_eq!(status.progress.unwrap().text, "5/5");
    assert!(status.waiting.is_empty(), "{:?}", status.waiting);

    // It ends without a finalizer, and the plan's status speaks of this very digest.
    let plan: Value = api(&ns).get(Kind::PLAN, at(&ns, "plan")).await.unwrap();
    assert_eq!(plan["status"]["digest"], json!(revision.digest().as_str()));
    let events = until("the last Event", Duration::from_secs(5), || events_of(&ns, &run)).await;
    assert_eq!(events, ["Started", "Moved", "Soaked", "Ended"], "milestones, and no weights");
    used_all(&operator.stop().await);
}

/// A version of a run, as a watch tells it.
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "shown when the test fails")]
struct Version {
    progress: String,
    finalizers: usize,
}

/// Every version of a run after its creation, as they come.
fn versions(ns: &gapless_testcluster::Namespace, run: &MigrationRun) -> watch::Receiver<Vec<Version>> {
    use futures_util::StreamExt as _;
    let runs: kube::Api<MigrationRun> = kube::Api::namespaced(ns.client(), ns.name());
    let since = run.metadata.resource_version.clone().unwrap();
    let (tell, told) = watch::channel(Vec::new());
    tokio::spawn(async move {
        let events = runs.watch(&kube::api::WatchParams::default(), &since).await.unwrap();
        let mut events = std::pin::pin!(events);
        while let Some(Ok(kube::api::WatchEvent::Modified(run))) = events.next().await {
            let finalizers = run.metadata.finalizers.map_or(0, |all| all.len());
            let progress = run.status.and_then(|status| status.progress).map(|progress| progress.text);
            tell.send_modify(|all| all.push(Version { progress: progress.unwrap_or_default(), finalizers }));
        }
    });
    told
}

async fn events_of(ns: &gapless_testcluster::Namespace, run: &MigrationRun) -> Option<Vec<String>> {
    let events: kube::Api<k8s_openapi::api::events::v1::Event> = ns.api();
    let uid = run_id(run).0;
    let mut all = events.list(&kube::api::ListParams::default()).await.unwrap().items;
    all.retain(|event| event.regarding.as_ref().is_some_and(|regarding| regarding.uid.as_deref() == Some(&uid)));
    all.sort_by_key(|event| event.event_time.as_ref().map(|time| time.0));
    let reasons: Vec<String> = all.into_iter().filter_map(|event| event.reason).collect();
    reasons.iter().any(|reason| reason == "Ended").then_some(reasons)
}

/// What the operator logs at its end is the whole list, but for what takes trouble: the status of a run that cannot be
/// driven, and a second look at a route; and the approvals, which only a plan that asks for them needs (the test of people in
/// the cluster's tests has one, by the chart's own permissions).
fn used_all(log: &str) {
    let line = log.lines().find(|line| line.contains("permissions that were used")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    let used: Vec<&str> = line["fields"]["used"].as_str().unwrap().split(", ").collect();
    let rare = [
        "gapless.dev/migrationruns/status patch",
        "gateway.networking.k8s.io/httproutes get",
        "gapless.dev/migrationapprovals list",
        "gapless.dev/migrationapprovals watch",
    ];
    let missing: Vec<String> = OPERATOR
        .iter()
        .map(ToString::to_string)
        .filter(|one| !used.contains(&one.as_str()) && !rare.contains(&one.as_str()))
        .collect();
    assert!(missing.is_empty(), "permissions that nothing uses: {missing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn a_killed_operator_goes_on_where_it_was_and_orders_nothing_twice() {
    let cluster = Cluster::get().await;
    install(&cluster).await;
    let ns = cluster.namespace("killed").await;
    let site = Site::new(&ns, "pds").await;
    ns.legacy_service(&site.legacy).await;
    site.route.answers("legacy", |answer| answer.status == 200).await;
    let steps = json!({ "shift": { "steps": [10, 20, 30, 40, 50, 60, 70, 80, 90, 100], "bake": "100ms" } });
    let revision = revision(&ns, &[site.service(steps)]);
    let history = site.route.history().await;
    let load = site.route.load(200);
    start(&ns, "r", &revision).await;
    let mut operator = Operator::start(&ns, &cluster.kubeconfig());
    let mut pause = 700;
    loop {
        let run = get(&ns, "r").await;
        if state(&run) == "Completed" {
            break;
        }
        let record = || run.status.as_ref().and_then(|status| status.record.clone());
        assert_ne!(state(&run), "RolledBack", "it was to complete: {:?}", record());
        assert!(pause < 10_000, "it was killed seventy times and has not ended: {:?}", record());
        let ended = run_until(&ns, "r", "its end", |run| state(run) == "Completed");
        if tokio::time::timeout(Duration::from_millis(pause), ended).await.is_ok() {
            break;
        }
        operator.kill();
        pause += 137; // another moment of the round each time
        operator = Operator::start(&ns, &cluster.kubeconfig());
    }
    all_answered(load).await;
    let mut weights: Vec<u64> = history.writes().iter().map(|write| write.weights.1).collect();
    weights.dedup(); // giving the route up keeps the weight
    assert_eq!(weights, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
    let mut marks: Vec<_> = history.writes().into_iter().filter_map(|write| write.mark).collect();
    let count = marks.len();
    marks.dedup();
    assert_eq!(marks.len(), count, "every order was written once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn a_target_that_fails_sends_everything_back() {
    let cluster = Cluster::get().await;
    install(&cluster).await;
    let ns = cluster.namespace("fails").await;
    let site = Site::new(&ns, "pds").await;
    let revision = revision(&ns, &[site.service(json!({ "shift": { "steps": [25, 100], "bake": "1h" } }))]);
    let _operator = Operator::start(&ns, &cluster.kubeconfig());
    start(&ns, "r", &revision).await;
    site.route.answers("the first weight", |answer| answer.mark().ends_with("-1")).await;
    site.target.fault(Fault::ERRORS).await;
    let run = run_until(&ns, "r", "its end", |run| state(run) == "RolledBack").await;
    assert_eq!(site.route.weights().await, (100, 0));
    let stalled = run.status.unwrap().conditions.into_iter().find(|condition| condition.kind == "Stalled").unwrap();
    assert_eq!(stalled.status, gapless::kubernetes::crd::ConditionStatus::False);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn deleting_a_live_run_takes_traffic_back_first_and_abandoning_it_leaves_traffic_where_it_is() {
    let cluster = Cluster::get().await;
    install(&cluster).await;
    let ns = cluster.namespace("deleted").await;
    let site = Site::new(&ns, "pds").await;
    let revision = revision(&ns, &[site.service(json!({ "shift": { "steps": [25, 100], "bake": "1h" } }))]);
    let _operator = Operator::start(&ns, &cluster.kubeconfig());
    let runs: kube::Api<MigrationRun> = kube::Api::namespaced(ns.client(), ns.name());
    let gone = |name: &'static str| {
        let runs = runs.clone();
        until(format!("the end of {name}"), Duration::from_secs(30), move || {
            let runs = runs.clone();
            async move { runs.get_opt(name).await.unwrap().is_none().then_some(()) }
        })
    };

    start(&ns, "back", &revision).await;
    site.route.answers("the first weight", |answer| answer.mark().ends_with("-1")).await;
    let history = site.route.history().await;
    runs.delete("back", &kube::api::DeleteParams::default()).await.unwrap();
    gone("back").await;
    assert_eq!(site.route.weights().await, (100, 0));
    assert!(history.writes().iter().any(|write| write.weights == (100, 0)));

    start(&ns, "leave", &revision).await;
    run_until(&ns, "leave", "the first weight", |run| {
        run.status.as_ref().is_some_and(|s| s.progress.as_ref().is_some_and(|p| p.confirmed == 1))
    })
    .await;
    site.route.answers("the first weight again", |answer| answer.mark().ends_with("-1")).await;
    let abandon = json!({ "metadata": { "annotations": { "gapless.dev/abandon": "true" } } });
    api(&ns).merge::<Value>(Kind::RUN, at(&ns, "leave"), &abandon).await.unwrap();
    runs.delete("leave", &kube::api::DeleteParams::default()).await.unwrap();
    gone("leave").await;
    assert_eq!(site.route.weights().await, (75, 25), "traffic stays");
    let route = site.route.object().await;
    assert!(
        route.metadata.annotations.unwrap_or_default().keys().all(|key| !key.starts_with("gapless.dev/owner")),
        "and the route is free"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn a_second_run_on_a_route_is_held_and_names_the_first() {
    let cluster = Cluster::get().await;
    install(&cluster).await;
    let ns = cluster.namespace("owner").await;
    let site = Site::new(&ns, "pds").await;
    let revision = revision(&ns, &[site.service(json!({ "shift": { "steps": [25, 100], "bake": "1h" } }))]);
    let _operator = Operator::start(&ns, &cluster.kubeconfig());
    start(&ns, "first", &revision).await;
    site.route.answers("the first weight", |answer| answer.mark().ends_with("-1")).await;
    start(&ns, "second", &revision).await;
    let held = run_until(&ns, "second", "the hold", |run| state(run) == "Held").await;
    let waiting = held.status.unwrap().waiting;
    let why = &waiting[0];
    assert_eq!(why.reason, "OneOwner");
    assert!(why.message.contains("one-owner") && why.message.contains(&format!("{}/first", ns.name())), "{}", why.message);
    assert_eq!(site.route.weights().await, (75, 25));
}

/// Longer than the API server is asked to prove that it is there, and than any pause of the loop.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs the test cluster"]
async fn while_a_weight_bakes_nothing_is_written() {
    let cluster = Cluster::get().await;
    install(&cluster).await;
    let ns = cluster.namespace("idle").await;
    let site = Site::new(&ns, "pds").await;
    let revision = revision(&ns, &[site.service(json!({ "shift": { "steps": [25, 100], "bake": "1h" } }))]);
    let _operator = Operator::start(&ns, &cluster.kubeconfig());
    start(&ns, "r", &revision).await;
    site.route.answers("the first weight", |answer| answer.mark().ends_with("-1")).await;
    let confirmed = |run: &MigrationRun| run.status.as_ref().is_some_and(|s| s.waiting.iter().any(|w| w.reason == "Shifting"));
    let run = run_until(&ns, "r", "the bake", confirmed).await;
    // The Gateway's controller writes the route's status some time after each change of it.
    until("the route's status", Duration::from_secs(10), || async {
        let object = site.route.object().await;
        let told = object.data.pointer("/status/parents/0/conditions/0/observedGeneration").and_then(Value::as_i64);
        (told == object.metadata.generation).then_some(())
    })
    .await;
    let route = site.route.history().await;
    let versions = versions(&ns, &run);
    tokio::time::sleep(Duration::from_secs(8)).await; // that nothing happens sends no event
    assert!(versions.borrow().is_empty(), "{:?}", versions.borrow());
    assert_eq!(route.versions().len(), 1, "{:?}", route.versions());
}
