//! x
fn main() {
    for _ in 0..6 {
        let t = std::time::Instant::now();
        std::hint::black_box(common::workload::count_down(100_000_000));
        println!("{:?}", t.elapsed());
    }
}
