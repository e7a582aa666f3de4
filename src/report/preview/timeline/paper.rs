//! What is drawn on: an SVG document written from front to back (<https://www.w3.org/TR/SVG11/>).

use std::fmt::{Display, Write as _};

/// A text as it may stand in XML: markup is escaped, characters that XML 1.0 does not allow are left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

/// As much of a text as fits, an ellipsis for the rest. Widths are those of a common sans-serif font, a little generous.
pub fn fitted(text: &str, room: f64, size: f64) -> String {
    let clean: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if width(&clean, size) <= room {
        return clean;
    }
    let mut kept = String::new();
    for c in clean.chars() {
        kept.push(c);
        if width(&kept, size) + 0.8 * size > room {
            kept.pop();
            break;
        }
    }
    if kept.is_empty() { kept } else { format!("{}…", kept.trim_end()) }
}

/// About how wide a text is.
pub fn width(text: &str, size: f64) -> f64 {
    let of = |c: char| match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | ' ' | 'f' | 't' | 'r' | 'I' | '(' | ')' | '/' | '-' => 0.36,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.92,
        c if c.is_ascii_uppercase() => 0.7,
        c if c.is_ascii() => 0.58,
        _ => 1.0,
    };
    text.chars().map(of).sum::<f64>() * size
}

/// Where a text is anchored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// It begins here.
    Start,
    /// Its middle is here.
    Middle,
    /// It ends here.
    End,
}

/// A drawing in the making. Texts lie above all shapes, whenever they were written: a line through a time makes it another time.
#[derive(Debug, Default)]
pub struct Paper {
    shapes: String,
    texts: String,
}

impl Paper {
    /// What was drawn.
    pub fn into_text(self) -> String {
        self.shapes + &self.texts
    }
    /// Whether a shape of this class was drawn.
    pub fn shows(&self, class: &str) -> bool {
        self.shapes.contains(&format!(r#"class="{class}""#))
    }
    /// A rectangle; one too narrow to be seen is made half a pixel wide.
    pub fn rect(&mut self, class: &str, (x, y): (f64, f64), (w, h): (f64, f64), title: &str) {
        let w = w.max(0.5);
        let _ = write!(self.shapes, r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}""#);
        self.close("rect", title);
    }
    /// A path.
    pub fn path(&mut self, class: &str, d: &impl Display, title: &str) {
        let _ = write!(self.shapes, r#"<path class="{class}" d="{d}""#);
        self.close("path", title);
    }
    /// A straight line.
    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.path(class, &format!("M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}"), "");
    }
    /// A text on one line.
    pub fn text(&mut self, class: &str, anchor: Anchor, (x, y): (f64, f64), text: &str) {
        if text.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let _ = writeln!(self.texts, r#"<text class="{class}"{anchor} x="{x:.1}" y="{y:.1}">{}</text>"#, escape(text));
    }
    /// A diamond around a point.
    pub fn diamond(&mut self, class: &str, (x, y): (f64, f64), r: f64, title: &str) {
        self.path(class, &format!("M{:.1} {y:.1}l{r} -{r}l{r} {r}l-{r} {r}z", x - r), title);
    }
    /// A cross around a point.
    pub fn cross(&mut self, class: &str, (x, y): (f64, f64), r: f64, title: &str) {
        let (l, t, d) = (x - r, y - r, 2.0 * r);
        self.path(class, &format!("M{l:.1} {t:.1}l{d} {d}m0 -{d}l-{d} {d}"), title);
    }

    fn close(&mut self, element: &str, title: &str) {
        if title.is_empty() {
            self.shapes.push_str("/>\n");
        } else {
            let _ = writeln!(self.shapes, "><title>{}</title></{element}>", escape(title));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_its_element() {
        assert_eq!(escape("a<b>&\"c\"\u{7}\nd"), "a&lt;b&gt;&amp;&quot;c&quot; d");
    }

    #[test]
    fn texts_lie_above_all_shapes() {
        let mut paper = Paper::default();
        paper.text("bold", Anchor::Start, (1.0, 2.0), "23:30");
        paper.line("late", (0.0, 0.0), (9.0, 9.0));
        assert!(paper.shows("late") && !paper.shows("bold") && !paper.shows("lat"));
        let drawn = paper.into_text();
        assert!(drawn.find("<path") < drawn.find("<text"), "{drawn}");
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(fitted("demographics", 200.0, 11.0), "demographics");
        let short = fitted("demographics", 50.0, 11.0);
        assert!(short.ends_with('…') && width(&short, 11.0) <= 55.0, "{short}");
    }
}
