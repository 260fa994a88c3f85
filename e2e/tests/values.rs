//! Values of every type pass as they are, byte for byte, in text and in binary, as results, as parameters and
//! in COPY: the same frames to the gateway and to the server itself.

use sallyport_e2e::{Gateway, Message, Options, Policy, Raw, frame, types};

const AGENT: &str = "claude-code";
const OPEN: &str = r#"
@id("connect") permit (principal, action == Action::"connect", resource);
@id("everything") permit (principal, action in Action::"sql", resource);
@id("types-shown") permit (principal, action == Action::"reveal", resource == Label::"of-every-type");
"#;

fn gateway() -> Gateway {
    let gateway = Gateway::with(Options { policy: Policy::Only(OPEN), tls: false, ..Options::default() });
    gateway.admin_sql(&format!("set role app; {}; create table again (like typed)", types()));
    gateway
}

/// The rows of a statement, results all in one format.
fn rows(raw: &mut Raw, sql: &str, format: u16) -> Vec<Message> {
    let bind = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &format.to_be_bytes()].concat();
    raw.send(
        &[Raw::parse("", sql), frame(b'B', &bind), Raw::describe(""), Raw::execute(""), Raw::sync()].concat(),
    );
    let answer = raw.until_ready();
    if let Some(error) = Raw::error(&answer) {
        panic!("{sql}: {error:?}");
    }
    answer.into_iter().filter(|it| matches!(it.tag, 'T' | 'D')).collect()
}

#[test]
fn results_are_the_same_bytes_in_text_and_binary() {
    let gateway = gateway();
    let (mut through, mut direct) = (Raw::open(&gateway, AGENT), Raw::direct(&gateway));
    let sql = "select * from typed order by n";
    for format in [0, 1] {
        let (through, direct) = (rows(&mut through, sql, format), rows(&mut direct, sql, format));
        assert_eq!(direct.len(), 7, "a description and six rows");
        assert!(through == direct, "format {format}: {through:?}\n{direct:?}");
    }
    let simple = [&mut through, &mut direct].map(|raw| raw.query(sql));
    assert!(simple[0] == simple[1], "{simple:?}");
}

#[test]
fn copies_out_are_the_same_bytes_in_every_format() {
    let gateway = gateway();
    let (mut through, mut direct) = (Raw::open(&gateway, AGENT), Raw::direct(&gateway));
    for options in ["", "(format csv, header, null '-')", "(format binary)"] {
        let sql = format!("copy (select * from typed order by n) to stdout {options}");
        // How the rows are cut into messages is nobody's business; what they are is.
        let data = [&mut through, &mut direct].map(|raw| {
            let answer = raw.query(&sql);
            if let Some(error) = Raw::error(&answer) {
                panic!("{sql}: {error:?}");
            }
            answer.into_iter().filter(|it| it.tag == 'd').flat_map(|it| it.body).collect::<Vec<u8>>()
        });
        assert!(data[1].len() > 10_000);
        assert!(data[0] == data[1], "{options}");
    }
}

#[test]
fn parameters_arrive_as_they_were_sent_in_text_and_binary() {
    let gateway = gateway();
    let mut through = Raw::open(&gateway, AGENT);
    for format in [0_u16, 1] {
        gateway.admin_sql("truncate again");
        let found = rows(&mut through, "select * from typed order by n", format);
        let columns = u16::from_be_bytes([found[0].body[0], found[0].body[1]]);
        let holes: Vec<String> = (1..=columns).map(|number| format!("${number}")).collect();
        let insert = Raw::parse("", &format!("insert into again values ({})", holes.join(", ")));
        let mut sent = insert;
        for row in &found[1..] {
            // A DataRow's body is what Bind wants of its parameters: a count, then lengths and values.
            let formats = [&[0, 0, 0, 1][..], &format.to_be_bytes()].concat();
            sent.extend(frame(b'B', &[&formats[..], &row.body, &[0, 0]].concat()));
            sent.extend(Raw::execute(""));
        }
        through.send(&[sent, Raw::sync()].concat());
        let answer = through.until_ready();
        assert!(Raw::error(&answer).is_none(), "format {format}: {:?}", Raw::error(&answer));
        let differ = "select count(*), count(*) filter (where t::text is distinct from a::text) \
                      from typed t left join again a using (n)";
        assert_eq!(gateway.admin_sql(differ), "6|0", "format {format}");
    }
}

#[test]
fn copies_in_arrive_as_they_were_sent_in_every_format() {
    let gateway = gateway();
    let mut through = Raw::open(&gateway, AGENT);
    for options in ["", "(format csv)", "(format binary)"] {
        gateway.admin_sql("truncate again");
        let out = through.query(&format!("copy (select * from typed) to stdout {options}"));
        let data: Vec<u8> = out.into_iter().filter(|it| it.tag == 'd').flat_map(|it| it.body).collect();
        let copy = frame(b'Q', format!("copy again from stdin {options}\0").as_bytes());
        // Cut at odd places: the server joins them.
        let pieces: Vec<u8> = data.chunks(4099).flat_map(|piece| frame(b'd', piece)).collect();
        through.send(&[copy, pieces, frame(b'c', &[])].concat());
        let answer = through.until_ready();
        assert!(Raw::error(&answer).is_none(), "{options}: {:?}", Raw::error(&answer));
        let differ = "select count(*), count(*) filter (where t::text is distinct from a::text) \
                      from typed t left join again a using (n)";
        assert_eq!(gateway.admin_sql(differ), "6|0", "{options}");
    }
}
