"""The JARs of Delta and of the Kafka connector: fetched once into the cache and checked by hash.

Spark would otherwise resolve them at each start, which costs seconds and needs the network.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from yupana.core.errors import TerminalError, TransientError
from yupana.core.hashing import file_sha256
from yupana.core.progress import Progress

# What delta-spark 4.4.0 and Spark's Kafka connector need beyond the JARs that the pyspark 4.2.0
# wheel holds.
JARS = {
    "io.delta:delta-spark_4.2_2.13:4.4.0": "27d4fd8b1f879535c573ed1c718177d6a27f24d3e626ba02e216369725721ead",
    "io.delta:delta-storage:4.4.0": "c46735481fa8e326b0957be02b4420cbcab4b325bb08009b7f2045a95133f1cc",
    "io.delta:delta-kernel-api:4.4.0": "ee9b5a14ac3b7efdff4d61a58478fe8eb0e5a3fbca43889dca7290795fe79a11",
    "io.delta:delta-kernel-defaults:4.4.0": "225c975199e4718b38ee5b7e6da7f19e9585024262b2cec2656b32151a856b0b",
    "io.delta:delta-kernel-unitycatalog:4.4.0": "cea22dfb4ac562b3cd27bf652697750e8336009d73fb06631363aaaad5345ffa",
    "io.unitycatalog:unitycatalog-client:0.6.0": "48257499a86b801a3e2372cec55ac226ca1c1c7eabe5c118e7302f29a1fdbc19",
    "io.unitycatalog:unitycatalog-hadoop:0.6.0": "c47b63c961c87102b9e1d63809a0915ba4c86b7652f57c8d39ca3a05b441a150",
    "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0": "64539c45e5d39f7ddb747312c239f38f5208d08c1a0ddf7d70beb2fbd9373705",
    "org.apache.spark:spark-token-provider-kafka-0-10_2.13:4.2.0": "641c7947afc8aa1189e433b7c2d305293993c8691bc1c2062d6d4f513b12518c",
    "org.apache.kafka:kafka-clients:3.9.2": "014b4ef36884478a932641818b080c36a8f8e2e92dc771e800c9d2694f4f83d8",
    "org.apache.commons:commons-pool2:2.13.1": "f77a5060d6936a9144023584232f9de3f2248f1abfe156e9d31795f18770674f",
}


def _file(coordinate: str) -> str:
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"


def paths(cache: Path) -> list[Path]:
    """Where the JARs are, in a fixed order.

    Raises:
        TerminalError: one is absent; says the command that fetches it.
    """
    jars = [cache / "jars" / _file(c) for c in JARS]
    for path in jars:
        if not path.exists():
            raise TerminalError(
                "A JAR of Spark's is absent.", where=str(path), fix="Run `yupana setup` (needs network)."
            )
    return jars


def fetch(cache: Path, progress: Progress) -> bool:
    """Fetch the absent JARs and check all by SHA-256. Returns whether anything was fetched.

    Raises:
        TransientError: the download failed.
        TerminalError: a JAR is not the one that was pinned; it is removed.
    """
    target = cache / "jars"
    target.mkdir(parents=True, exist_ok=True)
    absent = [c for c in JARS if not (target / _file(c)).exists()]
    if absent:
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            by_maven = shutil.which("mvn") is not None
            progress.say(
                f"fetching {len(absent)} JARs by {'Maven' if by_maven else 'Spark'} …"
            )
            (_by_maven if by_maven else _by_spark)(Path(scratch))
            for coordinate in absent:
                shutil.move(_download(Path(scratch), coordinate), target / _file(coordinate))
    for coordinate, expected in JARS.items():
        path = target / _file(coordinate)
        if file_sha256(path) != expected:
            path.unlink()
            raise TerminalError(
                "A downloaded JAR is not the one that this release was built with.",
                where=str(path),
                fix="It was removed; run again. If it persists, look at your Maven mirror.",
            )
    return bool(absent)


def _download(scratch: Path, coordinate: str) -> Path:
    # Ivy prefixes the file's name with the group.
    for path in scratch.rglob(f"*{_file(coordinate)}"):
        return path
    raise TransientError("A JAR did not arrive.", where=coordinate, fix="Run it again.")


def _by_maven(scratch: Path) -> None:
    alone = "<exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>"
    dependencies = "".join(
        f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version>"
        f"{alone}</dependency>"
        for g, a, v in (c.split(":") for c in JARS)
    )
    (scratch / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>pe.yupana</groupId><artifactId>jars</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
    _run(
        ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={scratch}"], scratch
    )


def _by_spark(scratch: Path) -> None:
    import pyspark

    submit = Path(pyspark.__file__).parent / "bin" / "spark-submit"
    # An application that does not exist: Spark resolves the packages first, which is all we want.
    packages = ",".join(c for c in JARS if c.split(":")[1].startswith(("delta-spark", "spark-sql")))
    command = [str(submit), "--packages", packages, "--conf", f"spark.jars.ivy={scratch}"]
    _run([*command, "--class", "none", str(scratch / "none.jar")], scratch, check=False)


def _run(command: list[str], scratch: Path, *, check: bool = True) -> None:
    process = subprocess.run(command, cwd=scratch, capture_output=True, text=True, timeout=900)
    if check and process.returncode:
        raise TransientError(
            f"{command[0]} could not fetch the JARs: {process.stdout.strip()[-600:]}",
            where="Maven Central",
            fix="Look at the network or the mirror in ~/.m2/settings.xml, then run it again.",
        )
