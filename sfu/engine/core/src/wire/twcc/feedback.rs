//! Reading feedback.

use super::{MAX_RUN, ONE_BIT_SYMBOLS, REFERENCE_UNITS, Symbol, TWO_BIT_SYMBOLS, delta_bytes};
use crate::wire::rtcp::feedback_ssrcs;
use crate::wire::{WireError, read_u16, read_u24};

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
        let (sender_ssrc, media_ssrc) = feedback_ssrcs(body)?;
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
