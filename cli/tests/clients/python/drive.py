"""Drives the clients for Python; ../README.md says how."""

import json
import logging
import os
import sys
from urllib.parse import urlsplit

CA = os.environ.get("CLIENTS_CA")
REGION = "ap-guangzhou"
VERSION = "2017-03-12"


def official(url, secret_id, secret_key, token, signing, method):
    from tencentcloud.common.common_client import CommonClient
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile

    http = HttpProfile(protocol=url.scheme, endpoint=url.netloc, reqMethod=method)
    http.certification = CA
    profile = ClientProfile(signMethod=signing, httpProfile=http)
    credential = Credential(secret_id, secret_key, token)
    client = CommonClient("cvm", VERSION, credential, REGION, profile)
    try:
        client.call("DescribeInstances", {"InstanceIds": ["ins-1"], "Name": "a b+中文"})
    except TencentCloudSDKException as refused:
        return refused.code, type(refused).__name__
    return "OK", ""


def qcloudapi(url, secret_id, secret_key, token, signing, method):
    from QcloudApi.qcloudapi import QcloudApi

    signing, _, version = signing.partition("+")
    config = {
        "endpoint": url.netloc,
        "method": method,
        "Region": REGION,
        "secretId": secret_id,
        "secretKey": secret_key,
        "SignatureMethod": signing,
        "Token": token or "",
        "Version": VERSION if version else "",
    }
    # A module that it does not know takes the endpoint from the configuration.
    answer = QcloudApi("mock", config).call("DescribeInstances", {"Name": "a b+中文"})
    return code_in(json.loads(answer))


def code_in(answer):
    """The code in an answer that a client hands over as it is."""
    if "Response" in answer:
        return answer["Response"].get("Error", {}).get("Code", "OK"), "answer"
    if answer["code"] == 0:
        return "OK", "answer"
    return f"{answer['code']} {answer['codeDesc']}", "answer"


def kumori(url, secret_id, secret_key, token, signing, method):
    from kumori.qcloud.core import Console, Service, User
    from kumori.qcloud.errors import ApiError

    console = Console()
    service = Service("cvm", VERSION, url.hostname, scheme=url.scheme, port=url.port)
    console.services["cvm"] = service
    service.add_api("DescribeInstances", method=method)
    try:
        User(secret_id, secret_key, REGION, console=console).cvm.DescribeInstances(Name="a b+中文")
    except ApiError as refused:
        return refused.errors["Code"], type(refused).__name__
    return "OK", ""


def ddns(url, secret_id, secret_key, token, signing, method):
    from ddns.provider.tencentcloud import TencentCloudProvider

    # It has no exception for a refusal: it logs the code and goes on.
    told = Told()
    logger = logging.getLogger("ddns-driver")
    logger.handlers = [told]
    logger.propagate = False
    provider = TencentCloudProvider(secret_id, secret_key, logger=logger, endpoint=url.geturl())
    if provider._request("DescribeDomain", Domain="中文.example.com") is None:
        return told.code, "log"
    return "OK", ""


class Told(logging.Handler):
    code = "nothing was logged"

    def emit(self, record):
        if record.levelno >= logging.WARNING:
            self.code = str(record.args[0]) if record.args else record.getMessage()


CLIENTS = {
    "tencentcloud-sdk-python": official,
    "qcloudapi-sdk-python": qcloudapi,
    "kumori": kumori,
    "ddns": ddns,
}


def main():
    for line in sys.stdin:
        client, url, secret_id, secret_key, token, signing, method = line.split()
        token = None if token == "-" else token
        try:
            told = CLIENTS[client](urlsplit(url), secret_id, secret_key, token, signing, method)
        except Exception as wrong:
            told = f"{type(wrong).__name__}: {wrong}", "driver"
        print(json.dumps({"code": told[0], "from": told[1]}), flush=True)


main()
