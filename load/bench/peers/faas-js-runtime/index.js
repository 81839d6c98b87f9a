// https://github.com/nodeshift/faas-js-runtime#cli; it serves one function at `/` and does not pass on
// the path, so query parameters select the time, and a document.
const { insert, list, read, time } = require('../work');

module.exports = async function handle({ method, query }, body) {
  if ('time' in query) return { body: time(query.tz) };
  if (method === 'POST') {
    const item = await insert(body);
    return { statusCode: 201, headers: { Location: `/?id=${item.id}` }, body: item };
  }
  return { body: 'id' in query ? await read(query.id) : await list(Number(query.limit ?? 50)) };
};
