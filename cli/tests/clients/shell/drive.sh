#!/usr/bin/env bash
# Signs with openssl and sends with curl, as the vendor's pages describe it; ../README.md says how it is driven.
# The client `curl-v2` calls the legacy API, `curl` API 3.0, and `curl-http2` does so over HTTP/2.
set -euo pipefail

name='a b+c/d=e&f%g~h*中文'

main() {
    local client url secret_id secret_key token signing method
    while read -r client url secret_id secret_key token signing method; do
        local host=${url#*://} extra=(--http1.1)
        [[ $client != curl-http2 ]] || extra=(--http2)
        [[ -z ${CLIENTS_CA:-} ]] || extra+=(--cacert "$CLIENTS_CA")
        case $client/$signing in
            curl-v2/*) query_signed /v2/index.php ;;
            */Hmac*) query_signed / ;;
            *) tc3_signed ;;
        esac | told
    done
}

# What curl prints after the answer: the version of HTTP.
send() { curl -sS -w '\n%{http_version}' "${extra[@]}" "$@" 2>&1 || true; }

mac() { printf %s "$2" | openssl dgst "-$1" -hmac "$secret_key" -binary | openssl base64 -A; }

query_signed() {
    local path=$1 algorithm=${signing%+*} text signature pair fields=()
    local pairs=(
        Action=DescribeInstances Nonce="$RANDOM$RANDOM" Region=ap-guangzhou SecretId="$secret_id"
        SignatureMethod="$algorithm" Timestamp="$(date +%s)" Name="$name" InstanceIds.0=ins-1
    )
    [[ $path != / && $signing != *+Version ]] || pairs+=(Version=2017-03-12)
    [[ $token == - ]] || pairs+=(Token="$token")
    text=$(printf '%s\n' "${pairs[@]}" | LC_ALL=C sort -t= -k1,1 | paste -sd'&')
    signature=$(mac "${algorithm#Hmac}" "$method$host$path?$text")
    for pair in "${pairs[@]}" Signature="$signature"; do fields+=(--data-urlencode "$pair"); done
    if [[ $method == GET ]]; then fields+=(-G); fi
    send "${fields[@]}" "$url$path"
}

sha256() { printf %s "$1" | openssl dgst -sha256 -r | cut -d' ' -f1; }

# A key in hex, and a text.
hmac() { printf %s "$2" | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$1" -r | cut -d' ' -f1; }

tc3_signed() {
    local now day query='' body='' type request scope text key part target=$url/
    now=$(date +%s) day=$(date -u -d "@$now" +%F)
    if [[ $method == GET ]]; then
        type=application/x-www-form-urlencoded query='InstanceIds.0=ins-1&Name=a%20b%2Bc%E4%B8%AD%E6%96%87'
        target+="?$query"
    else
        type='application/json; charset=utf-8' body="{\"InstanceIds\": [\"ins-1\"], \"Name\": \"$name\"}"
    fi
    request=$(printf '%s\n' "$method" / "$query" "content-type:$type" "host:$host" \
        x-tc-action:describeinstances '' 'content-type;host;x-tc-action' "$(sha256 "$body")")
    scope=$day/cvm/tc3_request
    text=$(printf '%s\n' TC3-HMAC-SHA256 "$now" "$scope" "$(sha256 "$request")")
    key=$(printf 'TC3%s' "$secret_key" | od -An -v -tx1 | tr -d ' \n')
    for part in "$day" cvm tc3_request "$text"; do key=$(hmac "$key" "$part"); done
    local fields=(
        -H "Authorization: TC3-HMAC-SHA256 Credential=$secret_id/$scope, SignedHeaders=content-type;host;x-tc-action, Signature=$key"
        -H "Content-Type: $type" -H 'X-TC-Action: DescribeInstances' -H 'X-TC-Version: 2017-03-12'
        -H 'X-TC-Region: ap-guangzhou' -H "X-TC-Timestamp: $now"
    )
    [[ $token == - ]] || fields+=(-H "X-TC-Token: $token")
    [[ $method == GET ]] || fields+=(--data-binary "$body")
    send "${fields[@]}" "$target"
}

# One line of JSON about an answer.
told() {
    local answer version code
    answer=$(cat)
    version=${answer##*$'\n'}
    case $answer in
        *'"Error":{"Code":"'*) code=${answer#*'"Error":{"Code":"'} code=${code%%'"'*} ;;
        '{"Response":{"RequestId":"'* | '{"code":0,'*) code=OK ;;
        '{"code":'*'"codeDesc":"'*) code=${answer#*'"code":'} code="${code%%,*} ${answer##*'"codeDesc":"'}" code=${code%%'"'*} ;;
        *) code=${answer//[$'"\\\n']/ } ;;
    esac
    printf '{"code":"%s","from":"HTTP/%s"}\n' "$code" "$version"
}

main
