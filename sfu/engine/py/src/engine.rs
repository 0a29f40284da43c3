//! `Engine`: checked arguments in, commands to the media thread; batches of events out.

use std::os::fd::RawFd;

use mianshi_engine_core::Command;
use mianshi_engine_io::MediaThread;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::error;
use crate::events;
use crate::media::Media;
use crate::validate;

/// One UDP port and one media thread.
#[pyclass(frozen, module = "sfu._engine")]
pub(crate) struct Engine {
    thread: MediaThread,
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (host, port, *, seed, tcp_port=None))]
    fn new(
        py: Python<'_>,
        host: &str,
        port: u32,
        seed: &[u8],
        tcp_port: Option<u32>,
    ) -> PyResult<Self> {
        let address = validate::address(host, port)?;
        let tcp = tcp_port
            .map(|port| validate::address(host, port))
            .transpose()?;
        let seed = validate::seed(seed)?;
        let thread = py
            .detach(|| MediaThread::start(address, tcp, seed))
            .map_err(|refused| error(refused.code, refused.to_string()))?;
        Ok(Self { thread })
    }

    #[getter]
    fn port(&self) -> u16 {
        self.thread.address().port()
    }

    #[getter]
    fn tcp_port(&self) -> Option<u16> {
        self.thread.tcp_address().map(|address| address.port())
    }

    #[getter]
    fn event_fd(&self) -> RawFd {
        self.thread.event_fd()
    }

    fn drain<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let events = self
            .thread
            .drain()
            .map_err(|crashed| error("engine_crashed", crashed.to_string()))?;
        let list = PyList::empty(py);
        for event in events {
            list.append(events::to_python(py, event)?)?;
        }
        Ok(list)
    }

    fn add_peer(&self, peer: u64, ice_ufrag: String, ice_pwd: String) -> PyResult<()> {
        validate::ice_credentials(&ice_ufrag, &ice_pwd)?;
        self.thread.command(Command::AddPeer {
            peer,
            ice_ufrag,
            ice_pwd,
        });
        Ok(())
    }

    fn restart_ice(&self, peer: u64, ice_ufrag: String, ice_pwd: String) -> PyResult<()> {
        validate::ice_credentials(&ice_ufrag, &ice_pwd)?;
        self.thread.command(Command::RestartIce {
            peer,
            ice_ufrag,
            ice_pwd,
        });
        Ok(())
    }

    fn send_dtls(&self, peer: u64, datagram: &[u8]) -> PyResult<()> {
        validate::datagram(datagram)?;
        let datagram = datagram.to_vec();
        self.thread.command(Command::SendDtls { peer, datagram });
        Ok(())
    }

    fn set_keys(&self, peer: u64, profile: u32, receive: &[u8], send: &[u8]) -> PyResult<()> {
        self.thread.command(Command::SetKeys {
            peer,
            profile: validate::keys(profile, receive, send)?,
            receive: receive.to_vec(),
            send: send.to_vec(),
        });
        Ok(())
    }

    fn set_media(&self, peer: u64, media: Vec<PyRef<'_, Media>>) -> PyResult<()> {
        validate::sections(media.iter().map(|section| section.described().mid.as_str()))?;
        let media = media
            .iter()
            .map(|section| section.described().clone())
            .collect();
        self.thread.command(Command::SetMedia { peer, media });
        Ok(())
    }

    fn route(&self, viewer: u64, slot: String, source: Option<(u64, String)>) -> PyResult<()> {
        validate::mid(&slot)?;
        if let Some((_, mid)) = &source {
            validate::mid(mid)?;
        }
        self.thread.command(Command::Route {
            viewer,
            slot,
            source,
        });
        Ok(())
    }

    #[pyo3(signature = (viewer, slot, *, drawn, max_height, priority))]
    fn set_slot(
        &self,
        viewer: u64,
        slot: String,
        drawn: Option<(u32, u32)>,
        max_height: Option<u32>,
        priority: u32,
    ) -> PyResult<()> {
        validate::mid(&slot)?;
        let tuning = validate::tuning(drawn, max_height, priority)?;
        self.thread.command(Command::SetSlot {
            viewer,
            slot,
            tuning,
        });
        Ok(())
    }

    fn set_enabled(&self, peer: u64, mid: String, enabled: bool) -> PyResult<()> {
        validate::mid(&mid)?;
        self.thread
            .command(Command::SetEnabled { peer, mid, enabled });
        Ok(())
    }

    fn request_keyframe(&self, peer: u64, mid: String) -> PyResult<()> {
        validate::mid(&mid)?;
        self.thread.command(Command::RequestKeyframe { peer, mid });
        Ok(())
    }

    fn request_stats(&self, token: u64) {
        self.thread.command(Command::RequestStats { token });
    }

    fn remove_peer(&self, peer: u64) {
        self.thread.command(Command::RemovePeer { peer });
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.thread.close());
    }

    fn __repr__(&self) -> String {
        format!("Engine(port={})", self.port())
    }
}
