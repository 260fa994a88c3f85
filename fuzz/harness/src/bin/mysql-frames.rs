//! libFuzzer over `sallyport_fuzz::mysql_frames`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| sallyport_fuzz::mysql_frames(data));
