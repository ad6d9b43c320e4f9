"""Raw mails as mail programs and servers send them, and a practice whose clients are asked by mail."""

from datetime import datetime
from itertools import count

from bot.store import clients
from bot.store.clients import Entry
from tests.support.cast import Riverside
from tests.support.talk import at

ANA = "ana@clients.example"
OURS = "notes@riverside.example"
_names = count(1)


def mime(body: str, *, to: str = OURS, sender: str = f"Ana <{ANA}>", kind: str = "text/plain", **headers: str) -> bytes:
    """A mail with one part; headers by name, with _ for -."""
    found = {"From": sender, "To": to, "Message-ID": f"<{next(_names)}@mail.clients.example>"}
    found |= {"MIME-Version": "1.0", "Content-Type": f"{kind}; charset=utf-8", "Content-Transfer-Encoding": "8bit"}
    found |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\n" for name, value in found.items())
    return f"{head}\n{body}".replace("\n", "\r\n").encode()


def report(message_id: str, status: str = "5.1.1", action: str = "failed", inner: str = "message/rfc822") -> bytes:
    """A report of non-delivery as Postfix writes it (RFC 3464)."""
    return f"""From: MAILER-DAEMON@mx.clients.example (Mail Delivery System)
To: {OURS}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <{next(_names)}@mx.clients.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="cut"

--cut
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.clients.example. I'm sorry to have to inform you ...

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.clients.example
Arrival-Date: Mon, 7 Sep 2026 12:00:00 -0400

Final-Recipient: rfc822; {ANA}
Original-Recipient: rfc822;{ANA}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 {status} User unknown

--cut
Content-Type: {inner}

Return-Path: <{OURS}>
From: Riverside <{OURS}>
To: {ANA}
Message-ID: <{message_id}@riverside.example>
Subject: About your visit

Hello.

--cut--
""".replace("\n", "\r\n").encode()


def by_mail(practice: Riverside, name: str = "Ana", phone: str = "", channel: str = "mail", **rule: str) -> None:
    """This client is written to by mail, and by the practice's rule."""
    entry = Entry(
        f"C-{name}", name, phone, f"{name.lower()}@clients.example", "en", "America/New_York", channel,
        at("08-01 12:00"), practice.staff["Theo"],
    )  # fmt: skip
    with practice.ctx.store.transaction() as tx:
        clients.save(tx, practice.practice.id, entry, at("08-02 12:00"))
    if rule:
        practice.set_rule(**rule)


def welcomed(practice: Riverside, now: datetime, name: str = "Ana") -> None:
    """This client has had the welcome."""
    with practice.ctx.store.transaction() as tx:
        clients.mark_welcomed(tx, practice.practice.id, practice.clients[name], now)
