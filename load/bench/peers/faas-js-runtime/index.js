// https://github.com/nodeshift/faas-js-runtime#cli; a function is served at `/` and learns no path,
// so that the time is asked for by the query.
const { insert, list, time } = require('../work');

module.exports = async function handle(context, body) {
  if ('time' in context.query) return { body: time() };
  if (context.method === 'GET') return { body: await list() };
  const item = await insert(body);
  return { statusCode: 201, headers: { Location: `/data/${item.id}` }, body: item };
};
