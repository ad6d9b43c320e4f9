"""An alert's page, asked for as one person's browser does, without a browser."""

from datetime import datetime

from bs4 import BeautifulSoup
from werkzeug.test import Client, TestResponse

from bot.flows.links import alert_link
from bot.store import alerts
from bot.store.alerts import Alert
from bot.web import create_app
from tests.support.cast import Riverside
from tests.support.weeks import At


class Page:
    """One person's way to an alert's page, at a time that can be moved."""

    def __init__(self, practice: Riverside, alert: Alert, who: str, now: datetime) -> None:
        self.practice, self.alert, self.now = practice, alert, now
        person_id = practice.staff.get(who, who)
        link = alert_link(practice.ctx.config, practice.practice.id, alert.id, person_id, now)
        self.path = link.removeprefix(practice.ctx.config.public_url)

    def get(self, path: str = "", **more: object) -> TestResponse:
        return self._web().open(path or self.path, **{"method": "GET", **more})  # type: ignore[arg-type]

    def post(self, ending: str = "", **form: str) -> TestResponse:
        return self._web().open(self.path + ending, method="POST", data=form)

    def text(self) -> str:
        answer = self.get()
        assert answer.status_code == 200
        return visible(answer)

    def stored(self) -> Alert:
        with self.practice.ctx.store.transaction(write=False) as tx:
            return alerts.get(tx, self.practice.practice.id, self.alert.id)

    def _web(self) -> Client:
        return create_app(self.practice.ctx, At(self.now)).test_client()


def visible(answer: TestResponse) -> str:
    return " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())
