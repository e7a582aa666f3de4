//! An operator of one's own for each test, and plans for it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use gapless::{
    engine::RunId,
    kubernetes::{
        api::{Api, Kind},
        crd::{MigrationPlanRevision, MigrationRun, MigrationRunSpec},
        definitions::definitions,
        revision::pack,
    },
    plan::{Revision, check_spec, schedule::Durations},
};
use gapless_testcluster::{Cluster, Legacy, Namespace, Route, Target, until};
use serde_json::{Value, json};

/// Installs the CRDs; the same again changes nothing.
pub async fn install(cluster: &Cluster) {
    for definition in definitions().unwrap() {
        let name = definition.metadata.name.clone().unwrap();
        cluster.apply(None, serde_json::to_value(&definition).unwrap()).await;
        let api: kube::Api<k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition> =
            kube::Api::all(cluster.client());
        let established = kube::runtime::wait::conditions::is_crd_established();
        kube::runtime::wait::await_condition(api, &name, established).await.unwrap();
    }
}

/// The process under test.
pub struct Operator {
    child: Child,
    log: PathBuf,
    ns: Namespace,
    kubectl: PathBuf,
    kubeconfig: PathBuf,
}

impl Operator {
    /// Starts one for a namespace only, with this kubeconfig.
    pub fn start(ns: &Namespace, kubeconfig: &Path) -> Self {
        let folder = std::env::temp_dir().join(format!("gapless-operator-{}", ns.name()));
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join(format!("{}.log", std::process::id()));
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_gapless-operator"))
            .env("KUBECONFIG", kubeconfig)
            .env("GAPLESS_NAMESPACE", ns.name())
            .env("GAPLESS_JOURNALS", folder.join("journals"))
            .env("GAPLESS_HEALTH", "127.0.0.1:0")
            .env("NO_PROXY", "*")
            .stderr(Stdio::from(file))
            .spawn()
            .unwrap();
        let kubectl = ns.cluster().program("kubectl");
        Self { child, log, ns: ns.clone(), kubectl, kubeconfig: kubeconfig.into() }
    }
    /// Nobody drives its runs any more: without this their finalizers would keep the namespace for ever.
    fn leave_nothing(&self) {
        let kubectl = |args: &[&str]| {
            let mut command = Command::new(&self.kubectl);
            command.env("KUBECONFIG", &self.kubeconfig).args(["-n", self.ns.name()]).args(args);
            command.output().map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
        };
        for run in kubectl(&["get", "migrationruns", "-o", "name"]).lines() {
            kubectl(&["patch", run, "--type", "merge", "-p", r#"{"metadata":{"finalizers":null}}"#]);
        }
    }
    /// Ends it with SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
    /// Ends it with SIGTERM, and gives what it logged.
    pub async fn stop(mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let status = until("the operator's end", Duration::from_secs(15), || {
            let ended = self.child.try_wait().unwrap();
            async move { ended }
        })
        .await;
        assert!(status.success(), "{status}");
        std::fs::read_to_string(&self.log).unwrap()
    }
}
impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.leave_nothing();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(&self.log).unwrap_or_default());
        }
    }
}

/// A service with both sides and its route, all real.
pub struct Site {
    pub ns: Namespace,
    pub name: String,
    pub legacy: Legacy,
    pub target: Target,
    pub route: Route,
}

impl Site {
    pub async fn new(ns: &Namespace, name: &str) -> Self {
        let legacy = ns.legacy(name, 1).await;
        let target = ns.target(name, 1).await;
        let route = ns.route(name).await;
        Self { ns: ns.clone(), name: name.into(), legacy, target, route }
    }
    /// As a plan has it, with these fields besides.
    pub fn service(&self, besides: Value) -> Value {
        let mut service = json!({
            "name": self.name, "legacy": self.legacy.plan_side(), "target": self.target.plan_side(),
            "router": self.route.plan_router(), "shift": { "steps": [25, 100], "bake": "300ms" },
            "soak": { "for": "1s", "guardFor": "500ms" },
            "probes": [{ "name": "alive", "every": "50ms", "send": { "http": { "path": "/" } } }],
        });
        service.as_object_mut().unwrap().extend(besides.as_object().unwrap().clone());
        service
    }
}

/// The revision of a plan of these services.
pub fn revision(ns: &Namespace, services: &[Value]) -> Revision {
    let spec = serde_json::from_value(json!({ "services": services })).unwrap();
    let checked = check_spec("plan", ns.name(), &spec).unwrap_or_else(|refused| panic!("{refused}: {:?}", refused.findings));
    checked.revision
}

/// Our own client for the API server.
pub fn api(ns: &Namespace) -> Api {
    Api::new(ns.client())
}

/// Makes revision and run.
pub async fn start(ns: &Namespace, name: &str, revision: &Revision) -> MigrationRun {
    let packed = pack(revision).unwrap();
    let of = packed.metadata.name.clone().unwrap();
    let made = api(ns).create::<_, Value>(Kind::REVISION, Some(ns.name()), &packed).await;
    assert!(made.is_ok() || api(ns).get::<MigrationPlanRevision>(Kind::REVISION, at(ns, &of)).await.is_ok(), "{made:?}");
    let spec = MigrationRunSpec::start(&revision.plan().name, &of, "test", Durations::default());
    api(ns).create(Kind::RUN, Some(ns.name()), &MigrationRun::new(ns.name(), name, spec)).await.unwrap()
}

pub fn at<'a>(ns: &'a Namespace, name: &'a str) -> gapless::kubernetes::api::At<'a> {
    gapless::kubernetes::api::At { namespace: ns.name(), name }
}

pub async fn get(ns: &Namespace, name: &str) -> MigrationRun {
    api(ns).get(Kind::RUN, at(ns, name)).await.unwrap()
}

/// Waits until a run pleases.
pub async fn run_until(ns: &Namespace, name: &str, what: &str, pleases: impl Fn(&MigrationRun) -> bool) -> MigrationRun {
    let ask = || async {
        let run = get(ns, name).await;
        pleases(&run).then_some(run)
    };
    until(format_args!("run {name}: {what}"), Duration::from_secs(60), ask).await
}

/// The word for how a run stands.
pub fn state(run: &MigrationRun) -> &str {
    run.status.as_ref().and_then(|status| status.state.as_deref()).unwrap_or_default()
}

pub fn run_id(run: &MigrationRun) -> RunId {
    RunId(run.metadata.uid.clone().unwrap())
}

pub fn shared(revision: &Revision) -> Arc<Revision> {
    Arc::new(revision.clone())
}
