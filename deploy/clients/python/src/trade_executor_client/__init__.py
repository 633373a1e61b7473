"""Publishes trade decisions to trade-executor and follows their outcomes.

Publisher, AsyncPublisher: decisions in, each acknowledged once it is on disk, never doubled.
Subscriber, AsyncSubscriber: outcomes out, each once and in order.
Intake, AsyncIntake: replay, status, ping, reconcile.
"""

from .answers import (
    Ack,
    Execution,
    Health,
    NoAnswer,
    Outcome,
    Page,
    Pong,
    Reconciliation,
    Refused,
    UnreadableAnswer,
)
from .asynchronous_intake import AsyncIntake, AsyncPublisher
from .asynchronous_subscriber import AsyncSubscriber
from .decision import Decision, Leg, StopLoss, TakeProfit
from .following import Position
from .intake import Intake, Publisher
from .keys import CurveKeys
from .subscriber import Subscriber

__all__ = [
    "Ack",
    "AsyncIntake",
    "AsyncPublisher",
    "AsyncSubscriber",
    "CurveKeys",
    "Decision",
    "Execution",
    "Health",
    "Intake",
    "Leg",
    "NoAnswer",
    "Outcome",
    "Page",
    "Pong",
    "Position",
    "Publisher",
    "Reconciliation",
    "Refused",
    "StopLoss",
    "Subscriber",
    "TakeProfit",
    "UnreadableAnswer",
]
