//! Windows and freezes: when a step may start, and until when everything in motion can still be undone.

use jiff::Timestamp;

use super::{after, before};
use crate::plan::{
    model::{Freeze, Plan, Window, WindowPurpose},
    names::{FreezeName, PhaseName, Span, WindowName},
};

/// The latest rollback of a window: the last moment at which going back, which takes `undo`, still ends inside it.
///
/// `min(closes, begin of the first freeze) − reserve − undo`, where `undo` is the 95th percentile along the reverse
/// critical path of the services in motion (`PLAN.md`, "Windows"); `None` as `undo`: nothing is in motion, so there is none.
/// The first freeze is the one that is ahead at `now` or lasts at `now`: one that is over binds nobody any more.
pub fn latest_rollback<'a>(
    window: &Window,
    freezes: impl IntoIterator<Item = &'a Freeze>,
    undo: Option<Span>,
    now: Timestamp,
) -> Option<Timestamp> {
    let inside = freezes.into_iter().filter(|freeze| freeze.until > now && freeze.from < window.closes);
    let ends = inside.map(|freeze| freeze.from).min().unwrap_or(window.closes).min(window.closes);
    undo.map(|undo| before(before(ends, window.reserve), undo))
}

/// What wants to start, and so which windows govern it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose<'a> {
    /// Shift, fence or promote of a service of this phase: the windows that the phase names; if it names none, any time.
    Shift(&'a PhaseName),
    /// Scream test, drain or decommission: all windows of that purpose; if there are none, any time.
    Decommission,
}

/// Whether a step may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// It may.
    Now {
        /// In this window; `None`: no window governs it.
        window: Option<&'a WindowName>,
        /// The latest rollback that will hold once it has started; `None`: neither window nor freeze bounds it.
        latest_rollback: Option<Timestamp>,
    },
    /// A freeze lasts.
    Frozen {
        /// Its name.
        freeze: &'a FreezeName,
        /// Its end.
        until: Timestamp,
        /// When the step may start; `None`: never again.
        next: Option<Timestamp>,
    },
    /// No window is open.
    Closed {
        /// When the step may start; `None`: never again.
        next: Option<Timestamp>,
    },
    /// A window is open, but the step would end, its bake with it, after the latest rollback that would hold then.
    TooLate {
        /// The window; `None`: no window governs it, and a freeze comes.
        window: Option<&'a WindowName>,
        /// That latest rollback.
        latest_rollback: Timestamp,
        /// When the step may start; `None`: never again.
        next: Option<Timestamp>,
    },
}

impl Start<'_> {
    /// When to ask again: never before this moment is the answer a better one. `None`: it may start now, or never.
    pub fn next(&self) -> Option<Timestamp> {
        match self {
            Self::Now { .. } => None,
            Self::Frozen { next, .. } | Self::Closed { next } | Self::TooLate { next, .. } => *next,
        }
    }
}

/// The windows and freezes of a plan, put in order once so that many questions are cheap.
#[derive(Debug, Clone)]
pub struct Calendar<'a> {
    plan: &'a Plan,
    /// By their beginnings.
    freezes: Vec<(&'a FreezeName, &'a Freeze)>,
    decommission: Vec<(&'a WindowName, &'a Window)>,
}

impl<'a> Calendar<'a> {
    /// The calendar of a plan.
    pub fn of(plan: &'a Plan) -> Self {
        let mut freezes: Vec<_> = plan.freezes.iter().filter(|(_, freeze)| freeze.from < freeze.until).collect();
        freezes.sort_by_key(|(_, freeze)| freeze.from);
        let decommission = plan.windows.iter().filter(|(_, window)| window.purpose == WindowPurpose::Decommission).collect();
        Self { plan, freezes, decommission }
    }

    /// The windows that govern such a step; none: it may start at any time.
    pub fn windows<'s>(&'s self, purpose: Purpose<'s>) -> impl Iterator<Item = (&'a WindowName, &'a Window)> + 's {
        let phase = match purpose {
            Purpose::Shift(phase) => self.plan.phases.get(phase),
            Purpose::Decommission => None,
        };
        let named = phase.into_iter().flat_map(|phase| &phase.windows).filter_map(|name| self.plan.windows.get_key_value(name));
        let ending = self.decommission.iter().copied().filter(move |_| purpose == Purpose::Decommission);
        named.chain(ending)
    }

    /// The freeze that lasts at `now` and ends last.
    pub fn frozen(&self, now: Timestamp) -> Option<(&'a FreezeName, &'a Freeze)> {
        let lasting = self.freezes.iter().filter(|(_, freeze)| freeze.from <= now && now < freeze.until);
        lasting.max_by_key(|(_, freeze)| freeze.until).copied()
    }

    /// The latest rollback that binds what is in motion of a phase: that of the open window, and of those the latest. `None`
    /// where neither window nor freeze bounds it, or nothing is in motion. Where no window of the phase is open any more, it
    /// is that of the one that closed last: it has come already.
    pub fn latest_rollback(
        &self,
        purpose: Purpose<'_>,
        undo: Option<Span>,
        now: Timestamp,
    ) -> Option<(Option<&'a WindowName>, Timestamp)> {
        let mut governed = None;
        for (name, window) in self.windows(purpose) {
            if window.opens <= now {
                let latest = self.bound(Some(window), now, undo?);
                governed = governed.max(latest.map(|latest| (latest, Some(name))));
            }
        }
        if governed.is_none() && self.windows(purpose).next().is_none() {
            governed = self.bound(None, now, undo?).map(|latest| (latest, None));
        }
        governed.map(|(latest, name)| (name, latest))
    }

    /// Whether a step that `takes` so long with its bake may start at `now`, if going back takes `undo` once it has started:
    /// only if it ends before the latest rollback that holds then. `undo` counts what is in motion already and the step's
    /// service; zero for what has no way back.
    pub fn may_start(&self, purpose: Purpose<'_>, takes: Span, undo: Span, now: Timestamp) -> Start<'a> {
        if let Some((freeze, span)) = self.frozen(now) {
            return Start::Frozen { freeze, until: span.until, next: self.next_start(purpose, takes, undo, now) };
        }
        let ends = after(now, takes);
        let mut late: Option<(Timestamp, Option<&'a WindowName>)> = None;
        let mut governed = false;
        for (name, window) in self.windows(purpose) {
            governed = true;
            if window.opens <= now
                && now < window.closes
                && let Some(latest) = self.bound(Some(window), now, undo)
            {
                if ends <= latest {
                    return Start::Now { window: Some(name), latest_rollback: Some(latest) };
                }
                late = late.max(Some((latest, Some(name))));
            }
        }
        if !governed {
            match self.bound(None, now, undo) {
                Some(latest) if ends > latest => late = Some((latest, None)),
                latest_rollback => return Start::Now { window: None, latest_rollback },
            }
        }
        let next = self.next_start(purpose, takes, undo, now);
        match late {
            Some((latest_rollback, window)) => Start::TooLate { window, latest_rollback, next },
            None => Start::Closed { next },
        }
    }

    /// The first moment, not before `from`, at which such a step may start; `None`: there is none.
    pub fn next_start(&self, purpose: Purpose<'_>, takes: Span, undo: Span, from: Timestamp) -> Option<Timestamp> {
        let mut governed = false;
        let mut first: Option<Timestamp> = None;
        for (_, window) in self.windows(purpose) {
            governed = true;
            let start = self.first_fit(Some(window), takes, undo, from.max(window.opens));
            first = [first, start].into_iter().flatten().min();
        }
        if governed { first } else { self.first_fit(None, takes, undo, from) }
    }

    /// The first moment from `at` on at which a window of such steps is open and no freeze lasts, however long the step takes.
    pub fn next_opening(&self, purpose: Purpose<'_>, at: Timestamp) -> Option<Timestamp> {
        self.next_start(purpose, Span::ZERO, Span::ZERO, at)
    }

    /// `min(closes, begin of the next freeze) − reserve − undo`, where there is an end at all.
    fn bound(&self, window: Option<&Window>, now: Timestamp, undo: Span) -> Option<Timestamp> {
        let ahead = self.freezes.iter().find(|(_, freeze)| freeze.until > now).map(|(_, freeze)| freeze.from);
        let ends = [ahead, window.map(|window| window.closes)].into_iter().flatten().min()?;
        Some(before(before(ends, window.map_or(Span::ZERO, |window| window.reserve)), undo))
    }

    /// Between which freezes it fits first, inside `window` if there is one.
    fn first_fit(&self, window: Option<&Window>, takes: Span, undo: Span, from: Timestamp) -> Option<Timestamp> {
        let kept = window.map_or(Span::ZERO, |window| window.reserve).plus(undo).plus(takes);
        let closes = window.map_or(Timestamp::MAX, |window| window.closes);
        let mut start = from;
        for (_, freeze) in &self.freezes {
            if freeze.until <= start {
                continue;
            }
            if freeze.from >= closes {
                break;
            }
            if start < freeze.from && after(start, kept) <= freeze.from {
                return Some(start);
            }
            start = freeze.until;
        }
        // A step of no length may start until the last moment, not at it: the end is exclusive.
        (start < closes && after(start, kept) <= closes).then_some(start)
    }
}
