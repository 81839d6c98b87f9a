// The smallest server: the time that any Node.js process takes to start.
const { createServer } = require('node:http');

createServer((_, res) => {
  const now = new Date();
  res.writeHead(200, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ time: now.toISOString(), epochMs: now.getTime(), timezone: 'UTC' }));
}).listen(process.env.PORT);
