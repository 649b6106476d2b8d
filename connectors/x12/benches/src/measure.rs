//! Rounds: in each, every contender runs once after the other. CPU time of the thread, so that other work on the
//! machine disturbs less than it would disturb wall time; ratios are taken within a round.

use cpu_time::ThreadTime;

/// One thing that is measured.
pub struct Contender<'a> {
    pub name: &'static str,
    /// Runs once, and returns something that depends on all of the work.
    pub run: Box<dyn FnMut() -> usize + 'a>,
}

impl<'a> Contender<'a> {
    pub fn new(name: &'static str, run: impl FnMut() -> usize + 'a) -> Self {
        Self { name, run: Box::new(run) }
    }
}

/// Megabytes for each CPU second of each contender, round by round.
pub fn rounds(bytes: usize, count: usize, contenders: &mut [Contender<'_>]) -> Vec<Vec<f64>> {
    let mut speeds = vec![Vec::new(); contenders.len()];
    for round in 0..=count {
        for (contender, speeds) in contenders.iter_mut().zip(&mut speeds) {
            let started = ThreadTime::now();
            let (mut runs, mut took) = (0, 0.0);
            // Small inputs run until the clock can tell.
            while took < 0.02 {
                assert_ne!(std::hint::black_box((contender.run)()), 0, "{} did nothing", contender.name);
                runs += 1;
                took = started.elapsed().as_secs_f64();
            }
            // The first round warms up.
            if round > 0 {
                speeds.push((bytes * runs) as f64 / took / 1e6);
            }
        }
    }
    speeds
}

/// Least, median and greatest.
pub fn spread(values: &[f64]) -> (f64, f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    (sorted[0], sorted[sorted.len() / 2], sorted[sorted.len() - 1])
}

/// Measures a group, prints criterion's closing lines for each contender, and returns the speeds.
pub fn group(name: &str, bytes: usize, count: usize, mut contenders: Vec<Contender<'_>>) -> Vec<Vec<f64>> {
    let speeds = rounds(bytes, count, &mut contenders);
    for (contender, speeds) in contenders.iter().zip(&speeds) {
        let (least, median, greatest) = spread(speeds);
        let time = |speed: f64| bytes as f64 / speed;
        println!("{name}/{}", contender.name);
        println!("{:24}time:   [{:.1} µs {:.1} µs {:.1} µs]", "", time(greatest), time(median), time(least));
        println!("{:24}thrpt:  [{least:.1} MB/s {median:.1} MB/s {greatest:.1} MB/s]", "");
    }
    speeds
}

/// The ratio of two contenders within the rounds: least, median, greatest.
pub fn ratio(ours: &[f64], theirs: &[f64]) -> (f64, f64, f64) {
    spread(&ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect::<Vec<_>>())
}
