"""Which task the worker is busy with, in every line of the log about it, and one line when it is over."""

from __future__ import annotations

import logging
from contextvars import ContextVar
from typing import Any

from orders.log_context import order_forget
from store_api import request_ids

logger = logging.getLogger("shop.tasks")

_current: ContextVar[str] = ContextVar("task", default="")


def current_task() -> str:
    """The task's id; "" outside of any."""
    return _current.get()


def task_began(*, task_result: Any, **signal: object) -> None:
    """Receives `task_started`. Tasks that run at once run inside of others."""
    _current.set(str(task_result.id))
    if request_ids.current() == request_ids.NONE:
        order_forget()


def task_ended(*, task_result: Any, **signal: object) -> None:
    """Receives `task_finished`. Of one that failed, the library's own line says why."""
    took = (task_result.finished_at or task_result.started_at) - task_result.started_at
    logger.info(
        "%s %s",
        task_result.task.name,
        task_result.status,
        extra={
            "task_name": task_result.task.name,
            "status": str(task_result.status),
            "duration_ms": round(took.total_seconds() * 1000, 1),
        },
    )
    _current.set("")
    if request_ids.current() == request_ids.NONE:
        order_forget()


def connect() -> None:
    from django_tasks.signals import task_finished, task_started

    task_started.connect(task_began, dispatch_uid="observed_tasks")
    task_finished.connect(task_ended, dispatch_uid="observed_tasks")
