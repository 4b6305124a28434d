#!/usr/bin/env python3
"""Pack captured requests into one JSON Lines file per client.

    compact.py SOURCE TARGET

SOURCE holds <client>/<case>.http (the bytes as received) and <client>/<case>.json (when and how they were received,
and the verdict). TARGET receives <client>.jsonl, one capture per line, sorted by case. README.md names the fields.
"""
import base64
import json
import pathlib
import sys

# The host under which these requests verify: what the client signed in place of the Host that it sent.
PUBLIC_HOST = {
    ("qcloud-python-sts", "post_url_ip_default_domain"): "sts.tencentcloudapi.com",
    ("qcloud-requests-auth", "get_endpoint_ip_port_realhost"): "cvm.tencentcloudapi.com",
    ("tencentcloud-sdk-nodejs", "get_hmacsha1_endpoint_host_upper"): "CVM.TencentCloudAPI.com",
    ("tencentcloud-sdk-nodejs", "get_hmacsha256_endpoint_host_upper"): "CVM.TencentCloudAPI.com",
    ("tencentcloud-sdk-nodejs", "post_hmacsha1_endpoint_host_upper"): "CVM.TencentCloudAPI.com",
    ("tencentcloud-sdk-nodejs", "post_hmacsha256_endpoint_host_upper"): "CVM.TencentCloudAPI.com",
}


def compact(client, about, request):
    capture = {
        "case": about["case"],
        "received_unix": about["received_unix"],
        "transport": about["scheme"],
        "expected": about["expected"],
        "rules": about["verify"].get("rules") or [],
    }
    if about["expected"] == "valid-if-public-host-configured":
        capture["public_host"] = PUBLIC_HOST[client, about["case"]]
    try:
        capture["request"] = request.decode("utf-8")
    except UnicodeDecodeError:
        capture["request_base64"] = base64.b64encode(request).decode("ascii")
    return capture


def main(source, target):
    for client in sorted(path for path in source.iterdir() if path.is_dir()):
        captures = [
            compact(client.name, json.loads(about.read_text("utf-8")), about.with_suffix(".http").read_bytes())
            for about in client.glob("*.json")
        ]
        captures.sort(key=lambda capture: capture["case"])
        lines = (json.dumps(capture, ensure_ascii=False, separators=(",", ":")) + "\n" for capture in captures)
        (target / f"{client.name}.jsonl").write_text("".join(lines), "utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
