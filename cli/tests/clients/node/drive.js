// Drives the clients for Node; ../README.md says how. NODE_PATH names the folder of packages.
'use strict'

const readline = require('node:readline')

const REGION = 'ap-guangzhou'
const VERSION = '2017-03-12'

async function official({ url, secretId, secretKey, token, signing, method }) {
  const { CommonClient } = require('tencentcloud-sdk-nodejs-common')
  const client = new CommonClient(url.host, VERSION, {
    credential: { secretId, secretKey, token },
    region: REGION,
    profile: {
      signMethod: signing,
      httpProfile: { endpoint: url.host, protocol: `${url.protocol}//`, reqMethod: method },
    },
  })
  try {
    await client.request('DescribeInstances', { InstanceIds: ['ins-1'], Name: 'a b+中文' })
  } catch (refused) {
    if (!refused.code) throw refused
    return [refused.code, refused.constructor.name]
  }
  return ['OK', '']
}

async function qcloudapi({ url, secretId, secretKey, token, signing, method }) {
  const QcloudApi = require('qcloudapi-sdk')
  const [algorithm, version] = signing.split('+')
  const options = {
    host: url.host,
    protocol: url.protocol.slice(0, -1),
    signatureMethod: algorithm.slice('Hmac'.length).toLowerCase(),
    method,
  }
  const client = new QcloudApi({ SecretId: secretId, SecretKey: secretKey, Region: REGION, ...options })
  const call = { Action: 'DescribeInstances', name: 'a b+中文' }
  if (version) call.Version = VERSION
  if (token) call.Token = token
  const answer = await new Promise((resolve, reject) =>
    client.request(call, options, (error, body) => (error ? reject(error) : resolve(body))),
  )
  if (answer.Response) return [answer.Response.Error?.Code ?? 'OK', 'answer']
  return [answer.code === 0 ? 'OK' : `${answer.code} ${answer.codeDesc}`, 'answer']
}

const CLIENTS = { 'tencentcloud-sdk-nodejs': official, 'qcloudapi-sdk': qcloudapi }

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [client, url, secretId, secretKey, token, signing, method] = line.split(' ')
    const job = { url: new URL(url), secretId, secretKey, token: token === '-' ? undefined : token, signing, method }
    const told = await CLIENTS[client](job).catch((wrong) => [String(wrong), 'driver'])
    console.log(JSON.stringify({ code: told[0], from: told[1] }))
  }
}

main()
