#![expect(clippy::disallowed_methods, reason = "a thread that sleeps is the stall under test")]

use std::time::Duration;

use super::{Heartbeat, State};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn late_beats_are_lost_time() {
    let mut state = State { last: ms(1000), beating: true, ..State::default() };
    assert_eq!(state.lost(ms(1025)), ms(0), "within what schedulers do");
    assert_eq!(state.lost(ms(3010)), ms(2000), "a stall counts while it goes on");
    state.beat(ms(3010));
    assert_eq!(state.lost(ms(3020)), ms(2000));
    state.beating = false;
    assert_eq!(state.lost(ms(9000)), ms(2000), "nothing is measured without a task");
}

#[tokio::test]
async fn blocked_runtime_is_a_stall() {
    let heartbeat = Heartbeat::new();
    let watching = heartbeat.watch();
    // On the only thread of this runtime.
    std::thread::sleep(ms(300));
    assert!(watching.lost() >= ms(250), "{watching:?}");
}

#[test]
fn heartbeat_outlives_a_runtime() {
    let heartbeat = Heartbeat::new();
    for _ in 0..2 {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let watching = heartbeat.watch();
            tokio::time::sleep(ms(20)).await;
            std::thread::sleep(ms(100));
            assert!(watching.lost() >= ms(50), "{watching:?}");
        });
    }
}
