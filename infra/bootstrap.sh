# Sourced by the Makefile: stops with one clear line, or leaves a ready environment on PATH.
stop() { echo "yupana: $1" >&2; echo "  fix:   $2" >&2; exit 1; }

python=""
for name in python3.11 python3 python; do
  if command -v "$name" >/dev/null && [ "$("$name" -c 'import sys; print(sys.version_info[:2] == (3, 11))' 2>/dev/null)" = True ]; then
    python=$name; break
  fi
done
[ -n "$python" ] || stop "Python 3.11 is not on this machine (found: $(python3 --version 2>&1 | head -1))." "apt install python3.11 python3.11-venv, or pyenv install 3.11"
command -v java >/dev/null || stop "Java is not on this machine; Spark needs 17 or newer." "apt install openjdk-17-jre-headless"
java_major=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -1)
[ "${java_major:-0}" -ge 17 ] || stop "Java ${java_major:-?} is too old; Spark needs 17 or newer." "apt install openjdk-17-jre-headless, and put it first on PATH"

# The environment is made again only when the lock, or the Python, changed.
stamp=.venv/.yupana-ready
wanted="$(cat uv.lock pyproject.toml | sha256sum | cut -d' ' -f1) $("$python" --version)"
if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ]; then
  echo "setting up: environment from uv.lock (about 4 GB to download the first time) …" >&2
  if [ ! -x .uv/bin/uv ]; then
    "$python" -m venv .uv && .uv/bin/pip install --quiet "uv>=0.9" || stop "uv could not be installed." "look at the network or at pip's settings, then run it again"
  fi
  # Compiled once here, so that no command pays for it at its start.
  UV_PYTHON="$(command -v "$python")" .uv/bin/uv sync --quiet --locked --extra all --compile-bytecode \
    || stop "the environment could not be made from uv.lock." "look at the lines above; usually the network: run it again"
  .venv/bin/yupana setup >&2 || exit 1
  echo "$wanted" > $stamp
  echo "set up in $SECONDS s" >&2
fi
export PATH="$PWD/.venv/bin:$PATH"
