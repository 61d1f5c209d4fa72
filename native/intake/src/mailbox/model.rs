//! Every order in which threads may use a mailbox, tried out: no message is slept over, and nobody is woken for nothing. A
//! thread that sleeps for ever is a deadlock, which `loom` finds.

use std::ops::Range;

use loom::sync::{Arc, Condvar, Mutex};
use loom::thread::{self, JoinHandle};

use super::*;
use crate::model::{Entry, check, explore};

/// An event that is kept until somebody waits for it, as those of an eventfd are.
struct Poller {
    happened: Mutex<Happened>,
    changed: Condvar,
}

#[derive(Default)]
struct Happened {
    is_pending: bool,
    wakes: usize,
    has_socket_event: bool,
}

impl Poller {
    fn happen(&self, what: impl FnOnce(&mut Happened)) {
        let mut happened = self.happened.lock().expect("nobody panics with it");
        what(&mut happened);
        happened.is_pending = true;
        self.changed.notify_one();
    }

    /// Sleeps until something has happened. True: a socket is ready.
    fn poll(&self) -> bool {
        let mut happened = self.happened.lock().expect("nobody panics with it");
        while !happened.is_pending {
            happened = self.changed.wait(happened).expect("nobody panics with it");
        }
        happened.is_pending = false;
        std::mem::take(&mut happened.has_socket_event)
    }

    fn wakes(&self) -> usize {
        self.happened.lock().expect("nobody panics with it").wakes
    }
}

impl Wake for Poller {
    fn wake(&self) {
        self.happen(|it| it.wakes += 1);
    }
}

struct Model(Mailbox<Entry, Poller>);

/// What the thread that takes the messages has seen.
#[derive(Default)]
struct Seen {
    messages: Vec<Entry>,
    rounds: usize,
    has_socket_event: bool,
}

impl Model {
    fn new() -> Arc<Self> {
        let happened = Mutex::new(Happened::default());
        Arc::new(Self(Mailbox::new(Poller { happened, changed: Condvar::new() })))
    }

    /// As a reactor does: sleeps if it may, and takes up to `most` messages, until it has seen all that comes.
    fn take(&self, messages: usize, most: usize, has_socket: bool) -> Seen {
        let mut seen = Seen::default();
        while seen.messages.len() < messages || seen.has_socket_event != has_socket {
            seen.rounds += 1;
            if self.0.prepare_to_sleep() {
                seen.has_socket_event |= self.0.waker.poll();
                self.0.awake();
            }
            seen.messages.extend((0..most).map_while(|_| self.0.pop()));
        }
        seen
    }
}

fn start_pusher(model: &Arc<Model>, pusher: usize, numbers: Range<usize>) -> JoinHandle<()> {
    let model = Arc::clone(model);
    thread::spawn(move || numbers.for_each(|number| model.0.push((pusher, number))))
}

fn join(others: Vec<JoinHandle<()>>) {
    others.into_iter().for_each(|other| other.join().expect("it does not panic"));
}

fn a_reactor_takes(preemptions: usize, pushers: usize, each: usize, most: usize) {
    explore(preemptions, move || {
        let model = Model::new();
        let others = (0..pushers).map(|pusher| start_pusher(&model, pusher, 0..each)).collect();
        let seen = model.take(pushers * each, most, false);
        join(others);
        check(&seen.messages, pushers, each);
        assert!(model.0.waker.wakes() <= seen.rounds, "once a sleep");
    });
}

#[test]
fn a_message_that_comes_while_it_goes_to_sleep_is_seen() {
    a_reactor_takes(3, 1, 3, usize::MAX);
}

#[test]
fn two_push_and_nothing_is_lost() {
    a_reactor_takes(2, 2, 2, usize::MAX);
}

#[test]
fn three_push_and_nothing_is_lost() {
    a_reactor_takes(2, 3, 1, usize::MAX);
}

/// It takes no more than so many a turn.
#[test]
fn it_does_not_sleep_over_what_it_has_not_taken_yet() {
    a_reactor_takes(3, 2, 1, 1);
}

#[test]
fn a_sleep_that_a_socket_ends_loses_nothing() {
    explore(3, || {
        let model = Model::new();
        let pusher = start_pusher(&model, 0, 0..1);
        let client = Arc::clone(&model);
        let socket = thread::spawn(move || client.0.waker.happen(|it| it.has_socket_event = true));
        let seen = model.take(1, usize::MAX, true);
        join(vec![pusher, socket]);
        check(&seen.messages, 1, 1);
        assert!(model.0.waker.wakes() <= 1);
    });
}

#[test]
fn one_sleep_is_ended_by_one_wake() {
    explore(3, || {
        let model = Model::new();
        assert!(model.0.prepare_to_sleep());
        let others = (0..2).map(|pusher| start_pusher(&model, pusher, 0..1)).collect();
        model.0.waker.poll();
        join(others);
        assert_eq!(model.0.waker.wakes(), 1);
    });
}

#[test]
fn who_does_not_sleep_is_not_woken() {
    explore(3, || {
        let model = Model::new();
        assert!(model.0.prepare_to_sleep());
        model.0.awake();
        model.0.push((0, 0));
        assert!(!model.0.prepare_to_sleep());
        let others = vec![start_pusher(&model, 0, 1..2), start_pusher(&model, 1, 0..1)];
        let mut messages: Vec<_> = std::iter::from_fn(|| model.0.pop()).collect();
        join(others);
        messages.extend(std::iter::from_fn(|| model.0.pop()));
        messages.retain(|it| *it != (1, 0));
        check(&messages, 1, 2);
        assert_eq!(model.0.waker.wakes(), 0);
    });
}
