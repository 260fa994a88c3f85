//! The numbers that states give to people, one file each.
//!
//! Those of digits alone are a [`National`]: how they are written, their sum, the words for them. Where a sum is
//! right for one number in ten, the number alone says nothing: it is found where it is written as people write
//! it, or where its column or the text says what it is. Those with letters are detectors of their own.

use super::number::{Number, Rule};
use super::{Kind, Topic};

pub(crate) mod au_medicare;
pub(crate) mod au_tfn;
pub(crate) mod br_cnpj;
pub(crate) mod br_cpf;
pub(crate) mod ca_sin;
pub(crate) mod de_id_card;
pub(crate) mod de_tax_id;
pub(crate) mod es_nif;
pub(crate) mod fr_nir;
pub(crate) mod in_aadhaar;
pub(crate) mod in_pan;
pub(crate) mod it_fiscal_code;
pub(crate) mod nl_bsn;
pub(crate) mod pl_pesel;
pub(crate) mod pt_nif;
pub(crate) mod se_personnummer;
pub(crate) mod uk_nhs;
pub(crate) mod uk_nino;
pub(crate) mod us_itin;
pub(crate) mod us_ssn;

/// A number of digits with a check.
#[derive(Debug)]
pub(crate) struct National {
    pub(crate) kind: Kind,
    /// How many digits.
    pub(crate) digits: &'static [usize],
    /// How people write it, `9` for a digit: enough by itself.
    pub(crate) written: &'static [&'static str],
    /// With how many digits its check is so rare that the digits alone are enough.
    pub(crate) alone: &'static [usize],
    /// First digits with which one number in thirty or fewer passes its check: enough in a cell that is nothing else
    /// and has no column.
    pub(crate) unnamed: &'static [u8],
    /// Words for it, lower case.
    pub(crate) words: Topic,
    /// Whether the digits could have been issued.
    pub(crate) valid: fn(&[u8]) -> bool,
}

impl Rule for National {
    fn kind(&'static self) -> &'static Kind {
        &self.kind
    }

    fn wants(&self, digits: usize) -> bool {
        self.digits.contains(&digits)
    }

    fn knows_alone(&self) -> bool {
        !self.alone.is_empty()
    }

    fn knows_unnamed(&self) -> bool {
        !self.unnamed.is_empty()
    }

    fn judge(&self, number: &Number<'_, '_>) -> f32 {
        if !number.loose {
            return 0.0;
        }
        let written = number.whole
            && !number.is_bare()
            && self.written.iter().any(|form| form.as_bytes() == number.form());
        let spread = number.is_spread() && number.uniform;
        let alone =
            number.whole && (spread || (number.is_bare() && self.alone.contains(&number.digits().len())));
        let unnamed =
            number.is_unnamed() && number.digits().first().is_some_and(|first| self.unnamed.contains(first));
        let may_be_said = !number.is_silent();
        if !(written || alone || may_be_said || unnamed) || !(self.valid)(number.digits()) {
            return 0.0;
        }
        let says = || may_be_said && (number.says(self.words) || number.says(Topic::National));
        match (says(), written || alone) {
            (true, _) if !written => 0.9,
            (false, false) if unnamed => 0.5,
            (_, false) => 0.0,
            _ if number.before().say_other() => 0.0,
            (true, true) => 0.9,
            (false, true) if written => 0.8,
            (false, true) => 0.7,
        }
    }
}
