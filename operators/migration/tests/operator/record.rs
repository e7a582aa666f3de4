//! The record in a run's status, written by compare-and-swap.

use gapless::{
    engine::{Decision, Ended, Outcome},
    kubernetes::{
        api::Kind,
        store::{KubeStore, RunName},
    },
    ports::{Store as _, StoreError},
};
use gapless_testcluster::{Cluster, Namespace};
use serde_json::{Value, json};

use crate::support::{api, at, get, install, revision, shared, start};

fn service() -> Value {
    json!({ "name": "pds", "legacy": { "endpoints": [{ "address": "10.0.0.1", "port": 80 }] },
            "target": { "service": { "name": "pds", "port": 80 } }, "router": { "httpRoute": { "name": "pds" } },
            "probes": [{ "name": "alive", "send": { "http": {} } }] })
}
async fn stores(ns: &Namespace) -> [KubeStore; 2] {
    let revision = revision(ns, &[service()]);
    let run = start(ns, "r", &revision).await;
    let name = RunName { namespace: ns.name().into(), name: "r".into(), uid: run.metadata.uid.unwrap() };
    [(); 2].map(|()| KubeStore::new(api(ns), name.clone(), shared(&revision), None).unwrap())
}
fn next(record: &gapless::engine::Record, seq: u64) -> Decision {
    let mut record = record.clone();
    record.journal.seq = seq;
    record.journal.hash = format!("{seq}");
    Decision { record, effects: vec![], events: vec![], waits: vec![], wake_at: None, due_at: None, outcome: None }
}

#[tokio::test]
#[ignore = "needs the test cluster"]
async fn of_two_writers_one_wins_and_an_order_meanwhile_is_no_conflict() {
    let cluster = Cluster::get().await;
    install(&cluster).await;
    let ns = cluster.namespace("record").await;
    let [mut one, mut two] = stores(&ns).await;
    let (record, version) = one.load().await.unwrap();
    let (same, other) = two.load().await.unwrap();
    assert_eq!((&record, &version), (&same, &other));

    let first = next(&record, 1);
    let after = one.commit(&first.record, &version, &first).await.unwrap();
    let late = two.commit(&first.record, &other, &next(&record, 1)).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    assert_eq!(two.load().await.unwrap(), (first.record.clone(), after.clone()));

    // Somebody orders something: the object has a new version, the record is the same.
    api(&ns).merge::<Value>(Kind::RUN, at(&ns, "r"), &json!({ "spec": { "intent": "Hold" } })).await.unwrap();
    let second = next(&first.record, 2);
    let newest = one.commit(&second.record, &after, &second).await.unwrap();
    let run = get(&ns, "r").await;
    assert_eq!(run.metadata.resource_version.as_deref(), Some(newest.0.as_str()));
    assert_eq!(run.spec.intent, gapless::engine::Intent::Hold, "the write of the status leaves the order alone");
    let status = run.status.unwrap();
    assert_eq!(status.observed_generation, run.metadata.generation, "the order was there when this was written");
    assert_eq!(status.progress.unwrap().text, format!("0/{}", gapless::engine::step_count(revision(&ns, &[service()]).plan())));

    // What is published says nothing new, so nothing is written.
    assert_eq!(one.publish(&second.record, &newest, &second).await.unwrap(), None);
    assert_eq!(get(&ns, "r").await.metadata.resource_version.as_deref(), Some(newest.0.as_str()));
}

#[tokio::test]
#[ignore = "needs the test cluster"]
async fn a_record_of_a_later_version_and_a_run_made_anew_are_left_alone() {
    let cluster = Cluster::get().await;
    install(&cluster).await;
    let ns = cluster.namespace("foreign").await;
    let [mut one, _] = stores(&ns).await;
    let (record, version) = one.load().await.unwrap();
    let mut ended = next(&record, 1);
    ended.record.ended = Some(Ended { outcome: Outcome::Completed, at: record.started_at });
    one.commit(&ended.record, &version, &ended).await.unwrap();
    let conditions = get(&ns, "r").await.status.unwrap().conditions;
    let holds =
        |kind: &str| conditions.iter().any(|c| c.kind == kind && c.status == gapless::kubernetes::crd::ConditionStatus::True);
    assert!(holds("Completed") && !holds("Reconciling") && !holds("Stalled"), "{conditions:?}");

    let later = json!({ "status": { "record": { "format": 99, "new": "field" } } });
    api(&ns).merge_status(Kind::RUN, at(&ns, "r"), &later).await.unwrap();
    let refused = one.load().await.unwrap_err();
    assert!(matches!(&refused, StoreError::Broken(what) if what.contains("format 99")), "{refused}");

    let runs: kube::Api<gapless::kubernetes::crd::MigrationRun> = kube::Api::namespaced(ns.client(), ns.name());
    runs.delete("r", &kube::api::DeleteParams::default()).await.unwrap();
    let revision = revision(&ns, &[service()]);
    start(&ns, "r", &revision).await;
    let refused = one.load().await.unwrap_err();
    assert!(matches!(&refused, StoreError::Broken(what) if what.contains("made anew")), "{refused}");
}
