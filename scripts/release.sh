#!/bin/sh
# Build what would be published, and check it: OUT (dist) then holds sdist, wheel, the list of every package that the
# wheel installs (an SBOM in CycloneDX's form) and checksums. Nothing is uploaded.
#
#     sh scripts/release.sh [OUT [ENVIRONMENT]]
#
# ENVIRONMENT is the empty one that the wheel is installed in, kept if it is named.
set -eu
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
out="${1:-dist}"
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
environment="${2:-$place/environment}"

step() { printf '\n== %s\n' "$*"; "$@"; }

if git log -1 >/dev/null 2>&1; then      # the same commit gives the same bytes
    git diff --quiet HEAD || echo "bertkit: some files differ from the last commit; built is what the files say."
    SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
    export SOURCE_DATE_EPOCH
fi
rm -rf "$out"

step "$python" -m venv "$place/tools"
tools="$place/tools/bin/python"
step "$tools" -m pip install --quiet --disable-pip-version-check "build>=1.2" "twine>=6.1" "cyclonedx-bom>=7"
printf '\n== build\n'
"$tools" -m build --outdir "$out" . > "$place/log" 2>&1 || { cat "$place/log"; exit 1; }
tail -1 "$place/log"
step "$tools" -m twine check --strict "$out"/*.whl "$out"/*.tar.gz

# Without pip, so that the list holds what the wheel needs and nothing else.
step "$python" -m venv --without-pip "$environment"
step "$tools" -m pip --python "$environment/bin/python" install --quiet --disable-pip-version-check "$out"/*.whl
wheel="$(basename "$out"/*.whl)"
step "$tools" -m cyclonedx_py environment --output-reproducible --of JSON \
    --output-file "$out/${wheel%-py3-none-any.whl}.cdx.json" "$environment/bin/python"
( cd "$out" && "$tools" -c 'import hashlib, pathlib
for path in sorted(pathlib.Path().iterdir()):
    print(hashlib.sha256(path.read_bytes()).hexdigest(), "", path)' > "$place/sums" && mv "$place/sums" SHA256SUMS )
echo
cat "$out/SHA256SUMS"
