//! Which `transactional.id` is ours.
//!
//! What keeps a zombie out is not this id but the group: every transaction carries offsets, and the broker refuses those
//! of a member that the group has replaced. The id decides something else: how soon what a dead instance left open ends.
//! Whoever starts under the same id ends it at once; otherwise the broker does after `transaction.timeout.ms`, and until
//! then nobody can read the committed offsets of its partitions. So the id should be
//!
//! - **the same after a restart**: hence not random, if there is anything better;
//! - **never the same for two that live**: they would fence each other in turn. Hence not the group alone, and not the
//!   host alone, since several processes run on one.
//!
//! `<group>.<slot>`, so that one prefixed ACL covers group and transactions. The slot is, in this order:
//!
//! 1. what `Config::slot` says: the app knows best;
//! 2. `group.instance.id`, which has to be stable and unique for the same reasons;
//! 3. the host's name and the lowest number whose file in the temporary directory nobody has locked. The system lets go
//!    of the lock when the process ends, however it ends, so that the restart finds the same number free;
//! 4. chance, where there is no host name or no file can be locked. A takeover then waits for the time-out.
//!
//! The third can be wrong: containers that were given one host name and do not share a temporary directory. Then they
//! fence each other, which loses nothing (see [`super::decide`]), and whoever is fenced again and again goes on under a
//! slot by chance. A slot that was chosen is not changed behind the back of who chose it: there it is an error.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::path::Path;

use uuid::Uuid;

use crate::broker::Config;

/// More processes of one app than anybody runs on one host.
const MOST: usize = 256;

/// Our part of the `transactional.id`.
#[derive(Debug)]
pub(super) struct Slot {
    group: String,
    name: String,
    /// Whether somebody chose it, and means it.
    chosen: bool,
    /// Held as long as the number is ours.
    _lock: Option<File>,
}

impl Slot {
    pub(super) fn find(config: &Config, group: &str) -> Slot {
        let chosen = |name: String| Slot { group: group.to_owned(), name, chosen: true, _lock: None };
        if let Some(slot) = &config.settings().slot {
            return chosen(slot.clone());
        }
        if let Some(instance) = config.consumer_property("group.instance.id") {
            return chosen(instance.to_owned());
        }
        let found = host_name().and_then(|host| Slot::on_host(group, &host, &env::temp_dir()));
        found.unwrap_or_else(|| Slot::by_chance(group))
    }

    fn on_host(group: &str, host: &str, directory: &Path) -> Option<Slot> {
        // A group's name has only letters that files may have, but may be too long for one.
        let named = Uuid::from_u64_pair(hash(group, 0), hash(group, 1)).simple();
        (0..MOST).find_map(|number| {
            let path = directory.join(format!("fusion-{named}-{number}.lock"));
            // Another user's file cannot be opened: that number is somebody else's too.
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(path).ok()?;
            file.try_lock().ok()?;
            let name = format!("{host}.{number}");
            Some(Slot { group: group.to_owned(), name, chosen: false, _lock: Some(file) })
        })
    }

    /// One that nobody has had or will have.
    pub(super) fn by_chance(group: &str) -> Slot {
        let name = Uuid::new_v4().simple().to_string();
        Slot { group: group.to_owned(), name, chosen: false, _lock: None }
    }

    pub(super) fn id(&self) -> String {
        format!("{}.{}", self.group, self.name)
    }

    pub(super) fn group(&self) -> &str {
        &self.group
    }

    pub(super) fn is_chosen(&self) -> bool {
        self.chosen
    }
}

fn host_name() -> Option<String> {
    let tidy = |name: String| Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    let read = |path| fs::read_to_string(path).ok().and_then(tidy);
    read("/proc/sys/kernel/hostname")
        .or_else(|| read("/etc/hostname"))
        .or_else(|| env::var("HOSTNAME").ok().and_then(tidy))
        .or_else(|| env::var("COMPUTERNAME").ok().and_then(tidy))
}

/// FNV-1a: the same in every version of the program.
fn hash(text: &str, seed: u64) -> u64 {
    let start = 0xCBF2_9CE4_8422_2325 ^ seed;
    text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_counts_first() {
        let config = Config::new("nowhere:9092");
        let with_instance = config.clone().consumer_set("group.instance.id", "pod-3");
        assert_eq!(Slot::find(&with_instance, "orders").id(), "orders.pod-3");
        let slot = Slot::find(&with_instance.slot("7"), "orders");
        assert_eq!((slot.id().as_str(), slot.is_chosen()), ("orders.7", true));
        assert!(!Slot::find(&config, "orders").is_chosen());
    }

    #[test]
    fn two_that_live_never_share_one_and_a_restart_takes_the_old_one() {
        let directory = env::temp_dir().join(format!("fusion-slots-{}", Uuid::new_v4().simple()));
        fs::create_dir(&directory).unwrap();
        let slot = |group| Slot::on_host(group, "host", &directory).unwrap();
        let (first, second, other) = (slot("orders"), slot("orders"), slot("carts"));
        assert_eq!(first.id(), "orders.host.0");
        assert_eq!(second.id(), "orders.host.1");
        assert_eq!(other.id(), "carts.host.0");
        drop(first);
        assert_eq!(slot("orders").id(), "orders.host.0");
        drop((second, other));
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn without_a_place_for_files_it_is_chance() {
        assert!(Slot::on_host("orders", "host", Path::new("/nowhere/at/all")).is_none());
        assert_ne!(Slot::by_chance("orders").id(), Slot::by_chance("orders").id());
    }
}
