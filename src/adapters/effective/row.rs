//! Answers in a row, and what breaks one. No sockets here.

use jiff::Timestamp;

/// So many answers in a row, on fresh connections, make a mark effective.
pub const IN_A_ROW: u32 = 3;

/// What one question brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// The mark that is looked for.
    Same,
    /// Another one, or none.
    Other,
    /// No answer; why.
    Nothing(String),
}

/// Answers in a row that bore the mark, in the order in which they were asked for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub length: u32,
    pub effective: Option<Timestamp>,
    /// What a question before this one brings says nothing any more: a later one was answered already.
    from: u64,
}

impl Row {
    /// The row after what question `number` brought; numbers rise in the order of asking. The moment is only set by the
    /// answer that completes the row: what was asked before may have been answered by a configuration that is gone.
    pub fn after(self, number: u64, said: &Said, now: Timestamp) -> Self {
        if number < self.from {
            return self;
        }
        let broken = Self { from: number.saturating_add(1), ..Self::default() };
        match said {
            Said::Same => {
                let length = self.length.saturating_add(1).min(IN_A_ROW);
                let from = if self.length == 0 { number } else { self.from };
                Self { length, effective: self.effective.or((length >= IN_A_ROW).then_some(now)), from }
            }
            Said::Other => broken,
            Said::Nothing(_) if self.effective.is_some() => self,
            Said::Nothing(_) => broken,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }
    fn after(mut row: Row, all: &[(u64, &Said)]) -> Row {
        for (number, said) in all {
            row = row.after(*number, said, at(i64::try_from(*number).unwrap()));
        }
        row
    }
    const SAME: &Said = &Said::Same;
    const OTHER: &Said = &Said::Other;

    #[test]
    fn silence_interrupts_a_row_and_leaves_what_was_proven() {
        let silence = &Said::Nothing("refused".into());
        let two = after(Row::default(), &[(1, SAME), (2, SAME)]);
        assert_eq!(two.effective, None);
        assert_eq!(after(two, &[(3, silence)]).length, 0);
        let three = after(two, &[(3, SAME)]);
        assert_eq!(three.effective, Some(at(3)));
        assert_eq!(after(three, &[(4, silence)]), three);
        assert_eq!(after(three, &[(5, SAME)]).effective, Some(at(3)));
        assert_eq!(after(three, &[(6, OTHER)]).effective, None);
    }

    #[test]
    fn what_was_asked_before_a_row_says_nothing_about_it_and_what_was_asked_within_it_does() {
        let silence = &Said::Nothing("no answer in time".into());
        let three = after(Row::default(), &[(5, SAME), (6, SAME), (8, SAME)]);
        assert_eq!(three.effective, Some(at(8)));
        for said in [SAME, OTHER, silence] {
            assert_eq!(after(three, &[(4, said)]), three, "{said:?}");
        }
        assert_eq!(after(three, &[(7, OTHER)]).effective, None, "a data plane that lags");
        let two = after(Row::default(), &[(5, SAME), (7, SAME)]);
        assert_eq!(after(two, &[(6, silence), (8, SAME)]).effective, None);
    }

    #[test]
    fn an_answer_that_comes_late_begins_no_row_after_a_later_one_that_broke_it() {
        let row = after(Row::default(), &[(3, OTHER), (1, SAME), (2, SAME), (0, SAME)]);
        assert_eq!((row.length, row.effective), (0, None));
        assert_eq!(after(row, &[(4, SAME), (5, SAME), (6, SAME)]).effective, Some(at(6)));
    }
}
