#!/usr/bin/env bash
# Uploads packages and waits for the index. In: URL, TOKEN, FILES (a glob a line), WAIT (seconds). Exit 1 with the reason where it fails.
set -euo pipefail
shopt -s nullglob globstar

url=${URL%/}
wait=${WAIT:-120}
# The token goes through a file that only this user can read: arguments are visible to every process.
header=$(mktemp)
trap 'rm -f "$header" "$answer"' EXIT
answer=$(mktemp)
chmod 600 "$header"
printf 'Authorization: Bearer %s\n' "$TOKEN" >"$header"

files=()
# shellcheck disable=SC2153
while IFS= read -r pattern; do
  [ -n "$pattern" ] || continue
  # Globs are meant to expand here.
  # shellcheck disable=SC2206
  found=($pattern)
  [ "${#found[@]}" -gt 0 ] || { echo "::error::expected packages at $pattern, found none"; exit 1; }
  files+=("${found[@]}")
done <<<"$FILES"
[ "${#files[@]}" -gt 0 ] || { echo '::error::expected at least one package, found none'; exit 1; }

encoded() { # a file name as a part of a URL
  local LC_ALL=C text=$1 out='' c i
  for ((i = 0; i < ${#text}; i++)); do
    c=${text:i:1}
    case $c in [A-Za-z0-9._~-]) out+=$c ;; *) out+=$(printf '%%%02X' "'$c") ;; esac
  done
  printf '%s' "$out"
}

failed=0
uploaded=()
for file in "${files[@]}"; do
  name=$(basename "$file")
  code=$(curl -sS --retry 3 --retry-connrefused --header @"$header" --output "$answer" --write-out '%{http_code}' \
    --upload-file "$file" "$url/$(encoded "$name")") || code=000
  case $code in
    200 | 201 | 204) echo "uploaded $name"; uploaded+=("$name $(wc -c <"$file" | tr -d ' ')") ;;
    *) echo "::error file=$file::$name was refused ($code): $(tr '\n' ' ' <"$answer")"; failed=1 ;;
  esac
done
[ -z "${GITHUB_OUTPUT:-}" ] || echo "uploaded=${#uploaded[@]}" >>"$GITHUB_OUTPUT"
[ "$failed" = 0 ] || exit 1

deadline=$((SECONDS + wait))
while :; do
  # Name and size: the index may still have an older package of that name.
  listed=$(curl -fsS "$url/pkg_summary.gz" | gunzip | awk -F= '$1 == "FILE_NAME" { name = $2 } $1 == "FILE_SIZE" { print name, $2 }' | sort) || listed=''
  missing=$(comm -23 <(printf '%s\n' "${uploaded[@]}" | sort) <(printf '%s\n' "$listed"))
  [ -n "$missing" ] || break
  if [ "$SECONDS" -ge "$deadline" ]; then
    echo "::error::not in the index after $wait s: $(tr '\n' ' ' <<<"$missing")"
    exit 1
  fi
  sleep 1
done
echo "the index has all ${#uploaded[@]} packages"
