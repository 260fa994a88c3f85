//! Which ASCII character a reader would take another for.
//!
//! Full-width, raised, lowered, circled and other scripts' digits, look-alike letters of Cyrillic and Greek, letters
//! of mathematics and in frames, dashes and spaces of every width; characters without width and marks that are put
//! on others are nothing.

/// The first code points of the blocks of decimal digits of other scripts.
const ZEROES: &[u32] = &[
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0e50,
    0x0ed0, 0x0f20, 0x1040, 0x17e0, 0x1810, 0xff10, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6,
];

/// Whether it is a mark that is put on the character before it.
pub(crate) fn is_mark(c: char) -> bool {
    matches!(
        c,
        '\u{0300}'..='\u{036f}'
            | '\u{0483}'..='\u{0489}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{20d0}'..='\u{20f0}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fe20}'..='\u{fe2f}'
    )
}

/// The ASCII character that a reader would take `c` for; nothing when it has no width; itself otherwise.
pub(crate) fn fold(c: char) -> Option<char> {
    if c.is_ascii() {
        return Some(c);
    }
    let code = u32::from(c);
    Some(match c {
        '\u{00ad}'
        | '\u{061c}'
        | '\u{115f}'..='\u{1160}'
        | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{ffa0}'
        // What stands for half a character that was cut off.
        | '\u{fffd}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e0fff}' => return None,
        c if is_mark(c) => return None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(code - 0xff01 + 0x21).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{0085}' | '\u{2028}' | '\u{2029}' => '\n',
        '\u{00a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        '\u{3002}' | '\u{fe52}' | '\u{2024}' | '\u{00b7}' => '.',
        '\u{fe6b}' => '@',
        '\u{fe55}' | '\u{2236}' | '\u{a789}' => ':',
        '\u{1d400}'..='\u{1d6a3}' => mathematical(code).unwrap_or(c),
        '\u{24b6}'..='\u{24cf}' => char::from_u32(code - 0x24b6 + 0x41).unwrap_or(c),
        '\u{24d0}'..='\u{24e9}' => char::from_u32(code - 0x24d0 + 0x61).unwrap_or(c),
        '\u{249c}'..='\u{24b5}' => char::from_u32(code - 0x249c + 0x61).unwrap_or(c),
        '\u{1f110}'..='\u{1f129}' | '\u{1f130}'..='\u{1f149}' | '\u{1f150}'..='\u{1f169}'
        | '\u{1f170}'..='\u{1f189}' => char::from_u32((code - 0x1f110) % 0x20 + 0x41).unwrap_or(c),
        '\u{1f1e6}'..='\u{1f1ff}' => char::from_u32(code - 0x1f1e6 + 0x41).unwrap_or(c),
        '⁰' | '₀' | '⓪' | '⓿' | '\u{1f10b}' | '\u{1f10c}' => '0',
        '¹' => '1',
        '²' => '2',
        '³' => '3',
        '\u{2074}'..='\u{2079}' => digit(code - 0x2070, c),
        '\u{2081}'..='\u{2089}' => digit(code - 0x2080, c),
        '\u{2460}'..='\u{2468}' => digit(code - 0x245f, c),
        '\u{2474}'..='\u{247c}' => digit(code - 0x2473, c),
        '\u{2488}'..='\u{2490}' => digit(code - 0x2487, c),
        '\u{24f5}'..='\u{24fd}' => digit(code - 0x24f4, c),
        '\u{2776}'..='\u{277e}' => digit(code - 0x2775, c),
        '\u{2780}'..='\u{2788}' => digit(code - 0x277f, c),
        '\u{278a}'..='\u{2792}' => digit(code - 0x2789, c),
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

fn digit(value: u32, c: char) -> char {
    char::from_digit(value, 10).unwrap_or(c)
}

/// Mathematical letters: alphabets of twenty-six capitals and twenty-six small letters, one style after another.
fn mathematical(code: u32) -> Option<char> {
    let place = (code - 0x1d400) % 52;
    char::from_u32(if place < 26 { 0x41 + place } else { 0x61 + place - 26 })
}
