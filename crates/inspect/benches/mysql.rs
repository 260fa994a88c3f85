//! What inspecting typical statements of MySQL costs, with the cache and without.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sallyport_inspect::mysql::{Cache, Context, Flavour, SqlMode, inspect};

const CONTEXT: Context<'static> = Context {
    flavour: Flavour::MySql(80_400),
    sql_mode: Some(SqlMode::DEFAULT),
    character_set: "utf8mb4",
    database: Some("shop"),
    lower_case_table_names: 0,
};

const TEXTS: [(&str, &str); 7] = [
    ("constant", "SELECT 1"),
    ("primary key", "SELECT `users`.* FROM `users` WHERE `users`.`id` = 42 LIMIT 1"),
    ("insert", "INSERT INTO `orders` (`user_id`, `total`, `created_at`) VALUES (42, 9.99, NOW())"),
    ("update", "UPDATE `users` SET `email` = 'a@b.c', `updated_at` = NOW() WHERE `users`.`id` = 42"),
    (
        "join",
        "SELECT u.id, u.email, o.total FROM users u JOIN orders o ON o.user_id = u.id \
         WHERE o.status = 'paid' AND o.total > 100 ORDER BY o.created_at DESC LIMIT 10",
    ),
    (
        "report",
        "WITH recent AS (SELECT user_id, SUM(total) AS t FROM orders WHERE created_at > NOW() - INTERVAL 30 DAY \
         GROUP BY user_id) SELECT u.country, COUNT(*), AVG(r.t) FROM users u JOIN recent r ON r.user_id = u.id \
         WHERE u.id NOT IN (SELECT user_id FROM banned) GROUP BY u.country HAVING COUNT(*) > 5 ORDER BY 2 DESC",
    ),
    ("set names", "SET NAMES utf8mb4"),
];

fn statements(criterion: &mut Criterion) {
    for (name, text) in TEXTS {
        criterion.bench_function(&format!("mysql/{name}"), |bench| {
            bench.iter(|| inspect(black_box(text.as_bytes()), &CONTEXT));
        });
    }
    let cache = Cache::new(1000, 1 << 20);
    for (name, text) in TEXTS {
        criterion.bench_function(&format!("mysql/cached {name}"), |bench| {
            bench.iter(|| cache.inspect(black_box(text.as_bytes()), &CONTEXT));
        });
    }
}

criterion_group!(benches, statements);
criterion_main!(benches);
