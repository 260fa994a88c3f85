//! libFuzzer over `sallyport_fuzz::mysql`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sallyport_fuzz::mysql(data));
