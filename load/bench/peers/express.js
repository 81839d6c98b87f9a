// https://expressjs.com/en/starter/hello-world.html
const express = require('express');
const { insert, list, time } = require('./work');

const app = express();
app.use(express.json());

app.get('/time', (req, res) => {
  res.json(time(req.query.tz));
});

app.get('/data', async (_, res) => {
  res.json(await list());
});

app.post('/data', async (req, res) => {
  const item = await insert(req.body);
  res.status(201).location(`/data/${item.id}`).json(item);
});

app.listen(process.env.PORT);
