#[no_mangle]
pub unsafe extern "C" fn sum(values: *const f32, count: usize) -> f32 {
    let mut lanes = [0.0f32; 16];
    for i in 0..count / 16 {
        for j in 0..16 { lanes[j] += *values.add(16 * i + j); }
    }
    lanes.iter().sum()
}
