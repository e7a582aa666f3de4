//! Findings as rustc shows them: code, message, the line underlined, related places, what to do.
//!
//! *Guarantees*: the text is divided into lines once; of each finding only the lines that belong to it are looked at, so
//! that many findings of a long file take no longer than their number. Control characters never reach a terminal. A secret that a
//! finding points at is not written into yet another log ([`Source::hiding`]).

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::plan::{Finding, Severity};

/// A longer line is not printed: a plan on one line of a megabyte would be printed once for each finding.
const LINE_MAX: usize = 500;
/// Places further apart than so many lines are shown each on its own.
const GAP_MAX: usize = 200;
/// A knot of a thousand services has a thousand places; so many are shown.
const PLACES_MAX: usize = 40;

/// Whether a text may have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Only for a terminal.
    Terminal,
    /// For files and pipes.
    Plain,
}

/// The text of a file, by lines.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    lines: Vec<Cow<'a, str>>,
}

impl<'a> Source<'a> {
    /// Divides `text` into lines.
    pub fn new(text: &'a str) -> Self {
        Self { lines: text.strip_prefix('\u{feff}').unwrap_or(text).lines().map(Cow::Borrowed).collect() }
    }
    /// The same text with a dot for each letter of what these findings say is a secret or about a person, in all its lines.
    pub fn hiding<'f>(&self, findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut source = self.clone();
        for finding in findings.into_iter().filter(|finding| finding.code.is_confidential()) {
            if let (Some(line), Some(column)) = (finding.line, finding.column) {
                source.hide(line as usize, (column as usize).saturating_sub(1), finding.width as usize);
            }
        }
        source
    }
    /// Hides a value. One without a width may have several lines: all that stand further in than what it belongs to.
    fn hide(&mut self, number: usize, start: usize, width: usize) {
        let owner = self.owner(number, start);
        let mut lines = self.lines.iter_mut().skip(number.saturating_sub(1));
        let Some(first) = lines.next() else { return };
        let mut range = bytes(first, start, width);
        if width == 0 {
            range.end = first.len(); // within quotes, what looks like a comment is none
            let inner = lines.take_while(|line| line.trim().is_empty() || indent(line) > owner);
            inner.for_each(|line| *line = hidden(line, 0..line.len()).into());
        }
        *first = hidden(first, range).into();
    }
    /// How far in the key or the dash stands to which the value belongs that begins at this place.
    fn owner(&self, number: usize, start: usize) -> usize {
        let Some(line) = self.line(number) else { return 0 };
        let own = depth(line);
        match line.get(..own).and_then(|before| before.rfind('-')) {
            _ if start > own => own,
            Some(dash) => dash,
            None => {
                let above = (1..number).rev().filter_map(|above| self.line(above)).filter(|line| !line.trim().is_empty());
                above.map(depth).find(|above| *above < own).unwrap_or(0)
            }
        }
    }
    /// The line `number`, from 1.
    fn line(&self, number: usize) -> Option<&str> {
        self.lines.get(number.checked_sub(1)?).map(|line| &**line)
    }
    /// The column after the last character that a place covers, from 1; `width` 0: to the end of the line.
    pub(super) fn end_column(&self, line: u32, column: u32, width: u32) -> Option<usize> {
        let text = self.line(line as usize)?;
        let range = bytes(text, (column as usize).saturating_sub(1), width as usize);
        Some(text.get(..range.end)?.chars().count() + 1)
    }
}

/// One finding as rustc would show it.
pub fn render(finding: &Finding, file: &str, source: &Source<'_>, colour: Colour) -> String {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let renderer = match colour {
        Colour::Terminal => Renderer::styled(),
        Colour::Plain => Renderer::plain(),
    };
    let group = level.primary_title(clean(&finding.message)).id(finding.code.name());
    let group = match excerpts(finding, source) {
        Some(excerpts) => group.elements(excerpts.into_iter().map(|excerpt| excerpt.snippet(file))),
        None => group.element(origin(finding, file)),
    };
    renderer.render(&[group.element(Level::HELP.message(clean(&finding.help)))])
}

/// Where a finding is, for one whose line is not shown.
fn origin<'a>(finding: &Finding, file: &'a str) -> Origin<'a> {
    let origin = Origin::path(file);
    match (finding.line, finding.column) {
        (Some(line), Some(column)) => origin.line(line as usize).char_column(column as usize),
        _ => origin,
    }
}

/// A place of a finding.
struct Mark {
    line: usize,
    column: usize,
    width: usize,
    kind: AnnotationKind,
    label: String,
}

/// Lines that stand together, and the marks in them.
struct Excerpt<'a> {
    first_line: usize,
    lines: Vec<&'a str>,
    marks: Vec<Mark>,
}

/// The lines of a finding, those of its own place first; `None` if it has no place in the text, or one on an overlong line.
fn excerpts<'a>(finding: &Finding, source: &'a Source<'_>) -> Option<Vec<Excerpt<'a>>> {
    let mark = |line: Option<u32>, column: Option<u32>, width: u32, kind, label: &str| {
        Some(Mark { line: line? as usize, column: column? as usize, width: width as usize, kind, label: clean(label) })
    };
    let own = mark(finding.line, finding.column, finding.width, AnnotationKind::Primary, "")?;
    let own_line = own.line;
    let near = finding.related.iter().take(PLACES_MAX);
    let near = near.filter_map(|r| mark(r.line, r.column, r.width, AnnotationKind::Context, &r.message));
    let shown = |line: usize| source.line(line).is_some_and(|text| text.len() <= LINE_MAX);
    if !shown(own_line) {
        return None;
    }
    let mut marks: Vec<Mark> = std::iter::once(own).chain(near.filter(|mark| shown(mark.line))).collect();
    marks.sort_by_key(|mark| mark.line);
    let mut excerpts: Vec<Excerpt<'_>> = Vec::new();
    for mark in marks {
        match excerpts.last_mut() {
            Some(last) if mark.line < last.first_line + last.lines.len() + GAP_MAX => last.extend(mark, source),
            _ => excerpts.push(Excerpt { first_line: mark.line, lines: vec![source.line(mark.line)?], marks: vec![mark] }),
        }
    }
    let own = excerpts.iter().position(|excerpt| excerpt.marks.iter().any(|mark| mark.kind == AnnotationKind::Primary))?;
    let first = excerpts.remove(own);
    excerpts.insert(0, first);
    Some(excerpts)
}

impl<'a> Excerpt<'a> {
    fn extend(&mut self, mark: Mark, source: &'a Source<'_>) {
        let next = self.first_line + self.lines.len();
        // A line between the marks is folded away when there are many, so an overlong one may be cut.
        let between = |line| source.line(line).map(|text| if text.len() > LINE_MAX { "…" } else { text });
        self.lines.extend((next..=mark.line).filter_map(between));
        self.marks.push(mark);
    }

    fn snippet(mut self, file: &'a str) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        self.marks.sort_by_key(|mark| mark.kind != AnnotationKind::Primary);
        let mut starts = Vec::with_capacity(self.lines.len());
        let mut start = 0;
        for line in &self.lines {
            starts.push(start);
            start += line.len() + 1;
        }
        let annotations = self.marks.into_iter().filter_map(|mark| {
            let index = mark.line - self.first_line;
            let (text, start) = (self.lines.get(index)?, starts.get(index)?);
            let range = bytes(text, mark.column.saturating_sub(1), mark.width);
            let annotation = mark.kind.span(start + range.start..start + range.end);
            Some(if mark.label.is_empty() { annotation } else { annotation.label(mark.label) })
        });
        let annotations: Vec<_> = annotations.collect();
        Snippet::source(self.lines.join("\n")).line_start(self.first_line).path(file).annotations(annotations)
    }
}

/// Spaces before a line.
fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// How far in a line's first word stands, behind the dashes of lists.
fn depth(line: &str) -> usize {
    let mut rest = line;
    while let Some(more) = rest.strip_prefix(' ').or_else(|| rest.strip_prefix('-').filter(|more| more.starts_with(' '))) {
        rest = more;
    }
    line.len() - rest.len()
}

/// A line with a dot for each letter of this part of it.
fn hidden(line: &str, part: std::ops::Range<usize>) -> String {
    let letter = |(at, c): (usize, char)| if part.contains(&at) && !c.is_whitespace() { '•' } else { c };
    line.char_indices().map(letter).collect()
}

/// The bytes of `width` characters of `line` from `start`; width 0: to its end, without a comment after it.
fn bytes(line: &str, start: usize, width: usize) -> std::ops::Range<usize> {
    let at = |chars: usize| line.char_indices().nth(chars).map_or(line.len(), |(byte, _)| byte);
    let from = at(start);
    let to = match width {
        0 => {
            let rest = line.get(from..).unwrap_or_default();
            from + rest.find(" #").map_or(rest, |comment| rest.get(..comment).unwrap_or(rest)).trim_end().len()
        }
        width => at(start + width),
    };
    from..to.max(from)
}

/// Without control characters, which could paint a terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Code, path::Path};

    #[test]
    fn all_lines_of_a_confidential_text_are_hidden_and_no_others() {
        let cases = [
            // The place of the text, the text as written, how it is shown.
            (
                (1, 9, 0),
                "- asks: \"log in # word: x,\n    then go\"\n  more: y",
                "- asks: •••• •• • ••••• ••\n    •••• •••\n  more: y",
            ),
            ((1, 9, 0), "- asks: |\n    log in\n\n    word: x\n- more: y", "- asks: •\n    ••• ••\n\n    ••••• •\n- more: y"),
            ((2, 5, 0), "  asks:\n    log in\n    word=x\n  more: y", "  asks:\n    ••• ••\n    ••••••\n  more: y"),
            ((3, 5, 0), "  asks:\n\n    log in\n    word=x\n  more: y", "  asks:\n\n    ••• ••\n    ••••••\n  more: y"),
            ((2, 7, 0), "  asks:\n      'log in\n    word: x'\n  more: y", "  asks:\n      •••• ••\n    ••••• ••\n  more: y"),
            ((1, 7, 3), "asks: \"x\" # why\n  more: y", "asks: ••• # why\n  more: y"),
        ];
        for ((line, column, width), text, shown) in cases {
            let finding = Finding::error(Code::SecretInPlan, Path::top(), "m", "h").at(line, column, width);
            assert_eq!(Source::new(text).hiding([&finding]).lines.join("\n"), shown, "{text}");
            let other = Finding { code: Code::BadValue, ..finding };
            assert_eq!(Source::new(text).hiding([&other]).lines.join("\n"), text);
        }
    }
}
