//! A text for the YAML parser that ends early if it is read on and on without anything to show for it.
//!
//! In `[` and `{` the scanner keeps every token until it knows whether the whole is a key, at about a hundred bytes of memory
//! for one of text. Here the characters that it takes between two events are counted, and beyond a bound the text is at its
//! end; who asked for the events then sees why.

use std::cell::Cell;

use saphyr_parser::{Input, StrInput, input::SkipTabs};

/// So many characters may be read for one event.
pub(super) const AHEAD_MAX: usize = 2 << 20;

/// How many characters were read since the last event.
#[derive(Debug, Default)]
pub(super) struct Ahead(Cell<usize>);

impl Ahead {
    /// Whether the text was cut off.
    #[inline]
    pub fn too_far(&self) -> bool {
        self.0.get() > AHEAD_MAX
    }
    /// An event was read.
    pub fn event(&self) {
        self.0.set(0);
    }
    #[inline]
    fn add(&self, count: usize) {
        self.0.set(self.0.get().saturating_add(count));
    }
}

/// The text, and how far it was read.
pub(super) struct Watched<'a> {
    text: StrInput<'a>,
    ahead: &'a Ahead,
}

impl<'a> Watched<'a> {
    pub fn new(text: &'a str, ahead: &'a Ahead) -> Self {
        Self { text: StrInput::new(text), ahead }
    }
}

// What is not repeated here is made of what is.
impl Input for Watched<'_> {
    #[inline]
    fn lookahead(&mut self, count: usize) {
        if self.ahead.too_far() {
            self.text = StrInput::new("");
        }
        self.text.lookahead(count);
    }
    #[inline]
    fn buflen(&self) -> usize {
        self.text.buflen()
    }
    #[inline]
    fn bufmaxlen(&self) -> usize {
        self.text.bufmaxlen()
    }
    #[inline]
    fn raw_read_ch(&mut self) -> char {
        self.ahead.add(1);
        self.text.raw_read_ch()
    }
    #[inline]
    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        self.ahead.add(1);
        self.text.raw_read_non_breakz_ch()
    }
    #[inline]
    fn skip(&mut self) {
        self.ahead.add(1);
        self.text.skip();
    }
    #[inline]
    fn skip_n(&mut self, count: usize) {
        self.ahead.add(count);
        self.text.skip_n(count);
    }
    #[inline]
    fn peek(&self) -> char {
        self.text.peek()
    }
    #[inline]
    fn peek_nth(&self, n: usize) -> char {
        self.text.peek_nth(n)
    }
    #[inline]
    fn peek_opt(&self) -> Option<char> {
        self.text.peek_opt()
    }
    #[inline]
    fn next_is_document_indicator(&self) -> bool {
        self.text.next_is_document_indicator()
    }
    #[inline]
    fn next_is_document_start(&self) -> bool {
        self.text.next_is_document_start()
    }
    #[inline]
    fn next_is_document_end(&self) -> bool {
        self.text.next_is_document_end()
    }
    #[inline]
    fn skip_ws_to_eol(&mut self, tabs: SkipTabs) -> (usize, Result<SkipTabs, &'static str>) {
        let (count, result) = self.text.skip_ws_to_eol(tabs);
        self.ahead.add(count);
        (count, result)
    }
    #[inline]
    fn skip_while_non_breakz(&mut self) -> usize {
        let count = self.text.skip_while_non_breakz();
        self.ahead.add(count);
        count
    }
    #[inline]
    fn skip_while_blank(&mut self) -> usize {
        let count = self.text.skip_while_blank();
        self.ahead.add(count);
        count
    }
    #[inline]
    fn fetch_while_is_alpha(&mut self, out: &mut String) -> usize {
        let count = self.text.fetch_while_is_alpha(out);
        self.ahead.add(count);
        count
    }
    #[inline]
    fn fetch_while_is_yaml_non_space(&mut self, out: &mut String) -> usize {
        let count = self.text.fetch_while_is_yaml_non_space(out);
        self.ahead.add(count);
        count
    }
    #[inline]
    fn next_can_be_plain_scalar(&self, in_flow: bool) -> bool {
        self.text.next_can_be_plain_scalar(in_flow)
    }
    #[inline]
    fn next_is_blank_or_break(&self) -> bool {
        self.text.next_is_blank_or_break()
    }
    #[inline]
    fn next_is_blank_or_breakz(&self) -> bool {
        self.text.next_is_blank_or_breakz()
    }
    #[inline]
    fn next_is_blank(&self) -> bool {
        self.text.next_is_blank()
    }
    #[inline]
    fn next_is_break(&self) -> bool {
        self.text.next_is_break()
    }
    #[inline]
    fn next_is_breakz(&self) -> bool {
        self.text.next_is_breakz()
    }
    #[inline]
    fn next_is_flow(&self) -> bool {
        self.text.next_is_flow()
    }
}
