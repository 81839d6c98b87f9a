// Runs in a pod: a TCP proxy that forwards at once, and holds back each response for a while.
const { createServer, connect } = require('node:net');
const { HOST, PORT, DELAY_MS } = process.env;

createServer((client) => {
  const server = connect(Number(PORT), HOST);
  client.pipe(server);
  server.on('data', (data) => setTimeout(() => client.write(data), Number(DELAY_MS)));
  server.on('end', () => setTimeout(() => client.end(), Number(DELAY_MS)));
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ]) {
    socket.setNoDelay();
    socket.on('error', () => other.destroy());
  }
}).listen(27017);
