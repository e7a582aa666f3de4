//! Percentiles of what was counted: the smallest value that is at least as large as so many of a hundred of all (the inverse
//! of the empirical distribution function, definition 1 of Hyndman and Fan, "Sample quantiles in statistical packages", The
//! American Statistician 50(4), 1996). No value is invented between two that were seen.

/// Values in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sorted(Vec<i64>);

impl Sorted {
    /// These values.
    pub fn of(values: impl IntoIterator<Item = i64>) -> Self {
        let mut values: Vec<i64> = values.into_iter().collect();
        values.sort_unstable();
        Self(values)
    }
    /// The percentile; `None` if there are no values. More than 100 counts as 100.
    pub fn percentile(&self, percent: usize) -> Option<i64> {
        let rank = (self.0.len() * percent.min(100)).div_ceil(100).max(1);
        self.0.get(rank - 1).copied()
    }
    /// How many.
    pub fn count(&self) -> u64 {
        self.0.len() as u64
    }
    /// The largest.
    pub fn max(&self) -> Option<i64> {
        self.0.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_seen() {
        let ten = Sorted::of([10, 30, 20, 90, 50, 60, 70, 80, 40, 100]);
        assert_eq!([1, 10, 11, 50, 95, 100].map(|p| ten.percentile(p)), [10, 10, 20, 50, 100, 100].map(Some));
        assert_eq!((Sorted::default().percentile(50), ten.max()), (None, Some(100)));
        assert_eq!(Sorted::of([7]).percentile(5), Some(7));
    }
}
