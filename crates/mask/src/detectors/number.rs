//! Numbers: every row of digit groups in a text, shown to the rules for numbers of so many digits.
//!
//! A number is written in one run (`4111111111111111`), in groups (`536-90-4399`), or digit by digit. Each
//! row of groups that separators join, and each part of a row, is a [`Number`]; a rule says how sure it is that
//! the number is what it looks for. What a rule may rely on: nothing of a word touches the number. Whether it is
//! a whole row ([`Number::whole`]) matters to rules whose sums every tenth number has.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;
use std::sync::LazyLock;

use super::{Detector, Found, Kind, Needs, Reading, Topic, credit_card, national, phone_number, scan};
use crate::context::Before;
use crate::features::ROW;
use crate::parts::Group;

/// The most digits that a rule looks at.
const MOST_DIGITS: usize = 20;
/// The fewest.
const LEAST_DIGITS: usize = 7;
/// The most groups of a part of a row; a whole row may have more.
const MOST_GROUPS: usize = 8;
/// A number so sure that none of its parts is looked at.
const SURE: f32 = 0.9;
/// The longest form, bytes.
const LONGEST: usize = 44;

/// A rule for numbers.
pub(super) trait Rule: Sync + fmt::Debug {
    fn kind(&'static self) -> &'static Kind;
    /// Whether it wants numbers of so many digits.
    fn wants(&self, digits: usize) -> bool;
    /// Whether it can be sure of digits in one run that nothing says anything about.
    fn knows_alone(&self) -> bool;
    /// Whether it can be sure of digits that are all of a cell whose column has no name.
    fn knows_unnamed(&self) -> bool {
        false
    }
    /// How sure it is; 0 when the number is none.
    fn judge(&self, number: &Number<'_, '_>) -> f32;
}

/// Every rule.
static RULES: &[&dyn Rule] = &[
    &credit_card::CreditCard,
    &phone_number::National,
    &national::us_ssn::US_SSN,
    &national::us_itin::US_ITIN,
    &national::uk_nhs::UK_NHS,
    &national::de_tax_id::DE_TAX_ID,
    &national::fr_nir::FR_NIR,
    &national::pt_nif::PT_NIF,
    &national::br_cpf::BR_CPF,
    &national::br_cnpj::BR_CNPJ,
    &national::pl_pesel::PL_PESEL,
    &national::se_personnummer::SE_PERSONNUMMER,
    &national::nl_bsn::NL_BSN,
    &national::in_aadhaar::IN_AADHAAR,
    &national::au_tfn::AU_TFN,
    &national::au_medicare::AU_MEDICARE,
    &national::ca_sin::CA_SIN,
];

/// The rules by number of digits.
static BY_DIGITS: LazyLock<Vec<Vec<&'static dyn Rule>>> = LazyLock::new(|| {
    (0..=MOST_DIGITS)
        .map(|digits| RULES.iter().copied().filter(|rule| rule.wants(digits)).collect())
        .collect()
});

/// Of those rules, the ones that this holds for.
fn only(is: impl Fn(&dyn Rule) -> bool) -> Vec<Vec<&'static dyn Rule>> {
    BY_DIGITS.iter().map(|rules| rules.iter().copied().filter(|rule| is(*rule)).collect()).collect()
}

/// Those of them that can be sure of digits in one run that nothing says anything about.
static ALONE: LazyLock<Vec<Vec<&'static dyn Rule>>> = LazyLock::new(|| only(|rule| rule.knows_alone()));

/// And those that can where they are all of a cell whose column has no name.
static UNNAMED: LazyLock<Vec<Vec<&'static dyn Rule>>> =
    LazyLock::new(|| only(|rule| rule.knows_alone() || rule.knows_unnamed()));

/// A number in a text.
pub(super) struct Number<'r, 't> {
    pub(super) reading: &'r Reading<'t>,
    pub(super) span: Range<usize>,
    digits: [u8; MOST_DIGITS],
    count: usize,
    /// The text of the number with `9` for each digit, one byte for each separator.
    form: [u8; LONGEST],
    form_length: usize,
    /// How many groups, and whether the sizes of all but the last are from four to six.
    pub(super) groups: usize,
    pub(super) evenly: bool,
    /// All separators are the same.
    pub(super) uniform: bool,
    /// It is no part of a longer row, token, fraction or path.
    pub(super) whole: bool,
    /// What it is part of is a row of words or numbers with spaces between, or a path.
    pub(super) loose: bool,
    /// It stands in a longer row of the same groups, as an account number's part does.
    pub(super) among: bool,
    before: OnceCell<Before>,
}

impl Number<'_, '_> {
    pub(super) fn digits(&self) -> &[u8] {
        self.digits.get(..self.count).unwrap_or(&[])
    }

    pub(super) fn form(&self) -> &[u8] {
        self.form.get(..self.form_length).unwrap_or(&[])
    }

    /// One run of digits.
    pub(super) fn is_bare(&self) -> bool {
        self.groups == 1
    }

    /// Every digit stands alone.
    pub(super) fn is_spread(&self) -> bool {
        self.groups == self.count
    }

    /// What stands before it.
    pub(super) fn before(&self) -> &Before {
        self.before.get_or_init(|| self.reading.before(self.span.start))
    }

    /// Whether nothing around it says what it is.
    pub(super) fn is_silent(&self) -> bool {
        self.reading.is_silent(self.span.start)
    }

    /// Whether it is all of a cell whose column has no name.
    pub(super) fn is_unnamed(&self) -> bool {
        // `123456789` is what people write for any number.
        self.reading.unnamed
            && self.is_bare()
            && self.span.len() == self.reading.text.len()
            && self.digits().windows(2).any(|two| !matches!(two, [a, b] if *b == *a + 1))
    }

    /// Whether the column or what stands before says that it is what the words name.
    pub(super) fn says(&self, topic: Topic) -> bool {
        self.reading.column.words.say(topic) || self.before().say(topic)
    }

    fn push(&mut self, bytes: &[u8], group: Range<usize>, separator: Option<u8>) -> bool {
        let size = group.end - group.start;
        if self.count + size > MOST_DIGITS || self.form_length + size + 1 > LONGEST {
            return false;
        }
        if let Some(separator) = separator {
            if let Some(place) = self.form.get_mut(self.form_length) {
                *place = separator;
            }
            self.form_length += 1;
        }
        for (digit, byte) in
            self.digits.iter_mut().skip(self.count).zip(bytes.get(group.clone()).unwrap_or(&[]))
        {
            *digit = byte - b'0';
        }
        if let Some(form) = self.form.get_mut(self.form_length..self.form_length + size) {
            form.fill(b'9');
        }
        self.count += size;
        self.form_length += size;
        self.groups += 1;
        self.span.end = group.end;
        true
    }
}

/// The detector of all of them.
#[derive(Debug)]
pub(super) struct Numbers;

impl Detector for Numbers {
    fn kinds(&self) -> Vec<&'static Kind> {
        RULES.iter().map(|rule| rule.kind()).collect()
    }

    fn needs(&self) -> Needs {
        Needs::all(ROW)
    }

    fn find(&self, reading: &Reading<'_>, found: &mut Vec<Found>) {
        let bytes = reading.bytes();
        let groups = reading.parts.groups.as_slice();
        let mut from = 0;
        for (first, group) in groups.iter().enumerate() {
            let start = group.span.start;
            if start < from {
                continue;
            }
            let left = first.checked_sub(1).and_then(|at| groups.get(at)).and_then(|group| group.link);
            // Digit by digit only from its start on; and what a word touches is none.
            let size = group.span.len();
            if (size < 2 && left.is_some()) || size > MOST_DIGITS || is_glued_before(bytes, start) {
                continue;
            }
            // Within a row of spaces only what starts as a card, or is long by itself, can be a number.
            if left == Some(b' ') && group.link == Some(b' ') && size < LEAST_DIGITS && size != 4 {
                continue;
            }
            if size < LEAST_DIGITS && !reaches(groups, first) {
                continue;
            }
            from = row(reading, first, left, found);
        }
    }
}

/// Whether the groups that are joined from that one on have as many digits as a number.
#[inline]
fn reaches(groups: &[Group], first: usize) -> bool {
    let mut digits = 0;
    for group in groups.iter().skip(first) {
        digits += group.span.len();
        if digits >= LEAST_DIGITS {
            return true;
        }
        if group.link.is_none() {
            return false;
        }
    }
    false
}

/// Shows the row that starts with that group, and its parts that do, to the rules. Gives the end of what is sure.
fn row(reading: &Reading<'_>, first: usize, left: Option<u8>, found: &mut Vec<Found>) -> usize {
    let bytes = reading.bytes();
    let groups = reading.parts.groups.as_slice();
    let Some(start) = groups.get(first).map(|group| group.span.start) else { return 0 };
    let mut number = Number {
        reading,
        span: start..start,
        digits: [0; MOST_DIGITS],
        count: 0,
        form: [0; LONGEST],
        form_length: 0,
        groups: 0,
        evenly: true,
        uniform: true,
        whole: false,
        loose: false,
        among: false,
        before: OnceCell::new(),
    };
    let mut separator: Option<u8> = None;
    let mut joined: Option<u8> = None;
    let mut last_size = 0;
    let mut sure = 0;
    for (index, group) in groups.iter().enumerate().skip(first) {
        if index > first {
            number.uniform &= separator.is_none() || separator == joined;
            separator = separator.or(joined);
            number.evenly &= (4..=6).contains(&last_size);
        }
        last_size = group.span.len();
        if !number.push(bytes, group.span.clone(), joined) {
            return sure;
        }
        let fraction = if number.is_bare() { fraction_end(bytes, number.span.end) } else { number.span.end };
        let has_fraction = fraction > number.span.end;
        let link = group.link.filter(|_| !has_fraction);
        let is_last = link.is_none();
        if number.count >= LEAST_DIGITS
            && (is_last || number.groups <= MOST_GROUPS)
            && (!is_glued_after(bytes, number.span.end)
                || phone_number::extension_end(bytes, number.span.end) > number.span.end)
        {
            let (left_tight, left_loose) = edge(left, separator, before_edge(bytes, start));
            let beyond = if has_fraction { Beside::Nothing } else { after_edge(bytes, number.span.end) };
            let (right_tight, right_loose) = edge(link, separator, beyond);
            number.whole = !(left_tight || right_tight || left_loose || right_loose);
            number.loose = !(left_tight || right_tight);
            number.among = left_loose && separator == Some(b' ') && goes_on_left(reading, first)
                || right_loose
                    && separator == Some(b' ')
                    && groups.get(index + 1).is_some_and(|next| next.span.len() == 4);
            if judge(&number, fraction, found) >= SURE {
                sure = number.span.end;
            }
        }
        if is_last || (!reading.spend()) {
            return sure;
        }
        joined = group.link;
    }
    sure
}

/// The fewest digits before a fraction of several zeros: no amount has as many.
const MOST_OF_AMOUNT: usize = 13;

/// The end of the fraction behind whole digits that end there, where it is nothing but a zero: `4111111111111111.0`,
/// which is what a number becomes on its way through a column of floating-point numbers.
fn fraction_end(bytes: &[u8], end: usize) -> usize {
    if scan::at(bytes, end) != b'.' {
        return end;
    }
    let zeros =
        scan::run_end(bytes.get(..bytes.len().min(end + 8)).unwrap_or(bytes), end + 1, |byte| byte == b'0');
    let digits =
        bytes.iter().take(end).rev().take(MOST_OF_AMOUNT).take_while(|byte| byte.is_ascii_digit()).count();
    let after = scan::at(bytes, zeros);
    let ends =
        !(is_glued(after) || matches!(after, b'.' | b'-') && scan::is_word(scan::at(bytes, zeros + 1)));
    let count = zeros - end - 1;
    if ends && (count == 1 || count > 1 && digits >= MOST_OF_AMOUNT) { zeros } else { end }
}

/// Whether the group before that one is of four digits, or ends a word (`DE88 3704 …`).
fn goes_on_left(reading: &Reading<'_>, first: usize) -> bool {
    let Some(before) = first.checked_sub(1).and_then(|at| reading.parts.groups.get(at)) else { return false };
    before.span.len() == 4 || scan::before(reading.bytes(), before.span.start).is_ascii_alphabetic()
}

/// How sure the surest rule is.
fn judge(number: &Number<'_, '_>, fraction: usize, found: &mut Vec<Found>) -> f32 {
    if !number.loose {
        return 0.0;
    }
    // A part of a row is one that something names, or a card; or a telephone, which dashes show.
    let by_itself = number.is_bare() || !(number.whole || number.form().contains(&b'-'));
    let rules = match by_itself && number.is_silent() {
        true if number.is_unnamed() => &*UNNAMED,
        true => &*ALONE,
        false => &*BY_DIGITS,
    };
    let Some(rules) = rules.get(number.count) else { return 0.0 };
    let mut most = 0.0_f32;
    for rule in rules {
        let confidence = rule.judge(number);
        most = most.max(confidence);
        if confidence > 0.0 {
            let end = phone_number::extension_end(number.reading.bytes(), number.span.end);
            let end = if rule.wants(LEAST_DIGITS) { end } else { fraction };
            found.push(Found::new(rule.kind(), number.span.start..end, confidence));
        }
    }
    most
}

/// What of a word or an amount may not touch a number.
fn is_glued(byte: u8) -> bool {
    scan::is_word(byte) || matches!(byte, b'_' | b'@' | b'%' | b'$')
}

/// Whether something of a word stands before that place; an underscore is, when a word goes on beyond it.
fn is_glued_before(bytes: &[u8], start: usize) -> bool {
    match scan::before(bytes, start) {
        b'_' => start.checked_sub(1).is_some_and(|at| scan::is_word(scan::before(bytes, at))),
        byte => is_glued(byte),
    }
}

fn is_glued_after(bytes: &[u8], end: usize) -> bool {
    match scan::at(bytes, end) {
        b'_' => scan::is_word(scan::at(bytes, end + 1)),
        byte => is_glued(byte),
    }
}

/// What joins a number to what stands beside it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Nothing,
    /// A path's slash.
    Slash,
    /// A dash, a dot, a plus: part of a token, a fraction, a telephone number.
    Tight,
}

/// Whether the number is tightly, and whether it is loosely, joined on one side.
fn edge(link: Option<u8>, own: Option<u8>, beside: Beside) -> (bool, bool) {
    match link {
        // A row with dashes that stands among words and numbers is whole.
        Some(b' ') => (false, own == Some(b' ')),
        Some(b'/') if own != Some(b'/') => (false, true),
        Some(_) => (true, false),
        None => (beside == Beside::Tight, beside == Beside::Slash),
    }
}

fn before_edge(bytes: &[u8], start: usize) -> Beside {
    let beyond = start.checked_sub(1).map_or(0, |at| scan::before(bytes, at));
    match scan::before(bytes, start) {
        // No telephone has as many digits as a card.
        b'+' if bytes.get(start..start + 16).is_some_and(|rest| rest.iter().all(u8::is_ascii_digit)) => {
            Beside::Nothing
        }
        b'+' => Beside::Tight,
        b'-' if scan::is_word(beyond) => Beside::Tight,
        b'.' if beyond.is_ascii_digit() => Beside::Tight,
        // A fraction with a comma; otherwise the field before.
        b',' if beyond == b'0'
            && !scan::is_word(start.checked_sub(2).map_or(0, |at| scan::before(bytes, at))) =>
        {
            Beside::Tight
        }
        b'/' if scan::is_word(beyond) || beyond == b'/' => Beside::Slash,
        _ => Beside::Nothing,
    }
}

fn after_edge(bytes: &[u8], end: usize) -> Beside {
    let beyond = scan::at(bytes, end + 1);
    match scan::at(bytes, end) {
        b'-' if scan::is_word(beyond) => Beside::Tight,
        b'.' if beyond.is_ascii_digit() => Beside::Tight,
        b'/' if scan::is_word(beyond) => Beside::Slash,
        _ => Beside::Nothing,
    }
}
