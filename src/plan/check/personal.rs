//! NHS numbers in texts that a probe sends.
//!
//! An NHS number has ten digits, often written 3-3-4; the last is a check digit by modulus 11 (NHS Data Dictionary, data
//! element NHS NUMBER, "Modulus 11 algorithm"): the first nine times 10, 9, … 2, summed; 11 less the remainder by 11; 11
//! becomes 0, and 10 means that the number is not valid. Numbers that begin with 999 are kept free for tests.

/// The first number in `text` that could be a patient's: valid, and outside the test range. Masked, as findings go into logs.
pub(super) fn nhs_number(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let starts = (0..bytes.len()).filter(|start| digit(*start) && (*start == 0 || !digit(*start - 1)));
    starts
        .filter_map(|start| ten_digits(bytes.get(start..).unwrap_or_default()))
        .find(|number| valid(number) && !number.starts_with("999"))
        .map(|number| format!("{}•••••••", number.get(..3).unwrap_or_default()))
}

/// Ten digits at the start of `bytes`, in one piece or as 3-3-4 with blanks or hyphens, and no digit right after them.
fn ten_digits(bytes: &[u8]) -> Option<String> {
    let mut digits = String::with_capacity(10);
    let mut rest = bytes.iter().copied().peekable();
    while digits.len() < 10 {
        if matches!(digits.len(), 3 | 6) {
            rest.next_if(|byte| matches!(byte, b' ' | b'-'));
        }
        digits.push(char::from(rest.next().filter(u8::is_ascii_digit)?));
    }
    rest.next().is_none_or(|byte| !byte.is_ascii_digit()).then_some(digits)
}

fn valid(number: &str) -> bool {
    let digits: Vec<u32> = number.chars().filter_map(|c| c.to_digit(10)).collect();
    let [head @ .., check] = digits.as_slice() else { return false };
    let sum: u32 = head.iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    let expected = match 11 - sum % 11 {
        11 => 0,
        other => other,
    };
    expected == *check // 10 is never a digit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_numbers_are_found_and_test_numbers_are_not() {
        // 943 476 5919 is the example of the NHS Data Dictionary.
        for text in ["9434765919", "/patients/943 476 5919?x", "id=943-476-5919;", "a9434765919b"] {
            assert_eq!(nhs_number(text).as_deref(), Some("943•••••••"), "{text}");
        }
        for text in ["9990000018", "9434765918", "94347659190", "19434765919", "943476591", "0123456789012", ""] {
            assert_eq!(nhs_number(text), None, "{text}");
        }
        assert!(valid("9990000018"), "the number that we recommend must be valid");
    }
}
