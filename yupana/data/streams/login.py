"""How brokers are spoken to: user, password and TLS, from settings alone, never in a record."""

from __future__ import annotations

from typing import Any

from yupana.config.settings import Settings
from yupana.core.errors import UsageError


def credentials(settings: Settings) -> tuple[str, str] | None:
    """User and password of the brokers; None where they ask for none.

    Raises:
        UsageError: the file is not there, or is not `user:password`.
    """
    if settings.stream_login is None:
        return None
    text = ""
    if settings.stream_login.is_file():
        text = settings.stream_login.read_text(encoding="utf-8").strip()
    user, colon, password = text.partition(":")
    if not (user and colon and password):
        raise UsageError(
            "The file with the brokers' login cannot be used.",
            where=f"YUPANA_STREAM_LOGIN={settings.stream_login}",
            fix="It is one line, user:password, that this user can read.",
        )
    return user, password


def kafka(settings: Settings) -> dict[str, Any]:
    """Options of librdkafka: TLS where there is a CA, SASL where there is a login."""
    login, secure = credentials(settings), settings.stream_ca is not None
    options: dict[str, Any] = {}
    if secure:
        options["ssl.ca.location"] = str(settings.stream_ca)
    if login:
        options["sasl.mechanism"] = settings.stream_sasl
        options["sasl.username"], options["sasl.password"] = login
    options["security.protocol"] = f"{'sasl_' * bool(login)}{'ssl' if secure else 'plaintext'}"
    return options


def spark_kafka(settings: Settings) -> dict[str, str]:
    """The same for Spark's connector, which takes Kafka's own options after `kafka.`."""
    ours = kafka(settings)
    options = {"kafka.security.protocol": str(ours["security.protocol"]).upper()}
    if settings.stream_ca:
        options["kafka.ssl.truststore.type"] = "PEM"
        options["kafka.ssl.truststore.location"] = str(settings.stream_ca)
    if known := credentials(settings):
        kind = "plain.Plain" if settings.stream_sasl == "PLAIN" else "scram.Scram"
        user, password = (text.replace("\\", "\\\\").replace('"', '\\"') for text in known)
        options["kafka.sasl.mechanism"] = settings.stream_sasl
        options["kafka.sasl.jaas.config"] = (
            f"org.apache.kafka.common.security.{kind}LoginModule required "
            f'username="{user}" password="{password}";'
        )
    return options
