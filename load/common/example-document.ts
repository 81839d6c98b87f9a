/** The document that the benchmark and the overload test post. */
export const exampleDocument = {
  user: 'ada',
  items: [{ sku: 'A-1', quantity: 2 }],
  total: 12.5,
  paid: true,
};
