//! Connections that outlive a weight: those that legacy still has once it gets no new ones.
//!
//! *Flow*: while legacy has a share its connections are renewed. From the moment on at which it has none they end one by one, the
//! last after the age that the plan says connections reach. A client that never closes keeps its own for good, and so does one
//! that still knows the old address and opens one past the route.
//! *Assumptions*: denying the old address keeps new connections out and cuts none; switching legacy off cuts all.
//! *Caveats*: whether there are any is told, not how many.

use super::{
    clock::Moment,
    facts::ServiceFacts,
    model::{Ix, ms},
};
use crate::plan::{Plan, Router, Service, Side};

/// A service whose connections live for a while, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionsModel {
    /// The service.
    pub service: Ix,
    /// How old a connection becomes, in milliseconds.
    pub age: i64,
    /// Whether its router tells which connections legacy has.
    pub router: Told,
    /// For how long its plan lets legacy wait for its connections, in milliseconds; `None`: until there are none.
    pub deadline: Option<i64>,
}

/// Whether a router tells what connections there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It does.
    Counted,
    /// It does not know.
    Untold,
}

/// The connections that legacy has from its old share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Open {
    /// There are none.
    None,
    /// New ones come all the time.
    Renewed,
    /// No new ones come; the last ends then.
    Until(Moment),
    /// One of them never ends by itself.
    ForGood,
}

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Client {
    /// It closes its connections in time.
    #[default]
    Closes,
    /// It never does.
    Stays,
}

/// The connections of one service as they really are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Connections {
    /// Those to legacy.
    pub open: Open,
    /// The worst of its clients.
    pub client: Client,
}

/// The services of a plan whose connections are told to live for a while, in the order of their names.
pub(super) fn all(plan: &Plan) -> Vec<ConnectionsModel> {
    let kept = (0..).zip(plan.services.values()).filter_map(|(ix, service)| {
        let router = told(service);
        let (age, deadline) = (ms(service.max_connection_age?), service.drain_deadline.map(ms));
        Some(ConnectionsModel { service: ix, age, router, deadline })
    });
    kept.collect()
}

/// Whether the router of a service tells what connections legacy has.
pub(super) fn told(service: &Service) -> Told {
    match service.router {
        Router::Webhook { .. } | Router::Haproxy { .. } => Told::Counted,
        _ => Told::Untold,
    }
}

impl Connections {
    /// Legacy has all the traffic.
    pub(super) fn new() -> Self {
        Self { open: Open::Renewed, client: Client::Closes }
    }

    /// Whether legacy has any.
    pub fn are_open(&self) -> bool {
        self.open != Open::None
    }

    /// When the last of them ends by itself.
    pub(super) fn ends_at(&self) -> Option<Moment> {
        match self.open {
            Open::Until(at) => Some(at),
            Open::None | Open::Renewed | Open::ForGood => None,
        }
    }

    /// Follows what became of the service.
    pub(super) fn follow(&mut self, service: &ServiceFacts, model: &ConnectionsModel, now: Moment) {
        let (share, alive) = (100u8.saturating_sub(service.route.in_force), service.side(Side::Legacy).healthy > 0);
        self.open = match (share, self.open) {
            _ if !alive => Open::None,
            (1.., _) => Open::Renewed,
            (0, Open::Renewed) if self.client == Client::Stays => Open::ForGood,
            (0, Open::Renewed) => Open::Until(now.plus(model.age)),
            (0, open) => open,
        };
    }

    /// What its worst client does from now on.
    pub(super) fn set_client(&mut self, client: Client) {
        self.client = client;
        self.open = match (client, self.open) {
            (_, Open::Renewed) => Open::Renewed,
            (Client::Stays, _) => Open::ForGood,
            (Client::Closes, Open::ForGood) => Open::None,
            (Client::Closes, open) => open,
        };
    }

    pub(super) fn end(&mut self) {
        self.open = Open::None;
    }

    /// The same in a world whose clock was set back by `by`, seen as of `shown` milliseconds ago.
    pub(super) fn rebase(&mut self, by: i64, shown: i64) {
        if let Open::Until(at) = &mut self.open {
            at.rebase(by, shown);
        }
    }
}
