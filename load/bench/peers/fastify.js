// https://fastify.dev/docs/latest/Guides/Getting-Started/, with a response schema and without the
// request log.
const fastify = require('fastify')();
const { insert, list, time } = require('./work');

const schema = {
  response: {
    200: {
      type: 'object',
      properties: {
        time: { type: 'string' },
        epochMs: { type: 'integer' },
        timezone: { type: 'string' },
      },
    },
  },
};

fastify.get('/time', { schema }, async (request) => time(request.query.tz));

fastify.get('/data', async () => list());

fastify.post('/data', async (request, reply) => {
  const item = await insert(request.body);
  reply.code(201).header('Location', `/data/${item.id}`);
  return item;
});

fastify.listen({ port: Number(process.env.PORT) });
