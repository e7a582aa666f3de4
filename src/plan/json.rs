//! Where everything stands in a JSON text: the same tree of places as for YAML, made by a small reader of its own.
//!
//! JSON is YAML, but the YAML parser keeps all of it in memory, token by token (see [`super::watched`]); and what kubectl
//! prints with `-o json` may be long. What is not JSON after all is left to the YAML parser.

use std::borrow::Cow;

use super::{
    places::Place,
    survey::{Kind, Stop, Surveyor},
};

/// Why the reading ended before the end of the text.
pub(super) enum Left {
    /// It is not JSON.
    NotJson,
    /// It is more than is read.
    Stopped(Stop),
}

/// Reads the places of a JSON text into `surveyor`.
pub(super) fn survey(text: &str, surveyor: &mut Surveyor) -> Result<(), Left> {
    let mut reader = Reader { text, at: 0, line: 1, column: 1 };
    reader.blanks();
    surveyor.begin(reader.place(0).line);
    reader.value(surveyor)?;
    reader.blanks();
    if reader.at < text.len() {
        return Err(Left::NotJson);
    }
    surveyor.finish(true);
    Ok(())
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    column: u32,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Takes one byte. Columns count characters: bytes that continue one do not count.
    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b'\n' => (self.line, self.column) = (self.line.saturating_add(1), 1),
            0x80..=0xbf => {}
            _ => self.column = self.column.saturating_add(1),
        }
        Some(byte)
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.take();
        }
    }

    fn place(&self, width: u32) -> Place {
        Place { line: self.line, column: self.column, width }
    }

    /// From `start` to here.
    fn since(&self, start: Place) -> Place {
        let width = if start.line == self.line { self.column.saturating_sub(start.column) } else { 0 };
        Place { width, ..start }
    }

    fn value(&mut self, surveyor: &mut Surveyor) -> Result<(), Left> {
        let start = self.place(1);
        match self.peek() {
            Some(b'{') => self.object(start, surveyor),
            Some(b'[') => self.array(start, surveyor),
            Some(b'"') => {
                let text = self.string()?;
                surveyor.scalar(&text, false, 0, self.since(start)).map_err(Left::Stopped)
            }
            _ => {
                let from = self.at;
                while matches!(self.peek(), Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'+' | b'-' | b'.')) {
                    self.take();
                }
                let word = self.text.get(from..self.at).unwrap_or_default();
                if serde_json::from_str::<serde_json::Number>(word).is_err() && !matches!(word, "true" | "false" | "null") {
                    return Err(Left::NotJson);
                }
                surveyor.scalar(word, false, 0, self.since(start)).map_err(Left::Stopped)
            }
        }
    }

    fn object(&mut self, start: Place, surveyor: &mut Surveyor) -> Result<(), Left> {
        surveyor.open(Kind::map(), 0, start).map_err(Left::Stopped)?;
        self.take();
        self.blanks();
        let mut first = true;
        while self.peek() != Some(b'}') {
            self.comma(&mut first)?;
            let key_start = self.place(1);
            let key = self.string()?;
            surveyor.scalar(&key, false, 0, self.since(key_start)).map_err(Left::Stopped)?;
            self.blanks();
            self.expect(b':')?;
            self.blanks();
            self.value(surveyor)?;
            self.blanks();
        }
        self.end(surveyor);
        Ok(())
    }

    fn array(&mut self, start: Place, surveyor: &mut Surveyor) -> Result<(), Left> {
        surveyor.open(Kind::list(), 0, start).map_err(Left::Stopped)?;
        self.take();
        self.blanks();
        let mut first = true;
        while self.peek() != Some(b']') {
            self.comma(&mut first)?;
            self.value(surveyor)?;
            self.blanks();
        }
        self.end(surveyor);
        Ok(())
    }

    fn end(&mut self, surveyor: &mut Surveyor) {
        let end = self.place(1);
        self.take();
        surveyor.close(end);
    }

    fn comma(&mut self, first: &mut bool) -> Result<(), Left> {
        if !std::mem::take(first) {
            self.expect(b',')?;
            self.blanks();
        }
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Left> {
        if self.take() == Some(byte) { Ok(()) } else { Err(Left::NotJson) }
    }

    fn string(&mut self) -> Result<Cow<'a, str>, Left> {
        let from = self.at;
        self.expect(b'"')?;
        let mut escaped = false;
        loop {
            match self.take() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.take();
                }
                Some(byte) if byte >= b' ' => {}
                _ => return Err(Left::NotJson),
            }
        }
        let written = self.text.get(from..self.at).unwrap_or_default();
        if escaped {
            serde_json::from_str(written).map(Cow::Owned).map_err(|_| Left::NotJson)
        } else {
            Ok(Cow::Borrowed(written.get(1..written.len() - 1).unwrap_or_default()))
        }
    }
}
