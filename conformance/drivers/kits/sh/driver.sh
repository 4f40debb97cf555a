#!/bin/sh
# A driver for curl: every line of standard input is a message, every answer a line.
made=$(mktemp -d) && trap 'rm -rf "$made"' EXIT
escaped() { od -An -v -tx1 "$1" | tr -d ' \n' | sed 's/../\\u00&/g'; }
while read -r line; do
  id=$(expr "$line" : '.*"id":"\([^"]*\)","on"'); url=$(expr "$line" : '.*"url":"\([^"]*\)"')
  case $line in
    '{"type":"start"'*) answer='"name":"curl","version":"'$(curl -qV | sed 's/curl \([^ ]*\).*/\1/;q')'","ops":["fetch"]' ;;
    '{"type":"run"'*'"call":"fetch"'*)
      : >"$made/body"
      status=$(curl -qsS --noproxy '*' -o "$made/body" -w '%{http_code}' "$url" 2>"$made/error")
      case $? in
        0) fact='"value":{"type":"response","status":'$status',"reason":null,"headers":null,"body":"'$(escaped "$made/body")'"}' ;;
        *) fact='"error":{"class":"curl","message":"'$(escaped "$made/error")'"}' ;;
      esac
      answer='"trace":[{"id":"'$id'",'$fact'}]' ;;
    '{"type":"run"'*) answer='"trace":[{"id":"'$id'","unsupported":true}]' ;;
    '{"type":"release"'*) answer='"released":true' ;;
    '{"type":"stop"'*) exit ;;
    *) answer='"unsupported":"'$(expr "$line" : '{"type":"\([^"]*\)"')'"' ;;
  esac
  printf '{"serial":%s,%s}\n' "$(expr "$line" : '.*"serial":\([0-9]*\)')" "$answer"
done
