//! Writing feedback: the shortest chunks that a look at the next symbols finds.

use super::{
    DELTA_UNIT_MICROS, MAX_RUN, ONE_BIT_SYMBOLS, REFERENCE_UNITS, Symbol, TWO_BIT_SYMBOLS,
    delta_bytes,
};
use crate::time::Time;
use crate::wire::WireError;
use crate::wire::rtcp::{FORMAT_TWCC, HEAD_BYTES, TRANSPORT_FEEDBACK};
use crate::wire::rtcp_writer::{put_u32, write_head};

/// Bytes before the chunks: header, two SSRCs, base, count, reference time and feedback count.
const FIXED_BYTES: usize = HEAD_BYTES + 8 + 8;

/// What [`write_feedback`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Length of the RTCP packet.
    pub bytes: usize,
    /// How many of the arrivals it covers; call again with the rest, if any.
    pub covered: usize,
}

/// What a feedback is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedbackHead {
    /// Who reports.
    pub sender_ssrc: u32,
    /// A stream of the reported transport.
    pub media_ssrc: u32,
    /// Transport-wide sequence number of the first arrival.
    pub base_sequence: u16,
    /// Counts feedback packets, modulo 256.
    pub feedback_count: u8,
}

/// Writes a feedback packet for consecutive transport-wide sequence numbers from
/// `head.base_sequence` on: their arrivals, `None` for what has not come.
///
/// It ends early, covering fewer arrivals, when the buffer is full or when two neighbours are
/// more than 8.19 s apart (a delta has 16 bits).
///
/// # Errors
/// `NoRoom` when not one status fits; `Malformed` when nothing in `arrivals` has a time.
pub fn write_feedback(
    buffer: &mut [u8],
    head: &FeedbackHead,
    arrivals: &[Option<Time>],
) -> Result<Written, WireError> {
    let arrivals = &arrivals[..arrivals.len().min(usize::from(u16::MAX))];
    let first = arrivals
        .iter()
        .flatten()
        .next()
        .ok_or(WireError::Malformed)?;
    let reference_units = units_of(*first) / REFERENCE_UNITS;
    let plan = Plan::fit(buffer.len(), reference_units * REFERENCE_UNITS, arrivals);
    if plan.covered == 0 {
        return Err(WireError::NoRoom);
    }
    let bytes = plan.packet_bytes();
    let packet = &mut buffer[..bytes];
    packet.fill(0);
    write_head(packet, TRANSPORT_FEEDBACK, FORMAT_TWCC);
    put_u32(packet, 4, head.sender_ssrc);
    put_u32(packet, 8, head.media_ssrc);
    packet[12..14].copy_from_slice(&head.base_sequence.to_be_bytes());
    packet[14..16].copy_from_slice(&(plan.covered as u16).to_be_bytes());
    let reference_and_count =
        (reference_units as u32 & 0xff_ffff) << 8 | u32::from(head.feedback_count);
    put_u32(packet, 16, reference_and_count);
    plan.write(&mut packet[FIXED_BYTES..], arrivals);
    Ok(Written {
        bytes,
        covered: plan.covered,
    })
}

const fn units_of(arrival: Time) -> i64 {
    (arrival.as_micros() / DELTA_UNIT_MICROS) as i64
}

/// How many arrivals fit, and how long their chunks and deltas are.
struct Plan {
    covered: usize,
    chunk_bytes: usize,
    delta_bytes: usize,
    reference_units: i64,
}

impl Plan {
    fn fit(room: usize, reference_units: i64, arrivals: &[Option<Time>]) -> Self {
        let mut plan = Self {
            covered: 0,
            chunk_bytes: 0,
            delta_bytes: 0,
            reference_units,
        };
        let mut clock_units = reference_units;
        while plan.covered < arrivals.len() {
            let rest = &arrivals[plan.covered..];
            let chunk = Chunk::next(rest, clock_units);
            if chunk.length == 0 {
                break;
            }
            let grown = Self {
                covered: plan.covered + chunk.length,
                chunk_bytes: plan.chunk_bytes + 2,
                delta_bytes: plan.delta_bytes + chunk.delta_bytes,
                reference_units,
            };
            if grown.packet_bytes() > room {
                break;
            }
            clock_units = chunk.clock_units;
            plan = grown;
        }
        plan
    }

    fn packet_bytes(&self) -> usize {
        (FIXED_BYTES + self.chunk_bytes + self.delta_bytes).next_multiple_of(4)
    }

    /// `body` begins with the chunks; deltas follow; zeros pad it.
    fn write(&self, body: &mut [u8], arrivals: &[Option<Time>]) {
        let (chunks, deltas) = body.split_at_mut(self.chunk_bytes);
        let mut clock_units = self.reference_units;
        let mut covered = 0;
        for word in chunks.chunks_exact_mut(2) {
            let chunk = Chunk::next(&arrivals[covered..], clock_units);
            word.copy_from_slice(&chunk.word.to_be_bytes());
            covered += chunk.length;
            clock_units = chunk.clock_units;
        }
        write_deltas(deltas, self.reference_units, &arrivals[..self.covered]);
    }
}

fn write_deltas(deltas: &mut [u8], reference_units: i64, arrivals: &[Option<Time>]) {
    let mut clock_units = reference_units;
    let mut at = 0;
    for arrival in arrivals.iter().flatten() {
        let delta = units_of(*arrival) - clock_units;
        clock_units += delta;
        match u8::try_from(delta) {
            Ok(small) => {
                deltas[at] = small;
                at += 1;
            }
            Err(_) => {
                deltas[at..at + 2].copy_from_slice(&(delta as i16).to_be_bytes());
                at += 2;
            }
        }
    }
}

/// The best chunk for the head of a list of arrivals.
struct Chunk {
    word: u16,
    length: usize,
    delta_bytes: usize,
    /// The delta clock behind the chunk.
    clock_units: i64,
}

impl Chunk {
    /// A run when the first symbols repeat for longer than a vector would reach, else a vector
    /// of one-bit symbols, else of two-bit symbols. Length 0: the first delta does not fit.
    fn next(arrivals: &[Option<Time>], clock_units: i64) -> Self {
        let first = match symbol_of(arrivals[0], clock_units) {
            Some(symbol) => symbol,
            None => return Self::none(clock_units),
        };
        let run = Self::run(arrivals, clock_units, first);
        if run.length >= ONE_BIT_SYMBOLS || run.length == arrivals.len() {
            return run;
        }
        let narrow = Self::vector(arrivals, clock_units, ONE_BIT_SYMBOLS, 1);
        if narrow.length == ONE_BIT_SYMBOLS.min(arrivals.len()) {
            return narrow;
        }
        let wide = Self::vector(arrivals, clock_units, TWO_BIT_SYMBOLS, 2);
        [run, narrow]
            .into_iter()
            .fold(wide, |best, other| match other.length > best.length {
                true => other,
                false => best,
            })
    }

    const fn none(clock_units: i64) -> Self {
        Self {
            word: 0,
            length: 0,
            delta_bytes: 0,
            clock_units,
        }
    }

    fn run(arrivals: &[Option<Time>], clock_units: i64, symbol: Symbol) -> Self {
        let mut chunk = Self::none(clock_units);
        for arrival in arrivals.iter().take(MAX_RUN) {
            if symbol_of(*arrival, chunk.clock_units) != Some(symbol) {
                break;
            }
            chunk.take(*arrival, symbol);
        }
        chunk.word = (symbol as u16) << 13 | chunk.length as u16;
        chunk
    }

    /// Unfilled symbols stay "lost"; the status count tells that they are none.
    fn vector(arrivals: &[Option<Time>], clock_units: i64, capacity: usize, bits: usize) -> Self {
        let mut chunk = Self::none(clock_units);
        let mut symbols = 0u16;
        for arrival in arrivals.iter().take(capacity) {
            let Some(symbol) = symbol_of(*arrival, chunk.clock_units) else {
                break;
            };
            if bits == 1 && symbol == Symbol::LargeDelta {
                break;
            }
            symbols |= (symbol as u16) << (bits * (capacity - 1 - chunk.length));
            chunk.take(*arrival, symbol);
        }
        // A vector that is cut short cannot be followed by another chunk, so it ends as a run
        // or as the other kind of vector unless it reaches the end of the arrivals.
        if chunk.length < capacity && chunk.length < arrivals.len() {
            return Self::none(clock_units);
        }
        chunk.word = match bits {
            1 => 0x8000 | symbols,
            _ => 0xc000 | symbols,
        };
        chunk
    }

    fn take(&mut self, arrival: Option<Time>, symbol: Symbol) {
        self.length += 1;
        self.delta_bytes += delta_bytes(symbol);
        if let Some(arrival) = arrival {
            self.clock_units = units_of(arrival);
        }
    }
}

/// The symbol of an arrival after `clock_units`; nothing when the delta has more than 16 bits.
fn symbol_of(arrival: Option<Time>, clock_units: i64) -> Option<Symbol> {
    let Some(arrival) = arrival else {
        return Some(Symbol::Lost);
    };
    let delta = units_of(arrival) - clock_units;
    if u8::try_from(delta).is_ok() {
        Some(Symbol::SmallDelta)
    } else {
        i16::try_from(delta).is_ok().then_some(Symbol::LargeDelta)
    }
}
