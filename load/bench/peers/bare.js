// The least that answers: what any process on Node.js costs to start.
const { createServer } = require('node:http');

createServer((_, res) => {
  const now = new Date();
  res.writeHead(200, { 'Content-Type': 'application/json' });
  res.end(JSON.stringify({ time: now.toISOString(), epochMs: now.getTime(), timezone: 'UTC' }));
}).listen(process.env.PORT);
