#!/usr/bin/env python3
"""Alpaca's own Python SDK against the simulator, and the simulator's manners as a program.

    python3 alpaca_py_against_simulator.py PATH/TO/alpaca-simulator

Needs alpaca-py 0.44.0 (`pip install alpaca-py==0.44.0`). Starts the simulator itself, prints `N passed, N failed`,
and exits with 1 if anything failed.
"""

import json
import signal
import subprocess
import sys
import time
import traceback
import urllib.request
import uuid
from datetime import datetime, timedelta, timezone

from alpaca.common.exceptions import APIError
from alpaca.trading.client import TradingClient
from alpaca.trading.enums import (
    AssetClass,
    OrderClass,
    OrderSide,
    OrderStatus,
    OrderType,
    PositionIntent,
    QueryOrderStatus,
    TimeInForce,
)
from alpaca.trading.requests import (
    ClosePositionRequest,
    GetAssetsRequest,
    GetOrderByIdRequest,
    GetOrdersRequest,
    LimitOrderRequest,
    MarketOrderRequest,
    OptionLegRequest,
    ReplaceOrderRequest,
    StopLimitOrderRequest,
    StopLossRequest,
    StopOrderRequest,
    TakeProfitRequest,
    TrailingStopOrderRequest,
)

# Long enough for a busy machine; nothing waits this long when all is well.
PATIENCE = 20

tests = []


def test(function):
    tests.append(function)
    return function


class Simulator:
    """One simulator process and a client of it."""

    def __init__(self, binary, *flags):
        self.process = subprocess.Popen(
            [binary, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.process.stdout.readline()
        assert line.startswith("ready url=http://127.0.0.1:") and line.endswith(
            "\n"
        ), f"first line: {line!r}"
        self.url = line.strip().removeprefix("ready url=")
        self.client = TradingClient("key", "secret", paper=True, url_override=self.url)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def tell(self, path, body):
        request = urllib.request.Request(
            f"{self.url}/_simulator/{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        return json.load(urllib.request.urlopen(request, timeout=PATIENCE))

    def ask(self, path):
        return json.load(urllib.request.urlopen(f"{self.url}/_simulator/{path}", timeout=PATIENCE))

    def wait(self, order, *statuses):
        """The order once it has one of the statuses."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            order = self.client.get_order_by_id(order.id)
            if order.status in statuses:
                return order
            time.sleep(0.01)
        raise AssertionError(f"order {order.id} is {order.status}, not one of {statuses}")


def market(symbol="KO", side=OrderSide.BUY, tif=TimeInForce.DAY, **more):
    return MarketOrderRequest(symbol=symbol, side=side, time_in_force=tif, **more)


def limit(price, symbol="KO", qty=1, side=OrderSide.BUY, tif=TimeInForce.DAY, **more):
    return LimitOrderRequest(
        symbol=symbol, qty=qty, side=side, time_in_force=tif, limit_price=price, **more
    )


def refused(call):
    """The error of a call that must be refused."""
    try:
        call()
    except APIError as error:
        return error
    raise AssertionError("was not refused")


# -- account, clock, assets


@test
def account(binary):
    with Simulator(binary) as simulator:
        account = simulator.client.get_account()
        assert (
            account.cash == "100000"
            and account.multiplier == "4"
            and account.status.value == "ACTIVE"
        )
        assert account.buying_power == "400000" and not account.trading_blocked


@test
def clock(binary):
    with Simulator(binary) as simulator:
        clock = simulator.client.get_clock()
        assert clock.is_open and clock.next_close > clock.timestamp < clock.next_open
        assert clock.timestamp.utcoffset() in (timedelta(hours=-4), timedelta(hours=-5))


@test
def assets(binary):
    with Simulator(binary) as simulator:
        apple = simulator.client.get_asset("AAPL")
        assert apple.tradable and apple.fractionable and apple.asset_class == AssetClass.US_EQUITY
        assert simulator.client.get_asset(str(apple.id)).symbol == "AAPL"
        assert simulator.client.get_asset("BTC/USD").asset_class == AssetClass.CRYPTO
        equities = simulator.client.get_all_assets(
            GetAssetsRequest(asset_class=AssetClass.US_EQUITY)
        )
        assert len(equities) >= 30
        assert refused(lambda: simulator.client.get_asset("NOPE")).code == 40410000


# -- orders of each kind


@test
def market_order(binary):
    with Simulator(binary) as simulator:
        order = simulator.client.submit_order(market(qty=10, client_order_id="py:1"))
        assert (
            order.status == OrderStatus.PENDING_NEW
            and order.qty == "10"
            and order.client_order_id == "py:1"
        )
        order = simulator.wait(order, OrderStatus.FILLED)
        assert order.filled_qty == "10" and order.filled_avg_price == "60.1"
        took = (order.filled_at - order.created_at).total_seconds()
        assert 0.15 <= took <= 0.9, took
        position = simulator.client.get_open_position("KO")
        assert position.qty == "10" and position.avg_entry_price == "60.1"
        assert [p.symbol for p in simulator.client.get_all_positions()] == ["KO"]


@test
def notional_and_fractional_orders(binary):
    with Simulator(binary) as simulator:
        notional = simulator.wait(
            simulator.client.submit_order(market(notional=200.5)), OrderStatus.FILLED
        )
        assert (
            notional.notional == "200.5"
            and notional.qty is None
            and notional.submitted_at == notional.created_at
        )
        fraction = simulator.wait(
            simulator.client.submit_order(market(qty=0.5)), OrderStatus.FILLED
        )
        assert fraction.filled_qty == "0.5"


@test
def crypto_order(binary):
    with Simulator(binary) as simulator:
        order = simulator.client.submit_order(market("BTC/USD", tif=TimeInForce.GTC, qty=0.01))
        order = simulator.wait(order, OrderStatus.FILLED)
        assert order.asset_class == AssetClass.CRYPTO and order.symbol == "BTC/USD"
        assert simulator.client.get_open_position("BTCUSD").symbol == "BTCUSD"


@test
def limit_and_stop_orders(binary):
    with Simulator(binary) as simulator:
        client = simulator.client
        resting = simulator.wait(client.submit_order(limit(50.5)), OrderStatus.NEW)
        assert resting.limit_price == "50.5" and resting.type == OrderType.LIMIT
        stop = StopOrderRequest(
            symbol="KO", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.GTC, stop_price=70
        )
        simulator.wait(client.submit_order(stop), OrderStatus.NEW)
        stop_limit = StopLimitOrderRequest(
            symbol="KO",
            qty=1,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            stop_price=70,
            limit_price=71,
        )
        simulator.wait(client.submit_order(stop_limit), OrderStatus.NEW)
        trailing = TrailingStopOrderRequest(
            symbol="KO", qty=1, side=OrderSide.BUY, time_in_force=TimeInForce.DAY, trail_percent=5
        )
        trailing = simulator.wait(client.submit_order(trailing), OrderStatus.NEW)
        assert trailing.hwm == "60.1" and trailing.trail_percent == "5"


@test
def bracket_order(binary):
    with Simulator(binary) as simulator:
        order = simulator.client.submit_order(
            market(
                "MSFT",
                qty=2,
                order_class=OrderClass.BRACKET,
                take_profit=TakeProfitRequest(limit_price=600),
                stop_loss=StopLossRequest(stop_price=450, limit_price=449),
            )
        )
        assert [leg.status for leg in order.legs] == [OrderStatus.HELD, OrderStatus.HELD]
        simulator.wait(order, OrderStatus.FILLED)
        nested = simulator.client.get_order_by_id(order.id, GetOrderByIdRequest(nested=True))
        assert [leg.status for leg in nested.legs] == [OrderStatus.NEW, OrderStatus.HELD]
        simulator.tell("prices", {"symbol": "MSFT", "price": "610"})
        simulator.wait(nested.legs[0], OrderStatus.FILLED)
        simulator.wait(nested.legs[1], OrderStatus.CANCELED)


@test
def option_orders(binary):
    with Simulator(binary) as simulator:
        order = simulator.client.submit_order(limit(3.5, "AAPL261218C00250000", qty=2))
        order = simulator.wait(order, OrderStatus.FILLED)
        assert order.asset_class == AssetClass.US_OPTION and order.order_class == OrderClass.SIMPLE
        legs = [
            OptionLegRequest(
                symbol="AAPL261218C00250000",
                ratio_qty=1,
                side=OrderSide.BUY,
                position_intent=PositionIntent.BUY_TO_OPEN,
            ),
            OptionLegRequest(
                symbol="AAPL261218C00260000",
                ratio_qty=1,
                side=OrderSide.SELL,
                position_intent=PositionIntent.SELL_TO_OPEN,
            ),
        ]
        spread = simulator.client.submit_order(
            LimitOrderRequest(
                qty=1,
                order_class=OrderClass.MLEG,
                time_in_force=TimeInForce.DAY,
                limit_price=1.0,
                legs=legs,
            )
        )
        assert len(spread.legs) == 2
        simulator.wait(spread, OrderStatus.FILLED)


@test
def closed_market(binary):
    with Simulator(binary, "--market", "closed") as simulator:
        assert not simulator.client.get_clock().is_open
        order = simulator.client.submit_order(market(qty=1))
        assert order.status == OrderStatus.ACCEPTED
        simulator.tell("market", {"open": True})
        simulator.wait(order, OrderStatus.FILLED)


# -- look-ups, listings, changes


@test
def look_ups_and_listings(binary):
    with Simulator(binary) as simulator:
        client = simulator.client
        first = client.submit_order(limit(50, client_order_id="mean-rev:d/1 ü"))
        second = client.submit_order(limit(140, "PEP", qty=2))
        bought = client.submit_order(market("F", qty=1))
        assert client.get_order_by_client_id("mean-rev:d/1 ü").id == first.id
        assert client.get_order_by_id(first.id).client_order_id == "mean-rev:d/1 ü"
        simulator.wait(bought, OrderStatus.FILLED)
        assert [o.id for o in client.get_orders()] == [second.id, first.id]
        everything = client.get_orders(
            GetOrdersRequest(status=QueryOrderStatus.ALL, direction="asc")
        )
        assert [o.id for o in everything] == [first.id, second.id, bought.id]
        closed = client.get_orders(GetOrdersRequest(status=QueryOrderStatus.CLOSED))
        assert [o.id for o in closed] == [bought.id]
        pepsi = client.get_orders(GetOrdersRequest(symbols=["PEP"], side=OrderSide.BUY, limit=1))
        assert [o.id for o in pepsi] == [second.id]
        future = datetime.now(timezone.utc) + timedelta(hours=1)
        assert client.get_orders(GetOrdersRequest(status=QueryOrderStatus.ALL, after=future)) == []


@test
def replace_and_cancel(binary):
    with Simulator(binary) as simulator:
        client = simulator.client
        old = simulator.wait(client.submit_order(limit(50)), OrderStatus.NEW)
        new = client.replace_order_by_id(old.id, ReplaceOrderRequest(limit_price=51))
        assert new.replaces == old.id
        assert simulator.wait(old, OrderStatus.REPLACED).replaced_by == new.id
        client.cancel_order_by_id(simulator.wait(new, OrderStatus.NEW).id)
        assert simulator.wait(new, OrderStatus.CANCELED).canceled_at is not None
        client.submit_order(limit(50))
        client.submit_order(limit(49))
        assert [row.status for row in client.cancel_orders()] == [200, 200]


@test
def close_positions(binary):
    with Simulator(binary, "--fill-milliseconds", "10") as simulator:
        client = simulator.client
        for symbol in ("KO", "PEP", "F"):
            simulator.wait(client.submit_order(market(symbol, qty=4)), OrderStatus.FILLED)
        half = client.close_position("KO", ClosePositionRequest(percentage="50"))
        assert simulator.wait(half, OrderStatus.FILLED).filled_qty == "2"
        assert sorted(row.symbol for row in client.close_all_positions()) == ["F", "KO", "PEP"]


# -- refusals


@test
def refusals_carry_their_codes(binary):
    with Simulator(binary) as simulator:
        submit = simulator.client.submit_order
        submit(limit(50, client_order_id="py:1"))
        cases = [
            (market("NOPE", qty=1), 422, 42210000, 'asset "NOPE" not found'),
            (market(qty=100000), 403, 40310000, "insufficient buying power"),
            (limit(290.123), 422, 42210000, "sub-penny"),
            (limit(50, client_order_id="py:1"), 422, 40010001, "client_order_id must be unique"),
            (market("BRK.A", qty=0.5), 403, 40310000, "is not fractionable"),
        ]
        for request, status, code, text in cases:
            error = refused(lambda: submit(request))
            assert (error.status_code, error.code) == (
                status,
                code,
            ) and text in error.message, error
        error = refused(lambda: simulator.client.get_order_by_id(str(uuid.uuid4())))
        assert error.status_code == 404 and error.code == 40410000


@test
def wrong_key_is_refused(binary):
    with Simulator(binary, "--key-id", "right", "--secret", "right") as simulator:
        assert refused(simulator.client.get_account).status_code == 401
        right = TradingClient("right", "right", paper=True, url_override=simulator.url)
        assert right.get_account().currency == "USD"


@test
def the_sdk_posts_again_after_504_and_the_simulator_counts_it(binary):
    with Simulator(binary) as simulator:
        simulator.client._retry_wait = 0
        simulator.tell("faults", {"fault": "html_504"})
        error = refused(
            lambda: simulator.client.submit_order(market(qty=1, client_order_id="py:504"))
        )
        assert "client_order_id must be unique" in error.message
        assert simulator.ask("orders?summary=true") == {
            "posts": 2,
            "distinct_client_order_ids": 1,
            "duplicates": 1,
            "recorded": 1,
        }
        assert [row["fault"] for row in simulator.ask("orders")] == ["html_504", None]


@test
def rejected_after_a_200(binary):
    with Simulator(binary) as simulator:
        simulator.tell(
            "scripts", {"symbol": "KO", "steps": [{"after_ms": 20, "status": "rejected"}]}
        )
        order = simulator.client.submit_order(market(qty=1))
        assert order.status == OrderStatus.PENDING_NEW
        assert simulator.wait(order, OrderStatus.REJECTED).failed_at is not None


# -- the program


@test
def ends_with_zero_when_told(binary):
    for number in (signal.SIGTERM, signal.SIGINT):
        with Simulator(binary) as simulator:
            simulator.process.send_signal(number)
            assert simulator.process.wait(PATIENCE) == 0


@test
def says_that_its_port_is_taken(binary):
    with Simulator(binary) as simulator:
        port = simulator.url.rsplit(":", 1)[1]
        second = subprocess.run(
            [binary, "--port", port], capture_output=True, text=True, timeout=PATIENCE
        )
        assert second.returncode == 1 and second.stdout == ""
        assert (
            second.stderr
            == f"alpaca-simulator: cannot listen on 127.0.0.1:{port}: Address already in use\n"
        )


@test
def wrong_usage_exits_with_64(binary):
    for flags in (
        ["--nonsense"],
        ["--fault", "nonsense"],
        ["--host", "0.0.0.0"],
        ["--fault-per-mille", "1001"],
    ):
        result = subprocess.run([binary, *flags], capture_output=True, text=True, timeout=PATIENCE)
        assert result.returncode == 64 and result.stderr, flags
    result = subprocess.run([binary, "--help"], capture_output=True, text=True, timeout=PATIENCE)
    assert result.returncode == 0 and "/_simulator/faults" in result.stdout


@test
def random_faults_by_flag(binary):
    with Simulator(
        binary, "--fault-per-mille", "1000", "--fault", "json_500_unrecorded"
    ) as simulator:
        error = refused(lambda: simulator.client.submit_order(market(qty=1)))
        assert error.status_code == 500 and error.code == 50010000


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 64
    failed = 0
    for function in tests:
        try:
            function(sys.argv[1])
        except Exception:
            failed += 1
            print(f"failed: {function.__name__}")
            traceback.print_exc(file=sys.stdout)
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
