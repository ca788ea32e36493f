use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use futures_util::FutureExt;
use proptest::prelude::*;
use tokio::{
    sync::Semaphore,
    time::{sleep, timeout},
};

use super::*;

/// What happens to a key.
#[derive(Debug, Clone, Copy)]
enum Step {
    Ask(u8),
    End(u8),
}

/// Who has asked, and what became of it.
#[derive(Debug, Default)]
struct Model {
    clock: u64,
    /// When the turn began that is under way, by key.
    began: HashMap<u8, u64>,
    /// When each asked, and how many turns of its key have ended since: none of them was in vain.
    asked: Vec<(u8, u64, u64)>,
    served: Vec<bool>,
}

impl Model {
    fn take(&mut self, queues: &mut Queues<u8, usize>, step: Step) {
        self.clock += 1;
        match step {
            Step::Ask(key) => {
                let is_idle = !self.began.contains_key(&key);
                assert_eq!(queues.ask(&key, self.asked.len()), is_idle, "one turn at a time");
                self.asked.push((key, self.clock, 0));
                self.served.push(false);
                if is_idle {
                    self.clock += 1;
                    self.began.insert(key, self.clock);
                }
            }
            Step::End(key) => {
                let Some(began) = self.began.remove(&key) else { return };
                let (served, goes_on) = queues.end(&key);
                assert!(!served.is_empty(), "nobody asked for a turn");
                for (asked, served) in self.asked.iter_mut().zip(&self.served) {
                    asked.2 += u64::from(asked.0 == key && !served);
                }
                for asker in served {
                    let (asked_for, asked, ended) = self.asked[asker];
                    assert!(asked_for == key && asked < began, "it began before {asker} asked");
                    assert!(ended <= 2, "{asker} waited for more than what was under way and its own");
                    assert!(!mem::replace(&mut self.served[asker], true), "{asker} is served twice");
                }
                assert_eq!(goes_on, (0..self.served.len()).any(|of| self.waits(of, key)));
                if goes_on {
                    self.began.insert(key, self.clock);
                }
            }
        }
    }

    fn waits(&self, asker: usize, key: u8) -> bool {
        self.asked[asker].0 == key && !self.served[asker]
    }
}

proptest! {
    #[test]
    fn who_asks_is_served_once_by_a_turn_that_began_later(
        steps in prop::collection::vec(
            prop_oneof![(0..3_u8).prop_map(Step::Ask), (0..3_u8).prop_map(Step::End)],
            0..200,
        ),
    ) {
        let (mut queues, mut model) = (Queues(crate::hashing::HashMap::default()), Model::default());
        for step in steps {
            model.take(&mut queues, step);
        }
        while let Some(key) = model.began.keys().next().copied() {
            model.take(&mut queues, Step::End(key));
        }
        prop_assert!(model.served.iter().all(|served| *served));
        prop_assert!(queues.0.is_empty(), "nothing is kept of what is over");
    }
}

/// Of what is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Does something on a thread with a runtime of its own, as a worker does, and ends both.
fn on_a_worker<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> thread::JoinHandle<T> {
    thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let done = runtime.block_on(work);
        runtime.shutdown_background();
        done
    })
}

fn is_idle<T>(turns: &Turns<&'static str, T>) -> bool {
    turns.queues.lock().0.is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_share_turns_that_begin_behind_their_asking() {
    static CLOCK: AtomicU64 = AtomicU64::new(1);
    static TURNS: AtomicU64 = AtomicU64::new(0);
    let tick = || CLOCK.fetch_add(1, Ordering::SeqCst);
    let turns = Turns::<&str, u64>::new(Handle::current());
    let work = move || async move {
        let began = tick();
        TURNS.fetch_add(1, Ordering::SeqCst);
        match fastrand::u8(..3) {
            0 => {}
            1 => yield_now().await,
            _ => sleep(Duration::from_micros(fastrand::u64(..1000))).await,
        }
        began
    };
    let asking = |turns: Arc<Turns<&'static str, u64>>| async move {
        let mut told = 0_u64;
        for _ in 0..50 {
            let askers = (0..20).map(|_| {
                let asked = tick();
                let answer = turns.ask(&["a", "b"][fastrand::usize(..2)], work);
                async move { (asked, timeout(PATIENCE, answer).await.expect("an answer")) }
            });
            let mut askers: Vec<_> = askers.collect();
            // Some go away.
            askers.retain(|_| fastrand::u8(..4) > 0);
            for asker in askers {
                let (asked, began) = asker.await;
                assert!(asked < began.expect("nothing is given up"));
                told += 1;
            }
        }
        told
    };
    let workers: Vec<_> = (0..4).map(|_| on_a_worker(asking(Arc::clone(&turns)))).collect();
    let join = move || workers.into_iter().map(|worker| worker.join().unwrap()).sum::<u64>();
    let told = tokio::task::spawn_blocking(join).await.unwrap();
    let begun = TURNS.load(Ordering::SeqCst);
    assert!(begun < told, "{begun} turns for {told} answers");
    timeout(PATIENCE, async {
        while !is_idle(&turns) {
            sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("what is over is forgotten");
}

#[tokio::test]
async fn who_goes_away_takes_nothing_from_the_others() {
    static TURNS: AtomicU64 = AtomicU64::new(0);
    let (turns, gate) = (Turns::<&str, Arc<u64>>::new(Handle::current()), Arc::new(Semaphore::new(0)));
    let work = {
        let gate = Arc::clone(&gate);
        move || {
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.expect("it stays open").forget();
                Arc::new(TURNS.fetch_add(1, Ordering::SeqCst) + 1)
            }
        }
    };
    let (asked, first) = (Arc::clone(&turns), work.clone());
    let gone = on_a_worker(async move { asked.ask(&"map", first).now_or_never().is_some() });
    assert!(!gone.join().unwrap(), "it waits, and the thread that asked has ended");
    let answers: Vec<_> = (0..3).map(|_| turns.ask(&"map", work.clone())).collect();
    gate.add_permits(2);
    for answer in answers {
        assert_eq!(*timeout(PATIENCE, answer).await.expect("an answer").expect("the second turn"), 2);
    }
    assert!(is_idle(&turns));
    assert_eq!(TURNS.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn what_waits_for_nothing_is_done_at_once_and_kept_by_nobody() {
    let turns = Turns::<&str, Arc<()>>::new(Handle::current());
    for _ in 0..3 {
        let done = turns.ask(&"map", || async { Arc::new(()) }).now_or_never();
        assert_eq!(Arc::strong_count(&done.expect("now").expect("it is done")), 1);
        assert!(is_idle(&turns));
    }
}

#[tokio::test]
async fn what_is_given_up_is_told_to_all_and_can_be_asked_for_again() {
    let turns = Turns::<&str, u8>::new(Handle::current());
    let panics = || async {
        yield_now().await;
        panic!("as a store of a program's own may")
    };
    let answers: Vec<_> = (0..3).map(|_| turns.ask(&"map", panics)).collect();
    for answer in answers {
        assert!(timeout(PATIENCE, answer).await.expect("an answer").is_err());
    }
    assert!(is_idle(&turns));
    assert_eq!(turns.ask(&"map", || async { 7 }).await.expect("it is done"), 7);
}

#[test]
fn who_waits_for_a_runtime_that_ends_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let turns = Turns::<&str, u8>::new(runtime.handle().clone());
    let never = || std::future::pending::<u8>();
    let answers = [turns.ask(&"map", never), turns.ask(&"map", never)];
    drop(runtime);
    let told = futures_util::future::join_all(answers).now_or_never().expect("they are told");
    assert!(told.iter().all(Result::is_err));
    assert!(is_idle(&turns));
    assert!(turns.ask(&"map", never).now_or_never().expect("it is told").is_err());
}
