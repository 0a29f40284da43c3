"""Offers of real browsers and hostile ones, and what is answered."""

import random
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription

from sfu.errors import SdpError
from sfu.transport.sdp import HostAddress, Negotiated, Negotiator, tracks_of

VECTORS = Path(__file__).parents[2] / "vectors" / "sdp"
FINGERPRINT = ":".join(["AB"] * 32)
ADDRESSES = (HostAddress("192.0.2.7", 5000),)
ALL_TRACKS = {"0": "microphone", "1": "camera", "2": "screen"}


def offer(name: str) -> str:
    return (VECTORS / f"{name}.sdp").read_bytes().decode()


def negotiator(seed: int = 1, addresses=ADDRESSES) -> Negotiator:
    return Negotiator(FINGERPRINT, addresses, random.Random(seed).getrandbits)


def answer(name: str, tracks=ALL_TRACKS) -> Negotiated:
    return negotiator().answer(offer(name), tracks)


def section(sdp: str, mid: str) -> list[str]:
    """The lines of the section with this mid."""
    for block in sdp.split("\r\nm=")[1:]:
        lines = ("m=" + block).split("\r\n")
        if f"a=mid:{mid}" in lines:
            return lines
    raise AssertionError(f"no section {mid}")


def refused(text: str, tracks=ALL_TRACKS) -> str:
    with pytest.raises(SdpError) as caught:
        negotiator().answer(text, tracks)
    return caught.value.code


class TestBrowsers:
    def test_chromium_gets_simulcast_layers_and_slots(self):
        negotiated = answer("chromium-156")
        microphone, camera, screen = negotiated.sources
        assert (microphone.source, camera.source, screen.source) == tuple(ALL_TRACKS.values())
        assert camera.rids == ("q", "h", "f")
        assert camera.ssrc is None, "layers are told apart by rid"
        assert microphone.ssrc == 2741834253
        assert [codec.key for codec in camera.codecs] == ["vp8", "h264/42e01f/1"]
        assert [codec.rtx_payload_type for codec in camera.codecs] == [97, 109]
        assert camera.codecs[0].feedback == ("nack", "nack pli", "ccm fir", "transport-cc")
        assert [slot.mid for slot in negotiated.slots] == ["3", "4", "5", "6", "7", "8", "9"]

    def test_the_kth_slots_of_both_kinds_are_one_stream(self):
        negotiated = answer("chromium-156")
        streams = {slot.mid: slot.sent.stream for slot in negotiated.slots}
        assert streams["3"] == streams["6"] == "slot-1"
        assert streams["5"] == streams["8"] == "slot-3"
        assert len({slot.sent.ssrc for slot in negotiated.slots}) == 7

    def test_the_answer_says_what_browsers_need(self):
        negotiated = answer("chromium-156")
        head = negotiated.sdp.split("\r\nm=")[0].split("\r\n")
        assert "a=ice-lite" in head
        assert "a=group:BUNDLE 0 1 2 3 4 5 6 7 8 9" in head
        camera, slot = section(negotiated.sdp, "1"), section(negotiated.sdp, "6")
        for line in ("a=setup:passive", "a=rtcp-mux", "a=rtcp-rsize", "a=recvonly"):
            assert line in camera
        assert f"a=fingerprint:sha-256 {FINGERPRINT}" in camera
        assert camera[0] == "m=video 9 UDP/TLS/RTP/SAVPF 96 97 108 109"
        assert {"a=rid:q recv", "a=simulcast:recv q;h;f"} <= set(camera)
        assert "a=sendonly" in slot
        sent = next(each.sent for each in negotiated.slots if each.mid == "6")
        assert f"a=ssrc-group:FID {sent.ssrc} {sent.rtx_ssrc}" in slot
        assert "a=msid:slot-1 slot-1-video" in slot
        assert not any("rid" in line for line in slot)
        assert "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1" in section(negotiated.sdp, "0")
        assert "goog-remb" not in negotiated.sdp

    def test_candidates_stand_in_the_first_section_only(self):
        addresses = (HostAddress("192.0.2.7", 5000), HostAddress("2001:db8::1", 5001))
        sdp = negotiator(addresses=addresses).answer(offer("chromium-156"), ALL_TRACKS).sdp
        assert [line for line in section(sdp, "0") if "candidate" in line] == [
            "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host",
            "a=candidate:2 1 udp 2130706175 2001:db8::1 5001 typ host",
            "a=end-of-candidates",
        ]
        assert sdp.count("a=candidate") == 2

    def test_a_tcp_candidate_is_passive_and_below_every_udp_one(self):
        addresses = (
            HostAddress("192.0.2.7", 5000),
            HostAddress("192.0.2.7", 5001, "tcp"),
            HostAddress("2001:db8::1", 5001, "tcp"),
        )
        sdp = negotiator(addresses=addresses).answer(offer("chromium-156"), ALL_TRACKS).sdp
        assert [line for line in section(sdp, "0") if "candidate:" in line] == [
            "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host",
            "a=candidate:2 1 tcp 1520434943 192.0.2.7 5001 typ host tcptype passive",
            "a=candidate:3 1 tcp 1520434687 2001:db8::1 5001 typ host tcptype passive",
        ]
        read = SessionDescription.parse(sdp).media[0].ice_candidates
        assert [(each.protocol, each.tcpType) for each in read] == [
            ("udp", None),
            ("tcp", "passive"),
            ("tcp", "passive"),
        ]

    def test_aiortc_reads_the_answer(self):
        parsed = SessionDescription.parse(answer("chromium-156").sdp)
        assert [media.rtp.muxId for media in parsed.media] == [str(mid) for mid in range(10)]
        assert parsed.media[0].ice.iceLite
        assert parsed.media[0].dtls.role == "server"
        assert parsed.media[0].ice_candidates[0].port == 5000

    @pytest.mark.parametrize("name", ["firefox-153", "wechat-android-chrome-89", "safari-18"])
    def test_other_browsers_send_simulcast_too(self, name):
        microphone, camera, screen = answer(name).sources
        assert camera.rids == ("q", "h", "f")
        # Firefox has H264 only once it fetched its plug-in; this one had none.
        h264 = [] if name.startswith("firefox") else ["h264/42e01f/1"]
        assert [codec.key for codec in camera.codecs] == ["vp8", *h264]
        assert all(codec.rtx_payload_type for codec in camera.codecs)
        assert [codec.key for codec in microphone.codecs] == ["opus"]
        assert screen.rids == ()

    def test_redundant_sound_is_preferred_where_it_is_offered(self):
        negotiated = answer("chromium-156")
        for mid in ("0", "3"):
            lines = section(negotiated.sdp, mid)
            assert lines[0] == "m=audio 9 UDP/TLS/RTP/SAVPF 63 111"
            assert {"a=rtpmap:63 red/48000/2", "a=fmtp:63 111/111"} <= set(lines)
        microphone = negotiated.sources[0]
        assert [codec.key for codec in microphone.codecs] == ["red/opus", "opus"]
        assert "red/48000" not in answer("firefox-153").sdp

    def test_sound_is_asked_for_again_from_senders_only(self):
        negotiated = answer("chromium-156")
        assert "a=rtcp-fb:111 nack" in section(negotiated.sdp, "0")
        assert "nack" not in "".join(section(negotiated.sdp, "3"))
        assert "nack" not in "".join(section(answer("firefox-153").sdp, "0"))

    @pytest.mark.parametrize(
        "fmtp", ["111", "111/9", "63/63", "0/0", "", "/", "111/111;x", "/".join(["111"] * 11)]
    )
    def test_redundancy_of_anything_but_our_opus_is_not_taken(self, fmtp):
        text = offer("chromium-156").replace("a=fmtp:63 111/111", f"a=fmtp:63 {fmtp}")
        negotiated = negotiator().answer(text, ALL_TRACKS)
        assert [codec.key for codec in negotiated.sources[0].codecs] == ["opus"]

    def test_announced_ssrcs_of_a_plain_section_are_kept(self):
        screen = answer("wechat-android-chrome-89").sources[2]
        assert (screen.ssrc, screen.rtx_ssrc) == (1111111111, 2222222222)

    def test_a_data_channel_is_rejected_outside_the_bundle(self):
        sdp = answer("safari-18").sdp
        channel = section(sdp, "5")
        assert channel[0] == "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"
        assert "a=group:BUNDLE 0 1 2 3 4\r\n" in sdp

    def test_a_whip_encoder_needs_no_tracks_of_its_own(self):
        text = offer("gstreamer-whip")
        tracks = tracks_of(text)
        assert tracks == {"video0": "camera", "audio1": "microphone"}
        negotiated = negotiator().answer(text, tracks)
        camera, microphone = negotiated.sources
        assert camera.codecs[0].key == "h264/42e01f/1"
        assert camera.codecs[0].feedback == ("nack pli", "ccm fir", "transport-cc")
        assert microphone.codecs[0].key == "opus"
        assert "packetization-mode=1;profile-level-id=42c01e" in negotiated.sdp

    def test_extension_ids_are_the_offers(self):
        camera = answer("chromium-156").sources[1]
        assert camera.extensions["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"] == 10
        assert "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay" not in camera.extensions

    def test_directions_of_extensions_are_reversed(self):
        camera = section(answer("firefox-153").sdp, "1")
        assert "a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id" in camera
        assert "a=extmap:3 urn:ietf:params:rtp-hdrext:sdes:mid" in camera


class TestDirections:
    def test_a_sending_section_without_a_name_is_idle(self):
        negotiated = answer("chromium-156", {"0": "microphone"})
        assert [source.mid for source in negotiated.sources] == ["0"]
        assert "a=inactive" in section(negotiated.sdp, "1")

    def test_sendrecv_is_a_source_if_named_and_else_a_slot(self):
        text = offer("gstreamer-whip").replace("a=sendonly", "a=sendrecv")
        negotiated = negotiator().answer(text, {"video0": "camera"})
        assert "a=recvonly" in section(negotiated.sdp, "video0")
        assert "a=sendonly" in section(negotiated.sdp, "audio1")

    def test_an_inactive_source_stays_a_source(self):
        lines = offer("chromium-156").replace("a=sendonly", "a=inactive")
        negotiated = negotiator().answer(lines, ALL_TRACKS)
        assert len(negotiated.sources) == 3
        assert "a=inactive" in section(negotiated.sdp, "1")

    def test_a_slot_that_paused_gets_new_ssrcs(self):
        peer = negotiator()
        first = peer.answer(offer("chromium-156"), ALL_TRACKS)
        before = next(slot for slot in first.slots if slot.kind == "video")
        lines = section(offer("chromium-156"), before.mid)
        paused = "\r\n".join(lines).replace("a=recvonly", "a=inactive")
        during = peer.answer(offer("chromium-156").replace("\r\n".join(lines), paused), ALL_TRACKS)
        assert before.mid not in [slot.mid for slot in during.slots]
        again = peer.answer(offer("chromium-156"), ALL_TRACKS)
        after = next(slot for slot in again.slots if slot.mid == before.mid)
        assert {after.sent.ssrc, after.sent.rtx_ssrc}.isdisjoint(
            {before.sent.ssrc, before.sent.rtx_ssrc}
        )
        others = {slot.mid: slot.sent for slot in first.slots if slot.mid != before.mid}
        assert {slot.mid: slot.sent for slot in again.slots if slot.mid != before.mid} == others

    def test_a_stopped_section_is_answered_with_port_zero(self):
        text = offer("chromium-156").replace("m=video 9", "m=video 0", 1)
        negotiated = negotiator().answer(text, {"0": "microphone"})
        assert section(negotiated.sdp, "1")[0].startswith("m=video 0 ")
        assert "a=group:BUNDLE 0 2 3" in negotiated.sdp

    def test_a_bundle_only_section_is_alive(self):
        text = offer("gstreamer-whip")
        assert "m=audio 0 " in text
        assert len(negotiator().answer(text, tracks_of(text)).sources) == 2

    def test_a_camera_without_a_common_codec_costs_only_the_camera(self):
        text = offer("gstreamer-whip").replace("H264/90000", "H265/90000")
        negotiated = negotiator().answer(text, {"video0": "camera", "audio1": "microphone"})
        assert [source.source for source in negotiated.sources] == ["microphone"]
        assert section(negotiated.sdp, "video0")[0].startswith("m=video 0 ")
        assert "a=candidate" in "".join(section(negotiated.sdp, "audio1"))


class TestLaterOffers:
    def test_more_slots_leave_the_known_ones_as_they_are(self):
        text = offer("wechat-android-chrome-89")
        peer = negotiator()
        first = peer.answer(text, ALL_TRACKS)
        extra = text[text.index("m=audio", text.index("a=mid:2")) :]
        extra = extra.replace("a=mid:3", "a=mid:5").replace("a=mid:4", "a=mid:6")
        longer = text.replace("BUNDLE 0 1 2 3 4", "BUNDLE 0 1 2 3 4 5 6") + extra
        second = peer.answer(longer, ALL_TRACKS)
        assert second.slots[: len(first.slots)] == first.slots
        assert [slot.sent.stream for slot in second.slots[2:]] == ["slot-2", "slot-2"]
        assert not second.ice_restarted
        assert second.transport == first.transport
        origins = [each.sdp.split("\r\n")[1].split() for each in (first, second)]
        assert origins[0][1] == origins[1][1]
        assert [origin[2] for origin in origins] == ["1", "2"]

    def test_new_credentials_restart_ice(self):
        peer = negotiator()
        text = offer("chromium-156")
        first = peer.answer(text, ALL_TRACKS)
        ufrag = text.split("a=ice-ufrag:")[1].split("\r\n")[0]
        second = peer.answer(text.replace(f"ufrag:{ufrag}", "ufrag:zzzz"), ALL_TRACKS)
        assert second.ice_restarted
        assert second.transport.ice_ufrag != first.transport.ice_ufrag
        assert second.transport.ice_pwd != first.transport.ice_pwd
        assert second.slots == first.slots
        assert not peer.answer(
            text.replace(f"ufrag:{ufrag}", "ufrag:zzzz"), ALL_TRACKS
        ).ice_restarted

    def test_a_slot_that_later_repeats_keeps_its_ssrc_and_gets_one_for_that(self):
        peer = negotiator()
        text = offer("chromium-156")
        before = peer.answer(text.replace(" rtx/90000", " odd/90000"), ALL_TRACKS).slots
        after = peer.answer(text, ALL_TRACKS).slots
        assert [slot.sent.ssrc for slot in after] == [slot.sent.ssrc for slot in before]
        assert not any(slot.sent.rtx_ssrc for slot in before)
        assert [slot.kind for slot in after if slot.sent.rtx_ssrc] == ["video"] * 4

    def test_a_section_that_becomes_of_another_kind_is_refused(self):
        text = offer("gstreamer-whip").replace("a=sendonly", "a=recvonly")
        peer = negotiator()
        peer.answer(text, {})
        head, video, audio = text.split("m=")
        swapped = f"{head}m={audio}m={video}".replace("video0", "x").replace("audio1", "video0")
        with pytest.raises(SdpError) as caught:
            peer.answer(swapped.replace("mid:x", "mid:audio1").replace(" x ", " audio1 "), {})
        assert caught.value.code == "sdp_changed"

    def test_a_changed_certificate_or_a_missing_section_is_refused(self):
        peer = negotiator()
        text = offer("chromium-156")
        first = peer.answer(text, ALL_TRACKS)
        digest = text.split("sha-256 ")[1].split("\r\n")[0]
        for changed in (
            text.replace(digest, FINGERPRINT),
            text[: text.rindex("m=video")].replace(" 8 9\r\n", " 8\r\n"),
            text.replace("a=mid:9", "a=mid:x").replace(" 8 9\r\n", " 8 x\r\n"),
        ):
            with pytest.raises(SdpError) as caught:
                peer.answer(changed, ALL_TRACKS)
            assert caught.value.code == "sdp_changed"
        again = peer.answer(text, ALL_TRACKS)
        assert again.transport == first.transport, "a refused offer changes nothing"

    def test_streams_of_forgotten_sections_do_not_pile_up(self):
        peer = negotiator()
        text = offer("gstreamer-whip").replace("a=sendonly", "a=recvonly")
        stopped = text.replace("a=bundle-only\r\n", "")
        for number in range(50):
            renamed = f"a{number}"
            peer.answer(text.replace("audio1", renamed), {})
            peer.answer(stopped.replace("audio1", renamed), {})
        assert len(peer._streams) <= 2


class TestRefused:
    @pytest.mark.parametrize(
        ("old", "new", "code"),
        [
            ("a=group:BUNDLE", "a=group:LS", "sdp_no_bundle"),
            ("a=rtcp-mux", "a=rtcp-max", "sdp_no_rtcp_mux"),
            ("sha-256", "sha-1", "sdp_fingerprint"),
            ("a=fingerprint:sha-256 C8:", "a=fingerprint:sha-256 G8:", "sdp_fingerprint"),
            ("a=setup:actpass", "a=setup:passive", "sdp_setup"),
            ("a=ice-ufrag:", "a=ice-ufrag:x\xa0", "sdp_malformed"),
            ("a=ice-ufrag:", "a=ice-ufrag:%", "sdp_ice"),
            ("a=ice-pwd:", "a=no-pwd:", "sdp_ice"),
            ("m=audio 9 ", "m=audio 99999 ", "sdp_malformed"),
            ("m=audio 9 ", "m=audio -1 ", "sdp_malformed"),
            ("m=audio 9 UDP/", 'm=audio 9 "UDP/', "sdp_malformed"),
            ("m=audio 9 UDP/", "m=audio 9 UDP//", "sdp_malformed"),
            ("m=audio 9 UDP/", "m=ａudio 9 UDP/", "sdp_malformed"),
            ("a=mid:1", "a=mid:0", "sdp_malformed"),
            ("a=mid:9", "a=mid:" + "9" * 17, "sdp_malformed"),
            ("v=0", "v=1", "sdp_malformed"),
            ("UDP/TLS/RTP/SAVPF", "RTP/AVP", "sdp_no_media"),
            ("a=rtpmap:", "a=rtpmab:", "sdp_no_media"),
            ("t=0 0", "nonsense", "sdp_malformed"),
            ("s=-", "s=\x00", "sdp_malformed"),
        ],
    )
    def test_each_for_its_own_reason(self, old, new, code):
        assert refused(offer("chromium-156").replace(old, new)) == code

    @pytest.mark.parametrize(
        "tracks",
        [
            {"0": "camera"},
            {"1": "microphone"},
            {"nope": "camera"},
            {"1": "camera", "2": "camera"},
            {"0": "hologram"},
            {"": "camera"},
        ],
    )
    def test_tracks_that_do_not_fit(self, tracks):
        assert refused(offer("chromium-156"), tracks) == "sdp_tracks"

    def test_size(self):
        text = offer("chromium-156")
        assert refused(text + "a=x\r\n" * 50_000) == "sdp_too_large"
        assert refused(text + "a=" + "x" * 5000) == "sdp_malformed"
        assert refused(text + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 60) == "sdp_too_large"
        assert refused("☃" * 100_000) == "sdp_too_large"
        assert refused("") == "sdp_malformed"
        many = " ".join(["111"] * 200)
        assert refused(text.replace("SAVPF 111 63", f"SAVPF {many}")) == "sdp_malformed"

    def test_hostile_numbers_are_passed_over(self):
        text = offer("chromium-156")
        for odd in ("999999999999999999999", "-5", "１１１", "0x60", ""):
            lines = text.replace("a=rtpmap:97", f"a=rtpmap:{odd}").replace("apt=108", f"apt={odd}")
            camera = negotiator().answer(lines, ALL_TRACKS).sources[1]
            assert camera.codecs[0].rtx_payload_type is None

    @pytest.mark.parametrize("empty", ["a=group", "a=group:", "a=ssrc-group", "a=ssrc-group:"])
    def test_empty_groups_are_passed_over(self, empty):
        text = offer("chromium-156")
        for before in ("a=group:", "a=ssrc-group:", "a=mid:1"):
            text = text.replace(before, f"{empty}\r\n{before}")
        assert len(negotiator().answer(text, ALL_TRACKS).sources) == 3

    def test_payload_types_that_look_like_rtcp_are_not_taken(self):
        text = offer("gstreamer-whip").replace(" 96", " 72").replace(":96 ", ":72 ")
        sources = negotiator().answer(text, tracks_of(text)).sources
        assert [source.source for source in sources] == ["microphone"]

    def test_secrets_are_not_in_reprs(self):
        negotiated = answer("chromium-156")
        assert negotiated.transport.ice_pwd not in repr(negotiated)
        assert negotiated.remote.ice_pwd not in repr(negotiated.remote)
