//! Does effects on a route.

use std::time::Duration;

use super::{
    Webhook,
    client::Put,
    contract::{Act, Change, State, Weights},
};
use crate::{
    adapters::{clock, http::Kept},
    engine::{Action, Effect},
    ports::Performed,
};

/// A router that takes longer for a change is not waited for; the change may still happen.
const CHANGE_WITHIN: Duration = Duration::from_secs(5);

impl Webhook {
    /// Does one effect, if its precondition holds. Repeating it is harmless.
    pub async fn perform(&self, effect: &Effect) -> Performed {
        let act = match &effect.action {
            // The router knows both sides by itself.
            Action::EnsureBackend { .. } => return Performed::Done,
            Action::Task { .. } | Action::Claim { .. } | Action::Unclaim { .. } => return Performed::no_part(effect),
            Action::Release { .. } => Act::Release {},
            Action::SetWeight { weight, from, .. } => {
                Act::SetWeights { from: Weights::of(*from), weights: Weights::of(*weight), mark: effect.key.mark() }
            }
        };
        let now = clock::now();
        let left = Duration::try_from(effect.precondition.deadline.duration_since(now)).unwrap_or_default();
        if left.is_zero() {
            return Performed::Refused("the decision is too old to act on".to_owned());
        }
        let Some(version) = &effect.precondition.version else {
            return Performed::Refused("the decision names no version of the route".to_owned());
        };
        let change = Change { key: effect.key.to_string(), by: self.0.by.clone(), act };
        self.0.known().cell.stir(now);
        let put = self.put(&change, version, left.min(CHANGE_WITHIN)).await;
        let performed = match put {
            Put::Done(state) => self.done(&change.act, *state, version, now),
            Put::Otherwise(state) => {
                let why = otherwise(&change, version, &state);
                self.0.learn(Ok(*state), None, now);
                Performed::Refused(why)
            }
            Put::Refused(why) => Performed::Refused(why),
            Put::Unclear(why) => Performed::Unclear(why),
        };
        self.0.reader.notify_one();
        performed
    }

    /// Changes of one route are rarely under way together, and then the newer one must not queue behind one that hangs.
    async fn put(&self, change: &Change, version: &str, within: Duration) -> Put {
        let client = &self.0.client;
        match self.0.writing.try_lock() {
            Ok(mut kept) => client.change(&mut kept, change, version, within).await,
            Err(_) => client.change(&mut Kept::new(client.address.clone()), change, version, within).await,
        }
    }

    fn done(&self, act: &Act, state: State, replaces: &str, sent_at: jiff::Timestamp) -> Performed {
        let holds = match act {
            Act::SetWeights { weights, mark, .. } => state.weights == *weights && state.mark.as_ref() == Some(mark),
            Act::Release {} => state.owner.as_ref().is_none_or(|owner| owner.run != self.0.by.run),
        };
        let shows = format!("{} answered 200, but shows {} and the mark {:?}", self.0.client.address, state.weights, state.mark);
        self.0.learn(Ok(state), Some(replaces), sent_at);
        if holds { Performed::Done } else { Performed::Unclear(shows) }
    }
}

/// Which precondition did not hold, as far as the state tells.
fn otherwise(change: &Change, version: &str, state: &State) -> String {
    if let Some(owner) = state.owner.as_ref().filter(|owner| owner.run != change.by.run) {
        return format!("the route belongs to {owner}");
    }
    if let Act::SetWeights { from, .. } = &change.act
        && state.weights != *from
    {
        return format!("the route has {}, and not {from}, which was to be changed", state.weights);
    }
    if state.version != version {
        return format!("the route was changed meanwhile: it has version {}, not {version}", state.version);
    }
    "the router says that a precondition does not hold, and not which".to_owned()
}
