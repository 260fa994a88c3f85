//! libFuzzer over `sallyport_fuzz::postgres`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sallyport_fuzz::postgres(data));
