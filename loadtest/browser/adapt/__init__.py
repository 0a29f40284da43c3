"""How calls between real browsers follow bad networks: `mianshi bench adapt`."""

from loadtest.browser.adapt.bench import run

__all__ = ["run"]
