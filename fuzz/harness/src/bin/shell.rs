//! libFuzzer over `sallyport_fuzz::shell`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sallyport_fuzz::shell(data));
