// https://github.com/GoogleCloudPlatform/functions-framework-nodejs#quickstart-hello-world-on-your-local-machine
const { insert, list, read, time } = require('../work');

exports.app = async (req, res) => {
  if (req.path === '/time') return res.json(time(req.query.tz));
  if (req.method === 'POST') {
    const item = await insert(req.body);
    return res.status(201).location(`/data/${item.id}`).json(item);
  }
  const [, , id] = req.path.split('/');
  res.json(id ? await read(id) : await list(Number(req.query.limit ?? 50)));
};
