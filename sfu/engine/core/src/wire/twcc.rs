//! Transport-wide congestion control feedback
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 3.1).

use super::rtcp::{self, FORMAT_TWCC, HEAD_BYTES, TRANSPORT_FEEDBACK};
use super::rtcp_writer::{put_u32, write_head};
use super::{WireError, read_u16, read_u24};
use crate::time::Time;

/// Microseconds of one receive-delta unit.
pub const DELTA_UNIT_MICROS: u64 = 250;
/// Delta units of one unit of the reference time (64 ms).
const REFERENCE_UNITS: i64 = 256;
/// Bytes before the chunks: header, two SSRCs, base, count, reference time and feedback count.
const FIXED_BYTES: usize = HEAD_BYTES + 8 + 8;
const MAX_RUN: usize = 0x1fff;
const ONE_BIT_SYMBOLS: usize = 14;
const TWO_BIT_SYMBOLS: usize = 7;

/// What a packet's status symbol says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Symbol {
    Lost = 0,
    SmallDelta = 1,
    LargeDelta = 2,
    /// Reserved by the draft; read as received without a time.
    Reserved = 3,
}

impl Symbol {
    const fn from_bits(bits: u16) -> Self {
        match bits & 3 {
            0 => Self::Lost,
            1 => Self::SmallDelta,
            2 => Self::LargeDelta,
            _ => Self::Reserved,
        }
    }
}

/// A parsed feedback packet.
#[derive(Clone, Copy, Debug)]
pub struct TransportFeedback<'a> {
    /// Who reports.
    pub sender_ssrc: u32,
    /// A stream of the reported transport; receivers ignore it.
    pub media_ssrc: u32,
    /// Transport-wide sequence number of the first status.
    pub base_sequence: u16,
    /// How many packets have a status.
    pub status_count: u16,
    /// Arrival base in units of 64 ms on the receiver's clock, 24 bits signed.
    pub reference_time: i32,
    /// Counts feedback packets, modulo 256.
    pub feedback_count: u8,
    chunks: &'a [u8],
}

/// Arrival of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Transport-wide sequence number.
    pub sequence: u16,
    /// Arrival on the receiver's clock in units of 250 µs; `None` when lost. The clock wraps
    /// with the reference time: compare arrivals of neighbouring feedbacks only.
    pub arrival_units: Option<i64>,
}

impl<'a> TransportFeedback<'a> {
    /// Parses a feedback's body, from the sender's SSRC on. Chunks and deltas are checked as
    /// they are walked by [`TransportFeedback::statuses`].
    ///
    /// # Errors
    /// `Truncated` when the fixed fields are cut off.
    pub fn parse(body: &'a [u8]) -> Result<Self, WireError> {
        let (sender_ssrc, media_ssrc) = rtcp::feedback_ssrcs(body)?;
        let field = |offset| read_u16(body, offset).ok_or(WireError::Truncated);
        let reference = read_u24(body, 12).ok_or(WireError::Truncated)?;
        Ok(Self {
            sender_ssrc,
            media_ssrc,
            base_sequence: field(8)?,
            status_count: field(10)?,
            reference_time: (reference << 8) as i32 >> 8,
            feedback_count: *body.get(15).ok_or(WireError::Truncated)?,
            chunks: &body[16..],
        })
    }

    /// The statuses in order of sequence number.
    ///
    /// # Errors
    /// `Truncated` when chunks do not cover the count, or deltas are missing.
    pub fn statuses(&self) -> Result<Statuses<'a>, WireError> {
        let mut symbols = Symbols::new(self.chunks, self.status_count);
        symbols.by_ref().for_each(drop);
        if symbols.left > 0 {
            return Err(WireError::Truncated);
        }
        let deltas = symbols.rest;
        let needed: usize = Symbols::new(self.chunks, self.status_count)
            .map(delta_bytes)
            .sum();
        if deltas.len() < needed {
            return Err(WireError::Truncated);
        }
        Ok(Statuses {
            symbols: Symbols::new(self.chunks, self.status_count),
            deltas,
            sequence: self.base_sequence,
            clock_units: i64::from(self.reference_time) * REFERENCE_UNITS,
        })
    }
}

const fn delta_bytes(symbol: Symbol) -> usize {
    match symbol {
        Symbol::SmallDelta => 1,
        Symbol::LargeDelta => 2,
        Symbol::Lost | Symbol::Reserved => 0,
    }
}

/// Iterator over the statuses of a feedback.
#[derive(Clone, Debug)]
pub struct Statuses<'a> {
    symbols: Symbols<'a>,
    deltas: &'a [u8],
    sequence: u16,
    clock_units: i64,
}

impl Statuses<'_> {
    fn arrival(&mut self, symbol: Symbol) -> Option<i64> {
        let delta = match symbol {
            Symbol::SmallDelta => i64::from(*self.deltas.first()?),
            Symbol::LargeDelta => i64::from(read_u16(self.deltas, 0)? as i16),
            Symbol::Lost => return None,
            Symbol::Reserved => return Some(self.clock_units),
        };
        self.deltas = &self.deltas[delta_bytes(symbol)..];
        self.clock_units += delta;
        Some(self.clock_units)
    }
}

impl Iterator for Statuses<'_> {
    type Item = Status;

    fn next(&mut self) -> Option<Status> {
        let symbol = self.symbols.next()?;
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        Some(Status {
            sequence,
            arrival_units: self.arrival(symbol),
        })
    }
}

/// Walks the symbols of the chunks; `rest` is what follows them once all were taken.
#[derive(Clone, Debug)]
struct Symbols<'a> {
    rest: &'a [u8],
    left: u16,
    chunk: u16,
    chunk_left: u16,
}

impl<'a> Symbols<'a> {
    const fn new(chunks: &'a [u8], count: u16) -> Self {
        Self {
            rest: chunks,
            left: count,
            chunk: 0,
            chunk_left: 0,
        }
    }
}

impl Iterator for Symbols<'_> {
    type Item = Symbol;

    fn next(&mut self) -> Option<Symbol> {
        if self.left == 0 {
            return None;
        }
        while self.chunk_left == 0 {
            self.chunk = read_u16(self.rest, 0)?;
            self.rest = &self.rest[2..];
            self.chunk_left = match self.chunk >> 14 {
                0 | 1 => self.chunk & MAX_RUN as u16,
                2 => ONE_BIT_SYMBOLS as u16,
                _ => TWO_BIT_SYMBOLS as u16,
            };
        }
        self.left -= 1;
        self.chunk_left -= 1;
        let bits = match self.chunk >> 14 {
            0 | 1 => self.chunk >> 13,
            2 => (self.chunk >> self.chunk_left) & 1,
            _ => self.chunk >> (2 * self.chunk_left),
        };
        Some(Symbol::from_bits(bits))
    }
}

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
