//! Tells one listener that something is new, from many places, and loses nothing.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Notify;

/// The end that tells. All clones tell the same listener.
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    news: AtomicU64,
    bell: Notify,
}

impl Wake {
    /// Something is new. Never waits.
    pub fn fire(&self) {
        self.0.news.fetch_add(1, Ordering::AcqRel);
        self.0.bell.notify_one();
    }
    /// A listener; it has heard of nothing yet. There should be one only: a bell wakes one.
    pub fn listener(&self) -> Listener {
        Listener { inner: Arc::clone(&self.0), heard: 0 }
    }
}

/// The end that listens.
#[derive(Debug)]
pub struct Listener {
    inner: Arc<Inner>,
    heard: u64,
}

impl Listener {
    /// From now on only what comes later is new. To be called *before* the news is looked at.
    pub fn hear(&mut self) {
        self.heard = self.inner.news.load(Ordering::Acquire);
    }
    /// Returns when something is new since [`Self::hear`]; at once if it is already. Dropping the future loses nothing.
    pub async fn changed(&self) {
        while self.inner.news.load(Ordering::Acquire) == self.heard {
            self.inner.bell.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn nothing_is_lost_and_nothing_is_told_twice() {
        let wake = Wake::default();
        let mut listener = wake.listener();
        let quiet = Duration::from_millis(5);
        assert!(tokio::time::timeout(quiet, listener.changed()).await.is_err(), "nothing happened yet");
        wake.fire();
        wake.fire();
        listener.changed().await;
        listener.changed().await; // still new: nobody looked
        listener.hear();
        assert!(tokio::time::timeout(quiet, listener.changed()).await.is_err(), "a stale ring is no news");
        let other = wake.clone();
        let told = tokio::spawn(async move { other.fire() });
        listener.changed().await;
        told.await.unwrap();
    }
}
