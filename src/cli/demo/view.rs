//! The demo on a terminal: a line for each service, the newest moments, the totals; redrawn in place.

use gapless::{
    lab::demo::{Kind, Moment, Outlook, Position, Scene, Story, Watcher},
    plan::Weight,
};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::telling;

/// How many moments are shown.
const MOMENTS: usize = 8;
/// How wide the bar of a service is.
const BAR: usize = 30;

/// Lines that are redrawn in place. Dropped, it wipes them.
pub struct Live {
    lines: MultiProgress,
    shown: Vec<ProgressBar>,
    paint: Paint,
}

/// Whether there are colours.
#[derive(Clone, Copy)]
enum Paint {
    Colours,
    Plain,
}

impl Paint {
    fn on(self, code: u8, text: &str) -> String {
        match self {
            Self::Colours => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}
const RED: u8 = 31;
const GREEN: u8 = 32;
const YELLOW: u8 = 33;
const DIM: u8 = 2;
const BOLD: u8 = 1;

impl Live {
    /// A view on standard output.
    pub fn new(colour: bool) -> Self {
        let lines = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        Self { lines, shown: Vec::new(), paint: if colour { Paint::Colours } else { Paint::Plain } }
    }

    fn draw(&mut self, frame: Vec<String>) {
        while self.shown.len() < frame.len() {
            let bar = self.lines.add(ProgressBar::new(1));
            if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
                bar.set_style(style); // cut to the terminal's width
            }
            self.shown.push(bar);
        }
        for (bar, text) in self.shown.iter().zip(frame) {
            bar.set_message(text);
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let _ = self.lines.clear(); // the terminal may be gone
    }
}

impl Watcher for Live {
    fn scene(&mut self, scene: &Scene<'_>) {
        self.draw(frame(scene, self.paint));
    }
}

fn frame(scene: &Scene<'_>, paint: Paint) -> Vec<String> {
    let mut lines = vec![
        paint.on(BOLD, &format!("gapless demo  {:.1} s", scene.elapsed.as_secs_f64())),
        String::new(),
        paint.on(DIM, &format!("{:<10} {:<BAR$}  {:>5}  {:<22} {:<22} step", "", "share of target", "", "legacy", "target")),
    ];
    lines.extend(scene.outlooks.iter().map(|outlook| service(outlook, scene.story, paint)));
    let failed: u64 = scene.totals.values().map(|t| t.failed).sum();
    lines.push(String::new());
    lines.push(paint.on(if failed == 0 { GREEN } else { RED }, &telling::totals(scene)));
    lines.push(String::new());
    lines.extend(newest(&scene.story.moments, paint));
    lines
}

fn service(outlook: &Outlook, story: &Story, paint: Paint) -> String {
    let told = story.services.get(&outlook.service);
    let side = |fault: Option<gapless::lab::estate::Fault>| match fault {
        None => paint.on(GREEN, &format!("{:<22}", "healthy")),
        Some(fault) => paint.on(RED, &format!("{:<22}", fault.to_string())),
    };
    let step = match told.map(|t| (&t.hold, &t.position)) {
        Some((Some(_), _)) => paint.on(YELLOW, "holds"),
        Some((None, Position::Shifting(weight))) => format!("{weight} ordered, watched"),
        Some((None, Position::Soaking)) => "moved, soaking".to_owned(),
        Some((None, Position::Soaked)) => paint.on(GREEN, "done"),
        Some((None, Position::GoingBack)) => paint.on(YELLOW, "goes back"),
        Some((None, Position::Returned)) => paint.on(YELLOW, "back on legacy"),
        Some((None, Position::Waiting)) | None => paint.on(DIM, "waits"),
    };
    let share = outlook.route.effective;
    let percent = format!("{:>3} %", share.percent());
    format!(
        "{:<10} {}  {percent}  {} {} {step}",
        outlook.service.as_str(),
        bar(share, paint),
        side(outlook.legacy),
        side(outlook.target)
    )
}

fn bar(share: Weight, paint: Paint) -> String {
    let full = usize::from(share.percent()) * BAR / 100;
    format!("{}{}", paint.on(GREEN, &"█".repeat(full)), paint.on(DIM, &"░".repeat(BAR.saturating_sub(full))))
}

/// The newest moments, oldest first, and empty lines for those that are still to come.
fn newest(moments: &[Moment], paint: Paint) -> Vec<String> {
    let from = moments.len().saturating_sub(MOMENTS);
    let line = |moment: &Moment| {
        let text = format!("{}  {}", moment.at.strftime("%H:%M:%S%.3f"), moment.text);
        match moment.kind {
            Kind::Course => text,
            Kind::Trouble | Kind::Fault => paint.on(RED, &text),
            Kind::Remedy => paint.on(YELLOW, &text),
            Kind::End => paint.on(BOLD, &text),
        }
    };
    let mut lines: Vec<String> = moments.iter().skip(from).map(line).collect();
    lines.resize(MOMENTS, String::new());
    lines
}
