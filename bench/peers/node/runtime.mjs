// In place of Lambda's own runtime for Node: it gives events to the handler, one after the other. Lambda's is larger, so
// this one favours the peer.
import http from "node:http";
import { handler } from "./index.mjs";

const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split("/")[0].split(":");
const base = process.env.AWS_LAMBDA_RUNTIME_API.slice(`${hostname}:${port}`.length) + "/2018-06-01/runtime/invocation/";
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

const call = (method, path, body) => new Promise((resolve, reject) => {
  const request = http.request({ hostname, port, agent, method, path: base + path }, (response) => {
    const chunks = [];
    response.on("data", (chunk) => chunks.push(chunk));
    response.on("end", () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    response.on("error", reject);
  });
  request.on("error", reject);
  request.end(body);
});

for (;;) {
  const event = await call("GET", "next");
  const answer = await handler(JSON.parse(event.body));
  await call("POST", event.headers["lambda-runtime-aws-request-id"] + "/response", JSON.stringify(answer));
}
