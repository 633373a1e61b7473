"""What a strategy publishes, and the bytes that say it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal, Union

# Never a float: `0.1` as a float is another number. Text is sent as it is.
Amount = Union[Decimal, int, str]

Side = Literal["buy", "sell"]
OrderType = Literal["market", "limit", "stop", "stop_limit", "trailing_stop"]
TimeInForce = Literal["day", "gtc", "opg", "cls", "ioc", "fok"]
PositionIntent = Literal["buy_to_open", "buy_to_close", "sell_to_open", "sell_to_close"]
OrderClass = Literal["simple", "bracket", "oco", "oto", "mleg"]


@dataclass(frozen=True)
class TakeProfit:
    limit_price: Amount


@dataclass(frozen=True)
class StopLoss:
    stop_price: Amount
    limit_price: Amount | None = None


@dataclass(frozen=True)
class Leg:
    symbol: str
    ratio_qty: Amount
    side: Side | None = None
    position_intent: PositionIntent | None = None


@dataclass(frozen=True)
class Decision:
    """A decision to trade. Its id is never used again by its strategy.

    Exactly one of `quantity` (shares, coins, contracts) and `notional` (dollars). At most one of the
    deadlines `expires_at` and `valid_for_ms` (milliseconds from acceptance); with neither, the
    worker's `max_age` applies. The worker checks everything, and refuses what does not fit.
    """

    decision_id: str
    strategy_name: str
    symbol: str | None = None
    side: Side | None = None
    quantity: Amount | None = None
    notional: Amount | None = None
    order_type: OrderType | None = None
    time_in_force: TimeInForce | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    trail_price: Amount | None = None
    trail_percent: Amount | None = None
    extended_hours: bool | None = None
    position_intent: PositionIntent | None = None
    order_class: OrderClass | None = None
    take_profit: TakeProfit | None = None
    stop_loss: StopLoss | None = None
    legs: tuple[Leg, ...] | None = None
    expires_at: datetime | None = None
    valid_for_ms: int | None = None
    sequence: int | None = None
    rationale: Mapping[str, Any] | None = None

    def to_bytes(self) -> bytes:
        """The message, always the same for the same decision.

        TypeError: an amount is a float. ValueError: an amount is no number, or `expires_at` has no
        time zone.
        """
        message = {"v": 1, **_members(self)}
        return json.dumps(message, separators=(",", ":"), allow_nan=False).encode()

    @staticmethod
    def from_json(message: Mapping[str, Any]) -> Decision:
        """A decision from a message as the contract has it. TypeError: a member is unknown."""
        members = {name: value for name, value in message.items() if name != "v"}
        if members.get("take_profit") is not None:
            members["take_profit"] = TakeProfit(**members["take_profit"])
        if members.get("stop_loss") is not None:
            members["stop_loss"] = StopLoss(**members["stop_loss"])
        if members.get("legs") is not None:
            members["legs"] = tuple(Leg(**leg) for leg in members["legs"])
        if members.get("expires_at") is not None:
            members["expires_at"] = datetime.fromisoformat(
                members["expires_at"].replace("Z", "+00:00")
            )
        return Decision(**members)


_AMOUNTS = {
    *("quantity", "notional", "limit_price", "stop_price", "trail_price", "trail_percent"),
    "ratio_qty",
}


def _members(value: Any) -> dict[str, Any]:
    given = {field.name: getattr(value, field.name) for field in fields(value)}
    return {name: _json(name, one) for name, one in given.items() if one is not None}


def _json(name: str, value: Any) -> Any:
    if name in _AMOUNTS:
        return amount_text(name, value)
    if isinstance(value, (TakeProfit, StopLoss)):
        return _members(value)
    if name == "legs":
        return [_members(leg) for leg in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name} needs a time zone, for example datetime.now(timezone.utc)")
        utc = value.astimezone(timezone.utc)
        return utc.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return dict(value) if isinstance(value, Mapping) else value


def amount_text(name: str, value: object) -> str:
    """An amount as the plain decimal string that the contract wants; nothing is rounded."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, (Decimal, int)):
        raise TypeError(f"{name} must be a Decimal, an int or a str, not {type(value).__name__}")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError(f"{name} must be a number, not {value}")
    return format(value, "f") if isinstance(value, Decimal) else str(value)
