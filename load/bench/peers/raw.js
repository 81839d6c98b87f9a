// https://nodejs.org/api/http.html#httpcreateserveroptions-requestlistener
// https://nodejs.org/api/http.html#responsewriteheadstatuscode-statusmessage-headers
const { createServer } = require('node:http');
const { json } = require('node:stream/consumers');
const { insert, list, time } = require('./work');

createServer(async (req, res) => {
  try {
    if (req.url === '/time') return send(res, 200, time());
    if (req.url.startsWith('/time?')) {
      return send(res, 200, time(new URLSearchParams(req.url.slice(6)).get('tz')));
    }
    if (req.method === 'GET') return send(res, 200, await list());
    const item = await insert(await json(req));
    send(res, 201, item, { Location: `/data/${item.id}` });
  } catch (error) {
    send(res, 500, { error: error.message });
  }
}).listen(process.env.PORT);

function send(res, status, value, headers) {
  const body = JSON.stringify(value);
  res
    .writeHead(status, {
      'Content-Length': Buffer.byteLength(body),
      'Content-Type': 'application/json',
      ...headers,
    })
    .end(body);
}
