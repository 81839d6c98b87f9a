// https://github.com/nodeshift/faas-js-runtime#cli; it serves one function at `/` and does not pass on
// the path, so a query parameter selects the time.
const { insert, list, time } = require('../work');

module.exports = async function handle(context, body) {
  if ('time' in context.query) return { body: time() };
  if (context.method === 'GET') return { body: await list() };
  const item = await insert(body);
  return { statusCode: 201, headers: { Location: `/data/${item.id}` }, body: item };
};
