//! COPY data in its three forms, whole and in pieces.

use bytes::BufMut;
use proptest::prelude::*;

use super::super::plan::tests::{from, lineage, made_of, with_context};
use super::*;

fn options(format: CopyFormat) -> CopyOptions {
    let csv = format == CopyFormat::Csv;
    CopyOptions {
        format,
        delimiter: if csv { b',' } else { b'\t' },
        null: if csv { "" } else { "\\N" }.to_owned(),
        quote: b'"',
        escape: b'"',
        header: false,
    }
}

/// id, email (labelled text), born (labelled date), note.
fn plan(options: &CopyOptions) -> CopyPlan {
    let origins =
        vec![from("users", "id"), from("users", "email"), from("users", "born"), from("users", "note")];
    with_context(&[], |context| CopyPlan::new(options, &lineage(origins), context)).unwrap()
}

fn through(mut plan: CopyPlan, pieces: &[&[u8]]) -> Result<(Vec<u8>, u32), MaskFault> {
    let mut out = BytesMut::new();
    let mut masked = 0;
    for piece in pieces {
        masked += plan.push(piece, &mut out)?.masked;
    }
    masked += plan.finish(&mut out)?.masked;
    Ok((out.to_vec(), masked))
}

fn text(options: &CopyOptions, data: &str) -> String {
    let whole = through(plan(options), &[data.as_bytes()]).unwrap();
    for cut in 0..data.len() {
        let (one, two) = data.as_bytes().split_at(cut);
        assert_eq!(through(plan(options), &[one, two]).unwrap(), whole, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = data.as_bytes().chunks(1).collect();
    assert_eq!(through(plan(options), &bytes).unwrap(), whole, "byte by byte");
    String::from_utf8(whole.0).unwrap()
}

#[test]
fn text_rows_are_masked_wherever_messages_are_cut() {
    assert_eq!(
        text(&options(CopyFormat::Text), "1\talice\t2001-02-03\tquiet\n2\t\\N\t\\N\tto a\\tb@c.org\\\\\n"),
        "1\t‹pii.email›\t\\N\tquiet\n2\t\\N\t\\N\tto a\\t‹EMAIL_ADDRESS›\\\\\n"
    );
    assert_eq!(
        text(&options(CopyFormat::Text), "1\ta\\nb\\tc\t\\N\tx"),
        "1\t‹pii.email›\t\\N\tx",
        "no line feed"
    );
}

#[test]
fn csv_rows_are_masked_wherever_messages_are_cut() {
    let csv = options(CopyFormat::Csv);
    assert_eq!(
        text(&csv, "1,\"al\nice, \"\"A\"\"\",2001-02-03,\"say \"\"b@c.org\"\"\"\n2,,,\n"),
        "1,\"‹pii.email›\",,\"say \"\"‹EMAIL_ADDRESS›\"\"\"\n2,,,\n"
    );
    let header = CopyOptions { header: true, ..csv.clone() };
    assert_eq!(text(&header, "id,email,born,note\n1,x,,y\n"), "id,email,born,note\n1,\"‹pii.email›\",,y\n");
    let odd = CopyOptions { delimiter: b';', quote: b'\'', escape: b'\\', null: "NIL".into(), ..csv };
    assert_eq!(text(&odd, "1;'a\\'\nb';NIL;'\\\\'\n"), "1;'‹pii.email›';NIL;'\\\\'\n");
}

fn binary_data(rows: &[&[Option<&[u8]>]]) -> Vec<u8> {
    let mut out = BytesMut::from(SIGNATURE);
    out.put_i32(0);
    out.put_i32(0);
    for row in rows {
        out.put_i16(i16::try_from(row.len()).unwrap());
        for value in *row {
            match value {
                None => out.put_i32(-1),
                Some(bytes) => {
                    out.put_i32(i32::try_from(bytes.len()).unwrap());
                    out.extend_from_slice(bytes);
                }
            }
        }
    }
    out.put_i16(-1);
    out.to_vec()
}

#[test]
fn binary_rows_are_masked_wherever_messages_are_cut() {
    let data = binary_data(&[
        &[Some(&[0, 0, 0, 1]), Some(b"alice"), Some(&[0, 0, 1, 1]), Some(b"quiet")],
        &[Some(&[0, 0, 0, 2]), None, None, Some(b"to b@c.org")],
    ]);
    let expected = binary_data(&[
        &[Some(&[0, 0, 0, 1]), Some("‹pii.email›".as_bytes()), None, Some(b"quiet")],
        &[Some(&[0, 0, 0, 2]), None, None, Some("to ‹EMAIL_ADDRESS›".as_bytes())],
    ]);
    let options = options(CopyFormat::Binary);
    for cut in 0..data.len() {
        let (one, two) = data.split_at(cut);
        assert_eq!(through(plan(&options), &[one, two]), Ok((expected.clone(), 3)), "{cut}");
    }
    for cut in 0..data.len() {
        assert!(through(plan(&options), &[&data[..cut]]).is_err(), "cut off at {cut}");
    }
}

/// No byte of `hunter` asks for a look; the column's name does.
#[test]
fn a_column_whose_name_says_that_all_of_it_is_secret_is_read_in_a_copy_too() {
    for (format, data, masked) in [
        (CopyFormat::Text, "1\thunter\n", "1\t‹PASSWORD›\n"),
        (CopyFormat::Csv, "1,hunter\n", "1,\"‹PASSWORD›\"\n"),
    ] {
        let plan = with_context(&[], |context| {
            let origins = vec![from("users", "id"), from("users", "password")];
            CopyPlan::new(&options(format), &lineage(origins), context)
        });
        let (out, count) = through(plan.unwrap(), &[data.as_bytes()]).unwrap();
        assert_eq!((String::from_utf8(out).unwrap().as_str(), count), (masked, 1));
    }
}

#[test]
fn a_copy_of_what_cannot_be_settled_is_refused() {
    let text = options(CopyFormat::Text);
    with_context(&[], |context| {
        for lineage in [Lineage::Unsettled, lineage(vec![from("users", "id"), Origin::Unsettled])] {
            assert_eq!(CopyPlan::new(&text, &lineage, context).unwrap_err(), MaskFault::Unsettled);
        }
    });
    with_context(&["unsettled"], |context| {
        assert!(CopyPlan::new(&text, &lineage(vec![Origin::Unsettled]), context).is_ok());
        assert!(
            CopyPlan::new(&text, &Lineage::Unsettled, context).is_err(),
            "not even its columns are known"
        );
    });
}

#[test]
fn an_expression_over_a_labelled_column_is_null_in_a_copy() {
    let plan = with_context(&[], |context| {
        CopyPlan::new(&options(CopyFormat::Text), &lineage(vec![made_of(&[("users", "email")])]), context)
    });
    assert_eq!(through(plan.unwrap(), &[b"alice\n"]).unwrap().0, b"\\N\n");
}

#[test]
fn a_row_with_other_columns_ends_the_copy_for_good() {
    let mut plan = plan(&options(CopyFormat::Text));
    let mut out = BytesMut::new();
    assert_eq!(plan.push(b"1\t2\n", &mut out), Err(MaskFault::Malformed));
    assert_eq!(plan.push(b"1\ta\t\\N\tx\n", &mut out), Err(MaskFault::Malformed), "nothing passes after it");
    assert!(out.is_empty());
}

#[test]
fn a_row_that_never_ends_is_over_the_limit() {
    let mut plan = plan(&options(CopyFormat::Csv));
    let mut out = BytesMut::new();
    let piece = vec![b'x'; 1 << 20];
    let results: Vec<_> = (0..20).map(|_| plan.push(&piece, &mut out)).collect();
    assert!(results.contains(&Err(MaskFault::TooLarge)) && out.is_empty());
    assert!(plan.pending.is_empty(), "what was held is let go");
}

proptest! {
    #[test]
    fn random_data_never_leaves_a_labelled_value(
        secrets in proptest::collection::vec("[a-z,\"\\\\\n\t]{4,12}", 1..4),
        csv in any::<bool>(),
        cut in 0usize..60,
    ) {
        let options = options(if csv { CopyFormat::Csv } else { CopyFormat::Text });
        let form = Delimited::new(&options);
        let mut data = BytesMut::new();
        for secret in &secrets {
            for (index, value) in [b"1".as_slice(), secret.as_bytes(), b"d", b"n"].into_iter().enumerate() {
                if index > 0 {
                    data.extend_from_slice(&[options.delimiter]);
                }
                form.put(Some(value), &mut data);
            }
            data.extend_from_slice(b"\n");
        }
        let (one, two) = data.split_at(cut.min(data.len()));
        let (out, masked) = through(plan(&options), &[one, two]).unwrap();
        prop_assert_eq!(usize::try_from(masked).unwrap(), secrets.len() * 2);
        let out = String::from_utf8(out).unwrap();
        let rows = out.matches("‹pii.email›").count();
        prop_assert_eq!(rows, secrets.len());
    }

    #[test]
    fn random_bytes_are_taken_or_refused(data in proptest::collection::vec(any::<u8>(), 0..200), format in 0..3) {
        let format = [CopyFormat::Text, CopyFormat::Csv, CopyFormat::Binary][usize::try_from(format).unwrap()];
        let result = through(plan(&options(format)), &[&data]);
        prop_assert!(result.is_ok() || result.is_err());
    }
}
