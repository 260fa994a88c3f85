//! What a value of a type can hold, and what may stand in its place: by the object id of the type.
//!
//! The numbers are those of `pg_type.dat`; they never change. Types of extensions and users have others,
//! and those are [`Shape::Opaque`].

/// What masking has to know of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Text in both formats: `text`, `varchar`, `bpchar`, `name`, `unknown`, `cstring`, `refcursor`.
    Text,
    /// `json`: text in both formats.
    Json,
    /// `jsonb`: in binary, a version byte (1) and text.
    Jsonb,
    /// An array; the element's type.
    Array(u32),
    /// A number or day that may be somebody's, where the column's name says so; its type: `int4`, `int8`,
    /// `numeric`, `date`, `timestamp`, `timestamptz`.
    Figure(u32),
    /// Holds no text of people: numbers, times, identifiers, bits, shapes.
    Plain,
    /// `bytea`: in text format hexadecimal, in binary the bytes themselves.
    Bytes,
    /// `inet`, `cidr`: an address as such.
    Address,
    /// `record` and composite types of unknown columns; and everything that is not listed.
    Opaque,
}

/// Type and array type, pairwise.
const ARRAYS: &[(u32, u32)] = &[
    (16, 1000),
    (17, 1001),
    (18, 1002),
    (19, 1003),
    (20, 1016),
    (21, 1005),
    (23, 1007),
    (25, 1009),
    (26, 1028),
    (114, 199),
    (142, 143),
    (650, 651),
    (700, 1021),
    (701, 1022),
    (774, 775),
    (829, 1040),
    (869, 1041),
    (1042, 1014),
    (1043, 1015),
    (1082, 1182),
    (1083, 1183),
    (1114, 1115),
    (1184, 1185),
    (1186, 1187),
    (1266, 1270),
    (1700, 1231),
    (2249, 2287),
    (2275, 1263),
    (2950, 2951),
    (3802, 3807),
];

impl Shape {
    /// The shape of a type.
    pub(super) fn of(type_oid: u32) -> Self {
        match type_oid {
            19 | 25 | 705 | 1042 | 1043 | 1790 | 2275 => Self::Text,
            114 => Self::Json,
            3802 => Self::Jsonb,
            20 | 23 | 1082 | 1114 | 1184 | 1700 => Self::Figure(type_oid),
            17 => Self::Bytes,
            869 | 650 => Self::Address,
            // bool, "char", int2, int2vector, regproc, oid, tid, xid, cid, oidvector, geometry, floats, money,
            // times, intervals, bits, uuid, pg_lsn, void, the reg* types, xid8, ranges of plain types.
            16
            | 18
            | 21
            | 22
            | 24
            | 26..=30
            | 600..=604
            | 628
            | 700
            | 701
            | 718
            | 790
            | 1083
            | 1186
            | 1266
            | 1560
            | 1562
            | 2202..=2206
            | 2278
            | 2950
            | 3220
            | 3734
            | 3769
            | 3904
            | 3906
            | 3908
            | 3910
            | 3912
            | 3926
            | 4089
            | 4096
            | 4191
            | 5069 => Self::Plain,
            _ => match element_of(type_oid) {
                Some(element) if Self::of(element) == Self::Plain => Self::Plain,
                Some(element) => Self::Array(element),
                None => Self::Opaque,
            },
        }
    }

    /// Whether any text may stand in a value's place without breaking the type.
    pub(super) fn takes_text(self) -> bool {
        self == Self::Text
    }
}

/// The type of an array's elements; nothing where the type is no array that is known here.
pub(super) fn element_of(array: u32) -> Option<u32> {
    ARRAYS.iter().find(|(_, known)| *known == array).map(|(element, _)| *element)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_shapes() {
        assert_eq!(Shape::of(25), Shape::Text);
        assert_eq!(Shape::of(1009), Shape::Array(25));
        assert_eq!(Shape::of(1005), Shape::Plain, "int2[]");
        assert_eq!(Shape::of(23), Shape::Figure(23));
        assert_eq!(Shape::of(1007), Shape::Array(23), "int4[]");
        assert_eq!(Shape::of(1231), Shape::Array(1700));
        for opaque in [142, 2249, 2287 + 100_000, 16_400, 3614, 0] {
            assert_eq!(Shape::of(opaque), Shape::Opaque, "{opaque}");
        }
    }
}
