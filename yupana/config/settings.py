"""The one `Settings` object. Every value can be set as `YUPANA_<NAME>`."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from yupana.config.home import must_be_plain
from yupana.core.errors import UsageError
from yupana.core.names import must_be

ROOT = Path(__file__).resolve().parents[2]

# Said once, to every process that yupana starts and to itself: no library phones home.
QUIET = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "BENTOML_DO_NOT_TRACK": "True",
    "FEAST_USAGE": "False",
    "GX_ANALYTICS_ENABLED": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    "EVIDENTLY_DISABLE_TELEMETRY": "1",
    "GIT_PYTHON_REFRESH": "quiet",
    # Spark starts its Python workers by name: this environment's, activated or not.
    "PYSPARK_PYTHON": sys.executable,
}


def _cache_home() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "yupana"


class Settings(BaseSettings):
    """Where things are and how big they may be; the defaults run on one laptop."""

    model_config = SettingsConfigDict(env_prefix="YUPANA_", frozen=True)

    root: Path = Field(ROOT, description="the project's folder (contracts, DAGs, samples)")
    home: Path = Field(ROOT / "var", description="everything that yupana writes")
    cache: Path = Field(default_factory=_cache_home, description="downloads shared by all runs")
    engine: str = Field(
        "sail", description="who computes: sail, spark, or a Spark Connect server, sc://host:port"
    )
    engine_memory: str = Field(
        "2g", description="memory of the engine on this machine: Sail's pool, Spark's heap"
    )
    engine_token: Path | None = Field(
        None, description="file with the token of a Spark Connect server; empty: without"
    )
    spark_master: str = Field("local[2]", description="where Spark runs")
    spark_java_options: str = Field(
        "", description="options of the Spark JVM; default: by the size of the input"
    )
    pseudonym_key: Path | None = Field(None, description="of pseudonyms; default: keys/ in home")
    vault_key: Path | None = Field(None, description="of sealed originals; default: keys/ in home")
    user_agent: str = Field(
        "Mozilla/5.0 (X11; Linux x86_64) yupana/0.1",
        description="how downloads present themselves; portals' firewalls refuse unknown names",
    )
    http_timeout: float = Field(60.0, description="seconds without an answer before a retry")
    http_retries: int = Field(4, description="times that outside trouble is tried again")
    max_download: int = Field(8 << 30, description="bytes that one download may have")
    max_unpacked: int = Field(32 << 30, description="bytes that one file may unpack to")
    engine_port: int = Field(15002, description="port of the shared engine of `yupana up`")
    airflow_port: int = Field(8080, description="port of Airflow's page of `yupana up`")
    keep_days: int = Field(
        7,
        ge=0,
        description="days that every version of a table stays readable, referred to or not, and "
        "that a deleted model or project can be restored",
    )
    project: str = Field("", description="project that steps run in; limits the data they read")
    serve_port: int = Field(8410, description="port of the prediction service")
    serve_workers: int = Field(
        1, ge=1, le=64, description="processes that answer beside each other, a core each"
    )
    public_url: str = Field(
        "",
        pattern=r"^(https?://[^\s/?#]+[^\s?#]*)?$",
        description="where callers reach the service, https://…, as its OpenAPI tells it; empty: "
        "where they found that",
    )
    boundaries: Path | None = Field(
        None, description="GeoJSON of places for maps; empty: tiles, and GeoJSON without shapes"
    )
    platform_url: str = Field(
        "", description="platform database, postgresql+psycopg://…; empty: SQLite in home"
    )
    mlflow_url: str = Field(
        "",
        description="MLflow's database or server, postgresql+psycopg://… or https://…; empty: "
        "SQLite in home",
    )
    feast_registry_url: str = Field(
        "", description="database of Feast's registry, postgresql+psycopg://…; empty: file in home"
    )
    feast_redis: str = Field(
        "", description="Redis of the online features, host:port[,ssl=true]; empty: SQLite in home"
    )
    feast_redis_password: Path | None = Field(
        None, description="file with the password of that Redis; empty: without"
    )
    ledger_witness: Path | None = Field(
        None, description="folder on another machine or mount for the ledger's checkpoints, too"
    )
    sign_ledger: bool = Field(
        True,
        description="false where another process signs the ledger (`yupana audit sign`): this one "
        "appends, and needs keys/ledger.pub of home alone",
    )
    sign_within_minutes: int = Field(
        15, ge=1, description="minutes that events may wait for the ledger's signer, where it is "
        "another process, before it is called absent"
    )
    usage_days: int = Field(
        730, ge=1, description="days that statistics of use and refused keys are kept"
    )
    notice_days: int = Field(
        90, ge=4, description="days that webhook notices are kept after their last try"
    )
    require_keys: bool = Field(
        True, description="false lets everyone in without a key: behind a gateway that checks"
    )
    public_rate: str = Field(
        "60/min", description="requests without a key of each address and worker, or none"
    )
    proxies: str = Field(
        "", description="networks of proxies whose X-Forwarded-For is believed; empty: none"
    )
    receipt_key: Path | None = Field(
        None, description="file with the key of receipts' secrets; default: keys/ in home"
    )
    behind_tls: bool = Field(
        False, description="true where callers reach the service by TLS alone: browsers are told"
    )
    otlp_endpoint: str = Field(
        "", description="OpenTelemetry collector, http://collector:4318; empty: no traces"
    )
    otlp_share: float = Field(0.1, ge=0, le=1, description="share of the requests that is traced")
    service_key: Path | None = Field(
        None, description="file with the key for a service elsewhere; here the local key is used"
    )
    oidc_issuer: str = Field(
        "", description="issuer of bearer tokens, https://…, as it calls itself; empty: none"
    )
    oidc_audience: str = Field("yupana", description="the audience that a token must name")
    oidc_roles_claim: str = Field(
        "roles", description="claim with the one role of a token, or its path: realm_access.roles"
    )
    oidc_agency_claim: str = Field("agency", description="claim with the agency of a token")
    oidc_quota: str = Field("10000/day", description="requests in a day of each subject, or none")
    oidc_rate: str = Field("60/min", description="requests in a minute of each subject, or none")
    openlineage_url: str = Field(
        "", description="OpenLineage server that is told of every step, http://…; empty: none"
    )
    openlineage_key: Path | None = Field(
        None, description="file with the key for the OpenLineage server; empty: without"
    )
    openlineage_file: Path | None = Field(
        None, description="file that every step is told to as OpenLineage, a JSON a line"
    )
    openlineage_namespace: str = Field("yupana", description="namespace of our jobs there")
    seed: int = Field(20210101, description="seed of every random choice")
    retrain_weeks: int = Field(
        4, ge=1, description="weeks of data that the champion may lack before training is due"
    )
    retrain_drift: float = Field(
        0.5, gt=0, le=1, description="share of drifted columns from which training is due"
    )
    stream_login: Path | None = Field(
        None, description="file with a line `host user:password` a broker; empty: without"
    )
    stream_plaintext: bool = Field(
        False, description="true lets that login go to brokers without TLS, readable on the way"
    )
    stream_ca: Path | None = Field(
        None, description="certificates that brokers' TLS is checked by; empty: the system's"
    )
    stream_sasl: str = Field("SCRAM-SHA-512", description="how Kafka checks the login")
    alert_smtp: str = Field(
        "", description="mail server for alerts, smtp://, smtp+starttls:// or smtps://host:port"
    )
    alert_login: Path | None = Field(
        None, description="file with user:password for the mail server; empty: without"
    )
    alert_from: str = Field("yupana@localhost", description="sender of the mails on alerts")
    alert_to: str = Field("", description="who gets the mails on alerts, separated by commas")
    alert_webhook: str = Field("", description="address that alerts are posted to; empty: none")
    alert_webhook_key: Path | None = Field(
        None, description="file with the key by which the posted alerts are signed"
    )
    webhook_networks: str = Field(
        "", description="networks that are not public and agencies' webhooks may lie in all the "
        "same, 10.20.0.0/16, separated by commas; empty: none"
    )
    image: str = Field("yupana:latest", description="container image of the pipeline's pods")
    kfp_host: str = Field("", description="address of the Kubeflow Pipelines API, https://…")
    kfp_namespace: str = Field("", description="namespace of the user; empty: a single-user KFP")
    kfp_token: Path | None = Field(None, description="file with the token for the KFP API")
    kfp_volume: str = Field(
        "yupana-home", description="volume claim that all pods share as YUPANA_HOME"
    )
    queue: str = Field("", description="Kueue queue of the pods; empty: none")
    cpu_limit: str = Field("", description="CPU limit of each pod, such as 4; empty: none")
    memory_limit: str = Field("", description="memory limit of each pod, such as 16Gi")
    gpu_count: int = Field(0, ge=0, description="GPUs of each pod that trains a network")
    gpu_type: str = Field(
        "", description="node label nvidia.com/gpu.product that these pods ask for; empty: any"
    )

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def events(self) -> str:
        """Where `yupana.lineage.events` finds the log: the platform database."""
        return self.platform_db

    @property
    def platform_db(self) -> str:
        return self.platform_url or f"sqlite:///{self.home / 'platform.db'}"

    @property
    def mlflow(self) -> str:
        """MLflow's address."""
        return self.mlflow_url or f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"

    @property
    def reports(self) -> Path:
        return self.home / "reports"

    def table(self, zone: str, name: str) -> Path:
        """Folder of a Delta table; `zone` is staging, published, quarantine or features.

        Raises:
            UsageError: zone or name is a path, and would lead elsewhere.
        """
        for part in (zone, name):
            if part in ("", ".", "..") or Path(part).name != part:
                must_be(part, "table", "river_levels", f"{zone}/{name}")
        return self.lake / zone / name

    def lock(self, name: str) -> Path:
        """The file by which one process at a time holds a data set, or another thing of a name."""
        return self.home / "locks" / f"{name}.lock"

    def environment(self) -> dict[str, str]:
        """Environment for a child process: this one's, our settings, and no telemetry."""
        values = {k: v for k, v in self.model_dump().items() if v is not None}
        mine = {f"YUPANA_{k.upper()}": str(v) for k, v in values.items()}
        # Airflow starts its parts by name, whether or not the environment was activated.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        own = {"PATH": path, "BENTOML_HOME": str(self.home / "bentoml")}
        return {**os.environ, **QUIET, **mine, **own}


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read once; creates `home` and switches telemetry off.

    Raises:
        UsageError: a value is of another type, the project's folder is not there, or `home` can
            be no folder, or none of tables.
    """
    try:
        config = Settings()
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(
            f"A setting cannot be used: {first['msg']}.",
            where=f"YUPANA_{'.'.join(map(str, first['loc'])).upper()}={first['input']}",
            fix="Mend it in the environment, or unset it.",
        ) from error
    if not config.root.is_dir():
        raise UsageError(
            "The project's folder is not there.",
            where=f"YUPANA_ROOT={config.root}",
            fix="Name the folder that holds `expectations/`, or unset it.",
        )
    must_be_plain(config.home)
    try:
        config.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"What yupana writes has no place: {error.strerror}.",
            where=f"YUPANA_HOME={config.home}",
            fix="Name a folder that you may write to.",
        ) from error
    os.environ.update({k: v for k, v in QUIET.items() if k not in os.environ})
    os.environ.setdefault("BENTOML_HOME", str(config.home / "bentoml"))
    return config
