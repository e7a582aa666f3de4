//! Who may do what: the caller is asked about by SelfSubjectAccessReviews, the operator's account by SubjectAccessReviews.
//!
//! *Caveats*: few may ask about others; where the caller may not, that is said, and what neither is known to be allowed counts
//! as missing.

use serde_json::{Value, json};

use super::{Account, error, live::Live, warning};
use crate::{
    kubernetes::{
        api::{Api, ApiError, Kind, Selection},
        approval,
        permissions::{OPERATOR, Part, Permission, Verb},
        watch::name,
        world::rule_name,
    },
    plan::{Place, Plan, Side},
    preview::report::{ClusterCode, ClusterFinding, Needs, Permit, RightLine},
};

/// The label by which the chart marks the operator's account.
const OF_OPERATOR: &str = "app.kubernetes.io/name=gapless-operator";

/// What whoever starts a run and gives it orders needs.
const CALLER: [(Kind, Verb); 5] = [
    (Kind::REVISION, Verb::Create),
    (Kind::REVISION, Verb::Get),
    (Kind::RUN, Verb::Create),
    (Kind::RUN, Verb::Get),
    (Kind::RUN, Verb::Patch),
];

/// One right that is needed.
struct Wanted {
    permission: Permission,
    namespace: String,
    by: Needs,
}

/// Asks for all rights that a run of this plan rests on. Gives the operator's account as well, if it is known.
pub async fn ask(
    api: &Api,
    plan: &Plan,
    live: &Live,
    operator: Option<&Account>,
    caller: &str,
    found: &mut Vec<ClusterFinding>,
) -> (Option<Account>, Vec<RightLine>) {
    let (account, mut unknown) = match operator {
        Some(account) => (Some(account.clone()), None),
        None => match find(api, &plan.namespace).await {
            Ok(account) => (Some(account), None),
            Err(why) => (None, Some(why)),
        },
    };
    let mut lines = Vec::new();
    for wanted in wanted(plan, live) {
        let own = permit(review(api, &wanted, None).await);
        let operators = match (&account, &unknown, wanted.by) {
            (Some(account), None, Needs::Operator) => review(api, &wanted, Some(account)).await,
            _ => Ok(Permit::Unknown),
        };
        if let Err(why) = &operators {
            unknown =
                Some(format!("you may not ask about {}: {why}", account.as_ref().map_or_else(String::new, Account::to_string)));
        }
        lines.push(line(&wanted, own, permit(operators)));
    }
    judge(&lines, account.as_ref(), unknown.as_deref(), caller, found);
    (account, lines)
}

/// The operator's account: the only one that the chart's label finds; of several the one in the plan's own namespace.
async fn find(api: &Api, namespace: &str) -> Result<Account, String> {
    let of = Selection { labels: Some(OF_OPERATOR.to_owned()), ..Selection::all(Kind::ACCOUNT, None) };
    let page = api.page::<Value>(&of, "").await.map_err(|why| format!("it cannot be looked for: {why}"))?;
    let account = |object: &Value| Account {
        namespace: object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default().to_owned(),
        name: name(object).to_owned(),
    };
    let all: Vec<Account> = page.items.iter().map(account).collect();
    let near: Vec<&Account> = all.iter().filter(|account| account.namespace == namespace).collect();
    match (all.as_slice(), near.as_slice()) {
        ([only], _) => Ok(only.clone()),
        (_, [near]) => Ok((*near).clone()),
        ([], _) => Err(format!("there is no account with the label {OF_OPERATOR}: the operator is not installed")),
        (many, _) => Err(format!("{} accounts have the label {OF_OPERATOR}", many.len())),
    }
}

/// Each right that is needed, forward and back.
fn wanted(plan: &Plan, live: &Live) -> Vec<Wanted> {
    let makes = plan.services.iter().any(|(name, service)| {
        let plain = |side: &Side| matches!(service.side(*side).at, Place::Endpoints(_));
        rule_name(name, service).is_some() && Side::BOTH.iter().any(plain)
    });
    let people = approval::asks(plan);
    let needed = |permission: &&Permission| match (permission.kind, permission.verb) {
        (Kind::GATEWAY, _) => false, // in the namespaces of the Gateways, see below
        (Kind::SERVICE | Kind::ENDPOINT_SLICE, Verb::Create | Verb::Patch) => makes,
        (Kind::APPROVAL, _) => people,
        _ => true,
    };
    let own = |kind, verb| Wanted {
        permission: Permission { kind, part: Part::Whole, verb },
        namespace: plan.namespace.clone(),
        by: Needs::Caller,
    };
    let operators = |permission: &Permission, namespace: &str| Wanted {
        permission: *permission,
        namespace: namespace.to_owned(),
        by: Needs::Operator,
    };
    let gateway = Permission { kind: Kind::GATEWAY, part: Part::Whole, verb: Verb::Get };
    let callers = CALLER.into_iter().map(|(kind, verb)| own(kind, verb));
    let here = OPERATOR.iter().filter(needed).map(|permission| operators(permission, &plan.namespace));
    let gateways = live.gateway_namespaces().into_iter().map(|namespace| operators(&gateway, namespace));
    callers.chain(here).chain(gateways).collect()
}

/// Whether somebody has a right: the caller, or this account.
async fn review(api: &Api, wanted: &Wanted, account: Option<&Account>) -> Result<Permit, ApiError> {
    let Permission { kind, part, verb } = wanted.permission;
    let mut attributes = json!({
        "namespace": wanted.namespace, "verb": verb.to_string(), "group": kind.group, "version": kind.version,
        "resource": kind.plural,
    });
    if let (Part::Status, Some(attributes)) = (part, attributes.as_object_mut()) {
        attributes.insert("subresource".into(), json!("status"));
    }
    let (of, word, spec) = match account {
        None => (Kind::SELF_ACCESS, "SelfSubjectAccessReview", json!({ "resourceAttributes": attributes })),
        Some(Account { namespace, name }) => {
            let groups = [
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
                "system:authenticated".to_owned(),
            ];
            let user = format!("system:serviceaccount:{namespace}:{name}");
            let spec = json!({ "resourceAttributes": attributes, "user": user, "groups": groups });
            (Kind::ACCESS, "SubjectAccessReview", spec)
        }
    };
    let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": word, "spec": spec });
    let answer: Value = api.create(of, None, &review).await?;
    Ok(match answer.pointer("/status/allowed").and_then(Value::as_bool) {
        Some(true) => Permit::Yes,
        Some(false) => Permit::No,
        None => Permit::Unknown,
    })
}

fn permit(answer: Result<Permit, ApiError>) -> Permit {
    answer.unwrap_or(Permit::Unknown)
}

fn line(wanted: &Wanted, caller: Permit, operator: Permit) -> RightLine {
    let Permission { kind, part, verb } = wanted.permission;
    let part = if part == Part::Status { "/status" } else { "" };
    let group = if kind.group.is_empty() { String::new() } else { format!(".{}", kind.group) };
    RightLine {
        verb: verb.to_string(),
        resource: format!("{}{part}{group}", kind.plural),
        namespace: wanted.namespace.clone(),
        needed_by: wanted.by,
        caller,
        operator,
    }
}

/// What is missing, one finding for each who lacks something in a namespace.
fn judge(lines: &[RightLine], account: Option<&Account>, unknown: Option<&str>, caller: &str, found: &mut Vec<ClusterFinding>) {
    let mut namespaces: Vec<&str> = lines.iter().map(|line| line.namespace.as_str()).collect();
    namespaces.dedup();
    let account_name = account.map_or_else(|| "the operator's account".to_owned(), |account| format!("ServiceAccount {account}"));
    for namespace in namespaces {
        let here = || lines.iter().filter(|line| line.namespace == namespace);
        let missing = |such: &dyn Fn(&RightLine) -> bool| {
            here().filter(|line| such(line)).map(|line| format!("{} {}", line.verb, line.resource)).collect::<Vec<_>>().join(", ")
        };
        let own = missing(&|line| line.needed_by == Needs::Caller && line.caller != Permit::Yes);
        if !own.is_empty() {
            let place = format!("user {caller} in namespace {namespace}");
            let help = "let somebody start the run and give it orders who may, or grant these";
            found.push(error(ClusterCode::RightMissing, place, format!("you may not {own}"), help));
        }
        let operators = missing(&|line| line.needed_by == Needs::Operator && line.operator == Permit::No);
        if !operators.is_empty() {
            let place = format!("{account_name} in namespace {namespace}");
            let help = "install the chart with this namespace in `watchNamespace` or `gatewayNamespaces`, or grant these";
            found.push(error(ClusterCode::RightMissing, place, format!("it may not {operators}"), help));
        }
        let neither =
            missing(&|line| line.needed_by == Needs::Operator && line.operator == Permit::Unknown && line.caller != Permit::Yes);
        if !neither.is_empty() {
            let place = format!("{account_name} in namespace {namespace}");
            let message = format!("nobody is known to be allowed to {neither}");
            let help = "ask as somebody who may make SubjectAccessReviews, and name the account with --operator";
            found.push(error(ClusterCode::RightMissing, place, message, help));
        }
    }
    if let Some(why) = unknown {
        let help = "name it with --operator NAMESPACE/NAME, and ask as somebody who may make SubjectAccessReviews";
        let message = format!("whether it may do what a run needs is not known: {why}");
        found.push(warning(ClusterCode::RightUnknown, account_name, message, help));
    }
}
