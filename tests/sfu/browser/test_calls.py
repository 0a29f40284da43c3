"""Calls between real Chromium pages, judged by what is decoded."""

from tests.sfu.browser.conftest import PersonInPage, Studio, until


async def in_scene(studio: Studio, scene: str, *people: PersonInPage) -> None:
    for person in people:
        studio.sfu.place(person.peer, scene)
    await studio.recorder.until(
        lambda: all(
            len(studio.recorder.shown(person.peer, "camera")) == len(people) - 1
            for person in people
        )
    )


async def test_two_people_see_and_hear_each_other(studio):
    red, blue = await studio.enter("red"), await studio.enter("blue", 660)
    await in_scene(studio, "r1", red, blue)
    seen = {
        red: studio.recorder.shown(red.peer, "camera")[blue.peer],
        blue: studio.recorder.shown(blue.peer, "camera")[red.peer],
    }
    await red.until_colour(seen[red], "blue")
    await blue.until_colour(seen[blue], "red")
    for person in (red, blue):
        await person.until_frames(seen[person], 15)
    heard = studio.recorder.shown(blue.peer, "microphone")[red.peer]
    await until(
        lambda: blue.ask("(mid) => person.inbound(mid)", heard),
        lambda report: report and report.get("totalAudioEnergy", 0) > 0,
    )
    await studio.recorder.until(lambda: (red.peer, True) in studio.recorder.spoke)


async def test_all_simulcast_layers_arrive_and_the_best_is_shown(studio):
    red, blue = await studio.enter("red"), await studio.enter("blue")
    await in_scene(studio, "r1", red, blue)

    async def layers() -> dict[str, int]:
        streams = (await studio.sfu.stats()).streams
        return {
            stream.rid: stream.packets
            for stream in streams
            if stream.peer == red.peer and stream.kind == "video" and stream.rid
        }

    await until(layers, lambda seen: all(seen.get(rid, 0) > 30 for rid in "qhf"))
    mid = studio.recorder.shown(blue.peer, "camera")[red.peer]
    await until(
        lambda: blue.ask("(mid) => person.inbound(mid)", mid),
        lambda report: report and report.get("frameHeight") == 540,
    )
    report = await blue.ask("(mid) => person.inbound(mid)", mid)
    assert report["framesDecoded"] > 0


async def test_a_handoff_switches_the_picture_without_renegotiation(studio):
    candidate = await studio.enter("red")
    first, second = await studio.enter("blue"), await studio.enter("lime")
    await in_scene(studio, "r1", candidate, first)
    studio.sfu.place(second.peer, "r2")
    slot = studio.recorder.shown(candidate.peer, "camera")[first.peer]
    await candidate.until_colour(slot, "blue")
    negotiations = await candidate.ask("() => person.pc.localDescription.sdp")
    sent = await candidate.ask("() => person.outbound()")

    studio.sfu.place(candidate.peer, "r2")
    await candidate.until_colour(slot, "lime")
    await candidate.until_frames(slot, 15)
    shown = studio.recorder.shown(second.peer, "camera")[candidate.peer]
    await second.until_colour(shown, "red")
    assert studio.recorder.shown(first.peer, "camera") == {}
    assert await candidate.ask("() => person.pc.localDescription.sdp") == negotiations
    assert await candidate.ask("() => person.pc.connectionState") == "connected"
    await until(
        lambda: candidate.ask("() => person.outbound()"),
        lambda now: all(now[rid] > sent[rid] for rid in sent),
    )

    studio.sfu.place(candidate.peer, "r1")
    await candidate.until_colour(slot, "blue")


async def test_a_late_joiner_sees_those_who_were_there(studio):
    red, blue = await studio.enter("red"), await studio.enter("blue")
    await in_scene(studio, "r1", red, blue)
    await red.until_colour(studio.recorder.shown(red.peer, "camera")[blue.peer], "blue")
    late = await studio.enter("lime")
    await in_scene(studio, "r1", red, blue, late)
    shown = studio.recorder.shown(late.peer, "camera")
    await late.until_colour(shown[red.peer], "red")
    await late.until_colour(shown[blue.peer], "blue")
    await red.until_colour(studio.recorder.shown(red.peer, "camera")[late.peer], "lime")


async def test_a_screen_is_shown_while_it_is_enabled(studio):
    red, blue = await studio.enter("red"), await studio.enter("blue")
    await in_scene(studio, "r1", red, blue)
    await red.ask("() => person.shareScreen('yellow')")
    assert studio.recorder.shown(blue.peer, "screen") == {}
    studio.sfu.set_enabled(red.peer, "screen", True)
    await studio.recorder.until(lambda: studio.recorder.shown(blue.peer, "screen"))
    mid = studio.recorder.shown(blue.peer, "screen")[red.peer]
    await blue.until_colour(mid, "yellow")
    await blue.until_frames(mid, 10)
    studio.sfu.set_enabled(red.peer, "screen", False)
    await studio.recorder.until(lambda: not studio.recorder.shown(blue.peer, "screen"))


async def test_a_camera_switched_off_on_the_server_freezes_and_comes_back(studio):
    red, blue = await studio.enter("red"), await studio.enter("blue")
    await in_scene(studio, "r1", red, blue)
    mid = studio.recorder.shown(blue.peer, "camera")[red.peer]
    await blue.until_frames(mid, 10)
    studio.sfu.set_enabled(red.peer, "camera", False)

    async def advance() -> int:
        before = await blue.frames(mid)
        await blue.page.wait_for_timeout(400)
        return await blue.frames(mid) - before

    await until(advance, lambda frames: frames == 0)
    studio.sfu.set_enabled(red.peer, "camera", True)
    await blue.until_frames(mid, 10)


async def test_more_slots_by_renegotiation_leave_the_picture_running(studio):
    red, blue = await studio.enter("red", audio=1, video=1), await studio.enter("blue")
    await in_scene(studio, "r1", red, blue)
    first = studio.recorder.shown(red.peer, "camera")[blue.peer]
    await red.until_colour(first, "blue")
    lime = await studio.enter("lime")
    studio.sfu.place(lime.peer, "r1")
    await studio.recorder.until(lambda: red.peer in studio.recorder.short)
    audio, video = studio.recorder.short[red.peer]
    assert (audio, video) == (2, 2)
    await red.ask("() => { person.addSlots(1, 1); return person.negotiate(); }")
    await studio.recorder.until(lambda: len(studio.recorder.shown(red.peer, "camera")) == 2)
    shown = studio.recorder.shown(red.peer, "camera")
    await red.until_colour(shown[lime.peer], "lime")
    assert shown[blue.peer] == first
    await red.until_frames(first, 10)


async def test_an_ice_restart_keeps_the_call(studio):
    red, blue = await studio.enter("red"), await studio.enter("blue")
    await in_scene(studio, "r1", red, blue)
    mid = studio.recorder.shown(red.peer, "camera")[blue.peer]
    await red.until_colour(mid, "blue")
    await red.ask("() => person.negotiate({ iceRestart: true })")
    await red.until_frames(mid, 30)
    assert await red.ask("() => person.pc.connectionState") == "connected"
    assert studio.recorder.connected.count(red.peer) == 1, "one DTLS handshake for all"


async def test_a_closed_page_is_heard_of(studio):
    red, blue = await studio.enter("red"), await studio.enter("blue")
    await in_scene(studio, "r1", red, blue)
    await studio.recorder.until(lambda: set(studio.recorder.connected) == {red.peer, blue.peer})
    await blue.ask("() => person.pc.close()")
    await studio.recorder.until(lambda: studio.recorder.closed.get(blue.peer) == "dtls_closed")
    await studio.recorder.until(lambda: not studio.recorder.shown(red.peer, "camera"))
