//! Which ASCII character a reader would take another for.
//!
//! Full-width and other scripts' digits, look-alike letters of Cyrillic and Greek, letters of mathematics,
//! dashes and spaces of every width; characters without width are nothing.

/// The first code points of the blocks of decimal digits of other scripts.
const ZEROES: &[u32] = &[
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
];

/// The ASCII character that a reader would take `c` for; nothing when it has no width; itself otherwise.
pub(crate) fn fold(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c);
    }
    let code = u32::from(c);
    Some(match c {
        '\u{00ad}'
        | '\u{034f}'
        | '\u{061c}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => return None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xff01 + 0x21).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{00a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{3002}' | '\u{fe52}' | '\u{2024}' | '\u{00b7}' => '.',
        '\u{fe6b}' => '@',
        '\u{fe55}' | '\u{2236}' | '\u{a789}' => ':',
        '\u{1d400}'..='\u{1d6a3}' => mathematical(code).unwrap_or(c),
        '\u{24b6}'..='\u{24cf}' => char::from_u32(code - 0x24b6 + 0x41).unwrap_or(c),
        '\u{24d0}'..='\u{24e9}' => char::from_u32(code - 0x24d0 + 0x61).unwrap_or(c),
        '\u{2460}'..='\u{2468}' => char::from_u32(code - 0x2460 + 0x31).unwrap_or(c),
        'а' | 'α' => 'a',
        'с' | 'ϲ' => 'c',
        'е' | 'ε' => 'e',
        'і' | 'ι' => 'i',
        'ј' => 'j',
        'о' | 'ο' => 'o',
        'р' | 'ρ' => 'p',
        'ѕ' => 's',
        'у' => 'y',
        'һ' => 'h',
        'ԁ' => 'd',
        'ɡ' => 'g',
        'ӏ' | 'Ӏ' => 'l',
        'ѵ' | 'ν' => 'v',
        'ԝ' => 'w',
        'ԛ' => 'q',
        'κ' => 'k',
        'υ' => 'u',
        'τ' => 't',
        'Ү' | 'Υ' => 'Y',
        'Ζ' => 'Z',
        'Ѵ' => 'V',
        'Ԝ' => 'W',
        'Ԛ' => 'Q',
        'Ν' => 'N',
        'З' => '3',
        'Ь' => 'b',
        'х' => 'x',
        'А' | 'Α' => 'A',
        'В' | 'Β' => 'B',
        'С' => 'C',
        'Е' | 'Ε' => 'E',
        'Н' | 'Η' => 'H',
        'І' | 'Ι' => 'I',
        'Ј' => 'J',
        'К' | 'Κ' => 'K',
        'М' | 'Μ' => 'M',
        'О' | 'Ο' => 'O',
        'Р' | 'Ρ' => 'P',
        'Ѕ' => 'S',
        'Т' | 'Τ' => 'T',
        'Х' | 'Χ' => 'X',
        c => ZEROES
            .iter()
            .find(|zero| (**zero..**zero + 10).contains(&code))
            .and_then(|zero| char::from_digit(code - zero, 10))
            .unwrap_or(c),
    })
}

/// Mathematical letters: alphabets of twenty-six capitals and twenty-six small letters, one style after another.
fn mathematical(code: u32) -> Option<char> {
    let place = (code - 0x1d400) % 52;
    char::from_u32(if place < 26 { 0x41 + place } else { 0x61 + place - 26 })
}
