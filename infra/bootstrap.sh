# Sourced by the Makefile: stops with one clear line, or leaves a ready environment on PATH.
stop() { echo "yupana: $1" >&2; echo "  fix:   $2" >&2; exit 1; }

python=""
for name in python3.11 python3 python; do
  if command -v "$name" >/dev/null && [ "$("$name" -c 'import sys; print(sys.version_info[:2] == (3, 11))' 2>/dev/null)" = True ]; then
    python=$name; break
  fi
done
[ -n "$python" ] || stop "Python 3.11 is not on this machine (found: $(python3 --version 2>&1 | head -1))." "apt install python3.11 python3.11-venv, or pyenv install 3.11"

# The environment is made again only when the lock, or the Python, changed.
stamp=.venv/.yupana-ready
wanted="$(cat uv.lock pyproject.toml | sha256sum | cut -d' ' -f1) $("$python" --version)"
if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ]; then
  echo "setting up: environment from uv.lock (about 4 GB to download the first time) …" >&2
  if [ ! -x .uv/bin/uv ]; then
    # The quick way first; a Python without pip of its own has it in its virtual environments.
    "$python" -m pip install --quiet --target .uv "uv>=0.9" 2>/dev/null \
      || { "$python" -m venv .uv && .uv/bin/pip install --quiet "uv>=0.9"; } \
      || stop "uv could not be installed." "look at the network or at pip's settings, then run it again"
  fi
  UV_PYTHON="$(command -v "$python")" .uv/bin/uv sync --quiet --locked --extra all \
    || stop "the environment could not be made from uv.lock." "look at the lines above; usually the network: run it again"
  # What a first run imports is compiled beside it, in the order of need; Python compiles the rest
  # when it is imported, and most of it never is.
  (cd .venv/lib/python3.11/site-packages && exec nice ../../../bin/python -m compileall -q -x '/tests?/' \
    sqlalchemy pydantic airflow fastapi cadwyn great_expectations altair numpy pandas pyspark/sql polars \
    feast ibis sqlglot kfp kubernetes scipy torch/*.py torch/{_C,nn,optim,utils,autograd,_ops,fx} sympy \
    pytorch_lightning lightning_fabric torchmetrics matplotlib mlflow google bentoml nltk sklearn \
    evidently litestar) >/dev/null 2>&1 </dev/null &
  echo "$wanted" > $stamp
  echo "set up in $SECONDS s" >&2
fi
export PATH="$PWD/.venv/bin:$PATH"
# What was compiled is kept, also where the shell says otherwise: else each process compiles again.
unset PYTHONDONTWRITEBYTECODE
