//! Calling codes and how long the numbers behind them are (ITU-T E.164, list of assigned codes, and the
//! national plans notified to the ITU). A plus and the wrong number of digits is no telephone number.

/// Calling code, fewest and most digits after it. What is assigned and not listed has from 6 to 12.
const PLANS: &[(u32, usize, usize)] = &[
    (1, 10, 10),
    (7, 10, 10),
    (20, 8, 10),
    (27, 9, 9),
    (30, 10, 10),
    (31, 9, 9),
    (32, 8, 9),
    (33, 9, 9),
    (34, 9, 9),
    (36, 8, 9),
    (39, 6, 11),
    (40, 9, 9),
    (41, 9, 9),
    (43, 7, 13),
    (44, 9, 10),
    (45, 8, 8),
    (46, 7, 10),
    (47, 8, 8),
    (48, 9, 9),
    (49, 6, 12),
    (51, 8, 9),
    (52, 10, 11),
    (54, 10, 11),
    (55, 10, 11),
    (56, 9, 9),
    (57, 8, 10),
    (60, 8, 10),
    (61, 9, 9),
    (62, 7, 12),
    (63, 8, 10),
    (64, 8, 10),
    (65, 8, 8),
    (66, 8, 9),
    (81, 9, 10),
    (82, 8, 10),
    (84, 9, 10),
    (86, 9, 11),
    (90, 10, 10),
    (91, 10, 10),
    (92, 9, 10),
    (94, 9, 9),
    (98, 10, 10),
    (212, 9, 9),
    (234, 8, 10),
    (254, 9, 9),
    (351, 9, 9),
    (352, 6, 9),
    (353, 8, 9),
    (354, 7, 7),
    (358, 6, 11),
    (359, 8, 9),
    (370, 8, 8),
    (371, 8, 8),
    (372, 7, 8),
    (380, 9, 9),
    (385, 8, 9),
    (386, 8, 8),
    (420, 9, 9),
    (421, 9, 9),
    (852, 8, 8),
    (886, 8, 9),
    (966, 8, 9),
    (971, 8, 9),
    (972, 8, 9),
];

/// Assigned codes of two digits.
const TWO: &[u32] = &[
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58,
    60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];
/// First two digits of the codes with three.
const THREE: &[u32] =
    &[21, 22, 23, 24, 25, 26, 29, 35, 37, 38, 42, 50, 59, 67, 68, 69, 80, 85, 87, 88, 96, 97, 99];

/// Assigned to nobody among those.
const NOBODY: &[u32] = &[
    210, 214, 215, 217, 219, 259, 292, 293, 294, 295, 296, 384, 422, 424, 693, 694, 695, 696, 697, 698, 699,
    801, 851, 854, 857, 858, 859, 871, 872, 873, 874, 875, 876, 877, 879, 884, 885, 887, 889, 969, 978, 990,
    991, 997, 999,
];

/// The length of the calling code that the digits start with, and the fewest and most digits after it.
pub(super) fn plan(digits: &[u8]) -> Option<(usize, usize, usize)> {
    let (one, two, three) =
        (super::scan::prefix(digits, 1), super::scan::prefix(digits, 2), super::scan::prefix(digits, 3));
    let (code, length) = match one {
        1 | 7 => (one, 1),
        _ if TWO.contains(&two) => (two, 2),
        _ if THREE.contains(&two) && !NOBODY.contains(&three) && digits.len() >= 3 => (three, 3),
        _ => return None,
    };
    let known = PLANS.iter().find(|(known, _, _)| *known == code);
    Some(known.map_or((length, 6, 12), |(_, least, most)| (length, *least, *most)))
}

/// Whether ten digits are a number of the North American plan: neither area nor exchange starts with 0 or 1 or
/// ends in 11.
pub(super) fn is_north_american(digits: &[u8]) -> bool {
    let code = |from: usize| {
        let code = super::scan::part(digits, from, 3);
        code >= 200 && code % 100 != 11
    };
    digits.len() == 10 && code(0) && code(3)
}
