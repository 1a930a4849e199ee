extern "C" {
    fn half(values: *const f64, count: i64) -> f64;
}

/// # Safety
/// `values` points to `count` numbers.
#[no_mangle]
pub unsafe extern "C" fn sum(values: *const f64, count: usize) -> f64 {
    let slice = unsafe { std::slice::from_raw_parts(values, count) };
    let all: f64 = slice.iter().map(|x| x * x * 2.5 + x).sum();
    all + unsafe { half(values, count as i64) }
}
