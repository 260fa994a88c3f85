//! What reading a statement of PostgreSQL's SQL takes, and finding it read in the cache.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sallyport_inspect::pg::{Cache, Context, Remembered, inspect};

const STATEMENTS: [(&str, &str); 6] = [
    ("by key", "SELECT id, email FROM users WHERE id = $1"),
    ("insert", "INSERT INTO users (email, name, created_at) VALUES ($1, $2, now()) RETURNING id"),
    ("update", "UPDATE users SET name = $1, updated_at = now() WHERE id = $2"),
    (
        "join",
        "SELECT u.email, sum(o.total) AS spent FROM users u JOIN orders o ON o.user_id = u.id \
         WHERE o.created_at > now() - interval '30 days' GROUP BY u.email ORDER BY spent DESC LIMIT 10",
    ),
    (
        "cte",
        "WITH recent AS (SELECT id, user_id FROM orders WHERE created_at > now() - interval '1 day'), \
         totals AS (SELECT user_id, count(*) AS n FROM recent GROUP BY user_id) \
         SELECT u.id, t.n, row_number() OVER (ORDER BY t.n DESC) FROM users u JOIN totals t ON t.user_id = u.id",
    ),
    ("begin", "BEGIN"),
];

fn postgres(criterion: &mut Criterion) {
    let (path, remembered) = (vec!["public".to_owned()], Remembered::default());
    let context = Context {
        search_path: &path,
        standard_conforming_strings: true,
        client_encoding: "UTF8",
        catalog: None,
        remembered: &remembered,
    };
    let mut read = criterion.benchmark_group("postgres/read");
    for (name, sql) in STATEMENTS {
        read.bench_function(name, |bencher| bencher.iter(|| inspect(black_box(sql.as_bytes()), &context)));
    }
    read.finish();
    let cache = Cache::new(1024, 16 * 1024 * 1024);
    let mut cached = criterion.benchmark_group("postgres/cached");
    for (name, sql) in STATEMENTS {
        cached.bench_function(name, |bencher| {
            bencher.iter(|| cache.inspect(black_box(sql.as_bytes()), &context))
        });
    }
    cached.finish();
}

criterion_group!(benches, postgres);
criterion_main!(benches);
