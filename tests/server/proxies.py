"""The proxies of `deploy/`, run as they are but for the names, ports and files that the operator puts in."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.sandbox.processes import free_port
from tests.server.site import NAME, Door, until

DEPLOY = Path(__file__).parents[2] / "deploy"
AROUND = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/start.log emerg; worker_processes 1; {user}
events {{ worker_connections 768; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/a; uwsgi_temp_path {folder}/b; scgi_temp_path {folder}/c;
    include {folder}/attune.conf;
}}
"""


@contextmanager
def a_proxy(kind: str, folder: Path, upstream: int) -> Iterator[tuple[int, Path]]:
    """nginx or caddy in front of a port: its own TLS port, and the certificate to trust. It ends with the block."""
    folder.mkdir()
    port, (certificate, key) = free_port(), a_certificate(folder)
    command = {"nginx": _nginx, "caddy": _caddy}[kind](folder, port, upstream, certificate, key)
    with (folder / "log").open("wb") as log:
        env = os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, env=env)
    try:
        assert until(lambda: process.poll() is not None or _listens(port, certificate)), "never ready"
        assert process.poll() is None, (folder / "log").read_text()
        yield port, certificate
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def filled_in(name: str, values: Mapping[str, str]) -> str:
    """A file of deploy/ with what the operator puts in; each must be there to be replaced."""
    found = (DEPLOY / name).read_text()
    for old, new in values.items():
        assert old in found, f"deploy/{name} has no {old}"
        found = found.replace(old, new)
    return found


def _nginx(folder: Path, port: int, upstream: int, certificate: Path, key: Path) -> list[str]:
    values = {
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(certificate),
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(key),
        "127.0.0.1:8000": f"127.0.0.1:{upstream}",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 80": f"listen 127.0.0.1:{free_port()}",
        "/var/log/nginx/": f"{folder}/",
    }
    (folder / "attune.conf").write_text(filled_in("nginx.conf", values))
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))
    return ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]


def _caddy(folder: Path, port: int, upstream: int, certificate: Path, key: Path) -> list[str]:
    own = f"{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}"
    alone = "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog {"
    values = {"{\n\tlog {": alone, f"{NAME} {{": own, "127.0.0.1:8000": f"127.0.0.1:{upstream}"}
    (folder / "Caddyfile").write_text(filled_in("Caddyfile", values))
    return ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def a_certificate(folder: Path) -> tuple[Path, Path]:
    """A throw-away one for the name, which signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(made.public_bytes(pem))
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return folder / "certificate.pem", folder / "key.pem"


def _listens(port: int, certificate: Path) -> bool:
    with suppress(OSError):
        door = Door(port, certificate)
        door.connection.connect()
        door.close()
        return True
    return False
