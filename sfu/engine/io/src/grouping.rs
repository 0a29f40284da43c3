//! Arranging an outbox: by destination, in order, in runs that one offloaded call can carry.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::slice;

/// The kernel's UDP_MAX_SEGMENTS since 4.18.
const MAX_SEGMENTS: usize = 64;

/// The longest UDP payload over IPv4 is 65,507 bytes.
const MAX_RUN_BYTES: usize = 65_000;

const NONE: u32 = u32::MAX;

/// Datagrams for one destination, all of `segment_bytes` but the last, which may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Run {
    pub destination: SocketAddr,
    pub segment_bytes: u16,
    first: usize,
    count: usize,
}

impl Run {
    pub fn datagrams(&self) -> usize {
        self.count
    }
}

struct Group {
    destination: SocketAddr,
    first: u32,
    last: u32,
}

struct Entry {
    vector: libc::iovec,
    next: u32,
}

/// Reused between calls so that nothing is allocated in steady state. Its vectors point at the
/// datagrams given to [`Grouping::arrange`], whose caller keeps them borrowed until
/// [`Grouping::clear`].
#[derive(Default)]
pub(crate) struct Grouping {
    entries: Vec<Entry>,
    groups: Vec<Group>,
    group_of: HashMap<SocketAddr, u32>,
    vectors: Vec<libc::iovec>,
    runs: Vec<Run>,
}

impl Grouping {
    /// Arranges the datagrams; `may_run` says whether a destination takes runs of more than one.
    pub fn arrange<'a>(
        &mut self,
        datagrams: impl Iterator<Item = (SocketAddr, &'a [u8])>,
        may_run: impl Fn(SocketAddr) -> bool,
    ) {
        self.clear();
        for (destination, datagram) in datagrams {
            self.append(destination, datagram);
        }
        for index in 0..self.groups.len() {
            self.cut_into_runs(index, &may_run);
        }
    }

    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub fn vectors(&self, run: &Run) -> &[libc::iovec] {
        &self.vectors[run.first..run.first + run.count]
    }

    pub fn datagrams(&self, run: &Run) -> impl Iterator<Item = &[u8]> {
        self.vectors(run).iter().map(|vector| {
            // SAFETY: the vector was made from a slice that the caller of `arrange` keeps
            // borrowed until `clear`.
            unsafe { slice::from_raw_parts(vector.iov_base.cast::<u8>(), vector.iov_len) }
        })
    }

    pub fn clear(&mut self) {
        self.entries.clear();
        self.groups.clear();
        self.group_of.clear();
        self.vectors.clear();
        self.runs.clear();
    }

    fn append(&mut self, destination: SocketAddr, datagram: &[u8]) {
        let entry = self.entries.len() as u32;
        let vector = libc::iovec {
            iov_base: datagram.as_ptr().cast_mut().cast(),
            iov_len: datagram.len(),
        };
        self.entries.push(Entry { vector, next: NONE });
        let next_group = self.groups.len() as u32;
        let group = *self.group_of.entry(destination).or_insert(next_group);
        if group == next_group {
            let (first, last) = (entry, entry);
            self.groups.push(Group {
                destination,
                first,
                last,
            });
            return;
        }
        let group = &mut self.groups[group as usize];
        self.entries[group.last as usize].next = entry;
        group.last = entry;
    }

    fn cut_into_runs(&mut self, group: usize, may_run: &impl Fn(SocketAddr) -> bool) {
        let Group {
            destination,
            first,
            last,
        } = self.groups[group];
        let may_run = first != last && may_run(destination);
        let mut run = self.open_run(destination, first);
        let mut at = self.entries[first as usize].next;
        while at != NONE {
            if may_run && self.fits(&run, at) {
                self.vectors.push(self.entries[at as usize].vector);
                run.count += 1;
            } else {
                self.runs.push(run);
                run = self.open_run(destination, at);
            }
            at = self.entries[at as usize].next;
        }
        self.runs.push(run);
    }

    fn open_run(&mut self, destination: SocketAddr, entry: u32) -> Run {
        let vector = self.entries[entry as usize].vector;
        self.vectors.push(vector);
        Run {
            destination,
            segment_bytes: vector.iov_len.min(usize::from(u16::MAX)) as u16,
            first: self.vectors.len() - 1,
            count: 1,
        }
    }

    /// A shorter datagram ends a run: it fits, and nothing fits after it.
    fn fits(&self, run: &Run, entry: u32) -> bool {
        let segment_bytes = usize::from(run.segment_bytes);
        let last_bytes = self.vectors[self.vectors.len() - 1].iov_len;
        let bytes = self.entries[entry as usize].vector.iov_len;
        run.count < MAX_SEGMENTS
            && (1..=segment_bytes).contains(&bytes)
            && last_bytes == segment_bytes
            && run.count * segment_bytes + bytes <= MAX_RUN_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses() -> [SocketAddr; 2] {
        ["192.0.2.1:1", "192.0.2.2:2"].map(|text| text.parse().unwrap())
    }

    fn shapes(datagrams: &[(SocketAddr, Vec<u8>)], offload: bool) -> Vec<(SocketAddr, Vec<usize>)> {
        let mut grouping = Grouping::default();
        let borrowed = datagrams.iter().map(|(to, bytes)| (*to, bytes.as_slice()));
        grouping.arrange(borrowed, |_| offload);
        grouping
            .runs()
            .iter()
            .map(|run| {
                let sizes = grouping.datagrams(run).map(<[u8]>::len).collect();
                (run.destination, sizes)
            })
            .collect()
    }

    #[test]
    fn runs_are_equal_sizes_with_a_shorter_last() {
        let [a, b] = addresses();
        let datagrams: Vec<_> = [
            (a, 5),
            (b, 9),
            (a, 5),
            (a, 3),
            (b, 10),
            (a, 5),
            (a, 6),
            (a, 0),
        ]
        .map(|(to, bytes)| (to, vec![0; bytes]))
        .into();
        let expected = vec![
            (a, vec![5, 5, 3]),
            (a, vec![5]),
            (a, vec![6]),
            (a, vec![0]),
            (b, vec![9]),
            (b, vec![10]),
        ];
        assert_eq!(shapes(&datagrams, true), expected);
    }

    #[test]
    fn without_the_offload_every_datagram_stands_alone() {
        let [a, b] = addresses();
        let datagrams = vec![(a, vec![0; 5]), (b, vec![0; 5]), (a, vec![0; 5])];
        let expected = vec![(a, vec![5]), (a, vec![5]), (b, vec![5])];
        assert_eq!(shapes(&datagrams, false), expected);
    }

    #[test]
    fn runs_stay_within_the_kernels_limits() {
        let [a, _] = addresses();
        for (size, longest) in [(100, MAX_SEGMENTS), (2000, MAX_RUN_BYTES / 2000)] {
            let datagrams = vec![(a, vec![0; size]); 200];
            let shapes = shapes(&datagrams, true);
            assert!(shapes.iter().all(|(_, sizes)| sizes.len() <= longest));
            assert_eq!(shapes[0].1.len(), longest);
            assert_eq!(
                shapes.iter().map(|(_, sizes)| sizes.len()).sum::<usize>(),
                200
            );
        }
    }

    #[test]
    fn nothing_makes_no_runs() {
        assert_eq!(shapes(&[], true), vec![]);
    }
}
