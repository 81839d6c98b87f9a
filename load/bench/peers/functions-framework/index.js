// https://github.com/GoogleCloudPlatform/functions-framework-nodejs#quickstart-hello-world-on-your-local-machine
const { insert, list, time } = require('../work');

exports.app = async (req, res) => {
  if (req.path === '/time') return res.json(time());
  if (req.method === 'GET') return res.json(await list());
  const item = await insert(req.body);
  res.status(201).location(`/data/${item.id}`).json(item);
};
