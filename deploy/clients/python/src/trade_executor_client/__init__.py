"""Publishes trade decisions to trade-executor and follows their outcomes.

Publisher, AsyncPublisher: decisions in, each acknowledged once it is on disk, never doubled.
MappedPublisher, AsyncMappedPublisher: the same, to the worker that a partition map names.
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
from .asynchronous_intake import AsyncIntake, AsyncMappedPublisher, AsyncPublisher
from .asynchronous_subscriber import AsyncSubscriber
from .decision import Decision, Leg, StopLoss, TakeProfit
from .following import Position
from .intake import Intake, MappedPublisher, Publisher
from .keys import CurveKeys
from .partition_map import PartitionMap, Place
from .subscriber import Subscriber

__all__ = [
    "Ack",
    "AsyncIntake",
    "AsyncMappedPublisher",
    "AsyncPublisher",
    "AsyncSubscriber",
    "CurveKeys",
    "Decision",
    "Execution",
    "Health",
    "Intake",
    "Leg",
    "MappedPublisher",
    "NoAnswer",
    "Outcome",
    "Page",
    "PartitionMap",
    "Place",
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
