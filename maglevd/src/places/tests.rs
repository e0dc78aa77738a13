//! Who gets in, and who leaves for it.

use super::*;

const LIMITS: Limits = Limits { room: 4, source: 3, calls: 5, calls_of_source: 3 };

fn from(address: &str) -> Origin {
    Origin::tcp(format!("{address}:7").parse().unwrap())
}

/// Takes places one after the other, a second apart.
struct Scene {
    places: Arc<Places>,
    now: Instant,
}

impl Scene {
    fn new() -> Self {
        Scene { places: Places::new(LIMITS), now: Instant::now() }
    }

    fn take(&mut self, origin: &Origin) -> Result<Place, NoPlace> {
        self.now += Duration::from_secs(1);
        self.places.take(origin, self.now).map(|(place, _)| place)
    }

    fn held<const N: usize>(&mut self, addresses: [&str; N]) -> [Place; N] {
        addresses.map(|address| self.take(&from(address)).unwrap())
    }
}

fn left<const N: usize>(places: &[Place; N]) -> [bool; N] {
    places.each_ref().map(|place| place.leave().is_cancelled())
}

#[test]
fn a_place_is_free_again_when_its_connection_ends() {
    let mut scene = Scene::new();
    let held = scene.held(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]);
    assert_eq!(scene.places.taken(), 4);
    drop(held);
    assert_eq!(scene.places.taken(), 0);
}

#[test]
fn in_a_full_room_the_longest_idle_of_the_source_with_the_most_leaves() {
    let mut scene = Scene::new();
    let held = scene.held(["192.0.2.1", "192.0.2.2", "192.0.2.2", "192.0.2.3"]);
    let newcomer = scene.take(&from("192.0.2.9")).unwrap();
    assert_eq!(left(&held), [false, true, false, false]);
    assert_eq!(scene.places.taken(), 4);
    let _another = scene.take(&from("192.0.2.8")).unwrap();
    assert_eq!(left(&held), [true, true, false, false], "each has one now, and this is the oldest");
    assert!(!newcomer.leave().is_cancelled());
}

#[test]
fn a_source_makes_room_for_itself() {
    let mut scene = Scene::new();
    // Three addresses of one network of 64 bits.
    let held = scene.held(["[2001:db8::1]", "[2001:db8::2]", "[2001:db8::3]"]);
    let _newcomer = scene.take(&from("[2001:db8::4]")).unwrap();
    assert_eq!(left(&held), [true, false, false]);
}

#[test]
fn calls_are_limited_by_source_and_in_all() {
    let mut scene = Scene::new();
    let [one, same, other] = scene.held(["192.0.2.1", "192.0.2.1", "192.0.2.2"]);
    let call = |place: &Place| place.desk().call(true, Instant::now());
    let mut held: Vec<_> = [&one, &one, &same].map(|place| call(place).unwrap()).into();
    assert_eq!(call(&same).unwrap_err(), TooManyCalls, "of one address");
    held.extend([call(&other).unwrap(), call(&other).unwrap()]);
    assert_eq!(call(&other).unwrap_err(), TooManyCalls, "of all together");
    let local = scene.take(&from("127.0.0.1")).unwrap();
    held.push(call(&local).unwrap());
    same.desk().proved();
    held.push(call(&same).unwrap());
    held.clear();
    assert!(call(&other).is_ok());
}

#[test]
fn credentials_and_this_host_have_limits_too() {
    let mut scene = Scene::new();
    let call = |place: &Place| place.desk().call(true, Instant::now());
    let proved = scene.take(&from("192.0.2.1")).unwrap();
    proved.desk().proved();
    for place in
        [proved, scene.take(&from("127.0.0.1")).unwrap(), scene.take(&Origin::Unix(Some(7))).unwrap()]
    {
        let _held = [0; 3].map(|_| call(&place).unwrap());
        assert_eq!(call(&place).unwrap_err(), TooManyCalls);
    }
}

#[test]
fn connection_makes_one_call_where_others_have_used_up_the_limit() {
    let mut scene = Scene::new();
    let call = |place: &Place| place.desk().call(true, Instant::now());
    let [flood, operator] = [0; 2].map(|_| scene.take(&Origin::Unix(Some(0))).unwrap());
    let _held = [0; 3].map(|_| call(&flood).unwrap());
    let one = call(&operator).unwrap();
    assert_eq!(call(&operator).unwrap_err(), TooManyCalls);
    drop(one);
    assert!(call(&operator).is_ok());
}

#[test]
fn nobody_at_work_leaves_for_one_who_has_as_much() {
    let mut scene = Scene::new();
    let held = scene.held(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]);
    let _calls = held.each_ref().map(|place| place.desk().call(true, scene.now).unwrap());
    assert_eq!(scene.take(&from("192.0.2.9")).unwrap_err(), NoPlace::Room);
    assert_eq!(left(&held), [false; 4]);
}

#[test]
fn one_who_takes_more_than_others_leaves_even_at_work_unless_known() {
    let mut scene = Scene::new();
    let held = scene.held(["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"]);
    let mut now = scene.now;
    let _calls = held.each_ref().map(|place| {
        now += Duration::from_secs(1);
        place.desk().call(true, now).unwrap()
    });
    held[0].desk().proved();
    let newcomer = scene.take(&from("192.0.2.9")).unwrap();
    assert_eq!(left(&held), [false, true, false, false]);
    let _works = newcomer.desk().call(true, now).unwrap();
    held[2].desk().proved();
    assert_eq!(scene.take(&from("192.0.2.8")).unwrap_err(), NoPlace::Room, "each is known or has one only");
}

#[test]
fn the_network_takes_no_place_of_this_host() {
    let mut scene = Scene::new();
    let held = scene.held(["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"]);
    let _calls = held.each_ref().map(|place| place.desk().call(true, scene.now).unwrap());
    let local = scene.take(&from("127.0.0.1")).unwrap();
    assert_eq!(left(&held), [false; 4]);
    assert!(!local.leave().is_cancelled());
}

#[test]
fn a_source_whose_connections_are_all_at_work_gets_no_more() {
    let mut scene = Scene::new();
    let held = scene.held(["192.0.2.1", "192.0.2.1", "192.0.2.1"]);
    let _calls = held.each_ref().map(|place| place.desk().call(true, scene.now).unwrap());
    assert_eq!(scene.take(&from("192.0.2.1")).unwrap_err(), NoPlace::Source);
    assert!(scene.take(&from("192.0.2.2")).is_ok());
}

#[test]
fn a_connection_that_does_nothing_or_never_ends_a_call_is_overdue() {
    let mut scene = Scene::new();
    let [silent, stalled, watching] = scene.held(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    let start = scene.now;
    let bounded = stalled.desk().call(false, start).unwrap();
    let _endless = watching.desk().call(true, start).unwrap();
    let overdue = |after| [&silent, &stalled, &watching].map(|place| place.is_overdue(start + after));
    assert_eq!(overdue(FIRST_CALL - Duration::from_secs(3)), [false; 3]);
    assert_eq!(overdue(FIRST_CALL), [true, false, false]);
    assert_eq!(overdue(CALL), [true, true, false]);
    drop(bounded);
    assert_eq!(overdue(CALL * 1000), [true, false, false]);
}
