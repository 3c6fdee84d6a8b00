// A POST over a session of node:http2; the whole answer, which must be 200.

export function request(session, headers, body) {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":method": "POST", ...headers });
    let status = 0;
    let answer = "";
    stream.setEncoding("utf8");
    stream.on("response", (received) => { status = received[":status"]; });
    stream.on("data", (part) => { answer += part; });
    stream.on("end", () => {
      if (status === 200) resolve(answer);
      else reject(new Error(`answered with ${status}: ${answer}`));
    });
    stream.on("error", reject);
    stream.end(body);
  });
}
