//! The dry run: production's decisions in the ideal world, in virtual time, and what came of them as a timeline.
//!
//! *Flow*: [`Course`] runs `judge` over [`crate::world::ideal::Ideal`] and jumps from one moment at which anything can change
//! to the next; [`film`] notes when each step began and ended and what it waited for; [`preview`] adds what people want to
//! know before they sign: the critical path, the latest rollback, what fits into which window, what a gap would cost.
//! *Guarantees*: the same plan, start and options give the same preview, to the byte. Nothing is decided here.
//! *Assumptions*: every gate passes, every piece of work takes the 95th percentile that the plan expects, and people answer
//! after the time that was declared for them.
//! *Caveats*: the preview shows the one run in which nothing goes wrong; what else may happen is for `explore` and `rehearse`.

pub mod back;
mod course;
mod deeds;
mod film;
mod motion;
mod path;
pub mod report;
mod risk;
pub mod times;

pub use self::{
    back::{Back, back_from},
    course::{Course, Looks, Moment, Options},
    report::{Preview, preview, preview_by},
};
