//! libFuzzer over `sallyport_fuzz::http`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sallyport_fuzz::http(data));
