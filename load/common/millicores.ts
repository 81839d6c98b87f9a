/** @param quantity of CPU, such as `12345678n`, `200m` or `1` */
export function millicores(quantity: string): number {
  const unit = { n: 1e-6, u: 1e-3, m: 1 }[quantity.at(-1) ?? ''] ?? 1000;
  return Math.round(Number.parseFloat(quantity) * unit);
}
