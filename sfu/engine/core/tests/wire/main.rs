//! Vectors, properties and hostile input for the wire formats, SRTP and ICE.

mod hex;
mod ice;
mod payloads;
mod rtcp;
mod rtp;
mod srtp;
mod srtp_vectors;
mod stun;
mod twcc;
