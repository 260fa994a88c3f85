//! The keywords that `sqlparser` may act on.
//!
//! It knows the words of many languages, and takes `t FULL JOIN u`, `QUALIFY` or `PIVOT` for syntax where the
//! server reads an alias. A word that is not here is an identifier to it.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, Word};

/// The token of a word without quotes.
pub(super) fn word(text: &str) -> Token {
    match Token::make_word(text, None) {
        Token::Word(word) if !known(word.keyword) => identifier(word.value, None),
        token => token,
    }
}

/// A word that is an identifier.
pub(super) fn identifier(value: String, quote_style: Option<char>) -> Token {
    Token::Word(Word { value, quote_style, keyword: Keyword::NoKeyword })
}

fn known(keyword: Keyword) -> bool {
    use Keyword::*;
    matches!(
        keyword,
        AGAINST | ALL | AND | ANY | AS | ASC | BETWEEN | BINARY | BOOLEAN | BOTH | BY | CASE | CAST | COLLATE | COLUMNS
            | CONVERT | CROSS | CURRENT | CURRENT_DATE | CURRENT_TIME | CURRENT_TIMESTAMP | DEFAULT | DELETE | DESC
            | DISTINCT | DIV | DUPLICATE | ELSE | EMPTY | END | ERROR | ESCAPE | EXCEPT | EXISTS | EXPANSION | EXTRACT
            | FALSE | FETCH | FIRST | FOLLOWING | FOR | FROM | GROUP | HAVING | IGNORE | IN | INNER | INSERT | INTERSECT
            | INTERVAL | INTO | IS | JOIN | JSON_TABLE | KEY | LANGUAGE | LATERAL | LEADING | LEFT | LIKE | LIMIT
            | LOCALTIME | LOCALTIMESTAMP | LOCKED | MATCH | MEMBER | MODE | NATURAL | NESTED | NEXT | NO | NOT | NOWAIT
            | NULL | OF | OFFSET | ON | ONLY | OR | ORDER | ORDINALITY | OUTER | OVER | PARTITION | PATH | POSITION
            | PRECEDING | QUERY | RANGE | RECURSIVE | REGEXP | REPLACE | RETURNING | RIGHT | RLIKE | ROLLUP | ROW | ROWS
            | SELECT | SEPARATOR | SET | SHARE | SKIP | SOME | STRAIGHT_JOIN | SUBSTR | SUBSTRING | TABLE | THEN | TIES
            | TO | TRAILING | TRIM | TRUE | UNBOUNDED | UNION | UNKNOWN | UPDATE | USING | VALUE | VALUES | WHEN | WHERE
            | WINDOW | WITH | XOR
            // Data types, of the columns of JSON_TABLE.
            | BIGINT | BIT | BLOB | BOOL | CHAR | CHARACTER | DATE | DATETIME | DEC | DECIMAL | DOUBLE | FLOAT | INT
            | INTEGER | JSON | LONGBLOB | LONGTEXT | MEDIUMBLOB | MEDIUMINT | MEDIUMTEXT | NUMERIC | PRECISION | REAL
            | SMALLINT | TEXT | TIME | TIMESTAMP | TINYBLOB | TINYINT | TINYTEXT | UNSIGNED | VARBINARY | VARCHAR | YEAR
            // Units of INTERVAL and EXTRACT.
            | DAY | HOUR | MICROSECOND | MINUTE | MONTH | QUARTER | SECOND | WEEK
    )
}
