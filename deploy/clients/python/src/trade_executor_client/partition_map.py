"""Which worker serves which strategy: the partition map of `trade-executor run --partition-map`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from .answers import Refused
from .keys import CurveKeys

# Seconds between two attempts while a strategy moves from one worker to another.
MOVING_PAUSE = 0.1


@dataclass(frozen=True)
class Place:
    """Where one worker is."""

    # None where a worker has named its intake only.
    partition: str | None
    intake: str
    outcomes: str | None
    # The worker's public key, where its endpoints are guarded: 40 characters of Z85.
    server_key: str | None

    def keys(self, secret_file: str | os.PathLike[str] | None) -> CurveKeys | None:
        """Our keys for this worker; None where it takes none. ValueError: it takes keys only."""
        if self.server_key is None:
            return None
        if secret_file is None:
            raise ValueError(
                f"{self.intake} takes known keys only: give the file of our secret key"
            )
        return CurveKeys.for_server(secret_file, self.server_key.encode())


@dataclass(frozen=True)
class PartitionMap:
    epoch: int
    # Where strategies are served that are not named; None: nowhere.
    default: str | None
    places: Mapping[str, Place]
    strategies: Mapping[str, str]

    @staticmethod
    def load(path: str | os.PathLike[str]) -> PartitionMap:
        """OSError: the file cannot be read. ValueError: it is no partition map."""
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
        try:
            if document["v"] != 1:
                raise ValueError(f"{os.fspath(path)} is of version {document['v']!r}, not 1")
            places = {
                name: Place(name, place["intake"], place["outcomes"], place.get("server_key"))
                for name, place in document["partitions"].items()
            }
            default = document.get("default")
            return PartitionMap(document["epoch"], default, places, document["strategies"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{os.fspath(path)} is no partition map: {error!r}") from error

    def place_of(self, strategy: str) -> Place | None:
        """Where a strategy is served; None where it is in no partition."""
        name = self.strategies.get(strategy, self.default)
        return None if name is None else self.places.get(name)


class Route:
    """Where one strategy's decisions go: decided without sockets.

    The map is read at first, and when a worker says that the strategy is not its own. Until then
    the same worker is asked, however long it takes: what it has accepted, only it can tell.
    """

    def __init__(self, path: str | os.PathLike[str], strategy: str):
        self._path = path
        self._strategy = strategy
        self.place = self._look_up()

    def goes_on_after(self, refused: Refused) -> bool:
        """Whether the same bytes are to be sent again, to `place`, after a pause."""
        if refused.code == "draining":
            return True
        if refused.code != "wrong_partition" or refused.endpoint is None:
            return False
        place = self._look_up()
        if place.intake == self.place.intake:
            # Our copy of the map is behind the worker's.
            place = self._at(refused.endpoint)
        self.place = place
        return True

    def _look_up(self) -> Place:
        place = PartitionMap.load(self._path).place_of(self._strategy)
        if place is None:
            raise ValueError(f"{self._strategy} is in no partition of {os.fspath(self._path)}")
        return place

    def _at(self, intake: str) -> Place:
        places = PartitionMap.load(self._path).places.values()
        known = [place for place in places if place.intake == intake]
        return known[0] if known else Place(None, intake, None, self.place.server_key)
