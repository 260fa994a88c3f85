//! What reading shell texts costs: everyday lines, a deploy script, and texts that are as bad as they come.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sallyport_inspect::shell::{Flavour, inspect};

const SCRIPT: &str = r#"#!/bin/bash
set -euo pipefail
APP=/srv/app
log() { echo "$(date +%T) $*"; }
log "deploying"
cd "$APP" && git pull --ff-only
for s in web worker; do
  sudo systemctl restart "$s"
done
if [ -f config.yml ]; then
  cp config.yml "config.yml.$(date +%F)"
fi
find logs -name '*.log' -mtime +7 -exec gzip {} \;
curl -fsS https://example.com/health | jq -r .status
cat > /tmp/report.txt <<EOF
host=$HOSTNAME
EOF
log "done"
"#;

const EVERYDAY: &[(&str, &str)] = &[
    ("ls", "ls -la /var/www"),
    ("pipeline", "cat access.log | cut -d' ' -f1 | sort | uniq -c | sort -rn | head -20"),
    ("find", "find /var/log -type f -mtime +7 -exec rm -f {} \\;"),
    ("ssh", "ssh deploy@web1 'cd /srv/app && git pull && sudo systemctl restart app'"),
    ("psql", "psql -h db -d shop -c 'SELECT id FROM users LIMIT 10'"),
    ("script", SCRIPT),
];

fn everyday(criterion: &mut Criterion) {
    for (name, text) in EVERYDAY {
        criterion.bench_function(&format!("shell/{name}"), |bencher| {
            bencher.iter(|| inspect(black_box(text.as_bytes()), Flavour::Bash));
        });
    }
}

fn hostile(criterion: &mut Criterion) {
    // The longest that is read.
    const LONGEST: usize = 256 * 1024;
    for piece in ["a;", "a ", "(", "x=1;", "for x in a b;do c;done;"] {
        let text = piece.repeat(LONGEST / piece.len());
        criterion.bench_function(&format!("shell/longest/{}", piece.trim()), |bencher| {
            bencher.iter(|| inspect(black_box(text.as_bytes()), Flavour::Bash));
        });
    }
}

criterion_group! {
    name = shell;
    config = Criterion::default().sample_size(20);
    targets = everyday, hostile
}
criterion_main!(shell);
