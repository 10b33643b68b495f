#!/usr/bin/env bash
# Every check and test but those marked `long`; what is long goes first. On two cores three
# processes: in a third of its time a test waits for a service, a database or a JVM to start.
set -euo pipefail
command -v java >/dev/null \
  || echo "yupana: no Java 17 here: the Spark half of the tests is skipped (apt install openjdk-17-jre-headless)" >&2
command -v mosquitto >/dev/null \
  || echo "yupana: no MQTT broker here: its tests are skipped (apt install mosquitto)" >&2
# A Kafka broker's JARs, once.
python tests/kafka_broker.py 2>/dev/null \
  || echo "yupana: no Kafka broker here: its tests are skipped (needs Maven and Java 17)" >&2
infra/lint.sh
# What passed is evidence (`yupana governance evidence`).
mkdir -p var
exec pytest -n 3 --dist loadfile --no-loadscope-reorder --results var/tests.json "$@"
