"""Work that is done now and then, all of it at the same moments.

To wake an idle process costs more than most of what it then does, so what may wait a little is
done on beats that everybody shares: the multiples of a period on the loop's clock.
"""

import asyncio


async def next_beat(period_s: float) -> float:
    """Sleep until the next multiple of `period_s`; return how late it became, in seconds."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    pause_s = period_s - began_s % period_s
    if pause_s < period_s / 2:
        pause_s += period_s  # a beat was missed, or this one came early: no two in a row
    await asyncio.sleep(pause_s)
    return loop.time() - began_s - pause_s
