//! The dry run as a picture: a timeline that a room can look at.
//!
//! *Flow*: [`lane::lanes`] says who has a lane, [`scale::Scale`] where each moment is, [`sheet`] draws both, [`axis`] the hours.
//! *Guarantees*: the same preview gives the same bytes; nothing is fetched, no script runs; texts of the plan are escaped.
//! *Assumptions*: a viewer that knows CSS in SVG; one that knows `prefers-color-scheme` shows it dark where that is asked for.
//! *Caveats*: text widths are estimated, as no font is known here.

mod axis;
mod bars;
mod lane;
mod legend;
pub mod paper;
mod scale;
mod sheet;

pub use self::lane::MANY;
use crate::preview::Preview;

/// The style sheet of the timeline, for light, dark and paper.
pub const STYLE: &str = include_str!("style.css");

/// Where the names of lanes stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// In a column of their own, left of the lanes.
    Beside,
    /// Above each lane, where there is no room for a column.
    Above,
}

/// What stands above the drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heading {
    /// The plan, and how it goes.
    Shown,
    /// Nothing: the page around it says so.
    Left,
}

/// For which width it is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Layout {
    /// Of the whole drawing, in pixels.
    pub width: f64,
    /// Where the names stand.
    pub names: Names,
    /// What stands above.
    pub heading: Heading,
}

impl Layout {
    /// A screen in a room, a laptop, a printed page.
    pub const WIDE: Self = Self { width: 1280.0, names: Names::Beside, heading: Heading::Shown };
    /// A phone.
    pub const NARROW: Self = Self { width: 366.0, names: Names::Above, heading: Heading::Left };

    /// Where time begins.
    fn left(self) -> f64 {
        match self.names {
            Names::Beside => 176.0,
            Names::Above => 6.0,
        }
    }
    /// Where it ends.
    fn right(self) -> f64 {
        self.width - if self.names == Names::Beside { 16.0 } else { 6.0 }
    }
    /// How wide a cut is.
    fn cut(self) -> f64 {
        if self.names == Names::Beside { 40.0 } else { 26.0 }
    }
}

/// The timeline as an SVG file.
pub fn svg(preview: &Preview) -> String {
    sheet::draw(preview, Layout::WIDE)
}

/// The timeline for this width, as an `<svg>` element.
pub fn drawn(preview: &Preview, layout: Layout) -> String {
    sheet::draw(preview, layout)
}
