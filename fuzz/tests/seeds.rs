//! Every seed, and every input that a fuzzer once found something with, goes through its target.

use std::path::Path;

#[test]
fn every_file_of_the_corpus_holds() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for (name, target) in sallyport_fuzz::TARGETS {
        let files: Vec<_> = std::fs::read_dir(corpus.join(name)).expect("a folder a target").collect();
        assert!(files.len() >= 5, "{name}: seeds to start from");
        for file in files {
            target(&std::fs::read(file.expect("an entry").path()).expect("a seed"));
        }
    }
}
