//! Text that the target writes itself. An error quotes the value that was there already ("Duplicate entry
//! 'alice@example.com'"): where the operation touches what is labelled, or runs code that nobody has read, only
//! number and SQLSTATE stay; elsewhere detectors read it.

use sallyport_mask::{FieldContext, mask_text};
use sallyport_wire::mysql::reply::Failure;

/// What stands in place of the target's message, behind what its number says.
const WITHHELD: &str = "the target's own message is withheld, since it could quote protected values";

/// What a number says, in our words ("Server Error Message Reference"), so that whoever wrote the statement can
/// mend it.
const MEANINGS: &[(u16, &str)] = &[
    (1022, "a key that must be unique exists already"),
    (1044, "the target's account may not use this database"),
    (1045, "the target's account is not let in"),
    (1046, "no database is selected"),
    (1048, "a column that must not be null would be"),
    (1050, "the table exists already"),
    (1051, "there is no such table"),
    (1052, "a column name is ambiguous"),
    (1054, "there is no such column"),
    (1055, "a column must be grouped or aggregated"),
    (1062, "a key that must be unique exists already"),
    (1064, "the statement does not parse"),
    (1065, "the statement is empty"),
    (1142, "the target's account lacks a privilege"),
    (1143, "the target's account lacks a privilege on a column"),
    (1146, "there is no such table"),
    (1205, "a lock was waited for too long"),
    (1213, "a deadlock was found; run the transaction again"),
    (1216, "a foreign key would point nowhere"),
    (1217, "a foreign key points here"),
    (1242, "a sub-query gives more than one row"),
    (1264, "a number is out of range"),
    (1265, "a value was cut"),
    (1292, "a value cannot be read as the type it should be"),
    (1305, "there is no such function or procedure"),
    (1317, "cancelled"),
    (1364, "a column without a default needs a value"),
    (1365, "division by zero"),
    (1366, "a value cannot be read as the type it should be"),
    (1406, "a value is too long for its column"),
    (1451, "a foreign key points here"),
    (1452, "a foreign key would point nowhere"),
    (1690, "a number is out of range"),
    (1969, "it ran longer than the target allows"),
    (3024, "it ran longer than the target allows"),
    (3819, "a check constraint would not hold"),
    (4025, "a check constraint would not hold"),
];

/// An error as the caller may read it.
pub(in super::super) fn masked_failure(said: &Failure, strict: bool) -> Failure {
    let message = if strict {
        match MEANINGS.iter().find(|(code, _)| *code == said.code) {
            Some((_, words)) => format!("{words} ({WITHHELD})").into_bytes(),
            None => WITHHELD.as_bytes().to_vec(),
        }
    } else {
        let text = String::from_utf8_lossy(&said.message);
        mask_text(&text, &FieldContext::default()).map_or_else(|| said.message.clone(), String::into_bytes)
    };
    let state = said.state.filter(|state| state.iter().all(u8::is_ascii_alphanumeric));
    Failure { code: said.code, state: state.or(Some(*b"HY000")), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attack_21_an_error_that_quotes_a_value_keeps_its_number_alone() {
        let said = Failure {
            code: 1062,
            state: Some(*b"23000"),
            message: b"Duplicate entry 'alice@example.com' for key 'email'".to_vec(),
        };
        let strict = masked_failure(&said, true);
        let text = String::from_utf8(strict.message).unwrap();
        assert!(text.starts_with("a key that must be unique exists already") && !text.contains("alice"));
        assert_eq!((strict.code, strict.state), (1062, Some(*b"23000")));
        let looked = String::from_utf8(masked_failure(&said, false).message).unwrap();
        assert_eq!(looked, "Duplicate entry '‹EMAIL_ADDRESS›' for key 'email'");
    }
}
