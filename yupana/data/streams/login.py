"""How brokers are spoken to: user, password and TLS, from settings alone, never in a record.

Who writes a contract names its host, and may be a stranger: a login goes only to the host that the
operator's file names beside it, and by TLS.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import UsageError
from yupana.data.contracts.stream_address import Address

Login = tuple[str, str]


def credentials(settings: Settings, address: Address) -> Login | None:
    """User and password for the brokers of an address; None where the file names none of them.

    Raises:
        UsageError: the file cannot be read or is not of lines `host user:password`, it does not
            have one login for all brokers of the address, or no TLS would hide it on the way.
    """
    if settings.stream_login is None:
        return None
    logins = _lines(settings.stream_login)
    matches = [logins.get(f"{host}:{port}") or logins.get(host) for host, port in address.brokers]
    if not any(matches):
        return None
    where = f"{address}, YUPANA_STREAM_LOGIN={settings.stream_login}"
    if len(set(matches)) > 1:
        raise UsageError(
            "The brokers of one stream have different logins, or some have none.",
            where=where,
            fix="Write a line `host user:password` for each of its hosts, with the same login.",
        )
    safe = _is_secure(settings, address) or settings.stream_plaintext
    if not (safe or all(_is_loopback(host) for host, _ in address.brokers)):
        raise UsageError(
            "The login would go to the broker without TLS, readable by all on the way.",
            where=where,
            fix="Use mqtts:// in the contract; for Kafka, set YUPANA_STREAM_CA. Where the network "
            "is to be trusted: YUPANA_STREAM_PLAINTEXT=true.",
        )
    return matches[0]


def _is_secure(settings: Settings, address: Address) -> bool:
    return settings.stream_ca is not None if address.kind == "kafka" else address.tls


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _lines(path: Path) -> dict[str, Login]:
    """The logins by `host` or `host:port`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(str(path), "This user cannot read it as text.") from error
    logins: dict[str, Login] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        host, *login = line.strip().split(maxsplit=1)
        user, _, password = "".join(login).partition(":")
        if not (user and password):
            raise _unusable(f"{path}, line {number}", "It is no `host user:password`.")
        logins[host.lower()] = (user, password)
    if not logins:
        raise _unusable(str(path), "It is empty.")
    return logins


def _unusable(where: str, why: str) -> UsageError:
    return UsageError(
        f"The file with the brokers' logins cannot be used. {why}",
        where=f"YUPANA_STREAM_LOGIN={where}",
        fix="Write a line a broker, `broker.example user:password`; the host is the contract's, "
        "with :port where the login is for that port alone.",
    )


def kafka(settings: Settings, address: Address) -> dict[str, Any]:
    """Options of librdkafka: TLS where there is a CA, SASL where there is a login."""
    login, secure = credentials(settings, address), settings.stream_ca is not None
    options: dict[str, Any] = {}
    if secure:
        options["ssl.ca.location"] = str(settings.stream_ca)
    if login:
        options["sasl.mechanism"] = settings.stream_sasl
        options["sasl.username"], options["sasl.password"] = login
    options["security.protocol"] = f"{'sasl_' * bool(login)}{'ssl' if secure else 'plaintext'}"
    return options


def spark_kafka(settings: Settings, address: Address) -> dict[str, str]:
    """The same for Spark's connector, which takes Kafka's own options after `kafka.`."""
    ours = kafka(settings, address)
    options = {"kafka.security.protocol": str(ours["security.protocol"]).upper()}
    if settings.stream_ca:
        options["kafka.ssl.truststore.type"] = "PEM"
        options["kafka.ssl.truststore.location"] = str(settings.stream_ca)
    if login := credentials(settings, address):
        kind = "plain.Plain" if settings.stream_sasl == "PLAIN" else "scram.Scram"
        user, password = (text.replace("\\", "\\\\").replace('"', '\\"') for text in login)
        options["kafka.sasl.mechanism"] = settings.stream_sasl
        options["kafka.sasl.jaas.config"] = (
            f"org.apache.kafka.common.security.{kind}LoginModule required "
            f'username="{user}" password="{password}";'
        )
    return options
