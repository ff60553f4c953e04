"""Redacts in worker processes that live long and can be ended."""

from nlp_redaction.workers.pool import WorkerPool

__all__ = ["WorkerPool"]
