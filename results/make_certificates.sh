#!/bin/sh
# Writes all certificates of this folder anew: sh results/make_certificates.sh
set -e
cd "$(dirname "$0")/.."
new=$(mktemp -d)
trap 'rm -r "$new"' EXIT
for file in results/*.certificate.json; do
  name=$(basename "$file" .certificate.json)
  case $name in
    xxz-1+2+1-box)
      set -- xxz-1+2+1 --box system.coupling=0.0095:0.0105 --box bath.left.beta=0.95:1.05 ;;
    figure-5-nonequilibrium-free-rates)
      set -- figure-5-nonequilibrium --prove --set system.coupling=0.0123 \
        --set "ansatz.rates={ rule = 'range', min = 0.0, max = 1e4 }" ;;
    *)
      set -- "$name" --prove ;;
  esac
  problem=$1
  shift
  rm -rf "$new/one"
  lindfeas certify "problems/$problem.toml" "$@" --out "$new/one" > "$new/said"
  lindfeas verify "$new/one/"*.certificate.json > "$new/said"
  mv "$new/one/"*.certificate.json "$file"
  echo "$name: $(head -1 "$new/said")"
done
