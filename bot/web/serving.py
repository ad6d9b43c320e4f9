"""How gunicorn serves the webhooks and pages: `attune web` starts it with these settings."""

from typing import Any

from bot import memory

memory.settle_in()

workers = 2
worker_class = "gthread"
threads = 8
# The application is made once, before the processes part, so that they share what it holds in memory.
preload_app = True
timeout = 60
graceful_timeout = 30
control_socket_disable = True
# the log of requests would hold addresses with tokens in them
loglevel = "warning"
# PUBLIC_URL says how the world reaches us: no header does, whoever it comes from
forwarded_allow_ips = ""


def post_worker_init(worker: Any) -> None:
    """Each process looks after the worker by itself: a thread begun before the processes parted wouldn't go along."""
    from bot.web import watch  # not above: what it brings along is loaded after the large word lists

    parts = worker.wsgi.extensions
    watch.start(parts["attune"], parts["clock"])
